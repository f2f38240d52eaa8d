//! What a pass is to make of a host's paths, said a second time and from the documents alone: the table of
//! `docs/activation.md` over whole trees, without plans, steps or a journal.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Node, Tree, above, is_empty};
use crate::wanted::{Conflict, Drift, Host, Want, Wants};

/// Whether a pass puts all drift right, or what its policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Putting {
    AllRight,
    EnforcedRight,
}

/// Why a pass does not end with the generation in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Not {
    /// Something is in the way: nothing changes.
    Refused(String),
    /// A step fails, and everything goes back.
    RolledBack(String),
}

/// Homes of accounts that are wanted or were, with their owners where they are wanted.
pub(crate) type Homes = BTreeMap<String, Option<(u32, u32)>>;

/// What was at a path before it became ours. `None`: nothing.
pub(crate) type Before = BTreeMap<String, Option<Node>>;

/// The paths of a host, and what was agreed about them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paths {
    pub(crate) tree: Tree,
    pub(crate) ours: Wants,
    pub(crate) before: Before,
}

/// A pass towards `wants`.
struct Pass<'a> {
    paths: &'a Paths,
    wants: &'a Wants,
    putting: Putting,
    homes: &'a Homes,
    /// Directories that wanted paths lie in.
    needed: BTreeSet<String>,
    /// Our own files and links that go, or become directories.
    making_room: BTreeSet<String>,
    clear: BTreeSet<String>,
    write: Tree,
    remove: BTreeSet<String>,
    before: Before,
}

impl Paths {
    /// The paths after a pass towards `wants`.
    pub(crate) fn after(
        &self,
        wants: &Wants,
        putting: Putting,
        homes: &Homes,
    ) -> Result<Self, Not> {
        let mut pass = Pass {
            paths: self,
            wants,
            putting,
            homes,
            needed: wants
                .keys()
                .flat_map(|path| above(path))
                .map(str::to_owned)
                .collect(),
            making_room: BTreeSet::new(),
            clear: BTreeSet::new(),
            write: Tree::new(),
            remove: BTreeSet::new(),
            before: self.before.clone(),
        };
        pass.making_room = self
            .ours
            .keys()
            .filter(|path| pass.makes_room(path))
            .cloned()
            .collect();
        pass.decide()?;
        let tree = pass.act()?;
        Ok(Self {
            tree,
            ours: wants.clone(),
            before: pass.agreed(),
        })
    }

    /// The paths whose drift is to be told.
    pub(crate) fn drifted(&self) -> BTreeSet<String> {
        let differs = |(path, want): &(&String, &Want)| {
            self.tree.get(*path) != Some(&noted(want, self.before.get(*path)))
        };
        let drifted = self.ours.iter().filter(differs);
        drifted.map(|(path, _)| path.clone()).collect()
    }
}

