//! The periodic look at the host, and what must happen at boot.

use tracing::{error, info, warn};

use super::draft::{Draft, Stop};
use super::pass::PassRun;
use super::secrets::StoredSecrets;
use super::{PassEvent, Reconciler};
use crate::activation::{Held, Recovered, Recovery};
use crate::config::Enforcement;
use crate::drift::{self, DriftItem, DriftReport, FlapGuard, Verdict};
use crate::generation::{Generation, GenerationNumber, Manifest, Store};
use crate::host::{Host, HostPath, Trace, UnitId, clock};
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
        let found = self.see(current).await?;
        if !found.items.iter().any(DriftItem::is_enforced) || self.waits()? {
            return Ok(Outcome::NothingToDo);
        }
        let mut bout = Bout::judge(self, current, &found.items);
        // Before anything is done: whoever carries the repairs out reads what is to be left alone.
        bout.save();
        if bout.repaired.is_empty() {
            return Ok(Outcome::NothingToDo);
        }
        let ended = self.keep(current, Held::Reported, draft).await;
        let tried = match &ended {
            Ok(outcome) => *outcome == Outcome::Repaired,
            // One that fails each time is as bad as one that does not last.
            Err(stop) => matches!(stop.outcome, Outcome::RolledBack | Outcome::Stuck),
        };
        if tried {
            bout.count();
            bout.save();
        }
        if ended.is_ok() && tried {
            // What is found at these from now on is news.
            let left = |item: &&DriftItem| !bout.repaired.contains(item);
            let items = found.items.iter().filter(left).cloned().collect();
            let left = DriftReport {
                items,
                ..found.clone()
            };
            self.note(&left, |_, _| ())?;
        }
        ended
    }

    /// Compares the host with the generation in force, and tells the journal what is news.
    pub(super) async fn see(&self, current: &Generation) -> Result<DriftReport, Problem> {
        (self.on_event)(&PassEvent::Observing);
        let scanned = self.reconciler.scan(&self.host, &self.store, current);
        let found = scanned.await?;
        self.host.save_seen();
        let host = &self.reconciler.settings().host;
        self.note(&found, |before, now| {
            report::announce_scan(host, before, now);
        })?;
        Ok(found)
    }

    /// `desired` with what is contended only reported: that the agent starts is no reason to fight on.
    pub(super) fn unfought(&self, desired: &Manifest) -> Manifest {
        let mut desired = desired.clone();
        for contended in self.reconciler.guard().all_contended(clock::now_secs()) {
            leave(&mut desired, &contended.subject);
        }
        desired
    }

    /// Whether repairs wait for somebody: who paused the host, or is changing packages.
    fn waits(&self) -> Result<bool, Problem> {
        if self.pass.trigger == Trigger::Drift && self.pause()?.is_some() {
            return Ok(true);
        }
        let busy = self.host.package_change();
        if let Some(pid) = busy {
            info!(pid, "packages are being changed; repairs wait");
        }
        Ok(busy.is_some())
    }

    /// Remembers what a scan found.
    fn note(
        &self,
        found: &DriftReport,
        tell: impl FnOnce(Option<&DriftSummary>, &DriftSummary),
    ) -> Result<(), Problem> {
        let mut state = self.reconciler.state()?;
        let trace = |item: &DriftItem| item.trace.as_ref().map_or_else(String::new, Trace::words);
        let summary = DriftSummary {
            at_secs: clock::now_secs(),
            generation: Some(found.generation),
            items: found
                .items
                .iter()
                .map(|item| format!("{} {}", item.class, item.subject))
                .collect(),
            traces: found.items.iter().map(trace).collect(),
            notices: found
                .notices
                .iter()
                .map(|notice| format!("{} {}", notice.subject, notice.text))
                .collect(),
        };
        tell(state.last_drift.as_ref(), &summary);
        let is_new = |last: &DriftSummary| {
            last.items != summary.items
                || last.generation != summary.generation
                || last.notices != summary.notices
        };
        if state.last_drift.as_ref().is_none_or(is_new) {
            state.last_drift = Some(summary);
            self.reconciler.save(&state)?;
        }
        Ok(())
    }
}

