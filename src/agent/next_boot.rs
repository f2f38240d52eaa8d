//! Generations that are tried until the next boot, and those that wait for it.

use super::activate::conclude;
use super::draft::{Draft, Stop};
use super::pass::PassRun;
use super::{Mode, Reconciler};
use crate::activation::{Held, Plan, Record, leave, open_phase};
use crate::generation::{Generation, GenerationNumber, Store};
use crate::host::clock;
use crate::report::{
    AtBoot, Change, FailedRevision, NextBoot, NextBootError, Outcome, Problem, Trigger,
};

/// So many boots may begin with a generation that was put off; after that it is taken to be why they do not end well.
const MOST_ATTEMPTS: u32 = 2;

/// What the next boot was to do before a trial began.
pub(super) struct Restored(Option<NextBoot>);

impl PassRun<'_> {
    /// Does what was to be done at this boot, if anything was; gives how the pass ended then.
    pub(super) async fn after_boot(&self, draft: &mut Draft) -> Result<Option<Outcome>, Stop> {
        let Some(next) = self.reconciler.next_boot()? else {
            return Ok(None);
        };
        if next.boot_id == self.reconciler.boot_id()? {
            return Ok(None);
        }
        match next.what {
            AtBoot::Leave { .. } => {
                // The boot unit did so already, where it is enabled.
                self.reconciler.leave_trial(&self.store)?;
                self.finish_interrupted(draft).await?;
                Ok(None)
            }
            AtBoot::Begin {
                generation,
                attempts,
            } => self.begin_put_off(generation, attempts, draft).await,
        }
    }

    /// Activates a generation that was put off until this boot.
    async fn begin_put_off(
        &self,
        number: GenerationNumber,
        attempts: u32,
        draft: &mut Draft,
    ) -> Result<Option<Outcome>, Stop> {
        let generation = self
            .store
            .get(number)
            .map_err(|error| Problem::of_store(&error))?;
        if attempts >= MOST_ATTEMPTS {
            self.reconciler.set_next_boot(None)?;
            self.reconciler.hold_generation_back(
                &generation,
                format!("its activation after a boot did not end, {attempts} times"),
            )?;
            return Ok(None);
        }
        draft.revision = Some(generation.provenance.revision.clone());
        let secrets = self.open_stored(&generation.manifest, draft)?;
        let prepared = self
            .prepare(&generation.manifest, &secrets, Held::Reported)
            .await?;
        draft.notices.extend(prepared.plan.notices.iter().cloned());
        self.unless_paused(&prepared.plan, draft)?;
        // Counted before, or a boot that never gets further would be tried for ever.
        let counted = AtBoot::Begin {
            generation: number,
            attempts: attempts + 1,
        };
        let earlier = self.reconciler.next_boot()?.and_then(|next| next.boot_id);
        self.reconciler
            .set_next_boot(Some(&NextBoot::after(earlier, counted)))?;
        let ending = self
            .carry_out(prepared, number, &secrets, Held::Reported)
            .await?;
        self.reconciler.set_next_boot(None)?;
        let ended = conclude(ending, &generation, Outcome::Activated, draft);
        if let Err(stop) = &ended {
            self.reconciler
                .hold_generation_back(&generation, stop.problem.in_one_line())?;
        }
        ended.map(Some)
    }

    /// Puts `generation` off until the next boot: nothing is done now.
    pub(super) fn put_off(
        &self,
        generation: GenerationNumber,
        plan: &Plan,
        draft: &mut Draft,
    ) -> Result<Outcome, Stop> {
        self.reconciler.remember_boot(AtBoot::Begin {
            generation,
            attempts: 0,
        })?;
        draft.changes = Change::of_plan(plan);
        Ok(Outcome::PutOff)
    }

    /// Refuses to try something where there is nothing to go back to.
    pub(super) fn can_be_tried(&self, current: Option<&Generation>) -> Result<(), Problem> {
        if self.pass.mode != Mode::Test || current.is_some() {
            return Ok(());
        }
        Err(
            Problem::new("this host has no generation to go back to at the next boot")
                .with_fix("run `steadfast reconcile now` without --mode first"),
        )
    }

    /// Writes down that `generation` is left at the next boot for where the host is now, before it is in force. Gives
    /// what is to be written down again if it does not come to that.
    pub(super) fn begin_trial(
        &self,
        generation: GenerationNumber,
        current: Option<&Generation>,
        plan: &Plan,
    ) -> Result<Option<Restored>, Problem> {
        let Some(current) = current else {
            return Ok(None);
        };
        let before = self.reconciler.next_boot()?;
        // One that is tried on top of another goes back to where the first one came from.
        let (back_to, mut steps) = match &before {
            Some(NextBoot {
                what:
                    AtBoot::Leave {
                        generation,
                        back_to,
                        plan,
                    },
                ..
            }) if *generation == current.number => (*back_to, plan.steps.clone()),
            _ => (current.number, Vec::new()),
        };
        steps.extend(plan.steps.iter().cloned());
        self.reconciler.remember_boot(AtBoot::Leave {
            generation,
            back_to,
            plan: Plan {
                steps,
                notices: Vec::new(),
            },
        })?;
        Ok(Some(Restored(before)))
    }

    /// Writes down again what a trial that failed had replaced.
    pub(super) fn end_trial(&self, before: &Restored) -> Result<(), Problem> {
        self.reconciler.set_next_boot(before.0.as_ref())
    }

    /// A person who asks for `switch` wants to keep what is in force, and nothing to wait for a boot.
    pub(super) fn keep_for_good(&self, outcome: Outcome) -> Result<(), Problem> {
        let asked = self.pass.trigger == Trigger::Manual && self.pass.mode == Mode::Switch;
        let done = matches!(
            outcome,
            Outcome::Activated | Outcome::Repaired | Outcome::NothingToDo
        );
        let replaced = outcome == Outcome::Activated && self.pass.mode == Mode::Switch;
        if (asked && done) || replaced {
            return self.reconciler.set_next_boot(None);
        }
        Ok(())
    }
}

