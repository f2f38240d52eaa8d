//! Podman quadlets, and the units that podman's generator makes of them.

use super::bring::known_unit;
use super::builder::Builder;
use super::paths::root_file;
use super::units::on_change;
use crate::config::{ConfigError, Located, Origin, QuadletConfig, QuadletName};
use crate::generation::unit_file::UnitFile;
use crate::generation::{PathEntry, UnitEntry, UnitRules};
use crate::host::UnitName;
use crate::secrets::UnitTriggers;

const DIRECTORY: &str = "/etc/containers/systemd";

/// Releases whose podman is too old: distribution, release, its podman, the types of quadlets it does not know (none:
/// it knows no quadlets). Sources: the distributions' package lists; podman's release notes 4.4, 4.8, 5.0 and 5.2.
const TOO_OLD: [(&str, &str, &str, &[&str]); 5] = [
    ("debian", "11", "3.0", &[]),
    ("debian", "12", "4.3", &[]),
    ("ubuntu", "22.04", "3.4", &[]),
    ("ubuntu", "24.04", "4.9", &["pod", "build"]),
    ("ubuntu", "24.10", "5.0", &["build"]),
];

impl Builder<'_> {
    pub(super) fn containers(&mut self) {
        let config = self.config;
        let Some(first) = config.containers.values().next() else {
            return;
        };
        self.bring_package("podman", "`containers`", &first.origin);
        for (name, quadlet) in &config.containers {
            self.origin(format!("container {name}"), &quadlet.origin);
            if self.podman_knows(name, &quadlet.origin) {
                self.quadlet(name, quadlet);
            }
        }
    }

    fn podman_knows(&mut self, name: &QuadletName, origin: &Origin) -> bool {
        let platform = self.config.platform.as_ref();
        let (os, version) = platform.map_or((None, None), |platform| {
            (platform.os.as_deref(), platform.version.as_deref())
        });
        let old = TOO_OLD
            .iter()
            .find(|(known_os, known_version, _, unknown)| {
                Some(*known_os) == os
                    && Some(*known_version) == version
                    && (unknown.is_empty() || unknown.contains(&name.kind()))
            });
        let Some((os, version, podman, unknown)) = old else {
            return true;
        };
        let (message, cause) = if unknown.is_empty() {
            (
                format!("`containers` cannot be had on {os} {version}"),
                format!("its podman is {podman}, and quadlets came with 4.4"),
            )
        } else {
            (
                format!("`{name}` cannot be had on {os} {version}"),
                format!("its podman is {podman}, which knows no `.{}`", name.kind()),
            )
        };
        self.push(ConfigError::new(message).at(origin).cause(cause));
        false
    }

    fn quadlet(&mut self, name: &QuadletName, located: &Located<QuadletConfig>) {
        let Located { value, origin } = located;
        let Some(content) = self.content(&value.source, origin) else {
            return;
        };
        let text = String::from_utf8_lossy(&content).into_owned();
        let mut file = UnitFile::default();
        if let Err(error) = file.merge(&text) {
            let message = format!(
                "line {} of `{name}` is not a quadlet's: {error}",
                error.line
            );
            self.push(ConfigError::new(message).at(origin));
            return;
        }
        let Some(unit) = self.quadlet_unit(name, &file, origin) else {
            return;
        };
        let entry = PathEntry {
            kind: root_file(self.object(content)),
            on_conflict: value.on_conflict,
            drift: self.drift(value.drift),
            units: UnitTriggers::default(),
        };
        let path = self.bring_file(&format!("{DIRECTORY}/{name}"), entry, origin);
        let entry = UnitEntry {
            definition: [path.clone()].into(),
            start: value.start,
            on_change: on_change(&file),
            rules: UnitRules::of(&file),
            made_from: Some(path),
            ..self.running(value.drift)
        };
        self.bring_unit(unit, entry, origin);
    }

    /// The unit that comes of it, which must be able to be: podman makes none of a file without its section.
    fn quadlet_unit(
        &mut self,
        name: &QuadletName,
        file: &UnitFile,
        origin: &Origin,
    ) -> Option<UnitName> {
        let kind = name.kind();
        let section = format!("{}{}", kind[..1].to_uppercase(), &kind[1..]);
        if !file.has_section(&section) {
            let error = ConfigError::new(format!("`{name}` has no section `[{section}]`"))
                .at(origin)
                .cause("podman makes no unit of such a file");
            self.push(error);
            return None;
        }
        if let Some(own) = file.last(&section, "ServiceName") {
            return match UnitName::new(format!("{own}.service")) {
                Ok(unit) => Some(unit),
                Err(invalid) => {
                    self.push(ConfigError::new(invalid.to_string()).at(origin));
                    None
                }
            };
        }
        Some(
            name.unit()
                .unwrap_or_else(|_| known_unit("quadlet.service")),
        )
    }
}
