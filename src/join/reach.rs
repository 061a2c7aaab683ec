//! What stands around the code of a file in others: the handlers that call its
//! functions, and the timeout layer around its service.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::facts::Facts;
use crate::join::lookup::{self, Found};
use crate::join::needs::Answer;
use crate::join::{Files, Join};
use crate::map::Mapped;
use crate::observe::{Callee, Caller, Context, NameRef, ProjectCall, Setting, Step};
use crate::source::{PathClass, Span};

/// The functions that handlers reach, each by its file and the place of its
/// name, with the file and place of one call.
#[derive(Default)]
pub struct Reached {
    functions: BTreeMap<(String, Span), Way>,
    /// Files that handlers call into, and that no rule concerned so far.
    pub unmapped: BTreeSet<String>,
}

/// How a handler reaches a function.
struct Way {
    /// The handler's file and its first call.
    from: (String, Span),
    /// How many calls it takes.
    calls: usize,
}

/// How many calls lead from a handler to what it reaches.
const HOPS: usize = 3;

impl Reached {
    /// Follows every call that the handlers of `files` make into other files,
    /// and what the called functions call in turn.
    pub fn of(files: &Files, facts: &Facts) -> Self {
        let mut reached = Self::default();
        let all: Vec<&Mapped> = files.iter().collect();
        let mut open = reached.together(all.into_par_iter().map(|file| Calls::of_handlers(file, files, facts)));
        for calls in 1..=HOPS {
            let mut new = Vec::new();
            for (function, from) in open {
                if let Entry::Vacant(unseen) = reached.functions.entry(function.clone()) {
                    unseen.insert(Way { from: from.clone(), calls });
                    new.push((function, from));
                }
            }
            if calls == HOPS {
                break;
            }
            open = reached
                .together(new.into_par_iter().map(|(function, from)| Calls::onward(&function, &from, files, facts)));
        }
        reached
    }

    /// The functions called, in the order of their callers, whatever thread
    /// looked first; the files that are missing are kept.
    fn together(&mut self, calls: impl IndexedParallelIterator<Item = Calls>) -> Vec<Led> {
        let mut open = Vec::new();
        for calls in calls.collect::<Vec<_>>() {
            open.extend(calls.open);
            self.unmapped.extend(calls.unmapped);
        }
        open
    }

    /// Does a handler reach the function of this file whose name stands there?
    pub fn answer(&self, path: &str, name: Span) -> Answer {
        let Some(Way { from: (from, at), calls }) = self.functions.get(&(path.to_owned(), name)) else {
            return Answer::Unknown;
        };
        let step = |key: &'static str| Step::at(key, *at).in_file(from.clone()).with("place", from.as_str());
        match calls {
            1 => Answer::Yes(step("called-from-handler-of")),
            // Every call on the way may stand in a branch.
            _ => Answer::Likely(step("reached-from-handler-of").with("calls", *calls)),
        }
    }
}

/// Does a handler reach the function whose name stands there, or does what is
/// named a service in another file call it?
pub fn called_per_request(path: &str, name: Span, join: &Join<'_>) -> Answer {
    let answer = join.reached().answer(path, name);
    let (files, facts) = (join.files, join.facts);
    let Some(own) = files.get(path).filter(|_| answer == Answer::Unknown) else { return answer };
    // A helper of the same file may stand between.
    let functions = led_to_within(own, name);
    let serves = |from: &str| !facts.is_command(from) && !facts.is_called_by_others(from) && !facts.is_tool(from);
    for from in files.iter() {
        let at = &from.source.path;
        for call in from.map.observations.calls.iter().filter(|call| !call.starts) {
            let (Some(service), Callee::There(callee)) = (&call.service, &call.callee) else { continue };
            let leaf = callee.members.last().unwrap_or(&callee.name);
            let named = functions.iter().any(|&function| own.source.slice(function) == leaf);
            if named
                && serves(at)
                && matches!(lookup::find(at, callee, facts, files),
                    Found::Function(found, summary) if found == path && functions.contains(&summary.span))
            {
                let step = Step::at("called-by-service", call.span).in_file(at.clone());
                return Answer::Likely(step.with("name", service.as_str()));
            }
        }
    }
    answer
}

