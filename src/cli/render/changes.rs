//! Changes, grouped by what they are about.

use std::collections::BTreeMap;

use anstyle::Style;

use crate::cli::style::{ADDED, CHANGED, FAINT, LABEL, REMOVED, paint};
use crate::report::{Action, Area, Change};

/// Longest subject that details are lined up behind.
const WIDEST_SUBJECT: usize = 44;

/// One line per change under the name of its area; empty if there are none.
pub(in crate::cli) fn changes(changes: &[Change]) -> String {
    let mut areas: BTreeMap<Area, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        areas.entry(change.area).or_default().push(change);
    }
    let mut lines = Vec::new();
    for (area, changes) in areas {
        let width = changes
            .iter()
            .map(|change| subject(change).len())
            .filter(|width| *width <= WIDEST_SUBJECT)
            .max()
            .unwrap_or(0);
        for (number, change) in changes.into_iter().enumerate() {
            let heading = if number == 0 { area.name() } else { "" };
            let heading = paint(LABEL, format!("{heading:<10}"));
            lines.push(format!("  {heading}{}", line(change, width)));
        }
    }
    lines.concat()
}

fn line(change: &Change, width: usize) -> String {
    let (mark, style) = mark(change.action);
    let subject = subject(change);
    match &change.detail {
        Some(detail) => format!(
            "{} {subject:<width$}  {}\n",
            paint(style, mark),
            paint(FAINT, detail)
        ),
        None => format!("{} {subject}\n", paint(style, mark)),
    }
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
