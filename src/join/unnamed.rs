//! Functions that nobody calls: in a program of some size, code whose name no
//! file of the product holds is dead, or run by something that is not seen.

use std::collections::{BTreeMap, BTreeSet};

use super::{Closed, Join};
use crate::facts::mentions::standing_alone;
use crate::facts::paths::folder;
use crate::observe::{Confidence, Context, Step};
use crate::source::{Family, PathClass};

/// Files of product code in a language from which on a program is taken to be
/// there as a whole: of a smaller piece nobody can say who calls it.
const WHOLE_PROGRAM: usize = 20;

/// Lowers what stands in functions that no file names to `possible`.
pub fn lower(join: &Join<'_>, closed: &mut [Closed]) {
    let mut asked: BTreeMap<Family, BTreeSet<String>> = BTreeMap::new();
    let mut from: BTreeSet<String> = BTreeSet::new();
    for one in closed.iter().filter(|one| is_open(join, one)) {
        let family = family(join, &one.path);
        asked.entry(family).or_default().extend(names(join, one).map(str::to_owned));
        from.insert(one.path.clone());
    }
    // Callers are looked for beside the function first.
    let near = |path: &str| from.iter().map(|from| shared_folders(from, path)).max();
    let unnamed: BTreeMap<Family, BTreeSet<String>> = asked
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(family, names)| {
            let product = join.files.iter().filter(|file| file.source.class != PathClass::Test);
            let own = product.filter(|file| file.source.language.family() == family);
            let mut paths: Vec<&str> = own.map(|file| file.source.path.as_str()).collect();
            paths.sort_by_cached_key(|path| (std::cmp::Reverse(near(path)), *path));
            let is_whole = paths.len() >= WHOLE_PROGRAM;
            let tree = join.facts.tree();
            (family, if is_whole { standing_alone(tree, names, &paths) } else { BTreeSet::new() })
        })
        .collect();
    for one in closed.iter_mut().filter(|one| is_open(join, one)) {
        let Some(unnamed) = unnamed.get(&family(join, &one.path)) else { continue };
        let name = names(join, one).find(|name| unnamed.contains(*name)).map(str::to_owned);
        if let Some(name) = name {
            one.candidate.confidence = Confidence::Possible;
            one.candidate.assumption = Some(Step::new("nobody-names").with("name", name));
        }
    }
}

/// How many folders two paths begin with in common.
fn shared_folders(a: &str, b: &str) -> usize {
    folder(a).split('/').zip(folder(b).split('/')).take_while(|(a, b)| a == b).count()
}

/// True for what would be told, in code of which no caller is shown, and that
/// is not there for others to call.
fn is_open(join: &Join<'_>, one: &Closed) -> bool {
    one.is_told() && one.candidate.context == Context::Library && !join.facts.is_library(&one.path)
}

fn family(join: &Join<'_>, path: &str) -> Family {
    join.files.source(path).map_or(Family::TypeScript, |source| source.language.family())
}

/// The names of the functions around a candidate that run by them alone.
fn names<'j>(join: &'j Join<'_>, one: &Closed) -> impl Iterator<Item = &'j str> {
    let at = one.candidate.span;
    let named = join.files.get(&one.path).into_iter().flat_map(|file| &file.map.observations.run_by_name);
    named.filter(move |(_, span)| span.start <= at.start && at.end <= span.end).map(|(name, _)| name.as_str())
}
