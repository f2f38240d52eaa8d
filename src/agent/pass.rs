//! The way of one pass, from the remote to the outcome.

use super::draft::{Draft, Stop};
use super::find::{self, Found, NotFound};
use super::target::{self, Target};
use super::{Pass, PassEvent, Reading, Reconciler, Retry, pause};
use crate::activation::{self, Held};
use crate::generation::{Generation, Store};
use crate::host::{Host, clock, durable};
use crate::report::{FailedRevision, Outcome, Problem, State, Trigger};
use crate::source::{CommitId, Mirror};

/// A pass under way; holds the host's lock.
pub(super) struct PassRun<'a> {
    pub(super) reconciler: &'a Reconciler,
    pub(super) store: Store,
    pub(super) on_event: &'a dyn Fn(&PassEvent),
    pub(super) pass: Pass,
    /// The host, as this pass looks at it: nothing is read twice, and who scans for drift need not read what did not change.
    pub(super) host: Host,
    pub(super) lock: durable::Lock,
}

impl<'a> PassRun<'a> {
    /// Takes the lock, if need be when an activation is over that is under way.
    pub(super) async fn begin(
        reconciler: &'a Reconciler,
        pass: Pass,
        on_event: &'a dyn Fn(&PassEvent),
    ) -> Result<Self, Problem> {
        let lock = reconciler.lock_when_free(on_event).await?;
        activation::sweep(&reconciler.store()?);
        pause::tell_expired(reconciler)?;
        let reading = match pass.trigger {
            Trigger::Drift => Reading::Changed,
            _ => Reading::Everything,
        };
        Self::with_lock(reconciler, pass, on_event, (lock, reading))
    }

    /// A pass that has the lock already.
    pub(super) fn with_lock(
        reconciler: &'a Reconciler,
        pass: Pass,
        on_event: &'a dyn Fn(&PassEvent),
        (lock, reading): (durable::Lock, Reading),
    ) -> Result<Self, Problem> {
        Ok(Self {
            reconciler,
            host: reconciler.host().remembering(reconciler.seen(reading)),
            store: reconciler.store()?,
            on_event,
            pass,
            lock,
        })
    }

    /// Runs the pass; what is learned on the way is in `draft` even when it ends early.
    pub(super) async fn to_its_end(&self, draft: &mut Draft) -> Result<Outcome, Stop> {
        draft.generation = self.current()?.map(|generation| generation.number);
        let recovered = self.finish_interrupted(draft).await;
        if let Err(stop) = &recovered
            && stop.outcome == Outcome::Stuck
            && self.pass.trigger == Trigger::Drift
            && let Some(current) = self.current()?
        {
            // Nothing is done about drift then, and it is told all the same.
            self.see(&current).await?;
        }
        recovered.map_err(|stop| self.with_remains(stop))?;
        self.conclude_unheard()?;
        let ended = match self.after_boot(draft).await {
            Ok(None) => Box::pin(self.on_its_way(draft)).await,
            Ok(Some(outcome)) => Ok(outcome),
            Err(stop) => Err(stop),
        };
        self.mark_concluded()?;
        ended.map_err(|stop| self.with_remains(stop))
    }

    async fn on_its_way(&self, draft: &mut Draft) -> Result<Outcome, Stop> {
        let current = self.current()?;
        draft.generation = current.as_ref().map(|generation| generation.number);
        if self.pass.trigger == Trigger::Drift {
            return match current {
                Some(current) => {
                    draft.revision = Some(current.provenance.revision.clone());
                    self.look_after(&current, draft).await
                }
                None => Ok(Outcome::NothingToDo),
            };
        }
        let mut state = self.reconciler.state()?;
        let mirror = self.reconciler.mirror_path();
        let (mirror, commit) = find::fetch(self.reconciler.settings(), &mirror, self.on_event)
            .map_err(|not_found| stopped(not_found, draft))?;
        draft.revision = mirror.revision(&commit).ok();
        let anchor = anchor(&state, &mirror, current.as_ref())?;
        let host = &self.reconciler.settings().host;
        let left = went_back_from(&state, current.as_ref(), &commit);
        let try_again = left.is_some() && self.pass.retry == Retry::Yes;
        // Somebody who asks does not want to wait for the boot until which it was put off.
        let waits = self.pass.trigger == Trigger::Manual && self.reconciler.next_boot()?.is_some();
        let outcome = match current.filter(|current| &current.manifest.host == host) {
            Some(current) if anchor.as_ref() == Some(&commit) && !try_again && !waits => {
                let outcome = Box::pin(self.unmoved(&current, draft)).await?;
                left.map_or(Ok(outcome), |left| Err(held_back(left)))
            }
            current => {
                let found = self.believe(mirror, &commit, anchor.as_ref(), draft)?;
                Box::pin(self.reach(&mut state, current.as_ref(), &found, draft)).await
            }
        }?;
        self.keep_for_good(outcome)?;
        Ok(outcome)
    }

    fn current(&self) -> Result<Option<Generation>, Problem> {
        self.store
            .current()
            .map_err(|error| Problem::of_store(&error))
    }

