//! What a pause keeps a pass from doing. It is asked for at the last moment, so that a pause that is typed while a pass
//! fetches and builds still counts.

use super::draft::{Draft, Stop};
use super::pass::PassRun;
use super::{Pausing, Reconciler};
use crate::activation::{Hold, Holds, Plan};
use crate::host::clock;
use crate::report::{self, Change, Event, Outcome, Problem};

impl PassRun<'_> {
    /// The pause that this pass obeys, if there is one.
    pub(super) fn pause(&self) -> Result<Option<Hold>, Problem> {
        match self.pass.pausing {
            Pausing::Overruled => Ok(None),
            Pausing::Obeyed => {
                let holds = self.reconciler.holds()?;
                Ok(holds.pause(clock::now_secs()).cloned())
            }
        }
    }

    /// Lets the pass go on to `plan`, or stops it because somebody paused the host; what would be done is in `draft`
    /// then.
    pub(super) fn unless_paused(&self, plan: &Plan, draft: &mut Draft) -> Result<(), Stop> {
        let Some(pause) = self.pause()? else {
            return Ok(());
        };
        draft.changes = Change::of_plan(plan);
        Err(Stop {
            outcome: Outcome::Paused,
            problem: Problem::new(format!("this host is paused {}", pause.terms())).with_fix(
                "`steadfast reconcile resume` ends the pause, `steadfast reconcile now --despite-pause` does it once",
            ),
        })
    }
}

/// Forgets the pauses and holds that have ended by themselves, and tells the journal.
pub(super) fn tell_expired(reconciler: &Reconciler) -> Result<(), Problem> {
    let now_secs = clock::now_secs();
    if !reconciler.holds()?.has_expired(now_secs) {
        return Ok(());
    }
    let expired = Holds::edit(reconciler.state_dir(), |holds| holds.take_expired(now_secs))
        .map_err(|error| Problem::of(&error).with_fix(error.fix()))?;
    for hold in &expired {
        report::announce_hold(reconciler.settings().host.as_str(), Event::HoldEnded, hold);
    }
    Ok(())
}
