//! What follows from a transaction that ended while nobody of the agent's was there to hear it.

use tracing::info;

use super::draft::{Draft, Stop};
use super::pass::PassRun;
use super::{Reconciler, memory};
use crate::activation::{self, Ending, JournalError, Outcome as Ended, Past, Phase};
use crate::generation::Generation;
use crate::host::clock;
use crate::report::{FailedRevision, Outcome, Problem, Report, Trigger};
use crate::source::Mirror;

impl PassRun<'_> {
    /// Draws the conclusions of the newest transaction, if nobody did: as if the agent that began it had not died.
    pub(super) fn conclude_unheard(&self) -> Result<(), Problem> {
        let Some(newest) = activation::newest(&self.store).map_err(|error| problem(&error))? else {
            return Ok(());
        };
        if self.reconciler.state()?.concluded >= Some(newest) {
            return Ok(());
        }
        let past = activation::past(&self.store, Some(newest)).map_err(|error| problem(&error))?;
        if let Some(past) = past.first()
            && let Some(ending) = past.ending()
        {
            self.conclude_from(past, ending)?;
        }
        self.mark_concluded()
    }

    /// Remembers that everything that follows from the newest transaction was done, if it is over.
    pub(super) fn mark_concluded(&self) -> Result<(), Problem> {
        let newest = activation::newest(&self.store).map_err(|error| problem(&error))?;
        let mut state = self.reconciler.state()?;
        if state.concluded == newest || self.is_under_way()? {
            return Ok(());
        }
        state.concluded = newest;
        self.reconciler.save(&state)
    }

    /// Names every step that could not be taken back, if the host is stuck.
    pub(super) fn with_remains(&self, mut stop: Stop) -> Stop {
        if stop.outcome == Outcome::Stuck {
            // What cannot be read is in the problem already.
            let newest = activation::newest(&self.store).ok().flatten();
            let past = newest.and_then(|id| activation::past(&self.store, Some(id)).ok());
            let remains = past.iter().flatten().flat_map(Past::remains);
            stop.problem
                .causes
                .extend(remains.map(|left| left.to_string()));
        }
        stop
    }

    fn is_under_way(&self) -> Result<bool, Problem> {
        let open = activation::open_phase(&self.store).map_err(|error| problem(&error))?;
        Ok(open.is_some_and(|(_, phase)| !matches!(phase, Phase::Stuck { .. })))
    }

    fn conclude_from(&self, past: &Past, ending: Ending) -> Result<(), Problem> {
        let target = self
            .store
            .get(past.record.target)
            .map_err(|error| Problem::of_store(&error))?;
        info!(generation = %target.number, outcome = ?ending.outcome, "an activation ended while nobody listened");
        let is_new = past.record.previous != Some(target.number);
        match &ending.outcome {
            Ended::Committed if is_new => self.conclude_commit(past, &target)?,
            // The pass that recovers says so itself.
            outcome if outcome.is_interruption() => {
                return self.count_interruption(&target);
            }
            Ended::RolledBack { reason } | Ended::Stuck { reason } if is_new => {
                self.remember_failed(&target, reason.clone())?;
            }
            Ended::Committed
            | Ended::Unchanged
            | Ended::RolledBack { .. }
            | Ended::Stuck { .. } => {}
        }
        memory::remember(self.reconciler, &self.report_of(past, ending, &target)?)
    }

    fn conclude_commit(&self, past: &Past, target: &Generation) -> Result<(), Problem> {
        if let Some(copied) = target.provenance.copy_of {
            // Somebody went back: what was left is not to be brought back by the next pass.
            return match past.record.previous {
                Some(left) => {
                    let left = self.store.get(left);
                    self.hold_back(left.map_err(|error| Problem::of_store(&error))?, copied)
                }
                None => Ok(()),
            };
        }
        let commit = &target.provenance.revision.commit;
        Mirror::open(&self.reconciler.mirror_path())
            .and_then(|mirror| {
                // This comes before anything is fetched, and the lock of a killed process may be in the way.
                mirror.sweep()?;
                // A mirror that was lost meanwhile is made anew; the state remembers the commit.
                if mirror.has(commit) {
                    mirror.set_accepted(commit)?;
                }
                Ok(())
            })
            .map_err(|error| Problem::of(&error))?;
        let mut state = self.reconciler.state()?;
        state.accepted = Some(commit.clone());
        state.forget_failure(&target.digest);
        state.interrupted = None;
        self.reconciler.save(&state)
    }

    pub(super) fn remember_failed(
        &self,
        target: &Generation,
        reason: String,
    ) -> Result<(), Problem> {
        let mut state = self.reconciler.state()?;
        state.remember_failure(FailedRevision {
            digest: target.digest.clone(),
            revision: target.provenance.revision.clone(),
            reason,
            at_secs: clock::now_secs(),
        });
        self.reconciler.save(&state)
    }

    /// Once may be chance: a power cut, somebody's `kill`. A generation that is interrupted twice is taken to be why.
    pub(super) fn count_interruption(&self, target: &Generation) -> Result<(), Problem> {
        let mut state = self.reconciler.state()?;
        let digest = &target.digest;
        if state.interrupted.replace(digest.clone()).as_ref() != Some(digest) {
            return self.reconciler.save(&state);
        }
        state.interrupted = None;
        self.reconciler.save(&state)?;
        self.remember_failed(target, "its activation did not end, twice".to_owned())
    }

    /// The report that the pass would have made.
    fn report_of(
        &self,
        past: &Past,
        ending: Ending,
        target: &Generation,
    ) -> Result<Report, Problem> {
        let mut draft = Draft::new(Trigger::Start);
        draft.revision = Some(target.provenance.revision.clone());
        draft.signer.clone_from(&target.provenance.signer);
        let current = self
            .store
            .current()
            .map_err(|error| Problem::of_store(&error))?;
        draft.generation = current.map(|current| current.number);
        draft.notices.extend(ending.notices.iter().cloned());
        let success = if past.record.previous == Some(target.number) {
            Outcome::Repaired
        } else {
            Outcome::Activated
        };
        let ended = super::activate::conclude(ending, target, success, &mut draft);
        let mut report = draft.finish(self.reconciler.settings(), ended);
        let last = past
            .lines
            .last()
            .map_or(past.record.begun_secs, |line| line.at_secs);
        let took = last.saturating_sub(past.record.begun_secs);
        report.at_secs = last;
        report.took_ms = u64::try_from(took).unwrap_or_default().saturating_mul(1000);
        Ok(report)
    }
}

impl Reconciler {
    /// Says that this pass only looks on while a service of its own activates.
    pub(super) fn watch(&self) -> Watching<'_> {
        self.looking_on
            .store(true, std::sync::atomic::Ordering::Release);
        Watching(self)
    }

    /// Whether the pass under way changes nothing itself.
    pub(super) fn only_looks_on(&self) -> bool {
        self.looking_on.load(std::sync::atomic::Ordering::Acquire)
    }
}

/// A pass that only looks on, until this is dropped.
pub(super) struct Watching<'a>(&'a Reconciler);

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.0
            .looking_on
            .store(false, std::sync::atomic::Ordering::Release);
    }
}

fn problem(error: &JournalError) -> Problem {
    Problem::of(error).with_hint(error.hint())
}
