//! The scan's root and the tree's root of the paths given.

use std::path::{Component, Path, PathBuf};

use crate::walk::WalkError;

/// One path as typed, and where it really is.
#[derive(Clone, Debug)]
pub struct Given {
    /// Absolute and without links.
    pub real: PathBuf,
    /// A folder, or a file.
    pub is_folder: bool,
}

/// Where a scan stands.
#[derive(Clone, Debug)]
pub struct Roots {
    /// The scan's root as typed.
    pub typed: String,
    /// The scan's root, absolute and without links.
    pub scan: PathBuf,
    /// The tree's root.
    pub tree: PathBuf,
    /// The first relative to the second.
    pub prefix: String,
}

/// Looks a path up.
///
/// # Errors
/// Where it does not exist or cannot be reached.
pub fn given(path: &Path) -> Result<Given, WalkError> {
    let unreadable = |error| WalkError::Unreadable { path: path.display().to_string(), error };
    let real = std::fs::canonicalize(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            WalkError::NoSuchPath(path.display().to_string())
        }
        _ => unreadable(error),
    })?;
    let is_folder = std::fs::metadata(&real).map_err(unreadable)?.is_dir();
    Ok(Given { real, is_folder })
}

/// The roots of the paths given: the single folder, else the common ancestor;
/// the tree's root is its nearest ancestor with `.git`, else itself.
pub fn roots(typed: &[PathBuf], given: &[Given]) -> Roots {
    let folders = given.iter().map(|g| if g.is_folder { g.real.as_path() } else { parent(&g.real) });
    let scan = folders.map(Path::to_path_buf).reduce(|a, b| common(&a, &b)).unwrap_or_default();
    let single = match (typed, given) {
        ([path], [only]) if only.is_folder => Some(path.display().to_string()),
        _ => None,
    };
    let tree = tree_root(&scan);
    let prefix = relative(&tree, &scan).unwrap_or_default();
    Roots { typed: single.unwrap_or_else(|| from_here(&scan)), scan, tree, prefix }
}

/// The nearest folder at or above `folder` that holds `.git`, else itself.
pub fn tree_root(folder: &Path) -> PathBuf {
    folder.ancestors().find(|above| above.join(".git").exists()).unwrap_or(folder).to_path_buf()
}

/// `path` relative to `root`, with `/`; `None` where it lies elsewhere or is
/// not UTF-8.
pub fn relative(root: &Path, path: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for component in path.strip_prefix(root).ok()?.components() {
        match component {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(parts.join("/"))
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn common(a: &Path, b: &Path) -> PathBuf {
    a.components().zip(b.components()).take_while(|(x, y)| x == y).map(|(x, _)| x).collect()
}

/// A folder as one would type it in the current folder.
fn from_here(folder: &Path) -> String {
    let here = std::env::current_dir().and_then(std::fs::canonicalize).unwrap_or_default();
    seen_from(&here, folder).unwrap_or_else(|| folder.display().to_string())
}

/// `folder` relative to `here`, by `..` where it lies elsewhere: a report says
/// the same wherever both lie. `None` on another drive, or where it is not UTF-8.
fn seen_from(here: &Path, folder: &Path) -> Option<String> {
    let shared = common(here, folder);
    if shared.as_os_str().is_empty() {
        return None;
    }
    let ups = here.strip_prefix(&shared).ok()?.components().count();
    let inside = relative(&shared, folder)?;
    let parts = std::iter::repeat_n("..", ups).chain((!inside.is_empty()).then_some(inside.as_str()));
    let seen = parts.collect::<Vec<_>>().join("/");
    Some(if seen.is_empty() { ".".to_owned() } else { seen })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_from_the_current_one() {
        let seen = |here: &str, folder: &str| seen_from(Path::new(here), Path::new(folder)).unwrap();
        assert_eq!(seen("/a/b", "/a/b"), ".");
        assert_eq!(seen("/a/b", "/a/b/c/d"), "c/d");
        assert_eq!(seen("/a/b", "/a"), "..");
        assert_eq!(seen("/a/b/c", "/a/x"), "../../x");
    }
}
