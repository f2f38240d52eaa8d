//! Doing: a loop over steps, too dull to be wrong.
//!
//! Nothing is decided here. Every step tolerates being carried out twice, or after half of it was carried out, and a
//! file that somebody else changed since it was looked at is not overwritten.

mod accounts;
mod bout;
mod course;
mod files;
mod paths;
mod software;
mod units;

pub(super) use files::MOST_BYTES as STAGED_BYTES;
pub(super) use paths::keep;
pub(super) use units::may_fail;

use std::collections::{BTreeMap, BTreeSet};

use bout::Bout;
use course::Course;

use super::failure::HostFailure;
use super::journal::{Durability, Entry, Journal, JournalError};
use super::progress::{Progress, Way};
use super::validate::{Check, Judge, Packages, Refused};
use super::{Notice, Plan, Step};
use crate::generation::{Manifest, Originals, Store};
use crate::host::{Accounts, Host, HostPath, MachineError, PATIENCE, PackageLock, PackageName};
use crate::secrets::{self, OpenedSecrets, SecretSet};

/// What was done of a plan.
#[must_use = "a failed step is in `failed`"]
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// The places of the steps that were begun, from 0.
    pub(super) begun: BTreeSet<usize>,
    /// The places of the steps that were done.
    pub(super) done: BTreeSet<usize>,
    /// What did not start and need not, and what programs of this very plan say about what they are to read.
    pub(super) warnings: Vec<Notice>,
    /// The steps that failed: their places, and why.
    pub(super) failed: Vec<(usize, HostFailure)>,
    /// Packages that came, with their versions.
    pub(super) came: BTreeMap<PackageName, String>,
}

impl Applied {
    /// Why it failed, in one line; `None` if it did not.
    #[must_use]
    pub(super) fn failure(&self, plan: &Plan) -> Option<String> {
        if self.failed.is_empty() {
            return None;
        }
        let describe = |(index, error): &(usize, HostFailure)| {
            if matches!(error, HostFailure::Package(error) if error.names_packages()) {
                return error.in_one_line();
            }
            let step = plan.steps.get(*index).map(Step::describe);
            format!("{}: {}", step.unwrap_or_default(), error.in_one_line())
        };
        Some(
            self.failed
                .iter()
                .map(describe)
                .collect::<Vec<_>>()
                .join("; "),
        )
    }
}

/// Everything that steps are carried out with.
pub(super) struct Bench<'a> {
    pub(super) host: &'a Host,
    pub(super) store: &'a Store,
    /// The generation that the plan goes to.
    pub(super) manifest: &'a Manifest,
    pub(super) secrets: &'a OpenedSecrets,
    pub(super) progress: &'a dyn Progress,
    pub(super) way: Way,
    /// Questions about new content that can be asked when the packages of the plan are there.
    pub(super) after_packages: &'a [Check],
    pub(super) plan: &'a Plan,
}

/// Carries out `plan`. Forward, the first failure ends it; back, the rest is tried all the same, because the more of
/// the old generation is there, the better.
pub(super) async fn apply(plan: &Plan, bench: &Bench<'_>, journal: &mut Journal) -> Applied {
    let mut course = Course::new(plan, bench, journal);
    let mut next = 0;
    while next < plan.steps.len() {
        let bout = Bout::at(plan, next);
        next = bout.steps.end;
        if course.carry_out(bout).await.is_break() {
            break;
        }
    }
    course.end()
}

/// Whether the host goes on when the step fails: a mount with `nofail` that does not start.
fn is_spared(step: &Step, bench: &Bench<'_>) -> bool {
    matches!(step, Step::StartUnit { unit, .. } | Step::RestartUnit { unit, .. } if may_fail(bench.manifest, unit))
}

fn spared(step: &Step, error: &HostFailure) -> Option<Notice> {
    let unit = step.unit()?;
    tracing::warn!(%unit, reason = error.in_one_line(), "unit did not start; the host goes on without it");
    Some(Notice {
        subject: unit.to_string(),
        text: format!("{}; the host goes on without it", error.in_one_line()),
    })
}

/// Writes down what is over or on the way back: a line that cannot be written must not stop what it tells of, for a full
/// disk is no reason to stay half way. Phases, and what is about to begin, are written strictly.
fn remember(journal: &mut Journal, entry: &Entry, durability: Durability) {
    if let Err(error) = journal.write(entry, durability) {
        unwritten(&error);
    }
}

fn unwritten(error: &JournalError) {
    tracing::warn!(%error, "the transaction journal could not be written");
}

fn is_path_step(step: &Step) -> bool {
    matches!(
        step,
        Step::WritePath { .. } | Step::RemovePath { .. } | Step::RestoreOriginal { .. }
    )
}

/// Whether the step changes what maintainer scripts change too.
pub(super) fn needs_packages_still(step: &Step) -> bool {
    let accounts = matches!(
        step,
        Step::CreateGroup { .. }
            | Step::CreateUser { .. }
            | Step::ModifyUser { .. }
            | Step::LockUser { .. }
    );
    accounts || is_path_step(step)
}

