//! The command line's types. What they do stands in `command`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::config::file::FailOn;
use crate::finding::Severity;
use crate::observe::Confidence;
use crate::suppress::Date;

/// Finds the performance bottlenecks of TypeScript/JavaScript and Rust services.
#[derive(Debug, Parser)]
#[command(
    name = "bizra-scan",
    version,
    about,
    after_help = "Without a command, the paths are scanned: `bizra-scan ./repo`. A folder that is named like a \
                  command is written with `./`: `bizra-scan ./rules`.\n\n\
                  Exit codes: 0 passed, 1 the gate failed, 2 usage, configuration or path, 3 incomplete with \
                  --require-complete, 130 interrupted."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of a scan without the word `scan`.
    #[command(flatten)]
    pub scan: ScanArgs,
    /// How to print.
    #[command(flatten)]
    pub display: Display,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan files and folders (what happens without a command, too)
    Scan(Box<ScanArgs>),
    /// Say what is known about one line: the evidence, or the guard that cleared it
    Why(WhyArgs),
    /// Print the manual page of a rule
    Explain(ExplainArgs),
    /// List, start or test rules
    Rules(RulesArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// How to print; every command takes these.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Display")]
pub struct Display {
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: When,
    /// Draw with ASCII signs only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Print no report, progress or warning; the exit code and --output files tell
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// When to do something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum When {
    /// On a terminal, unless NO_COLOR or TERM=dumb says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which configuration counts.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// Use this configuration alone, instead of the nearest bizra-scan.toml
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Use no configuration file
    #[arg(long)]
    pub no_config: bool,
    /// Skip files larger than this many bytes; k and M are understood [default: 2M]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub max_file_size: Option<u64>,
    /// Report tests, fixtures and examples too
    #[arg(long)]
    pub include_tests: bool,
    /// The day that suppressions with an end are judged by [default: the current day]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub today: Option<Date>,
    /// Worker threads [default: one for each processor]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// The arguments of a scan.
#[derive(Clone, Debug, Args)]
pub struct ScanArgs {
    /// Files and folders to scan [default: .]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Scan standard input as if it were this file
    #[arg(long, value_name = "PATH", conflicts_with = "paths")]
    pub stdin_file_path: Option<PathBuf>,
    /// Look for this rule (or rule/variant) only; may be given several times
    #[arg(long, value_name = "ID")]
    pub rule: Vec<String>,
    /// What to look at and how.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print the configuration that counts for the path, and stop
    #[arg(long, help_heading = "Configuration")]
    pub print_config: bool,
    /// Fail on findings of this severity or worse [default: critical]
    #[arg(long, value_name = "SEVERITY", help_heading = "Gate")]
    pub fail_on: Option<FailOn>,
    /// Exit with 0 even where the gate fails
    #[arg(long, help_heading = "Gate")]
    pub exit_zero: bool,
    /// Leave out findings milder than this [default: low]
    #[arg(long, value_name = "SEVERITY", help_heading = "Gate")]
    pub min_severity: Option<Severity>,
    /// Leave out findings less sure than this; possible ones never fail [default: likely]
    #[arg(long, value_name = "CONFIDENCE", help_heading = "Gate")]
    pub min_confidence: Option<Confidence>,
    /// Exit with 3 where a file could not be looked at
    #[arg(long, help_heading = "Gate")]
    pub require_complete: bool,
    /// The report on standard output
    #[arg(long, value_name = "FORMAT", default_value = "terminal", help_heading = "Report")]
    pub format: Format,
    /// Write a further report to a file; may be given several times
    #[arg(long, value_name = "FORMAT=PATH", help_heading = "Report")]
    pub output: Vec<Output>,
    /// Show at most this many findings on the terminal
    #[arg(long, value_name = "COUNT", help_heading = "Report")]
    pub limit: Option<usize>,
    /// Show every finding on the terminal, with all that is known
    #[arg(short, long, help_heading = "Report")]
    pub verbose: bool,
    /// Draw no progress bar
    #[arg(long, help_heading = "Report")]
    pub no_progress: bool,
    /// Say on standard error how long each part took
    #[arg(long, help_heading = "Report")]
    pub timings: bool,
}

/// The arguments of `why`.
#[derive(Clone, Debug, Args)]
pub struct WhyArgs {
    /// The place, as FILE:LINE or FILE:LINE:COLUMN
    #[arg(value_name = "FILE:LINE[:COL]")]
    pub place: String,
    /// The folder that is scanned, where that is not the current one
    #[arg(long, value_name = "PATH")]
    pub root: Option<PathBuf>,
    /// What to look at and how.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// The arguments of `explain`.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// The rule's id
    #[arg(value_name = "ID")]
    pub rule: String,
    /// The folder whose own rules count too, where that is not the current one
    #[arg(long, value_name = "PATH")]
    pub root: Option<PathBuf>,
}

/// The arguments of `rules`.
#[derive(Clone, Debug, Args)]
pub struct RulesArgs {
    /// What to do with rules.
    #[command(subcommand)]
    pub command: RulesCommand,
}

/// What to do with rules.
#[derive(Clone, Debug, Subcommand)]
pub enum RulesCommand {
    /// List the rules, the repository's own included
    List {
        /// How to write them
        #[arg(long, default_value = "text")]
        format: ListFormat,
        /// The folder whose own rules count too, where that is not the current one
        #[arg(long, value_name = "PATH")]
        root: Option<PathBuf>,
    },
    /// Start a rule of one's own in .bizra/rules
    New {
        /// The new rule's id
        #[arg(value_name = "ID")]
        id: String,
        /// The language that it looks at
        #[arg(long, default_value = "typescript")]
        language: RuleLanguage,
        /// The folder to start it in, where that is not the current one
        #[arg(long, value_name = "PATH")]
        root: Option<PathBuf>,
    },
    /// Run the rules of .bizra/rules on their examples
    Test {
        /// Only these rules
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// The folder whose rules are tested, where that is not the current one
        #[arg(long, value_name = "PATH")]
        root: Option<PathBuf>,
    },
}

/// How rules are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ListFormat {
    /// A line to a rule.
    Text,
    /// An array of objects.
    Json,
}

/// The languages that a rule may start in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum RuleLanguage {
    /// TypeScript and JavaScript.
    Typescript,
    /// Rust.
    Rust,
}

