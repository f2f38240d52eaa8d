//! Lives a life on a real tree with the real program, and holds it against the model after every event.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use steadfast::report::{Outcome, Trigger};

use crate::case::{Edit, Event, SecretEdit};
use crate::machine::{Keys, Kill, Machine};
use crate::model::{self, Homes, Not, Paths, Putting};
use crate::others::{self, Accounts, Ids};
use crate::tree::{self, Node, Tree};
use crate::wanted::{DAEMON, GROUPS, Host, PEOPLE, Unit, content};

/// How often what happened.
pub(crate) type Counts = BTreeMap<&'static str, usize>;

/// What went other than the model says.
pub(crate) type Wrong = String;

/// One host, and what the model knows of it.
pub(crate) struct Play<'a> {
    machine: Machine<'a>,
    /// What is in force; nothing at first.
    host: Host,
    generation: Option<u64>,
    paths: Paths,
    accounts: Accounts,
    secrets: Tree,
    ids: Ids,
    initial: Tree,
    /// Paths that were edited by hand.
    edited: BTreeSet<String>,
    pub(crate) counts: Counts,
}

/// How a pass ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    Done,
    Refused,
    RolledBack,
    Otherwise(String),
}

/// What a pass should make of a host.
struct Expected {
    paths: Result<Paths, Not>,
    accounts: Accounts,
    secrets: Tree,
}

