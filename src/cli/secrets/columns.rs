//! Tables of the verbs: columns under headings.

use crate::cli::answer::visible;
use crate::cli::render::{Page, width};
use crate::cli::style::{LABEL, paint};

/// Rows under headings, each column as wide as its widest cell; colours take no room, and names of files do nothing to the
/// terminal. What has no room in a terminal's line goes on below, in its column.
pub(in crate::cli) fn columns<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    laid_out(headings, rows, Page::of_stdout())
}

fn laid_out<const N: usize>(headings: [&str; N], rows: &[[String; N]], page: Page) -> String {
    let head = headings.map(|heading| match heading {
        "" => String::new(),
        heading => paint(LABEL, heading),
    });
    let cells = |row: &[String; N]| row.each_ref().map(|cell| visible(cell).into_owned());
    let all: Vec<[String; N]> = std::iter::once(&head).chain(rows).map(cells).collect();
    let widest = |column: usize| all.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N.saturating_sub(1)).map(widest).collect();
    let before: usize = widths.iter().map(|width| width + 2).sum();
    let mut text = String::new();
    for mut row in all {
        if let Some(last) = row.last_mut() {
            *last = page.broken_behind(before, last);
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
        let wide = bare(laid_out(["FILE", "ME", "USED BY"], &rows, Page::ENDLESS));
        assert_eq!(
            wide,
            format!("{head}\na.yml  yes  one, two, three, four, five, six\nb.yml  no\n")
        );
        let narrow = bare(laid_out(
            ["FILE", "ME", "USED BY"],
            &rows,
            Page::of_columns(37),
        ));
        assert_eq!(
            narrow,
            format!(
                "{head}\na.yml  yes  one, two, three, four,\n            five, six\nb.yml  no\n"
            )
        );
        assert_eq!(
            bare(laid_out(
                ["FILE", "ME", "USED BY"],
                &rows,
                Page::of_columns(20)
            )),
            wide
        );
    }
}
