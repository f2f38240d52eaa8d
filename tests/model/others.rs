//! What a pass is to make of accounts and secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::machine::Machine;
use crate::model::Putting;
use crate::tree::{self, Node, Tree};
use crate::wanted::{DAEMON, Drift, Host, PEOPLE, SHELLS, Secret, secret_content};

/// One account, as the account files have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) shell: String,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) locked: bool,
}

/// The accounts of people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Accounts {
    pub(crate) people: BTreeMap<String, Account>,
    /// Groups that only we put an account into.
    pub(crate) joined: BTreeMap<String, BTreeSet<String>>,
}

/// Ids by name, of a user and of its group.
pub(crate) type Ids = BTreeMap<String, (u32, u32)>;

impl Accounts {
    /// What is there, and what is known already of who joined what.
    pub(crate) fn read(machine: &Machine<'_>, known: &Self) -> Self {
        let (passwd, shadow) = (machine.read("/etc/passwd"), machine.read("/etc/shadow"));
        let group = machine.read("/etc/group");
        let mut people = BTreeMap::new();
        for line in passwd.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            let name = fields[0];
            if !PEOPLE.iter().any(|(one, _)| *one == name) {
                continue;
            }
            let secret = shadow
                .lines()
                .find(|line| line.starts_with(&format!("{name}:")));
            let expires = secret.and_then(|line| line.split(':').nth(7));
            let account = Account {
                shell: fields[6].to_owned(),
                groups: memberships(&group, name),
                locked: expires == Some("1"),
            };
            people.insert(name.to_owned(), account);
        }
        Self {
            people,
            joined: known.joined.clone(),
        }
    }

    /// After a pass from `old` to `host`.
    pub(crate) fn after(&self, host: &Host, old: &Host, putting: Putting) -> Self {
        let mut after = self.clone();
        for (name, person) in &host.people {
            let joined = after.joined.entry((*name).to_owned()).or_default();
            let wanted: BTreeSet<String> = person.groups.iter().map(|&g| g.to_owned()).collect();
            let account = after.people.entry((*name).to_owned());
            let account = account.or_insert_with(|| Account {
                shell: "/bin/sh".to_owned(),
                groups: BTreeSet::new(),
                locked: false,
            });
            let unchanged = old
                .people
                .get(name)
                .is_some_and(|old| (&old.shell, &old.groups) == (&person.shell, &person.groups));
            let is_there = self.people.contains_key(*name);
            let held = is_there
                && unchanged
                && putting == Putting::EnforcedRight
                && host.drift == Drift::Report;
            if held {
                continue;
            }
            if let Some(shell) = person.shell {
                SHELLS[usize::from(shell)].clone_into(&mut account.shell);
            }
            account.locked = false;
            let new: BTreeSet<String> = wanted.difference(&account.groups).cloned().collect();
            joined.extend(new.iter().cloned());
            account.groups.extend(new);
            account
                .groups
                .retain(|group| wanted.contains(group) || !joined.contains(group));
            joined.retain(|group| wanted.contains(group));
        }
        for name in old.people.keys() {
            if !host.people.contains_key(name)
                && let Some(account) = after.people.get_mut(*name)
            {
                account.locked = true;
                // What we put it into goes with the entry.
                let joined = after.joined.remove(*name).unwrap_or_default();
                account.groups.retain(|group| !joined.contains(group));
            }
        }
        after
    }
}

fn memberships(group: &str, name: &str) -> BTreeSet<String> {
    let has = |line: &&str| {
        let members = line.rsplit(':').next().unwrap();
        members.split(',').any(|member| member == name)
    };
    let lines = group.lines().filter(has);
    lines
        .map(|line| line.split(':').next().unwrap().to_owned())
        .collect()
}

/// Whose files a person's are.
pub(crate) fn ids(machine: &Machine<'_>) -> Ids {
    let passwd = machine.read("/etc/passwd");
    let records = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    records
        .map(|fields| {
            let owner = (fields[2].parse().unwrap(), fields[3].parse().unwrap());
            (fields[0].to_owned(), owner)
        })
        .collect()
}

/// The installed secrets, with templates as `rendered/NAME`.
pub(crate) fn secrets(machine: &Machine<'_>) -> Tree {
    let Ok(set) = fs::canonicalize(machine.path("/run/secrets")) else {
        return Tree::new();
    };
    let all = tree::read(&set, |_| false).into_iter();
    all.filter(|(_, node)| !node.is_dir())
        .map(|(path, node)| (path[1..].to_owned(), node))
        .collect()
}

/// The secrets that `host` asks for.
pub(crate) fn wanted_secrets(host: &Host) -> Tree {
    let mut wanted = Tree::new();
    for (name, secret) in &host.secrets {
        let owner = if secret.daemons { DAEMON } else { (0, 0) };
        let value = secret_content(name, secret.version);
        wanted.insert(
            (*name).to_owned(),
            Node::file(&value, secret.mode).of(owner),
        );
        if secret.rendered {
            let text = format!("is {value}\n");
            wanted.insert(
                format!("rendered/{name}.env"),
                Node::file(&text, secret.mode),
            );
        }
    }
    wanted
}

/// The secrets after a pass from `old` to `host`: all as they should be, or none touched.
pub(crate) fn secrets_after(found: &Tree, host: &Host, old: &Host, putting: Putting) -> Tree {
    let wanted = wanted_secrets(host);
    let held = |path: &str| {
        let name = path
            .trim_start_matches("rendered/")
            .trim_end_matches(".env");
        let (new, had) = (host.secrets.get(name), old.secrets.get(name));
        let same = match (new, had) {
            (Some(new), Some(had)) if path == name => same_but_rendered(new, had),
            (new, had) => new == had,
        };
        same && putting == Putting::EnforcedRight && host.drift == Drift::Report
    };
    let acts = found.keys().any(|path| !wanted.contains_key(path))
        || wanted.iter().any(|(path, node)| match found.get(path) {
            None => true,
            Some(found) => found != node && !held(path),
        });
    if acts { wanted } else { found.clone() }
}

fn same_but_rendered(new: &Secret, had: &Secret) -> bool {
    let had = Secret {
        rendered: new.rendered,
        ..had.clone()
    };
    *new == had
}