impl Pass<'_> {
    fn makes_room(&self, path: &str) -> bool {
        let becomes_directory = match self.wants.get(path) {
            Some(want) => want.node.is_dir(),
            None => self.needed.contains(path),
        };
        let found = self.paths.tree.get(path);
        becomes_directory
            && found.is_some_and(|found| !found.is_dir() && self.has_our_content(path, found))
    }

    fn has_our_content(&self, path: &str, found: &Node) -> bool {
        let ours = self.paths.ours.get(path);
        ours.is_some_and(|want| want.node.same_content(found))
    }

    /// What is at `path`, once our own files that make room are gone.
    fn found(&self, path: &str) -> Option<&Node> {
        if above(path).any(|above| self.making_room.contains(above)) {
            return None;
        }
        self.paths.tree.get(path)
    }

    /// What is not a directory and stays on the way to `path`.
    fn obstacle(&self, path: &str) -> Option<String> {
        if above(path).any(|above| self.making_room.contains(above)) {
            return None;
        }
        let stays =
            |above: &&str| matches!(self.paths.tree.get(*above), Some(found) if !found.is_dir());
        above(path).find(stays).map(str::to_owned)
    }

    /// Whether a file or link is wanted where a directory above `path` is.
    fn is_blocked(&self, path: &str) -> bool {
        above(path).any(|above| {
            let want = self.wants.get(above);
            want.is_some_and(|want| !want.node.is_dir())
        })
    }

    fn decide(&mut self) -> Result<(), Not> {
        let wants = self.wants;
        for (path, want) in wants {
            self.wanted(path, want)?;
        }
        let gone: Vec<String> = self.paths.ours.keys().cloned().collect();
        for path in gone.iter().filter(|path| !wants.contains_key(*path)) {
            self.unwanted(path);
        }
        self.returning();
        self.on_the_way();
        self.left_over();
        Ok(())
    }

    fn wanted(&mut self, path: &str, want: &Want) -> Result<(), Not> {
        let found = self.found(path).cloned();
        let ours = self.paths.ours.get(path);
        if ours.is_none() {
            self.remember(path, found.as_ref());
        }
        let node = noted(want, self.before.get(path));
        if found.as_ref() == Some(&node) {
            return Ok(());
        }
        let held = ours.is_some_and(|ours| ours.node == want.node)
            && self.putting == Putting::EnforcedRight
            && want.drift == Drift::Report;
        if held {
            return Ok(());
        }
        if let Some(obstacle) = self.obstacle(path) {
            return Err(Not::Refused(format!(
                "{path}: {obstacle} is no directory of ours"
            )));
        }
        let untouched = ours
            .is_some_and(|ours| found.as_ref() == Some(&noted(ours, self.paths.before.get(path))));
        let made_by_us = ours.is_none() && self.paths.before.get(path) == Some(&None);
        let may_take = want.conflict != Conflict::Refuse;
        let replaced = match (&found, ours.is_some()) {
            (None, _) => false,
            (Some(found), _) if found.is_dir() && want.node.is_dir() => false,
            (Some(found), true) if found.same_content(&want.node) || untouched => {
                found.is_dir() != want.node.is_dir()
            }
            // What somebody put in the place of ours is replaced only by its like.
            (Some(found), true) if !found.is_dir() && !want.node.is_dir() => false,
            (Some(found), false) if found.is_dir() && made_by_us => true,
            (Some(found), false) if !found.is_dir() && may_take => want.node.is_dir(),
            (Some(found), _) => {
                return Err(Not::Refused(format!(
                    "{path}: {found:?} is not to be replaced"
                )));
            }
        };
        if replaced {
            self.clear.insert(path.to_owned());
        }
        self.write.insert(path.to_owned(), node);
        Ok(())
    }

    /// What was there before is agreed on once, when the path becomes ours.
    fn remember(&mut self, path: &str, found: Option<&Node>) {
        let waits = self.waits(path);
        let made_by_us = self.paths.before.get(path) == Some(&None)
            && self
                .paths
                .ours
                .keys()
                .any(|ours| above(ours).any(|above| above == path));
        if !waits && !made_by_us {
            self.before.insert(path.to_owned(), found.cloned());
        }
    }

    /// Whether the original of a path that is not ours any more could not come back yet.
    fn waits(&self, path: &str) -> bool {
        !self.paths.ours.contains_key(path) && matches!(self.paths.before.get(path), Some(Some(_)))
    }

    fn unwanted(&mut self, path: &str) {
        let found = self.found(path).cloned();
        let original = self.before.get(path).cloned().flatten();
        let is_ours = found
            .as_ref()
            .is_none_or(|found| self.has_our_content(path, found));
        if found == original || !is_ours || (found.is_none() && self.obstacle(path).is_some()) {
            if !is_ours {
                self.before.remove(path);
            }
            return;
        }
        match original {
            Some(original) if !self.must_wait(path, &original) => self.restore(path, &original),
            _ => self.take_away(path),
        }
    }

    fn must_wait(&self, path: &str, original: &Node) -> bool {
        self.is_blocked(path) || (self.needed.contains(path) && !original.is_dir())
    }

    fn restore(&mut self, path: &str, original: &Node) {
        if let Some(found) = self.found(path)
            && found.is_dir() != original.is_dir()
        {
            self.clear.insert(path.to_owned());
        }
        self.write.insert(path.to_owned(), original.clone());
    }

    fn take_away(&mut self, path: &str) {
        let is_dir = self.found(path).is_some_and(Node::is_dir);
        if is_dir && (self.needed.contains(path) || self.homes.contains_key(path)) {
            let made_by_us = self.paths.before.get(path) == Some(&None);
            if made_by_us && !self.homes.contains_key(path) {
                // It stays for what is in it, and is again what it was made as.
                self.write.insert(path.to_owned(), made(self.homes, path));
            }
            return;
        }
        if self.is_blocked(path) || self.making_room.contains(path) {
            self.clear.insert(path.to_owned());
        } else {
            self.remove.insert(path.to_owned());
        }
    }

    /// Originals that had to wait come back when their place is free.
    fn returning(&mut self) {
        let waiting: Vec<(String, Node)> = self
            .paths
            .before
            .iter()
            .filter(|(path, _)| self.waits(path) && !self.wants.contains_key(*path))
            .filter_map(|(path, original)| Some((path.clone(), original.clone()?)))
            .collect();
        for (path, original) in waiting {
            if self.must_wait(&path, &original) || self.obstacle(&path).is_some() {
                continue;
            }
            match self.found(&path) {
                None => self.restore(&path, &original),
                Some(found) if found.is_dir() && !original.is_dir() => {
                    self.restore(&path, &original);
                }
                Some(_) => {}
            }
        }
    }

    /// Directories that are missing are made for root, below a home for the account.
    fn on_the_way(&mut self) {
        let targets: Vec<String> = self.write.keys().cloned().collect();
        for path in targets {
            for parent in above(&path) {
                let missing = self.making_room.contains(parent) || self.found(parent).is_none();
                if !missing {
                    break;
                }
                if self.write.contains_key(parent) {
                    continue;
                }
                let node = match self.wants.get(parent) {
                    Some(want) => want.node.clone(),
                    None => made(self.homes, parent),
                };
                if !self.wants.contains_key(parent) && !self.paths.ours.contains_key(parent) {
                    self.remember(parent, None);
                }
                self.write.insert(parent.to_owned(), node);
            }
        }
    }

    /// Directories that were made on the way go with the last of ours in them.
    fn left_over(&mut self) {
        let mut kept = self.needed.clone();
        kept.extend(
            self.write
                .keys()
                .flat_map(|path| above(path))
                .map(str::to_owned),
        );
        let mut gone = Vec::new();
        for (path, original) in &self.paths.before {
            let made = original.is_none()
                && !self.wants.contains_key(path)
                && !self.paths.ours.contains_key(path);
            let is_dir = self.found(path).is_some_and(Node::is_dir);
            if made && is_dir && !kept.contains(path) && !self.homes.contains_key(path) {
                gone.push(path.clone());
            }
        }
        for path in gone {
            if self.is_blocked(&path) {
                self.clear.insert(path);
            } else {
                self.remove.insert(path);
            }
        }
    }

    /// The tree after it all, in the order of the documents: deepest removals first, parents before what is in them.
    fn act(&self) -> Result<Tree, Not> {
        let mut tree = self.paths.tree.clone();
        let gives_way = |path: &&String| {
            above(path).any(|above| self.write.get(above).is_some_and(|node| !node.is_dir()))
        };
        let below = self.remove.iter().filter(gives_way);
        let first: BTreeSet<&String> = self.clear.iter().chain(below).collect();
        for path in first.into_iter().rev() {
            if is_empty(&tree, path) {
                tree.remove(path);
            }
        }
        for (path, node) in &self.write {
            let there = tree.get(path);
            if there.is_some_and(|there| there.is_dir() != node.is_dir()) {
                return Err(Not::RolledBack(format!("{path} is in the way still")));
            }
            tree.insert(path.clone(), node.clone());
        }
        for path in self.remove.iter().rev() {
            if is_empty(&tree, path) {
                tree.remove(path);
            }
        }
        Ok(tree)
    }

    /// What is remembered from now on.
    fn agreed(&self) -> Before {
        let remembered = |(path, original): &(&String, &Option<Node>)| {
            match (self.wants.get(*path), original) {
                // To adopt is not to keep, but what was as it should be stays.
                (Some(want), Some(original)) => {
                    let is_file = matches!(original, Node::File { .. });
                    want.conflict != Conflict::Adopt
                        || (is_file && want.node.same_content(original))
                }
                (Some(_), None) => true,
                (None, Some(original)) => self.must_wait(path, original),
                (None, None) => self.needed.contains(*path),
            }
        };
        let before = self.before.iter().filter(remembered);
        before
            .map(|(path, original)| (path.clone(), original.clone()))
            .collect()
    }
}

