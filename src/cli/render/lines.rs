//! Text with a column of labels, the shape of every answer.

use super::page::{Page, broken, width};
use crate::cli::style::{LABEL, paint};

const LABEL_WIDTH: usize = 12;

/// Text under construction.
#[derive(Debug, Default)]
pub(in crate::cli) struct Lines {
    text: String,
    page: Page,
}

impl Lines {
    /// Text that is read on `page`: lines that are too long for it are broken at blanks.
    pub(in crate::cli) fn on(page: Page) -> Self {
        Self {
            text: String::new(),
            page,
        }
    }

    /// A line `label  text`; further lines of `text` are indented under the first.
    pub(in crate::cli) fn field(&mut self, label: &str, text: impl AsRef<str>) {
        let label = format!(
            "{}{:pad$}",
            paint(LABEL, label),
            "",
            pad = LABEL_WIDTH.saturating_sub(label.len())
        );
        for (number, line) in text.as_ref().lines().enumerate() {
            if number == 0 {
                self.text.push_str(&label);
            } else {
                self.text.push_str(&" ".repeat(LABEL_WIDTH));
            }
            let line = self.page.broken_behind(LABEL_WIDTH, line);
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }

    /// A line; where it is too long it goes on below, as far from the margin.
    pub(in crate::cli) fn line(&mut self, text: impl AsRef<str>) {
        let text = text.as_ref();
        let bare = text.trim_start_matches(' ');
        let margin = text.len() - bare.len();
        match self.page.room_behind(margin) {
            Some(room) if width(bare) > room => {
                self.text.push_str(&" ".repeat(margin));
                self.text.push_str(&broken(bare, room, margin));
            }
            _ => self.text.push_str(text),
        }
        self.text.push('\n');
    }

    /// An empty line, unless nothing is above it or one is there already.
    pub(in crate::cli) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Finished text, as is.
    pub(in crate::cli) fn block(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The whole text.
    pub(in crate::cli) fn finish(self) -> String {
        self.text
    }
}
