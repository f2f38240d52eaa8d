//! From a generation to a host that is so, and back.

use tracing::warn;

use super::draft::{Draft, Stop};
use super::handover::HandOver;
use super::pass::PassRun;
use super::renewal::{Asked, Renewal};
use super::secrets::StoredSecrets;
use super::target::Target;
use super::{Mode, PassEvent, Reconciler, Retry, find, rescue};
use crate::activation::{
    self, ActivateError, Activation, ActivationEvent, Desired, Ending, Held, Notice, Plan,
    PrepareError, Prepared, Recovered, Recovery,
};
use crate::generation::{Built, Generation, GenerationNumber, Manifest, Provenance, Store};
use crate::health::{Check, Prober};
use crate::host::clock;
use crate::report::{Change, FailedRevision, Outcome, Problem};
use crate::secrets::OpenedSecrets;

impl PassRun<'_> {
    /// Finishes a transaction that a kill or a power cut left open.
    pub(super) async fn finish_interrupted(&self, draft: &mut Draft) -> Result<(), Stop> {
        let open = activation::open_phase(&self.store).map_err(|error| Stop {
            outcome: if error.is_damage() {
                Outcome::Stuck
            } else {
                Outcome::Failed
            },
            problem: Problem::of(&error).with_hint(error.hint()),
        })?;
        if open.is_none() {
            return Ok(());
        }
        (self.on_event)(&PassEvent::Recovering);
        let recovery = match self.pass.retry {
            Retry::Yes => Recovery::Retry,
            Retry::No => Recovery::Automatic,
        };
        let recovered = self
            .with_activation(async |activation| Box::pin(activation.recover(recovery)).await)
            .await
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
        let text = match recovered {
            Recovered::Nothing => return Ok(()),
            Recovered::Discarded { target } => {
                format!("generation {target} was interrupted before it changed anything")
            }
            Recovered::Committed { target } => {
                format!("generation {target} was in force already when it was interrupted")
            }
            Recovered::FilesBack { target } => {
                format!("generation {target} was interrupted; its files are taken back")
            }
            Recovered::RolledBack { target, reason } => {
                format!(
                    "generation {target} was interrupted, and the host is back where it was: {reason}"
                )
            }
            Recovered::Stuck { target, reason } => {
                let mut problem =
                    Problem::new(format!("the way back from generation {target} failed")).with_fix(
                        "look at what failed, put it right, then run `steadfast reconcile retry`",
                    );
                problem.causes.push(reason);
                return Err(Stop {
                    outcome: Outcome::Stuck,
                    problem,
                });
            }
        };
        draft.notices.push(Notice {
            subject: "interrupted".to_owned(),
            text,
        });
        Ok(())
    }

    /// Looks after the generation in force: puts right what differs and is not `held`.
    pub(super) async fn keep(
        &self,
        current: &Generation,
        held: Held,
        draft: &mut Draft,
    ) -> Result<Outcome, Stop> {
        let secrets = self.open_stored(&current.manifest, draft)?;
        let prepared = self.prepare(&current.manifest, &secrets, held).await?;
        draft.notices.extend(prepared.plan.notices.iter().cloned());
        if prepared.plan.is_empty() {
            self.with_activation(async |activation| activation.forget_gone(&prepared))
                .await
                .map_err(|error| Problem::of_store(&error))?;
            return Ok(Outcome::NothingToDo);
        }
        self.unless_paused(&prepared.plan, draft)?;
        let ending = self
            .carry_out(prepared, current.number, &secrets, held)
            .await?;
        conclude(ending, current, Outcome::Repaired, draft)
    }

    /// Makes the host what `target` says, which is not in force.
    pub(super) async fn activate(
        &self,
        target: Target,
        held: Held,
        draft: &mut Draft,
    ) -> Result<Outcome, Stop> {
        let Target { built, provenance } = target;
        (self.on_event)(&PassEvent::Opening {
            secrets: built.manifest.secrets.len(),
        });
        let secrets = self.stored_secrets().open_built(&built)?;
        note_secrets(&built.manifest, &secrets, draft);
        self.activate_opened(&built, &provenance, &secrets, held, draft)
            .await
    }

    async fn activate_opened(
        &self,
        built: &Built,
        provenance: &Provenance,
        secrets: &OpenedSecrets,
        held: Held,
        draft: &mut Draft,
    ) -> Result<Outcome, Stop> {
        let prepared = self.prepare(built, secrets, held).await?;
        draft.notices.extend(prepared.plan.notices.iter().cloned());
        self.unless_paused(&prepared.plan, draft)?;
        self.can_be_tried(prepared.current.as_ref())?;
        let generation = self
            .store
            .put(built, provenance)
            .map_err(|error| Problem::of_store(&error))?;
        let before = match self.pass.mode {
            Mode::Boot => return self.put_off(generation.number, &prepared.plan, draft),
            Mode::Test => {
                let current = prepared.current.as_ref();
                self.begin_trial(generation.number, current, &prepared.plan)?
            }
            Mode::Switch => None,
        };
        let ending = self
            .carry_out(prepared, generation.number, secrets, held)
            .await?;
        let ended = conclude(ending, &generation, Outcome::Activated, draft);
        if let (Err(_), Some(before)) = (&ended, before) {
            self.end_trial(&before)?;
        }
        ended
    }

    /// Goes back to generation `to`, or to the one that was in force before, as a new generation of the same content.
    pub(super) async fn back_to_its_end(
        &self,
        to: Option<GenerationNumber>,
        draft: &mut Draft,
    ) -> Result<Outcome, Stop> {
        self.finish_interrupted(draft).await?;
        self.conclude_unheard()?;
        let ended = self.back_to(to, draft).await;
        self.mark_concluded()?;
        let outcome = ended?;
        // What is in force now is what somebody asked for, and stays.
        self.keep_for_good(outcome)?;
        Ok(outcome)
    }

    async fn back_to(
        &self,
        to: Option<GenerationNumber>,
        draft: &mut Draft,
    ) -> Result<Outcome, Stop> {
        let current = self
            .store
            .current()
            .map_err(|error| Problem::of_store(&error))?;
        draft.generation = current.as_ref().map(|current| current.number);
        let wanted = match to {
            Some(number) => Some(
                self.store
                    .get(number)
                    .map_err(|error| Problem::of_store(&error))?,
            ),
            None => self
                .store
                .previous_good()
                .map_err(|error| Problem::of_store(&error))?,
        };
        let Some(wanted) = wanted else {
            return Err(Problem::new("there is no generation to go back to")
                .with_fix("`steadfast generations list` shows what there is")
                .into());
        };
        draft.revision = Some(wanted.provenance.revision.clone());
        if current
            .as_ref()
            .is_some_and(|current| current.digest == wanted.digest)
        {
            return Ok(Outcome::NothingToDo);
        }
        let secrets = self.open_stored(&wanted.manifest, draft)?;
        let provenance = Provenance {
            created_secs: clock::now_secs(),
            copy_of: Some(wanted.number),
            ..wanted.provenance.clone()
        };
        let built = Built {
            manifest: wanted.manifest.clone(),
            digest: wanted.digest.clone(),
            // The store has them all since the first time.
            objects: std::collections::BTreeMap::new(),
            origins: provenance.origins.clone(),
        };
        let outcome = self
            .activate_opened(&built, &provenance, &secrets, Held::Nothing, draft)
            .await?;
        if let Some(left) = current {
            self.hold_back(left, wanted.number)?;
        }
        Ok(outcome)
    }

    /// Remembers the generation that somebody went back from, so that the next pass does not bring it back.
    pub(super) fn hold_back(&self, left: Generation, to: GenerationNumber) -> Result<(), Problem> {
        let mut state = self.reconciler.state()?;
        state.remember_failure(FailedRevision {
            digest: left.digest,
            revision: left.provenance.revision,
            reason: format!("somebody went back from it to generation {to}"),
            at_secs: clock::now_secs(),
        });
        self.reconciler.save(&state)
    }

    pub(super) fn open_stored(
        &self,
        manifest: &Manifest,
        draft: &mut Draft,
    ) -> Result<OpenedSecrets, Problem> {
        (self.on_event)(&PassEvent::Opening {
            secrets: manifest.secrets.len(),
        });
        let secrets = self.stored_secrets().open_manifest(manifest)?;
        note_secrets(manifest, &secrets, draft);
        Ok(secrets)
    }

    pub(super) fn stored_secrets(&self) -> StoredSecrets<'_> {
        StoredSecrets::new(self.reconciler.settings(), &self.store)
    }

    pub(super) async fn prepare<'d>(
        &self,
        desired: impl Into<Desired<'d>>,
        secrets: &OpenedSecrets,
        held: Held,
    ) -> Result<Prepared, Problem> {
        (self.on_event)(&PassEvent::Observing);
        let wanted: Desired<'d> = desired.into();
        let unfought = match held {
            Held::Reported => Some(self.unfought(wanted.manifest)),
            // Somebody asked.
            Held::Nothing => None,
        };
        let manifest = unfought.as_ref().unwrap_or(wanted.manifest);
        let desired = Desired { manifest, ..wanted };
        self.with_activation(async |activation| {
            Box::pin(activation.prepare(desired, Some(secrets), held)).await
        })
        .await
        .map_err(|error| prepare_problem(&error))
    }

    /// Carries out what was prepared: in a service of its own, or here where there is none.
    pub(super) async fn carry_out(
        &self,
        prepared: Prepared,
        target: GenerationNumber,
        secrets: &OpenedSecrets,
        held: Held,
    ) -> Result<Ending, Problem> {
        match self.hand_over(prepared, target, held).await {
            HandOver::Done(ended) => ended.map(|ending| *ending),
            HandOver::NotHere(prepared) => {
                self.carry_out_here(*prepared, target, secrets, &Renewal::ByItself)
                    .await
            }
        }
    }

    pub(super) async fn carry_out_here(
        &self,
        prepared: Prepared,
        target: GenerationNumber,
        secrets: &OpenedSecrets,
        renewal: &Renewal,
    ) -> Result<Ending, Problem> {
        let before = prepared
            .current
            .as_ref()
            .map_or_else(Vec::new, |current| current.manifest.health.clone());
        let asked = Asked {
            prober: self.prober(&prepared, before),
            reconciler: self.reconciler,
            renewal,
            touched: rescue::touches_agent(&prepared.plan),
        };
        self.with_activation(async |activation| {
            Box::pin(activation.carry_out(prepared, target, secrets, &asked)).await
        })
        .await
        .map_err(|error| {
            let mut problem = Problem::of(&error).with_hint(error.hint());
            if let ActivateError::Refused(refused) = &error {
                problem
                    .causes
                    .extend(refused.0.iter().map(ToString::to_string));
            }
            problem
        })
    }

    /// Whoever asks about health around what was prepared; `before` are the checks of the generation in force.
    fn prober(&self, prepared: &Prepared, before: Vec<Check>) -> Prober {
        let settings = self.reconciler.settings();
        let checks = (prepared.desired.health.clone(), before);
        let risk = activation::risk_on(self.reconciler.host(), &prepared.plan);
        let remote = find::remote_probe(settings, &self.reconciler.mirror_path());
        Prober::new(
            self.reconciler.host().clone(),
            checks,
            risk,
            &settings.windows,
        )
        .with_remote(remote, find::remote_name(settings))
        .with_agent(self.reconciler.self_probe(&prepared.desired))
        .with_operators(settings.operators)
        .with_room_in(self.reconciler.state_dir().to_owned())
    }

    pub(super) async fn with_activation<T>(
        &self,
        work: impl AsyncFnOnce(Activation<'_>) -> T,
    ) -> T {
        let secrets = self.stored_secrets();
        let tell = |event: &ActivationEvent| (self.on_event)(&PassEvent::Activation(event.clone()));
        work(Activation {
            host: &self.host,
            store: &self.store,
            secrets: &secrets,
            progress: &tell,
            settle: self.reconciler.settings().settle,
            windows: self.reconciler.settings().windows,
        })
        .await
    }
}

