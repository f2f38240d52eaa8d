//! What differs between two generations, resource by resource.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::Serialize;

use super::{GroupEntry, Manifest, MountEntry, PathEntry, PathKind, UnitEntry, UserEntry};
use crate::health::Check;
use crate::host::HostPath;
use crate::secrets::{SecretSpec, TemplateSpec, UnitTriggers};

/// One difference between two manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Change {
    /// The kind of resource: `file`, `directory`, `symlink`, `unit`, `mount`, `validator`, `package`, `group`, `user`,
    /// `secret`, `template`, `sysctl`, `locale`, `kernel_module`, `hold`, `hostname`, `check`, `drift`.
    pub resource: String,
    /// Its name; empty where there is one per host.
    pub name: String,
    /// Added, removed or changed.
    pub kind: ChangeKind,
    /// What changed, in words: `mode 0644 → 0600`. Never a secret's value.
    pub details: Vec<String>,
}

/// What happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is only in the second.
    Added,
    /// It is only in the first.
    Removed,
    /// It is in both and differs.
    Changed,
}

/// One readable line: `+ file /etc/motd`, `~ unit app.service: start, enable yes → no`.
impl Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match self.kind {
            ChangeKind::Added => '+',
            ChangeKind::Removed => '-',
            ChangeKind::Changed => '~',
        };
        write!(f, "{sign} {}", self.resource)?;
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        if !self.details.is_empty() {
            write!(f, ": {}", self.details.join(", "))?;
        }
        Ok(())
    }
}

/// Compares two manifests. Changes are grouped by resource in the order people think of a host, and sorted by name.
///
/// Contents of files are compared by digest; who wants their lines reads the objects.
#[must_use]
pub fn diff(from: &Manifest, to: &Manifest) -> Vec<Change> {
    let mut changes = Vec::new();
    single(
        &mut changes,
        "hostname",
        from.hostname.as_ref(),
        to.hostname.as_ref(),
    );
    if from.drift != to.drift {
        let details = vec![arrow("", &words(&from.drift), &words(&to.drift))];
        changes.push(change("drift", "", ChangeKind::Changed, details));
    }
    maps(
        &mut changes,
        "sysctl",
        (&from.sysctls, &to.sysctls),
        |from, to| vec![arrow("", from, to)],
    );
    sets(&mut changes, "locale", &from.locales, &to.locales);
    let modules = (&from.kernel_modules, &to.kernel_modules);
    sets(&mut changes, "kernel_module", modules.0, modules.1);
    sets(&mut changes, "package", &from.packages, &to.packages);
    sets(&mut changes, "hold", &from.holds, &to.holds);
    maps(&mut changes, "group", (&from.groups, &to.groups), group);
    maps(&mut changes, "user", (&from.users, &to.users), user);
    paths(&mut changes, &from.paths, &to.paths);
    maps(&mut changes, "unit", (&from.units, &to.units), unit);
    maps(&mut changes, "mount", (&from.mounts, &to.mounts), mount);
    maps(
        &mut changes,
        "validator",
        (&from.validators, &to.validators),
        |from, to| vec![arrow("", &from.join(" "), &to.join(" "))],
    );
    maps(&mut changes, "secret", (&from.secrets, &to.secrets), secret);
    maps(
        &mut changes,
        "template",
        (&from.templates, &to.templates),
        template,
    );
    let checks = |manifest: &Manifest| manifest.health.iter().map(check).collect();
    sets(&mut changes, "check", &checks(from), &checks(to));
    changes
}

fn change(resource: &str, name: &str, kind: ChangeKind, details: Vec<String>) -> Change {
    Change {
        resource: resource.to_owned(),
        name: name.to_owned(),
        kind,
        details,
    }
}

fn single(changes: &mut Vec<Change>, resource: &str, from: Option<&String>, to: Option<&String>) {
    let (kind, details) = match (from, to) {
        (Some(from), Some(to)) if from != to => (ChangeKind::Changed, arrow("", from, to)),
        (None, Some(to)) => (ChangeKind::Added, to.clone()),
        (Some(from), None) => (ChangeKind::Removed, from.clone()),
        _ => return,
    };
    changes.push(change(resource, "", kind, vec![details]));
}

