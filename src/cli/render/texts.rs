//! What changes inside of texts, as `git diff` shows it.

use super::Lines;
use crate::cli::style::{ADDED, FAINT, LABEL, REMOVED, paint};
use crate::report::TextChange;

/// Each text after an empty line; why, where nothing can be shown.
pub(in crate::cli) fn texts(texts: &[TextChange]) -> String {
    let mut lines = Lines::default();
    for text in texts {
        match (&text.diff, &text.left_out) {
            (Some(diff), _) => {
                lines.line("");
                lines.block(&unified(diff));
            }
            (None, Some(reason)) => {
                lines.line(format!("{} {}: {reason}", text.resource, text.name));
            }
            (None, None) => {}
        }
    }
    lines.finish()
}

/// A unified diff in colours. Not indented, so that it can be given to `patch`.
pub(in crate::cli) fn unified(diff: &str) -> String {
    let line = |line: &str| {
        let style = match line {
            heading if heading.starts_with("+++") || heading.starts_with("---") => LABEL,
            place if place.starts_with("@@") => FAINT,
            added if added.starts_with('+') => ADDED,
            removed if removed.starts_with('-') => REMOVED,
            same => return format!("{same}\n"),
        };
        format!("{}\n", paint(style, line))
    };
    diff.lines().map(line).collect()
}
