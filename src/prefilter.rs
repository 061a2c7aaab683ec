//! Which rules a file could concern, from the literals that it holds.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, BuildError, MatchKind};

use crate::rule::RuleSet;
use crate::source::{Family, Language};

/// The literal that makes suppressions be read in any file; with a capital
/// before it, it silences nothing and is told of.
pub const IGNORE_MARK: &str = "izra-ignore";

/// What files hold that hand functions of other files to a router (Rust).
const ROUTE_MARKS: &[&str] = &[".route(", "web::resource(", ".at(\""];

/// What files that accept requests hold, by their framework.
const HANDLER_MARKS: &[&str] = &[
    "'express'",
    "\"express\"",
    "'fastify'",
    "\"fastify\"",
    "'koa'",
    "koa-router",
    "@koa/router",
    "@nestjs/common",
    "'hono'",
    "\"hono\"",
    "@hapi/hapi",
    "next/server",
    "NextApiRequest",
    "router.get(",
    "router.post(",
    "router.use(",
    "app.get(",
    "app.post(",
];

/// One automaton over the trigger literals of all rules of a family.
pub struct Prefilter {
    automaton: AhoCorasick,
    /// By literal of the automaton: where it counts.
    uses: Vec<Vec<Use>>,
    /// Groups of each rule, by position in `rules`.
    groups: Vec<usize>,
    /// The rules of the family, as indices in the rule set.
    rules: Vec<usize>,
    /// The position of [`IGNORE_MARK`] among the literals.
    mark: usize,
    /// [`HANDLER_MARKS`] or [`ROUTE_MARKS`], for files that no rule concerns by
    /// itself.
    handlers: AhoCorasick,
}

#[derive(Clone, Copy)]
struct Use {
    rule: usize,
    group: usize,
}

/// What a file's literals say.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Indices of the rules that the file could concern, sorted.
    pub rules: Vec<usize>,
    /// The file holds [`IGNORE_MARK`].
    pub ignores: bool,
    /// No rule concerns the file by itself, but it may hold request handlers
    /// that call into files which a rule does concern.
    pub handles: bool,
}

impl Prefilter {
    /// The prefilter of a family's rules among `enabled` (by index).
    ///
    /// # Errors
    /// Where the literals are too many for an automaton.
    pub fn new(set: &RuleSet, family: Family, enabled: impl Fn(usize) -> bool) -> Result<Self, BuildError> {
        let mut literals: Vec<(String, Vec<Use>)> = vec![(IGNORE_MARK.to_owned(), Vec::new())];
        let mut rules = Vec::new();
        let mut groups = Vec::new();
        for (index, rule) in set.rules.iter().enumerate().filter(|(index, _)| enabled(*index)) {
            let Some(detection) = rule.detection(family) else { continue };
            for (group, alternatives) in detection.triggers.iter().enumerate() {
                for literal in alternatives {
                    let used = Use { rule: rules.len(), group };
                    match literals.iter_mut().find(|(known, _)| known == literal) {
                        Some((_, uses)) => uses.push(used),
                        None => literals.push((literal.clone(), vec![used])),
                    }
                }
            }
            rules.push(index);
            groups.push(detection.triggers.len());
        }
        // Of two literals that begin at one byte the first listed wins, so the
        // longer one stands first and implies the shorter (see `find`).
        literals.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
        for short in 0..literals.len() {
            for long in 0..short {
                if literals[long].0.starts_with(&literals[short].0) {
                    let implied = literals[short].1.clone();
                    literals[long].1.extend(implied);
                }
            }
        }
        let automaton =
            AhoCorasickBuilder::new().match_kind(MatchKind::LeftmostFirst).build(literals.iter().map(|(l, _)| l))?;
        let mark = literals.iter().position(|(literal, _)| literal == IGNORE_MARK).unwrap_or_default();
        let handlers = AhoCorasick::new(if family == Family::Rust { ROUTE_MARKS } else { HANDLER_MARKS })?;
        let uses = literals.into_iter().map(|(_, uses)| uses).collect();
        Ok(Self { automaton, uses, groups, rules, mark, handlers })
    }

    /// What the literals of `text` say for a file of `language`.
    pub fn wanted(&self, set: &RuleSet, language: Language, text: &[u8]) -> Wanted {
        let found = self.find(text);
        let mut met: Vec<u64> = vec![0; self.rules.len()];
        for (literal, _) in found.iter().enumerate().filter(|(_, found)| **found) {
            for used in &self.uses[literal] {
                met[used.rule] |= 1 << used.group;
            }
        }
        let all = |position: usize| met[position].count_ones() as usize == self.groups[position];
        let rules = (0..self.rules.len()).filter(|&position| all(position)).map(|position| self.rules[position]);
        let rules: Vec<usize> = rules.filter(|&index| set.rules[index].reads(language)).collect();
        let handles = rules.is_empty() && self.handlers.is_match(text);
        Wanted { rules, ignores: found[self.mark], handles }
    }

