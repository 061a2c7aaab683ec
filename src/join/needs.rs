//! Answers to what one file cannot tell.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::version::highest_major;
use crate::facts::{Facts, Floor, Package, Role, Tier};
use crate::join::lookup::{self, Found};
use crate::lang::typescript::names;
use crate::observe::{Effect, Gift, Io, NameRef, Observations, Question, Step, Value};
use crate::source::{Family, Language, Span};

/// The files that are already mapped.
pub trait Exports {
    /// The observations of a file; `None` where it is not mapped yet. A file
    /// that cannot be mapped has empty ones.
    fn observations(&self, path: &str) -> Option<&Observations>;

    /// The types that implement a trait of that name in mapped product code:
    /// the file, the trait as the file names it, the type.
    fn implementers(&self, _leaf: &str) -> Vec<(&str, &NameRef, &str)> {
        Vec::new()
    }
}

/// The answer to a [`Question`]. Steps are keys of `rules/common.toml`.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// It holds; the evidence.
    Yes(Step),
    /// It does not; the guard.
    No(Step),
    /// It holds under the named assumption.
    Likely(Step),
    /// It may hold; the assumption says what is missing.
    Possible(Step),
    /// Nothing tells.
    Unknown,
    /// These files must be mapped first.
    NeedFiles(Vec<String>),
}

/// The value of a constant that another file defines.
#[derive(Clone, PartialEq, Debug)]
pub enum Resolved {
    /// The value, the file and the place.
    Value(Value, String, Span),
    /// The same where the environment sets no other.
    Default(Value, String, Span),
    /// These files must be mapped first.
    NeedFiles(Vec<String>),
    /// Nothing tells.
    Unknown,
}

/// Answers `question`, raised in the file at `path`.
pub fn answer(question: &Question, path: &str, facts: &Facts, exports: &dyn Exports) -> Answer {
    match question {
        Question::ReadsIo(name) => reads(name, Asked::Waits, path, facts, exports),
        Question::ReadsOnItsOwn(name) => reads(name, Asked::OnItsOwn, path, facts, exports),
        Question::ReadsService(name) => reads(name, Asked::Service, path, facts, exports),
        Question::OnlyReads(name) => reads(name, Asked::Nothing, path, facts, exports),
        Question::IsHttpClient(name) => is_http_client(name, path, facts, exports),
        Question::MakesClient(name) => makes_client(name, path, facts, exports),
        Question::Gives(name, gift) => gives(name, *gift, path, facts, exports),
        Question::GivesPromise(name) => gives_promise(name, path, facts, exports),
        Question::NodeBelow { major } => node_below(*major, path, facts),
        Question::DependencyBelow { package, version } => dependency_below(package, *version, path, facts),
        Question::DependencyAtLeast { package, version } => dependency_at_least(package, *version, path, facts),
        Question::RustAtLeast { minor } => rust_at_least(*minor, path, facts),
        // The join answers this over all files at once.
        Question::CalledFromHandler(_)
        | Question::CalledPerRequest(_)
        | Question::NotOnlyAtStart(_)
        | Question::CallersLeaveUnbounded { .. }
        | Question::NoneSets(_)
        | Question::NoTimeoutLayer => Answer::Unknown,
        Question::OnServer => on_server(path, facts),
        Question::NotCommandLine => not_command_line(path, facts),
        Question::NotInTool(library) => not_in_tool(library, path, facts),
        Question::InService => in_service(path, facts),
        Question::NotInCommandLineProgram => not_in_command_line_program(path, facts),
        Question::Feature { package, feature } => feature_enabled(package, feature, path, facts),
    }
}

/// The value of the constant that `name`, written in the file at `from`, stands for.
pub fn resolve_constant(from: &str, name: &NameRef, facts: &Facts, exports: &dyn Exports) -> Resolved {
    match lookup::find(from, name, facts, exports) {
        Found::Constant(value, path, span) => Resolved::Value(value.clone(), path, span),
        Found::Default(value, path, span) => Resolved::Default(value.clone(), path, span),
        Found::NeedFiles(files) => Resolved::NeedFiles(files.into_iter().collect()),
        Found::Function(..) | Found::Client(..) | Found::Gives(..) | Found::Package(_) | Found::Unknown => {
            Resolved::Unknown
        }
    }
}