fn sets<T: Ord + Display>(
    changes: &mut Vec<Change>,
    resource: &str,
    from: &BTreeSet<T>,
    to: &BTreeSet<T>,
) {
    for name in from.union(to) {
        let kind = match (from.contains(name), to.contains(name)) {
            (true, false) => ChangeKind::Removed,
            (false, true) => ChangeKind::Added,
            _ => continue,
        };
        changes.push(change(resource, &name.to_string(), kind, Vec::new()));
    }
}

fn maps<K: Ord + Display, V: PartialEq>(
    changes: &mut Vec<Change>,
    resource: &str,
    (from, to): (&BTreeMap<K, V>, &BTreeMap<K, V>),
    details: impl Fn(&V, &V) -> Vec<String>,
) {
    let names: BTreeSet<&K> = from.keys().chain(to.keys()).collect();
    for name in names {
        let (kind, details) = match (from.get(name), to.get(name)) {
            (Some(from), Some(to)) if from != to => (ChangeKind::Changed, details(from, to)),
            (None, Some(_)) => (ChangeKind::Added, Vec::new()),
            (Some(_), None) => (ChangeKind::Removed, Vec::new()),
            _ => continue,
        };
        changes.push(change(resource, &name.to_string(), kind, details));
    }
}

/// Paths of three kinds; one that becomes another kind is removed and added.
fn paths(
    changes: &mut Vec<Change>,
    from: &BTreeMap<HostPath, PathEntry>,
    to: &BTreeMap<HostPath, PathEntry>,
) {
    for resource in ["directory", "file", "symlink"] {
        let of_kind = |entries: &BTreeMap<HostPath, PathEntry>| -> BTreeMap<HostPath, PathEntry> {
            entries
                .iter()
                .filter(|(_, entry)| kind_word(&entry.kind) == resource)
                .map(|(path, entry)| (path.clone(), entry.clone()))
                .collect()
        };
        maps(changes, resource, (&of_kind(from), &of_kind(to)), path);
    }
}

fn kind_word(kind: &PathKind) -> &'static str {
    match kind {
        PathKind::File { .. } => "file",
        PathKind::Directory { .. } => "directory",
        PathKind::Symlink { .. } => "symlink",
    }
}

fn path(from: &PathEntry, to: &PathEntry) -> Vec<String> {
    let mut details = Details::default();
    match (&from.kind, &to.kind) {
        (
            PathKind::File {
                content: old,
                owner,
                group,
                mode,
            },
            PathKind::File {
                content: new,
                owner: new_owner,
                group: new_group,
                mode: new_mode,
            },
        ) => {
            details.said("content", old != new);
            details.value("owner", owner, new_owner);
            details.value("group", group, new_group);
            details.value("mode", mode, new_mode);
        }
        (
            PathKind::Directory { owner, group, mode },
            PathKind::Directory {
                owner: new_owner,
                group: new_group,
                mode: new_mode,
            },
        ) => {
            details.value("owner", owner, new_owner);
            details.value("group", group, new_group);
            details.value("mode", mode, new_mode);
        }
        (PathKind::Symlink { target }, PathKind::Symlink { target: new }) => {
            details.value("target", target, new);
        }
        _ => details.said("type", true),
    }
    details.value(
        "on_conflict",
        &words(&from.on_conflict),
        &words(&to.on_conflict),
    );
    details.value("drift", &words(&from.drift), &words(&to.drift));
    details.triggers(&from.units, &to.units);
    details.0
}

fn group(from: &GroupEntry, to: &GroupEntry) -> Vec<String> {
    let mut details = Details::default();
    details.option("gid", from.gid.as_ref(), to.gid.as_ref());
    details.value("system", &yes(from.system), &yes(to.system));
    details.0
}

fn user(from: &UserEntry, to: &UserEntry) -> Vec<String> {
    let mut details = Details::default();
    details.option("uid", from.uid.as_ref(), to.uid.as_ref());
    details.value("group", &from.group, &to.group);
    details.set("groups", &from.groups, &to.groups);
    details.option(
        "description",
        from.description.as_ref(),
        to.description.as_ref(),
    );
    details.value("home", &from.home, &to.home);
    details.option("shell", from.shell.as_ref(), to.shell.as_ref());
    details.said("password", from.password_hash != to.password_hash);
    details.option(
        "password_secret",
        from.password_secret.as_ref(),
        to.password_secret.as_ref(),
    );
    details.value("system", &yes(from.system), &yes(to.system));
    details.option("expires", from.expires.as_ref(), to.expires.as_ref());
    details.option("subids", from.subids.as_ref(), to.subids.as_ref());
    details.0
}