    /// Which literals occur. Leftmost-first search runs on SIMD; the search
    /// goes on one byte after a match's start, so that literals which overlap
    /// it are found too.
    fn find(&self, text: &[u8]) -> Vec<bool> {
        let mut found = vec![false; self.uses.len()];
        let mut left = found.len();
        let mut at = 0;
        while let Some(hit) = self.automaton.find(aho_corasick::Input::new(text).span(at..text.len())) {
            let literal = hit.pattern().as_usize();
            if !found[literal] {
                found[literal] = true;
                left -= 1;
                if left == 0 {
                    break;
                }
            }
            at = hit.start() + 1;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All literals are searched for at once, as fast as the shortest allows:
    /// one of two bytes made whole scans a sixth slower.
    #[test]
    fn literals_have_three_bytes() {
        let rules = RuleSet::builtin().expect("the rules load");
        let detections = rules.rules.iter().flat_map(|rule| {
            [Family::TypeScript, Family::Rust].into_iter().filter_map(|family| rule.detection(family))
        });
        let literals: Vec<&String> = detections.flat_map(|detection| detection.triggers.iter().flatten()).collect();
        assert!(literals.len() > 20);
        assert!(literals.iter().all(|literal| literal.len() >= 3), "{literals:?}");
    }

    /// aho-corasick searches with SIMD (Teddy) for at most 64 patterns, and for
    /// more byte by byte (its `packed/teddy/builder.rs`): two more made whole
    /// scans a tenth to a fifth slower. One is the mark of comments.
    #[test]
    fn literals_are_few_enough_for_simd() {
        const MOST: usize = 64;
        let rules = RuleSet::builtin().expect("the rules load");
        for family in [Family::TypeScript, Family::Rust] {
            let detections = rules.rules.iter().filter_map(|rule| rule.detection(family));
            let literals: std::collections::BTreeSet<&String> =
                detections.flat_map(|detection| detection.triggers.iter().flatten()).collect();
            assert!(literals.len() < MOST, "{family:?}: {}", literals.len() + 1);
        }
    }

    fn set(triggers: &[&str]) -> RuleSet {
        let mut set = RuleSet::default();
        for (number, triggers) in triggers.iter().enumerate() {
            let text = format!(
                r#"id = "rule-{number}"
title = "t"
category = "c"
languages = ["typescript"]
effort_minutes = 1
severity.base = "low"
detect.typescript.triggers = {triggers}
detect.typescript.query = "(identifier) @hit"
report.message = "m"
report.impact = "i"
docs = {{ why = "w", when_not = "n", sources = [] }}
"#
            );
            set.add(&format!("rule-{number}.toml"), &text, false).expect("a rule");
        }
        set
    }

    fn wanted(set: &RuleSet, text: &str) -> Wanted {
        let prefilter = Prefilter::new(set, Family::TypeScript, |_| true).expect("few literals");
        prefilter.wanted(set, Language::TypeScript, text.as_bytes())
    }

    #[test]
    fn every_group_needs_one_of_its_literals() {
        let set = set(&[r#"[["await"], ["axios", "fetch("]]"#, r#"[["setTimeout"]]"#]);
        assert_eq!(wanted(&set, "await axios.get()").rules, [0]);
        assert_eq!(wanted(&set, "await x; setTimeout(f)").rules, [1]);
        assert_eq!(wanted(&set, "axios").rules, Vec::<usize>::new());
    }

    #[test]
    fn overlapping_literals_are_all_found() {
        let set = set(&[r#"[["axios.create"]]"#, r#"[["axios"]]"#, r#"[["create("]]"#, r#"[["xios"]]"#]);
        assert_eq!(wanted(&set, "axios.create()").rules, [0, 1, 2, 3]);
        assert_eq!(wanted(&set, "axios").rules, [1, 3]);
    }

    #[test]
    fn other_languages_and_suppressions() {
        let set = set(&[r#"[["await"]]"#]);
        let prefilter = Prefilter::new(&set, Family::TypeScript, |_| true).expect("few literals");
        assert!(prefilter.wanted(&set, Language::JavaScript, b"await x").rules.is_empty());
        assert!(prefilter.wanted(&set, Language::TypeScript, b"// bizra-ignore x: y").ignores);
    }
}
