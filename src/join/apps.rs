//! Libraries of apps and pages: what they ask waits in front of one user, and
//! no server's limits hold there.

use super::{Closed, Join};
use crate::observe::{Confidence, Context, Step};
use crate::source::Family;

/// Lowers what would be told of such a library to `possible`.
pub fn lower(join: &Join<'_>, closed: &mut [Closed]) {
    for one in closed {
        let told = one.is_told();
        let candidate = &mut one.candidate;
        let served = matches!(candidate.context, Context::Handler | Context::Scheduled);
        let family = join.files.source(&one.path).map(|source| source.language.family());
        if !told || served || family != Some(Family::TypeScript) {
            continue;
        }
        if let Some(package) = join.facts.packages.nearest(&one.path).filter(|package| package.is_for_apps()) {
            let name = package.name.as_deref().unwrap_or("this package");
            candidate.confidence = Confidence::Possible;
            candidate.assumption = Some(Step::new("for-apps").with("package", name));
        }
    }
}
