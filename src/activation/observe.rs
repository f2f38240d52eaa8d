//! Looking at a host: everything that a plan is decided from, and nothing else. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::failure::HostFailure;
use super::{Holds, Observed};
use crate::generation::{Additions, Manifest, PathKind};
use crate::host::{
    Accounts, Digest, FileErrorKind, Host, HostPath, InstalledPackages, KernelModule, LocaleName,
    Ours, PackageName, PathState, UnitId, UnitKind, UnitName, UnitState, UserName, clock,
};
use crate::secrets::{self, OpenedSecrets, SecretSet, SecretState, UnitTriggers};

/// A host that cannot be looked at.
#[derive(Debug, thiserror::Error)]
#[error("cannot look at the host")]
pub struct ObserveError {
    /// Why not.
    #[source]
    pub kind: HostFailure,
}

impl ObserveError {
    /// How to go on.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.kind.hint()
    }
}

impl<E: Into<HostFailure>> From<E> for ObserveError {
    fn from(error: E) -> Self {
        Self { kind: error.into() }
    }
}

/// Which units a look takes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Units {
    /// Those named; systemd is asked.
    Named {
        /// Others that nobody names any more.
        besides: BTreeSet<UnitId>,
    },
    /// None: systemd is not there yet.
    None,
}

/// Looks at everything that `manifests` name. The first is the one that secrets are compared with.
///
/// Without `secrets` nothing can be said about installed ones. systemd is asked only if a unit is named.
///
/// # Errors
/// [`ObserveError`] if anything cannot be looked at: unreadable is not missing.
pub async fn observe(
    host: &Host,
    manifests: &[&Manifest],
    secrets: Option<&OpenedSecrets>,
) -> Result<Observed, ObserveError> {
    let besides = BTreeSet::new();
    look(host, manifests, secrets, Units::Named { besides }).await
}

pub(super) async fn look(
    host: &Host,
    manifests: &[&Manifest],
    secrets: Option<&OpenedSecrets>,
    units: Units,
) -> Result<Observed, ObserveError> {
    let accounts = host.accounts()?;
    let (there, held) = packages(host, manifests)?.unzip();
    let mut observed = Observed {
        paths: paths(host, manifests)?,
        packages: there,
        locales: host.generated_locales(&locales(manifests))?,
        modules: host.kernel_modules(&modules(manifests)),
        logind: host.has_logind(),
        hostname: host.hostname(),
        sysctls: sysctls(host, manifests)?,
        accounts,
        ..Observed::default()
    };
    observed.software.held = held.unwrap_or_default();
    if let Some(desired) = manifests.first() {
        observed.residue = host.package_residue(&desired.paths.keys().collect())?;
        observed.rests = rests(host, desired, &observed.paths)?;
        installed(host, desired, secrets, &mut observed)?;
        observed.passwords = passwords(desired, secrets, &observed.accounts);
    }
    let accounts: BTreeSet<&UserName> = manifests.iter().flat_map(|m| m.users.keys()).collect();
    if let Units::Named { besides } = units {
        observed.awake = host.awake(accounts)?;
        let mut names = unit_names(manifests);
        names.extend(besides);
        if !names.is_empty() {
            let units = host.units().await?;
            let templates: BTreeSet<UnitId> = names.iter().filter_map(template).collect();
            names.extend(units.instances(&templates).await?);
            names.retain(|name| !name.is_template());
            observed.units = units.observe(&names).await?;
            let idle = idle(manifests, &observed.units);
            observed.unmet = units.unmet_conditions(&idle).await?;
        }
    }
    Ok(observed)
}

