//! The lowest Node version that a package runs on.
//!
//! What is deployed says it best (a Dockerfile's image, a Lambda runtime),
//! then what developers pin, then what `engines` admits. The first kind that
//! is present wins, the nearest folder of it, and there the lowest version.

use std::sync::Arc;

use super::version::{highest_major, lowest};
use super::{Memo, Packages, paths};
use crate::source::{PathClass, Span};
use crate::tree::Tree;

/// What kind of file a floor was read from; the first kind present wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tier {
    /// What is deployed: a Dockerfile's image or a Lambda runtime.
    Deployed,
    /// What developers use: .nvmrc, .node-version, volta.
    Pinned,
    /// What `engines` admits.
    Engines,
}

/// The lowest Node version of a package, and where it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Floor {
    /// Known from a file.
    Known {
        /// Lowest major version; 0 of a range that only ends.
        major: u32,
        /// The kind of file.
        tier: Tier,
        /// The file.
        path: String,
        /// The words in it.
        span: Span,
        /// The words themselves (`node:18-alpine`, `>=16`).
        text: String,
        /// True where the package is published and the file is not its own
        /// statement of what it is deployed on, so that others choose.
        library: bool,
    },
    /// There is a package.json, and nothing says the version.
    Silent {
        /// The nearest package.json.
        path: String,
    },
    /// There is no package.json.
    NoPackage,
}

/// Words like `lts/*`, `node:lts` or `latest` move on with time. They stand
/// for at least this major version, the oldest one under maintenance as of
/// 2026 (nodejs.org release schedule).
const FLOATING: u32 = 22;

/// Code names of long-term releases (nodejs.org release schedule).
const CODE_NAMES: &[(&str, u32)] = &[
    ("argon", 4),
    ("boron", 6),
    ("carbon", 8),
    ("dubnium", 10),
    ("erbium", 12),
    ("fermium", 14),
    ("gallium", 16),
    ("hydrogen", 18),
    ("iron", 20),
    ("jod", 22),
    ("krypton", 24),
];

/// A version seen in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seen {
    major: u32,
    path: String,
    span: Span,
    text: String,
}

/// Node floors by package.
pub struct NodeFloor {
    tree: Arc<dyn Tree>,
    packages: Arc<Packages>,
    manifests: Arc<Vec<String>>,
    floors: Memo<String, Floor>,
    deployed: Memo<String, Option<Seen>>,
    pinned: Memo<String, Option<Seen>>,
}

impl NodeFloor {
    /// Floors of the packages of `tree`; `manifests` may name Dockerfiles.
    pub fn new(tree: Arc<dyn Tree>, packages: Arc<Packages>, manifests: Arc<Vec<String>>) -> Self {
        let (floors, deployed, pinned) = (Memo::default(), Memo::default(), Memo::default());
        Self { tree, packages, manifests, floors, deployed, pinned }
    }

    /// The floor for code at `path`.
    pub fn floor(&self, path: &str) -> Floor {
        let package = self.packages.nearest(path);
        let start = package.as_ref().map_or_else(|| paths::folder(path), |p| &p.folder);
        self.floors.get(start, || {
            let library = package.as_ref().is_some_and(|p| p.is_library());
            let known = |seen: Seen, tier| {
                let own = paths::below(&seen.path, start).is_some() && tier == Tier::Deployed;
                let Seen { major, path, span, text } = seen;
                Floor::Known { major, tier, path, span, text, library: library && !own }
            };
            let in_tier = |find: &dyn Fn(&str) -> Option<Seen>| paths::upwards(start).find_map(find);
            if let Some(seen) = in_tier(&|folder| self.deployed_at(folder)) {
                return known(seen, Tier::Deployed);
            }
            if let Some(seen) = in_tier(&|folder| self.pinned_at(folder)) {
                return known(seen, Tier::Pinned);
            }
            if let Some(seen) = in_tier(&|folder| self.engines_at(folder)) {
                return known(seen, Tier::Engines);
            }
            package.as_ref().map_or(Floor::NoPackage, |p| Floor::Silent { path: p.path() })
        })
    }

    fn deployed_at(&self, folder: &str) -> Option<Seen> {
        self.deployed.get(folder, || {
            let mut seen = Vec::new();
            for path in self.dockerfiles_of(folder) {
                if let Some(text) = self.tree.read_text(&path) {
                    seen.extend(of_dockerfile(&path, &text));
                }
            }
            for name in ["serverless.yml", "serverless.yaml", "template.yaml", "template.yml"] {
                let path = paths::child(folder, name);
                if let Some(text) = self.tree.read_text(&path) {
                    seen.extend(of_lambda(&path, &text));
                }
            }
            seen.into_iter().min_by(|a, b| (a.major, &a.path, a.span).cmp(&(b.major, &b.path, b.span)))
        })
    }

