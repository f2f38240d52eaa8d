//! Tables of the verbs: columns under headings.

use crate::cli::style::{LABEL, paint};

/// Rows under headings, each column as wide as its widest cell; colours take no room.
pub(in crate::cli) fn columns<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let width = |text: &str| {
        anstream::adapter::strip_str(text)
            .to_string()
            .chars()
            .count()
    };
    let head = headings.map(|heading| match heading {
        "" => String::new(),
        heading => paint(LABEL, heading),
    });
    let all: Vec<&[String; N]> = std::iter::once(&head).chain(rows).collect();
    let widest = |column: usize| all.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N.saturating_sub(1)).map(widest).collect();
    let mut text = String::new();
    for row in all {
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
