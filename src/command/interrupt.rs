//! Ctrl-C: temporary files are removed, and the process ends with 130.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// 128 and the number of SIGINT, as shells say it.
const INTERRUPTED: i32 = 130;

/// Catches Ctrl-C from now on. Where that cannot be had, the system's own way
/// of ending the process stays.
pub fn install() {
    let _ = ctrlc::set_handler(|| {
        for path in TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = std::fs::remove_file(path);
        }
        std::process::exit(INTERRUPTED);
    });
}

/// Has `path` removed if Ctrl-C comes before [`keep`].
pub fn remove_if_interrupted(path: &Path) {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
}

/// The file is done and stays, or is gone.
pub fn keep(path: &Path) {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| other != path);
}
