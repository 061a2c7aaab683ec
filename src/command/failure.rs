//! Why a command could not do its work, and how that is told.

use std::io::{self, IsTerminal};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use thiserror::Error;

use crate::cli::{Display, When};
use crate::command::output;
use crate::config::ConfigError;
use crate::rule::RuleError;
use crate::rule::folder::FolderError;
use crate::scan::ScanError;
use crate::source::visible;
use crate::walk::WalkError;

/// Usage, configuration or path: exit code 2.
#[derive(Debug)]
pub struct Failure(Box<dyn Diagnostic + Send + Sync>);

#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
struct Plain {
    message: String,
    #[help]
    help: Option<String>,
}

impl Failure {
    /// A failure in one sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self::with_help(message, None)
    }

    /// A failure with advice.
    pub fn with_help(message: impl Into<String>, help: Option<String>) -> Self {
        // Messages hold names of files.
        let help = help.map(|help| visible(&help).into_owned());
        Self(Box::new(Plain { message: visible(&message.into()).into_owned(), help }))
    }

    /// A failure that says itself what is wrong.
    pub fn from_diagnostic(error: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }

    /// Prints it on standard error.
    pub fn tell(&self, display: &Display) {
        let color = color(display, &io::stderr());
        let theme = match (display.ascii, color) {
            (true, _) => GraphicalTheme::ascii(),
            (false, true) => GraphicalTheme::unicode(),
            (false, false) => GraphicalTheme::unicode_nocolor(),
        };
        let mut text = String::new();
        // Writing to a string does not fail; if it ever did, the plain words
        // are still there.
        if GraphicalReportHandler::new_themed(theme).with_width(80).render_report(&mut text, &*self.0).is_err() {
            text = self.0.to_string();
        }
        output::to_stderr(text.trim_end());
    }
}

/// Whether to colour what goes to `stream`.
pub fn color(display: &Display, stream: &(impl IsTerminal + anstream::stream::RawStream)) -> bool {
    match display.color {
        When::Always => true,
        When::Never => false,
        When::Auto => anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never,
    }
}

impl From<Box<ConfigError>> for Failure {
    fn from(error: Box<ConfigError>) -> Self {
        Self(error)
    }
}

impl From<Box<RuleError>> for Failure {
    fn from(error: Box<RuleError>) -> Self {
        Self(error)
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Rule(error) => Self(error),
            FolderError::Unreadable(_) => Self::new(error.to_string()),
        }
    }
}

impl From<ScanError> for Failure {
    fn from(error: ScanError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<WalkError> for Failure {
    fn from(error: WalkError) -> Self {
        let help = match &error {
            WalkError::NoSuchPath(path) => similar(path),
            _ => None,
        };
        Self::with_help(error.to_string(), help)
    }
}

/// For a word that is neither a path nor a command: what may have been meant
/// of either.
fn similar(word: &str) -> Option<String> {
    use clap::CommandFactory;
    if word.contains(['/', '\\']) {
        return None;
    }
    let definition = crate::cli::Cli::command();
    let command = crate::rule::load::nearest(word, definition.get_subcommands().map(clap::Command::get_name));
    let names: Vec<String> = std::fs::read_dir(".")
        .map(|entries| entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
        .unwrap_or_default();
    let path = crate::rule::load::nearest(word, names.iter().map(String::as_str));
    match (command, path) {
        (Some(command), Some(path)) => {
            Some(format!("did you mean the command `bizra-scan {command}`, or the path `./{path}`?"))
        }
        (Some(command), None) => Some(format!(
            "did you mean the command `bizra-scan {command}`? A folder of that name is scanned with `bizra-scan ./{command}`"
        )),
        (None, Some(path)) => Some(format!("did you mean `./{path}`?")),
        (None, None) => None,
    }
}
