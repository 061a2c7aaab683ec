//! Arguments to command to exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

/// A scan makes millions of small allocations on all threads at once; this one
/// serves them faster than the systems' own, for more memory. Its second
/// version takes a third less of it than the third, and a tenth less time on a
/// large repository, since fewer pages are cleared (`docs/performance.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(bizra_scan::command::run(std::env::args_os().collect()).code())
}
