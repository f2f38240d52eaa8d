//! One change of a host in words: the same for a plan, a report and a drift repair.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::activation::{PathChange, Plan, SecretChange, SecretState, Step};
use crate::generation::{PathEntry, PathKind};
use crate::host::{Arriving, Linger, PackageName, PathState, UserName};

/// One change of a host, planned or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// What kind of thing it is about.
    pub area: Area,
    /// What happens to it.
    pub action: Action,
    /// Its name: a path, a unit, a secret, an account.
    pub subject: String,
    /// How, or why.
    pub detail: Option<String>,
}

/// What a change is about, in the order in which people read them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Packages.
    Packages,
    /// Accounts and groups.
    Accounts,
    /// Secrets and templates with secrets.
    Secrets,
    /// Files, directories and links.
    Files,
    /// Host name and kernel parameters.
    System,
    /// systemd units.
    Units,
}

/// What happens to the subject of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It was changed by somebody else, and is put right.
    Repair,
    /// It is removed.
    Remove,
    /// What was there before Steadfast comes back.
    Restore,
    /// A package is installed.
    Install,
    /// A package is kept at its version.
    Hold,
    /// Upgrades have a package again.
    Release,
    /// A kernel module is loaded.
    Load,
    /// An account is locked.
    Lock,
    /// A unit is enabled.
    Enable,
    /// A unit is disabled.
    Disable,
    /// A unit is started.
    Start,
    /// A unit is stopped.
    Stop,
    /// A unit is restarted.
    Restart,
    /// A unit, or systemd itself, reads its configuration again.
    Reload,
}

impl Area {
    /// Its name, as a heading.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Accounts => "accounts",
            Self::Secrets => "secrets",
            Self::Files => "files",
            Self::System => "system",
            Self::Units => "units",
        }
    }
}

impl Action {
    /// Its verb.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Repair => "repair",
            Self::Remove => "remove",
            Self::Restore => "restore",
            Self::Install => "install",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Load => "load",
            Self::Lock => "lock",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reload => "reload",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action.verb(), self.subject)?;
        match &self.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}

impl Change {
    /// Every change of `plan`, in its order.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Vec<Self> {
        plan.steps.iter().flat_map(Self::of_step).collect()
    }

    /// What `step` changes: one entry for each package and each secret, else a single one.
    #[must_use]
    pub fn of_step(step: &Step) -> Vec<Self> {
        use Action as A;
        let one = |area, action, subject: String, detail| {
            vec![Self {
                area,
                action,
                subject,
                detail,
            }]
        };
        let system = |action, subject: String| one(Area::System, action, subject, None);
        let user = |action, user: &UserName, detail: Option<String>| {
            one(Area::Accounts, action, format!("user {user}"), detail)
        };
        let unit = |action, unit: &crate::host::UnitId, why: Option<&String>| {
            one(Area::Units, action, unit.to_string(), why.cloned())
        };
        match step {
            Step::InstallPackages { packages, arriving } => installed(packages, arriving),
            Step::UpdatePackageLists { .. } => one(
                Area::Packages,
                A::Update,
                "package lists".to_owned(),
                Some("a package source changes".to_owned()),
            ),
            Step::HoldPackages { packages } => named(packages, A::Hold),
            Step::ReleasePackages { packages } => named(packages, A::Release),
            Step::RemovePackages { packages } => named(packages, A::Remove),
            Step::LoadModule { module } => system(A::Load, format!("kernel module {module}")),
            Step::GenerateLocales { locales } => locales
                .iter()
                .flat_map(|locale| system(A::Create, format!("locale {locale}")))
                .collect(),
            Step::SetLinger { user: name, linger } => {
                let detail = match linger {
                    Linger::On => "services run without a login",
                    Linger::Off => "services end with the last session",
                };
                user(A::Update, name, Some(detail.to_owned()))
            }
            Step::CreateGroup { group, .. } => {
                one(Area::Accounts, A::Create, format!("group {group}"), None)
            }
            Step::CreateUser { user: name, .. } => user(A::Create, name, None),
            Step::ModifyUser {
                user: name,
                changes,
                ..
            } => user(A::Update, name, Some(changes.join(", "))),
            Step::LockUser { user: name } => {
                let detail = "accounts are never deleted";
                user(A::Lock, name, Some(detail.to_owned()))
            }
            Step::InstallSecrets { changes } => changes.iter().map(Self::of_secret).collect(),
            Step::WritePath {
                path,
                entry,
                change,
                found,
            } => {
                let (action, detail) = path_change(entry, *change, found);
                one(Area::Files, action, path.to_string(), Some(detail))
            }
            Step::RemovePath { path, .. } => one(Area::Files, A::Remove, path.to_string(), None),
            Step::RestoreOriginal { path, .. } => one(
                Area::Files,
                A::Restore,
                path.to_string(),
                Some("what was there before Steadfast".to_owned()),
            ),
            Step::SetHostname { hostname, .. } => {
                system(A::Update, format!("host name {hostname}"))
            }
            Step::SetSysctl { key, value, .. } => system(A::Update, format!("{key} = {value}")),
            Step::ReloadConnections { .. } => {
                one(Area::Units, A::Reload, "NetworkManager".to_owned(), None)
            }
            Step::ReloadManager { account } => {
                let of = account.as_ref().map(|account| format!(" of {account}"));
                let name = format!("systemd{}", of.unwrap_or_default());
                one(Area::Units, A::Reload, name, None)
            }
            Step::EnableUnit { unit: name } => unit(A::Enable, name, None),
            Step::DisableUnit { unit: name } => unit(A::Disable, name, None),
            Step::StopUnit { unit: name, why } => unit(A::Stop, name, Some(why)),
            Step::ReloadUnit { unit: name, why } => unit(A::Reload, name, Some(why)),
            Step::RestartUnit { unit: name, why } | Step::CatchUpUnit { unit: name, why } => {
                unit(A::Restart, name, Some(why))
            }
            Step::StartUnit { unit: name, why } => unit(A::Start, name, Some(why)),
        }
    }

    fn of_secret(change: &SecretChange) -> Self {
        let (action, detail) = match change.found {
            None => (Action::Remove, None),
            Some(SecretState::Missing) => (Action::Create, None),
            Some(SecretState::Different) => (Action::Update, Some("content")),
            Some(SecretState::Metadata) => (Action::Update, Some("owner or mode")),
            Some(SecretState::Current) => (Action::Update, Some("unchanged")),
            Some(SecretState::Unknown) => (Action::Update, Some("could not be compared")),
        };
        Self {
            area: Area::Secrets,
            action,
            subject: change.name.clone(),
            detail: detail.map(str::to_owned),
        }
    }
}