/// The bench, and what was picked up on the way.
struct Hands<'a> {
    bench: &'a Bench<'a>,
    /// Read again after every step that changes accounts.
    accounts: Option<Accounts>,
    originals: Option<Originals>,
    units: Option<crate::host::Units>,
    /// Directories whose entries are not on disk yet.
    dirty: BTreeSet<HostPath>,
    /// Packages came, and may have brought files that we are about to write.
    unpacked: Unpacked,
    /// Packages that came, with their versions.
    came: BTreeMap<PackageName, String>,
    /// What programs that came say about what they are to read.
    warnings: Vec<Notice>,
    /// While files and accounts change, no package does.
    still: Option<PackageLock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unpacked {
    No,
    Yes,
}

impl<'a> Hands<'a> {
    fn new(bench: &'a Bench<'a>) -> Self {
        Self {
            bench,
            accounts: None,
            originals: None,
            units: None,
            dirty: BTreeSet::new(),
            unpacked: Unpacked::No,
            came: BTreeMap::new(),
            warnings: Vec::new(),
            still: None,
        }
    }

    /// Has dpkg's lock for steps about files and accounts, and lets go of it for all others: apt takes it itself, and
    /// what a unit runs may.
    fn keep_packages_still(&mut self, step: &Step) -> Result<(), HostFailure> {
        if !needs_packages_still(step) {
            self.still = None;
            return Ok(());
        }
        if self.still.is_none() {
            self.still = match (self.bench.host.lock_packages(PATIENCE), self.bench.way) {
                (Ok(lock), _) => lock,
                // In between is no state to stay in.
                (Err(error), Way::Back) => {
                    tracing::warn!(%error, "going back without waiting any longer");
                    None
                }
                (Err(error), Way::Forward) => return Err(error.into()),
            };
        }
        Ok(())
    }

    async fn act(&mut self, step: &Step, journal: &mut Journal) -> Result<(), HostFailure> {
        let host = self.bench.host;
        match step {
            Step::UpdatePackageLists { .. }
            | Step::InstallPackages { .. }
            | Step::HoldPackages { .. }
            | Step::ReleasePackages { .. }
            | Step::RemovePackages { .. } => self.software(step, journal),
            Step::LoadModule { module } => Ok(host.load_kernel_module(module)?),
            Step::GenerateLocales { .. } => Ok(host.generate_locales()?),
            Step::SetLinger { user, linger } => Ok(host.set_linger(user, *linger)?),
            Step::CreateGroup { .. }
            | Step::CreateUser { .. }
            | Step::ModifyUser { .. }
            | Step::LockUser { .. } => {
                self.accounts = None;
                self.account(step)
            }
            Step::InstallSecrets { .. } => self.install_secrets(),
            Step::WritePath {
                path,
                entry,
                change,
                found,
            } => self.write(path, entry, (*change, found), journal),
            Step::RemovePath { path, found } => self.remove(path, found),
            Step::RestoreOriginal { path, .. } => self.restore(path),
            Step::SetHostname { hostname, .. } => Ok(host.set_hostname(hostname)?),
            Step::SetSysctl { key, value, found } => match host.set_sysctl(key, value) {
                // It was to come with a module, and did not.
                Err(MachineError::NoSuchSysctl { .. }) if found.is_empty() => Ok(()),
                result => Ok(result?),
            },
            Step::ReloadConnections { up } => Ok(host.reload_connections(up)?),
            Step::ReloadManager { .. }
            | Step::StopUnit { .. }
            | Step::EnableUnit { .. }
            | Step::DisableUnit { .. }
            | Step::ReloadUnit { .. }
            | Step::RestartUnit { .. }
            | Step::CatchUpUnit { .. }
            | Step::StartUnit { .. } => self.unit(step).await,
        }
    }

    /// Asks what could not be asked before there was somebody to ask.
    fn judge_again(&mut self) -> Result<(), HostFailure> {
        let bench = self.bench;
        let judge = Judge {
            host: bench.host,
            store: bench.store,
            desired: bench.manifest,
            plan: bench.plan,
            packages: Packages::There,
        };
        let judged = judge.judge(bench.after_packages)?;
        self.warnings.extend(judged.warnings);
        match judged.refused {
            refused if refused.is_empty() => Ok(()),
            refused => Err(HostFailure::Refused(Refused(refused))),
        }
    }

    fn install_secrets(&mut self) -> Result<(), HostFailure> {
        let Bench {
            host,
            manifest,
            secrets,
            ..
        } = *self.bench;
        let set = SecretSet {
            secrets: &manifest.secrets,
            templates: &manifest.templates,
            opened: secrets,
        };
        let installed = secrets::install(host, &set, self.accounts()?)?;
        tracing::info!(?installed, "secrets installed");
        Ok(())
    }

    fn accounts(&mut self) -> Result<&Accounts, HostFailure> {
        match &mut self.accounts {
            Some(accounts) => Ok(accounts),
            empty @ None => Ok(empty.insert(self.bench.host.accounts()?)),
        }
    }

    /// Puts the entries of all directories on disk, once for many files.
    fn sync(&mut self) -> Result<(), HostFailure> {
        let dirty = std::mem::take(&mut self.dirty);
        Ok(self.bench.host.sync_directories(&dirty)?)
    }
}