/// What is asked of a function beyond that it only reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Nothing.
    Nothing,
    /// That it waits for something.
    Waits,
    /// The same, on a connection that it brings.
    OnItsOwn,
    /// That it waits for another service.
    Service,
}

/// A written or unknown effect anywhere below makes the whole one so.
fn reads(name: &NameRef, asked: Asked, path: &str, facts: &Facts, exports: &dyn Exports) -> Answer {
    let waits = asked != Asked::Nothing;
    let shown = name.members.last().unwrap_or(&name.name).as_str();
    // A client of a package may be known by its name; its functions are not.
    if waits
        && name.members.is_empty()
        && let Found::Package(package) = lookup::find(path, name, facts, exports)
    {
        return Answer::No(Step::new("effect-of-a-package").with("name", shown).with("package", package));
    }
    let total = match lookup::effects(path, name, facts, exports) {
        Ok(total) => total,
        Err(files) if files.is_empty() => return Answer::Unknown,
        Err(files) => return Answer::NeedFiles(files.into_iter().collect()),
    };
    let (file, span) = total.place;
    let step = |key: &'static str| Step::at(key, span).in_file(file.clone()).with("name", shown);
    // A write that is already seen stays one whatever the other files say.
    if total.effect == Effect::Write {
        return Answer::No(step("effect-writes"));
    }
    if waits && !total.waits {
        return Answer::No(step("effect-waits-for-nothing"));
    }
    if total.uses_transaction {
        return Answer::No(step("effect-in-transaction"));
    }
    if asked == Asked::OnItsOwn && total.handed {
        return Answer::No(step("effect-handed-in"));
    }
    if !total.needed.is_empty() {
        return Answer::NeedFiles(total.needed.into_iter().collect());
    }
    match (total.effect, total.io) {
        // It is seen to wait; what for, only its name says.
        (Effect::Unknown, io) if asked == Asked::Waits && total.awaits && says_read(shown, io, total.handed) => {
            Answer::Likely(step("reads-as-named"))
        }
        (Effect::Unknown, _) => Answer::Unknown,
        (_, Io::Unseen) if waits => Answer::Unknown,
        (_, Io::None) if waits => Answer::No(step("effect-waits-for-nothing")),
        (_, Io::None | Io::Unseen) => Answer::Yes(step("effect-computes")),
        (_, io) if asked == Asked::Service && io != Io::Http => {
            Answer::No(step("effect-no-service").with("io", io_word(io)))
        }
        (_, io) if waits && total.passes => Answer::Likely(step("reads-in-branch").with("io", io_word(io))),
        (_, io) => Answer::Yes(step("effect-reads").with("io", io_word(io))),
    }
}

/// Crates whose clients hold a pool of connections.
const HTTP_CLIENTS: &[&str] = &["reqwest", "reqwest_middleware", "awc", "surf", "isahc"];

fn is_http_client(name: &NameRef, path: &str, facts: &Facts, exports: &dyn Exports) -> Answer {
    let shown = name.members.last().unwrap_or(&name.name).as_str();
    match lookup::find(path, name, facts, exports) {
        Found::Package(package) if HTTP_CLIENTS.contains(&package.as_str()) || package.starts_with("aws_sdk_") => {
            Answer::Yes(Step::new("client-of-a-package").with("name", shown).with("package", package))
        }
        Found::Package(package) => {
            Answer::No(Step::new("effect-of-a-package").with("name", shown).with("package", package))
        }
        Found::NeedFiles(files) => Answer::NeedFiles(files.into_iter().collect()),
        Found::Function(..)
        | Found::Constant(..)
        | Found::Default(..)
        | Found::Client(..)
        | Found::Gives(..)
        | Found::Unknown => Answer::Unknown,
    }
}

