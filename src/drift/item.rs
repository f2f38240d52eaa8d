//! What a step of the plan against the active generation means as a difference.

use super::report::{DriftClass, DriftItem};
use crate::activation::{Conflict, Observed, SecretState, Step};
use crate::config::Enforcement;
use crate::generation::{Manifest, PathEntry, PathKind};
use crate::host::{Accounts, ActiveState, Attributes, HostPath, Owner, PathState, UnitId};

pub(super) fn of_conflict(manifest: &Manifest, conflict: &Conflict) -> DriftItem {
    let (class, subject) = match conflict.subject.split_once(' ') {
        Some(("user", name)) => (DriftClass::User, name),
        Some(("group", name)) => (DriftClass::Group, name),
        _ => (DriftClass::Type, conflict.subject.as_str()),
    };
    let entry = HostPath::new(subject)
        .ok()
        .and_then(|path| manifest.paths.get(&path));
    DriftItem {
        class,
        subject: subject.to_owned(),
        policy: entry.map_or(manifest.drift, |entry| entry.drift),
        detail: conflict.found.clone(),
        diff: None,
        hold: None,
        contended: None,
        trace: None,
    }
}

/// What dpkg or ucf left beside a file of ours. Which of the two versions is right is for a person to say.
pub(super) fn of_residue(manifest: &Manifest, left: &HostPath, of: &HostPath) -> DriftItem {
    let conflict = Conflict {
        subject: left.to_string(),
        found: format!("was left by dpkg beside {of}: look what differs, then remove it"),
        hint: String::new(),
    };
    DriftItem {
        class: DriftClass::Residue,
        policy: Enforcement::Report,
        ..of_conflict(manifest, &conflict)
    }
}

/// The differences behind one step; none for what only follows from another step.
pub(super) fn of_step(manifest: &Manifest, observed: &Observed, step: &Step) -> Vec<DriftItem> {
    let item = |class, subject: String, detail: String| DriftItem {
        class,
        subject,
        policy: manifest.drift,
        detail,
        diff: None,
        hold: None,
        contended: None,
        trace: None,
    };
    match step {
        Step::WritePath {
            path, entry, found, ..
        } if manifest.paths.contains_key(path) => {
            vec![of_path(path, entry, found, &observed.accounts)]
        }
        Step::InstallPackages { packages, .. } => packages
            .iter()
            .map(|name| {
                item(
                    DriftClass::Package,
                    name.to_string(),
                    "is not installed".to_owned(),
                )
            })
            .collect(),
        Step::HoldPackages { packages } => packages
            .iter()
            .map(|name| {
                let detail = "is not held at its version".to_owned();
                item(DriftClass::Package, name.to_string(), detail)
            })
            .collect(),
        Step::LoadModule { module } => {
            let detail = "is not loaded".to_owned();
            vec![item(DriftClass::KernelModule, module.to_string(), detail)]
        }
        Step::GenerateLocales { locales } => locales
            .iter()
            .map(|locale| {
                let detail = "is not there".to_owned();
                item(DriftClass::Locale, locale.to_string(), detail)
            })
            .collect(),
        Step::CreateGroup { group, .. } => {
            vec![item(
                DriftClass::Group,
                group.to_string(),
                "is gone".to_owned(),
            )]
        }
        Step::CreateUser { user, .. } => {
            vec![item(
                DriftClass::User,
                user.to_string(),
                "is gone".to_owned(),
            )]
        }
        Step::ModifyUser { user, changes, .. } => {
            let detail = format!("should have: {}", changes.join(", "));
            vec![item(DriftClass::User, user.to_string(), detail)]
        }
        Step::InstallSecrets { changes } => changes
            .iter()
            .map(|change| {
                let detail = secret_detail(change.found).to_owned();
                DriftItem {
                    policy: secret_policy(manifest, change.found),
                    ..item(DriftClass::Secret, change.name.clone(), detail)
                }
            })
            .collect(),
        Step::SetHostname { hostname, found } => {
            let detail = format!("is {found}, should be {hostname}");
            vec![item(DriftClass::Hostname, hostname.clone(), detail)]
        }
        Step::SetSysctl { key, value, found } => {
            let detail = format!("is {found}, should be {value}");
            vec![item(DriftClass::Sysctl, key.clone(), detail)]
        }
        Step::ReloadManager { .. } => stale_units(manifest, observed),
        _ => of_unit_step(manifest, observed, step).into_iter().collect(),
    }
}

/// Units whose files changed since systemd read them.
fn stale_units(manifest: &Manifest, observed: &Observed) -> Vec<DriftItem> {
    let stale = observed
        .units
        .iter()
        .filter(|(_, state)| state.needs_reload);
    let named = stale.filter_map(|(unit, _)| Some((unit, manifest.units.get(unit)?)));
    let items = named.map(|(unit, entry)| DriftItem {
        class: DriftClass::UnitState,
        subject: unit.to_string(),
        policy: entry.drift,
        detail: "its files changed since systemd read them".to_owned(),
        diff: None,
        hold: None,
        contended: None,
        trace: None,
    });
    items.collect()
}

