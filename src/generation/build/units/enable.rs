//! Enablement as data: the links that `systemctl enable` would make from an `[Install]` section.

use std::collections::BTreeSet;

use super::{Definition, UnitBuilder};
use crate::config::{ConfigError, Located, OnConflict, UnitConfig};
use crate::generation::PathKind;
use crate::host::UnitName;

type Defined<'c> = (&'c UnitName, &'c Located<UnitConfig>, Definition);

/// Keys of `[Install]` that pull a unit in, with the suffix of the directory their links go to.
const PULLED_IN_BY: [(&str, &str); 3] = [
    ("WantedBy", "wants"),
    ("RequiredBy", "requires"),
    ("UpheldBy", "upholds"),
];

impl UnitBuilder<'_, '_> {
    /// Makes the links of a unit of ours, and of the units of ours it names in `Also=`.
    pub(super) fn enable(
        &mut self,
        name: &UnitName,
        all: &[Defined<'_>],
        enabled: &mut BTreeSet<UnitName>,
    ) {
        let Some((name, unit, definition)) = all.iter().find(|(other, ..)| *other == name) else {
            return;
        };
        let Some(fragment) = &definition.fragment else {
            return;
        };
        if !enabled.insert((*name).clone()) {
            return;
        }
        let Some(linked) = self.linked_name(name, unit, definition) else {
            return;
        };
        let mut links = 0;
        for (key, suffix) in PULLED_IN_BY {
            for target in definition.content.words("Install", key) {
                links += 1;
                let Some(target) = self.installed_name(target, &linked, unit) else {
                    continue;
                };
                if self.is_of_the_machine(&target, unit) {
                    continue;
                }
                let link = format!("{target}.{suffix}/{linked}");
                self.link(&link, format!("../{fragment}"), unit);
            }
        }
        for alias in definition.content.words("Install", "Alias") {
            links += 1;
            self.alias(alias, &linked, unit);
        }
        for other in definition.content.words("Install", "Also") {
            links += 1;
            let Some(other) = self.installed_name(other, &linked, unit) else {
                continue;
            };
            self.enable(&other, all, enabled);
        }
        if links == 0 {
            self.not_installable(name, unit, definition);
        }
    }

    /// The name the links carry: the unit's own, or the default instance of a template.
    fn linked_name(
        &mut self,
        name: &UnitName,
        unit: &Located<UnitConfig>,
        definition: &Definition,
    ) -> Option<UnitName> {
        if !name.is_template() {
            return Some(name.clone());
        }
        let Some(instance) = definition.content.last("Install", "DefaultInstance") else {
            let example = name.as_str().replace("@.", "@NAME.");
            let error = ConfigError::new(format!("the template `{name}` cannot be enabled"))
                .at(&unit.origin)
                .cause("it has no `DefaultInstance=` in its `[Install]` section")
                .fix(format!("enable an instance of it: `{example}`"));
            self.builder.push(error);
            return None;
        };
        let text = name.as_str().replace("@.", &format!("@{instance}."));
        self.checked(&text, unit)
    }

    /// A name of an `[Install]` section, specifiers filled in.
    fn installed_name(
        &mut self,
        written: &str,
        linked: &UnitName,
        unit: &Located<UnitConfig>,
    ) -> Option<UnitName> {
        if let Some(text) = expand(written, linked) {
            return self.checked(&text, unit);
        }
        let message = format!("`{written}` in `[Install]` of `{linked}` cannot be filled in");
        let error = ConfigError::new(message)
            .at(&unit.origin)
            .cause("only `%n`, `%N`, `%p`, `%i`, `%j` and `%%` are the same on every machine");
        self.builder.push(error);
        None
    }

    /// Whether an account's systemd has no such target, which is recorded: its units would never be pulled in.
    fn is_of_the_machine(&mut self, target: &UnitName, unit: &Located<UnitConfig>) -> bool {
        let missing = ["multi-user.target", "graphical.target"].contains(&target.as_str());
        if !missing || self.account.is_none() {
            return false;
        }
        let message = format!("the systemd of an account has no `{target}`");
        let error = ConfigError::new(message)
            .at(&unit.origin)
            .cause("it is in the `[Install]` section of the unit's file")
            .fix("write `WantedBy=default.target`, or `timers.target` for a timer");
        self.builder.push(error);
        true
    }

    fn checked(&mut self, text: &str, unit: &Located<UnitConfig>) -> Option<UnitName> {
        match UnitName::new(text) {
            Ok(name) => Some(name),
            Err(invalid) => {
                let error = ConfigError::new(invalid.to_string())
                    .at(&unit.origin)
                    .cause("it is in the `[Install]` section of the unit's file");
                self.builder.push(error);
                None
            }
        }
    }

    fn alias(&mut self, written: &str, linked: &UnitName, unit: &Located<UnitConfig>) {
        let Some(alias) = self.installed_name(written, linked, unit) else {
            return;
        };
        let fits = alias.kind() == linked.kind() && linked.template().is_none();
        if !fits {
            let message = format!("`{linked}` cannot have the alias `{alias}`");
            let error = ConfigError::new(message)
                .at(&unit.origin)
                .cause("an alias has the type of its unit, and instances have none");
            self.builder.push(error);
        } else if alias != *linked {
            self.link(alias.as_str(), linked.to_string(), unit);
        }
    }

    /// A link beside the unit files. Relative, so that it leads to the same file below a `--root`.
    fn link(&mut self, below: &str, target: String, unit: &Located<UnitConfig>) {
        let path = self.path(below);
        // The link that `systemctl enable` made by hand before comes back when the entry goes.
        let entry = self.entry(PathKind::Symlink { target }, unit, OnConflict::Backup);
        if self.builder.manifest.paths.get(&path) != Some(&entry) {
            self.builder.place(path, entry, &unit.origin);
        }
    }

    fn not_installable(
        &mut self,
        name: &UnitName,
        unit: &Located<UnitConfig>,
        definition: &Definition,
    ) {
        let cause = if definition.content.has_section("Install") {
            "its `[Install]` section says nothing that would pull it in"
        } else {
            "its file has no `[Install]` section"
        };
        let target = match self.account {
            None => "multi-user.target",
            Some(_) => "default.target",
        };
        let error = ConfigError::new(format!("`{name}` cannot be enabled"))
            .at(&unit.origin)
            .cause(cause)
            .fix(format!(
                "add `[Install]` with `WantedBy={target}`, or leave `enable` out"
            ));
        self.builder.push(error);
    }
}

/// Fills in the specifiers that mean the same everywhere; `None` if there is another.
fn expand(written: &str, name: &UnitName) -> Option<String> {
    let full = name.as_str();
    let stem = full.rsplit_once('.').map_or(full, |(stem, _)| stem);
    let (prefix, instance) = stem.split_once('@').unwrap_or((stem, ""));
    let mut text = String::new();
    let mut chars = written.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        match chars.next()? {
            'n' => text.push_str(full),
            'N' => text.push_str(stem),
            'p' => text.push_str(prefix),
            'i' => text.push_str(instance),
            'j' => text.push_str(prefix.rsplit('-').next().unwrap_or(prefix)),
            '%' => text.push('%'),
            _ => return None,
        }
    }
    Some(text)
}
