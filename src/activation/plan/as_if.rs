//! A host that is exactly what a generation says: for plans made far from the host.

use std::collections::BTreeMap;

use super::Observed;
use super::observed::Software;
use crate::generation::{Manifest, PathEntry, PathKind, UnitEntry, UserEntry};
use crate::host::{
    AccountState, Accounts, ActiveState, Attributes, Digest, GroupName, GroupState, HostPath,
    KernelModule, ModuleState, Owner, PathState, UnitFileState, UnitId, UnitState, UserName,
};
use crate::secrets::{SecretName, SecretState, TemplateSegment, UnitTriggers};

/// Where ids begin that nobody fixed; any that do not collide will do.
const MADE_UP_IDS_FROM: u32 = 100_000;

impl Observed {
    /// What would be observed on a host that is exactly `active`.
    #[must_use]
    pub fn as_if(active: &Manifest) -> Self {
        Self::as_if_towards(active, active)
    }

    /// What would be observed on a host that is exactly `active`, when `desired` is about to be planned: secrets are
    /// compared by their ciphertexts, and owners that only `desired` names are taken to exist if no account of
    /// either generation makes them.
    #[must_use]
    pub fn as_if_towards(active: &Manifest, desired: &Manifest) -> Self {
        let accounts = accounts(active, desired);
        let paths = paths(active, &accounts);
        Self {
            rests: BTreeMap::new(),
            paths,
            unit_files: BTreeMap::new(),
            dependents: BTreeMap::new(),
            packaged: BTreeMap::new(),
            residue: BTreeMap::new(),
            awake: desired.users.keys().cloned().collect(),
            units: units(active, desired),
            unmet: BTreeMap::new(),
            packages: Some(active.packages.clone()),
            software: Software {
                held: active.holds.clone(),
                ..Software::default()
            },
            locales: Some(active.locales.clone()),
            modules: modules(active, desired),
            logind: true,
            hostname: Some(active.hostname.clone().unwrap_or_default()),
            sysctls: sysctls(active, desired),
            secrets: secrets(active, desired),
            templates: desired
                .templates
                .keys()
                .map(|name| (name.clone(), template(active, desired, name)))
                .collect(),
            passwords: passwords(active, desired),
            stale_secrets: stale(active, desired),
            holds: Vec::new(),
            accounts,
        }
    }
}

fn accounts(active: &Manifest, desired: &Manifest) -> Accounts {
    let mut accounts = Accounts::default();
    let mut next = MADE_UP_IDS_FROM;
    let mut fresh = || {
        next += 1;
        next
    };
    for (name, entry) in &active.groups {
        let gid = entry.gid.unwrap_or_else(&mut fresh);
        accounts.groups.insert(name.clone(), empty_group(gid));
    }
    for (user, group) in owners(active, desired) {
        if !desired.users.contains_key(user) && !active.users.contains_key(user) {
            let uid = fresh();
            accounts.users.insert(user.clone(), bare_account(uid));
        }
        let made_later = desired.groups.contains_key(group)
            || desired.users.values().any(|user| user.group == *group);
        if !made_later && group.as_str() != "root" {
            let gid = fresh();
            let groups = &mut accounts.groups;
            groups
                .entry(group.clone())
                .or_insert_with(|| empty_group(gid));
        }
    }
    for (name, entry) in &active.users {
        let gid = match accounts.groups.get(&entry.group) {
            Some(group) => group.gid,
            None if entry.group.as_str() == "root" => 0,
            None => {
                let gid = fresh();
                accounts
                    .groups
                    .insert(entry.group.clone(), empty_group(gid));
                gid
            }
        };
        let uid = match name.as_str() {
            "root" => 0,
            _ => entry.uid.unwrap_or_else(&mut fresh),
        };
        join_groups(&mut accounts, name, entry, &mut fresh);
        if let Some(range) = entry.subids {
            accounts.subuids.insert(name.to_string(), vec![range]);
            accounts.subgids.insert(name.to_string(), vec![range]);
        }
        accounts
            .users
            .insert(name.clone(), account(entry, uid, gid));
    }
    accounts
}

fn join_groups(
    accounts: &mut Accounts,
    name: &UserName,
    entry: &UserEntry,
    fresh: &mut impl FnMut() -> u32,
) {
    for group in &entry.groups {
        let gid = fresh();
        let groups = &mut accounts.groups;
        let state = groups
            .entry(group.clone())
            .or_insert_with(|| empty_group(gid));
        state.members.insert(name.to_string());
    }
}