    fn believe(
        &self,
        mirror: Mirror,
        commit: &CommitId,
        anchor: Option<&CommitId>,
        draft: &mut Draft,
    ) -> Result<Found, Stop> {
        let found = find::trust(
            self.reconciler.settings(),
            mirror,
            commit,
            anchor,
            clock::now_secs(),
        )
        .map_err(|not_found| stopped(not_found, draft))?;
        draft.signer = found.trusted.signer().cloned();
        (self.on_event)(&PassEvent::Found(found.trusted.revision().clone()));
        Ok(found)
    }

    /// There is no newer revision: look after the generation in force.
    async fn unmoved(&self, current: &Generation, draft: &mut Draft) -> Result<Outcome, Stop> {
        draft
            .revision
            .get_or_insert_with(|| current.provenance.revision.clone());
        draft.signer.clone_from(&current.provenance.signer);
        match self.pass.trigger {
            Trigger::Poll | Trigger::Watch => Ok(Outcome::NothingToDo),
            Trigger::Drift | Trigger::Start | Trigger::Manual => {
                self.keep(current, self.held(), draft).await
            }
        }
    }

    /// Goes to what `found` asks for, unless that is in force already or known to be bad.
    async fn reach(
        &self,
        state: &mut State,
        current: Option<&Generation>,
        found: &Found,
        draft: &mut Draft,
    ) -> Result<Outcome, Stop> {
        let target = target::build(self.reconciler.settings(), found, self.on_event)?;
        if let Some(failed) = state.failure(&target.built.digest)
            && self.pass.retry == Retry::No
        {
            return Err(held_back(failed));
        }
        let outcome = match current.filter(|current| current.digest == target.built.digest) {
            Some(current) => self.keep(current, self.held(), draft).await?,
            None => self.try_target(state, target, draft).await?,
        };
        let commit = &found.trusted.revision().commit;
        found
            .mirror
            .set_accepted(commit)
            .map_err(|error| Problem::of(&error))?;
        state.accepted = Some(commit.clone());
        self.reconciler.save(state)?;
        Ok(outcome)
    }

    /// Activates `target`, and remembers it if it fails.
    async fn try_target(
        &self,
        state: &mut State,
        target: Target,
        draft: &mut Draft,
    ) -> Result<Outcome, Stop> {
        let digest = target.built.digest.clone();
        let revision = target.provenance.revision.clone();
        let ended = self.activate(target, self.held(), draft).await;
        if draft.interrupted {
            // Counted with those that nobody was there to see.
            self.conclude_unheard()?;
            *state = self.reconciler.state()?;
            return ended;
        }
        match &ended {
            Ok(_) => {
                state.forget_failure(&digest);
                state.interrupted = None;
            }
            Err(stop) if matches!(stop.outcome, Outcome::RolledBack | Outcome::Stuck) => {
                state.remember_failure(FailedRevision {
                    digest,
                    revision,
                    reason: stop.problem.in_one_line(),
                    at_secs: clock::now_secs(),
                });
                self.reconciler.save(state)?;
            }
            Err(_) => {}
        }
        ended
    }

    /// Somebody who types `reconcile now` wants the host put right; the agent leaves what is only to be reported.
    fn held(&self) -> Held {
        match self.pass.trigger {
            Trigger::Manual => Held::Nothing,
            Trigger::Poll | Trigger::Watch | Trigger::Drift | Trigger::Start => Held::Reported,
        }
    }
}

/// The commit that only its descendants may follow. It is kept in three places, so that losing one of them does not
/// reopen a downgrade.
pub(super) fn anchor(
    state: &State,
    mirror: &Mirror,
    current: Option<&Generation>,
) -> Result<Option<CommitId>, Problem> {
    if let Some(accepted) = &state.accepted {
        return Ok(Some(accepted.clone()));
    }
    let accepted = mirror.accepted().map_err(|error| Problem::of(&error))?;
    Ok(accepted.or_else(|| current.map(|current| current.provenance.revision.commit.clone())))
}

pub(super) fn stopped(not_found: NotFound, draft: &mut Draft) -> Stop {
    draft.answered = not_found.answered;
    Stop {
        outcome: not_found.outcome,
        problem: not_found.problem,
    }
}

/// The revision that somebody went back from by hand, if it is still the newest.
fn went_back_from<'s>(
    state: &'s State,
    current: Option<&Generation>,
    newest: &CommitId,
) -> Option<&'s FailedRevision> {
    let in_force = &current?.provenance.revision.commit;
    let failed = || {
        state
            .failed
            .iter()
            .find(|failed| &failed.revision.commit == newest)
    };
    (in_force != newest).then(failed).flatten()
}

fn held_back(failed: &FailedRevision) -> Stop {
    Stop {
        outcome: Outcome::KnownBad,
        problem: known_bad(failed),
    }
}

fn known_bad(failed: &FailedRevision) -> Problem {
    let mut problem = Problem::new(format!(
        "revision {} failed before on this host and is held back",
        failed.revision.commit.short()
    ))
    .with_fix("push a commit that changes this host, or run `steadfast reconcile retry`");
    problem.causes.push(failed.reason.clone());
    problem
}