/// The arguments of `completions`.
#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// The formats of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// For people.
    Terminal,
    /// For programs; see docs/report.schema.json.
    Json,
}

/// A further report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// Its format.
    pub format: Format,
    /// Where it goes.
    pub path: PathBuf,
}

impl std::str::FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').ok_or("write FORMAT=PATH, as in json=report.json")?;
        let format = Format::from_str(format, false)
            .map_err(|_| format!("`{format}` is no format; there are terminal and json"))?;
        match path {
            "" => Err("no path after `=`".to_owned()),
            // Two reports on one stream could be told apart by nobody.
            "-" => Err("`-` is no file; `--format` says what goes to standard output".to_owned()),
            path => Ok(Self { format, path: path.into() }),
        }
    }
}

/// Reads `500000`, `500k` or `2M`.
fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.trim_end_matches(['B', 'b']) {
        text if text.ends_with(['k', 'K']) => (&text[..text.len() - 1], 1_000),
        text if text.ends_with(['m', 'M']) => (&text[..text.len() - 1], 1_000_000),
        text => (text, 1),
    };
    let number: u64 = number.parse().map_err(|_| "write a number of bytes, as in 500k or 2M".to_owned())?;
    number.checked_mul(unit).filter(|&n| n > 0).ok_or_else(|| "must be above 0".to_owned())
}

/// Only a scan: what `bizra-scan scan …` is read as, so that flags may stand
/// before the word too.
#[derive(Debug, Parser)]
#[command(name = "bizra-scan scan", version)]
struct ScanOnly {
    #[command(flatten)]
    scan: ScanArgs,
    #[command(flatten)]
    display: Display,
}

