//! The candidates that may still ask for files, between the rounds of a scan.

use super::files::Files;
use crate::observe::Candidate;

/// Those that asked for a file in the round before; at first all that are not
/// cleared. What asked for nothing is answered by the files that are there.
#[derive(Default)]
pub struct Open(Option<Vec<(String, usize)>>);

impl Open {
    /// Candidates by file and by their number in it.
    pub fn of<'c>(candidates: impl Iterator<Item = (&'c str, usize)>) -> Self {
        Self(Some(candidates.map(|(path, index)| (path.to_owned(), index)).collect()))
    }

    /// The candidates with their file and their number in it.
    pub fn candidates<'f>(&self, files: &'f Files) -> Vec<(&'f str, usize, &'f Candidate)> {
        let numbered = |path: &str| {
            let file = files.get(path).into_iter();
            file.flat_map(|file| {
                file.map.candidates.iter().enumerate().map(|(at, c)| (file.source.path.as_str(), at, c))
            })
        };
        match &self.0 {
            Some(open) => open.iter().filter_map(|(path, index)| numbered(path).nth(*index)).collect(),
            None => {
                let all = files.iter().flat_map(|file| numbered(&file.source.path));
                all.filter(|(_, _, candidate)| candidate.cleared.is_none() || !candidate.narrower.is_empty()).collect()
            }
        }
    }
}
