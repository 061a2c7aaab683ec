//! Priority of a finding, and the score and grade of a report.
//! `docs/grade.md` gives the formulas in words; a test holds the grades to it.

use crate::finding::{Finding, Severity};
use crate::observe::{Confidence, Context};
use crate::report::Report;

/// Where a finding's code runs, as far as its priority goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reach {
    /// Its context.
    pub context: Context,
    /// A name puts it on a request path.
    pub request_path_by_name: bool,
}

/// 0 to 100, higher first: the severity's band, and within it how sure the
/// finding is and how often its code runs.
pub fn priority(severity: Severity, confidence: Confidence, reach: Reach) -> u32 {
    let band = match severity {
        Severity::Critical => 80,
        Severity::High => 55,
        Severity::Medium => 30,
        Severity::Low => 5,
    };
    let sure = match confidence {
        Confidence::Certain => 8,
        Confidence::Likely => 4,
        Confidence::Possible => 0,
    };
    let often = match reach.context {
        Context::Handler => 12,
        Context::Library if reach.request_path_by_name => 12,
        Context::Library => 6,
        Context::Scheduled => 4,
        Context::Startup | Context::Cli => 2,
        Context::Test | Context::Build => 0,
    };
    band + sure + often
}

/// The state of a report in one line.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Summary {
    /// 0 to 100, higher is better.
    pub score: u32,
    /// A to F.
    pub grade: char,
}

/// Points that a finding takes off, before size counts.
fn points(finding: &Finding) -> f64 {
    let severity = match finding.severity {
        Severity::Critical => 16.0,
        Severity::High => 6.0,
        Severity::Medium => 2.0,
        Severity::Low => 0.5,
    };
    let confidence = match finding.confidence {
        Confidence::Certain => 1.0,
        Confidence::Likely => 0.75,
        Confidence::Possible => 0.0,
    };
    severity * confidence
}

/// Lines of product code up to which every point counts in full; beyond, a
/// point counts as this many lines' share.
const FULL_WEIGHT_LINES: f64 = 10_000.0;

/// The score: 100 · e^(−p/50), where `p` are the findings' points, weighted by
/// 10,000 lines ÷ lines of product code (at most 1). The grade: A from 90, B
/// from 75, C from 60, D from 40, else F, and never better than C with a
/// critical finding, nor than B with a high one.
pub fn summary(report: &Report) -> Summary {
    let weight = (FULL_WEIGHT_LINES / (report.lines.max(1) as f64)).min(1.0);
    let lost: f64 = report.findings.iter().map(points).sum::<f64>() * weight;
    let score = (100.0 * (-lost / 50.0).exp()).round() as u32;
    let worst = report.findings.iter().filter(|f| f.confidence >= Confidence::Likely).map(|f| f.severity).max();
    let best = match worst {
        Some(Severity::Critical) => 74,
        Some(Severity::High) => 89,
        _ => 100,
    };
    let score = score.min(best);
    let grade = match score {
        90.. => 'A',
        75.. => 'B',
        60.. => 'C',
        40.. => 'D',
        _ => 'F',
    };
    Summary { score, grade }
}

/// The findings whose fix gives most for its effort: points for each hour,
/// those with a patch first among equals; at most `count`, severity medium or
/// worse.
pub fn quick_wins(report: &Report, count: usize) -> Vec<&Finding> {
    let gain = |f: &Finding| points(f) * 60.0 / f64::from(f.effort_minutes.max(5));
    let mut wins: Vec<&Finding> = report.findings.iter().filter(|f| f.severity >= Severity::Medium).collect();
    wins.sort_by(|a, b| {
        gain(b).total_cmp(&gain(a)).then(b.patch.is_some().cmp(&a.patch.is_some())).then(b.priority.cmp(&a.priority))
    });
    wins.truncate(count);
    wins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_bands_do_not_overlap() {
        let most = Reach { context: Context::Handler, request_path_by_name: false };
        let least = Reach { context: Context::Test, request_path_by_name: false };
        for pair in Severity::ALL.windows(2) {
            let worse = priority(pair[0], Confidence::Possible, least);
            let milder = priority(pair[1], Confidence::Certain, most);
            assert!(worse > milder, "{pair:?}: {worse} and {milder}");
        }
        assert_eq!(priority(Severity::Critical, Confidence::Certain, most), 100);
    }
}
