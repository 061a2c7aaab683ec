//! TypeScript and JavaScript behind the model's words.

use crate::source::SourceFile;

/// One TypeScript or JavaScript file, parsed and resolved.
pub struct Model<'a> {
    /// The file.
    pub source: &'a SourceFile,
}