impl Reconciler {
    /// What the next boot is to do.
    pub fn next_boot(&self) -> Result<Option<NextBoot>, Problem> {
        NextBoot::load(self.state_dir()).map_err(|error| problem(&error))
    }

    fn set_next_boot(&self, next: Option<&NextBoot>) -> Result<(), Problem> {
        NextBoot::save(next, self.state_dir()).map_err(|error| problem(&error))
    }

    fn remember_boot(&self, what: AtBoot) -> Result<(), Problem> {
        self.set_next_boot(Some(&NextBoot::after(self.boot_id()?, what)))
    }

    fn boot_id(&self) -> Result<Option<String>, Problem> {
        self.host().boot_id().map_err(|error| Problem::of(&error))
    }

    fn hold_generation_back(&self, generation: &Generation, reason: String) -> Result<(), Problem> {
        let mut state = self.state()?;
        state.remember_failure(FailedRevision {
            digest: generation.digest.clone(),
            revision: generation.provenance.revision.clone(),
            reason,
            at_secs: clock::now_secs(),
        });
        self.save(&state)
    }

    /// Leaves a generation that was tried until this boot: opens a transaction that goes back from it, which recovery
    /// finishes. Every step can be repeated after a power cut.
    pub(super) fn leave_trial(&self, store: &Store) -> Result<(), Problem> {
        let Some(NextBoot {
            what:
                AtBoot::Leave {
                    generation,
                    back_to,
                    plan,
                },
            boot_id,
            ..
        }) = self.next_boot()?
        else {
            return Ok(());
        };
        if boot_id.is_some() && boot_id == self.boot_id()? {
            return Ok(());
        }
        let of_store = |error| Problem::of_store(&error);
        let open =
            open_phase(store).map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
        let is_another =
            |record: &Record| (record.target, record.previous) != (generation, Some(back_to));
        if open.is_some_and(|(record, _)| is_another(&record)) {
            // What was cut off on top of the trial goes back to the trial first; the agent's next pass leaves that.
            return Ok(());
        }
        if store.current_number().map_err(of_store)? == Some(generation) {
            let tried = store.get(generation).map_err(of_store)?;
            self.hold_generation_back(&tried, "it was tried, until this boot".to_owned())?;
            leave(store, (generation, back_to), plan)
                .map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
        }
        self.set_next_boot(None)
    }
}

fn problem(error: &NextBootError) -> Problem {
    Problem::of(error).with_fix(error.fix())
}
