//! Plans and previews.

use super::changes::{Tense, changes, tally};
use super::report::revision;
use super::{Lines, differences};
use crate::cli::plan::{PlanAnswer, Preview};
use crate::cli::style::{FAINT, GOOD, paint};
use crate::generation::ChangeKind;

/// `steadfast plan` on a host.
pub(in crate::cli) fn plan(plan: &PlanAnswer, now_secs: i64) -> String {
    let mut lines = Lines::default();
    lines.field("host", plan.host.as_str());
    lines.field("revision", revision(&plan.revision, now_secs));
    lines.gap();
    lines.block(&changes(&plan.changes));
    lines.gap();
    for (number, notice) in plan.notices.iter().enumerate() {
        let label = if number == 0 { "left alone" } else { "" };
        lines.field(label, format!("{}: {}", notice.subject, notice.text));
    }
    lines.gap();
    if plan.changes.is_empty() {
        lines.line(paint(GOOD, "nothing to do"));
    } else {
        let hint = paint(
            FAINT,
            "(nothing was changed; `steadfast reconcile now` does it)",
        );
        lines.line(format!("{} {hint}", tally(&plan.changes, Tense::ToDo)));
    }
    lines.finish()
}

/// `steadfast plan --host`.
pub(in crate::cli) fn preview(preview: &Preview, now_secs: i64) -> String {
    let mut lines = Lines::default();
    lines.field("host", preview.host.as_str());
    lines.field("revision", revision(&preview.revision, now_secs));
    if let Some(from) = &preview.from {
        lines.field("from", revision(from, now_secs));
    }
    lines.field("digest", preview.digest.as_str());
    lines.gap();
    lines.block(&differences(&preview.changes));
    lines.gap();
    let count = |kind| {
        preview
            .changes
            .iter()
            .filter(|change| change.kind == kind)
            .count()
    };
    lines.line(match (&preview.from, preview.changes.len()) {
        (Some(_), 0) => format!("nothing changes for {}", preview.host),
        _ => format!(
            "{} added, {} changed, {} removed",
            count(ChangeKind::Added),
            count(ChangeKind::Changed),
            count(ChangeKind::Removed)
        ),
    });
    lines.finish()
}
