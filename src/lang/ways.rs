//! Whether a body may be gone through without passing certain places.

use std::collections::{BTreeMap, BTreeSet};

/// What it takes to come from a node to one of its children.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Nothing: whoever runs the node runs the child.
    Sure,
    /// A condition that may fail, with nothing in its stead.
    Maybe,
    /// A choice among `of` children, of which one runs.
    OneOf {
        /// How many there are.
        of: usize,
    },
}

/// True where whoever runs `body` runs one of `places`, as far as branches tell;
/// early returns are not looked at. `around` gives the node around one, `way`
/// what it takes to come from it (first) to its child.
pub fn runs_one_of<N: Copy + Ord>(
    places: impl IntoIterator<Item = N>,
    body: N,
    around: impl Fn(N) -> N,
    way: impl Fn(N, N) -> Way,
) -> bool {
    let mut chosen: BTreeMap<N, BTreeSet<N>> = BTreeMap::new();
    let mut climbs = places.into_iter().collect::<Vec<_>>();
    while let Some(mut at) = climbs.pop() {
        loop {
            if at == body {
                return true;
            }
            let outer = around(at);
            match way(outer, at) {
                Way::Sure => at = outer,
                Way::Maybe => break,
                Way::OneOf { of } => {
                    let taken = chosen.entry(outer).or_default();
                    // Told once, by the one that completes it.
                    if !taken.insert(at) || taken.len() < of {
                        break;
                    }
                    at = outer;
                }
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body 0 with a choice 1 of 2 and 3, a condition 4 with 5 in it.
    fn runs(places: &[u32]) -> bool {
        let around = |node: u32| [0, 0, 1, 1, 0, 4][node as usize];
        let way = |outer: u32, _| match outer {
            1 => Way::OneOf { of: 2 },
            4 => Way::Maybe,
            _ => Way::Sure,
        };
        runs_one_of(places.iter().copied(), 0, around, way)
    }

    #[test]
    fn a_choice_is_run_where_each_of_its_ways_is() {
        assert!(runs(&[1]));
        assert!(!runs(&[2]));
        assert!(!runs(&[2, 2]));
        assert!(runs(&[2, 3]));
        assert!(!runs(&[5]));
        assert!(!runs(&[5, 3]));
        assert!(runs(&[5, 4]));
        assert!(!runs(&[]));
    }
}