/// Looks at what a change of unit files is about: the files before and after, and what stops with their units. What
/// `object` does not have was written by somebody else: it is another definition, whatever it says.
///
/// # Errors
/// [`ObserveError`] if systemd cannot be asked.
pub(super) async fn observe_definitions(
    host: &Host,
    object: impl Fn(&Digest) -> Option<Vec<u8>>,
    manifests: &[&Manifest],
    observed: &mut Observed,
) -> Result<(), ObserveError> {
    observed.read_unit_files(manifests, object);
    let mut changing = observed.changing_units(manifests);
    let halves: Vec<UnitId> = changing.iter().filter_map(other_half).collect();
    changing.extend(halves);
    changing.retain(|unit| observed.units.get(unit).is_some_and(UnitState::is_up));
    if changing.is_empty() {
        return Ok(());
    }
    let units = host.units().await?;
    let mut dependents = units.dependents(&changing).await?;
    let all: BTreeSet<UnitId> = dependents.values().flatten().cloned().collect();
    let states = units.observe(&all).await?;
    for with in dependents.values_mut() {
        with.retain(|unit| states.get(unit).is_some_and(UnitState::is_up));
    }
    for (unit, state) in states {
        observed.units.entry(unit).or_insert(state);
    }
    observed.dependents = dependents;
    Ok(())
}

/// Looks at which paths of `desired` that `active` does not have came with a package.
pub(super) fn observe_packaged(
    host: &Host,
    desired: &Manifest,
    active: Option<&Manifest>,
    observed: &mut Observed,
) -> Result<(), ObserveError> {
    let is_new = |path: &&HostPath| active.is_none_or(|active| !active.paths.contains_key(*path));
    let new = desired.paths.iter().filter(|(path, _)| is_new(path));
    let files = new.filter(|(_, entry)| !matches!(entry.kind, PathKind::Directory { .. }));
    let files = files.map(|(path, _)| path.clone()).collect();
    observed.packaged = host.packaged_files(&files)?;
    Ok(())
}

fn paths(
    host: &Host,
    manifests: &[&Manifest],
) -> Result<BTreeMap<HostPath, PathState>, HostFailure> {
    let mut named: BTreeSet<HostPath> = BTreeSet::new();
    for manifest in manifests {
        named.extend(manifest.directories());
        named.extend(manifest.paths.keys().cloned());
    }
    let is_mount = |path: &HostPath| manifests.iter().any(|m| m.mounts.contains_key(path));
    let (mounts, others): (BTreeSet<_>, BTreeSet<_>) = named.into_iter().partition(is_mount);
    let mut found = host.look_at_all(others)?;
    for path in mounts {
        let state = host.look_at_mount_point(&path)?;
        found.insert(path, state);
    }
    Ok(found)
}

/// The lines that count, of files in which some may differ and that are not as they should be.
fn rests(
    host: &Host,
    desired: &Manifest,
    found: &BTreeMap<HostPath, PathState>,
) -> Result<BTreeMap<HostPath, Digest>, HostFailure> {
    let mut rests = BTreeMap::new();
    for path in desired.lenience.keys() {
        if let Some(state) = found.get(path)
            && let Some(rest) = rest(host, desired, path, state)?
        {
            rests.insert(path.clone(), rest);
        }
    }
    Ok(rests)
}

