//! Words that all rules share, from `rules/common.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The name and the text of the file that the program brings.
pub const BUILTIN: (&str, &str) =
    ("common.toml", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/common.toml")));

/// The words by what they are for; keys are unique over all three tables.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommonTexts {
    /// Words of evidence that answers a question.
    pub evidence: BTreeMap<String, String>,
    /// Words of guards that clear a candidate.
    pub guards: BTreeMap<String, String>,
    /// Words of named assumptions.
    pub assumptions: BTreeMap<String, String>,
}

impl CommonTexts {
    /// Every key with its words, whatever it is for.
    pub fn by_key(self) -> BTreeMap<String, String> {
        self.evidence.into_iter().chain(self.guards).chain(self.assumptions).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::template;

    #[test]
    fn the_shared_words_hold() {
        let texts: CommonTexts = toml::from_str(BUILTIN.1).unwrap();
        let count = texts.evidence.len() + texts.guards.len() + texts.assumptions.len();
        let all = texts.by_key();
        assert_eq!(all.len(), count, "a key stands in two tables");
        for (key, text) in &all {
            assert!(template::names(text).is_ok(), "{key}");
            assert!(!text.trim().is_empty() && !text.ends_with('.'), "{key}");
        }
    }
}
