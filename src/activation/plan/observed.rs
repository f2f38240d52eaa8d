//! One input of deciding: what was found on a machine.

use std::collections::{BTreeMap, BTreeSet};

use crate::activation::{Hold, Notice};
use crate::generation::UnitFile;
use crate::host::{
    Accounts, Arriving, Digest, HostPath, KernelModule, Leaving, LocaleName, ModuleState,
    PackageName, PackagedFile, PathState, UnitId, UnitState, UserName,
};
use crate::secrets::{SecretName, SecretState, TemplateName};

/// Everything a plan is decided from, found on one machine at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Accounts and groups.
    pub accounts: Accounts,
    /// Every path that the old or the new generation names, and their parent directories. A path that is not here is
    /// taken to be a directory that exists.
    pub paths: BTreeMap<HostPath, PathState>,
    /// Those among new paths that came with a package.
    pub packaged: BTreeMap<HostPath, PackagedFile>,
    /// What dpkg left beside paths of the desired generation, and beside which.
    pub residue: BTreeMap<HostPath, HostPath>,
    /// The digest of the lines that count, for files in which some may differ.
    pub rests: BTreeMap<HostPath, Digest>,
    /// Every unit that the old or the new generation names.
    pub units: BTreeMap<UnitId, UnitState>,
    /// Units that are to run and are down, with the conditions of theirs that do not hold.
    pub unmet: BTreeMap<UnitId, String>,
    /// The unit files and drop-ins of units whose definition is to change, before and after, by their content. What is
    /// not here is not known, and counts as another definition.
    pub unit_files: BTreeMap<Digest, UnitFile>,
    /// The running units that systemd stops together with a unit whose definition is to change.
    pub dependents: BTreeMap<UnitId, BTreeSet<UnitId>>,
    /// Accounts of either generation whose own systemd runs.
    pub awake: BTreeSet<UserName>,
    /// Installed packages among those named. `None` where there is no package manager to ask.
    pub packages: Option<BTreeSet<PackageName>>,
    /// What else is known of packages.
    pub software: Software,
    /// Those locales among those named that programs can use. `None` below a `--root`.
    pub locales: Option<BTreeSet<LocaleName>>,
    /// Kernel modules among those named. Nothing is said of any below a `--root`.
    pub modules: BTreeMap<KernelModule, ModuleState>,
    /// Whether logind runs.
    pub logind: bool,
    /// Running host name; `None` below a `--root`.
    pub hostname: Option<String>,
    /// Running kernel parameters among those named; absent if the kernel has none of that name.
    pub sysctls: BTreeMap<String, String>,
    /// Installed secrets among those named, compared with the values that should be there.
    pub secrets: BTreeMap<SecretName, SecretState>,
    /// Rendered templates among those named.
    pub templates: BTreeMap<TemplateName, SecretState>,
    /// Passwords of accounts whose hash is a secret, compared with that secret.
    pub passwords: BTreeMap<UserName, SecretState>,
    /// Files below `/run/secrets` that no secret or template names.
    pub stale_secrets: BTreeSet<String>,
    /// What a person keeps from being put right.
    pub holds: Vec<Hold>,
}

/// What is known of packages besides which are installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Software {
    /// Those that upgrades leave at their version.
    pub held: BTreeSet<PackageName>,
    /// Whether dpkg was interrupted.
    pub interrupted: bool,
    /// What installing the missing ones brings, as apt says beforehand.
    pub arriving: BTreeMap<PackageName, Arriving>,
    /// Why apt cannot say it.
    pub unsure: Option<String>,
    /// What of our own packages can go.
    pub leaving: Leaving,
    /// Packages recorded as ours that somebody removed.
    pub gone: BTreeSet<PackageName>,
}

impl Observed {
    /// Whether this is a running machine, not a directory: only one has a running host name.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.hostname.is_some()
    }
}

/// A notice for each unit that is down because conditions of it do not hold, by unit.
pub(crate) fn waiting_units(unmet: &BTreeMap<UnitId, String>) -> Vec<Notice> {
    let units = unmet.iter().map(|(unit, unmet)| Notice {
        subject: unit.to_string(),
        text: waits_for(unmet),
    });
    units.collect()
}

/// What is said of a unit whose conditions `unmet` do not hold.
pub(super) fn waits_for(unmet: &str) -> String {
    format!("does not run: its condition does not hold ({unmet})")
}
