//! The way back: an ordinary plan towards the generation before, made from what is found.

use std::collections::{BTreeMap, BTreeSet};

use super::apply::{Bench, apply};
use super::failure::HostFailure;
use super::journal::{Durability, Entry, Journal, Record};
use super::observe::{self, ObserveError, Units};
use super::plan::{UNLOCK, draft, masks};
use super::progress::{ActivationEvent, Way};
use super::{Activation, Desired, Event, Held, Outcome, Owned, Plan, Resume, Step};
use crate::config::Enforcement;
use crate::generation::{
    Additions, Manifest, OnChange, PathKind, StoreError, UnitEntry, UnitRules,
};
use crate::host::{HostPath, PackageName, UnitId, UnitKind};
use crate::secrets::OpenedSecrets;

/// How far back a rollback goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// All of it.
    Everything,
    /// Everything but units and packages, for early boot: the transaction stays open, and the rest is done later.
    Files,
}

/// A way back that cannot be found.
#[derive(Debug, thiserror::Error)]
enum RollBackError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Observe(#[from] ObserveError),
    #[error("{0}")]
    Steps(String),
}

impl Activation<'_> {
    /// Goes back to the generation before. `begun` are the places of the steps that were begun forward.
    pub(super) async fn roll_back(
        &self,
        mut journal: Journal,
        begun: &BTreeSet<usize>,
        reason: String,
    ) -> Outcome {
        tracing::error!(reason, "the activation failed; rolling back");
        self.enter_anyway(&mut journal, Event::Failed { reason });
        self.resume_roll_back(journal, begun, Reach::Everything)
            .await
    }

    /// Goes on with a rollback, from wherever it was.
    pub(super) async fn resume_roll_back(
        &self,
        mut journal: Journal,
        begun: &BTreeSet<usize>,
        reach: Reach,
    ) -> Outcome {
        journal.release_reserve();
        let result = self.go_back(&mut journal, begun, reach).await;
        let reason = super::recover::reason(journal.phase());
        match result {
            Ok(()) if reach == Reach::Files => Outcome::RolledBack { reason },
            Ok(()) => {
                self.enter_anyway(&mut journal, Event::Applied);
                match journal.close() {
                    Ok(()) => Outcome::RolledBack { reason },
                    Err(error) => Outcome::Stuck {
                        reason: format!(
                            "{reason}; the host is back, but {}",
                            HostFailure::from(error).in_one_line()
                        ),
                    },
                }
            }
            Err(error) => {
                let mut text = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(error) = cause {
                    text = format!("{text}: {error}");
                    cause = error.source();
                }
                if reach == Reach::Files {
                    // Too early in the boot to give up: the agent tries again with a whole system around it.
                    tracing::error!(reason = text, "files could not be brought back yet");
                    return Outcome::Stuck { reason: text };
                }
                self.enter_anyway(&mut journal, Event::Failed { reason: text });
                let reason = super::recover::reason(journal.phase());
                tracing::error!(reason, "the rollback failed; a human must look");
                Outcome::Stuck { reason }
            }
        }
    }

    /// A full disk must not stop the way back: the phase is then only in memory, and a kill finds the one before.
    fn enter_anyway(&self, journal: &mut Journal, event: Event) {
        if let Err(error) = self.enter(journal, event) {
            tracing::error!(%error, "the phase could not be written down");
        }
    }

    async fn go_back(
        &self,
        journal: &mut Journal,
        begun: &BTreeSet<usize>,
        reach: Reach,
    ) -> Result<(), RollBackError> {
        let record = &journal.record;
        let target = self.store.get(record.target)?.manifest;
        let previous = match record.previous {
            Some(number) => self.store.get(number)?.manifest,
            None => Manifest::empty(target.host.clone()),
        };
        let mut back = WayBack::new(record, &previous, target, begun);
        if journal.has_seen_a_boot() {
            for (unit, resume) in started_by_boot(&record.plan) {
                back.unfinished.entry(unit).or_insert(resume);
            }
        }
        let secrets = self.reopen(&previous);
        let plan = self.plan_back(&back, secrets.as_ref(), reach).await?;
        let steps = plan.lines();
        self.progress.tell(&ActivationEvent::Planned {
            way: Way::Back,
            steps: steps.clone(),
            notices: plan.notices.clone(),
        });
        if let Err(error) = journal.write(&Entry::PlannedBack { steps }, Durability::Written) {
            tracing::warn!(%error, "the plan back could not be written down");
        }
        let none = OpenedSecrets::default();
        let bench = Bench {
            host: self.host,
            store: self.store,
            manifest: &back.desired,
            secrets: secrets.as_ref().unwrap_or(&none),
            progress: self.progress,
            way: Way::Back,
            after_packages: &[],
            plan: &plan,
        };
        let applied = apply(&plan, &bench, journal).await;
        if let Some(reason) = applied.failure(&plan) {
            return Err(RollBackError::Steps(reason));
        }
        if reach == Reach::Everything {
            self.forget_originals(&previous)?;
        }
        Ok(())
    }

    /// The secrets of the generation before. What does not open any more stays as it is installed.
    fn reopen(&self, previous: &Manifest) -> Option<OpenedSecrets> {
        match self.secrets.open(previous) {
            Ok(opened) => Some(opened),
            Err(error) => {
                tracing::error!(%error, "the secrets of the generation before do not open; installed ones stay");
                None
            }
        }
    }

    async fn plan_back(
        &self,
        back: &WayBack<'_>,
        secrets: Option<&OpenedSecrets>,
        reach: Reach,
    ) -> Result<Plan, RollBackError> {
        let units = match reach {
            Reach::Everything => Units::Named {
                besides: back.unfinished.keys().cloned().collect(),
            },
            Reach::Files => Units::None,
        };
        let manifests = [&back.desired, &back.target, back.previous];
        let mut observed = observe::look(self.host, &manifests, secrets, units).await?;
        let originals = self.store.originals()?;
        let additions = back.additions(&self.store.additions()?);
        if reach == Reach::Everything {
            let object = |digest: &_| Desired::from(&back.desired).object(self.store, digest);
            observe::observe_definitions(self.host, object, &manifests, &mut observed).await?;
            observe::observe_software(self.host, &back.desired, &additions, &mut observed)?;
        }
        if let Err(error) = observe::observe_holds(self.store.root(), &mut observed) {
            // The way back is taken all the same: what cannot be read holds nothing.
            tracing::warn!(%error, "holds are unknown on the way back");
        }
        let owned = Owned {
            generations: vec![&back.target, back.previous],
            originals: &originals,
            additions: &additions,
            unfinished: back.unfinished.clone(),
        };
        // Something in the way of one path is no reason to leave all others half way.
        let draft = draft(&back.desired, &owned, &observed, Held::Reported);
        let conflicts = draft.conflicts.clone();
        let mut plan = draft.into_plan();
        for conflict in conflicts {
            tracing::warn!(%conflict, "left as it is on the way back");
            plan.notices.push(super::Notice {
                subject: conflict.subject,
                text: format!("{}; left as it is on the way back", conflict.found),
            });
        }
        if reach == Reach::Files {
            plan.steps.retain(|step| !needs_a_running_system(step));
        }
        Ok(plan)
    }
}

