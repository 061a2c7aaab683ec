//! `bizra-scan PATH…`: scan, report, gate.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::cli::{Display, Format, ScanArgs};
use crate::command::progress::Progress;
use crate::command::setup::Setup;
use crate::command::{Exit, Failure, failure, output};
use crate::config::{Gate, print};
use crate::observe::Confidence;
use crate::render::{json, terminal};
use crate::report::Report;
use crate::scan::{Request, scan};

/// Scans what the arguments name, reports it, and says how the gate stands.
///
/// # Errors
/// [`Failure`] for a path, rule or configuration that cannot be used, and for
/// an output that cannot be written.
pub fn run(args: &ScanArgs, display: &Display) -> Result<Exit, Failure> {
    let started = Instant::now();
    let mut setup = match &args.stdin_file_path {
        Some(path) => Setup::of_stdin(path, &args.config)?,
        None => Setup::of_paths(&args.paths, &args.config)?,
    };
    setup.only(&args.rule)?;
    let gate = &mut setup.settings.gate;
    gate.fail_on = args.fail_on.map_or(gate.fail_on, |fail_on| fail_on.severity());
    gate.min_severity = args.min_severity.unwrap_or(gate.min_severity);
    gate.min_confidence = args.min_confidence.unwrap_or(gate.min_confidence);
    gate.require_complete |= args.require_complete;
    if args.print_config {
        return print_config(args, &setup);
    }
    setup.require_work(&args.paths)?;
    let walked = Instant::now();

    let progress = Progress::new(!args.no_progress && !display.quiet, display.ascii);
    let report = scan(&Request {
        tree: setup.tree.clone(),
        walked: &setup.walked,
        rules: &setup.rules,
        settings: &setup.settings,
        threads: setup.threads,
        progress: &|done, total| progress.tell(done, total),
    })?;
    progress.finish();
    let scanned = Instant::now();

    for target in &args.output {
        let mut bytes = Vec::new();
        let style = Style { color: false, ascii: display.ascii, width: width(), time: None, args };
        render(&report, target.format, &style, &mut bytes)
            .map_err(|error| Failure::new(format!("the report cannot be written: {error}")))?;
        output::to_file(&target.path, &bytes)?;
    }
    if !display.quiet {
        let color = failure::color(display, &io::stdout());
        let time = Some(started.elapsed());
        let style = Style { color, ascii: display.ascii, width: width(), time, args };
        output::to_stdout(|out| render(&report, args.format, &style, out))?;
    }
    if args.timings {
        timings(&[("walk and load", started, walked), ("scan", walked, scanned), ("report", scanned, Instant::now())]);
    }
    let gate = &setup.settings.gate;
    let unseen = report.milder.iter().filter(|&&severity| gate.fail_on.is_some_and(|limit| severity >= limit)).count();
    if unseen > 0 && !display.quiet {
        output::to_stderr(&format!(
            "the gate counts {unseen} more that the least severity to show leaves out (--min-severity)"
        ));
    }
    Ok(exit(&report, gate, args.exit_zero))
}

/// The gate over a report: incomplete before failed, `--exit-zero` forgives
/// the gate alone. Possible findings never count; those that are only too mild
/// to be shown do.
fn exit(report: &Report, gate: &Gate, exit_zero: bool) -> Exit {
    let fails = |severity| gate.fail_on.is_some_and(|limit| severity >= limit);
    let failed = report.findings.iter().any(|f| f.confidence > Confidence::Possible && fails(f.severity))
        || report.milder.iter().any(|&severity| fails(severity));
    if gate.require_complete && !report.completeness.complete {
        Exit::Incomplete
    } else if failed && !exit_zero {
        Exit::GateFailed
    } else {
        Exit::Passed
    }
}

/// How a report is drawn.
struct Style<'a> {
    color: bool,
    ascii: bool,
    width: usize,
    time: Option<Duration>,
    args: &'a ScanArgs,
}

fn render(report: &Report, format: Format, style: &Style<'_>, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Terminal => {
            let options = terminal::Options {
                width: style.width,
                color: style.color,
                ascii: style.ascii,
                limit: style.args.limit.unwrap_or(terminal::DEFAULT_LIMIT),
                verbose: style.args.verbose,
                elapsed: style.time,
            };
            terminal::render(report, &options, out)
        }
        Format::Json => out.write_all(json::render(report, env!("CARGO_PKG_VERSION"))?.as_bytes()),
    }
}

/// Columns of the terminal; what is no terminal is read at this width too.
fn width() -> usize {
    const USUAL: usize = 80;
    terminal_size::terminal_size().map_or(USUAL, |(width, _)| usize::from(width.0)).clamp(60, 160)
}

/// What counts for the first path, by the code that scanning uses.
fn print_config(args: &ScanArgs, setup: &Setup) -> Result<Exit, Failure> {
    let walked = &setup.walked;
    let path = args.paths.first().or(args.stdin_file_path.as_ref()).and_then(|path| {
        let real = std::fs::canonicalize(path).ok()?;
        crate::walk::relative(&walked.tree_root, &real)
    });
    let text = print::effective(&setup.settings, path.as_deref().unwrap_or(&walked.prefix))
        .map_err(|error| Failure::new(format!("the configuration cannot be printed: {error}")))?;
    output::to_stdout(|out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Passed)
}

fn timings(parts: &[(&str, Instant, Instant)]) {
    for (name, from, to) in parts {
        output::to_stderr(&format!("{name:>14} {:8.1} ms", to.duration_since(*from).as_secs_f64() * 1_000.0));
    }
}
