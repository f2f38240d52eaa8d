//! What a thing is, in words.

use std::fmt::Display;

use super::{Fact, Known};
use crate::config::FileSource;
use crate::generation::{OnChange, PathKind, UserEntry};
use crate::host::{GroupName, HostPath, PackageName, UnitId, UnitName, UserName};
use crate::secrets::{SecretName, TemplateName, secrets_of};

/// Facts in the making.
#[derive(Default)]
struct Facts(Vec<Fact>);

impl Facts {
    fn is(&mut self, label: &str, value: impl Display) {
        self.0.push(Fact {
            label: label.to_owned(),
            value: value.to_string(),
        });
    }

    fn may_be(&mut self, label: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.is(label, value);
        }
    }
}

impl Known<'_> {
    /// What is known of a thing.
    pub(super) fn facts(&self, kind: &str, name: &str) -> Vec<Fact> {
        let mut facts = Facts::default();
        // A name that is none of the kind has no facts of it.
        let _: Option<()> = match kind {
            "file" | "directory" | "symlink" => self.path(name, &mut facts),
            "parent directory" => self.parent(name, &mut facts),
            "unit" => self.unit(name, &mut facts),
            "user" => self.user(name, &mut facts),
            "group" => self.group(name, &mut facts),
            "package" => self.package(name, &mut facts),
            "secret" => self.secret(name, &mut facts),
            "template" => self.template(name, &mut facts),
            "sysctl" => {
                facts.may_be("value", self.built.manifest.sysctls.get(name));
                Some(())
            }
            "hostname" => {
                facts.may_be("value", self.built.manifest.hostname.as_ref());
                Some(())
            }
            "timezone" => {
                let timezone = self.resolution.config.timezone.as_ref();
                facts.may_be("value", timezone.map(|timezone| &timezone.value));
                Some(())
            }
            _ => None,
        };
        facts.0
    }

    fn path(&self, name: &str, facts: &mut Facts) -> Option<()> {
        let path = HostPath::new(name).ok()?;
        let entry = self.built.manifest.paths.get(&path)?;
        match &entry.kind {
            PathKind::File {
                owner, group, mode, ..
            } => {
                facts.is("content", self.content(&path));
                facts.is("owner", format!("{owner}:{group}"));
                facts.is("mode", mode);
            }
            PathKind::Directory { owner, group, mode } => {
                facts.is("owner", format!("{owner}:{group}"));
                facts.is("mode", mode);
            }
            PathKind::Symlink { target } => facts.is("target", target),
        }
        facts.is("drift", word(&entry.drift));
        facts.is("on conflict", word(&entry.on_conflict));
        Some(())
    }

    /// Where a file's content comes from.
    fn content(&self, path: &HostPath) -> String {
        let config = &self.resolution.config;
        let declared = config.files.get(path).map(|file| &file.value.source);
        let of_unit = || {
            let below = path.as_str().strip_prefix("/etc/systemd/system/")?;
            let unit = |name: &str| {
                let name = UnitName::new(name).ok()?;
                let of = |wanted: &UnitName| config.units.get(wanted);
                // The file of a template may be said by one of its instances.
                let instance = || {
                    let mut units = config.units.iter();
                    let found = units.find(|(unit, _)| unit.template().as_ref() == Some(&name));
                    found.map(|(_, unit)| unit)
                };
                of(&name).or_else(instance).map(|unit| &unit.value)
            };
            match below.split_once(".d/") {
                Some((name, file)) => unit(name)?.drop_ins.get(file),
                None => unit(below)?.source.as_ref(),
            }
        };
        match declared.or_else(of_unit) {
            Some(FileSource::Text(_)) => "written out".to_owned(),
            Some(FileSource::File(file)) => file.to_string(),
            Some(FileSource::Filled { file, .. }) => format!("{file}, filled in"),
            None => "made from the entries below".to_owned(),
        }
    }

    fn parent(&self, name: &str, facts: &mut Facts) -> Option<()> {
        let below = format!("{name}/");
        let mut for_paths = self
            .built
            .manifest
            .paths
            .keys()
            .filter(|path| path.as_str().starts_with(&below));
        let first = for_paths.next()?;
        let more = for_paths.count();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        facts.is("made for", format!("{first}{more}, if it is not there"));
        facts.is("owner", "root:root");
        facts.is("mode", "0755");
        Some(())
    }

    fn unit(&self, name: &str, facts: &mut Facts) -> Option<()> {
        let unit: UnitId = name.parse().ok()?;
        let Some(entry) = self.built.manifest.units.get(&unit) else {
            facts.is("definition", "not declared; it only acts on changes");
            return Some(());
        };
        if entry.definition.is_empty() {
            facts.is("definition", "the distribution's");
        }
        for path in &entry.definition {
            facts.is("definition", path);
        }
        let config = &self.resolution.config;
        let units = match &unit.account {
            Some(account) => config.homes.get(account).map(|home| &home.value.units),
            None => Some(&config.units),
        };
        let declared = units.and_then(|units| units.get(&unit.name));
        let yes = |value: bool| if value { "yes" } else { "no" };
        let enable = entry.enable.or(declared.and_then(|unit| unit.value.enable));
        facts.may_be("enabled", enable.map(yes));
        facts.may_be(
            "started",
            entry
                .start
                .map(|start| if start { "yes" } else { "stopped" }),
        );
        if declared.is_some_and(|unit| unit.value.mask) {
            facts.is("masked", "yes");
        }
        facts.is("on change", on_change(entry.on_change));
        facts.is("drift", word(&entry.drift));
        Some(())
    }

    fn user(&self, name: &str, facts: &mut Facts) -> Option<()> {
        let user = UserName::new(name).ok()?;
        let entry = self.built.manifest.users.get(&user)?;
        facts.may_be("uid", entry.uid);
        facts.is("group", &entry.group);
        let groups: Vec<&str> = entry.groups.iter().map(GroupName::as_str).collect();
        facts.may_be("groups", (!groups.is_empty()).then(|| groups.join(", ")));
        facts.is("home", &entry.home);
        facts.may_be("shell", entry.shell.as_ref());
        facts.is("password", password(entry));
        Some(())
    }

    fn group(&self, name: &str, facts: &mut Facts) -> Option<()> {
        let group = GroupName::new(name).ok()?;
        let entry = self.built.manifest.groups.get(&group)?;
        facts.may_be("gid", entry.gid);
        facts.is("system", if entry.system { "yes" } else { "no" });
        Some(())
    }

    fn package(&self, name: &str, facts: &mut Facts) -> Option<()> {
        let package = PackageName::new(name).ok()?;
        if self.built.manifest.packages.contains(&package) {
            facts.is("wanted", "installed");
        }
        if self.built.manifest.holds.contains(&package) {
            facts.is("held", "at its version");
        }
        Some(())
    }

    fn secret(&self, name: &str, facts: &mut Facts) -> Option<()> {
        let name = SecretName::new(name).ok()?;
        let spec = self.built.manifest.secrets.get(&name)?;
        facts.is("installed at", format!("/run/secrets/{name}"));
        let key = if spec.key.is_empty() {
            "the whole file".to_owned()
        } else {
            spec.key.join(" → ")
        };
        facts.is("from", format!("{}, {key}", spec.file));
        facts.is("owner", format!("{}:{}", spec.owner, spec.group));
        facts.is("mode", spec.mode);
        if spec.optional {
            facts.is("optional", "yes");
        }
        Some(())
    }

    fn template(&self, name: &str, facts: &mut Facts) -> Option<()> {
        let name = TemplateName::new(name).ok()?;
        let spec = self.built.manifest.templates.get(&name)?;
        facts.is("installed at", format!("/run/secrets/rendered/{name}"));
        let secrets: Vec<String> = secrets_of(&spec.segments)
            .map(ToString::to_string)
            .collect();
        facts.may_be("secrets", (!secrets.is_empty()).then(|| secrets.join(", ")));
        facts.is("owner", format!("{}:{}", spec.owner, spec.group));
        facts.is("mode", spec.mode);
        Some(())
    }
}

fn password(user: &UserEntry) -> String {
    match (&user.password_secret, &user.password_hash) {
        (Some(secret), _) => format!("the secret {secret}"),
        (None, Some(_)) => "a hash".to_owned(),
        (None, None) => "left alone".to_owned(),
    }
}

fn on_change(on_change: OnChange) -> &'static str {
    match on_change {
        OnChange::StopStart => "stops and starts",
        OnChange::Restart => "restarts",
        OnChange::Reload => "reloads",
        OnChange::Keep => "stays as it is",
    }
}

/// The word of a setting, as it is written in files.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
