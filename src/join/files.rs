//! The mapped files of a scan, by path.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rayon::prelude::*;

use crate::join::needs::Exports;
use crate::map::Mapped;
use crate::observe::{Candidate, NameRef, Observations, Setting};
use crate::source::{PathClass, SourceFile, Span};
use crate::suppress::Suppressions;

/// The mapped files, by path relative to the tree's root.
#[derive(Default)]
pub struct Files {
    by_path: BTreeMap<String, Mapped>,
    index: OnceLock<Index>,
}

/// What is asked of all files at once, looked up instead of searched.
#[derive(Default)]
struct Index {
    /// Traits by name: the files that implement them, and which of their
    /// implementations it is.
    implementers: BTreeMap<String, Vec<(String, usize)>>,
    /// What files set for all requests.
    sets: Vec<(Setting, String, Span)>,
}

impl Files {
    /// Adds files; one that is there already is replaced.
    pub fn extend(&mut self, mapped: impl IntoIterator<Item = Mapped>) {
        self.by_path.extend(mapped.into_iter().map(|mapped| (mapped.source.path.clone(), mapped)));
        self.index = OnceLock::new();
    }

    /// The files that set this for all requests, with the place.
    pub fn setting(&self, wanted: Setting) -> impl Iterator<Item = (&str, Span)> {
        let sets = self.index().sets.iter().filter(move |(setting, ..)| *setting == wanted);
        sets.map(|(_, path, at)| (path.as_str(), *at))
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let mut index = Index::default();
            for (path, mapped) in &self.by_path {
                let observations = &mapped.map.observations;
                index.sets.extend(observations.sets.iter().map(|&(setting, at)| (setting, path.clone(), at)));
                if mapped.source.class == PathClass::Test {
                    continue;
                }
                for (at, (of, _)) in observations.implements.iter().enumerate() {
                    index.implementers.entry(of.name.clone()).or_default().push((path.clone(), at));
                }
            }
            index
        })
    }

    /// The files, by path.
    pub fn iter(&self) -> impl Iterator<Item = &Mapped> {
        self.by_path.values()
    }

    /// One file.
    pub fn get(&self, path: &str) -> Option<&Mapped> {
        self.by_path.get(path)
    }

    /// Reads the comments of those files that hold suppressions and were not
    /// parsed for anything else.
    pub fn read_comments(&mut self) {
        self.by_path.par_iter_mut().for_each(|(_, mapped)| {
            if mapped.map.comments.is_none() {
                mapped.map.comments = crate::map::comments(mapped);
            }
        });
    }

    /// True where the file was parsed, or could not be.
    pub fn holds(&self, path: &str) -> bool {
        self.observations(path).is_some()
    }

    /// A file's text and positions.
    pub fn source(&self, path: &str) -> Option<&SourceFile> {
        self.by_path.get(path).map(|mapped| &mapped.source)
    }

    /// Every candidate with its file, in order of path and place.
    pub fn candidates(&self) -> impl Iterator<Item = (&str, &Candidate)> {
        self.by_path.iter().flat_map(|(path, mapped)| mapped.map.candidates.iter().map(|c| (path.as_str(), c)))
    }

    /// The suppressions of the files that hold any.
    pub fn suppressions(&self) -> impl Iterator<Item = (&str, Suppressions)> {
        let with = self.by_path.iter().filter(|(_, mapped)| mapped.ignores);
        with.map(|(path, mapped)| {
            let text = &mapped.source.text;
            let marks = match &mapped.map.comments {
                Some(comments) => Suppressions::of_comments(text, comments),
                None => Suppressions::read(text, mapped.source.language.family()),
            };
            (path.as_str(), marks)
        })
    }
}

impl Exports for Files {
    fn observations(&self, path: &str) -> Option<&Observations> {
        use crate::map::Look;
        let mapped = self.by_path.get(path)?;
        (mapped.look != Look::Prefiltered).then_some(&mapped.map.observations)
    }

    fn implementers(&self, leaf: &str) -> Vec<(&str, &NameRef, &str)> {
        let found = self.index().implementers.get(leaf).into_iter().flatten();
        let named = found.filter_map(|(path, at)| {
            let (of, ty) = self.by_path.get(path)?.map.observations.implements.get(*at)?;
            Some((path.as_str(), of, ty.as_str()))
        });
        named.collect()
    }
}
