//! Tables of the verbs: columns under headings.

use crate::cli::answer::visible;
use crate::cli::style::{LABEL, paint};

/// Less room than this is not worth breaking lines for.
const LEAST_ROOM: usize = 24;

/// Rows under headings, each column as wide as its widest cell; colours take no room, and names of files do nothing to the
/// terminal. What has no room in a terminal's line goes on below, in its column.
pub(in crate::cli) fn columns<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    laid_out(headings, rows, terminal_width())
}

/// How many characters a line of the terminal holds, if stdout is one.
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

fn laid_out<const N: usize>(
    headings: [&str; N],
    rows: &[[String; N]],
    line_width: Option<usize>,
) -> String {
    let head = headings.map(|heading| match heading {
        "" => String::new(),
        heading => paint(LABEL, heading),
    });
    let cells = |row: &[String; N]| row.each_ref().map(|cell| visible(cell).into_owned());
    let all: Vec<[String; N]> = std::iter::once(&head).chain(rows).map(cells).collect();
    let widest = |column: usize| all.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N.saturating_sub(1)).map(widest).collect();
    let before: usize = widths.iter().map(|width| width + 2).sum();
    let room = line_width.and_then(|width| width.checked_sub(before));
    let room = room.filter(|room| *room >= LEAST_ROOM);
    let mut text = String::new();
    for mut row in all {
        if let (Some(room), Some(last)) = (room, row.last_mut()) {
            *last = broken(last, room, before);
        }
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if let Some(wanted) = widths.get(column) {
                line.push_str(&" ".repeat(wanted + 2 - width(cell)));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn width(text: &str) -> usize {
    let bare = anstream::adapter::strip_str(text).to_string();
    bare.chars().count()
}

/// `text` in lines of at most `room` characters, where it has blanks to break it at; all but the first begin at `column`.
fn broken(text: &str, room: usize, column: usize) -> String {
    let mut lines = String::with_capacity(text.len());
    let mut used = 0;
    for word in text.split(' ') {
        let needed = width(word);
        if used > 0 && used + 1 + needed > room {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', column));
            used = 0;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += needed;
    }
    lines
}

/// The first of `names`, each behind `sign`, and how many more there are.
pub(super) fn signed(names: &[String], sign: &str, style: anstyle::Style) -> String {
    const SHOWN: usize = 8;
    let mut parts: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| paint(style, format!("{sign}{name}")))
        .collect();
    if names.len() > SHOWN {
        parts.push(paint(style, format!("{sign}{} more", names.len() - SHOWN)));
    }
    parts.join(" ")
}

/// `1 file`, `2 files`.
pub(in crate::cli) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

/// All of `names` if they are few, else some of them and how many more there are.
pub(in crate::cli) fn some_of(names: &[String], noun: &str) -> String {
    const SHOWN: usize = 3;
    if names.len() <= SHOWN {
        return names.join(", ");
    }
    format!(
        "{} and {}",
        names[..SHOWN - 1].join(", "),
        counted(names.len() - SHOWN + 1, &format!("more {noun}"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_column_that_is_too_long_goes_on_in_its_column() {
        let rows = [
            [
                "a.yml".to_owned(),
                "yes".to_owned(),
                "one, two, three, four, five, six".to_owned(),
            ],
            ["b.yml".to_owned(), "no".to_owned(), String::new()],
        ];
        let head = "FILE   ME   USED BY";
        let bare = |text: String| anstream::adapter::strip_str(&text).to_string();
        let wide = bare(laid_out(["FILE", "ME", "USED BY"], &rows, None));
        assert_eq!(
            wide,
            format!("{head}\na.yml  yes  one, two, three, four, five, six\nb.yml  no\n")
        );
        let narrow = bare(laid_out(["FILE", "ME", "USED BY"], &rows, Some(37)));
        assert_eq!(
            narrow,
            format!(
                "{head}\na.yml  yes  one, two, three, four,\n            five, six\nb.yml  no\n"
            )
        );
        assert_eq!(
            bare(laid_out(["FILE", "ME", "USED BY"], &rows, Some(20))),
            wide
        );
    }
}
