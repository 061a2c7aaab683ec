//! Libraries of apps and pages: what they ask waits in front of one user, and
//! no server's limits hold there.

use std::collections::BTreeMap;

use super::{Closed, Join};
use crate::facts::Package;
use crate::facts::windows::are_for_windows;
use crate::observe::{Confidence, Context, Step};
use crate::source::{Family, PathClass};

/// Lowers what would be told of such a library to `possible`.
pub fn lower(join: &Join<'_>, closed: &mut [Closed]) {
    let mut by_text: BTreeMap<String, bool> = BTreeMap::new();
    for one in closed {
        let told = one.is_told();
        let candidate = &mut one.candidate;
        let served = matches!(candidate.context, Context::Handler | Context::Scheduled);
        let family = join.files.source(&one.path).map(|source| source.language.family());
        if !told || served || family != Some(Family::TypeScript) {
            continue;
        }
        let Some(package) = join.facts.packages.nearest(&one.path).filter(|package| package.may_be_for_apps()) else {
            continue;
        };
        let mut by_its_text =
            || *by_text.entry(package.folder.clone()).or_insert_with(|| is_for_windows(join, &package));
        let key = match () {
            () if package.is_for_apps() => "for-apps",
            () if by_its_text() => "for-windows",
            () => continue,
        };
        let name = package.name.as_deref().unwrap_or("this package");
        candidate.confidence = Confidence::Possible;
        candidate.assumption = Some(Step::new(key).with("package", name));
    }
}

fn is_for_windows(join: &Join<'_>, package: &Package) -> bool {
    let own = join.files.iter().map(|file| &file.source).filter(|source| {
        let nearest = || join.facts.packages.nearest(&source.path);
        source.class == PathClass::Product
            && source.language.family() == Family::TypeScript
            && nearest().is_some_and(|nearest| nearest.folder == package.folder)
    });
    are_for_windows(join.facts.tree(), &own.map(|source| source.path.as_str()).collect::<Vec<_>>())
}
