//! How work on a backup goes on, on stderr: a bar at a terminal, a plain line now and then elsewhere.

use std::cell::{Cell, RefCell};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::backup::{Event, Progress};
use crate::cli::answer::say;
use crate::cli::render::size;
use crate::cli::style::{WARN, paint};

/// How often somebody is told who is not at a terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(30);

/// Somebody watches.
pub(super) struct Screen {
    bar: Option<ProgressBar>,
    doing: RefCell<&'static str>,
    told: Cell<Instant>,
}

impl Screen {
    /// Begins to show how it goes on.
    pub(super) fn begin() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            bar.set_style(style("{spinner} {wide_msg} {elapsed:>4}"));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            bar,
            doing: RefCell::new(""),
            told: Cell::new(Instant::now()),
        }
    }

    /// Shows `event`.
    pub(super) fn tell(&self, event: &Event) {
        match event {
            Event::Progress(progress) => self.progress(progress),
            Event::Doing(doing) => self.doing(doing),
            Event::Waiting => self.fact(
                "another process works with the repository: waiting until it is done".to_owned(),
            ),
            Event::Initialised { repository } => {
                self.fact(format!("made a new repository: {repository}"));
            }
            Event::Unread(unread) => self.fact(format!(
                "{} {}: {}",
                paint(WARN, "not read:"),
                unread.path,
                unread.reason
            )),
            Event::Said(text) => match &self.bar {
                Some(bar) => bar.set_message(text.clone()),
                None => say(text),
            },
        }
    }

    /// Clears the bar: what comes next is the answer.
    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn doing(&self, doing: &'static str) {
        self.doing.replace(doing);
        match &self.bar {
            Some(bar) => {
                bar.set_style(style("{spinner} {wide_msg} {elapsed:>4}"));
                bar.set_message(doing);
            }
            None => say(doing),
        }
    }

    /// A line that stays.
    fn fact(&self, text: String) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(&text)),
            None => say(text),
        }
    }

    fn progress(&self, progress: &Progress) {
        let text = in_words(progress);
        let Some(bar) = &self.bar else {
            if self.told.get().elapsed() >= PLAIN_EVERY {
                self.told.set(Instant::now());
                say(format!("{}: {text}", self.doing.borrow()));
            }
            return;
        };
        if bar.length() == Some(0) {
            bar.set_style(style("[{bar:30}] {wide_msg} {elapsed:>4}"));
        }
        bar.set_length(progress.of_bytes.max(1));
        bar.set_position(progress.bytes);
        let current = progress.current.as_deref().unwrap_or_default();
        bar.set_message(format!("{text}  {current}"));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).map_or_else(
        |_| ProgressStyle::default_bar(),
        |style| style.progress_chars("=> "),
    )
}

/// `12 of 40 files, 1.2 GiB of 4.0 GiB (30 %), 3 min left`
fn in_words(progress: &Progress) -> String {
    let Progress {
        files,
        of_files,
        bytes,
        of_bytes,
        ..
    } = *progress;
    let percent = (bytes.saturating_mul(100))
        .checked_div(of_bytes)
        .unwrap_or(0);
    let left = match progress.seconds_left {
        None | Some(0) => String::new(),
        Some(seconds @ 1..60) => format!(", {seconds} s left"),
        Some(seconds) => format!(", {} min left", seconds / 60),
    };
    format!(
        "{files} of {of_files} files, {} of {} ({percent} %){left}",
        size(bytes),
        size(of_bytes)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_files_bytes_and_time() {
        let mut progress = Progress {
            files: 12,
            of_files: 40,
            bytes: 300,
            of_bytes: 1_000,
            seconds_left: Some(185),
            current: None,
        };
        assert_eq!(
            in_words(&progress),
            "12 of 40 files, 300 bytes of 1000 bytes (30 %), 3 min left"
        );
        progress.seconds_left = Some(9);
        assert!(in_words(&progress).ends_with(", 9 s left"));
        assert_eq!(
            in_words(&Progress::default()),
            "0 of 0 files, 0 bytes of 0 bytes (0 %)"
        );
    }
}
