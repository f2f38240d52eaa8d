//! `units`.

use std::collections::BTreeMap;

use super::HostParser;
use crate::config::Located;
use crate::config::host::{FileSource, UnitConfig};
use crate::config::reader::Fields;
use crate::config::vocabulary::{DROP_IN, UNIT};
use crate::config::yaml::{Entry, Key, Node};
use crate::host::{UnitKind, UnitName};

impl HostParser<'_> {
    pub(super) fn units(&mut self, node: &Node) {
        self.config.units = self.units_by_name(node);
    }

    /// Units of the machine's systemd, or of an account's.
    pub(super) fn units_by_name(&mut self, node: &Node) -> BTreeMap<UnitName, Located<UnitConfig>> {
        let mut units = BTreeMap::new();
        for entry in self
            .reader
            .entries(node, "units by name")
            .unwrap_or_default()
        {
            let name = self.reader.key_name::<UnitName>(&entry.key);
            let Some(fields) = self.reader.fields(&entry.value, "a unit", UNIT) else {
                continue;
            };
            let unit = self.unit(fields);
            let Some(name) = name else {
                continue;
            };
            self.check_unit(entry, fields, &name);
            let unit = self.reader.located(entry.key.place, unit);
            units.insert(name, unit);
        }
        units
    }

    fn unit(&mut self, fields: Fields<'_>) -> UnitConfig {
        UnitConfig {
            source: self.source(fields),
            drop_ins: fields
                .get("drop_ins")
                .map(|node| self.drop_ins(node))
                .unwrap_or_default(),
            enable: fields
                .get("enable")
                .and_then(|node| self.reader.boolean(node)),
            start: fields
                .get("start")
                .and_then(|node| self.reader.boolean(node)),
            mask: fields
                .get("mask")
                .and_then(|node| self.reader.boolean(node))
                .unwrap_or(false),
            on_conflict: self.on_conflict(fields),
            drift: fields.get("drift").and_then(|node| self.enforcement(node)),
        }
    }

    fn drop_ins(&mut self, node: &Node) -> BTreeMap<String, FileSource> {
        let mut drop_ins = BTreeMap::new();
        for entry in self
            .reader
            .entries(node, "drop-ins by file name")
            .unwrap_or_default()
        {
            let named = self.check_drop_in_name(&entry.key);
            let Some(fields) = self.reader.fields(&entry.value, "a drop-in", DROP_IN) else {
                continue;
            };
            let source = self.required_source(fields, entry.key.place, "a drop-in");
            if let (true, Some(source)) = (named, source) {
                drop_ins.insert(entry.key.text.clone(), source);
            }
        }
        drop_ins
    }

    fn check_drop_in_name(&mut self, key: &Key) -> bool {
        let name = key.text.as_str();
        let stem = name.strip_suffix(".conf").unwrap_or_default();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.@:".contains(&b);
        if !stem.is_empty()
            && !stem.starts_with('.')
            && stem.bytes().all(plain)
            && name.len() <= 255
        {
            return true;
        }
        let error = self
            .reader
            .error(key.place, format!("`{name}` is not the name of a drop-in"));
        error.cause = Some("systemd reads only files that end with `.conf`".to_owned());
        if !name.contains(['.', '/', ' ']) {
            error.fix = Some(format!("write `{name}.conf`"));
        }
        false
    }

    /// What does not go together.
    fn check_unit(&mut self, entry: &Entry, fields: Fields<'_>, name: &UnitName) {
        let key = entry.key.place;
        if fields.is_empty() {
            self.reader
                .error(key, format!("nothing is said about `{name}`"))
                .fix = Some("say `enable: true`, `start: true`, or give it a `file`".to_owned());
        }
        let is_true = |field: &str| {
            fields.get(field).is_some_and(|node| {
                matches!(&node.value, crate::config::yaml::Value::Scalar(scalar)
                    if scalar.kind() == crate::config::yaml::ScalarKind::Boolean(true))
            })
        };
        if is_true("mask") {
            let definition = ["text", "file", "drop_ins"]
                .into_iter()
                .find(|field| fields.get(field).is_some());
            let wanted = ["enable", "start"].into_iter().find(|field| is_true(field));
            if let Some(other) = definition.or(wanted)
                && let (Some(mask), Some(other)) = (fields.entry("mask"), fields.entry(other))
            {
                let mark = self.reader.mark(other.key.place);
                let message = format!("`{name}` cannot be masked and have `{}`", other.key.text);
                let error = self.reader.error(mask.key.place, message);
                error.related = Some((mark, "it has it here".to_owned()));
                error.cause = Some("a masked unit has no definition and never runs".to_owned());
            }
        }
        if name.is_template() && is_true("start") {
            let example = name.as_str().replace("@.", "@NAME.");
            self.reader
                .error(key, format!("`{name}` is a template, which never runs"))
                .fix = Some(format!("start an instance of it: `{example}`"));
        }
        let defined = fields.get("text").is_some() || fields.get("file").is_some();
        if defined && matches!(name.kind(), UnitKind::Scope | UnitKind::Device) {
            self.reader.error(
                key,
                format!(
                    "`{name}` cannot have a unit file: systemd makes units of this type itself"
                ),
            );
        }
    }
}
