//! The bar of a long scan, on standard error and only on a terminal.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shorter scans need no bar.
const PATIENCE: Duration = Duration::from_millis(400);

/// A bar that shows itself when a scan turns out to be long.
pub struct Progress {
    bar: ProgressBar,
    since: Instant,
}

impl Progress {
    /// A bar, where `wanted` and standard error is a terminal.
    pub fn new(wanted: bool, ascii: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if wanted && stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        let signs = if ascii { "=> " } else { "█▉▊▋▌▍▎▏ " };
        if let Ok(style) = ProgressStyle::with_template("scanning {bar:30} {pos} of {len} files") {
            bar.set_style(style.progress_chars(signs));
        }
        Self { bar, since: Instant::now() }
    }

    /// `done` of `total` files are looked at.
    pub fn tell(&self, done: u64, total: u64) {
        if self.since.elapsed() > PATIENCE {
            self.bar.set_length(total);
            self.bar.set_position(done);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
