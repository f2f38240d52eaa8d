//! What acts when something changes.

use std::collections::BTreeSet;

use super::{Known, Triggered};
use crate::generation::OnChange;
use crate::host::{HostPath, UnitId};
use crate::secrets::{SecretName, TemplateName, UnitTriggers, secrets_of};

impl Known<'_> {
    /// What acts when a thing changes; for a unit, what it acts on.
    pub(super) fn triggers(&self, kind: &str, name: &str) -> Vec<Triggered> {
        let mut found = BTreeSet::new();
        match kind {
            "file" | "directory" | "symlink" => {
                if let Ok(path) = HostPath::new(name) {
                    self.of_path(&path, &mut found);
                }
            }
            "secret" => {
                if let Ok(secret) = SecretName::new(name) {
                    self.of_secret(&secret, &mut found);
                }
            }
            "template" => {
                if let Ok(template) = TemplateName::new(name) {
                    self.of_template(&template, &mut found);
                }
            }
            "unit" => {
                if let Ok(unit) = name.parse::<UnitId>() {
                    self.of_unit(&unit, &mut found);
                }
            }
            _ => {}
        }
        found.into_iter().collect()
    }

    fn of_path(&self, path: &HostPath, found: &mut BTreeSet<Triggered>) {
        let manifest = &self.built.manifest;
        if let Some(entry) = manifest.paths.get(path) {
            acting(&entry.units, &format!("{path} changes"), found);
        }
        for (unit, entry) in &manifest.units {
            if entry.definition.contains(path) && !unit.is_template() {
                let action = match entry.on_change {
                    OnChange::StopStart => "stops and starts",
                    OnChange::Restart => "restarts",
                    OnChange::Reload => "reloads",
                    OnChange::Keep => "stays as it is",
                };
                found.insert(triggered(action, unit, "its definition changes"));
            }
        }
    }

    fn of_secret(&self, secret: &SecretName, found: &mut BTreeSet<Triggered>) {
        let manifest = &self.built.manifest;
        if let Some(spec) = manifest.secrets.get(secret) {
            acting(&spec.units, &format!("secret {secret} changes"), found);
        }
        for (name, template) in &manifest.templates {
            if secrets_of(&template.segments).any(|used| used == secret) {
                let subject = format!("template {name}");
                found.insert(triggered(
                    "is rendered again",
                    &subject,
                    "it has the secret",
                ));
                self.of_template(name, found);
            }
        }
        for (name, user) in &manifest.users {
            if user.password_secret.as_ref() == Some(secret) {
                let subject = format!("user {name}");
                found.insert(triggered(
                    "gets a new password",
                    &subject,
                    "it is the secret",
                ));
            }
        }
    }

    fn of_template(&self, name: &TemplateName, found: &mut BTreeSet<Triggered>) {
        if let Some(template) = self.built.manifest.templates.get(name) {
            acting(&template.units, &format!("template {name} changes"), found);
        }
    }

    /// What a unit acts on.
    fn of_unit(&self, unit: &UnitId, found: &mut BTreeSet<Triggered>) {
        for (because, units) in self.acting_on() {
            for (action, units) in [("restarts", &units.restart), ("reloads", &units.reload)] {
                if units.contains(unit) {
                    found.insert(triggered(action, unit, &format!("{because} changes")));
                }
            }
        }
    }

    /// Units that are only named by what they act on.
    pub(super) fn units_that_act(&self) -> BTreeSet<&UnitId> {
        let acting = self.acting_on().into_iter();
        acting
            .flat_map(|(_, units)| units.restart.iter().chain(&units.reload))
            .collect()
    }

    fn acting_on(&self) -> Vec<(String, &UnitTriggers)> {
        let manifest = &self.built.manifest;
        let paths = manifest.paths.iter();
        let paths = paths.map(|(path, entry)| (path.to_string(), &entry.units));
        let secrets = manifest.secrets.iter();
        let secrets = secrets.map(|(name, spec)| (format!("secret {name}"), &spec.units));
        let templates = manifest.templates.iter();
        let templates = templates.map(|(name, spec)| (format!("template {name}"), &spec.units));
        paths.chain(secrets).chain(templates).collect()
    }
}

fn acting(units: &UnitTriggers, because: &str, found: &mut BTreeSet<Triggered>) {
    for unit in &units.restart {
        found.insert(triggered("restarts", unit, because));
    }
    for unit in &units.reload {
        found.insert(triggered("reloads", unit, because));
    }
}

fn triggered(action: &str, subject: &impl ToString, because: &str) -> Triggered {
    Triggered {
        action: action.to_owned(),
        subject: subject.to_string(),
        because: because.to_owned(),
    }
}