fn empty_group(gid: u32) -> GroupState {
    GroupState {
        gid,
        members: std::collections::BTreeSet::new(),
    }
}

fn bare_account(uid: u32) -> AccountState {
    AccountState {
        uid,
        gid: uid,
        description: String::new(),
        home: "/".to_owned(),
        shell: "/usr/sbin/nologin".to_owned(),
        locked: Some(true),
        password_locked: Some(true),
        expires: None,
        password_digest: None,
    }
}

fn account(entry: &UserEntry, uid: u32, gid: u32) -> AccountState {
    let hash = entry.password_hash.as_ref();
    AccountState {
        uid,
        gid,
        description: entry.description.clone().unwrap_or_default(),
        home: entry.home.to_string(),
        shell: entry
            .shell
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        locked: Some(false),
        password_locked: Some(false),
        expires: entry.expires.map(super::day_of),
        password_digest: hash.map(|hash| Digest::of(hash.as_bytes())),
    }
}

/// Every owner that a path of either generation names.
fn owners<'a>(
    active: &'a Manifest,
    desired: &'a Manifest,
) -> impl Iterator<Item = (&'a UserName, &'a GroupName)> {
    let entries = active.paths.values().chain(desired.paths.values());
    entries.filter_map(|entry| match &entry.kind {
        PathKind::File { owner, group, .. } | PathKind::Directory { owner, group, .. } => {
            Some((owner, group))
        }
        PathKind::Symlink { .. } => None,
    })
}

fn paths(active: &Manifest, accounts: &Accounts) -> BTreeMap<HostPath, PathState> {
    let mut paths = BTreeMap::new();
    for above in active.directories() {
        let directory = PathState::Directory {
            mode: crate::host::FileMode::from_bits(0o755),
            owner: Owner::Ids { uid: 0, gid: 0 },
        };
        paths.insert(above, directory);
    }
    for (path, entry) in &active.paths {
        paths.insert(path.clone(), state_of(entry, accounts));
    }
    paths
}

fn state_of(entry: &PathEntry, accounts: &Accounts) -> PathState {
    let ids = super::Ids(accounts);
    let owner = |user: &UserName, group: &GroupName| match (ids.user(user), ids.group(group)) {
        (Some(uid), Some(gid)) => Owner::Ids { uid, gid },
        _ => Owner::Unknown,
    };
    match &entry.kind {
        PathKind::File {
            content,
            owner: user,
            group,
            mode,
        } => PathState::File {
            content: content.clone(),
            mode: *mode,
            owner: owner(user, group),
            attributes: Attributes::default(),
        },
        PathKind::Directory {
            owner: user,
            group,
            mode,
        } => PathState::Directory {
            mode: *mode,
            owner: owner(user, group),
        },
        PathKind::Symlink { target } => PathState::Symlink {
            target: target.clone(),
        },
    }
}

fn units(active: &Manifest, desired: &Manifest) -> BTreeMap<UnitId, UnitState> {
    let mut units = BTreeMap::new();
    let absent = |name: &UnitId| (name.clone(), unit(None, UnitFileState::Missing));
    units.extend(desired.units.keys().map(absent));
    for triggered in triggers(active).chain(triggers(desired)) {
        // Whether a unit of the distribution runs cannot be known from here: the plan says what would be done if so.
        for name in triggered.restart.iter().chain(&triggered.reload) {
            if !desired.units.contains_key(name) || active.units.contains_key(name) {
                units.insert(name.clone(), unit(Some(true), UnitFileState::Enabled));
            }
        }
    }
    for (name, entry) in &active.units {
        let triggered = units.get(name).is_some_and(is_up) && entry.start.is_none();
        let start = if triggered { Some(true) } else { entry.start };
        units.insert(name.clone(), unit(start, file_state(active, name, entry)));
    }
    units
}

fn is_up(state: &UnitState) -> bool {
    state.active.is_some_and(ActiveState::is_up)
}

fn triggers(manifest: &Manifest) -> impl Iterator<Item = &UnitTriggers> {
    let paths = manifest.paths.values().map(|entry| &entry.units);
    let secrets = manifest.secrets.values().map(|spec| &spec.units);
    let templates = manifest.templates.values().map(|spec| &spec.units);
    paths.chain(secrets).chain(templates)
}

