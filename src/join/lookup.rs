//! What a name of another file stands for, followed through imports and re-exports.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use crate::facts::Facts;
use crate::join::needs::Exports;
use crate::lang::typescript::effects::{GIVEN, SUPER};
use crate::lang::typescript::names;
use crate::observe::{Effect, Export, FunctionSummary, Gift, Io, NameRef, Value};
use crate::source::Span;

/// How many files a name is followed through.
pub const HOPS: u32 = 4;

/// What a name stands for.
pub enum Found<'e> {
    /// A function, with its file.
    Function(String, &'e FunctionSummary),
    /// A constant, with its file and place.
    Constant(&'e Value, String, Span),
    /// A value that the environment may change, with its file and place.
    Default(&'e Value, String, Span),
    /// A function that makes an HTTP client, with its file, the library and place.
    Client(String, &'static str, Span),
    /// What is known of what a function gives, with its file and place.
    Gives(String, Gift, Span),
    /// These files must be mapped first.
    NeedFiles(BTreeSet<String>),
    /// A package defines it, whose code is not among the scanned.
    Package(String),
    /// Nothing tells.
    Unknown,
}

/// What `name`, written in the file at `from`, stands for.
pub fn find<'e>(from: &str, name: &NameRef, facts: &Facts, exports: &'e dyn Exports) -> Found<'e> {
    /// Modules that bring in all of one another are many to go through.
    const LOOKS: u32 = 96;
    let left = Cell::new(if from.ends_with(".rs") { LOOKS } else { u32::MAX });
    follow(from, name, (facts, exports, &left), HOPS)
}

/// What a search looks into, and how many more files it may.
type Around<'e, 'a> = (&'a Facts, &'e dyn Exports, &'a Cell<u32>);

fn follow<'e>(from: &str, name: &NameRef, around: Around<'e, '_>, hops: u32) -> Found<'e> {
    let (facts, exports, left) = around;
    if hops == 0 || left.get() == 0 {
        return Found::Unknown;
    }
    left.set(left.get() - 1);
    let Some(path) = facts.resolve(from, &name.module) else {
        if let Some(found) = in_globbed_module(from, name, around, hops) {
            return found;
        }
        let package = is_package(&name.module);
        return if package { Found::Package(name.module.clone()) } else { Found::Unknown };
    };
    let Some(file) = exports.observations(&path) else { return Found::NeedFiles(BTreeSet::from([path])) };
    let names = key_parts(name);
    // `UserService.find` may be an entry of its own, or a member of what
    // another file exports as `UserService`.
    for taken in (1..=names.len()).rev() {
        match file.exports.get(&names[..taken].join(".")) {
            Some(Export::Function(summary)) if taken == names.len() => return Found::Function(path, summary),
            Some(Export::Constant(value, span)) if taken == names.len() => return Found::Constant(value, path, *span),
            Some(Export::Default(value, span)) if taken == names.len() => return Found::Default(value, path, *span),
            Some(Export::Gives(gift, span)) if taken == names.len() => return Found::Gives(path, *gift, *span),
            Some(Export::Client(library, span)) if taken == names.len() => return Found::Client(path, library, *span),
            Some(Export::From(next)) => {
                let mut next = next.clone();
                next.members.extend(names[taken..].iter().map(|&part| part.to_owned()));
                return follow(&path, &next, around, hops - 1);
            }
            _ => {}
        }
    }
    // What a function gives is where the function itself is: `createClient()`
    // of a file that hands `createClient` on.
    for taken in (1..=names.len()).rev() {
        let key = names[..taken].join(".");
        let Some(Export::From(next)) = key.strip_suffix(GIVEN).and_then(|plain| file.exports.get(plain)) else {
            continue;
        };
        let mut next = next.clone();
        next.members.last_mut().unwrap_or(&mut next.name).push_str(GIVEN);
        next.members.extend(names[taken..].iter().map(|&part| part.to_owned()));
        return follow(&path, &next, around, hops - 1);
    }
    // What a class does not say itself, the one that it extends may.
    if let [class, members @ ..] = names.as_slice()
        && !members.is_empty()
        && let Some(Export::From(above)) = file.exports.get(&format!("{class}.{SUPER}"))
    {
        let mut above = above.clone();
        above.members.extend(members.iter().map(|&member| member.to_owned()));
        return follow(&path, &above, around, hops - 1);
    }
    if let Some(next) = in_reexported_module(from, &path, name, &file.exports, facts) {
        return follow(&path, &next, around, hops - 1);
    }
    // A client's method is named for any of its models: `prisma.*.findMany`.
    if let [client, _, method] = names.as_slice()
        && let Some(Export::Function(summary)) = file.exports.get(&format!("{client}.*.{method}"))
    {
        return Found::Function(path, summary);
    }
    // `export *` hands on everything but the default.
    if names.first() == Some(&"default") {
        return Found::Unknown;
    }
    let mut needed = BTreeSet::new();
    for module in &file.star_exports {
        let next = NameRef { module: module.clone(), ..name.clone() };
        match follow(&path, &next, around, hops - 1) {
            Found::Unknown | Found::Package(_) => {}
            Found::NeedFiles(files) => needed.extend(files),
            found => return found,
        }
    }
    if needed.is_empty() { implemented(&path, &names, facts, exports) } else { Found::NeedFiles(needed) }
}

/// `crate::service::users::get`, where the file of `crate` at `path` hands a
/// crate or a module on as `service`: the name as that file would write it.
fn in_reexported_module(
    from: &str,
    path: &str,
    name: &NameRef,
    exported: &BTreeMap<String, Export>,
    facts: &Facts,
) -> Option<NameRef> {
    if !path.ends_with(".rs") {
        return None;
    }
    let segments: Vec<&str> = name.module.split("::").collect();
    let leads = |&upto: &usize| facts.resolve(from, &segments[..upto].join("::")).as_deref() == Some(path);
    let (first, rest) = segments[(1..segments.len()).find(leads)?..].split_first()?;
    let Export::From(module) = exported.get(*first)? else { return None };
    Some(below(module, rest, name))
}

/// `name` of the module that lies `rest` below what stands for `module`.
fn below(module: &NameRef, rest: &[&str], name: &NameRef) -> NameRef {
    let parts = [module.module.as_str(), module.name.as_str()];
    let module = parts.iter().chain(rest).copied().collect::<Vec<_>>().join("::");
    NameRef { module, ..name.clone() }
}

/// What a module of another file holds that a glob brings into the Rust file at
/// `from`: `users::get` where `use super::*` brings the module above its
/// `use infra::table::users`.
fn in_globbed_module<'e>(from: &str, name: &NameRef, around: Around<'e, '_>, hops: u32) -> Option<Found<'e>> {
    let (facts, exports, _) = around;
    let own = exports.observations(from).filter(|_| from.ends_with(".rs"))?;
    let segments: Vec<&str> = name.module.split("::").collect();
    let (first, rest) = segments.split_first()?;
    let mut needed = BTreeSet::new();
    for star in &own.star_exports {
        let Some(path) = facts.resolve(from, star) else { continue };
        let Some(above) = exports.observations(&path) else {
            needed.insert(path);
            continue;
        };
        if let Some(Export::From(module)) = above.exports.get(*first) {
            return Some(follow(&path, &below(module, rest, name), around, hops - 1));
        }
    }
    (!needed.is_empty()).then_some(Found::NeedFiles(needed))
}

/// The method of a trait that the file at `path` declares: of those types of
/// the project that implement it, the one whose method does most. What stands
/// in for a server says nothing of the others.
fn implemented<'e>(path: &str, names: &[&str], facts: &Facts, exports: &'e dyn Exports) -> Found<'e> {
    const STANDS_IN: &[&str] = &["mock", "fake", "stub", "memory", "noop", "dummy", "sqlite", "test"];
    let [of, method] = names else { return Found::Unknown };
    if !path.ends_with(".rs") {
        return Found::Unknown;
    }
    let declared = |from: &str, name: &NameRef| facts.resolve(from, &name.module).is_some_and(|file| file == path);
    let mut all = exports.implementers(of);
    all.retain(|(from, name, _)| declared(from, name));
    if all.len() > 1 {
        all.retain(|(from, _, ty)| !names::has_word(ty, STANDS_IN) && !names::has_word(from, STANDS_IN));
    }
    let mut found: Vec<(&str, &FunctionSummary)> = Vec::new();
    for (file, _, ty) in all {
        let Some(observations) = exports.observations(file) else { return Found::Unknown };
        match observations.exports.get(&format!("{ty}.{method}")) {
            Some(Export::Function(summary)) => found.push((file, summary)),
            _ => return Found::Unknown,
        }
    }
    // What they call in turn would have to be followed for each of them.
    if found.len() > 1 && found.iter().any(|(_, summary)| !summary.calls.is_empty()) {
        return Found::Unknown;
    }
    let most = found.into_iter().max_by_key(|(_, summary)| (summary.effect, summary.uses_transaction, summary.io));
    most.map_or(Found::Unknown, |(file, summary)| Found::Function(file.to_owned(), summary))
}

