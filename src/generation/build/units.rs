//! Unit files, drop-ins, masks, and the links that enable units of ours.

mod enable;

use std::collections::BTreeSet;

use super::builder::{Builder, fixed};
use super::paths::root_file;
use super::unit_file::UnitFile;
use crate::config::{ConfigError, FileSource, Located, OnConflict, Origin, UnitConfig};
use crate::generation::{OnChange, PathEntry, PathKind, UnitEntry};
use crate::host::{HostPath, UnitName};
use crate::secrets::UnitTriggers;

/// Where unit files of ours go.
const UNIT_DIRECTORY: &str = "/etc/systemd/system";

/// A unit as its files define it.
struct Definition {
    /// The file of ours that defines it: its own, or its template's; `None` for a unit of the distribution.
    fragment: Option<UnitName>,
    /// The fragment and the drop-ins of ours, merged.
    content: UnitFile,
    /// Where all of that is.
    paths: BTreeSet<HostPath>,
}

impl Builder<'_> {
    pub(super) fn units(&mut self) {
        let config = self.config;
        let mut definitions = Vec::new();
        for (name, unit) in &config.units {
            self.origin(format!("unit {name}"), &unit.origin);
            if unit.value.mask {
                let link = PathKind::Symlink {
                    target: "/dev/null".to_owned(),
                };
                let entry = self.unit_path(link, unit, OnConflict::Backup);
                self.place(unit_path(name.as_str()), entry, &unit.origin);
            }
            let definition = self.definition(name, unit);
            definitions.push((name, unit, definition));
        }
        let mut enabled = BTreeSet::new();
        for (name, unit, definition) in &definitions {
            if definition.fragment.is_some() && unit.value.enable == Some(true) {
                self.enable(name, &definitions, &mut enabled);
            }
        }
        for (name, unit, definition) in definitions {
            let ours = definition.fragment.is_some() || unit.value.mask;
            let entry = UnitEntry {
                definition: definition.paths,
                enable: unit.value.enable.filter(|_| !ours),
                start: unit.value.start,
                on_change: on_change(&definition.content),
                drift: self.drift(unit.value.drift),
                made_from: None,
                may_fail: false,
            };
            self.manifest.units.insert(name.clone(), entry);
        }
    }

    /// Places the unit's files and reads them.
    fn definition(&mut self, name: &UnitName, unit: &Located<UnitConfig>) -> Definition {
        let mut definition = Definition {
            fragment: None,
            content: UnitFile::default(),
            paths: BTreeSet::new(),
        };
        let template = name.template();
        let of_template = template
            .as_ref()
            .and_then(|template| self.config.units.get(template));
        if let Some(source) = &unit.value.source {
            // An instance has no file of its own: what it says defines the template.
            let file = template.clone().unwrap_or_else(|| name.clone());
            self.fragment(file, source, unit, &mut definition);
        } else if let (Some(template), Some(of_template)) = (&template, of_template)
            && let Some(source) = &of_template.value.source
        {
            definition.fragment = Some(template.clone());
            definition.paths.insert(unit_path(template.as_str()));
            self.read_unit(source, &of_template.origin, &mut definition.content);
        }
        if let (Some(template), Some(of_template)) = (&template, of_template) {
            for (file, source) in &of_template.value.drop_ins {
                definition
                    .paths
                    .insert(unit_path(&format!("{template}.d/{file}")));
                self.read_unit(source, &of_template.origin, &mut definition.content);
            }
        }
        for (file, source) in &unit.value.drop_ins {
            let path = unit_path(&format!("{name}.d/{file}"));
            if let Some(bytes) = self.content(source, &unit.origin) {
                let kind = root_file(self.object(bytes));
                let entry = self.unit_path(kind, unit, unit.value.on_conflict);
                self.place(path.clone(), entry, &unit.origin);
            }
            self.read_unit(source, &unit.origin, &mut definition.content);
            definition.paths.insert(path);
        }
        definition
    }

    fn fragment(
        &mut self,
        file: UnitName,
        source: &FileSource,
        unit: &Located<UnitConfig>,
        definition: &mut Definition,
    ) {
        let path = unit_path(file.as_str());
        if let Some(bytes) = self.content(source, &unit.origin) {
            let kind = root_file(self.object(bytes));
            let entry = self.unit_path(kind, unit, unit.value.on_conflict);
            // Several instances may say the same about their template.
            if self.manifest.paths.get(&path) != Some(&entry) {
                self.place(path.clone(), entry, &unit.origin);
            }
        }
        self.read_unit(source, &unit.origin, &mut definition.content);
        definition.paths.insert(path);
        definition.fragment = Some(file);
    }

    fn unit_path(
        &self,
        kind: PathKind,
        unit: &Located<UnitConfig>,
        on_conflict: OnConflict,
    ) -> PathEntry {
        PathEntry {
            kind,
            on_conflict,
            drift: self.drift(unit.value.drift),
            units: UnitTriggers::default(),
        }
    }

    fn read_unit(&mut self, source: &FileSource, origin: &Origin, into: &mut UnitFile) {
        let text = match source {
            FileSource::Text(text) | FileSource::Filled { text, .. } => text.clone(),
            FileSource::File(file) => match self.snapshot.read(file) {
                // What cannot be read was recorded when its path was placed.
                Err(_) | Ok(None) => return,
                Ok(Some(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
            },
        };
        if let Err(error) = into.merge(&text) {
            let (message, origin) = match source {
                FileSource::File(file) => (
                    format!("`{file}` is not a unit file: {error}"),
                    Origin {
                        file: file.clone(),
                        line: error.line,
                        column: 1,
                    },
                ),
                FileSource::Filled { file, .. } => (
                    format!(
                        "`{file}`, filled in, is not a unit file at line {}: {error}",
                        error.line
                    ),
                    origin.clone(),
                ),
                FileSource::Text(_) => (
                    format!(
                        "line {} of the text is not a unit file's: {error}",
                        error.line
                    ),
                    origin.clone(),
                ),
            };
            let fix =
                "a unit file is made of sections such as `[Service]`, each with lines `Key=value`";
            self.push(ConfigError::new(message).at(&origin).fix(fix));
        }
    }
}

/// What a change asks for, from the keys that NixOS users know. In `[Service]`, or in `[Unit]` for other types.
pub(super) fn on_change(unit: &UnitFile) -> OnChange {
    let flag = |key| unit.flag("Service", key).or_else(|| unit.flag("Unit", key));
    if flag("X-ReloadIfChanged") == Some(true) {
        OnChange::Reload
    } else if flag("X-RestartIfChanged") == Some(false)
        || flag("RefuseManualStop") == Some(true)
        || flag("X-OnlyManualStart") == Some(true)
    {
        OnChange::Keep
    } else if flag("X-StopIfChanged") == Some(false) {
        OnChange::Restart
    } else {
        OnChange::StopStart
    }
}

/// A path below the unit directory; `below` is made of checked names.
pub(super) fn unit_path(below: &str) -> HostPath {
    fixed(&format!("{UNIT_DIRECTORY}/{below}"))
}
