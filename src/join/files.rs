//! The mapped files of a scan, by path.

use std::collections::BTreeMap;

use crate::join::needs::Exports;
use crate::map::Mapped;
use crate::observe::{Candidate, NameRef, Observations};
use crate::source::{PathClass, SourceFile};
use crate::suppress::Suppressions;

/// The mapped files, by path relative to the tree's root.
#[derive(Default)]
pub struct Files(BTreeMap<String, Mapped>);

impl Files {
    /// Adds files; one that is there already is replaced.
    pub fn extend(&mut self, mapped: impl IntoIterator<Item = Mapped>) {
        self.0.extend(mapped.into_iter().map(|mapped| (mapped.source.path.clone(), mapped)));
    }

    /// The files, by path.
    pub fn iter(&self) -> impl Iterator<Item = &Mapped> {
        self.0.values()
    }

    /// One file.
    pub fn get(&self, path: &str) -> Option<&Mapped> {
        self.0.get(path)
    }

    /// True where the file was parsed, or could not be.
    pub fn holds(&self, path: &str) -> bool {
        self.observations(path).is_some()
    }

    /// A file's text and positions.
    pub fn source(&self, path: &str) -> Option<&SourceFile> {
        self.0.get(path).map(|mapped| &mapped.source)
    }

    /// Every candidate with its file, in order of path and place.
    pub fn candidates(&self) -> impl Iterator<Item = (&str, &Candidate)> {
        self.0.iter().flat_map(|(path, mapped)| mapped.map.candidates.iter().map(|c| (path.as_str(), c)))
    }

    /// The suppressions of the files that hold any.
    pub fn suppressions(&self) -> impl Iterator<Item = (&str, Suppressions)> {
        let with = self.0.iter().filter(|(_, mapped)| mapped.ignores);
        with.map(|(path, mapped)| {
            (path.as_str(), Suppressions::read(&mapped.source.text, mapped.source.language.family()))
        })
    }
}

impl Exports for Files {
    fn observations(&self, path: &str) -> Option<&Observations> {
        use crate::map::Look;
        let mapped = self.0.get(path)?;
        (mapped.look != Look::Prefiltered).then_some(&mapped.map.observations)
    }

    fn implementers(&self, leaf: &str) -> Vec<(&str, &NameRef, &str)> {
        let product = self.0.iter().filter(|(_, mapped)| mapped.source.class != PathClass::Test);
        let all = product.flat_map(|(path, mapped)| mapped.map.observations.implements.iter().map(move |i| (path, i)));
        let named = all.filter(|(_, (of, _))| of.name == leaf);
        named.map(|(path, (of, ty))| (path.as_str(), of, ty.as_str())).collect()
    }
}
