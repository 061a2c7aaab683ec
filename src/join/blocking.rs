//! Async code that calls a plain function which blocks: the call stands in one
//! file, what it waits for in another.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::join::Join;
use crate::join::lookup::{self, Found};
use crate::observe::{
    AsyncCall, Blocks, Candidate, Confidence, Context, Export, IfNo, Need, Question, Step, Value, Values,
};

/// The rule that these findings belong to.
const RULE: &str = "blocking-in-async";

/// The findings of all calls, with the file that each stands in.
pub fn join(join: &Join<'_>) -> Vec<(String, Candidate)> {
    let Some(rule) = join.rules.rules.iter().position(|rule| rule.id == RULE) else { return Vec::new() };
    let blocking = names(join);
    if blocking.is_empty() {
        return Vec::new();
    }
    let mut made = Vec::new();
    for mapped in join.files.iter() {
        let path = mapped.source.path.as_str();
        for call in &mapped.map.observations.async_calls {
            // Most calls are told apart by their name alone.
            let leaf = call.name.members.last().unwrap_or(&call.name.name);
            if !blocking.contains(leaf.as_str()) {
                continue;
            }
            if let Found::Function(file, summary) = lookup::find(path, &call.name, join.facts, join.files)
                && let Some(blocks) = &summary.blocks
                && let Some(candidate) = candidate(rule, call, leaf, &file, blocks)
            {
                made.push((path.to_owned(), candidate));
            }
        }
    }
    made
}

/// The last names of all functions that block.
fn names<'j>(join: &'j Join<'_>) -> BTreeSet<&'j str> {
    let exports = join.files.iter().flat_map(|mapped| &mapped.map.observations.exports);
    exports
        .filter(|(_, export)| matches!(export, Export::Function(summary) if summary.blocks.is_some()))
        .map(|(name, _)| name.rsplit('.').next().unwrap_or(name))
        .collect()
}

fn candidate(rule: usize, call: &AsyncCall, leaf: &str, file: &str, blocks: &Blocks) -> Option<Candidate> {
    let handler = call.context == Context::Handler;
    // Small files read now and then cost little: only a handler's reads are
    // known to be many.
    let large = blocks.whole_tree || call.large.unwrap_or(blocks.large);
    if blocks.kind == "blocking-file" && !large && !handler {
        return None;
    }
    // A tool's own server serves one user.
    let (question, ceiling) = match handler {
        true => (Question::NotInCommandLineProgram, Confidence::Certain),
        false => (Question::InService, Confidence::Possible),
    };
    let mut needs = vec![Need { question, span: None, if_unknown: Some(ceiling), if_no: IfNo::Clear }];
    if !handler {
        // What only a start reaches holds up nobody yet.
        let question = Question::NotOnlyAtStart(call.around);
        needs.push(Need { question, span: None, if_unknown: Some(Confidence::Certain), if_no: IfNo::Clear });
    }
    let at = |key: &'static str, span| Step::at(key, span).with("name", leaf);
    let (confidence, assumed) = match (blocks.always, handler) {
        (true, true) => (Confidence::Certain, None),
        (true, false) => (Confidence::Likely, Some("others-wait-meanwhile")),
        (false, true) => (Confidence::Likely, Some("branch-is-taken")),
        // Two assumptions are one too many.
        (false, false) => (Confidence::Possible, Some("branch-is-taken")),
    };
    let assumption = assumed.map(|key| at(key, call.span));
    let called = Value::from(leaf);
    Some(Candidate {
        rule,
        variant: Some(Cow::Borrowed(blocks.kind)),
        span: call.span,
        symbol: call.symbol.clone(),
        context: call.context,
        request_path_by_name: None,
        confidence,
        assumption,
        evidence: vec![
            at(if blocks.kind == "blocking-compression" { "compresses-inside" } else { "blocks-inside" }, blocks.span)
                .in_file(file)
                .with("call", blocks.call.as_str()),
            Step::at("in-async-body", call.around),
        ],
        labels: Vec::new(),
        values: Values::from([(Cow::Borrowed("call"), called)]),
        needs,
        cleared: None,
        patch: None,
        narrower: Vec::new(),
    })
}
