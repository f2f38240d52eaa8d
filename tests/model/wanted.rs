//! What a host file says, as the repository has it and as paths of the host.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value, json};

use crate::tree::Node;

/// What is said about a file that is there and not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    Refuse,
    Backup,
    Adopt,
}

/// What is done about a hand edit by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drift {
    Report,
    Enforce,
}

/// One path of `files`, `directories` or `symlinks`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) conflict: Conflict,
    pub(crate) drift: Drift,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Content, mode, and whether it is daemon's.
    File(u8, u32, bool),
    Dir(u32),
    Link(u8),
}

/// One entry of `units`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A unit of ours: its version, whether it is enabled, and its drop-in.
    Ours(u8, bool, Option<u8>),
    Masked,
    /// A unit of the distribution: whether it is enabled, and its drop-in.
    Theirs(Option<bool>, Option<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) shell: Option<u8>,
    pub(crate) groups: BTreeSet<&'static str>,
    pub(crate) keys: Option<u8>,
    pub(crate) dotfile: Option<u8>,
    pub(crate) linger: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) version: u8,
    pub(crate) mode: u32,
    pub(crate) daemons: bool,
    /// Whether a template has it in it.
    pub(crate) rendered: bool,
}

/// A whole host file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) drift: Drift,
    pub(crate) entries: BTreeMap<&'static str, Entry>,
    pub(crate) units: BTreeMap<&'static str, Unit>,
    pub(crate) people: BTreeMap<&'static str, Person>,
    pub(crate) groups: BTreeSet<&'static str>,
    pub(crate) secrets: BTreeMap<&'static str, Secret>,
    pub(crate) hostname: Option<u8>,
    pub(crate) timezone: Option<u8>,
    /// A check that fails: the generation does not stay.
    pub(crate) sick: bool,
}

/// Only what is said, so that the smallest life that fails is read at a glance.
impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.drift)?;
        for (path, entry) in &self.entries {
            let Entry {
                kind,
                conflict,
                drift,
            } = entry;
            write!(f, ", {path}: {kind:?} {conflict:?} {drift:?}")?;
        }
        let Self {
            units,
            people,
            secrets,
            ..
        } = self;
        if !units.is_empty() || !people.is_empty() || !secrets.is_empty() {
            write!(f, ", {units:?} {people:?} {secrets:?}")?;
        }
        if self.hostname.is_some() || self.timezone.is_some() {
            write!(
                f,
                ", hostname {:?} timezone {:?}",
                self.hostname, self.timezone
            )?;
        }
        f.write_str(if self.sick { ", sick" } else { "" })
    }
}

impl Default for Host {
    fn default() -> Self {
        Self {
            drift: Drift::Report,
            entries: BTreeMap::new(),
            units: BTreeMap::new(),
            people: BTreeMap::new(),
            groups: BTreeSet::new(),
            secrets: BTreeMap::new(),
            hostname: None,
            timezone: None,
            sick: false,
        }
    }
}

/// What is to be at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Want {
    pub(crate) node: Node,
    pub(crate) conflict: Conflict,
    pub(crate) drift: Drift,
}

pub(crate) type Wants = BTreeMap<String, Want>;

/// The accounts that are there before, and their ids.
pub(crate) const DAEMON: (u32, u32) = (1, 1);
pub(crate) const SHELLS: [&str; 2] = ["/bin/bash", "/bin/dash"];
pub(crate) const PEOPLE: [(&str, u32); 2] = [("ketan", 1500), ("mary", 1501)];
pub(crate) const GROUPS: [(&str, u32); 2] = [("deploy", 1200), ("ops", 1201)];
/// What the one check is about.
pub(crate) const HEALTH: &str = "/etc/health";
const ZONES: [&str; 2] = ["America/Chicago", "Europe/Berlin"];
const SYSTEMD: &str = "/etc/systemd/system";
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIvRj2f8PQWNdMcWeQl5ZVqdMuO5bAmiGnDUOMRJqSyD";

pub(crate) fn content(version: u8) -> String {
    format!("version {version}\n")
}

pub(crate) fn secret_content(name: &str, version: u8) -> String {
    format!("secret {name} {version}")
}

fn unit_text(version: u8) -> String {
    format!(
        "[Unit]\nDescription=version {version}\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
    )
}

fn drop_in_text(version: u8) -> String {
    format!("[Unit]\nDescription=drop-in {version}\n")
}

