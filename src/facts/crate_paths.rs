//! The file of a Rust module path.
//!
//! `mod` lines, `#[path]` and `include!` are not read: a path leads where the
//! usual layout puts its module, as far as files go; what is left of it are
//! items of the last file, which the join looks up there.

use super::{Crates, paths};
use crate::tree::{Kind, Tree};

/// A module: its file, and the folder of its submodules.
#[derive(Clone)]
struct Module {
    file: Option<String>,
    folder: String,
}

/// The file of the module path `segments`, written in the file `from`.
pub fn resolve(crates: &Crates, from: &str, segments: &[&str]) -> Option<String> {
    if segments == ["self"] {
        return Some(from.to_owned());
    }
    let info = crates.info(from)?;
    let here = module_of(&info.roots, from);
    let (first, rest) = segments.split_first()?;
    let starts: Vec<Module> = match *first {
        "crate" | "$crate" => roots_for(&info.roots, from),
        "self" => vec![here],
        "super" => vec![above(crates.tree(), &info.roots, &here)?],
        name => {
            let name = name.strip_prefix("r#").unwrap_or(name);
            // A module beside the code comes before a crate of that name.
            if let Some(inner) = child(crates.tree(), &here, name) {
                vec![inner]
            } else {
                let dependency = info.dependencies.get(name);
                let by_path = dependency.and_then(|d| d.folder.clone());
                let named = dependency.map_or(name.to_owned(), |d| d.package.replace('-', "_"));
                // Only what is declared is meant, or the crate's own library.
                let own = info.name.replace('-', "_") == name;
                let member = || crates.members(&info.workspace).get(&named).cloned();
                let folder =
                    if own { Some(info.folder.clone()) } else { by_path.or_else(|| dependency.and_then(|_| member())) };
                let other = crates.at(&folder?)?;
                other.roots.first().map(|root| root_module(root)).into_iter().collect()
            }
        }
    };
    // The path that leads through more files is the one that is meant: a
    // library and a program beside it have trees of their own.
    let reached = starts.into_iter().filter_map(|start| descend(crates, &info.roots, start, rest));
    reached.max_by_key(|(depth, _)| *depth).map(|(_, file)| file)
}

fn descend(crates: &Crates, roots: &[String], start: Module, rest: &[&str]) -> Option<(usize, String)> {
    let mut at = start;
    let mut depth = 0;
    for segment in rest {
        let next = match *segment {
            "super" => above(crates.tree(), roots, &at),
            "self" => Some(at.clone()),
            name => child(crates.tree(), &at, name.strip_prefix("r#").unwrap_or(name)),
        };
        let Some(next) = next else { break };
        at = next;
        depth += 1;
    }
    // Later roots win a tie under `max_by_key`; the library should.
    let library = usize::from(roots.first() == at.file.as_ref());
    at.file.map(|file| (depth * 2 + library, file))
}

fn root_module(root: &str) -> Module {
    Module { file: Some(root.to_owned()), folder: paths::folder(root).to_owned() }
}

/// The roots whose tree may hold `from`: its own where it is one.
fn roots_for(roots: &[String], from: &str) -> Vec<Module> {
    match roots.iter().find(|root| *root == from) {
        Some(own) => vec![root_module(own)],
        None => roots.iter().map(|root| root_module(root)).collect(),
    }
}

/// `src/db.rs` and `src/db/mod.rs` are the module whose submodules lie in `src/db`.
fn module_of(roots: &[String], file: &str) -> Module {
    let folder = paths::folder(file);
    let name = paths::name(file);
    let in_folder = name == "mod.rs" || roots.iter().any(|root| root == file);
    let folder = if in_folder { folder.to_owned() } else { paths::child(folder, name.trim_end_matches(".rs")) };
    Module { file: Some(file.to_owned()), folder }
}

fn child(tree: &dyn Tree, module: &Module, name: &str) -> Option<Module> {
    let folder = paths::child(&module.folder, name);
    let files = [format!("{folder}.rs"), paths::child(&folder, "mod.rs")];
    let file = files.into_iter().find(|path| tree.kind(path) == Some(Kind::File))?;
    Some(Module { file: Some(file), folder })
}

fn above(tree: &dyn Tree, roots: &[String], module: &Module) -> Option<Module> {
    if roots.iter().any(|root| Some(root) == module.file.as_ref()) {
        return None;
    }
    let folder = paths::parent(&module.folder)?.to_owned();
    let beside = [paths::child(&folder, "mod.rs"), format!("{folder}.rs")];
    let root = roots.iter().find(|root| paths::folder(root) == folder).cloned();
    let file = beside.into_iter().find(|path| tree.kind(path) == Some(Kind::File)).or(root);
    Some(Module { file, folder })
}
