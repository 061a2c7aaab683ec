//! Where an analysis puts its candidates.

use std::borrow::Cow;

use crate::observe::{Candidate, Confidence, Context, Draft, FileMap, Need, Step, Value, Values, is_light};
use crate::source::Span;

/// Collects the candidates of one rule in one file.
pub struct Sink<'s> {
    rule: usize,
    params: &'s toml::Table,
    map: &'s mut FileMap,
}

impl<'s> Sink<'s> {
    /// A sink for the rule of index `rule` with its parameters.
    pub fn new(rule: usize, params: &'s toml::Table, map: &'s mut FileMap) -> Self {
        Self { rule, params, map }
    }

    /// A numeric parameter of the rule.
    pub fn number(&self, name: &str, default: f64) -> f64 {
        match self.params.get(name) {
            Some(toml::Value::Integer(n)) => *n as f64,
            Some(toml::Value::Float(n)) => *n,
            _ => default,
        }
    }

    /// A list of words from the rule's parameters.
    pub fn words(&self, name: &str) -> Vec<&str> {
        match self.params.get(name) {
            Some(toml::Value::Array(items)) => items.iter().filter_map(toml::Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Starts a candidate whose primary node is `span`; it is `certain` until
    /// something lowers it.
    pub fn candidate(&self, span: Span, symbol: impl Into<String>, context: Context) -> Builder {
        Builder(Candidate {
            rule: self.rule,
            variant: None,
            span,
            symbol: symbol.into(),
            context,
            request_path_by_name: None,
            confidence: Confidence::Certain,
            assumption: None,
            evidence: Vec::new(),
            labels: Vec::new(),
            values: Values::new(),
            needs: Vec::new(),
            cleared: None,
            patch: None,
            narrower: Vec::new(),
        })
    }

    /// Takes a candidate, cleared or not.
    pub fn push(&mut self, builder: Builder) {
        self.map.candidates.push(builder.0);
    }

    /// The observations of the file, for analyses whose findings are made by a join.
    pub fn observations(&mut self) -> &mut crate::observe::Observations {
        &mut self.map.observations
    }
}

/// A run of waits as it may be read: all of it, then what is left where some of
/// it does not count, the longest first. Of a run of more than eight only its
/// pairs: all parts would be too many.
pub fn parts<T>(run: &[T]) -> impl Iterator<Item = &[T]> {
    const LONG: usize = 8;
    let shorter = if run.len() > LONG { 2..3 } else { 2..run.len() };
    let lengths = std::iter::once(run.len()).chain(shorter.rev());
    lengths.flat_map(|length| run.windows(length.max(1)))
}

/// A candidate in the making.
#[derive(Clone)]
#[must_use]
pub struct Builder(Candidate);

impl Builder {
    /// Sets the rule's variant.
    pub fn variant(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.variant = Some(name.into());
        self
    }

    /// Sets a value for templates and severity conditions.
    pub fn value(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.values.insert(Cow::Borrowed(name), value.into());
        self
    }

    /// Adds a step of evidence.
    pub fn evidence(mut self, step: Step) -> Self {
        self.0.evidence.push(step);
        self
    }

    /// Adds a place to point at in the snippet.
    pub fn label(mut self, span: Span, key: &'static str) -> Self {
        self.0.labels.push((span, Cow::Borrowed(key)));
        self
    }

    /// Adds a question for the join.
    pub fn need(mut self, need: Need) -> Self {
        self.0.needs.push(need);
        self
    }

    /// Lowers to `likely` under a named assumption. A second assumption makes
    /// it `possible`: a likely finding rests on one. A light one beside another
    /// is a step of the evidence.
    pub fn assume(mut self, step: Step) -> Self {
        let (kept, beside) = match self.0.assumption.take() {
            None => (step, None),
            Some(light) if is_light(&light) => (step, Some(light)),
            Some(first) if is_light(&step) => (first, Some(step)),
            Some(first) => {
                self.0.confidence = Confidence::Possible;
                (first, None)
            }
        };
        self.0.confidence = self.0.confidence.min(Confidence::Likely);
        self.0.assumption = Some(kept);
        self.0.evidence.extend(beside);
        self
    }

    /// Lowers to `possible`, with the reason.
    pub fn doubt(mut self, step: Step) -> Self {
        self.0.confidence = Confidence::Possible;
        self.0.assumption = Some(step);
        self
    }

    /// Names the places after the first, as far as a reader wants to see them.
    pub fn also_at(self, places: &[Span]) -> Self {
        const NAMED: usize = 4;
        places.iter().skip(1).take(NAMED).fold(self, |builder, &place| builder.evidence(Step::at("also-here", place)))
    }

    /// Says that only a class or file name puts this on a request path.
    pub fn request_path_by_name(mut self, name: Option<String>) -> Self {
        self.0.request_path_by_name = name;
        self
    }

    /// Clears the candidate: the guard is kept for `why`. The first one stays.
    pub fn clear(mut self, guard: Step) -> Self {
        self.0.cleared.get_or_insert(guard);
        self
    }

    /// Sets the suggested patch.
    pub fn patch(mut self, draft: Draft) -> Self {
        self.0.patch = Some(draft);
        self
    }

    /// Adds a reading that says less of the same place and rests on less; see
    /// [`Candidate::narrower`].
    pub fn or_narrower(mut self, other: Self) -> Self {
        self.0.narrower.push(other.0);
        self
    }

    /// The confidence so far.
    pub fn confidence(&self) -> Confidence {
        self.0.confidence
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn long_runs_are_read_whole_and_by_pairs() {
        let lengths = |run: &[u8]| parts(run).map(<[u8]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(&[1]), [1]);
        assert_eq!(lengths(&[1, 2, 3, 4]), [4, 3, 3, 2, 2, 2]);
        let long = [0; 1500];
        assert_eq!(parts(&long).count(), 1 + 1499);
        assert!(parts(&long).skip(1).all(|part| part.len() == 2));
    }
}