    /// Dockerfiles beside a package.json or one folder below, as far as that
    /// folder is no other package's, a test's or an editor's.
    fn dockerfiles_of(&self, folder: &str) -> Vec<String> {
        let mut found: Vec<String> = ["Dockerfile", "Containerfile", "Dockerfile.prod", "docker/Dockerfile"]
            .iter()
            .map(|name| paths::child(folder, name))
            .collect();
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let from = self.manifests.partition_point(|path| path.as_str() < prefix.as_str());
        for path in self.manifests[from..].iter().take_while(|path| path.starts_with(&prefix)) {
            let rest = &path[prefix.len()..];
            let near = rest.matches('/').count() <= 1 && !rest.starts_with(".devcontainer/");
            let own = || paths::folder(path) == folder || self.packages.at(paths::folder(path)).is_none();
            if near && is_dockerfile(paths::name(path)) && PathClass::of_path(rest) == PathClass::Product && own() {
                found.push(path.clone());
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn pinned_at(&self, folder: &str) -> Option<Seen> {
        self.pinned.get(folder, || {
            let files = [".nvmrc", ".node-version"].into_iter().filter_map(|name| {
                let path = paths::child(folder, name);
                let text = self.tree.read_text(&path)?;
                let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
                let line = line.split(" #").next().unwrap_or(line).trim_end();
                seen_at(&path, &text, line, major_of_word(line)?)
            });
            files.chain(self.volta(folder, folder)).min_by_key(|seen| seen.major)
        })
    }

    /// `volta.node`, or that of the package.json which `volta.extends` names.
    fn volta(&self, folder: &str, start: &str) -> Option<Seen> {
        let package = self.packages.at(folder)?;
        if let Some(word) = &package.volta_node {
            let text = self.tree.read_text(&package.path())?;
            return seen_in_json(&package.path(), &text, "volta", word, major_of_word(word)?);
        }
        let next = paths::join(folder, package.volta_extends.as_deref()?)?;
        let next = next.strip_suffix("package.json").unwrap_or(&next).trim_end_matches('/');
        // Configurations that extend each other would go round for ever; one
        // that lies deeper than where it began is none that is usual.
        let upward = next.len() < folder.len() || folder == start && next != start;
        if upward { self.volta(next, start) } else { None }
    }

    fn engines_at(&self, folder: &str) -> Option<Seen> {
        let package = self.packages.at(folder)?;
        let range = package.engines_node.as_deref()?;
        // `<=18` begins nowhere, and ends.
        let begins_nowhere = || highest_major(range).map(|_| 0);
        let major = lowest(range).map(|version| version.major).or_else(begins_nowhere)?;
        let text = self.tree.read_text(&package.path())?;
        seen_in_json(&package.path(), &text, "engines", range, major)
    }
}

fn seen_at(path: &str, text: &str, word: &str, major: u32) -> Option<Seen> {
    let at = text.find(word)? as u32;
    let span = Span::new(at, at + word.len() as u32);
    Some(Seen { major, path: path.to_owned(), span, text: word.to_owned() })
}

/// The place of `"node": "<word>"` in the object `table`.
fn seen_in_json(path: &str, text: &str, table: &str, word: &str, major: u32) -> Option<Seen> {
    let quoted = format!("\"{table}\"");
    let within = text.find(&quoted).unwrap_or(0);
    let key = within + text[within..].find("\"node\"").unwrap_or(0);
    let at = text[key..].find(word).map_or(key, |at| key + at) as u32;
    let span = Span::new(at, (at + word.len() as u32).min(text.len() as u32));
    Some(Seen { major, path: path.to_owned(), span, text: word.to_owned() })
}

/// `18`, `v18.17.0`, `18.x`, `lts/hydrogen`, `lts/*`, `node`.
fn major_of_word(word: &str) -> Option<u32> {
    let word = word.trim().to_ascii_lowercase();
    let bare = word.strip_prefix("lts/").or_else(|| word.strip_prefix("lts-")).unwrap_or(&word);
    if let Some((_, major)) = CODE_NAMES.iter().find(|(name, _)| *name == bare) {
        return Some(*major);
    }
    if matches!(bare, "*" | "lts" | "node" | "stable" | "latest" | "current") {
        return Some(FLOATING);
    }
    let digits = bare.trim_start_matches('v');
    let digits = &digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())];
    digits.parse().ok()
}

/// True for `Dockerfile`, `Dockerfile.api`, `api.Dockerfile` and `Containerfile`.
pub fn is_dockerfile(name: &str) -> bool {
    let plain = name == "Dockerfile" || name == "Containerfile";
    plain || name.starts_with("Dockerfile.") && !name.ends_with("ignore") || name.ends_with(".Dockerfile")
}

/// The Node version of the image that a Dockerfile ends in: its last stage is
/// what runs, earlier ones only build.
fn of_dockerfile(path: &str, text: &str) -> Option<Seen> {
    struct Stage {
        image: String,
        name: String,
        span: Span,
    }
    let mut arguments: Vec<(String, String)> = Vec::new();
    let mut stages: Vec<Stage> = Vec::new();
    let mut at = 0usize;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let mut words = line.split_whitespace();
        let instruction = words.next().unwrap_or("").to_ascii_uppercase();
        if instruction == "ARG" && stages.is_empty() {
            for (name, value) in words.filter_map(|word| word.split_once('=')) {
                let value = substitute(value.trim_matches(['"', '\'']), &arguments);
                arguments.push((name.to_owned(), value));
            }
        } else if instruction == "FROM" {
            let mut words = words.filter(|word| !word.starts_with("--"));
            let Some(written) = words.next() else { continue };
            let name = words.nth(1).unwrap_or("").to_owned();
            let from = (start + line.find(written).unwrap_or(0)) as u32;
            let span = Span::new(from, from + written.len() as u32);
            stages.push(Stage { image: substitute(written.trim_matches('"'), &arguments), name, span });
        }
    }
    let mut stage = stages.last()?;
    // A stage can only build on an earlier one, so this ends.
    for earlier in stages.iter().rev().skip(1) {
        if !earlier.name.is_empty() && earlier.name.eq_ignore_ascii_case(&stage.image) {
            stage = earlier;
        }
    }
    let major = major_of_image(&stage.image)?;
    Some(Seen { major, path: path.to_owned(), span: stage.span, text: stage.image.clone() })
}

