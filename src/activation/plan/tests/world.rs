//! A machine small enough to hold in the hand: what steps do, without a machine.

use std::collections::BTreeMap;

use super::super::super::originals;
use super::super::{Conflicts, Held, Observed, Owned, Plan, Step, day_of, plan};
use crate::config::{Enforcement, HostName, OnConflict};
use crate::generation::{
    Additions, Manifest, OnChange, Originals, PathEntry, PathKind, UnitEntry, UnitRules, UserEntry,
};
use crate::host::{
    AccountState, ActiveState, Attributes, Digest, FileMode, GroupName, GroupState, HostPath,
    ModuleState, Owner, PackageName, PathState, UnitFileState, UnitId, UnitState, UserName,
};
use crate::secrets::{SecretName, SecretState, UnitTriggers};

pub(crate) fn path(text: &str) -> HostPath {
    HostPath::new(text).unwrap()
}

pub(crate) fn unit_name(text: &str) -> UnitId {
    text.parse().unwrap()
}

pub(crate) fn manifest() -> Manifest {
    Manifest::empty(HostName::new("chicago").unwrap())
}

pub(crate) fn entry(kind: PathKind) -> PathEntry {
    PathEntry {
        kind,
        on_conflict: OnConflict::Refuse,
        drift: Enforcement::Report,
        units: UnitTriggers::default(),
    }
}

pub(crate) fn file_kind(content: &str) -> PathKind {
    PathKind::File {
        content: Digest::of(content.as_bytes()),
        owner: UserName::new("root").unwrap(),
        group: GroupName::new("root").unwrap(),
        mode: FileMode::from_bits(0o644),
    }
}

pub(crate) fn directory_kind() -> PathKind {
    PathKind::Directory {
        owner: UserName::new("root").unwrap(),
        group: GroupName::new("root").unwrap(),
        mode: FileMode::from_bits(0o755),
    }
}

pub(crate) fn link_kind(target: &str) -> PathKind {
    PathKind::Symlink {
        target: target.to_owned(),
    }
}

pub(crate) fn file(content: &str) -> PathEntry {
    entry(file_kind(content))
}

pub(crate) const ROOT: Owner = Owner::Ids { uid: 0, gid: 0 };

pub(crate) fn file_state(content: &str) -> PathState {
    PathState::File {
        content: Digest::of(content.as_bytes()),
        mode: FileMode::from_bits(0o644),
        owner: ROOT,
        attributes: Attributes::default(),
    }
}

pub(crate) fn directory_state() -> PathState {
    PathState::Directory {
        mode: FileMode::from_bits(0o755),
        owner: ROOT,
    }
}

pub(crate) fn user(home: &str) -> UserEntry {
    UserEntry {
        uid: None,
        group: GroupName::new("users").unwrap(),
        groups: [].into(),
        description: None,
        home: path(home),
        shell: None,
        password_hash: None,
        password_secret: None,
        system: false,
        expires: None,
        subids: None,
    }
}

pub(crate) fn unit(definition: &[&str]) -> UnitEntry {
    UnitEntry {
        definition: definition.iter().map(|text| path(text)).collect(),
        enable: None,
        start: Some(true),
        on_change: OnChange::StopStart,
        rules: UnitRules::default(),
        drift: Enforcement::Report,
        made_from: None,
        may_fail: false,
    }
}

pub(crate) fn unit_state(active: ActiveState) -> UnitState {
    UnitState {
        active: Some(active),
        sub: String::new(),
        file: UnitFileState::Disabled,
        fragment: None,
        needs_reload: false,
        restarts: 0,
        invocation: String::new(),
        result: "success".to_owned(),
        oneshot: false,
    }
}

/// A manifest with a unit of ours: its file and its entry.
pub(crate) fn with_unit(manifest: &mut Manifest, name: &str, content: &str, on_change: OnChange) {
    let fragment = format!("/etc/systemd/system/{name}");
    manifest.paths.insert(path(&fragment), file(content));
    let entry = UnitEntry {
        on_change,
        ..unit(&[&fragment])
    };
    manifest.units.insert(unit_name(name), entry);
}

