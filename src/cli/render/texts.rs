//! What changes inside of texts, as `git diff` shows it.

use super::Lines;
use super::page::{Page, harmless};
use crate::cli::secrets::counted;
use crate::cli::style::{ADDED, FAINT, LABEL, REMOVED, paint};
use crate::report::TextChange;

/// So many lines of one text are shown to somebody who looks at a terminal.
const MOST_OF_ONE: usize = 60;

/// So many of all texts together.
const MOST_OF_ALL: usize = 300;

/// Each text after an empty line; why, where nothing can be shown.
pub(in crate::cli) fn texts(texts: &[TextChange], page: Page) -> String {
    let mut lines = Lines::on(page);
    for text in texts {
        if let (None, Some(reason)) = (&text.diff, &text.left_out) {
            lines.line(format!("{} {}: {reason}", text.resource, text.name));
        }
    }
    let diffs = texts.iter().filter_map(|text| text.diff.as_deref());
    lines.block(&diffs_on(page, diffs));
    lines.finish()
}

/// Each diff after an empty line. A program gets all of them; a person at a terminal as much as can be looked at, and how
/// much more there is.
pub(in crate::cli) fn diffs_on<'a>(page: Page, diffs: impl Iterator<Item = &'a str>) -> String {
    let mut lines = Lines::on(page);
    let (mut left, mut not_shown, mut cut) = (MOST_OF_ALL, 0, 0);
    for diff in diffs {
        if !page.is_terminal() {
            lines.line("");
            lines.block(&unified(diff));
            continue;
        }
        let all = diff.lines().count();
        let shown = all.min(MOST_OF_ONE);
        if shown > left {
            not_shown += 1;
            continue;
        }
        left -= shown;
        let first: Vec<&str> = diff.lines().take(shown).collect();
        lines.line("");
        lines.block(&unified(&harmless(page, &first.join("\n"))));
        if all > shown {
            cut += 1;
            let (added, removed) = (starting(diff, '+'), starting(diff, '-'));
            let more = counted(all - shown, "more line");
            let text = format!("… {more}; in all, {added} are added and {removed} removed");
            lines.line(paint(FAINT, text));
        }
    }
    if not_shown > 0 {
        lines.gap();
        let more = counted(not_shown, "more file");
        lines.line(format!("… and what differs in {more}"));
    }
    if not_shown + cut > 0 {
        lines.gap();
        lines.line(paint(
            FAINT,
            "Give this to a pager for whole diffs: `… | less`.",
        ));
    }
    lines.finish()
}

/// How many lines of a diff begin with `sign`; its two headings are none.
fn starting(diff: &str, sign: char) -> usize {
    let lines = diff.lines().skip(2);
    lines.filter(|line| line.starts_with(sign)).count()
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