/// A file keeps what was noted about the one whose place it took, if that is kept.
pub(crate) fn noted(want: &Want, before: Option<&Option<Node>>) -> Node {
    match before {
        Some(Some(original))
            if want.conflict != Conflict::Adopt || want.node.same_content(original) =>
        {
            want.node.clone().noted_as(original)
        }
        _ => want.node.clone(),
    }
}

/// What a directory on the way to something is made as.
pub(crate) fn made(homes: &Homes, path: &str) -> Node {
    let at_or_above = |home: &str| path == home || path.starts_with(&format!("{home}/"));
    let mut wanted = homes
        .iter()
        .filter_map(|(home, owner)| Some((home, (*owner)?)));
    let Some((home, owner)) = wanted.find(|(home, _)| at_or_above(home)) else {
        return Node::dir(0o755);
    };
    let private = path == home || path.rsplit('/').next().unwrap().starts_with('.');
    Node::dir(if private { 0o700 } else { 0o755 }).of(owner)
}

/// The homes of everybody in `host`, and in `old`.
pub(crate) fn homes(host: &Host, old: &Host, ids: &BTreeMap<String, (u32, u32)>) -> Homes {
    let mut homes = Homes::new();
    for name in old.people.keys() {
        homes.insert(format!("/home/{name}"), None);
    }
    for name in host.people.keys() {
        homes.insert(format!("/home/{name}"), ids.get(*name).copied());
    }
    homes
}
