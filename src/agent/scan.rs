//! The periodic look at the host, and what must happen at boot.

use tracing::error;

use super::draft::{Draft, Stop};
use super::pass::PassRun;
use super::secrets::StoredSecrets;
use super::{PassEvent, Reconciler};
use crate::activation::{Activation, Held, Recovered, Recovery, Unwatched};
use crate::config::Enforcement;
use crate::drift::{self, DriftReport};
use crate::generation::{Generation, Store};
use crate::host::clock;
use crate::report::{self, DriftSummary, Outcome, Problem, Trigger};
use crate::secrets::{self, SecretSet};

/// What the boot unit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booted {
    /// Whether a transaction was cut off, and what became of it.
    pub recovered: Recovered,
    /// Secrets that are in place.
    pub secrets: usize,
}

impl PassRun<'_> {
    /// Compares the host with the generation in force, remembers what was found, repairs what is to be enforced.
    pub(super) async fn look_after(
        &self,
        current: &Generation,
        draft: &mut Draft,
    ) -> Result<Outcome, Stop> {
        (self.on_event)(&PassEvent::Observing);
        let found = self.reconciler.scan(&self.store, current).await?;
        let mut state = self.reconciler.state()?;
        let summary = DriftSummary {
            at_secs: clock::now_secs(),
            generation: Some(current.number),
            items: found
                .items
                .iter()
                .map(|item| format!("{} {}", item.class, item.subject))
                .collect(),
        };
        report::announce_scan(
            &self.reconciler.settings().host,
            state.last_drift.as_ref(),
            &summary,
        );
        if state
            .last_drift
            .as_ref()
            .is_none_or(|last| last.items != summary.items || last.generation != summary.generation)
        {
            state.last_drift = Some(summary);
            self.reconciler.save(&state)?;
        }
        if found
            .items
            .iter()
            .any(|item| item.policy == Enforcement::Enforce && item.hold.is_none())
            && (self.pass.trigger != Trigger::Drift || self.pause()?.is_none())
        {
            return self.keep(current, Held::Reported, draft).await;
        }
        Ok(Outcome::NothingToDo)
    }
}

impl Reconciler {
    /// Compares the host with `current`. Secrets that do not open are compared no further than that they are there.
    pub(super) async fn scan(
        &self,
        store: &Store,
        current: &Generation,
    ) -> Result<DriftReport, Problem> {
        let secrets = StoredSecrets::new(self.settings(), store)
            .open_manifest(&current.manifest)
            .ok();
        let now_secs = clock::now_secs();
        let holds: Vec<_> = self.holds()?.in_force(now_secs).cloned().collect();
        drift::scan(self.host(), store, current, secrets.as_ref())
            .await
            .map(|report| report.with_holds(holds))
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))
    }

    /// What must happen before services start: take back the files of a transaction that was cut off, and install the
    /// secrets of the generation in force. Needs neither network nor systemd's bus.
    pub async fn boot(&self) -> Result<Booted, Problem> {
        let _lock = self.lock()?;
        let store = self.store()?;
        let stored = StoredSecrets::new(self.settings(), &store);
        let activation = Activation {
            host: self.host(),
            store: &store,
            secrets: &stored,
            progress: &Unwatched,
            settle: self.settings().settle,
            windows: self.settings().windows,
        };
        if let Err(problem) = self.leave_trial(&store) {
            // Secrets are needed all the same, and the agent does it again with a whole system around it.
            error!(
                problem = problem.in_one_line(),
                "the generation that was tried is not left yet"
            );
        }
        let recovered = activation
            .recover(Recovery::EarlyBoot)
            .await
            .map_err(|error| Problem::of(&error).with_hint(error.hint()));
        // Services need their secrets also where something is wrong with a transaction.
        let Some(current) = store.current().map_err(|error| Problem::of_store(&error))? else {
            return Ok(Booted {
                recovered: recovered?,
                secrets: 0,
            });
        };
        let opened = stored.open_manifest(&current.manifest)?;
        let accounts = self
            .host()
            .accounts()
            .map_err(|error| Problem::of(&error))?;
        let manifest = &current.manifest;
        let set = SecretSet {
            secrets: &manifest.secrets,
            templates: &manifest.templates,
            opened: &opened,
        };
        secrets::install(self.host(), &set, &accounts).map_err(|error| Problem::of(&error))?;
        Ok(Booted {
            recovered: recovered?,
            secrets: manifest.secrets.len() + manifest.templates.len(),
        })
    }
}
