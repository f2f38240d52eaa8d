//! An activation as one transaction: prepare, apply, settle, probe, commit; or back to the generation before.

mod error;

pub use error::{ActivateError, PrepareError};

use std::future::Future;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::apply::{Applied, Bench, apply, keep, needs_packages_still};
use super::failure::HostFailure;
use super::journal::{Journal, JournalError, Record, open_phase};
use super::observe::{
    observe, observe_definitions, observe_holds, observe_packaged, observe_software,
};
use super::progress::{ActivationEvent, Progress, Way};
use super::room;
use super::validate::Check;
use super::{Desired, Event, Held, Notice, Observed, Owned, Plan, Step, originals, plan};
use crate::generation::{Generation, GenerationNumber, Manifest, Originals, Store, StoreError};
use crate::health::{Baseline, Prober, Verdict, Windows};
use crate::host::{Host, PATIENCE, PathState, clock};
use crate::secrets::OpenedSecrets;

/// How long units are watched by default.
pub const DEFAULT_SETTLE: Duration = Duration::from_secs(20);

/// Whoever opens the secrets of a stored generation: on the way back they are opened again.
pub trait SecretSource {
    /// Opens the secrets of `manifest` from the ciphertexts kept with it.
    fn open(
        &self,
        manifest: &Manifest,
    ) -> Result<OpenedSecrets, Box<dyn std::error::Error + Send + Sync>>;
}

impl<F> SecretSource for F
where
    F: Fn(&Manifest) -> Result<OpenedSecrets, Box<dyn std::error::Error + Send + Sync>>,
{
    fn open(
        &self,
        manifest: &Manifest,
    ) -> Result<OpenedSecrets, Box<dyn std::error::Error + Send + Sync>> {
        self(manifest)
    }
}

/// Whoever asks about health: once before anything changes, once after, and only what got worse counts.
pub trait Probes {
    /// The answers from before.
    type Baseline;

    /// Asks before.
    fn baseline(&self) -> impl Future<Output = Self::Baseline>;

    /// Asks after.
    fn verdicts(&self, before: &Self::Baseline) -> impl Future<Output = Vec<Verdict>>;

    /// Does what must be done last of all, once everything is well; the error says why it failed, and the way back is
    /// taken. Nothing unless somebody says otherwise.
    fn at_last(&self) -> impl Future<Output = Result<(), String>> {
        async { Ok(()) }
    }
}

impl Probes for Prober {
    type Baseline = Baseline;

    fn baseline(&self) -> impl Future<Output = Baseline> {
        Self::baseline(self)
    }

    fn verdicts(&self, before: &Baseline) -> impl Future<Output = Vec<Verdict>> {
        Self::verdicts(self, before)
    }
}

/// Nothing is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProbes;

impl Probes for NoProbes {
    type Baseline = ();

    async fn baseline(&self) {}

    async fn verdicts(&self, (): &()) -> Vec<Verdict> {
        Vec::new()
    }
}

/// One host, its store, and how activations go there.
#[derive(Clone, Copy)]
pub struct Activation<'a> {
    /// The host.
    pub host: &'a Host,
    /// Its generations, objects and transactions. Whoever activates holds its lock.
    pub store: &'a Store,
    /// Opens the secrets of the generation before, on the way back.
    pub secrets: &'a dyn SecretSource,
    /// Who watches.
    pub progress: &'a dyn Progress,
    /// How long units that were brought up are watched, [`DEFAULT_SETTLE`].
    pub settle: Duration,
    /// When a person is to confirm, and how long there is for it.
    pub windows: Windows,
}

/// What would be done. Making it changed nothing.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What the host is to be.
    pub desired: Manifest,
    /// The generation in force.
    pub current: Option<Generation>,
    /// What was found.
    pub observed: Observed,
    /// What will be done.
    pub plan: Plan,
    originals: Originals,
}

/// How an activation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// There was nothing to do, and the generation is in force already.
    Unchanged,
    /// The generation is in force, and healthy.
    Committed,
    /// The host is back at the generation before.
    RolledBack {
        /// Why.
        reason: String,
    },
    /// The rollback failed. Nothing is done automatically any more.
    Stuck {
        /// What failed, first forward, then back.
        reason: String,
    },
}

/// An activation that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// How.
    pub outcome: Outcome,
    /// The steps that were done forward, in order.
    pub done: Vec<Step>,
    /// What the probes said, if they were asked.
    pub health: Vec<Verdict>,
    /// What was left alone, and why.
    pub notices: Vec<Notice>,
    /// What the programs that judged new content warned of.
    pub warnings: Vec<Notice>,
}

