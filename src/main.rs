//! Arguments to command to exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(bizra_scan::command::run(std::env::args_os().collect()).code())
}
