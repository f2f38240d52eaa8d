//! Comparisons as Markdown, for a comment on a pull request.
//!
//! What comes from the repository is only ever put into code: between fences that are longer than any run of backticks in
//! it, or into code spans. So nothing in it becomes markup, a link or a mention.

use std::fmt::Write as _;

use super::HostPreview;
use super::side::Files;
use crate::cli::render::{Tense, tally};
use crate::generation::ChangeKind;

/// The longest comment; the common forges take 65,536 characters.
const COMMENT_BYTES: usize = 60_000;
/// The longest section of one host.
const HOST_BYTES: usize = 20_000;
/// The most rows of the table.
const ROWS: usize = 100;

/// The whole comment.
pub(super) fn comment((from, to): (&Files, &Files), hosts: &[HostPreview]) -> String {
    let differ: Vec<&HostPreview> = hosts
        .iter()
        .filter(|host| host.differs() || host.problem.is_some())
        .collect();
    let mut text = format!("### {}\n\n{}\n", headline(hosts), sides(from, to));
    if differ.is_empty() {
        return text;
    }
    text.push('\n');
    text.push_str(&table(&differ));
    let mut left = 0;
    for host in differ {
        let section = section(host);
        if text.len() + section.len() > COMMENT_BYTES {
            left += 1;
        } else {
            text.push('\n');
            text.push_str(&section);
        }
    }
    if left > 0 {
        let hosts = if left == 1 { "host" } else { "hosts" };
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "\n{left} more {hosts} would make this too long; `steadfast config diff HOST` shows each."
        );
    }
    text
}

fn headline(hosts: &[HostPreview]) -> String {
    let differ = hosts.iter().filter(|host| host.differs()).count();
    let wrong = hosts.iter().filter(|host| host.problem.is_some()).count();
    let mut text = match (differ, hosts) {
        (0, [one]) => format!("Nothing changes for {}", code(one.host.as_str())),
        (0, _) => format!("Nothing changes on {} hosts", hosts.len()),
        (_, [one]) => format!("What changes for {}", code(one.host.as_str())),
        (some, all) => format!("{some} of {} hosts change", all.len()),
    };
    if wrong > 0 {
        text = format!("{wrong} of {} hosts cannot be built; {text}", hosts.len());
    }
    text
}

fn sides(from: &Files, to: &Files) -> String {
    let named = |files: &Files| match &files.revision {
        Some(revision) => format!(
            "{} {}",
            code(revision.commit.short()),
            code(&revision.subject)
        ),
        None => "the files in the folder".to_owned(),
    };
    match from.snapshot {
        Some(_) => format!("From {} to {}.", named(from), named(to)),
        None => format!("Everything at {}.", named(to)),
    }
}

fn table(hosts: &[&HostPreview]) -> String {
    let mut text = "| host | created | changed | removed | units | digest |\n| --- | --: | --: | --: | --- | --- |\n".to_owned();
    for host in hosts.iter().take(ROWS) {
        let digest = match (&host.problem, &host.from_digest, &host.digest) {
            (Some(_), ..) => "**error**".to_owned(),
            (None, None, Some(_)) => "new".to_owned(),
            (None, _, None) => "gone".to_owned(),
            (None, Some(_), Some(new)) => code(&new.as_str()[..12]),
        };
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {digest} |",
            code(host.host.as_str()),
            host.count(ChangeKind::Added),
            host.count(ChangeKind::Changed),
            host.count(ChangeKind::Removed),
            tally(&host.forecast.units, Tense::ToDo)
        );
    }
    let more = hosts.len().saturating_sub(ROWS);
    if more > 0 {
        // Writing to a text does not fail.
        let _ = writeln!(text, "\n{more} more hosts are not listed.");
    }
    text
}

/// One host, folded.
fn section(host: &HostPreview) -> String {
    let name = &host.host;
    let mut blocks = Vec::new();
    if let Some(problem) = &host.problem {
        let excerpts = problem.excerpts.join("\n");
        blocks.push(fenced("", &format!("{}\n{excerpts}", problem.what)));
    }
    let changes: Vec<String> = host
        .forecast
        .changes
        .iter()
        .map(ToString::to_string)
        .collect();
    if !changes.is_empty() {
        blocks.push(fenced("", &changes.join("\n")));
    }
    let units: Vec<String> = host
        .forecast
        .units
        .iter()
        .map(ToString::to_string)
        .collect();
    if !units.is_empty() {
        blocks.push(format!("Units:\n\n{}", fenced("", &units.join("\n"))));
    }
    for text in &host.forecast.texts {
        match (&text.diff, &text.left_out) {
            (Some(diff), _) => blocks.push(fenced("diff", diff)),
            (None, Some(reason)) => blocks.push(format!("{}: {reason}", code(&text.name))),
            (None, None) => {}
        }
    }
    let mut body = String::new();
    let mut left = 0;
    for block in blocks {
        if body.len() + block.len() > HOST_BYTES {
            left += 1;
        } else {
            body.push_str(&block);
            body.push('\n');
        }
    }
    if left > 0 {
        // Writing to a text does not fail.
        let _ = writeln!(
            body,
            "{left} more would make this too long; `steadfast config diff {name}` shows it."
        );
    }
    // Names of hosts are letters, digits, `-` and `.`.
    format!("<details><summary><b>{name}</b></summary>\n\n{body}\n</details>\n")
}

/// A code block, whatever is in it; a long one is cut at a line.
fn fenced(language: &str, text: &str) -> String {
    const LONGEST: usize = 8_000;
    let mut shown = String::new();
    let mut left = 0;
    for line in text.lines() {
        if left == 0 && shown.len() + line.len() < LONGEST {
            // A carriage return or another control character would end the line for some readers.
            let line: String = line
                .chars()
                .map(|c| {
                    if c.is_control() && c != '\t' {
                        '\u{fffd}'
                    } else {
                        c
                    }
                })
                .collect();
            shown.push_str(&line);
            shown.push('\n');
        } else {
            left += 1;
        }
    }
    let fence = "`".repeat(longest_run(&shown).max(2) + 1);
    let more = match left {
        0 => String::new(),
        1 => "\n1 more line\n".to_owned(),
        left => format!("\n{left} more lines\n"),
    };
    format!("{fence}{language}\n{shown}{fence}\n{more}")
}

/// A code span, whatever is in it. In a table a `|` would end the cell even so: names of hosts and digests have none.
fn code(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_repository_does_not_become_markup() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`x` | <img>"), "`` `x` | <img> ``");
        let hostile = "```\n</details>\n@everyone\r\n````\n";
        let block = fenced("diff", hostile);
        assert!(block.starts_with("`````diff\n"), "{block}");
        assert!(block.trim_end().ends_with("\n`````"), "{block}");
        assert!(!block.contains('\r'));
    }

    #[test]
    fn a_long_text_is_cut_at_a_line() {
        let block = fenced("", &"0123456789\n".repeat(5_000));
        assert!(block.len() < 9_000, "{}", block.len());
        assert!(block.ends_with("more lines\n"), "{block}");
    }
}
