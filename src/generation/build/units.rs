//! Unit files, drop-ins, masks, and the links that enable units of ours.

mod enable;

use std::collections::{BTreeMap, BTreeSet};

use super::builder::{Builder, FILE_MODE, fixed, root};
use crate::config::{ConfigError, FileSource, Located, OnConflict, Origin, UnitConfig};
use crate::generation::manifest::{HOME_UNIT_DIRECTORY, UNIT_DIRECTORY};
use crate::generation::unit_file::UnitFile;
use crate::generation::unit_rules::flag;
use crate::generation::{OnChange, PathEntry, PathKind, UnitEntry, UnitRules};
use crate::host::{HostPath, UnitId, UnitName, UserName};
use crate::secrets::UnitTriggers;

/// Units by name, as they were written.
type Written = BTreeMap<UnitName, Located<UnitConfig>>;

/// The units of one systemd in the making.
struct UnitBuilder<'b, 'a> {
    builder: &'b mut Builder<'a>,
    /// The account whose systemd it is; `None` for the machine's.
    account: Option<&'a UserName>,
    /// Where its unit files of ours go.
    directory: HostPath,
    units: &'a Written,
}

/// A unit as its files define it.
struct Definition {
    /// The file of ours that defines it: its own, or its template's; `None` for a unit of the distribution.
    fragment: Option<UnitName>,
    /// The fragment and the drop-ins of ours, merged.
    content: UnitFile,
    /// Where all of that is.
    paths: BTreeSet<HostPath>,
}

impl<'a> Builder<'a> {
    pub(super) fn units(&mut self) {
        let units = &self.config.units;
        UnitBuilder {
            builder: self,
            account: None,
            directory: fixed(UNIT_DIRECTORY),
            units,
        }
        .build();
    }

    /// The units of an account, whose home is `home`.
    pub(super) fn home_units(
        &mut self,
        account: &'a UserName,
        home: &HostPath,
        units: &'a Written,
    ) {
        let Some(first) = units.values().next() else {
            return;
        };
        match home.join(HOME_UNIT_DIRECTORY) {
            Ok(directory) => UnitBuilder {
                builder: self,
                account: Some(account),
                directory,
                units,
            }
            .build(),
            Err(invalid) => self.push(ConfigError::new(invalid.to_string()).at(&first.origin)),
        }
    }
}

impl UnitBuilder<'_, '_> {
    fn build(&mut self) {
        let units = self.units;
        let mut definitions = Vec::new();
        for (name, unit) in units {
            let id = UnitId::of(self.account, name.clone());
            self.builder.origin(format!("unit {id}"), &unit.origin);
            if unit.value.mask {
                let link = PathKind::Symlink {
                    target: "/dev/null".to_owned(),
                };
                let entry = self.entry(link, unit, OnConflict::Backup);
                let path = self.path(name.as_str());
                self.builder.place(path, entry, &unit.origin);
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
                rules: UnitRules::of(&definition.content),
                drift: self.builder.drift(unit.value.drift),
                made_from: None,
                may_fail: false,
            };
            let id = UnitId::of(self.account, name.clone());
            self.builder.manifest.units.insert(id, entry);
        }
    }

    /// A path below the directory of unit files; `below` is made of checked names.
    fn path(&self, below: &str) -> HostPath {
        fixed(&format!("{}/{below}", self.directory))
    }

    /// A unit file or drop-in, of root's or the account's.
    fn file(&mut self, content: Vec<u8>) -> PathKind {
        let owner = self.account.cloned().unwrap_or_else(root);
        PathKind::File {
            content: self.builder.object(content),
            group: self.builder.primary_group(&owner),
            owner,
            mode: FILE_MODE,
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
            .and_then(|template| self.units.get(template));
        if let Some(source) = &unit.value.source {
            // An instance has no file of its own: what it says defines the template.
            let file = template.clone().unwrap_or_else(|| name.clone());
            self.fragment(file, source, unit, &mut definition);
        } else if let (Some(template), Some(of_template)) = (&template, of_template)
            && let Some(source) = &of_template.value.source
        {
            definition.fragment = Some(template.clone());
            definition.paths.insert(self.path(template.as_str()));
            self.read_unit(source, &of_template.origin, &mut definition.content);
        }
        if let (Some(template), Some(of_template)) = (&template, of_template) {
            for (file, source) in &of_template.value.drop_ins {
                definition
                    .paths
                    .insert(self.path(&format!("{template}.d/{file}")));
                self.read_unit(source, &of_template.origin, &mut definition.content);
            }
        }
        for (file, source) in &unit.value.drop_ins {
            let path = self.path(&format!("{name}.d/{file}"));
            if let Some(bytes) = self.builder.content(source, &unit.origin) {
                let kind = self.file(bytes);
                let entry = self.entry(kind, unit, unit.value.on_conflict);
                self.builder.place(path.clone(), entry, &unit.origin);
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
        let path = self.path(file.as_str());
        if let Some(bytes) = self.builder.content(source, &unit.origin) {
            let kind = self.file(bytes);
            let entry = self.entry(kind, unit, unit.value.on_conflict);
            // Several instances may say the same about their template.
            if self.builder.manifest.paths.get(&path) != Some(&entry) {
                self.builder.place(path.clone(), entry, &unit.origin);
            }
        }
        self.read_unit(source, &unit.origin, &mut definition.content);
        definition.paths.insert(path);
        definition.fragment = Some(file);
    }

    fn entry(
        &self,
        kind: PathKind,
        unit: &Located<UnitConfig>,
        on_conflict: OnConflict,
    ) -> PathEntry {
        PathEntry {
            kind,
            on_conflict,
            drift: self.builder.drift(unit.value.drift),
            units: UnitTriggers::default(),
        }
    }

    fn read_unit(&mut self, source: &FileSource, origin: &Origin, into: &mut UnitFile) {
        let text = match source {
            FileSource::Text(text) | FileSource::Filled { text, .. } => text.clone(),
            FileSource::File(file) => match self.builder.snapshot.read(file) {
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
            self.builder
                .push(ConfigError::new(message).at(&origin).fix(fix));
        }
    }
}

/// What a change asks for, from the keys that NixOS users know. What systemd would refuse is not asked of it.
pub(super) fn on_change(unit: &UnitFile) -> OnChange {
    let flag = |key| flag(unit, key);
    if flag("X-ReloadIfChanged") == Some(true) {
        OnChange::Reload
    } else if flag("X-RestartIfChanged") == Some(false)
        || flag("RefuseManualStop") == Some(true)
        || flag("RefuseManualStart") == Some(true)
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
