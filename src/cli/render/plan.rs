//! Plans.

use super::changes::{Tense, changes, tally};
use super::report::revision;
use super::{Lines, Page, texts};
use crate::cli::plan::PlanAnswer;
use crate::cli::style::{FAINT, GOOD, paint};

/// `steadfast plan` on a host.
pub(in crate::cli) fn plan(plan: &PlanAnswer, now_secs: i64, page: Page) -> String {
    let mut lines = Lines::on(page);
    lines.field("host", plan.host.as_str());
    lines.field("revision", revision(&plan.revision, now_secs));
    lines.gap();
    lines.block(&changes(&plan.changes, page));
    lines.block(&texts(&plan.texts, page));
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