/// Reads the command line; `args` begin with the program's name.
///
/// # Errors
/// clap's, which print themselves; help and version are among them.
pub fn parse(args: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut definition = Cli::command();
    let matches = definition.try_get_matches_from_mut(&args)?;
    let name = matches.subcommand_name().map(str::to_owned);
    let mut cli = Cli::from_arg_matches(&matches)?;
    let stray = matches.ids().find(|id| {
        let global = matches!(id.as_str(), "color" | "ascii" | "quiet");
        // Groups of arguments have ids too, and no source of their own.
        let given = definition.get_arguments().any(|arg| arg.get_id() == *id)
            && matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        given && !global
    });
    match (name.as_deref(), stray) {
        (Some("scan"), Some(_)) => {
            let mut rest = args;
            if let Some(word) = rest.iter().skip(1).position(|arg| arg == "scan") {
                rest.remove(word + 1);
            }
            let ScanOnly { scan, display } = ScanOnly::try_parse_from(rest)?;
            cli = Cli { command: None, scan, display };
        }
        (Some(name), Some(stray)) => {
            let long = definition.get_arguments().find(|arg| arg.get_id() == stray).and_then(clap::Arg::get_long);
            let typed = long.map_or_else(|| stray.to_string(), |long| format!("--{long}"));
            let message = format!("`{typed}` is an argument of a scan and cannot be used with `{name}`");
            return Err(definition.error(clap::error::ErrorKind::ArgumentConflict, message));
        }
        _ => {}
    }
    if let Some(Command::Scan(scan)) = cli.command {
        cli = Cli { command: None, scan: *scan, display: cli.display };
    }
    Ok(cli)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        parse(line.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn the_definition_holds() {
        Cli::command().debug_assert();
        ScanOnly::command().debug_assert();
    }

    #[test]
    fn flags_of_a_scan_may_stand_before_and_after_its_word() {
        for line in [
            "bizra-scan --format json scan a",
            "bizra-scan scan --format json a",
            "bizra-scan a --format json",
            "bizra-scan --format=json a",
        ] {
            let cli = read(line).unwrap();
            assert!(cli.command.is_none());
            assert_eq!((cli.scan.format, cli.scan.paths), (Format::Json, vec![PathBuf::from("a")]), "{line}");
        }
    }

    #[test]
    fn a_command_s_word_is_the_command_and_dot_slash_a_folder() {
        assert!(matches!(read("bizra-scan rules list").unwrap().command, Some(Command::Rules(_))));
        assert_eq!(read("bizra-scan ./rules").unwrap().scan.paths, [PathBuf::from("./rules")]);
        assert_eq!(read("bizra-scan scan rules").unwrap().scan.paths, [PathBuf::from("rules")]);
        assert_eq!(read("bizra-scan src rules").unwrap().scan.paths.len(), 2);
        let cli = read("bizra-scan --color never --quiet explain x").unwrap();
        assert!(matches!(cli.command, Some(Command::Explain(_))) && cli.display.quiet);
        let error = read("bizra-scan --fail-on high explain x").unwrap_err().to_string();
        assert!(error.contains("`--fail-on` is an argument of a scan"), "{error}");
    }

    #[test]
    fn outputs_and_sizes_are_read() {
        let cli = read("bizra-scan --output json=a=b.json --output terminal=t.txt --max-file-size 500k").unwrap();
        assert_eq!(cli.scan.output[0], Output { format: Format::Json, path: "a=b.json".into() });
        assert_eq!(cli.scan.config.max_file_size, Some(500_000));
        for wrong in
            ["--output json", "--output xml=a", "--output json=", "--output json=-", "--max-file-size 0", "--threads 0"]
        {
            assert!(read(&format!("bizra-scan {wrong}")).is_err(), "{wrong}");
        }
        assert!(read("bizra-scan --stdin-file-path a.ts b").is_err());
        assert!(read("bizra-scan --today 2026-02-30").is_err());
    }
}