impl<'a> Play<'a> {
    pub(crate) fn new(keys: &'a Keys) -> Self {
        let machine = Machine::new(keys);
        let initial = machine.tree();
        let paths = Paths {
            tree: initial.clone(),
            ..Paths::default()
        };
        Self {
            ids: others::ids(&machine),
            machine,
            host: Host::default(),
            generation: None,
            paths,
            accounts: Accounts::default(),
            secrets: Tree::new(),
            initial,
            edited: BTreeSet::new(),
            counts: Counts::new(),
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Lives through `life`, and undoes everything in the end.
    pub(crate) fn live(&mut self, life: &[Event]) -> Result<(), Wrong> {
        for (index, event) in life.iter().enumerate() {
            self.happens(event)
                .map_err(|wrong| format!("after event {index}: {wrong}"))?;
            self.count("events");
        }
        self.undo().map_err(|wrong| format!("undone: {wrong}"))
    }

    fn happens(&mut self, event: &Event) -> Result<(), Wrong> {
        match event {
            Event::Push(host) => {
                self.machine.commit(host);
                self.typed(host)?;
            }
            Event::Found(host) => {
                self.machine.commit(host);
                self.by_itself(host, Trigger::Poll)?;
            }
            Event::Killed {
                host,
                kill,
                reboots,
            } => self.killed(host, *kill, *reboots)?,
            Event::Edited(edits) => self.edited(edits),
            Event::Scanned => {
                if self.generation.is_some() {
                    self.by_itself(&self.host.clone(), Trigger::Drift)?;
                }
            }
            Event::Repaired => {
                self.machine.commit(&self.host);
                self.typed(&self.host.clone())?;
            }
        }
        self.drift()
    }

    /// `reconcile now`, with what is committed.
    fn typed(&mut self, host: &Host) -> Result<(), Wrong> {
        let run = self.machine.run(&["reconcile", "retry"]);
        let ended = match run.code {
            Some(0) => Ended::Done,
            Some(1) => Ended::Refused,
            Some(4) => Ended::RolledBack,
            _ => Ended::Otherwise(String::new()),
        };
        let said = format!("{}{}", run.stdout, run.stderr);
        self.judge(host, Putting::AllRight, &ended, &said)
    }

    fn by_itself(&mut self, host: &Host, trigger: Trigger) -> Result<(), Wrong> {
        let (outcome, said) = self.machine.pass(trigger);
        let ended = match outcome {
            Outcome::NothingToDo | Outcome::Activated | Outcome::Repaired => Ended::Done,
            Outcome::Failed => Ended::Refused,
            Outcome::RolledBack => Ended::RolledBack,
            other => Ended::Otherwise(format!("{other:?}")),
        };
        self.judge(host, Putting::EnforcedRight, &ended, &said)
    }

    fn expect(&mut self, host: &Host, putting: Putting) -> Expected {
        self.ids = others::ids(&self.machine);
        let homes = model::homes(host, &self.host, &self.ids);
        let mut before = self.paths.clone();
        self.make_homes(host, &mut before.tree);
        let wants = host.wants(&self.ids);
        let mut paths = before.after(&wants, putting, &homes);
        if let Ok(paths) = &mut paths {
            enable_theirs(host, &mut paths.tree);
        }
        if paths.is_ok() && host.sick && *host != self.host {
            paths = Err(Not::RolledBack("it is sick".to_owned()));
        }
        Expected {
            paths,
            accounts: self.accounts.after(host, &self.host, putting),
            secrets: others::secrets_after(&self.secrets, host, &self.host, putting),
        }
    }

    /// A new account has a home from its first moment.
    fn make_homes(&self, host: &Host, tree: &mut Tree) {
        for name in host.people.keys() {
            let home = format!("/home/{name}");
            if let (false, Some(owner)) = (
                self.accounts.people.contains_key(*name),
                self.ids.get(*name),
            ) {
                tree.entry(home).or_insert(Node::dir(0o700).of(*owner));
            }
        }
    }

    fn judge(
        &mut self,
        host: &Host,
        putting: Putting,
        ended: &Ended,
        said: &str,
    ) -> Result<(), Wrong> {
        let expected = self.expect(host, putting);
        let found = self.machine.tree();
        match (expected.paths, ended) {
            (Ok(paths), Ended::Done) => {
                same_tree("paths", &paths.tree, &found)?;
                self.paths = paths;
                self.accounts = expected.accounts;
                self.secrets = expected.secrets;
                self.host = host.clone();
                self.generation = self.machine.generation();
                self.count("settled");
                self.others()
            }
            (Err(Not::Refused(_)), Ended::Refused) => {
                same_tree("paths after a refusal", &self.paths.tree, &found)?;
                self.count("refused");
                self.others()
            }
            (Err(Not::RolledBack(_)), Ended::RolledBack) => {
                self.count("rolled back");
                self.is_back(found)
            }
            (Ok(_), _) => Err(format!(
                "it ended as {ended:?}, and should have worked: {said}"
            )),
            (Err(why), _) => Err(format!("it ended as {ended:?}, expected {why:?}: {said}")),
        }
    }

    /// The generation before is in force again. Where somebody had edited, either the edit or what is to be there is right.
    fn is_back(&mut self, found: Tree) -> Result<(), Wrong> {
        let now = Accounts::read(&self.machine, &self.accounts);
        let wants = self.host.wants(&self.ids);
        let homes: Homes = model::homes(&self.host, &self.host, &self.ids);
        let clean = self.paths.after(&wants, Putting::AllRight, &homes);
        let clean = clean.map_or_else(|_| self.paths.tree.clone(), |clean| clean.tree);
        let is_new_home = |path: &str| {
            let name = path.strip_prefix("/home/");
            name.is_some_and(|name| now.people.contains_key(name))
        };
        for path in self.paths.tree.keys().chain(found.keys()) {
            let now = found.get(path);
            let right = now == self.paths.tree.get(path) || now == clean.get(path);
            if !right && !is_new_home(path) {
                return Err(format!(
                    "{path} is not back:\n  before {:?}\n  found  {now:?}",
                    self.paths.tree.get(path)
                ));
            }
        }
        self.paths.tree = found;
        self.accounts_are_back(now)?;
        let secrets = others::secrets(&self.machine);
        if secrets != self.secrets && secrets != others::wanted_secrets(&self.host) {
            return Err(format!("secrets are not back: {:?}", names(&secrets)));
        }
        self.secrets = secrets;
        Ok(())
    }

    fn accounts_are_back(&mut self, now: Accounts) -> Result<(), Wrong> {
        let clean = self
            .accounts
            .after(&self.host, &self.host, Putting::AllRight);
        for (name, account) in &now.people {
            let right = match self.accounts.people.get(name) {
                // What a locked account says is of no use to anybody.
                None => account.locked,
                Some(before) if before.locked && !self.host.people.contains_key(name.as_str()) => {
                    account.locked
                }
                Some(before) => account == before || clean.people.get(name) == Some(account),
            };
            if !right {
                let before = self.accounts.people.get(name);
                return Err(format!(
                    "{name} is not back: {account:?}, before {before:?}"
                ));
            }
        }
        self.accounts = now;
        Ok(())
    }

    fn others(&mut self) -> Result<(), Wrong> {
        let accounts = Accounts::read(&self.machine, &self.accounts);
        if accounts != self.accounts {
            return Err(format!("expected {:?}\nfound {accounts:?}", self.accounts));
        }
        same_tree("secrets", &self.secrets, &others::secrets(&self.machine))?;
        let now = others::ids(&self.machine);
        let moved = self
            .ids
            .iter()
            .find(|(name, id)| now.get(*name) != Some(*id));
        moved.map_or(Ok(()), |moved| Err(format!("{moved:?} is {now:?} now")))
    }

    fn killed(&mut self, host: &Host, kill: Kill, reboots: bool) -> Result<(), Wrong> {
        self.machine.commit(host);
        let run = self.machine.run_and_kill(kill);
        if run.code.is_some() {
            self.count("kills that came too late");
            let ended = match run.code {
                Some(0) => Ended::Done,
                Some(1) => Ended::Refused,
                Some(4) => Ended::RolledBack,
                _ => Ended::Otherwise(format!("{:?}", run.code)),
            };
            let said = format!("{}{}", run.stdout, run.stderr);
            return self.judge(host, Putting::AllRight, &ended, &said);
        }
        self.count("kills");
        if reboots {
            let run = self.machine.run(&["boot"]);
            if run.code != Some(0) {
                return Err(format!("the boot unit said {run:?}"));
            }
        }
        let expected = self.expect(host, Putting::AllRight);
        let (outcome, said) = self.machine.pass(Trigger::Drift);
        if !matches!(outcome, Outcome::NothingToDo | Outcome::Repaired) {
            return Err(format!("recovery ended as {outcome:?}: {said}"));
        }
        let found = self.machine.tree();
        let now = self.machine.generation();
        if now == self.generation {
            self.is_back(found)?;
        } else {
            let paths = expected
                .paths
                .map_err(|not| format!("in force, but {not:?}"))?;
            same_tree("paths after a kill", &paths.tree, &found)?;
            self.paths = paths;
            self.accounts = expected.accounts;
            self.secrets = expected.secrets;
            self.host = host.clone();
            self.generation = now;
            self.count("kills survived");
            self.others()?;
        }
        let (outcome, said) = self.machine.pass(Trigger::Drift);
        if outcome != Outcome::NothingToDo {
            return Err(format!(
                "a second recovery did something: {outcome:?} {said}"
            ));
        }
        same_tree("a second recovery", &self.paths.tree, &self.machine.tree())
    }

    /// All drift is told, and nothing else.
    fn drift(&mut self) -> Result<(), Wrong> {
        if self.generation.is_none() {
            return Ok(());
        }
        let mut expected: BTreeSet<String> = self.paths.drifted();
        let clean = self
            .accounts
            .after(&self.host, &self.host, Putting::AllRight);
        let people = self.host.people.keys().map(|name| (*name).to_owned());
        expected
            .extend(people.filter(|name| clean.people.get(name) != self.accounts.people.get(name)));
        let wanted = others::wanted_secrets(&self.host);
        let all = wanted.keys().chain(self.secrets.keys());
        expected.extend(
            all.filter(|name| wanted.get(*name) != self.secrets.get(*name))
                .cloned(),
        );
        let found = self.machine.drift()?;
        let subjects: BTreeSet<String> = found.iter().map(|(_, subject)| subject.clone()).collect();
        if subjects != expected {
            return Err(format!("drift is {found:?}, expected {expected:?}"));
        }
        self.count(if found.is_empty() {
            "scans without drift"
        } else {
            "scans with drift"
        });
        Ok(())
    }

    fn edited(&mut self, edits: &[Edit]) {
        for edit in edits {
            self.edit(edit);
            self.count("edits");
        }
        let tree = self.machine.tree();
        let both = tree.keys().chain(self.paths.tree.keys());
        let changed = both.filter(|path| tree.get(*path) != self.paths.tree.get(*path));
        self.edited.extend(changed.cloned());
        self.paths.tree = tree;
        self.accounts = Accounts::read(&self.machine, &self.accounts);
        self.secrets = others::secrets(&self.machine);
    }

    fn edit(&self, edit: &Edit) {
        let root = self.machine.root();
        let in_a_directory = |path: &str| {
            let mut above = tree::above(path);
            above.all(|above| {
                fs::symlink_metadata(self.machine.path(above)).is_ok_and(|m| m.is_dir())
            })
        };
        let is_link = |path: &str| {
            fs::symlink_metadata(self.machine.path(path)).is_ok_and(|m| m.is_symlink())
        };
        let exists = |path: &str| {
            in_a_directory(path) && fs::symlink_metadata(self.machine.path(path)).is_ok()
        };
        match edit {
            Edit::Write(path, version) if in_a_directory(path) => {
                tree::put(&root, path, &Node::file(&content(*version), 0o644));
            }
            Edit::Mode(path, mode) if exists(path) && !is_link(path) => {
                let mode = PermissionsExt::from_mode(*mode);
                fs::set_permissions(self.machine.path(path), mode).unwrap();
            }
            Edit::Owner(path)
                if exists(path) && self.machine.path(path).is_file() && !is_link(path) =>
            {
                chown(self.machine.path(path), Some(DAEMON.0), Some(DAEMON.1)).unwrap();
            }
            Edit::Delete(path) if in_a_directory(path) => tree::remove(&root, path),
            Edit::Link(path) if in_a_directory(path) => {
                tree::put(&root, path, &Node::link("/srv/decoy"));
            }
            Edit::Directory(path) if in_a_directory(path) => {
                tree::put(&root, path, &Node::dir(0o711));
            }
            Edit::Secret(name, edit) => self.edit_secret(name, *edit),
            Edit::Shell(name) => {
                let passwd = self.machine.read("/etc/passwd");
                let lines = passwd.lines().map(|line| match line.rsplit_once(':') {
                    Some((rest, _)) if line.starts_with(&format!("{name}:")) => {
                        format!("{rest}:/bin/zsh\n")
                    }
                    _ => format!("{line}\n"),
                });
                self.machine
                    .write("/etc/passwd", &lines.collect::<String>(), 0o644);
            }
            _ => {}
        }
    }

    fn edit_secret(&self, name: &str, edit: SecretEdit) {
        let Ok(set) = fs::canonicalize(self.machine.path("/run/secrets")) else {
            return;
        };
        let file = set.join(name);
        match edit {
            SecretEdit::Stray => fs::write(set.join("stray"), "not ours").unwrap(),
            _ if !file.exists() => {}
            SecretEdit::Write => fs::write(file, "edited").unwrap(),
            SecretEdit::Mode => {
                fs::set_permissions(file, PermissionsExt::from_mode(0o644)).unwrap();
            }
            SecretEdit::Delete => fs::remove_file(file).unwrap(),
        }
    }

    /// A host that is told nothing any more is what it was, but for what people did and for accounts, which are locked.
    fn undo(&mut self) -> Result<(), Wrong> {
        let nothing = Host::default();
        self.machine.commit(&nothing);
        self.typed(&nothing)?;
        self.drift()?;
        let tree = self.machine.tree();
        for path in self.initial.keys().chain(tree.keys()) {
            let inside = format!("{path}/");
            let by_hand = self.edited.contains(path)
                || self.edited.iter().any(|edited| edited.starts_with(&inside))
                || tree::above(path).any(|above| self.edited.contains(above));
            let is_account = path.starts_with("/home/") || path == THEIR_LINK;
            if !by_hand && !is_account && tree.get(path) != self.initial.get(path) {
                let was = self.initial.get(path);
                return Err(format!("{path} was {was:?}, and is {:?}", tree.get(path)));
            }
        }
        if self.accounts.people.values().any(|account| !account.locked) {
            return Err(format!("not all are locked: {:?}", self.accounts));
        }
        let (group, passwd) = (
            self.machine.read("/etc/group"),
            self.machine.read("/etc/passwd"),
        );
        let known = |line: &&str| {
            let name = line.split(':').next().unwrap();
            let mut ours = PEOPLE.iter().chain(&GROUPS).map(|(name, _)| *name);
            ["root", "daemon"].contains(&name) || ours.any(|ours| ours == name)
        };
        let mut lines = group.lines().chain(passwd.lines());
        lines
            .find(|line| !known(line))
            .map_or(Ok(()), |line| Err(format!("whose is {line:?}?")))
    }
}

/// The one link that enables the distribution's unit.
const THEIR_LINK: &str = "/etc/systemd/system/multi-user.target.wants/vendor.service";

/// Units of the distribution are enabled by a link that is nobody's entry; it stays when nobody says anything about it.
fn enable_theirs(host: &Host, tree: &mut Tree) {
    match host.units.get("vendor.service") {
        Some(Unit::Theirs(Some(true), _)) => {
            let unit = Node::link("/usr/lib/systemd/system/vendor.service");
            tree.insert(THEIR_LINK.to_owned(), unit);
        }
        Some(Unit::Theirs(Some(false), _)) => {
            tree.remove(THEIR_LINK);
        }
        _ => {}
    }
}

fn same_tree(what: &str, expected: &Tree, found: &Tree) -> Result<(), Wrong> {
    let differences = tree::differences(expected, found);
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!("{what} differ:\n{}", differences.join("\n")))
}

fn names(tree: &Tree) -> Vec<&String> {
    tree.keys().collect()
}