/// The function whose name stands there, and those of its file that lead to it.
fn led_to_within(file: &Mapped, name: Span) -> BTreeSet<Span> {
    let mut functions = BTreeSet::from([name]);
    for _ in 1..HOPS {
        let calls = file.map.observations.calls.iter().filter(|call| !call.starts);
        let callers = calls.filter_map(|call| match (&call.callee, call.caller) {
            (Callee::Here(callee), Caller::Function(by)) if functions.contains(callee) => Some(by),
            _ => None,
        });
        let new: Vec<Span> = callers.collect();
        functions.extend(new);
    }
    functions
}

/// A function, by its file and the place of its name, with the handler's file
/// and the place of the call that leads to it.
type Led = ((String, Span), (String, Span));

/// What one file's handlers, or one function, call within the project.
#[derive(Default)]
struct Calls {
    open: Vec<Led>,
    unmapped: BTreeSet<String>,
}

impl Calls {
    fn of_handlers(file: &Mapped, files: &Files, facts: &Facts) -> Self {
        let from = &file.source.path;
        Self::of(file, Caller::Handler, |call| (from.clone(), call.span), files, facts)
    }

    /// What `function` calls, on the way that began at `begin`.
    fn onward(function: &(String, Span), begin: &(String, Span), files: &Files, facts: &Facts) -> Self {
        let (path, name) = function;
        let Some(file) = files.get(path) else { return Self::default() };
        Self::of(file, Caller::Function(*name), |_| begin.clone(), files, facts)
    }

    fn of(
        file: &Mapped,
        caller: Caller,
        begin: impl Fn(&ProjectCall) -> (String, Span),
        files: &Files,
        facts: &Facts,
    ) -> Self {
        let mut found = Self::default();
        let path = &file.source.path;
        let by_it = |call: &&ProjectCall| call.caller == caller && !call.starts;
        for call in file.map.observations.calls.iter().filter(by_it) {
            match &call.callee {
                Callee::Here(span) => found.open.push(((path.clone(), *span), begin(call))),
                Callee::There(name) => match lookup::find(path, name, facts, files) {
                    Found::Function(path, summary) => found.open.push(((path, summary.span), begin(call))),
                    Found::NeedFiles(needed) => found.unmapped.extend(needed),
                    _ => {}
                },
            }
        }
        found
    }
}

/// How many calls lead from what runs at the start to what only it reaches.
const STARTS: usize = 6;

/// Is the function whose name stands there reached from elsewhere than from what
/// runs once? Unknown where no call of it is seen.
pub fn not_only_at_start(path: &str, name: Span, files: &Files, facts: &Facts) -> Answer {
    let Some(file) = files.get(path) else { return Answer::Unknown };
    match start_of(path, (file.source.slice(name), name), STARTS, files, facts) {
        Some(place) => Answer::No(Step::new("called-only-at-start").with("place", place)),
        None => Answer::Unknown,
    }
}

/// The file of a call of a function where all calls of it run once in a process.
fn start_of(path: &str, function: (&str, Span), left: usize, files: &Files, facts: &Facts) -> Option<String> {
    let is_it = |from: &str, call: &NameRef| {
        let leaf = call.members.last().unwrap_or(&call.name);
        leaf == function.0
            && matches!(lookup::find(from, call, facts, files),
                Found::Function(at, summary) if at == path && summary.span == function.1)
    };
    let mut start = None;
    for from in files.iter() {
        let at = &from.source.path;
        for call in from.map.observations.callers.iter().filter(|call| is_it(at, &call.name)) {
            let starts = call.once
                && match call.context {
                    Context::Startup | Context::Cli => true,
                    Context::Library => {
                        let (name, span) = &call.around;
                        left > 0 && start_of(at, (name, *span), left - 1, files, facts).is_some()
                    }
                    _ => false,
                };
            if !starts {
                return None;
            }
            start.get_or_insert_with(|| at.clone());
        }
    }
    start
}