/// `$NAME`, `${NAME}` and `${NAME:-default}` by the defaults of earlier ARGs.
fn substitute(word: &str, arguments: &[(String, String)]) -> String {
    let value = |name: &str| arguments.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let mut out = String::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(inner) = rest.strip_prefix('{') {
            let Some((inside, after)) = inner.split_once('}') else { break };
            let (name, default) = inside.split_once(":-").unwrap_or((inside, ""));
            out.push_str(value(name).unwrap_or(default));
            rest = after;
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            out.push_str(value(&rest[..end]).unwrap_or(""));
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    out
}

/// `node:18-alpine`, `public.ecr.aws/lambda/nodejs:18`,
/// `gcr.io/distroless/nodejs20-debian12`; `None` for other images.
fn major_of_image(image: &str) -> Option<u32> {
    let (image, digest) = image.split_once('@').map_or((image, false), |(image, _)| (image, true));
    let last = image.rsplit('/').next()?;
    let (name, tag) = last.split_once(':').map_or((last, None), |(name, tag)| (name, Some(tag)));
    if let Some(version) = name.strip_prefix("nodejs").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return major_of_word(version);
    }
    if !matches!(name, "node" | "nodejs") {
        return None;
    }
    let Some(tag) = tag else {
        // A bare digest says nothing that can be read.
        return if digest { None } else { Some(FLOATING) };
    };
    if tag.is_empty() {
        return None;
    }
    let first = tag.split('-').next().unwrap_or(tag);
    let system = ["alpine", "slim", "bookworm", "bullseye", "buster", "trixie"].iter().any(|s| first.starts_with(s));
    if system { Some(FLOATING) } else { major_of_word(first) }
}

/// `runtime: nodejs18.x` of the serverless framework, `Runtime:` of SAM.
fn of_lambda(path: &str, text: &str) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut at = 0usize;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let bare = line.trim_start().trim_start_matches("- ");
        let Some(value) = bare.strip_prefix("runtime:").or_else(|| bare.strip_prefix("Runtime:")) else { continue };
        let value = value.split('#').next().unwrap_or(value).trim().trim_matches(['\'', '"']);
        let Some(major) = value.strip_prefix("nodejs").and_then(major_of_word) else { continue };
        let from = (start + line.find(value).unwrap_or(0)) as u32;
        let span = Span::new(from, from + value.len() as u32);
        seen.push(Seen { major, path: path.to_owned(), span, text: value.to_owned() });
    }
    seen
}

#[cfg(test)]
#[path = "node_tests.rs"]
mod tests;