fn makes_client(name: &NameRef, path: &str, facts: &Facts, exports: &dyn Exports) -> Answer {
    match lookup::find(path, name, facts, exports) {
        Found::Client(file, library, span) => {
            let shown = std::iter::once(&name.name).chain(&name.members).cloned().collect::<Vec<_>>().join("::");
            let step = Step::at("client-made-by", span).in_file(file);
            Answer::Yes(step.with("name", shown.trim_end_matches("()").trim_end_matches("(_)")).with("client", library))
        }
        Found::NeedFiles(files) => Answer::NeedFiles(files.into_iter().collect()),
        _ => Answer::Unknown,
    }
}

fn gives(name: &NameRef, wanted: Gift, path: &str, facts: &Facts, exports: &dyn Exports) -> Answer {
    match lookup::find(path, name, facts, exports) {
        Found::Gives(file, gift, span) if gift == wanted => {
            let shown = name.members.last().unwrap_or(&name.name).trim_end_matches("()");
            let step = |key| Step::at(key, span).in_file(file).with("name", shown);
            Answer::Yes(match gift {
                Gift::Timer => step("timer-left-by"),
                Gift::Base64 => step("only-encodes-in").with("encoding", "base64"),
                Gift::Hex => step("only-encodes-in").with("encoding", "hex"),
                Gift::Bounded => step("bounds-requests").with("name", name.name.as_str()),
                Gift::Unbounded => step("sends-unbounded").with("name", name.name.as_str()),
            })
        }
        // Of both, one is so.
        Found::Gives(file, Gift::Bounded, span) if wanted == Gift::Unbounded => {
            Answer::No(Step::at("bounds-requests", span).in_file(file).with("name", name.name.as_str()))
        }
        Found::NeedFiles(files) => Answer::NeedFiles(files.into_iter().collect()),
        _ => Answer::Unknown,
    }
}

/// True for names that ask for something that lies elsewhere; `get` may as well
/// compute, save where the function is seen to ask another process.
fn says_read(name: &str, io: Io, handed: bool) -> bool {
    const VERBS: &[&str] =
        &["fetch", "find", "load", "list", "count", "query", "search", "retrieve", "select", "lookup"];
    let asks = names::pieces(name).next().is_some_and(|verb| VERBS.contains(&verb));
    let gets = io == Io::Database && !handed && names::effect_of(name) == Effect::Read;
    (asks || gets) && !names::is_trap(name)
}

fn gives_promise(name: &NameRef, path: &str, facts: &Facts, exports: &dyn Exports) -> Answer {
    let shown = name.members.last().unwrap_or(&name.name).as_str();
    match lookup::find(path, name, facts, exports) {
        Found::Function(file, summary) if summary.is_async => {
            Answer::Yes(Step::at("gives-promise", summary.span).in_file(file).with("name", shown))
        }
        Found::NeedFiles(files) => Answer::NeedFiles(files.into_iter().collect()),
        Found::Function(..)
        | Found::Constant(..)
        | Found::Default(..)
        | Found::Client(..)
        | Found::Gives(..)
        | Found::Package(_)
        | Found::Unknown => Answer::No(Step::new("may-throw-first").with("name", shown)),
    }
}

fn io_word(io: Io) -> &'static str {
    match io {
        Io::None | Io::Unseen => "nothing",
        Io::File => "a file",
        Io::Database => "a database",
        Io::Http => "another service",
    }
}

fn node_below(wanted: u32, path: &str, facts: &Facts) -> Answer {
    let (major, tier, file, span, text, library) = match facts.node_floor(path) {
        Floor::Known { major, tier, path, span, text, library } => (major, tier, path, span, text, library),
        Floor::Silent { path } => {
            return Answer::Possible(Step::new("node-floor-silent").with("package", path).with("wanted", wanted));
        }
        Floor::NoPackage => return Answer::Likely(Step::new("node-floor-no-package").with("wanted", wanted)),
    };
    let step = |key: &'static str| {
        let step = Step::at(key, span).in_file(file.clone());
        step.with("major", major).with("wanted", wanted).with("text", text.as_str()).with("place", file.as_str())
    };
    if major >= wanted {
        return Answer::No(step("node-floor-above"));
    }
    match tier {
        // No later version may run it, whatever is deployed.
        Tier::Engines if highest_major(&text).is_some_and(|highest| highest < wanted) => {
            Answer::Yes(step(if major == 0 { "node-engines-only-below" } else { "node-engines-end-below" }))
        }
        // A range that only ends, and not below: it says no lowest version.
        Tier::Engines if major == 0 => {
            Answer::Possible(Step::new("node-floor-silent").with("package", file.as_str()).with("wanted", wanted))
        }
        _ if library => Answer::Possible(step("node-floor-of-a-library")),
        Tier::Engines => Answer::Likely(step("node-floor-engines")),
        Tier::Deployed => Answer::Yes(step("node-floor-deployed")),
        Tier::Pinned => Answer::Yes(step("node-floor-pinned")),
    }
}

