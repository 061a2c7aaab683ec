//! Where reports go: standard output, and files that appear whole or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::command::{Failure, interrupt};

/// Writes to standard output. A reader that closes the pipe has what it
/// wanted: that is no failure and says nothing.
///
/// # Errors
/// Any other reason why standard output cannot be written to.
pub fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("standard output cannot be written to: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error. Where that cannot be written to there is
/// nowhere left to say so; the exit code tells.
pub fn to_stderr(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes `bytes` to `path`: beside it first, then in its place, so that no
/// reader sees half a report. What is no regular file (`/dev/stderr`, a pipe)
/// is written to as it is.
///
/// # Errors
/// Where the path cannot be written to.
pub fn to_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failure = |error: io::Error| Failure::new(format!("`{}` cannot be written: {error}", path.display()));
    if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        return match fs::OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(bytes)) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(failure(error)),
            _ => Ok(()),
        };
    }
    // A link keeps leading to its file.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = beside(&target);
    interrupt::remove_if_interrupted(&beside);
    let mode = fs::metadata(&target).ok().map(|meta| meta.permissions());
    let written = write_new(&beside, bytes, mode).and_then(|()| fs::rename(&beside, &target));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    interrupt::keep(&beside);
    written.map_err(failure)
}

/// Writes a file with the permissions of the one that it will replace, so that
/// what was closed to others stays so.
fn write_new(path: &Path, bytes: &[u8], mode: Option<fs::Permissions>) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    if let Some(mode) = mode {
        file.set_permissions(mode)?;
    }
    file.write_all(bytes)
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}