fn needs_a_running_system(step: &Step) -> bool {
    let is_about_more_than_files = matches!(
        step,
        Step::UpdatePackageLists { .. }
            | Step::InstallPackages { .. }
            | Step::HoldPackages { .. }
            | Step::ReleasePackages { .. }
            | Step::RemovePackages { .. }
            | Step::LoadModule { .. }
            | Step::GenerateLocales { .. }
            | Step::SetLinger { .. }
            | Step::ReloadConnections { .. }
            | Step::ReloadManager { .. }
    );
    is_about_more_than_files || step.unit().is_some()
}

/// The inputs of the plan back.
struct WayBack<'a> {
    /// The generation before, and what was found where it says nothing.
    desired: Manifest,
    previous: &'a Manifest,
    /// The generation that failed, without accounts that were there and open before it.
    target: Manifest,
    unfinished: BTreeMap<UnitId, Resume>,
    /// The packages that the failed activation was to install.
    installed: BTreeSet<PackageName>,
}

impl<'a> WayBack<'a> {
    /// What may be taken away: of the packages of ours only those that the failed activation installed.
    fn additions(&self, all: &Additions) -> Additions {
        let mut additions = all.clone();
        let is_kept = |name: &PackageName| {
            self.installed.contains(name) || self.desired.packages.contains(name)
        };
        additions.packages.retain(is_kept);
        additions
    }

    fn new(
        record: &Record,
        previous: &'a Manifest,
        mut target: Manifest,
        begun: &BTreeSet<usize>,
    ) -> Self {
        let desired = with_what_was_found(previous, &target, &record.plan);
        let mut opened = BTreeSet::new();
        let mut installed = BTreeSet::new();
        for step in &record.plan.steps {
            match step {
                Step::CreateUser { user, .. } => {
                    opened.insert(user.clone());
                }
                Step::ModifyUser { user, changes, .. }
                    if changes.iter().any(|change| change == UNLOCK) =>
                {
                    opened.insert(user.clone());
                }
                Step::InstallPackages { packages, .. } => {
                    installed.extend(packages.iter().cloned());
                }
                _ => {}
            }
        }
        // An account that the failed generation only took over is not locked: it was there before, and open.
        target
            .users
            .retain(|name, _| previous.users.contains_key(name) || opened.contains(name));
        Self {
            desired,
            previous,
            target,
            unfinished: unfinished(&record.plan, begun),
            installed,
        }
    }
}