fn dependency_below(package: &str, version: (u32, u32), path: &str, facts: &Facts) -> Answer {
    let Some(installed) = facts.dependency_version(path, package) else { return Answer::Unknown };
    let step = |key: &'static str| {
        let step = Step::new(key).with("package", package).with("version", installed.version.to_string());
        step.with("wanted", format!("{}.{}", version.0, version.1)).with("place", installed.path.as_str())
    };
    match (installed.version.is_below(version), installed.locked) {
        (true, true) => Answer::Yes(step("dependency-locked")),
        (true, false) => Answer::Likely(step("dependency-lowest-of-range")),
        (false, _) => Answer::No(step("dependency-above")),
    }
}

fn dependency_at_least(package: &str, version: (u32, u32), path: &str, facts: &Facts) -> Answer {
    let Some(installed) = facts.dependency_version(path, package) else { return Answer::Unknown };
    let wanted = format!("{}.{}", version.0, version.1);
    let step = |key: &'static str| {
        let step = Step::new(key).with("package", package).with("version", installed.version.to_string());
        step.with("wanted", wanted.as_str()).with("place", installed.path.as_str())
    };
    match installed.version.is_below(version) {
        true => Answer::No(step("dependency-too-old")),
        false => Answer::Yes(step("dependency-new-enough")),
    }
}

fn rust_at_least(minor: u32, path: &str, facts: &Facts) -> Answer {
    let Some(version) = facts.crates.info(path).and_then(|info| info.rust_version) else { return Answer::Unknown };
    let step = |key: &'static str| Step::new(key).with("version", version.to_string()).with("minor", minor);
    if version.is_below((1, minor)) { Answer::No(step("rust-too-old")) } else { Answer::Yes(step("rust-new-enough")) }
}

fn in_service(path: &str, facts: &Facts) -> Answer {
    if family(path) == Family::Rust {
        let Some(info) = facts.crates.info(path) else { return Answer::Unknown };
        let named = |key: &'static str| Step::new(key).with("package", info.name.as_str());
        return match (info.role, &info.decided_by) {
            (Role::Service, by) => Answer::Yes(named("crate-service").with("by", by.as_deref().unwrap_or("a server"))),
            (Role::Cli, _) => Answer::No(named("crate-command-line")),
            (Role::Library, _) => match facts.crates.service_above(&info) {
                Some(service) => Answer::Yes(named("package-of-service").with("by", service)),
                None => Answer::No(named("crate-library")),
            },
        };
    }
    let Some(package) = facts.packages.nearest(path) else { return Answer::Unknown };
    let named = |key: &'static str| Step::new(key).with("package", package.name.as_deref().unwrap_or("this package"));
    if package.is_command() || package.is_tool() {
        return Answer::No(for_one_user(&package));
    }
    if package.is_library() {
        return Answer::No(named("package-library"));
    }
    match package.server() {
        Some(server) => Answer::Yes(named("package-service").with("by", server)),
        None => match service_above(&package, facts) {
            Some(service) => Answer::Yes(named("package-of-service").with("by", service)),
            None => Answer::Unknown,
        },
    }
}

