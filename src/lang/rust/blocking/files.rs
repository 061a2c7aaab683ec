//! What a file may hold, by the names around its reading.

use crate::lang::rust::Model;
use crate::lang::rust::node::{Kind, NodeId};
use crate::lang::typescript::names::{LARGE_FILES, SMALL_FILES, words};

/// Words of files that hold data of a store.
const DATA_FILES: &[&str] = &["parquet", "arrow", "wal", "segment", "segments", "recording", "recordings", "tarball"];

impl Model<'_> {
    /// Settings, keys and certificates, by the words of the path or of the
    /// function around.
    pub(super) fn names_small_file(&self, path: NodeId) -> bool {
        let small = |name: &str| words(name).iter().any(|word| SMALL_FILES.contains(&word.as_str()));
        small(self.source.slice(self.tree.span(path)))
            || small(self.origin_text(path))
            || self.function_of(path).is_some_and(|f| small(&f.name))
    }

    /// Uploads, exports, segments of a store and their like, by the words of the
    /// path, of the function around, of its file or folder; and whatever file its
    /// caller names, where the function gives its bytes back.
    pub(super) fn may_be_large(&self, call: NodeId, path: NodeId) -> bool {
        let large = |name: &str| {
            let mut words = words(name).into_iter();
            words.any(|word| LARGE_FILES.contains(&word.as_str()) || DATA_FILES.contains(&word.as_str()))
        };
        let written = self.origin_text(path);
        let Some(function) = self.function_of(call) else { return false };
        let named = self.source.path.rsplitn(3, '/').take(2).any(large) || large(&function.name) || large(written);
        !self.names_small_file(path) && (named || self.gives_bytes_of(call, path))
    }

    /// What a path is made of: the text of the local that holds it.
    fn origin_text(&self, path: NodeId) -> &str {
        let bare = self.borrowed(path);
        let made = self.init_of(bare).unwrap_or(bare);
        self.source.slice(self.tree.span(made))
    }

    /// `async fn get(&self, file: &str) -> Result<Bytes>`: a parameter names the
    /// file, and the caller gets all of it.
    fn gives_bytes_of(&self, call: NodeId, path: NodeId) -> bool {
        let Some(function) = self.function_of(call) else { return false };
        let bytes = |ty: &crate::lang::rust::node::Ty| ty.mentions("Bytes") || ty.mentions("Vec") && ty.mentions("u8");
        let given = |id: NodeId| match self.tree.kind(id) {
            Kind::Path(path) => path.first().is_some_and(|name| function.params.iter().any(|p| p.pattern.binds(name))),
            _ => false,
        };
        let bare = self.borrowed(path);
        let made = self.init_of(bare).unwrap_or(bare);
        function.output.as_ref().is_some_and(bytes) && self.tree.below(made).any(given)
    }

    fn borrowed(&self, node: NodeId) -> NodeId {
        match self.tree.kind(node) {
            Kind::Reference { value, .. } => *value,
            _ => node,
        }
    }
}