impl Reconciler {
    /// How activations go on this host, with nobody to watch them.
    pub(super) fn unwatched<'a>(
        &'a self,
        store: &'a Store,
        secrets: &'a StoredSecrets<'a>,
    ) -> Activation<'a> {
        Activation {
            host: self.host(),
            store,
            secrets,
            progress: &activation::Unwatched,
            settle: self.settings().settle,
            windows: self.settings().windows,
        }
    }

    /// What would be done to go to `target`; nothing is changed.
    pub(super) async fn plan_only(
        &self,
        store: &Store,
        target: &Target,
        on_event: &dyn Fn(&PassEvent),
    ) -> Result<Plan, Problem> {
        on_event(&PassEvent::Opening {
            secrets: target.built.manifest.secrets.len(),
        });
        let stored = StoredSecrets::new(self.settings(), store);
        let secrets = stored.open_built(&target.built)?;
        on_event(&PassEvent::Observing);
        let prepared = self
            .unwatched(store, &stored)
            .prepare(&target.built, Some(&secrets), Held::Nothing)
            .await;
        prepared
            .map(|prepared| prepared.plan)
            .map_err(|error| prepare_problem(&error))
    }
}

fn prepare_problem(error: &PrepareError) -> Problem {
    let mut problem = Problem::of(error).with_hint(error.hint());
    if let PrepareError::Conflicts(conflicts) = error
        && conflicts.0.len() > 1
    {
        problem.causes.extend(
            conflicts
                .0
                .iter()
                .map(|conflict| format!("{conflict}; {}", conflict.hint)),
        );
    } else if let PrepareError::Conflicts(conflicts) = error {
        problem
            .causes
            .extend(conflicts.0.iter().map(ToString::to_string));
    }
    problem
}

