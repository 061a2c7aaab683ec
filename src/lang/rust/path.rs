//! What a path stands for: `use` trees by module and block, renames, aliases.

use super::Model;
use super::node::{Kind, NodeId};
use crate::observe::NameRef;

impl Model<'_> {
    /// A path as its defining crate names it, from where it is written:
    /// `thread::sleep` under `use std::thread` gives `std::thread::sleep`.
    /// Paths into the same crate begin with `crate`, `super` or `self`. `None` where the name may
    /// come from a glob, the prelude or a local.
    pub fn resolve(&self, at: NodeId, path: &[String]) -> Option<Vec<String>> {
        /// An alias of an alias of an alias; the bound only stops a cycle.
        const HOPS: usize = 4;
        let mut path = path.to_vec();
        let mut from = at;
        for _ in 0..HOPS {
            match self.step(from, &path)? {
                Step::Done(path) => return Some(path),
                Step::Again(next, scope) => {
                    path = next;
                    from = scope;
                }
            }
        }
        None
    }

    fn step(&self, at: NodeId, path: &[String]) -> Option<Step> {
        let first = path.first()?;
        if is_own(first) {
            return Some(Step::Done(path.to_vec()));
        }
        let rest = &path[1..];
        let mut outer_modules_too = false;
        let mut uses_glob = false;
        let own = std::iter::once(at).filter(|at| self.tree.scopes.contains_key(at));
        for node in own.chain(self.tree.ancestors(at)) {
            let is_module = matches!(self.tree.kind(node), Kind::File | Kind::Module(_));
            if let Some(scope) = self.tree.scopes.get(&node) {
                if let Some(target) = scope.uses.get(first) {
                    let mut full = target.clone();
                    full.extend_from_slice(rest);
                    if target.first() == Some(first) || is_known_root(&full[0]) {
                        return Some(Step::Done(full));
                    }
                    return Some(Step::Again(full, node));
                }
                if scope.items.contains(first) {
                    return Some(Step::Done(in_module(path)));
                }
                outer_modules_too = scope.globs.iter().any(|g| g.len() == 1 && g[0] == "super");
                uses_glob |= scope.globs.iter().any(|g| g.first().is_some_and(|s| s != "super"));
            }
            if is_module && !outer_modules_too {
                break;
            }
        }
        // What is left is a crate's name, or something that a glob brought.
        let is_crate = first.starts_with(|c: char| c.is_ascii_lowercase());
        if !rest.is_empty() && is_crate && (!uses_glob || is_known_root(first)) {
            return Some(Step::Done(path.to_vec()));
        }
        None
    }

    /// The resolved path of an expression that is a path.
    pub fn resolved(&self, node: NodeId) -> Option<Vec<String>> {
        match self.tree.kind(node) {
            Kind::Path(path) => self.resolve(node, path),
            _ => None,
        }
    }

    /// True where an expression is a path that stands for `wanted`
    /// (`"std::thread::sleep"`).
    pub fn is_path(&self, node: NodeId, wanted: &str) -> bool {
        // The last segment is compared first: resolving walks scopes.
        let Kind::Path(path) = self.tree.kind(node) else { return false };
        let leaf = wanted.rsplit("::").next().unwrap_or(wanted);
        let renamed = || self.tree.scopes.values().any(|s| path.first().is_some_and(|f| s.uses.contains_key(f)));
        if path.last().map(String::as_str) != Some(leaf) && !renamed() {
            return false;
        }
        self.resolve(node, path).is_some_and(|full| equals(&full, wanted))
    }

    /// The callee of a call as a resolved path.
    pub fn callee(&self, call: NodeId) -> Option<Vec<String>> {
        match self.tree.kind(call) {
            Kind::Call { callee, .. } => self.resolved(*callee).or_else(|| self.brought_by_glob(*callee)),
            _ => None,
        }
    }

    /// A called name that is nothing of this file, where a glob brings in what
    /// another module of the same crate holds (`use super::common::*`): it is
    /// looked for there as what this file hands on.
    fn brought_by_glob(&self, callee: NodeId) -> Option<Vec<String>> {
        let Kind::Path(path) = self.tree.kind(callee) else { return None };
        let first = path.first()?;
        let named = match path.as_slice() {
            // Prelude and foreign globs bring types and macros, seldom functions.
            [name] => name.starts_with(|c: char| c.is_ascii_lowercase()) && self.local(callee, name).is_none(),
            [owner, _] => owner.starts_with(|c: char| c.is_ascii_uppercase()) && owner != "Self",
            _ => false,
        };
        let file = self.tree.scopes.get(&NodeId::ROOT)?;
        let inner = self.module_of(callee) != NodeId::ROOT;
        let own = |path: &Vec<String>| path.first().is_some_and(|first| is_own(first));
        let brings = !inner && file.globs.iter().any(own) && !file.items.contains(first);
        (named && brings).then(|| in_module(path))
    }

    /// True where the file names a crate in a `use` or a path.
    pub fn names_crate(&self, name: &str) -> bool {
        self.names_crate_once(name, || {
            let used = self.tree.scopes.values().any(|scope| {
                let paths = scope.uses.values().chain(&scope.globs);
                paths.into_iter().any(|path| path.first().is_some_and(|first| first == name))
            });
            used || self.source.text.contains(&format!("{name}::"))
        })
    }
}

enum Step {
    Done(Vec<String>),
    Again(Vec<String>, NodeId),
}

/// Names that no local module is expected to take.
fn is_known_root(name: &str) -> bool {
    const ROOTS: &[&str] = &[
        "std",
        "core",
        "tokio",
        "reqwest",
        "ureq",
        "awc",
        "hyper",
        "axum",
        "actix_web",
        "sqlx",
        "sea_orm",
        "diesel",
        "redis",
        "mongodb",
        "futures",
        "tonic",
    ];
    ROOTS.contains(&name)
}

/// True for the first segment of a path into the same crate.
pub fn is_own(first: &str) -> bool {
    matches!(first, "crate" | "self" | "super" | "Self")
}

/// True for the first segment of a path that never leads into a scanned file.
pub fn is_foreign(first: &str) -> bool {
    matches!(first, "std" | "core" | "alloc") || is_known_root(first)
}

fn in_module(path: &[String]) -> Vec<String> {
    let mut full = vec!["self".to_owned()];
    full.extend_from_slice(path);
    full
}

/// The function that a resolved path names, for the join to find in its file:
/// `users::User::find` is `find` of the type `User`. `None` for a type, and for
/// crates that are never among the scanned.
pub fn reference(path: &[String]) -> Option<NameRef> {
    let (leaf, module) = path.split_last()?;
    let (first, _) = module.split_first()?;
    let is_type = |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase());
    if is_type(leaf) || first == "Self" || is_known_root(first) && first != "core" {
        return None;
    }
    Some(match module.split_last() {
        Some((owner, module)) if is_type(owner) => {
            NameRef { module: module.join("::"), name: owner.clone(), members: vec![leaf.clone()] }
        }
        _ => NameRef { module: module.join("::"), name: leaf.clone(), members: Vec::new() },
    })
}

/// True where a resolved path equals one written with `::`.
pub fn equals(path: &[String], wanted: &str) -> bool {
    path.iter().map(String::as_str).eq(wanted.split("::"))
}

/// True where a resolved path begins with one written with `::`.
pub fn starts_with(path: &[String], wanted: &str) -> bool {
    let mut segments = path.iter().map(String::as_str);
    wanted.split("::").all(|segment| segments.next() == Some(segment))
}