/// A machine, and what is known about it.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) observed: Observed,
    pub(crate) originals: Originals,
    pub(crate) additions: Additions,
    pub(crate) active: Option<Manifest>,
}

impl World {
    pub(crate) fn fresh() -> Self {
        let mut observed = Observed {
            packages: Some([].into()),
            locales: Some([].into()),
            logind: true,
            hostname: Some("localhost".to_owned()),
            ..Observed::default()
        };
        observed.accounts.users.insert(
            UserName::new("root").unwrap(),
            account(&user("/root"), 0, 0),
        );
        observed.paths.insert(path("/etc"), directory_state());
        Self {
            observed,
            originals: Originals::new(),
            additions: Additions::default(),
            active: None,
        }
    }

    pub(crate) fn put(&mut self, at: &str, state: PathState) {
        self.observed.paths.insert(path(at), state);
    }

    pub(crate) fn run(&mut self, name: &str, active: ActiveState) {
        self.observed
            .units
            .insert(unit_name(name), unit_state(active));
    }

    pub(crate) fn plan(&self, desired: &Manifest, held: Held) -> Result<Plan, Conflicts> {
        let generations = self.active.iter().collect();
        let owned = Owned {
            generations,
            originals: &self.originals,
            additions: &self.additions,
            unfinished: [].into(),
        };
        plan(desired, &owned, &self.look(desired), held)
    }

    /// Plans, applies, commits; the plan for the record.
    pub(crate) fn go(&mut self, desired: &Manifest) -> Plan {
        let plan = self.plan(desired, Held::Nothing).unwrap();
        self.take(desired, &plan);
        for step in &plan.steps {
            self.apply(step);
        }
        self.commit(desired);
        plan
    }

    pub(crate) fn take(&mut self, desired: &Manifest, plan: &Plan) {
        let owned: Vec<&Manifest> = self.active.iter().collect();
        let observed = self.look(desired);
        self.originals = originals::taken(&self.originals, plan, desired, &owned, &observed);
    }

    pub(crate) fn commit(&mut self, desired: &Manifest) {
        self.originals = originals::settled(&self.originals, desired);
        self.active = Some(desired.clone());
    }

    /// What `observe` would find for the active and the desired generation.
    pub(crate) fn look(&self, desired: &Manifest) -> Observed {
        let mut observed = self.observed.clone();
        let both = self.active.iter().chain([desired]);
        for manifest in both {
            for named in manifest.directories().iter().chain(manifest.paths.keys()) {
                let found = observed.paths.entry(named.clone());
                found.or_insert(PathState::Absent);
            }
            for name in manifest.units.keys() {
                let state = observed.units.entry(name.clone());
                state.or_insert_with(|| unit_state(ActiveState::Inactive));
            }
        }
        // Nothing of this machine's needs another package.
        let unwanted = self.additions.packages.difference(&desired.packages);
        observed.software.leaving.remove = unwanted.cloned().collect();
        for module in &desired.kernel_modules {
            let state = observed.modules.entry(module.clone());
            state.or_insert(ModuleState::Missing);
        }
        for name in desired.secrets.keys() {
            let state = observed.secrets.entry(name.clone());
            state.or_insert(SecretState::Missing);
        }
        let installed = self.observed.secrets.iter();
        let stale = installed
            .filter(|(name, state)| {
                **state == SecretState::Current && !desired.secrets.contains_key(*name)
            })
            .map(|(name, _)| name.to_string());
        observed.stale_secrets.extend(stale);
        observed
    }