/// Does a call of the function whose name stands there leave its options, the
/// argument `index`, without a bound? Unknown where no call is seen.
pub fn callers_leave_unbounded(path: &str, function: (&str, Span), index: usize, join: &Join<'_>) -> Answer {
    let (files, facts) = (join.files, join.facts);
    let named = |name: &NameRef| {
        let leaf = name.members.last().unwrap_or(&name.name);
        leaf == function.0 || leaf == "default"
    };
    let is_it = |from: &str, callee: &Callee| match callee {
        Callee::Here(span) => from == path && *span == function.1,
        Callee::There(name) => {
            named(name)
                && matches!(lookup::find(from, name, facts, files),
                    Found::Function(at, summary) if at == path && summary.span == function.1)
        }
    };
    let mut unbounded = Vec::new();
    let mut bounded = Vec::new();
    for from in files.iter().filter(|file| file.source.class == PathClass::Product) {
        let calls = from.map.observations.calls.iter().filter(|call| is_it(&from.source.path, &call.callee));
        for call in calls {
            let may = call.given.may_bound(index);
            if may { &mut bounded } else { &mut unbounded }.push((&from.source.path, call.span));
        }
    }
    match (unbounded.first(), bounded.first()) {
        (Some((place, at)), other) => {
            let key = if other.is_none() { "callers-unbounded" } else { "some-callers-unbounded" };
            let step = Step::at(key, *at).in_file((*place).clone()).with("place", place.as_str());
            Answer::Yes(step.with("count", unbounded.len()).with("all", unbounded.len() + bounded.len()))
        }
        (None, Some((place, at))) => {
            Answer::No(Step::at("caller-may-bound", *at).in_file((*place).clone()).with("place", place.as_str()))
        }
        (None, None) => Answer::Unknown,
    }
}

/// Does no timeout layer of the crate of `path` bound its handlers? A further
/// program of the crate runs none of them.
pub fn timeout_layer(path: &str, files: &Files, facts: &Facts) -> Answer {
    let Some(own) = facts.crates.info(path) else { return Answer::Unknown };
    let is_program = path.contains("src/bin/");
    let layered = files.iter().filter(|file| !is_program || file.source.path == path).find_map(|file| {
        let at = file.map.observations.timeout_layers.first()?;
        let same = facts.crates.info(&file.source.path).is_some_and(|info| info.folder == own.folder);
        same.then_some((&file.source.path, *at))
    });
    match layered {
        Some((file, at)) => {
            Answer::No(Step::at("bounded-by-layer", at).in_file(file.clone()).with("place", file.as_str()))
        }
        None => Answer::Yes(Step::new("no-layer").with("package", own.name.as_str())),
    }
}

/// Does no file of the package at `path` set this for all requests?
pub fn none_sets(path: &str, setting: Setting, files: &Files, facts: &Facts) -> Answer {
    let folder = |path: &str| facts.packages.nearest(path).map(|package| package.folder.clone());
    let own = folder(path);
    // A module of NestJS sets what it hands to its own folder, not to others.
    let beside = |file: &str| file.rsplit_once('/').map(|(at, _)| at) == path.rsplit_once('/').map(|(at, _)| at);
    let plain = setting == Setting::NestTimeout && files.setting(Setting::NestPlain).any(|(file, _)| beside(file));
    let found = files.setting(setting).find(|(file, _)| folder(file) == own && (!plain || beside(file)));
    match found {
        Some((file, at)) => Answer::No(Step::at("set-for-all", at).in_file(file).with("place", file)),
        None => Answer::Yes(Step::new("none-sets")),
    }
}
