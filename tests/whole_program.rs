//! What only a program as a whole shows: whether anybody calls a function.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;

use bizra_scan::observe::Confidence;
use bizra_scan::rule::RuleSet;
use bizra_scan::source::Language;
use common::fixtures::lay;

/// Enough files besides those of a case for a program to be there as a whole.
const OTHERS: usize = 40;

/// How sure the findings of a program are that consists of `files` (path and
/// text) and of `others` that have nothing to do with them.
fn confidences(files: &[(&str, &str)], others: usize) -> Vec<Confidence> {
    let ending = files[0].0.rsplit('.').next().expect("an ending");
    let plain = if ending == "rs" { "pub const SIZE: usize = 1;\n" } else { "export const SIZE = 1\n" };
    let more = (0..others).map(|at| (format!("src/other_{at}.{ending}"), plain.to_owned()));
    let own = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let laid: Vec<_> = own.chain(more).map(|(path, text)| (path.clone(), language(&path), text)).collect();
    let rules = RuleSet::builtin().expect("the rules load");
    lay(&laid).scan(&rules).findings.iter().map(|finding| finding.confidence).collect()
}

fn language(path: &str) -> Language {
    Language::of_path(path).expect("a scanned language")
}

const RATES: (&str, &str) = (
    "src/rates.ts",
    "export async function loadRates(day: string) {\n    const answer = await fetch(`https://rates.example.com/${day}`)\n    return answer.json()\n}\n",
);

#[test]
fn a_function_that_no_file_names_is_possible() {
    assert_eq!(confidences(&[RATES], OTHERS), [Confidence::Possible]);
    let caller =
        ("src/invoice.ts", "import { loadRates } from './rates'\nexport const total = () => loadRates('today')\n");
    assert_eq!(confidences(&[RATES, caller], OTHERS), [Confidence::Certain]);
}

#[test]
fn a_test_or_a_remark_is_no_caller() {
    let test = ("src/rates.test.ts", "import { loadRates } from './rates'\nit('loads', () => loadRates('today'))\n");
    let remark = ("src/invoice.ts", "// loadRates was slow\nexport const total = 1\n");
    assert_eq!(confidences(&[RATES, test, remark], OTHERS), [Confidence::Possible]);
}

#[test]
fn of_a_piece_of_a_program_nobody_can_say_who_calls_it() {
    assert_eq!(confidences(&[RATES], 3), [Confidence::Certain]);
}

#[test]
fn what_a_framework_may_call_needs_no_name() {
    let request = "        return await fetch(`https://rates.example.com/${day}`)\n";
    let method =
        |head: &str, mark: &str| format!("{head} {{\n{mark}    async loadRates(day: string) {{\n{request}    }}\n}}\n");
    let of = |text: String| confidences(&[("src/rates.ts", text.as_str())], OTHERS);
    assert_eq!(of(method("export class Rates", "")), [Confidence::Possible]);
    assert_eq!(of(method("export class Rates extends Source", "")), [Confidence::Certain]);
    assert_eq!(of(method("export class Rates implements Source", "")), [Confidence::Certain]);
    assert_eq!(of(method("export class Rates", "    @Tool()\n")), [Confidence::Certain]);
    let default = RATES.1.replace("export async", "export default async");
    assert_eq!(of(default), [Confidence::Certain]);
    let handed = RATES.1.replace("export async", "async") + "module.exports = loadRates\n";
    assert_eq!(of(handed), [Confidence::Certain]);
}

const UPLOAD: &str = "pub async fn upload_part(url: &str) -> Result<(), reqwest::Error> {\n    let client = reqwest::Client::new();\n    client.get(url).send().await?;\n    Ok(())\n}\n";

#[test]
fn rust_that_only_its_tests_call_is_possible() {
    let called = "use crate::upload::upload_part;\npub async fn store() { let _ = upload_part(\"https://parts.example.com\").await; }\n";
    let tested = format!(
        "{UPLOAD}#[cfg(test)]\nmod tests {{\n    #[tokio::test]\n    async fn uploads() {{\n        super::upload_part(\"x\").await.unwrap();\n    }}\n}}\n"
    );
    let shown = confidences(&[("src/upload.rs", UPLOAD), ("src/store.rs", called)], OTHERS);
    assert!(!shown.is_empty() && shown.iter().all(|&c| c >= Confidence::Likely), "{shown:?}");
    let hidden = confidences(&[("src/upload.rs", tested.as_str())], OTHERS);
    assert!(!hidden.is_empty() && hidden.iter().all(|&c| c == Confidence::Possible), "{hidden:?}");
}
