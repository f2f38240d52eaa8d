//! Passes that do not get to their end: what is in force afterwards is one generation, whole.

use steadfast::report::{Outcome, Trigger};

use crate::case::Rescue;
use crate::machine::Kill;
use crate::model::{self, Homes, Not, Putting};
use crate::others::{self, Accounts};
use crate::play::{Play, Wrong, same_tree};
use crate::tree::Tree;
use crate::wanted::{Host, Want};

impl Play<'_> {
    /// A commit, and `reconcile now` that is killed.
    pub(crate) fn killed(&mut self, host: &Host, kill: Kill, rescue: Rescue) -> Result<(), Wrong> {
        self.machine.commit(host);
        let run = self.machine.run_and_kill(&["reconcile", "retry"], kill);
        if run.code.is_some() {
            self.count("kills that came too late");
            return self.judge_run(host, &run);
        }
        self.cut_off();
        self.boot(rescue)?;
        let expected = self.expect(host, Putting::AllRight);
        let (outcome, said) = self.machine.pass(Trigger::Drift);
        // Once recovered, it puts drift right, which something that somebody put there may be in the way of.
        let is_refused = outcome == Outcome::Failed && self.is_in_the_way(host);
        if !matches!(outcome, Outcome::NothingToDo | Outcome::Repaired) && !is_refused {
            return Err(format!("recovery ended as {outcome:?}: {said}"));
        }
        let found = self.machine.tree();
        let now = self.machine.generation();
        if now == self.generation {
            self.count("kills: the old generation");
            self.is_back(found)?;
        } else {
            self.count("kills: the new generation");
            let paths = expected
                .paths
                .map_err(|not| format!("in force, but {not:?}"))?;
            same_tree("paths after a kill", &paths.tree, &found)?;
            self.paths = paths;
            self.accounts = expected.accounts;
            self.secrets = expected.secrets;
            self.host = host.clone();
            self.generation = now;
            self.others()?;
        }
        let (outcome, said) = self.machine.pass(Trigger::Drift);
        if outcome != Outcome::NothingToDo && !(is_refused && outcome == Outcome::Failed) {
            return Err(format!(
                "a second recovery did something: {outcome:?} {said}"
            ));
        }
        same_tree("a second recovery", &self.paths.tree, &self.machine.tree())
    }

    /// Whether drift of what may be in force cannot be put right.
    fn is_in_the_way(&self, host: &Host) -> bool {
        [host, &self.host].into_iter().any(|host| {
            let homes = model::homes(host, host, &self.ids);
            let wants = host.wants(&self.ids);
            let repaired = self.paths.after(&wants, Putting::EnforcedRight, &homes);
            matches!(repaired, Err(Not::Refused(_)))
        })
    }

    fn boot(&mut self, rescue: Rescue) -> Result<(), Wrong> {
        if let Rescue::KilledBootUnit(kill) = rescue
            && self.machine.run_and_kill(&["boot"], kill).code.is_none()
        {
            self.count("kills: the rescue too");
            self.cut_off();
        }
        if let Rescue::BootUnit | Rescue::KilledBootUnit(_) = rescue {
            let run = self.machine.run(&["boot"]);
            if run.code != Some(0) {
                return Err(format!("the boot unit said {run:?}"));
            }
        }
        Ok(())
    }

    /// The generation before is in force again. Where somebody had edited, either the edit or what is to be there is right.
    pub(crate) fn is_back(&mut self, found: Tree) -> Result<(), Wrong> {
        let now = Accounts::read(&self.machine, &self.accounts);
        let wants = self.host.wants(&self.ids);
        let homes: Homes = model::homes(&self.host, &self.host, &self.ids);
        let clean = self.paths.after(&wants, Putting::AllRight, &homes);
        // What is in the way of one path keeps no other from being put right.
        let clean = clean.map_or_else(
            |_| {
                let noted = |(path, want): (String, Want)| {
                    let node = model::noted(&want, self.paths.before.get(&path));
                    (path, node)
                };
                wants.into_iter().map(noted).collect()
            },
            |clean| clean.tree,
        );
        let is_new_home = |path: &str| {
            let name = path.strip_prefix("/home/");
            name.is_some_and(|name| now.people.contains_key(name))
        };
        for path in self.paths.tree.keys().chain(found.keys()) {
            let now = found.get(path);
            let is_made_again = self.paths.before.get(path) == Some(&None)
                && now == Some(&model::made(&homes, path));
            let right = now == self.paths.tree.get(path) || now == clean.get(path) || is_made_again;
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
}

fn names(tree: &Tree) -> Vec<&String> {
    tree.keys().collect()
}