/// A change for each package that was asked for, then for each that comes with them.
fn installed(
    packages: &BTreeSet<PackageName>,
    arriving: &BTreeMap<PackageName, Arriving>,
) -> Vec<Change> {
    let change = |action, name: &PackageName, detail| Change {
        area: Area::Packages,
        action,
        subject: name.to_string(),
        detail,
    };
    let asked = packages.iter().map(|name| {
        let version = arriving.get(name).map(|one| one.version.clone());
        change(Action::Install, name, version)
    });
    let others = arriving
        .iter()
        .filter(|(name, _)| !packages.contains(*name));
    let others = others.map(|(name, one)| match &one.replaces {
        None => {
            let detail = format!("{}, needed by the others", one.version);
            change(Action::Install, name, Some(detail))
        }
        Some(old) => {
            let detail = format!("{old} to {}", one.version);
            change(Action::Update, name, Some(detail))
        }
    });
    asked.chain(others).collect()
}

fn named(packages: &BTreeSet<PackageName>, action: Action) -> Vec<Change> {
    let change = |name: &PackageName| Change {
        area: Area::Packages,
        action,
        subject: name.to_string(),
        detail: None,
    };
    packages.iter().map(change).collect()
}

fn path_change(entry: &PathEntry, change: PathChange, found: &PathState) -> (Action, String) {
    let becomes = match &entry.kind {
        PathKind::File {
            owner, group, mode, ..
        } => format!("file {mode} {owner}:{group}"),
        PathKind::Directory { owner, group, mode } => format!("directory {mode} {owner}:{group}"),
        PathKind::Symlink { target } => format!("link to {target}"),
    };
    match change {
        PathChange::Create => (Action::Create, becomes),
        PathChange::Update | PathChange::Metadata => {
            (Action::Update, difference(&entry.kind, found, &becomes))
        }
        PathChange::Repair => (Action::Repair, difference(&entry.kind, found, &becomes)),
        PathChange::Backup => (Action::Update, format!("{becomes}; the original is kept")),
        PathChange::Adopt => (Action::Update, format!("{becomes}; taken over")),
    }
}

/// What differs between `wanted` and `found`; ids are not compared with names, so what is left over is the owner.
fn difference(wanted: &PathKind, found: &PathState, becomes: &str) -> String {
    let mode_change = |from, to| (from != to).then(|| format!("mode {from} to {to}"));
    let parts = match (wanted, found) {
        (
            PathKind::File { content, mode, .. },
            PathState::File {
                content: found_content,
                mode: found_mode,
                ..
            },
        ) => [
            (content != found_content).then(|| "content".to_owned()),
            mode_change(found_mode, mode),
        ],
        (PathKind::Directory { mode, .. }, PathState::Directory { mode: found, .. }) => {
            [mode_change(found, mode), None]
        }
        (PathKind::Symlink { target }, PathState::Symlink { target: found }) => [
            (target != found).then(|| format!("link to {target}, was to {found}")),
            None,
        ],
        (_, PathState::Absent) => [Some(becomes.to_owned()), None],
        (_, found) => [Some(format!("{becomes}, was {}", noun(found))), None],
    };
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "owner, group or attributes".to_owned()
    } else {
        parts.join(", ")
    }
}

fn noun(found: &PathState) -> &str {
    match found {
        PathState::Absent => "absent",
        PathState::File { .. } => "a file",
        PathState::Directory { .. } => "a directory",
        PathState::Symlink { .. } => "a link",
        PathState::Other { what } => what,
    }
}

#[cfg(test)]
mod tests;
