//! Rust behind the model's words.

use crate::source::SourceFile;

/// One Rust file, parsed and resolved.
pub struct Model<'a> {
    /// The file.
    pub source: &'a SourceFile,
}