impl Host {
    /// The host file; what is JSON is YAML.
    pub(crate) fn text(&self) -> String {
        let mut host = json!({
            "description": "the yard",
            "drift": drift_word(self.drift),
            "files": {}, "directories": {}, "symlinks": {}, "units": {}, "users": {}, "groups": {}, "home": {},
            "secrets": {}, "templates": {},
        });
        for (path, entry) in &self.entries {
            let (group, value) = entry_value(entry);
            host[group][*path] = value;
        }
        for (name, unit) in &self.units {
            host["units"][*name] = unit_value(unit, self.drift);
        }
        for (name, person) in &self.people {
            self.person(name, person, &mut host);
        }
        for name in &self.groups {
            let (_, gid) = GROUPS.iter().find(|(group, _)| group == name).unwrap();
            host["groups"][*name] = json!({ "gid": gid });
        }
        for (name, secret) in &self.secrets {
            secret_value(name, secret, &mut host);
        }
        if let Some(version) = self.hostname {
            host["hostname"] = json!(format!("yard{version}"));
        }
        if let Some(version) = self.timezone {
            host["timezone"] = json!(ZONES[usize::from(version)]);
        }
        if self.sick {
            // It was well before.
            host["files"][HEALTH] = json!({ "text": "ill\n", "on_conflict": "backup" });
            host["health"] = json!([{ "file": HEALTH, "contains": "well", "within": "1ms" }]);
        }
        serde_json::to_string_pretty(&host).unwrap()
    }

    fn person(&self, name: &str, person: &Person, host: &mut Value) {
        let (_, uid) = PEOPLE.iter().find(|(one, _)| *one == name).unwrap();
        let mut value = json!({ "uid": uid, "groups": person.groups, "linger": person.linger });
        if let Some(shell) = person.shell {
            value["shell"] = json!(SHELLS[usize::from(shell)]);
        }
        if let Some(key) = person.keys {
            value["ssh_keys"] = json!([format!("{KEY} {key}")]);
        }
        host["users"][name] = value;
        if let Some(version) = person.dotfile {
            let file = json!({ "text": content(version), "mode": "0600", "drift": drift_word(self.drift) });
            host["home"][name] = json!({ "files": { ".config/app.conf": file } });
        }
    }

    /// What is to be at which path.
    pub(crate) fn wants(&self, ids: &BTreeMap<String, (u32, u32)>) -> Wants {
        let mut wants = Wants::new();
        for (path, entry) in &self.entries {
            let node = match entry.kind {
                Kind::File(version, mode, daemons) => {
                    let owner = if daemons { DAEMON } else { (0, 0) };
                    Node::file(&content(version), mode).of(owner)
                }
                Kind::Dir(mode) => Node::dir(mode),
                Kind::Link(version) => Node::link(&link_target(version)),
            };
            let want = Want {
                node,
                conflict: entry.conflict,
                drift: entry.drift,
            };
            wants.insert((*path).to_owned(), want);
        }
        for (name, unit) in &self.units {
            self.unit_paths(name, unit, &mut wants);
        }
        for (name, person) in &self.people {
            // Until the account is there nobody knows whose its files are, and none are.
            let owner = ids.get(*name).copied().unwrap_or((u32::MAX, u32::MAX));
            self.homes(name, person, owner, &mut wants);
        }
        if self.sick {
            let node = Node::file("ill\n", 0o644);
            wants.insert(HEALTH.to_owned(), self.of_a_key(node));
        }
        let mut own = |path: &str, node| wants.insert(path.to_owned(), self.of_a_key(node));
        if let Some(version) = self.hostname {
            own(
                "/etc/hostname",
                Node::file(&format!("yard{version}\n"), 0o644),
            );
        }
        if let Some(version) = self.timezone {
            let zone = ZONES[usize::from(version)];
            own(
                "/etc/localtime",
                Node::link(&format!("/usr/share/zoneinfo/{zone}")),
            );
            own("/etc/timezone", Node::file(&format!("{zone}\n"), 0o644));
        }
        wants
    }

    fn of_a_key(&self, node: Node) -> Want {
        Want {
            node,
            conflict: Conflict::Backup,
            drift: self.drift,
        }
    }