/// True for a module specifier that is the name of a package: no path, no
/// crate, and none of the usual aliases of a project's own folders.
fn is_package(module: &str) -> bool {
    let own = module.starts_with(['.', '/', '~', '#']) || module.starts_with("@/") || module.starts_with("src/");
    !own && !module.contains("::") && module != "crate"
}

/// The parts of a name's key among the exports: a namespace import (`*`) is
/// named by its first member.
fn key_parts(name: &NameRef) -> Vec<&str> {
    let members = name.members.iter().map(String::as_str);
    if name.name == "*" { members.collect() } else { std::iter::once(name.name.as_str()).chain(members).collect() }
}

/// A function's effects with those of all that it calls.
pub struct Total {
    /// The worst effect.
    pub effect: Effect,
    /// The farthest that it waits for.
    pub io: Io,
    /// True where any of them opens or is handed a transaction.
    pub uses_transaction: bool,
    /// See [`FunctionSummary::handed`], of the function itself.
    pub handed: bool,
    /// See [`FunctionSummary::passes`], of the function itself.
    pub passes: bool,
    /// It may wait for something.
    pub waits: bool,
    /// It is declared `async`, and waits for something.
    pub awaits: bool,
    /// The file and the name of the function that was asked about.
    pub place: (String, Span),
    /// Files that must be mapped before this is final.
    pub needed: BTreeSet<String>,
}