/// What is put right this time, and what the flap guard leaves alone.
struct Bout<'a> {
    run: &'a PassRun<'a>,
    before: FlapGuard,
    guard: FlapGuard,
    repaired: Vec<&'a DriftItem>,
}

impl<'a> Bout<'a> {
    fn judge(run: &'a PassRun<'a>, current: &Generation, items: &'a [DriftItem]) -> Self {
        let now_secs = clock::now_secs();
        let before = run.reconciler.guard();
        let mut bout = Self {
            run,
            guard: before.clone(),
            before,
            repaired: Vec::new(),
        };
        bout.guard.forget(now_secs);
        for item in items.iter().filter(|item| item.is_enforced()) {
            let verdict = bout.guard.judge(item, now_secs);
            match verdict {
                Verdict::Repair => bout.repaired.push(item),
                Verdict::Wait => {}
                Verdict::Tripped => bout.trip(item, current.number, now_secs),
            }
        }
        bout
    }

    fn trip(&mut self, item: &DriftItem, generation: GenerationNumber, now_secs: i64) {
        let host = &self.run.host;
        let writer = |path| self.run.reconciler.writers().writer(host, &path);
        self.guard.blame(item, item.path().and_then(writer));
        let Some(contended) = self.guard.contended(item, now_secs) else {
            return;
        };
        let reason = format!(
            "{} {} is left alone {}",
            item.class,
            item.subject,
            contended.terms()
        );
        report::announce_contended(
            &self.run.reconciler.settings().host,
            Some(generation),
            reason,
        );
    }

    /// Counts what was put right, and listens for who undoes it.
    fn count(&mut self) {
        let now_secs = clock::now_secs();
        for item in &self.repaired {
            self.guard.repaired(item, now_secs);
            if let Some(path) = item.path() {
                self.run.reconciler.writers().listen(&self.run.host, &path);
            }
        }
    }

    fn save(&self) {
        let path = FlapGuard::file(self.run.reconciler.state_dir());
        if let Err(error) = self.guard.save(&path, &self.before) {
            warn!(%error, "repairs could not be counted");
        }
    }
}

/// Makes `entry` something that is only reported. What has no policy of its own has that of the host.
fn leave(desired: &mut Manifest, entry: &str) {
    let path = HostPath::new(entry).ok();
    if let Some(entry) = path.and_then(|path| desired.paths.get_mut(&path)) {
        entry.drift = Enforcement::Report;
        return;
    }
    let unit = entry.parse::<UnitId>().ok();
    match unit.and_then(|unit| desired.units.get_mut(&unit)) {
        Some(entry) => entry.drift = Enforcement::Report,
        None => desired.drift = Enforcement::Report,
    }
}

impl Reconciler {
    /// Compares the host with `current`. Secrets that do not open are compared no further than that they are there.
    pub(super) async fn scan(
        &self,
        host: &Host,
        store: &Store,
        current: &Generation,
    ) -> Result<DriftReport, Problem> {
        let secrets = StoredSecrets::new(self.settings(), store)
            .open_manifest(&current.manifest)
            .ok();
        let now_secs = clock::now_secs();
        let holds: Vec<_> = self.holds()?.in_force(now_secs).cloned().collect();
        let guard = self.guard();
        drift::scan(host, store, current, secrets.as_ref())
            .await
            .map(|report| report.with_holds(holds).with_guard(&guard, now_secs))
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))
    }

    /// What was put right lately, and what is left alone because of it.
    pub(super) fn guard(&self) -> FlapGuard {
        FlapGuard::load(&FlapGuard::file(self.state_dir()))
    }

    /// What must happen before services start: take back the files of a transaction that was cut off, and install the
    /// secrets of the generation in force. Needs neither network nor systemd's bus.
    pub async fn boot(&self) -> Result<Booted, Problem> {
        let _lock = self.lock()?;
        let store = self.store()?;
        let stored = StoredSecrets::new(self.settings(), &store);
        let activation = self.unwatched(&store, &stored);
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