    fn unit_paths(&self, name: &str, unit: &Unit, wants: &mut Wants) {
        let mut drop_in = None;
        let file = format!("{SYSTEMD}/{name}");
        let refusing = |node| Want {
            node,
            conflict: Conflict::Refuse,
            drift: self.drift,
        };
        match unit {
            Unit::Ours(version, enabled, dropped) => {
                wants.insert(file, refusing(Node::file(&unit_text(*version), 0o644)));
                if *enabled {
                    let link = format!("{SYSTEMD}/multi-user.target.wants/{name}");
                    wants.insert(link, self.of_a_key(Node::link(&format!("../{name}"))));
                }
                drop_in = *dropped;
            }
            Unit::Masked => {
                wants.insert(file, self.of_a_key(Node::link("/dev/null")));
            }
            Unit::Theirs(_, dropped) => drop_in = *dropped,
        }
        if let Some(version) = drop_in {
            let path = format!("{SYSTEMD}/{name}.d/10-ours.conf");
            wants.insert(path, refusing(Node::file(&drop_in_text(version), 0o644)));
        }
    }

    fn homes(&self, name: &str, person: &Person, owner: (u32, u32), wants: &mut Wants) {
        if let Some(key) = person.keys {
            let node = Node::file(&format!("{KEY} {key}\n"), 0o600).of(owner);
            let path = format!("/home/{name}/.ssh/authorized_keys");
            wants.insert(path, self.of_a_key(node));
        }
        if let Some(version) = person.dotfile {
            let node = Node::file(&content(version), 0o600).of(owner);
            let want = Want {
                conflict: Conflict::Refuse,
                ..self.of_a_key(node)
            };
            wants.insert(format!("/home/{name}/.config/app.conf"), want);
        }
        if person.linger {
            let want = self.of_a_key(Node::file("", 0o644));
            wants.insert(format!("/var/lib/systemd/linger/{name}"), want);
        }
    }
}

pub(crate) fn link_target(version: u8) -> String {
    format!("/srv/decoy/{version}")
}

fn drift_word(drift: Drift) -> &'static str {
    match drift {
        Drift::Report => "report",
        Drift::Enforce => "enforce",
    }
}

fn entry_value(entry: &Entry) -> (&'static str, Value) {
    let (group, mut value) = match entry.kind {
        Kind::File(version, mode, daemons) => {
            let owner = if daemons { "daemon" } else { "root" };
            let value = json!({ "text": content(version), "mode": format!("{mode:04o}"), "owner": owner, "group": owner });
            ("files", value)
        }
        Kind::Dir(mode) => ("directories", json!({ "mode": format!("{mode:04o}") })),
        Kind::Link(version) => ("symlinks", json!({ "target": link_target(version) })),
    };
    if !matches!(entry.kind, Kind::Dir(_)) {
        value["on_conflict"] = json!(conflict_word(entry.conflict));
    }
    value["drift"] = json!(drift_word(entry.drift));
    (group, value)
}

fn conflict_word(conflict: Conflict) -> &'static str {
    match conflict {
        Conflict::Refuse => "refuse",
        Conflict::Backup => "backup",
        Conflict::Adopt => "adopt",
    }
}

fn unit_value(unit: &Unit, drift: Drift) -> Value {
    let mut value = match unit {
        Unit::Ours(version, enabled, _) => {
            json!({ "text": unit_text(*version), "enable": enabled })
        }
        Unit::Masked => return json!({ "mask": true }),
        Unit::Theirs(Some(enabled), _) => json!({ "enable": enabled }),
        Unit::Theirs(None, _) => json!({}),
    };
    value["drift"] = json!(drift_word(drift));
    if let Unit::Ours(_, _, Some(version)) | Unit::Theirs(_, Some(version)) = unit {
        value["drop_ins"] = json!({ "10-ours.conf": { "text": drop_in_text(*version) } });
    }
    value
}

fn secret_value(name: &str, secret: &Secret, host: &mut Value) {
    let owner = if secret.daemons { "daemon" } else { "root" };
    let file = format!("/secrets/{name}-{}.yml", secret.version);
    let mode = format!("{:04o}", secret.mode);
    host["secrets"][name] =
        json!({ "file": file, "key": "value", "owner": owner, "group": owner, "mode": mode });
    if secret.rendered {
        let text = format!("is {{{{ secret(\"{name}\") }}}}\n");
        host["templates"][format!("{name}.env")] = json!({ "text": text, "mode": mode });
    }
}