impl Activation<'_> {
    /// Decides what is to be done to make the host what `desired` says. Has no side effect at all.
    ///
    /// `secrets` are those of `desired`, opened; without them nothing can be said about installed ones.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub async fn prepare<'d>(
        &self,
        desired: impl Into<Desired<'d>>,
        secrets: Option<&OpenedSecrets>,
        held: Held,
    ) -> Result<Prepared, PrepareError> {
        let wanted: Desired<'d> = desired.into();
        let desired = wanted.manifest;
        let _conversation = self.conversation().await;
        let current = self.store.current()?;
        let originals = self.store.originals()?;
        let additions = self.store.additions()?;
        let active = current.as_ref().map(|generation| &generation.manifest);
        let manifests: Vec<&Manifest> = [desired].into_iter().chain(active).collect();
        let mut observed = observe(self.host, &manifests, secrets).await?;
        let object = |digest: &_| wanted.object(self.store, digest);
        observe_definitions(self.host, object, &manifests, &mut observed).await?;
        observe_software(self.host, desired, &additions, &mut observed)?;
        observe_packaged(self.host, desired, active, &mut observed)?;
        observe_holds(self.store.root(), &mut observed)?;
        let owned = Owned {
            generations: active.into_iter().collect(),
            originals: &originals,
            additions: &additions,
            unfinished: [].into(),
        };
        let plan = plan(desired, &owned, &observed, held)?;
        Ok(Prepared {
            desired: desired.clone(),
            current,
            observed,
            plan,
            originals,
        })
    }

    /// Carries out what was prepared and makes `target` the generation in force, or goes back.
    ///
    /// `target` is the stored generation of the prepared manifest, and `secrets` are its secrets, opened. For a repair
    /// it is the generation in force.
    ///
    /// # Errors
    /// [`ActivateError`] if it could not begin: nothing was changed then. Once something was changed, how it ends is
    /// the [`Ending`]; only a commit that could not be written down is an error still, and [`recover`](Self::recover)
    /// finishes it.
    pub async fn carry_out<P: Probes>(
        &self,
        prepared: Prepared,
        target: GenerationNumber,
        secrets: &OpenedSecrets,
        probes: &P,
    ) -> Result<Ending, ActivateError> {
        let current = prepared
            .current
            .as_ref()
            .map(|generation| generation.number);
        self.forget_gone(&prepared)?;
        if prepared.plan.is_empty() && current == Some(target) {
            return Ok(Ending {
                outcome: Outcome::Unchanged,
                done: Vec::new(),
                health: Vec::new(),
                notices: prepared.plan.notices,
                warnings: Vec::new(),
            });
        }
        if let Some((record, _)) = open_phase(self.store)? {
            return Err(ActivateError::Open {
                target: record.target,
            });
        }
        room::check(self.host, self.store, &prepared.plan)?;
        if prepared.plan.steps.iter().any(needs_packages_still) {
            // Asked before anything begins: each step waits again, but by then there is something to roll back.
            let free = self.host.lock_packages(PATIENCE);
            drop(free.map_err(ActivateError::Busy)?);
        }
        let _conversation = self.conversation().await;
        let judged = self.validate(&prepared)?;
        let before = probes.baseline().await;
        self.keep_originals(&prepared)?;
        let record = Record::new(clock::now_secs(), target, current, prepared.plan.clone());
        let mut journal = Journal::create(self.store, record)?;
        let host = self.host.within(journal.record.id.number());
        let inside = Activation {
            host: &host,
            ..*self
        };
        self.progress.tell(&ActivationEvent::Planned {
            way: Way::Forward,
            steps: prepared.plan.lines(),
            notices: prepared.plan.notices.clone(),
        });
        let mut forward = Forward {
            after_packages: judged.later,
            ..Forward::default()
        };
        forward.warn(&mut journal, judged.warnings);
        self.enter(&mut journal, Event::Begun)?;
        let gone_wrong = inside
            .forward(
                &prepared,
                secrets,
                &mut journal,
                &mut forward,
                (probes, &before),
            )
            .await;
        let outcome = match gone_wrong {
            None => {
                self.finish_commit(journal, &prepared.desired)?;
                Outcome::Committed
            }
            Some(reason) if journal.may_be_committed() => {
                return Err(ActivateError::InDoubt { reason });
            }
            Some(reason) => {
                inside
                    .roll_back(journal, &forward.applied.begun, reason)
                    .await
            }
        };
        Ok(forward.ending(outcome, prepared.plan))
    }

    /// Keeps one conversation with systemd going while it is held. Whoever cannot do without will say what is wrong.
    async fn conversation(&self) -> Option<crate::host::Units> {
        self.host.units().await.ok()
    }

    /// Forward to `committed`; gives back what went wrong.
    async fn forward<P: Probes>(
        &self,
        prepared: &Prepared,
        secrets: &OpenedSecrets,
        journal: &mut Journal,
        forward: &mut Forward,
        (probes, before): (&P, &P::Baseline),
    ) -> Option<String> {
        let bench = Bench {
            host: self.host,
            store: self.store,
            manifest: &prepared.desired,
            secrets,
            progress: self.progress,
            way: Way::Forward,
            after_packages: &forward.after_packages,
            plan: &prepared.plan,
        };
        let mut applied = apply(&prepared.plan, &bench, journal).await;
        let warnings = std::mem::take(&mut applied.warnings);
        forward.applied = applied;
        forward.warn(journal, warnings);
        if let Some(reason) = forward.applied.failure(&prepared.plan) {
            return Some(reason);
        }
        let applied = self.host.since_boot().unwrap_or_default();
        if let Err(error) = self.enter(journal, Event::Applied) {
            return Some(HostFailure::from(error).in_one_line());
        }
        match self.settle(prepared).await {
            Ok(waiting) => forward.warn(journal, waiting),
            Err(reason) => return Some(reason),
        }
        if let Err(error) = self.enter(journal, Event::Settled) {
            return Some(HostFailure::from(error).in_one_line());
        }
        forward.health = probes.verdicts(before).await;
        if let Some(reason) = self.judge(journal, &forward.health) {
            return Some(reason);
        }
        if let Err(reason) = probes.at_last().await {
            return Some(reason);
        }
        let risk = super::judge::risk_on(self.host, &prepared.plan);
        let event = match self.windows.confirmation(&risk) {
            None => Event::Healthy,
            Some(within) => match self.ask_a_person(journal, applied, within).await {
                Ok(()) => Event::Confirmed,
                Err(reason) => return Some(reason),
            },
        };
        let committed = self.enter(journal, event);
        committed
            .err()
            .map(|error| HostFailure::from(error).in_one_line())
    }

    /// Enters the phase after `event`: on disk first, then told.
    pub(super) fn enter(&self, journal: &mut Journal, event: Event) -> Result<(), JournalError> {
        let phase = journal.phase().clone().after(event);
        journal.enter(phase.clone())?;
        tracing::info!("transaction {}: {phase:?}", journal.record.id);
        self.progress.tell(&ActivationEvent::Phase { phase });
        Ok(())
    }

    /// Makes the target current, forgets originals that nobody needs, and ends the transaction. Can be repeated.
    pub(super) fn finish_commit(
        &self,
        journal: Journal,
        active: &Manifest,
    ) -> Result<(), ActivateError> {
        let target = journal.record.target;
        if self.make_current(target, active).is_err() {
            // There is no way back any more. Where the disk is full, its room is what is missing.
            journal.release_reserve();
            self.make_current(target, active)?;
        }
        Ok(journal.close()?)
    }

    fn make_current(&self, target: GenerationNumber, active: &Manifest) -> Result<(), StoreError> {
        let current = self.store.current()?.map(|generation| generation.number);
        if current != Some(target) {
            self.store.commit(target)?;
        }
        self.forget_originals(active)
    }

    /// Keeps what is at every path that the plan takes, before anything changes.
    fn keep_originals(&self, prepared: &Prepared) -> Result<(), ActivateError> {
        let active = prepared.current.iter();
        let owned: Vec<&Manifest> = active.map(|generation| &generation.manifest).collect();
        let taken = originals::taken(
            &prepared.originals,
            &prepared.plan,
            &prepared.desired,
            &owned,
            &prepared.observed,
        );
        if taken == prepared.originals {
            return Ok(());
        }
        for (path, original) in &taken {
            let is_new = prepared.originals.get(path) != Some(original);
            if let (true, PathState::File { content, .. }) = (is_new, original) {
                let kept = keep(self.host, self.store, path).map_err(ActivateError::Keep)?;
                if kept.as_ref() != Some(content) {
                    return Err(ActivateError::Keep(HostFailure::Raced {
                        path: path.clone(),
                        now: "other content".to_owned(),
                    }));
                }
            }
        }
        Ok(self.store.set_originals(&taken)?)
    }
}

/// What is gathered on the way forward.
#[derive(Default)]
struct Forward {
    /// What is to be judged when the packages are there.
    after_packages: Vec<Check>,
    warnings: Vec<Notice>,
    applied: Applied,
    health: Vec<Verdict>,
}

impl Forward {
    /// Takes warnings, for whoever listens and in the journal for whoever comes after.
    fn warn(&mut self, journal: &mut Journal, warnings: Vec<Notice>) {
        journal.warn(&warnings);
        self.warnings.extend(warnings);
    }

    fn ending(self, outcome: Outcome, plan: Plan) -> Ending {
        let done = plan
            .steps
            .into_iter()
            .enumerate()
            .filter(|(index, _)| self.applied.done.contains(index));
        Ending {
            outcome,
            done: done
                .map(|(_, step)| step.with_what_came(&self.applied.came))
                .collect(),
            health: self.health,
            notices: plan.notices,
            warnings: self.warnings,
        }
    }
}

#[cfg(test)]
mod tests;