    pub(crate) fn apply(&mut self, step: &Step) {
        match step {
            Step::WritePath { path, entry, .. } => self.write(path, entry),
            Step::RemovePath { path, .. } => self.remove(path),
            Step::RestoreOriginal { path, .. } => {
                self.assert_parent(path);
                let original = self.originals[path].clone();
                self.observed.paths.insert(path.clone(), original);
            }
            Step::InstallPackages { packages, .. } => {
                let installed = self.observed.packages.get_or_insert_default();
                installed.extend(packages.iter().cloned());
                self.additions.packages.extend(packages.iter().cloned());
            }
            Step::RemovePackages { packages } => {
                let installed = self.observed.packages.get_or_insert_default();
                installed.retain(|name| !packages.contains(name));
                self.additions
                    .packages
                    .retain(|name| !packages.contains(name));
            }
            Step::HoldPackages { packages } => {
                let software = &mut self.observed.software;
                software.held.extend(packages.iter().cloned());
                self.additions.holds.extend(packages.iter().cloned());
            }
            Step::ReleasePackages { packages } => {
                let software = &mut self.observed.software;
                software.held.retain(|name| !packages.contains(name));
                self.additions.holds.retain(|name| !packages.contains(name));
            }
            // Packages of this world start nothing.
            Step::CatchUpUnit { .. }
            | Step::UpdatePackageLists { .. }
            | Step::SetLinger { .. }
            | Step::ReloadConnections { .. } => {}
            Step::LoadModule { module } => {
                let modules = &mut self.observed.modules;
                modules.insert(module.clone(), ModuleState::Loaded);
            }
            Step::GenerateLocales { locales } => {
                let there = self.observed.locales.get_or_insert_default();
                there.extend(locales.iter().cloned());
            }
            Step::CreateGroup { group, entry } => {
                let gid = entry.gid.unwrap_or_else(|| self.fresh_id());
                let state = GroupState {
                    gid,
                    members: [].into(),
                };
                self.observed.accounts.groups.insert(group.clone(), state);
            }
            Step::CreateUser { user, entry } | Step::ModifyUser { user, entry, .. } => {
                self.set_user(user, entry);
            }
            Step::LockUser { user } => {
                let found = self.observed.accounts.users.get_mut(user).unwrap();
                found.locked = Some(true);
            }
            Step::InstallSecrets { changes } => {
                for change in changes {
                    let name = secret_name(&change.name);
                    match change.found {
                        Some(_) => self.observed.secrets.insert(name, SecretState::Current),
                        None => self.observed.secrets.remove(&name),
                    };
                }
            }
            Step::SetHostname { hostname, .. } => {
                self.observed.hostname = Some(hostname.clone());
            }
            Step::SetSysctl { key, value, .. } => {
                self.observed.sysctls.insert(key.clone(), value.clone());
            }
            Step::ReloadManager { account } => {
                for (unit, state) in &mut self.observed.units {
                    state.needs_reload &= unit.account != *account;
                }
            }
            Step::EnableUnit { unit } => self.enable(unit, UnitFileState::Enabled),
            Step::DisableUnit { unit } => self.enable(unit, UnitFileState::Disabled),
            Step::StopUnit { unit, .. } => self.unit(unit).active = Some(ActiveState::Inactive),
            Step::ReloadUnit { unit, .. } => {
                assert!(self.unit(unit).active.unwrap().is_up(), "{unit} is down");
            }
            Step::RestartUnit { unit, .. } | Step::StartUnit { unit, .. } => {
                self.unit(unit).active = Some(ActiveState::Active);
            }
        }
    }

    /// As a step does: what was first is known until it is so again.
    fn enable(&mut self, unit: &UnitId, now: UnitFileState) {
        let found = std::mem::replace(&mut self.unit(unit).file, now);
        let known = self.additions.was_enabled.entry(unit.clone());
        let before = *known.or_insert(found == UnitFileState::Enabled);
        if before == (now == UnitFileState::Enabled) {
            self.additions.was_enabled.remove(unit);
        }
        self.outdate_units(unit);
    }

