//! What stays of a pass: the state file, and the journal.

use tracing::debug;

use super::Reconciler;
use crate::report::{self, Outcome, Problem, Report, Trigger};

/// Keeps `report` for `status`, and tells the journal what changed. A poll like the one before leaves the disk alone.
pub(super) fn remember(reconciler: &Reconciler, report: &Report) -> Result<(), Problem> {
    let mut state = match reconciler.state() {
        Ok(state) => state,
        // The pass ended for the same reason, and says so.
        Err(_) if report.problem.is_some() => return Ok(()),
        Err(problem) => return Err(problem),
    };
    report::announce_pass(state.last.as_ref(), report);
    if !is_news(state.last.as_ref(), report) {
        debug!("nothing new to remember");
        return Ok(());
    }
    state.last = Some(report.clone());
    reconciler.save(&state)
}

/// Whether `now` says more than `before` did.
fn is_news(before: Option<&Report>, now: &Report) -> bool {
    // What a scan finds is kept beside; it must not hide how the last revision fared.
    if now.trigger == Trigger::Drift && now.outcome == Outcome::NothingToDo {
        return false;
    }
    let Some(before) = before else { return true };
    let same_place = before.generation == now.generation && before.revision == now.revision;
    let still_fine = now.outcome == Outcome::NothingToDo && before.problem.is_none();
    let same_trouble =
        before.outcome == now.outcome && before.problem == now.problem && now.problem.is_some();
    now.is_reminder(before) || !(same_place && (still_fine || same_trouble))
}
