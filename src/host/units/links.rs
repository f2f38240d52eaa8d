//! Units below a root: files and links, and nothing that runs.

use std::collections::{BTreeMap, BTreeSet};

use super::UnitError;
use super::install::Install;
use crate::host::{Host, HostPath, PathState, UnitFileState, UnitName, UnitState};

/// Where enablement links are made.
const LINKS: &str = "/etc/systemd/system";
/// Where unit files are looked for, first match wins, as systemd does.
const SEARCH: [&str; 5] = [
    LINKS,
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
const UNIT_FILE_BYTES: u64 = 1024 * 1024;

/// The unit files and links below a root.
#[derive(Debug, Clone)]
pub(super) struct Links {
    host: Host,
}

/// Where a unit is defined.
enum Fragment {
    At(HostPath),
    Masked(HostPath),
    Missing,
}

impl Links {
    pub(super) fn new(host: Host) -> Self {
        Self { host }
    }

    pub(super) fn observe(
        &self,
        names: &BTreeSet<UnitName>,
    ) -> Result<BTreeMap<UnitName, UnitState>, UnitError> {
        let enabled = self.enabled_names()?;
        names
            .iter()
            .map(|unit| Ok((unit.clone(), self.state(unit, &enabled)?)))
            .collect()
    }

    /// Makes the links of `unit` and of every unit it names in `Also=`.
    pub(super) fn enable(&self, unit: &UnitName) -> Result<(), UnitError> {
        let (mut done, mut left) = (BTreeSet::new(), vec![unit.clone()]);
        while let Some(next) = left.pop() {
            if done.insert(next.clone()) {
                left.extend(self.enable_one(&next)?);
            }
        }
        Ok(())
    }

    fn enable_one(&self, unit: &UnitName) -> Result<BTreeSet<UnitName>, UnitError> {
        let (fragment, install) = self.definition(unit)?;
        let instance = match (unit.is_template(), &install.default_instance) {
            (true, Some(instance)) => {
                UnitName::new(unit.as_str().replacen('@', &format!("@{instance}"), 1)).ok()
            }
            (true, None) => None,
            (false, _) => Some(unit.clone()),
        };
        // A template without a default instance has nothing to link but its aliases.
        if let Some(name) = instance {
            for directory in &install.directories {
                self.link(&format!("{directory}/{name}"), &fragment)?;
            }
        }
        for alias in &install.aliases {
            self.link(alias.as_str(), &fragment)?;
        }
        Ok(install.also)
    }

    /// Removes every link to `unit`; of a template, to all of its instances.
    pub(super) fn disable(&self, unit: &UnitName) -> Result<(), UnitError> {
        let is_ours = |name: &str| {
            name == unit.as_str()
                || UnitName::new(name).is_ok_and(|name| name.template().as_ref() == Some(unit))
        };
        for path in self.links()? {
            let PathState::Symlink { target } = self.host.look(&path)? else {
                continue;
            };
            let target_name = target.rsplit('/').next().unwrap_or_default();
            let is_alias = path.parent().is_some_and(|dir| dir.as_str() == LINKS)
                && target_name == unit.as_str()
                && target != "/dev/null";
            let is_pulled_in =
                path.parent().is_some_and(|dir| dir.as_str() != LINKS) && is_ours(path.file_name());
            if is_alias || is_pulled_in {
                self.host.remove(&path)?;
            }
        }
        Ok(())
    }

    fn state(&self, unit: &UnitName, enabled: &BTreeSet<String>) -> Result<UnitState, UnitError> {
        let (file, fragment) = match self.fragment(unit)? {
            Fragment::Masked(path) => (masked(enabled.contains(unit.as_str())), Some(path)),
            Fragment::Missing => (UnitFileState::Missing, None),
            Fragment::At(path) => {
                let install = self.install(unit, &path)?;
                let is_linked = enabled.contains(unit.as_str())
                    || install.aliases.iter().any(|a| enabled.contains(a.as_str()));
                let state = match (is_linked, install.is_present) {
                    (true, _) => UnitFileState::Enabled,
                    (false, true) => UnitFileState::Disabled,
                    (false, false) => UnitFileState::Static,
                };
                (state, Some(path))
            }
        };
        Ok(UnitState {
            fragment,
            ..UnitState::of_file(file)
        })
    }

    /// Tells of the masked units among `states` which of them links enable behind their mask. systemd does not say.
    pub(super) fn look_behind_masks(
        &self,
        states: &mut BTreeMap<UnitName, UnitState>,
    ) -> Result<(), UnitError> {
        let is_masked = |state: &UnitState| state.file == UnitFileState::Masked;
        if !states.values().any(is_masked) {
            return Ok(());
        }
        let enabled = self.enabled_names()?;
        for (unit, state) in states.iter_mut().filter(|(_, state)| is_masked(state)) {
            state.file = masked(enabled.contains(unit.as_str()));
        }
        Ok(())
    }

    /// As [`disable`](Self::disable), if the unit is masked: systemd does nothing then.
    pub(super) fn disable_behind_mask(&self, unit: &UnitName) -> Result<(), UnitError> {
        match self.fragment(unit)? {
            Fragment::Masked(_) => self.disable(unit),
            Fragment::At(_) | Fragment::Missing => Ok(()),
        }
    }

    /// The file that defines `unit`: its own, or that of its template.
    fn fragment(&self, unit: &UnitName) -> Result<Fragment, UnitError> {
        for name in [Some(unit.clone()), unit.template()].into_iter().flatten() {
            for directory in SEARCH {
                let Ok(path) = HostPath::new(format!("{directory}/{name}")) else {
                    continue;
                };
                match self.host.look(&path)? {
                    PathState::File { .. } => return Ok(Fragment::At(path)),
                    PathState::Symlink { target } if target == "/dev/null" => {
                        return Ok(Fragment::Masked(path));
                    }
                    PathState::Symlink { target } => {
                        if let Some(path) = beside(directory, &target)
                            && let PathState::File { .. } = self.host.look(&path)?
                        {
                            return Ok(Fragment::At(path));
                        }
                    }
                    PathState::Absent | PathState::Directory { .. } | PathState::Other { .. } => {}
                }
            }
        }
        Ok(Fragment::Missing)
    }

    fn install(&self, unit: &UnitName, fragment: &HostPath) -> Result<Install, UnitError> {
        let content = self.host.read_file(fragment, UNIT_FILE_BYTES)?;
        let text = String::from_utf8_lossy(&content.unwrap_or_default()).into_owned();
        Ok(Install::parse(unit, &text))
    }

    fn definition(&self, unit: &UnitName) -> Result<(HostPath, Install), UnitError> {
        match self.fragment(unit)? {
            Fragment::At(path) => {
                let install = self.install(unit, &path)?;
                Ok((path, install))
            }
            Fragment::Masked(_) => Err(UnitError::Refused {
                action: "enable",
                unit: unit.clone(),
                name: "org.freedesktop.systemd1.UnitMasked".to_owned(),
                message: "it is masked".to_owned(),
            }),
            Fragment::Missing => Err(UnitError::NoFile { unit: unit.clone() }),
        }
    }

    fn link(&self, below: &str, fragment: &HostPath) -> Result<(), UnitError> {
        let Ok(path) = HostPath::new(format!("{LINKS}/{below}")) else {
            return Ok(());
        };
        // A unit file of our own under an alias's name is its own fragment.
        if path == *fragment {
            return Ok(());
        }
        self.host.make_parents(&path)?;
        Ok(self.host.make_symlink(&path, fragment.as_str())?)
    }

    /// The names that some other unit pulls in, and the aliases.
    fn enabled_names(&self) -> Result<BTreeSet<String>, UnitError> {
        let mut names = BTreeSet::new();
        for path in self.links()? {
            if let PathState::Symlink { target } = self.host.look(&path)?
                && target != "/dev/null"
            {
                names.insert(path.file_name().to_owned());
            }
        }
        Ok(names)
    }

    /// Everything in the link directory and in its `.wants`, `.requires` and `.upholds` directories.
    fn links(&self) -> Result<Vec<HostPath>, UnitError> {
        let Ok(root) = HostPath::new(LINKS) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for name in self.host.list(&root)?.unwrap_or_default() {
            let Ok(path) = root.join(&name) else { continue };
            let pulls_in = [".wants", ".requires", ".upholds"]
                .iter()
                .any(|suffix| name.ends_with(suffix));
            if pulls_in {
                let inside = self.host.list(&path)?.unwrap_or_default();
                found.extend(inside.iter().filter_map(|name| path.join(name).ok()));
            } else {
                found.push(path);
            }
        }
        Ok(found)
    }
}

/// The state of a masked unit, by whether a link enables it.
fn masked(is_linked: bool) -> UnitFileState {
    if is_linked {
        UnitFileState::EnabledButMasked
    } else {
        UnitFileState::Masked
    }
}

/// Where a link in `directory` leads, if that is a path in normal form.
fn beside(directory: &str, target: &str) -> Option<HostPath> {
    if target.starts_with('/') {
        return HostPath::new(target).ok();
    }
    let mut parts: Vec<&str> = directory[1..].split('/').collect();
    for part in target.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    HostPath::new(format!("/{}", parts.join("/"))).ok()
}

#[cfg(test)]
mod tests;
