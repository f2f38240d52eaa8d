//! How work on many files goes on: a bar at a terminal, once it takes longer than somebody likes to wait.

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::secrets::Step;

const PATIENCE: Duration = Duration::from_millis(300);

/// Somebody may be watching.
pub(in crate::cli) struct Progress {
    began: Instant,
    bar: Mutex<Option<ProgressBar>>,
    is_terminal: bool,
}

impl Progress {
    /// Begins; nothing is shown yet.
    pub(in crate::cli) fn begin() -> Self {
        Self {
            began: Instant::now(),
            bar: Mutex::new(None),
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Shows how far it is.
    pub(in crate::cli) fn tell(&self, step: Step) {
        if !self.is_terminal || self.began.elapsed() < PATIENCE {
            return;
        }
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template("{msg:>10} [{bar:30}] {pos}/{len}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        bar.set_message(step.doing);
        bar.set_length(u64::try_from(step.of).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(step.done).unwrap_or(u64::MAX));
    }

    /// Clears it: what comes next is the answer.
    pub(in crate::cli) fn end(&self) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = bar.take() {
            bar.finish_and_clear();
        }
    }
}