fn unit(from: &UnitEntry, to: &UnitEntry) -> Vec<String> {
    let mut details = Details::default();
    details.set("files", &from.definition, &to.definition);
    details.option(
        "enable",
        from.enable.map(yes).as_ref(),
        to.enable.map(yes).as_ref(),
    );
    details.option(
        "start",
        from.start.map(yes).as_ref(),
        to.start.map(yes).as_ref(),
    );
    details.value("on_change", &words(&from.on_change), &words(&to.on_change));
    details.said("rules", from.rules != to.rules);
    details.option("made_from", from.made_from.as_ref(), to.made_from.as_ref());
    details.value("may_fail", &yes(from.may_fail), &yes(to.may_fail));
    details.value("drift", &words(&from.drift), &words(&to.drift));
    details.0
}

fn mount(from: &MountEntry, to: &MountEntry) -> Vec<String> {
    let mut details = Details::default();
    details.value("what", &from.what, &to.what);
    details.value("type", &from.kind, &to.kind);
    details.value("options", &from.options.join(","), &to.options.join(","));
    details.value("automount", &yes(from.automount), &yes(to.automount));
    details.0
}

fn secret(from: &SecretSpec, to: &SecretSpec) -> Vec<String> {
    let mut details = Details::default();
    details.said("value", from.ciphertext != to.ciphertext);
    details.value("file", &from.file, &to.file);
    details.value("key", &from.key.join("/"), &to.key.join("/"));
    details.value("owner", &from.owner, &to.owner);
    details.value("group", &from.group, &to.group);
    details.value("mode", &from.mode, &to.mode);
    details.value("optional", &yes(from.optional), &yes(to.optional));
    details.triggers(&from.units, &to.units);
    details.0
}

fn template(from: &TemplateSpec, to: &TemplateSpec) -> Vec<String> {
    let mut details = Details::default();
    details.said("text", from.segments != to.segments);
    details.value("owner", &from.owner, &to.owner);
    details.value("group", &from.group, &to.group);
    details.value("mode", &from.mode, &to.mode);
    details.triggers(&from.units, &to.units);
    details.0
}

/// A check in words, so that another limit is another check.
fn check(check: &Check) -> String {
    let wanted = if check.required { "" } else { ", not required" };
    format!(
        "{} within {} ms{wanted}",
        check.probe.label(),
        check.within_ms
    )
}

/// What differs between two of a kind, in words.
#[derive(Default)]
struct Details(Vec<String>);

impl Details {
    /// Something whose values are too long, or not to be shown.
    fn said(&mut self, what: &str, differs: bool) {
        if differs {
            self.0.push(what.to_owned());
        }
    }

    fn value<T: PartialEq + Display>(&mut self, what: &str, from: &T, to: &T) {
        if from != to {
            self.0.push(arrow(what, from, to));
        }
    }

    fn option<T: PartialEq + Display>(&mut self, what: &str, from: Option<&T>, to: Option<&T>) {
        if from != to {
            let word = |value: Option<&T>| value.map_or("unset".to_owned(), ToString::to_string);
            self.0.push(arrow(what, &word(from), &word(to)));
        }
    }

    fn set<T: Ord + Display>(&mut self, what: &str, from: &BTreeSet<T>, to: &BTreeSet<T>) {
        let added = to.difference(from).map(|value| format!("+{value}"));
        let removed = from.difference(to).map(|value| format!("-{value}"));
        let words: Vec<String> = added.chain(removed).collect();
        if !words.is_empty() {
            self.0.push(format!("{what} {}", words.join(" ")));
        }
    }

    fn triggers(&mut self, from: &UnitTriggers, to: &UnitTriggers) {
        self.set("restarts", &from.restart, &to.restart);
        self.set("reloads", &from.reload, &to.reload);
    }
}

fn arrow<T: Display + ?Sized>(what: &str, from: &T, to: &T) -> String {
    let space = if what.is_empty() { "" } else { " " };
    format!("{what}{space}{from} → {to}")
}

fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// The word a value has in the manifest.
fn words(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        // Values of a manifest always have a JSON form.
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests;