/// The units that were up and that the activation had begun to move.
fn unfinished(plan: &Plan, begun: &BTreeSet<usize>) -> BTreeMap<UnitId, Resume> {
    let mut units = BTreeMap::new();
    for (index, step) in plan.steps.iter().enumerate() {
        if !begun.contains(&index) {
            continue;
        }
        let (unit, resume) = match step {
            Step::StopUnit { unit, .. } | Step::RestartUnit { unit, .. } => (unit, Resume::Restart),
            Step::ReloadUnit { unit, .. } => (unit, Resume::Reload),
            _ => continue,
        };
        let known = units.entry(unit.clone()).or_insert(resume);
        *known = (*known).max(resume);
    }
    units
}

/// The units that the activation was to move. systemd reads unit files when it boots and starts some units before files are
/// back, so those that run may run with what the activation wrote, whether or not it had come to them.
fn started_by_boot(plan: &Plan) -> BTreeMap<UnitId, Resume> {
    let mut units = BTreeMap::new();
    for step in &plan.steps {
        let (unit, resume) = match step {
            Step::StopUnit { unit, .. } | Step::RestartUnit { unit, .. } => {
                (unit, Resume::RestartIfUp)
            }
            // A target is started to pull in what it wants; it is nothing by itself.
            Step::StartUnit { unit, .. } if unit.kind() != UnitKind::Target => {
                (unit, Resume::RestartIfUp)
            }
            Step::ReloadUnit { unit, .. } => (unit, Resume::ReloadIfUp),
            _ => continue,
        };
        let known = units.entry(unit.clone()).or_insert(resume);
        *known = (*known).max(resume);
    }
    units
}

/// The generation before says nothing about what only the failed one touched. What was found there is in the plan.
fn with_what_was_found(previous: &Manifest, target: &Manifest, plan: &Plan) -> Manifest {
    let mut desired = previous.clone();
    let stopped: BTreeSet<&UnitId> = plan
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::StopUnit { unit, .. } => Some(unit),
            _ => None,
        })
        .collect();
    for step in &plan.steps {
        match step {
            Step::ModifyUser {
                user,
                found: Some(found),
                ..
            } => {
                if let Some(entry) = desired.users.get_mut(user) {
                    entry
                        .description
                        .get_or_insert_with(|| found.description.clone());
                    entry.shell = entry.shell.take().or(HostPath::new(&*found.shell).ok());
                }
            }
            Step::SetHostname { found, .. } if desired.hostname.is_none() => {
                desired.hostname = Some(found.clone());
            }
            Step::SetSysctl { key, found, .. } if !found.is_empty() => {
                let sysctls = &mut desired.sysctls;
                sysctls.entry(key.clone()).or_insert_with(|| found.clone());
            }
            Step::EnableUnit { unit } => {
                if let Some(entry) = untouched(&mut desired, target, unit) {
                    entry.enable.get_or_insert(false);
                }
            }
            // Nothing is enabled behind a mask that comes back: that it was is remembered until the mask goes.
            Step::DisableUnit { unit } if !masks(previous, unit) => {
                if let Some(entry) = untouched(&mut desired, target, unit) {
                    entry.enable.get_or_insert(true);
                }
            }
            // It was up, or it would not have been stopped: a unit of the distribution that was masked, say.
            Step::StopUnit { unit, .. } if !previous.units.contains_key(unit) => {
                if let Some(entry) = untouched(&mut desired, target, unit) {
                    entry.start.get_or_insert(true);
                }
            }
            // A target is started to pull in what it wants now; it may have been up before.
            Step::StartUnit { unit, .. }
                if !stopped.contains(unit) && unit.kind() != UnitKind::Target =>
            {
                if let Some(entry) = untouched(&mut desired, target, unit) {
                    entry.start.get_or_insert(false);
                }
            }
            _ => {}
        }
    }
    desired
}

/// The unit's entry, made if there is none; `None` for a unit of the failed generation's own, which simply goes.
fn untouched<'a>(
    desired: &'a mut Manifest,
    target: &Manifest,
    unit: &UnitId,
) -> Option<&'a mut UnitEntry> {
    let is_mask = |path: &HostPath| {
        let kind = target.paths.get(path).map(|entry| &entry.kind);
        matches!(kind, Some(PathKind::Symlink { target }) if target == "/dev/null")
    };
    let own = target.units.get(unit).is_some_and(|entry| {
        let files = entry.definition.iter().filter(|path| !is_mask(path));
        files
            .map(HostPath::file_name)
            .any(|file| unit.is_defined_by(file))
    });
    if own && !desired.units.contains_key(unit) {
        return None;
    }
    let entry = desired.units.entry(unit.clone()).or_insert(UnitEntry {
        definition: BTreeSet::new(),
        enable: None,
        start: None,
        on_change: OnChange::Restart,
        rules: UnitRules::default(),
        drift: Enforcement::Enforce,
        made_from: None,
        may_fail: false,
    });
    Some(entry)
}
