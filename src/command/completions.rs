//! `bizra-scan completions SHELL`.

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs};
use crate::command::{Exit, Failure};

/// Prints the completion script of a shell.
///
/// # Errors
/// Where standard output cannot be written to; a closed pipe is none.
pub fn run(args: CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "bizra-scan", &mut script);
    super::output::to_stdout(|out| out.write_all(&script))?;
    Ok(Exit::Passed)
}