/// Writes down which secrets are there.
fn note_secrets(manifest: &Manifest, secrets: &OpenedSecrets, draft: &mut Draft) {
    let unavailable = secrets.unavailable();
    draft.unavailable = super::secrets::unavailable(secrets);
    draft.secrets = manifest
        .secrets
        .keys()
        .filter(|name| !unavailable.contains_key(name))
        .map(ToString::to_string)
        .collect();
}

/// What an activation that is over means for the pass.
pub(super) fn conclude(
    ending: Ending,
    generation: &Generation,
    success: Outcome,
    draft: &mut Draft,
) -> Result<Outcome, Stop> {
    draft.notices.extend(ending.warnings);
    draft.changes = ending.done.iter().flat_map(Change::of_step).collect();
    draft.health = ending.health;
    draft.interrupted = ending.outcome.is_interruption();
    let (outcome, what, reason) = match ending.outcome {
        activation::Outcome::Unchanged => return Ok(Outcome::NothingToDo),
        activation::Outcome::Committed => {
            draft.generation = Some(generation.number);
            return Ok(success);
        }
        activation::Outcome::RolledBack { reason } => {
            (Outcome::RolledBack, "was rolled back", reason)
        }
        activation::Outcome::Stuck { reason } => {
            (Outcome::Stuck, "failed, and so did the way back", reason)
        }
    };
    warn!(generation = %generation.number, reason, "activation failed");
    let mut problem = Problem::new(format!("generation {} {what}", generation.number));
    problem.causes.push(reason);
    problem.fix = Some(match outcome {
        Outcome::Stuck => {
            "look at what failed, put it right, then run `steadfast reconcile retry`"
                .to_owned()
        }
        _ => "push a commit that mends it; or, if the host was at fault, put it right and run `steadfast reconcile retry`"
            .to_owned(),
    });
    Err(Stop { outcome, problem })
}
