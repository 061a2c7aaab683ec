//! What a file may hold, by the names around its reading.

use crate::lang::rust::Model;
use crate::lang::rust::node::{Kind, Lit, NodeId, Ty};
use crate::lang::typescript::names::{LARGE_FILES, SMALL_FILES, has_word};

/// Words of files that hold data of a store.
const DATA_FILES: &[&str] = &["parquet", "arrow", "wal", "segment", "segments", "recording", "recordings", "tarball"];

impl Model<'_> {
    /// Settings, keys and certificates, by the words of the path or of the
    /// function around.
    pub(super) fn names_small_file(&self, path: NodeId) -> bool {
        let small = |name: &str| has_word(name, SMALL_FILES);
        small(self.source.slice(self.tree.span(path)))
            // A lock beside the data; what packages call so may be large.
            || self.texts_of(path).any(|text| small(text) || text == "lock" || text == ".lock")
            || self.function_of(path).is_some_and(|f| small(&f.name))
    }

    /// Uploads, exports, segments of a store and their like, by the words of the
    /// path, of the function around, of its file or folder; and whatever file its
    /// caller names, where the function gives its bytes back.
    pub(super) fn may_be_large(&self, call: NodeId, path: NodeId) -> bool {
        !self.names_small_file(path) && self.names_large_file(call, path)
    }

    fn names_large_file(&self, call: NodeId, path: NodeId) -> bool {
        let large = |name: &str| has_word(name, LARGE_FILES) || has_word(name, DATA_FILES);
        let written = self.source.slice(self.tree.span(self.path_made(path)));
        let Some(function) = self.function_of(call) else { return false };
        let named = self.source.path.rsplitn(3, '/').take(2).any(large) || large(&function.name) || large(written);
        named || self.passes_bytes_of(call, path)
    }

    /// What names say of the file that a function is handed first, if anything.
    pub fn is_large_file(&self, call: NodeId) -> Option<bool> {
        let (Kind::Call { args, .. } | Kind::Method { args, .. }) = self.tree.kind(call) else { return None };
        let path = *args.first()?;
        if self.names_small_file(path) { Some(false) } else { self.names_large_file(call, path).then_some(true) }
    }

    /// The texts that a path is made of: `"lock"` of `done.with_extension("lock")`.
    fn texts_of(&self, path: NodeId) -> impl Iterator<Item = &str> {
        self.tree.below(self.path_made(path)).filter_map(|id| match self.tree.kind(id) {
            Kind::Literal(Lit::Text(text)) => Some(text.as_str()),
            _ => None,
        })
    }

    /// `async fn get(&self, file: &str) -> Result<Bytes>`,
    /// `async fn set(&self, file: &str, data: Bytes)`: a parameter names the file,
    /// and the caller gets all of it, or gives all that is written.
    fn passes_bytes_of(&self, call: NodeId, path: NodeId) -> bool {
        let Some(function) = self.function_of(call) else { return false };
        let bytes =
            |ty: &Ty| ty.mentions("Bytes") || ty.mentions("u8") && (ty.mentions("Vec") || ty.mentions("[slice]"));
        let given = |id: NodeId| match self.tree.kind(id) {
            Kind::Path(path) => path.first().is_some_and(|name| function.params.iter().any(|p| p.pattern.binds(name))),
            _ => false,
        };
        let (Kind::Call { args, .. } | Kind::Method { args, .. }) = self.tree.kind(call) else { return false };
        let written = |name: &str| function.params.iter().any(|p| p.pattern.name() == Some(name) && bytes(&p.ty));
        let writes = || {
            args.iter()
                .flat_map(|&argument| self.tree.below(argument))
                .any(|id| matches!(self.tree.kind(id), Kind::Path(path) if path.len() == 1 && written(&path[0])))
        };
        // Texts may be settings; what is read as bytes is for somebody else.
        let read = || {
            self.callee(call)
                .is_some_and(|path| matches!(path.as_slice(), [.., of, leaf] if of == "fs" && leaf == "read"))
        };
        (function.output.as_ref().is_some_and(bytes) || writes() || read())
            && self.tree.below(self.path_made(path)).any(given)
    }

    /// The expression that a path, or the local that holds it, is made by.
    fn path_made(&self, path: NodeId) -> NodeId {
        let bare = match self.tree.kind(path) {
            Kind::Reference { value, .. } => *value,
            _ => path,
        };
        self.init_of(bare).unwrap_or(bare)
    }
}
