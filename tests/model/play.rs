//! Lives a life on a real tree with the real program, and holds it against the model after every event.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash};

use steadfast::report::{Outcome, Trigger};

use crate::case::Event;
use crate::machine::{Keys, Machine, Run};
use crate::model::{self, Not, Paths, Putting};
use crate::others::{self, Accounts, Ids};
use crate::tree::{self, Node, Stamps, Tree};
use crate::wanted::{GROUPS, Host, PEOPLE, Unit};

/// How often what happened.
pub(crate) type Counts = BTreeMap<&'static str, usize>;

/// What went other than the model says.
pub(crate) type Wrong = String;

/// One host, and what the model knows of it.
pub(crate) struct Play<'a> {
    pub(crate) machine: Machine<'a>,
    /// What is in force; nothing at first.
    pub(crate) host: Host,
    pub(crate) generation: Option<u64>,
    pub(crate) paths: Paths,
    pub(crate) accounts: Accounts,
    pub(crate) secrets: Tree,
    pub(crate) ids: Ids,
    pub(crate) initial: Tree,
    /// Of files and links, before the event.
    stamps: Stamps,
    /// Paths that were edited by hand.
    pub(crate) edited: BTreeSet<String>,
    pub(crate) counts: Counts,
    /// The same whenever a life takes the same way: what was there after each event and each kill.
    pub(crate) way: DefaultHasher,
}

/// How the names of unfinished files begin.
const UNFINISHED: &str = ".steadfast-";

/// How a pass ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    Done,
    Refused,
    RolledBack,
    Otherwise(String),
}

/// What a pass should make of a host.
pub(crate) struct Expected {
    pub(crate) paths: Result<Paths, Not>,
    pub(crate) accounts: Accounts,
    pub(crate) secrets: Tree,
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
            stamps: Stamps::new(),
            edited: BTreeSet::new(),
            counts: Counts::new(),
            way: DefaultHasher::new(),
        }
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// A process was killed, and nothing put right yet.
    pub(crate) fn cut_off(&mut self) {
        self.count("kills");
        self.went_by();
    }

    fn went_by(&mut self) {
        // Unfinished files have random names.
        let name = |path: &str| path.split(UNFINISHED).next().unwrap().to_owned();
        let mut tree: Vec<(String, Node)> = (self.machine.tree().into_iter())
            .map(|(path, node)| (name(&path), node))
            .collect();
        tree.sort();
        tree.hash(&mut self.way);
        others::secrets(&self.machine).hash(&mut self.way);
        self.machine.generation().hash(&mut self.way);
    }

    /// Lives through `life`, and undoes everything in the end.
    pub(crate) fn live(&mut self, life: &[Event]) -> Result<(), Wrong> {
        for (index, event) in life.iter().enumerate() {
            self.happens(event)
                .map_err(|wrong| format!("after event {index}: {wrong}"))?;
            self.count("events");
            self.went_by();
        }
        self.undo().map_err(|wrong| format!("undone: {wrong}"))
    }

    fn happens(&mut self, event: &Event) -> Result<(), Wrong> {
        self.stamp();
        match event {
            Event::Push(host) => {
                self.machine.commit(host);
                self.typed(host)?;
            }
            Event::Found(host) => {
                self.machine.commit(host);
                self.by_itself(host, Trigger::Poll)?;
            }
            Event::Killed { host, kill, rescue } => self.killed(host, *kill, *rescue)?,
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
        self.judge_run(host, &run)
    }

    pub(crate) fn judge_run(&mut self, host: &Host, run: &Run) -> Result<(), Wrong> {
        let ended = match run.code {
            Some(0) => Ended::Done,
            Some(1) => Ended::Refused,
            Some(4) => Ended::RolledBack,
            code => Ended::Otherwise(format!("{code:?}")),
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

    pub(crate) fn expect(&mut self, host: &Host, putting: Putting) -> Expected {
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

    /// A new account has a home from its first moment; one that a kill left half made, when it is unlocked.
    fn make_homes(&self, host: &Host, tree: &mut Tree) {
        for name in host.people.keys() {
            let Some(owner) = self.ids.get(*name) else {
                continue;
            };
            let home = format!("/home/{name}");
            let is_unfinished = match tree.get(&home) {
                None => true,
                Some(Node::Dir { uid: 0, .. }) => tree::is_empty(tree, &home),
                Some(_) => false,
            };
            let account = self.accounts.people.get(*name);
            if is_unfinished && account.is_none_or(|account| account.locked) {
                tree.insert(home, Node::dir(0o700).of(*owner));
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
                self.left_alone(&found)?;
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
                self.left_alone(&found)?;
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

    fn stamp(&mut self) {
        self.stamps = tree::stamps(&self.machine.root(), &self.paths.tree);
    }

    /// What is as it was has not been written: it is the same file, with the same times.
    fn left_alone(&self, found: &Tree) -> Result<(), Wrong> {
        let now = tree::stamps(&self.machine.root(), found);
        let mut same = self
            .stamps
            .iter()
            .filter(|(path, _)| self.paths.tree.get(*path) == found.get(*path));
        let written = same.find(|(path, stamp)| now.get(*path) != Some(stamp));
        written.map_or(Ok(()), |(path, _)| {
            Err(format!("{path} was written, and is what it was"))
        })
    }

    pub(crate) fn others(&mut self) -> Result<(), Wrong> {
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

    /// A host that is told nothing any more is what it was, but for what people did and for accounts, which are locked.
    fn undo(&mut self) -> Result<(), Wrong> {
        let nothing = Host::default();
        self.machine.commit(&nothing);
        self.stamp();
        self.typed(&nothing)?;
        self.drift()?;
        let tree = self.machine.tree();
        for path in self.initial.keys().chain(tree.keys()) {
            let inside = format!("{path}/");
            let by_hand = self.edited.contains(path)
                || self.edited.iter().any(|edited| edited.starts_with(&inside))
                || tree::above(path).any(|above| self.edited.contains(above));
            let is_account = path.starts_with("/home/");
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
pub(crate) const THEIR_LINK: &str = "/etc/systemd/system/multi-user.target.wants/vendor.service";

/// Units of the distribution are enabled by a link that is nobody's entry; it was not there before us, and is not there when
/// nobody says anything about it.
fn enable_theirs(host: &Host, tree: &mut Tree) {
    match host.units.get("vendor.service") {
        Some(Unit::Theirs(Some(true), _)) => {
            let unit = Node::link("/usr/lib/systemd/system/vendor.service");
            tree.insert(THEIR_LINK.to_owned(), unit);
        }
        _ => {
            tree.remove(THEIR_LINK);
        }
    }
}

pub(crate) fn same_tree(what: &str, expected: &Tree, found: &Tree) -> Result<(), Wrong> {
    let differences = tree::differences(expected, found);
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!("{what} differ:\n{}", differences.join("\n")))
}