/// The service of the tree that needs a private package to run, through as few
/// packages as there are between them.
fn service_above(package: &Package, facts: &Facts) -> Option<String> {
    /// An app, its features, its database: more lie seldom between.
    const LEVELS: usize = 3;
    if package.draws() {
        return None;
    }
    let mut names: Vec<String> = package.name.iter().cloned().collect();
    let mut seen: BTreeSet<String> = names.iter().cloned().collect();
    for _ in 0..LEVELS {
        let above: Vec<_> = names.iter().flat_map(|name| facts.packages.dependents(name)).collect();
        let serves = |package: &&Arc<Package>| package.server().is_some() && !package.draws() && !package.is_tool();
        if let Some(service) = above.iter().find(serves) {
            return service.name.clone();
        }
        names =
            above.iter().filter_map(|package| package.name.clone()).filter(|name| seen.insert(name.clone())).collect();
    }
    None
}

/// A tool, or a package that installs a command and accepts no requests.
fn not_command_line(path: &str, facts: &Facts) -> Answer {
    match facts.packages.nearest(path) {
        Some(package) if package.is_tool() || package.has_bin && package.server().is_none() => {
            Answer::No(for_one_user(&package))
        }
        _ => Answer::Unknown,
    }
}

/// A package whose code somebody starts, and waits for alone.
fn for_one_user(package: &Package) -> Step {
    match package.has_bin {
        true => Step::new("package-command-line").with("package", package.name.as_deref().unwrap_or("this package")),
        false => tool(package),
    }
}

fn tool(package: &Package) -> Step {
    Step::new("package-tool").with("package", package.name.as_deref().unwrap_or("this package"))
}

fn not_in_tool(library: &str, path: &str, facts: &Facts) -> Answer {
    match facts.packages.nearest(path) {
        Some(package) if package.is_library() && package.dev_only.contains(library) => {
            Answer::No(Step::new("package-develops-with").with("package", library))
        }
        Some(package) if package.is_tool() => Answer::No(tool(&package)),
        Some(package) if package.is_at_edge() => {
            Answer::No(Step::new("package-at-edge").with("package", package.name.as_deref().unwrap_or("this package")))
        }
        _ => Answer::Unknown,
    }
}

fn on_server(path: &str, facts: &Facts) -> Answer {
    let Some(package) = facts.packages.nearest(path) else { return Answer::Unknown };
    if package.is_command() || package.draws() {
        return Answer::Unknown;
    }
    match in_service(path, facts) {
        Answer::Yes(step) => Answer::Yes(step),
        // A library that needs a server's framework to run, runs in one.
        _ => match package.server().filter(|_| !package.is_tool()) {
            Some(server) => {
                let name = package.name.as_deref().unwrap_or("this package");
                Answer::Yes(Step::new("package-for-servers").with("package", name).with("by", server))
            }
            None => Answer::Unknown,
        },
    }
}

fn not_in_command_line_program(path: &str, facts: &Facts) -> Answer {
    if !facts.is_command(path) {
        return Answer::Yes(Step::new("not-command-line"));
    }
    let crate_name = || facts.crates.info(path).map(|info| info.name.clone());
    let package_name = || facts.packages.nearest(path).and_then(|package| package.name.clone());
    let (key, name) = match family(path) {
        Family::Rust => ("crate-command-line", crate_name()),
        Family::TypeScript => ("package-command-line", package_name()),
    };
    Answer::No(Step::new(key).with("package", name.unwrap_or_else(|| "this package".to_owned())))
}

fn feature_enabled(package: &str, feature: &str, path: &str, facts: &Facts) -> Answer {
    let step = |key: &'static str| Step::new(key).with("package", package).with("feature", feature);
    if feature.is_empty() {
        let found = facts.depends_on(path, package);
        return if found {
            Answer::Yes(step("dependency-declared"))
        } else {
            Answer::No(step("dependency-undeclared"))
        };
    }
    match facts.crates.feature(path, package, feature) {
        Some(true) => Answer::Yes(step("feature-enabled")),
        Some(false) => Answer::No(step("feature-disabled")),
        None => Answer::Unknown,
    }
}

fn family(path: &str) -> Family {
    Language::of_path(path).map_or(Family::TypeScript, Language::family)
}

#[cfg(test)]
#[path = "needs_tests.rs"]
mod tests;