fn file_state(active: &Manifest, name: &UnitId, entry: &UnitEntry) -> UnitFileState {
    let path = active.unit_file(name);
    let ours = path.and_then(|path| active.paths.get(&path));
    match (ours.map(|entry| &entry.kind), entry.enable) {
        (Some(PathKind::Symlink { target }), _) if target == "/dev/null" => UnitFileState::Masked,
        (_, Some(true)) => UnitFileState::Enabled,
        (_, _) => UnitFileState::Disabled,
    }
}

fn unit(start: Option<bool>, file: UnitFileState) -> UnitState {
    let (active, sub) = match start {
        Some(true) => (ActiveState::Active, "running"),
        _ => (ActiveState::Inactive, "dead"),
    };
    UnitState {
        active: Some(active),
        sub: sub.to_owned(),
        result: "success".to_owned(),
        ..UnitState::of_file(file)
    }
}

fn modules(active: &Manifest, desired: &Manifest) -> BTreeMap<KernelModule, ModuleState> {
    let missing = desired.kernel_modules.iter();
    let mut modules: BTreeMap<_, _> = missing
        .map(|module| (module.clone(), ModuleState::Missing))
        .collect();
    let loaded = active.kernel_modules.iter();
    modules.extend(loaded.map(|module| (module.clone(), ModuleState::Loaded)));
    modules
}

fn sysctls(active: &Manifest, desired: &Manifest) -> BTreeMap<String, String> {
    let mut sysctls = active.sysctls.clone();
    for key in desired.sysctls.keys() {
        sysctls.entry(key.clone()).or_default();
    }
    sysctls
}

fn secrets(active: &Manifest, desired: &Manifest) -> BTreeMap<SecretName, SecretState> {
    let names = desired.secrets.keys();
    names
        .map(|name| (name.clone(), secret(active, desired, name)))
        .collect()
}

fn secret(active: &Manifest, desired: &Manifest, name: &SecretName) -> SecretState {
    match (active.secrets.get(name), desired.secrets.get(name)) {
        (Some(had), Some(wanted)) if had.ciphertext != wanted.ciphertext => SecretState::Different,
        (Some(had), Some(wanted))
            if (&had.owner, &had.group, had.mode)
                != (&wanted.owner, &wanted.group, wanted.mode) =>
        {
            SecretState::Metadata
        }
        (Some(_), Some(_)) => SecretState::Current,
        _ => SecretState::Missing,
    }
}

fn template(
    active: &Manifest,
    desired: &Manifest,
    name: &crate::secrets::TemplateName,
) -> SecretState {
    let (Some(had), Some(wanted)) = (active.templates.get(name), desired.templates.get(name))
    else {
        return SecretState::Missing;
    };
    let inputs_changed = wanted.segments.iter().any(|segment| match segment {
        TemplateSegment::Secret(input) => matches!(
            secret(active, desired, input),
            SecretState::Different | SecretState::Missing
        ),
        TemplateSegment::Text(_) => false,
    });
    if inputs_changed || had.segments != wanted.segments {
        SecretState::Different
    } else if (&had.owner, &had.group, had.mode) != (&wanted.owner, &wanted.group, wanted.mode) {
        SecretState::Metadata
    } else {
        SecretState::Current
    }
}

fn passwords(active: &Manifest, desired: &Manifest) -> BTreeMap<UserName, SecretState> {
    let mut passwords = BTreeMap::new();
    for (name, entry) in &desired.users {
        if let Some(wanted) = &entry.password_secret {
            let same = active
                .users
                .get(name)
                .is_some_and(|had| had.password_secret.as_ref() == Some(wanted));
            let state = match secret(active, desired, wanted) {
                SecretState::Different => SecretState::Different,
                _ if same => SecretState::Current,
                _ => SecretState::Different,
            };
            passwords.insert(name.clone(), state);
        }
    }
    passwords
}

fn stale(active: &Manifest, desired: &Manifest) -> std::collections::BTreeSet<String> {
    let secrets = active.secrets.keys();
    let templates = active.templates.keys();
    secrets
        .filter(|name| !desired.secrets.contains_key(*name))
        .map(ToString::to_string)
        .chain(
            templates
                .filter(|name| !desired.templates.contains_key(*name))
                .map(|name| format!("rendered/{name}")),
        )
        .collect()
}
