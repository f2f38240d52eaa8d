//! Text with a column of labels, the shape of every answer.

use crate::cli::style::{LABEL, paint};

const LABEL_WIDTH: usize = 12;

/// Text under construction.
#[derive(Debug, Default)]
pub(in crate::cli) struct Lines(String);

impl Lines {
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
                self.0.push_str(&label);
            } else {
                self.0.push_str(&" ".repeat(LABEL_WIDTH));
            }
            self.line(line);
        }
    }

    /// A line.
    pub(in crate::cli) fn line(&mut self, text: impl AsRef<str>) {
        self.0.push_str(text.as_ref());
        self.0.push('\n');
    }

    /// An empty line, unless nothing is above it or one is there already.
    pub(in crate::cli) fn gap(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
    }

    /// Finished text, as is.
    pub(in crate::cli) fn block(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// The whole text.
    pub(in crate::cli) fn finish(self) -> String {
        self.0
    }
}