fn of_unit_step(manifest: &Manifest, observed: &Observed, step: &Step) -> Option<DriftItem> {
    let unit = step.unit()?;
    let is_up = observed
        .units
        .get(unit)
        .and_then(|state| state.active)
        .is_some_and(ActiveState::is_up);
    let entry = manifest.units.get(unit)?;
    let masked = observed
        .units
        .get(unit)
        .is_some_and(|state| state.file.is_masked());
    let detail = match step {
        Step::StartUnit { .. } | Step::EnableUnit { .. } if masked => {
            "is masked, should not be".to_owned()
        }
        Step::StartUnit { .. } if !is_up => format!("is {}", activity(observed, unit)),
        Step::StopUnit { .. } if is_up && entry.start == Some(false) => {
            "is running, should be stopped".to_owned()
        }
        Step::EnableUnit { .. } => "is not enabled".to_owned(),
        Step::DisableUnit { .. } => "is enabled, should not be".to_owned(),
        // Restarts and reloads follow from files that differ, which are items of their own.
        _ => return None,
    };
    Some(DriftItem {
        class: DriftClass::UnitState,
        subject: unit.to_string(),
        policy: entry.drift,
        detail,
        diff: None,
        hold: None,
        contended: None,
        trace: None,
    })
}

fn activity(observed: &Observed, unit: &UnitId) -> &'static str {
    match observed.units.get(unit).and_then(|state| state.active) {
        Some(ActiveState::Failed) => "failed, should be running",
        _ => "not running, should be",
    }
}

/// `/run/secrets` is ours alone, in memory, and made anew by every pass: nothing can be meant by a hole in it or by what else is
/// there, so neither is left for somebody to ask for.
fn secret_policy(manifest: &Manifest, found: Option<SecretState>) -> Enforcement {
    match found {
        None | Some(SecretState::Missing) => Enforcement::Enforce,
        Some(_) => manifest.drift,
    }
}

fn secret_detail(found: Option<SecretState>) -> &'static str {
    match found {
        None => "is there, and nothing asks for it",
        Some(SecretState::Missing) => "is not installed",
        Some(SecretState::Metadata) => "has another owner, group or mode",
        Some(_) => "has another value",
    }
}

fn of_path(
    path: &HostPath,
    entry: &PathEntry,
    found: &PathState,
    accounts: &Accounts,
) -> DriftItem {
    let (class, detail) = match (&entry.kind, found) {
        (_, PathState::Absent) => (DriftClass::Missing, "is gone".to_owned()),
        (
            PathKind::File {
                content,
                owner,
                group,
                mode,
            },
            PathState::File {
                content: has,
                mode: has_mode,
                owner: has_owner,
                attributes,
            },
        ) => {
            let wanted = (owner.as_str(), group.as_str(), *mode);
            let metadata = metadata(wanted, *has_mode, *has_owner, accounts);
            match (content == has, metadata) {
                (true, metadata) => {
                    let detail = metadata.unwrap_or_else(|| attributes_in_words(attributes));
                    (DriftClass::Metadata, detail)
                }
                (false, None) => (DriftClass::Content, "has other content".to_owned()),
                (false, Some(metadata)) => (
                    DriftClass::Content,
                    format!("has other content; {metadata}"),
                ),
            }
        }
        (
            PathKind::Directory { owner, group, mode },
            PathState::Directory {
                mode: has_mode,
                owner: has_owner,
            },
        ) => {
            let wanted = (owner.as_str(), group.as_str(), *mode);
            let metadata = metadata(wanted, *has_mode, *has_owner, accounts);
            (DriftClass::Metadata, metadata.unwrap_or_default())
        }
        (PathKind::Symlink { target }, PathState::Symlink { target: has }) => (
            DriftClass::Content,
            format!("points at {has}, should point at {target}"),
        ),
        (wanted, found) => (
            DriftClass::Type,
            format!("is {}, should be {}", what_is(found), what_should(wanted)),
        ),
    };
    DriftItem {
        class,
        subject: path.to_string(),
        policy: entry.drift,
        detail,
        diff: None,
        hold: None,
        contended: None,
        trace: None,
    }
}

/// How owner and mode differ; `None` if they do not.
fn metadata(
    (owner, group, mode): (&str, &str, crate::host::FileMode),
    has_mode: crate::host::FileMode,
    has_owner: Owner,
    accounts: &Accounts,
) -> Option<String> {
    let mut parts = Vec::new();
    if mode != has_mode {
        parts.push(format!("mode is {has_mode}, should be {mode}"));
    }
    if let Owner::Ids { uid, gid } = has_owner {
        let (has_user, has_group) = (user_name(accounts, uid), group_name(accounts, gid));
        if has_user != owner || has_group != group {
            parts.push(format!(
                "owner is {has_user}:{has_group}, should be {owner}:{group}"
            ));
        }
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// How extended attributes differ, where nothing else does.
fn attributes_in_words(has: &Attributes) -> String {
    if has.is_empty() {
        return "has lost its extended attributes".to_owned();
    }
    let names: Vec<&str> = has.names().collect();
    format!("has other extended attributes: {}", names.join(", "))
}

fn user_name(accounts: &Accounts, uid: u32) -> String {
    let mut users = accounts.users.iter();
    match users.find(|(_, user)| user.uid == uid) {
        Some((name, _)) => name.to_string(),
        None if uid == 0 => "root".to_owned(),
        None => uid.to_string(),
    }
}

fn group_name(accounts: &Accounts, gid: u32) -> String {
    let mut groups = accounts.groups.iter();
    match groups.find(|(_, group)| group.gid == gid) {
        Some((name, _)) => name.to_string(),
        None if gid == 0 => "root".to_owned(),
        None => gid.to_string(),
    }
}

fn what_is(found: &PathState) -> String {
    match found {
        PathState::Absent => "nothing".to_owned(),
        PathState::File { .. } => "a file".to_owned(),
        PathState::Directory { .. } => "a directory".to_owned(),
        PathState::Symlink { target } => format!("a link to {target}"),
        PathState::Other { what } => what.clone(),
    }
}

fn what_should(kind: &PathKind) -> &'static str {
    match kind {
        PathKind::File { .. } => "a file",
        PathKind::Directory { .. } => "a directory",
        PathKind::Symlink { .. } => "a link",
    }
}
