//! Where bytes come from: the only reader of the scanned repository.
//!
//! [`Disk`] never leaves its root and follows no link out of it; [`Overlay`]
//! lays unsaved, standard-input or patched text over another tree. A tree of a
//! git revision has its place here too.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::{fs, io};

/// Why a path gave no bytes.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No such file.
    #[error("no such file")]
    Absent,
    /// A pipe, socket, device or folder.
    #[error("not a regular file")]
    NotAFile,
    /// A link that leads out of the root, or a path with `..`.
    #[error("leads out of the root")]
    Outside,
    /// More bytes than asked for.
    #[error("{0} bytes, more than the limit")]
    TooLarge(u64),
    /// The system's own error.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What a path is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
}

/// A readable tree of files; paths are relative, with `/`.
pub trait Tree: Send + Sync {
    /// The bytes of a file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`ReadError`] where there is no such regular file inside the tree.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, ReadError>;

    /// What lies at a path; `None` where nothing does, or it leads out.
    fn kind(&self, path: &str) -> Option<Kind>;

    /// The text of a small file of configuration; `None` where it cannot be
    /// had or is not UTF-8.
    fn read_text(&self, path: &str) -> Option<String> {
        /// Lockfiles of large workspaces reach a few MB.
        const CONFIGURATION_LIMIT: u64 = 64 << 20;
        let bytes = self.read(path, CONFIGURATION_LIMIT).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }
}

/// The folder `root` on disk.
#[derive(Clone, Debug)]
pub struct Disk {
    root: PathBuf,
    /// Folders, relative, that no link leads to: asked of for each file below.
    plain: Arc<RwLock<HashSet<PathBuf>>>,
}

impl Disk {
    /// A tree of `root`.
    ///
    /// # Errors
    /// Where `root` does not exist.
    pub fn new(root: &Path) -> io::Result<Self> {
        Ok(Self { root: fs::canonicalize(root)?, plain: Arc::default() })
    }

    /// The root, absolute and without links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The real place of a relative path, and what lies there.
    fn locate(&self, path: &str) -> Result<(PathBuf, fs::Metadata), ReadError> {
        let relative = Path::new(path);
        if relative.components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
            return Err(ReadError::Outside);
        }
        let full = self.root.join(relative);
        let meta = fs::symlink_metadata(&full).map_err(absent_or_io)?;
        // A plain file below plain folders needs no canonical path; a link
        // anywhere on the way does.
        if meta.file_type().is_symlink() || self.has_link_above(relative) {
            let real = fs::canonicalize(&full).map_err(absent_or_io)?;
            if !real.starts_with(&self.root) {
                return Err(ReadError::Outside);
            }
            let meta = fs::metadata(&real).map_err(absent_or_io)?;
            return Ok((real, meta));
        }
        Ok((full, meta))
    }

    fn has_link_above(&self, relative: &Path) -> bool {
        let Some(folder) = relative.parent() else { return false };
        if self.plain.read().unwrap_or_else(PoisonError::into_inner).contains(folder) {
            return false;
        }
        let linked = relative
            .ancestors()
            .skip(1)
            .filter(|folder| !folder.as_os_str().is_empty())
            .any(|folder| fs::symlink_metadata(self.root.join(folder)).is_ok_and(|m| m.file_type().is_symlink()));
        if !linked {
            self.plain.write().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned());
        }
        linked
    }
}

fn absent_or_io(error: io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadError::Absent,
        _ => ReadError::Io(error),
    }
}

impl Tree for Disk {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
        // Asked before opening: opening a FIFO would wait for its writer.
        let (full, meta) = self.locate(path)?;
        if !meta.is_file() {
            return Err(ReadError::NotAFile);
        }
        if meta.len() > limit {
            return Err(ReadError::TooLarge(meta.len()));
        }
        let mut bytes = Vec::with_capacity(meta.len() as usize + 1);
        fs::File::open(&full).map_err(absent_or_io)?.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(ReadError::TooLarge(bytes.len() as u64));
        }
        Ok(bytes)
    }

    fn kind(&self, path: &str) -> Option<Kind> {
        let (_, meta) = self.locate(path).ok()?;
        if meta.is_dir() { Some(Kind::Folder) } else { meta.is_file().then_some(Kind::File) }
    }
}

/// Texts laid over another tree.
pub struct Overlay<T> {
    base: T,
    over: BTreeMap<String, Vec<u8>>,
}

impl<T: Tree> Overlay<T> {
    /// `over` laid over `base`, by relative path.
    pub fn new(base: T, over: BTreeMap<String, Vec<u8>>) -> Self {
        Self { base, over }
    }
}

impl<T: Tree> Tree for Overlay<T> {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
        match self.over.get(path) {
            Some(bytes) if bytes.len() as u64 > limit => Err(ReadError::TooLarge(bytes.len() as u64)),
            Some(bytes) => Ok(bytes.clone()),
            None => self.base.read(path, limit),
        }
    }

    fn kind(&self, path: &str) -> Option<Kind> {
        if self.over.contains_key(path) {
            return Some(Kind::File);
        }
        let folder = format!("{path}/");
        let within = self.over.range(folder.clone()..).next().is_some_and(|(p, _)| p.starts_with(&folder));
        if within || path.is_empty() { Some(Kind::Folder) } else { self.base.kind(path) }
    }
}

/// A tree held in memory: fixtures, tests, standard input without a folder.
#[derive(Default)]
pub struct Memory;

impl Tree for Memory {
    fn read(&self, _: &str, _: u64) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::Absent)
    }

    fn kind(&self, _: &str) -> Option<Kind> {
        None
    }
}
