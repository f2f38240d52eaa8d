//! What a key of a host file brings with it: packages, units of the distribution, links that enable them.

use super::builder::{Builder, fixed};
use super::units::unit_path;
use crate::config::{ConfigError, Enforcement, OnConflict, Origin};
use crate::generation::{OnChange, PathEntry, PathKind, UnitEntry, UnitRules};
use crate::host::{HostPath, UnitId, UnitName};
use crate::secrets::UnitTriggers;

impl Builder<'_> {
    /// Adds a package that `key` of the host file needs. Where it cannot be installed the key is an error.
    pub(super) fn bring_package(&mut self, package: &str, key: &str, origin: &Origin) {
        let platform = self.config.platform.as_ref();
        if let Some(os) = platform.and_then(|platform| platform.other_than_debian()) {
            let error = ConfigError::new(format!("{key} cannot be had on {os}"))
                .at(origin)
                .cause(format!(
                    "it needs the package `{package}`, and packages can only be installed with apt"
                ));
            self.push(error);
            return;
        }
        self.needs_package(package, origin);
    }

    /// Adds a unit. What `units:` says about it stays; what it leaves out comes from `entry`.
    pub(super) fn bring_unit(&mut self, name: UnitName, entry: UnitEntry, origin: &Origin) {
        let name = UnitId::from(name);
        if let Some(said) = self.manifest.units.get_mut(&name) {
            said.start = said.start.or(entry.start);
            said.enable = said.enable.or(entry.enable);
            said.made_from = said.made_from.take().or(entry.made_from);
            said.may_fail |= entry.may_fail;
            said.definition.extend(entry.definition);
            return;
        }
        self.origin(format!("unit {name}"), origin);
        self.manifest.units.insert(name, entry);
    }

    /// The link by which `target` pulls a unit in. It is a path of ours, so that it goes again with what brought it;
    /// `leads_to` is the unit's file: a name beside it for one of ours, else its place in the distribution.
    pub(super) fn bring_link(&mut self, link: &str, leads_to: &str, origin: &Origin) {
        let entry = PathEntry {
            kind: PathKind::Symlink {
                target: leads_to.to_owned(),
            },
            // Somebody may have enabled it by hand; that link comes back when the entry goes.
            on_conflict: OnConflict::Backup,
            drift: self.config.drift,
            units: UnitTriggers::default(),
        };
        let path = unit_path(link);
        if self.manifest.paths.get(&path) != Some(&entry) {
            self.place(path, entry, origin);
        }
    }

    /// A unit that is to run, with the host's drift policy.
    pub(super) fn running(&self, drift: Option<Enforcement>) -> UnitEntry {
        UnitEntry {
            definition: [].into(),
            enable: None,
            start: Some(true),
            on_change: OnChange::StopStart,
            rules: UnitRules::default(),
            drift: self.drift(drift),
            made_from: None,
            may_fail: false,
        }
    }

    /// Puts a file at a path that is written in the program.
    pub(super) fn bring_file(&mut self, path: &str, entry: PathEntry, origin: &Origin) -> HostPath {
        let path = fixed(path);
        self.place(path.clone(), entry, origin);
        path
    }
}

/// The name of a unit that is written in the program.
pub(super) fn known_unit(name: &str) -> UnitName {
    UnitName::new(name).expect("a unit named in the program has a valid name")
}

/// Triggers that reload one unit.
pub(super) fn reloads(unit: &str) -> UnitTriggers {
    UnitTriggers {
        reload: [known_unit(unit).into()].into(),
        ..UnitTriggers::default()
    }
}
