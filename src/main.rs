//! Arguments to command to exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

/// A scan makes millions of small allocations on all threads at once; this one
/// serves them faster than the systems' own, for more memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(bizra_scan::command::run(std::env::args_os().collect()).code())
}