/// The effects of the function that `name` stands for; `Err` where it is not
/// to be had, with the files that must be mapped first.
pub fn effects(from: &str, name: &NameRef, facts: &Facts, exports: &dyn Exports) -> Result<Total, BTreeSet<String>> {
    let (path, summary) = match find(from, name, facts, exports) {
        Found::Function(path, summary) => (path, summary),
        Found::NeedFiles(files) => return Err(files),
        Found::Constant(..)
        | Found::Default(..)
        | Found::Client(..)
        | Found::Gives(..)
        | Found::Package(_)
        | Found::Unknown => {
            return Err(BTreeSet::new());
        }
    };
    let mut total = Total {
        effect: summary.effect,
        io: summary.io,
        uses_transaction: summary.uses_transaction,
        handed: summary.handed,
        passes: summary.passes,
        waits: summary.waits,
        awaits: summary.waits && summary.is_async,
        place: (path.clone(), summary.span),
        needed: BTreeSet::new(),
    };
    let mut seen = BTreeSet::from([(path.clone(), summary.span)]);
    let mut open = vec![(path, summary)];
    for hop in 0..=HOPS {
        let mut next = Vec::new();
        for (path, summary) in open {
            for call in &summary.calls {
                // What lies beyond the last hop is not known.
                if hop == HOPS {
                    total.effect = Effect::Unknown;
                    continue;
                }
                match find(&path, call, facts, exports) {
                    Found::Function(path, summary) => {
                        total.effect = total.effect.max(summary.effect);
                        total.io = total.io.max(summary.io);
                        total.uses_transaction |= summary.uses_transaction;
                        if seen.insert((path.clone(), summary.span)) {
                            next.push((path, summary));
                        }
                    }
                    Found::NeedFiles(files) => total.needed.extend(files),
                    Found::Constant(..)
                    | Found::Default(..)
                    | Found::Client(..)
                    | Found::Gives(..)
                    | Found::Package(_)
                    | Found::Unknown => total.effect = Effect::Unknown,
                }
            }
        }
        open = next;
    }
    Ok(total)
}