    /// As systemd does when links come or go: each of its units counts as changed until it reads its files again. Where
    /// accounts are concerned, the tool that makes the links has it do so.
    fn outdate_units(&mut self, changed: &UnitId) {
        if changed.account.is_none() && self.observed.is_live() {
            let units = self.observed.units.iter_mut();
            for (_, state) in units.filter(|(unit, _)| unit.account.is_none()) {
                state.needs_reload = true;
            }
        }
    }

    fn unit(&mut self, name: &UnitId) -> &mut UnitState {
        let units = &mut self.observed.units;
        units
            .entry(name.clone())
            .or_insert_with(|| unit_state(ActiveState::Inactive))
    }

    fn fresh_id(&self) -> u32 {
        let accounts = &self.observed.accounts;
        1000 + u32::try_from(accounts.groups.len() + accounts.users.len()).unwrap()
    }

    fn set_user(&mut self, name: &UserName, entry: &UserEntry) {
        let gid = self.observed.accounts.groups[&entry.group].gid;
        let found = self.observed.accounts.users.get(name);
        let uid = found.map(|found| found.uid).or(entry.uid);
        let uid = uid.unwrap_or_else(|| self.fresh_id());
        for group in &entry.groups {
            let group = self.observed.accounts.groups.get_mut(group).unwrap();
            group.members.insert(name.to_string());
        }
        if let Some(range) = entry.subids {
            let accounts = &mut self.observed.accounts;
            accounts.subuids.insert(name.to_string(), vec![range]);
            accounts.subgids.insert(name.to_string(), vec![range]);
        }
        let users = &mut self.observed.accounts.users;
        users.insert(name.clone(), account(entry, uid, gid));
    }

    fn write(&mut self, at: &HostPath, entry: &PathEntry) {
        self.assert_parent(at);
        let ids = super::super::Ids(&self.observed.accounts);
        let owner = |user: &UserName, group: &GroupName| Owner::Ids {
            uid: ids.user(user).unwrap(),
            gid: ids.group(group).unwrap(),
        };
        let found = self.observed.paths.get(at);
        let is_directory = matches!(found, Some(PathState::Directory { .. }));
        let state = match &entry.kind {
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
        };
        let becomes_directory = matches!(state, PathState::Directory { .. });
        let nothing = matches!(found, None | Some(PathState::Absent));
        assert!(
            nothing || is_directory == becomes_directory,
            "{at}: a directory and something else do not replace each other"
        );
        self.observed.paths.insert(at.clone(), state);
    }

    fn remove(&mut self, at: &HostPath) {
        let inside = format!("{at}/");
        let used = self
            .observed
            .paths
            .iter()
            .any(|(p, s)| p.as_str().starts_with(&inside) && *s != PathState::Absent);
        let found = self.observed.paths.get(at);
        if used && matches!(found, Some(PathState::Directory { .. })) {
            return;
        }
        self.observed.paths.insert(at.clone(), PathState::Absent);
    }

    fn assert_parent(&self, at: &HostPath) {
        let Some(parent) = at.parent() else { return };
        let found = self.observed.paths.get(&parent);
        assert!(
            matches!(found, None | Some(PathState::Directory { .. })),
            "{parent} is not there when {at} is written"
        );
    }

    /// What is there, without what is not.
    pub(crate) fn tree(&self) -> BTreeMap<HostPath, PathState> {
        let paths = self.observed.paths.clone().into_iter();
        paths.filter(|(_, s)| *s != PathState::Absent).collect()
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
        expires: entry.expires.map(day_of),
        password_digest: hash.map(|hash| Digest::of(hash.as_bytes())),
    }
}

pub(crate) fn package(name: &str) -> PackageName {
    PackageName::new(name).unwrap()
}

pub(crate) fn secret_name(name: &str) -> SecretName {
    SecretName::new(name).unwrap()
}

/// A plan as text: a line per step, then a line per notice.
pub(crate) fn text(plan: &Plan) -> String {
    let mut lines = plan.lines();
    let notices = plan.notices.iter();
    lines.extend(notices.map(|notice| format!("note: {}: {}", notice.subject, notice.text)));
    lines.join("\n")
}
