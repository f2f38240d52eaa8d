//! Comparisons as text for people.

use std::fmt::Write as _;

use super::HostPreview;
use super::side::Files;
use crate::cli::render::{Lines, Page, Tense, changes, differences, revision, tally, texts};
use crate::cli::secrets::{columns, counted};
use crate::cli::style::{ADDED, BAD, FAINT, GOOD, LABEL, REMOVED, paint};
use crate::generation::ChangeKind;

/// One host in full.
pub(super) fn host((from, to): (&Files, &Files), host: &HostPreview, now_secs: i64) -> String {
    let page = Page::of_stdout();
    let mut lines = Lines::on(page);
    lines.field("host", host.host.as_str());
    sides((from, to), &mut lines, now_secs);
    lines.field(
        "digest",
        match (&host.from_digest, &host.digest) {
            (Some(old), Some(new)) if old == new => new.to_string(),
            (Some(old), Some(new)) => format!("{old}\n→ {new}"),
            (None, Some(new)) => new.to_string(),
            (_, None) => "none".to_owned(),
        },
    );
    lines.gap();
    lines.block(&differences(&host.forecast.changes));
    lines.gap();
    lines.block(&changes(&host.forecast.units, page));
    lines.block(&texts(&host.forecast.texts, page));
    lines.gap();
    lines.line(verdict(from, host));
    lines.finish()
}

/// Every host on a line.
pub(super) fn table((from, to): (&Files, &Files), hosts: &[HostPreview], now_secs: i64) -> String {
    let mut lines = Lines::default();
    sides((from, to), &mut lines, now_secs);
    lines.gap();
    let rows: Vec<[String; 6]> = hosts.iter().map(row).collect();
    let headings = ["HOST", "CREATED", "CHANGED", "REMOVED", "DIGEST", "UNITS"];
    lines.block(&columns(headings, &rows));
    lines.gap();
    for host in hosts {
        if let Some(problem) = &host.problem {
            lines.line(format!("{} {}", paint(BAD, "error:"), problem.what));
            for excerpt in &problem.excerpts {
                lines.line(excerpt.trim_end());
            }
            lines.gap();
        }
    }
    let differ = hosts.iter().filter(|host| host.differs()).count();
    let wrong = hosts.iter().filter(|host| host.problem.is_some()).count();
    let mut verdict = format!("{} of {} change", differ, counted(hosts.len(), "host"));
    if wrong > 0 {
        // Writing to a text does not fail.
        let _ = write!(verdict, "; {} cannot be built", counted(wrong, "host"));
    }
    lines.line(verdict);
    lines.finish()
}

fn sides((from, to): (&Files, &Files), lines: &mut Lines, now_secs: i64) {
    let named = |files: &Files| match &files.revision {
        Some(found) => revision(found, now_secs),
        None => "the files as they lie in the folder".to_owned(),
    };
    if from.snapshot.is_some() {
        lines.field("from", named(from));
    }
    lines.field("revision", named(to));
}

fn row(host: &HostPreview) -> [String; 6] {
    let count = |kind, style| match host.count(kind) {
        0 => paint(FAINT, "0"),
        some => paint(style, some),
    };
    let digest = match (&host.problem, &host.from_digest, &host.digest) {
        (Some(_), ..) => paint(BAD, "error"),
        (None, Some(old), Some(new)) if old == new => paint(FAINT, "same"),
        (None, Some(_), Some(_)) => "different".to_owned(),
        (None, None, Some(_)) => paint(ADDED, "new"),
        (None, _, None) => paint(REMOVED, "gone"),
    };
    [
        paint(LABEL, &host.host),
        count(ChangeKind::Added, ADDED),
        count(ChangeKind::Changed, LABEL),
        count(ChangeKind::Removed, REMOVED),
        digest,
        tally(&host.forecast.units, Tense::ToDo),
    ]
}

fn verdict(from: &Files, host: &HostPreview) -> String {
    if from.snapshot.is_some() && !host.differs() {
        return paint(GOOD, format!("nothing changes for {}", host.host));
    }
    let mut text = format!(
        "{} added, {} changed, {} removed",
        host.count(ChangeKind::Added),
        host.count(ChangeKind::Changed),
        host.count(ChangeKind::Removed)
    );
    let units = tally(&host.forecast.units, Tense::ToDo);
    if !units.is_empty() {
        // Writing to a text does not fail.
        let _ = write!(text, "; units: {units}");
    }
    text
}
