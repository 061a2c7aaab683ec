//! The commands, each of which reads top to bottom, and what they share: how
//! a run ends, and how a failure is told.

mod completions;
pub mod explain;
mod failure;
mod interrupt;
mod output;
mod progress;
pub mod rules;
mod scan;
mod setup;
mod why;

use std::ffi::OsString;

use crate::cli::{self, Command};

pub use failure::Failure;

/// How a run ended: what the process' exit code says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exit {
    /// All is well.
    Passed,
    /// The gate failed.
    GateFailed,
    /// A file could not be looked at, and `--require-complete` was given.
    Incomplete,
    /// Usage, configuration or path.
    Usage,
}

impl Exit {
    /// The code that the process ends with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::GateFailed => 1,
            Self::Incomplete => 3,
            Self::Usage => 2,
        }
    }
}

/// Runs the program with its arguments, the program's name first.
pub fn run(args: Vec<OsString>) -> Exit {
    interrupt::install();
    quiet_workers();
    let cli = match cli::parse(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no failure; a
            // closed pipe says nothing.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Passed };
        }
    };
    let display = cli.display;
    let outcome = match cli.command {
        None => scan::run(&cli.scan, &display),
        Some(Command::Scan(args)) => scan::run(&args, &display),
        Some(Command::Why(args)) => why::run(&args, &display),
        Some(Command::Explain(args)) => explain::run(&args, &display),
        Some(Command::Rules(args)) => rules::run(&args, &display),
        Some(Command::Completions(args)) => completions::run(args),
    };
    outcome.unwrap_or_else(|failure| {
        failure.tell(&display);
        Exit::Usage
    })
}

/// A panic on a worker becomes a `skipped` entry of the report; its message
/// on standard error would only disturb.
fn quiet_workers() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let on_worker = std::thread::current().name().is_some_and(|name| name.starts_with(crate::scan::WORKER));
        if !on_worker {
            usual(panic);
        }
    }));
}