/// The digest of the lines that count at `path`; `None` if `desired` wants all of them, or `found` is right as it is.
pub(super) fn rest(
    host: &Host,
    desired: &Manifest,
    path: &HostPath,
    found: &PathState,
) -> Result<Option<Digest>, HostFailure> {
    let lines = desired.lenience.get(path).and_then(|l| l.lines.as_ref());
    let wanted = desired.paths.get(path).map(|entry| &entry.kind);
    let (
        Some(lines),
        Some(PathKind::File {
            content: should, ..
        }),
    ) = (lines, wanted)
    else {
        return Ok(None);
    };
    if !matches!(found, PathState::File { content, .. } if content != should) {
        return Ok(None);
    }
    match host.read_file(path, LARGEST_BY_LINES_BYTES) {
        Ok(content) => Ok(content.map(|content| lines.rest_of(&content))),
        // What is that large is compared as a whole.
        Err(error) if matches!(error.kind, FileErrorKind::TooLarge { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Larger files are not compared line by line.
const LARGEST_BY_LINES_BYTES: u64 = 16 * 1024 * 1024;

/// Those that are installed, and those that are held.
type NamedPackages = (BTreeSet<PackageName>, BTreeSet<PackageName>);

fn packages(host: &Host, manifests: &[&Manifest]) -> Result<Option<NamedPackages>, HostFailure> {
    let named: BTreeSet<_> = manifests
        .iter()
        .flat_map(|m| m.packages.iter().cloned())
        .collect();
    if named.is_empty() {
        // Nothing to ask: a host without a package manager is as good as one with everything installed.
        return Ok(Some(NamedPackages::default()));
    }
    let installed = host.installed_packages()?;
    Ok(installed.map(|installed| {
        let is_there = |name: &PackageName| installed.has(name);
        let is_held = |name: &PackageName| installed.held.contains(name.as_str());
        let held = named.iter().filter(|name| is_held(name)).cloned().collect();
        (named.into_iter().filter(is_there).collect(), held)
    }))
}

/// Looks at what a person keeps from being put right, as the state directory says.
pub(super) fn observe_holds(state_dir: &Path, observed: &mut Observed) -> Result<(), ObserveError> {
    let holds = Holds::load(state_dir)?;
    observed.holds = holds.in_force(clock::now_secs()).cloned().collect();
    Ok(())
}

/// Looks at what is known of packages besides which are installed: what would come and go towards `desired`, given
/// what we `added`. apt is asked only if something comes or goes.
pub(super) fn observe_software(
    host: &Host,
    desired: &Manifest,
    added: &Additions,
    observed: &mut Observed,
) -> Result<(), ObserveError> {
    let named = !desired.packages.is_empty() || *added != Additions::default();
    let installed = if named {
        host.installed_packages()?
    } else {
        None
    };
    let Some(installed) = installed else {
        return Ok(());
    };
    let software = &mut observed.software;
    software.interrupted = !installed.halves.is_empty();
    let of_interest = desired.packages.iter().chain(&added.holds);
    software.held = of_interest
        .filter(|name| installed.held.contains(name.as_str()))
        .cloned()
        .collect();
    let missing: BTreeSet<PackageName> = desired
        .packages
        .iter()
        .filter(|name| !installed.has(name))
        .cloned()
        .collect();
    match host.arriving_packages(&missing) {
        Ok(arriving) => software.arriving = arriving,
        Err(error) => software.unsure = Some(HostFailure::from(error).in_one_line()),
    }
    let ours = Ours {
        unwanted: added
            .packages
            .difference(&desired.packages)
            .cloned()
            .collect(),
        brought: added
            .brought
            .difference(&desired.packages)
            .cloned()
            .collect(),
        holds: added.holds.clone(),
    };
    software.leaving = host.leaving_packages(&ours, &installed)?;
    software.gone = gone(added, &installed);
    Ok(())
}

/// Those of `added` that are not there, not even by halves: dpkg may have been killed in the middle of them.
fn gone(added: &Additions, installed: &InstalledPackages) -> BTreeSet<PackageName> {
    let ours = added.packages.union(&added.brought).chain(&added.holds);
    ours.filter(|name| !installed.is_there(name))
        .cloned()
        .collect()
}

fn locales(manifests: &[&Manifest]) -> BTreeSet<LocaleName> {
    let named = manifests.iter().flat_map(|m| m.locales.iter());
    named.cloned().collect()
}

fn modules(manifests: &[&Manifest]) -> BTreeSet<KernelModule> {
    let named = manifests.iter().flat_map(|m| m.kernel_modules.iter());
    named.cloned().collect()
}

fn sysctls(host: &Host, manifests: &[&Manifest]) -> Result<BTreeMap<String, String>, HostFailure> {
    let mut found = BTreeMap::new();
    for key in manifests.iter().flat_map(|m| m.sysctls.keys()) {
        if let Some(value) = host.sysctl(key)? {
            found.insert(key.clone(), value);
        }
    }
    Ok(found)
}

fn installed(
    host: &Host,
    desired: &Manifest,
    opened: Option<&OpenedSecrets>,
    observed: &mut Observed,
) -> Result<(), HostFailure> {
    let none = OpenedSecrets::default();
    let set = SecretSet {
        secrets: &desired.secrets,
        templates: &desired.templates,
        opened: opened.unwrap_or(&none),
    };
    let installed = secrets::observe(host, &set, &observed.accounts)?;
    observed.secrets = installed.secrets;
    observed.templates = installed.templates;
    observed.stale_secrets = installed.stale;
    Ok(())
}

fn passwords(
    desired: &Manifest,
    opened: Option<&OpenedSecrets>,
    accounts: &Accounts,
) -> BTreeMap<UserName, SecretState> {
    let mut passwords = BTreeMap::new();
    for (name, entry) in &desired.users {
        let Some(secret) = &entry.password_secret else {
            continue;
        };
        let hash = opened
            .and_then(|opened| opened.value(secret))
            .and_then(|value| value.expose_text());
        let state = match (hash, accounts.users.get(name)) {
            (None, _) => SecretState::Unknown,
            (Some(_), None) => SecretState::Missing,
            (Some(_), Some(account)) if account.locked.is_none() => SecretState::Unknown,
            (Some(hash), Some(account)) => {
                let digest = Digest::of(hash.trim_end().as_bytes());
                match &account.password_digest {
                    Some(found) if *found == digest => SecretState::Current,
                    Some(_) => SecretState::Different,
                    None => SecretState::Missing,
                }
            }
        };
        passwords.insert(name.clone(), state);
    }
    passwords
}

/// Every unit that is named, those that a trigger moves, and the other half of each socket and service.
fn unit_names(manifests: &[&Manifest]) -> BTreeSet<UnitId> {
    let mut names: BTreeSet<UnitId> = BTreeSet::new();
    for manifest in manifests {
        names.extend(manifest.units.keys().cloned());
        for triggers in triggers(manifest) {
            names.extend(triggers.restart.iter().chain(&triggers.reload).cloned());
        }
    }
    let halves: Vec<UnitId> = names.iter().filter_map(other_half).collect();
    names.extend(halves);
    for (name, entry) in manifests.iter().flat_map(|m| m.units.iter()) {
        let of = |other: &UnitName| UnitId::of(name.account.as_ref(), other.clone());
        let rules = &entry.rules;
        names.extend(rules.sockets.iter().chain(&rules.service).map(of));
    }
    names
}

/// The units that the first of `manifests` wants to run and that are down, without having failed.
fn idle(manifests: &[&Manifest], found: &BTreeMap<UnitId, UnitState>) -> BTreeSet<UnitId> {
    let wanted = manifests.first().into_iter().flat_map(|m| m.units.iter());
    wanted
        .filter(|(_, entry)| entry.start == Some(true))
        .filter(|(name, _)| {
            let state = found.get(*name);
            state.is_some_and(UnitState::is_idle)
        })
        .map(|(name, _)| name.clone())
        .collect()
}

/// The template that a unit is, or is an instance of.
fn template(name: &UnitId) -> Option<UnitId> {
    if name.is_template() {
        return Some(name.clone());
    }
    let template = name.name.template()?;
    Some(UnitId::of(name.account.as_ref(), template))
}

fn triggers(manifest: &Manifest) -> impl Iterator<Item = &UnitTriggers> {
    let paths = manifest.paths.values().map(|entry| &entry.units);
    let secrets = manifest.secrets.values().map(|spec| &spec.units);
    let templates = manifest.templates.values().map(|spec| &spec.units);
    paths.chain(secrets).chain(templates)
}

fn other_half(name: &UnitId) -> Option<UnitId> {
    match name.kind() {
        UnitKind::Service => name.beside("socket"),
        UnitKind::Socket => name.beside("service"),
        _ => None,
    }
}
