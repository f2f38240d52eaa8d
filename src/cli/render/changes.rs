//! Changes, grouped by what they are about.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::Style;

use super::page::{Page, width};
use crate::cli::style::{ADDED, CHANGED, FAINT, LABEL, REMOVED, paint};
use crate::report::{Action, Area, Change};

/// Longest subject that details are lined up behind.
const WIDEST_SUBJECT: usize = 44;

/// What stands before a subject: two blanks, the area, the mark, a blank.
const MARGIN: usize = 14;

/// What a directory is that nobody asked for by name.
const PLAIN_DIRECTORY: &str = "directory 0755 root:root";

/// So many directories on the way to what is created are listed; more are counted.
const MOST_ON_THE_WAY: usize = 3;

/// One line per change under the name of its area; empty if there are none.
pub(in crate::cli) fn changes(changes: &[Change], page: Page) -> String {
    let mut areas: BTreeMap<Area, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        areas.entry(change.area).or_default().push(change);
    }
    let mut lines = Vec::new();
    for (area, changes) in areas {
        let (changes, on_the_way) = without_the_way(changes);
        let width = changes
            .iter()
            .filter(|change| fits(change, page))
            .map(|change| width(&subject(change)))
            .filter(|width| *width <= WIDEST_SUBJECT)
            .max()
            .unwrap_or(0);
        let mut shown: Vec<String> = changes
            .into_iter()
            .map(|change| line(change, width, page))
            .collect();
        if on_the_way > 0 {
            let text = format!("{on_the_way} directories on the way to these");
            shown.push(format!("{} {}\n", paint(ADDED, "+"), paint(FAINT, text)));
        }
        for (number, line) in shown.into_iter().enumerate() {
            let heading = if number == 0 { area.name() } else { "" };
            let heading = paint(LABEL, format!("{heading:<10}"));
            lines.push(format!("  {heading}{line}"));
        }
    }
    lines.concat()
}

/// Leaves out the directories that are made because something below them is, if they are many, and counts them.
fn without_the_way(changes: Vec<&Change>) -> (Vec<&Change>, usize) {
    let created = |change: &&Change| change.action == Action::Create;
    let above: BTreeSet<&str> = changes
        .iter()
        .copied()
        .filter(created)
        .filter_map(|change| change.subject.rsplit_once('/').map(|(above, _)| above))
        .collect();
    let is_on_the_way = |change: &&Change| {
        created(change)
            && change.detail.as_deref() == Some(PLAIN_DIRECTORY)
            && above.contains(change.subject.as_str())
    };
    let count = changes
        .iter()
        .filter(|change| is_on_the_way(change))
        .count();
    if count <= MOST_ON_THE_WAY {
        return (changes, 0);
    }
    let rest = changes.into_iter().filter(|change| !is_on_the_way(change));
    (rest.collect(), count)
}

fn fits(change: &Change, page: Page) -> bool {
    let detail = change.detail.as_ref().map_or(0, |detail| width(detail) + 2);
    page.holds(MARGIN + width(&subject(change)) + detail)
}

/// The detail stands in its column; behind the subject where there is no room for that; else below.
fn line(change: &Change, column: usize, page: Page) -> String {
    let (mark, style) = mark(change.action);
    let (mark, subject) = (paint(style, mark), subject(change));
    let Some(detail) = &change.detail else {
        return format!("{mark} {subject}\n");
    };
    if page.holds(MARGIN + column.max(width(&subject)) + 2 + width(detail)) {
        return format!("{mark} {subject:<column$}  {}\n", paint(FAINT, detail));
    }
    if fits(change, page) {
        return format!("{mark} {subject}  {}\n", paint(FAINT, detail));
    }
    let below = MARGIN + 2;
    let detail = page.broken_behind(below, detail);
    format!("{mark} {subject}\n{:below$}{}\n", "", paint(FAINT, detail))
}

/// The verb is said where the mark does not say it.
fn subject(change: &Change) -> String {
    match change.action {
        Action::Create | Action::Update | Action::Remove | Action::Install => {
            change.subject.clone()
        }
        verb => format!("{} {}", verb.verb(), change.subject),
    }
}

fn mark(action: Action) -> (&'static str, Style) {
    match action {
        Action::Create | Action::Install | Action::Load | Action::Enable | Action::Start => {
            ("+", ADDED)
        }
        Action::Hold
        | Action::Release
        | Action::Update
        | Action::Repair
        | Action::Restart
        | Action::Reload
        | Action::Restore => ("~", CHANGED),
        Action::Remove | Action::Lock | Action::Disable | Action::Stop => ("-", REMOVED),
    }
}

/// How many of each: `3 to create, 1 to update, 1 to restart`. The infinitives become participles when it is `done`.
pub(in crate::cli) fn tally(changes: &[Change], tense: Tense) -> String {
    let mut counts: Vec<(Action, usize)> = Vec::new();
    for change in changes {
        match counts
            .iter_mut()
            .find(|(action, _)| *action == change.action)
        {
            Some((_, count)) => *count += 1,
            None => counts.push((change.action, 1)),
        }
    }
    counts.sort_by_key(|(action, _)| *action as u8);
    let words = counts.into_iter().map(|(action, count)| match tense {
        Tense::ToDo => format!("{count} to {}", action.verb()),
        Tense::Done => format!("{count} {}", participle(action)),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Whether changes are still to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Tense {
    /// They are.
    ToDo,
    /// They were made.
    Done,
}

fn participle(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Repair => "repaired",
        Action::Remove => "removed",
        Action::Restore => "restored",
        Action::Install => "installed",
        Action::Hold => "held",
        Action::Release => "released",
        Action::Load => "loaded",
        Action::Lock => "locked",
        Action::Enable => "enabled",
        Action::Disable => "disabled",
        Action::Start => "started",
        Action::Stop => "stopped",
        Action::Restart => "restarted",
        Action::Reload => "reloaded",
    }
}
