//! Where a disk can fail: the calls of an activation that nobody disturbed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::super::kill_anywhere::freeze::Strace;
use super::super::kill_anywhere::places::{self, Place};
use super::super::kill_anywhere::version::Packages;
use crate::harness::Host;

/// Every call that changes a disk, and `openat`, which may.
pub const CALLS: &str = "write,fsync,fdatasync,syncfs,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,symlink,symlinkat,\
    link,linkat,chmod,fchmod,fchown,fchownat,ftruncate,fallocate,openat,openat2";
/// Those that hardly anybody else on a host makes, so that they need no path to be told apart.
const RARE: [&str; 5] = ["fsync", "syncfs", "fchmod", "fchown", "rename"];
/// Those of which strace looks at the first path only.
const BY_FIRST_PATH: [&str; 3] = ["rename", "link", "symlink"];
/// What is on a disk, or is a secret; the journal of systemd is its own affair.
const DISKS: [&str; 6] = ["/etc", "/home", "/run/secrets", "/srv", "/usr", "/var"];

/// One call of the activator or of a program that it runs.
#[derive(Debug)]
pub struct Call {
    /// On which way it is made.
    pub way: Way,
    /// The phase or the kind of step that it belongs to.
    what: String,
    name: String,
    /// What it is about, or the directory that it is in; `None` for a file that has its name from chance.
    path: Option<String>,
    /// Among the calls of its name that its thread makes, about this path where there is one.
    nth: usize,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, name, .. } = self;
        let path = self.path.as_deref().unwrap_or("an unfinished file");
        write!(f, "{what}: {name} {} of {path}", self.nth)
    }
}

/// What the version has that an activation comes from, and the one that it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    pub from: Packages,
    pub to: Packages,
}

/// How often a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Often {
    Once,
    /// All that come after the first [`DONE`] as well.
    AfterSome,
}

/// So many files are in their place when the disk breaks for good: both ways have something left to do.
const DONE: usize = 20;

impl Call {
    /// What tells strace to let it fail in the transaction whose journal is `journal`.
    pub fn failing(&self, journal: &str, often: Often) -> Vec<String> {
        let name = &self.name;
        let when = match often {
            Often::Once => self.nth.to_string(),
            Often::AfterSome => format!("{}+", self.nth + DONE),
        };
        let mut arguments = vec![
            format!("-etrace={name}"),
            format!("-einject={name}:error=EIO:when={when}"),
        ];
        if let Some(path) = &self.path {
            let path = if is_journal(path) { journal } else { path };
            arguments.extend(["-P".to_owned(), path.to_owned()]);
        }
        arguments
    }

    /// Whether it is only made where a package goes.
    pub fn is_about_removed_packages(&self) -> bool {
        self.what == "remove_packages"
    }

    /// Whether it is the one that puts new files in their place.
    pub fn puts_files_in_place(&self) -> bool {
        self.name == "renameat" && self.path.as_deref() == Some("/etc/ka")
    }

    /// Whether it may be one of a program that is run, which tells what went wrong in its own words: strace counts for each
    /// process, and without a path any of them meets the error.
    pub fn is_of_a_program(&self) -> bool {
        self.path.is_none() || self.what.contains("package") || self.what.contains("user")
    }

    /// Whether what it is about may be done already, so that the end may be new though the program says that it failed.
    pub fn is_about_the_commit(&self) -> bool {
        self.what == "committed"
    }
}

fn is_journal(path: &str) -> bool {
    path.starts_with("/var/lib/steadfast/transactions/0") && path.ends_with("/journal")
}

/// Of the newest transaction of `host`, which `strace` has seen: one of each name and path at each kind of step.
pub fn of(host: &Host, strace: &Strace, way: Way) -> Vec<Call> {
    let places = places::of(host, way.to);
    let newest = host.must("ls /var/lib/steadfast/transactions | grep '^0' | tail -1");
    let journal = format!("/var/lib/steadfast/transactions/{}/journal", newest.trim());
    let systemd = host.leader().to_string();
    let mut counts: BTreeMap<(String, String, Option<String>), usize> = BTreeMap::new();
    let mut known = BTreeSet::new();
    let mut records = 0;
    let mut calls = Vec::new();
    for line in strace.seen().lines() {
        let Some((thread, name, arguments)) = parts(line) else {
            continue;
        };
        if name == "write" && arguments.contains(&format!("<{journal}>")) {
            records += 1;
        }
        let seen = if BY_FIRST_PATH.contains(&name) {
            arguments
                .split_once(", ")
                .map_or(arguments, |(first, _)| first)
        } else {
            arguments
        };
        let mut paths: Vec<Option<String>> = paths(seen).into_iter().map(Some).collect();
        if RARE.contains(&name) {
            paths.push(None);
        }
        for path in paths {
            let key = (thread.to_owned(), name.to_owned(), path.clone());
            let nth = counts.entry(key).or_default();
            *nth += 1;
            let what = what(&places, records);
            let mut is_new = || known.insert((what.clone(), name.to_owned(), path.clone()));
            if thread == systemd
                || records == 0
                || !may_fail(name, path.as_deref(), arguments)
                || !is_new()
            {
                continue;
            }
            calls.push(Call {
                way,
                what,
                name: name.to_owned(),
                path,
                nth: *nth,
            });
        }
    }
    calls
}

/// The kind of step that is under way when `records` are written, or the phase.
fn what(places: &[Place], records: usize) -> String {
    let last = records.checked_sub(1).and_then(|last| places.get(last));
    last.map_or_else(String::new, Place::what)
}

/// The thread, the name and the arguments of a call that did not fail.
fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let (thread, call) = line.split_once(' ')?;
    let (name, arguments) = call.trim_start().split_once('(')?;
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric());
    (is_name && !arguments.contains(" = -1 ")).then_some((thread, name, arguments))
}

/// The paths that strace shows, without those that the next activation has other names for.
fn paths(arguments: &str) -> Vec<String> {
    let ends = |c| c == '<' || c == '>' || c == '"';
    let absolute = arguments.split(ends).filter(|part| part.starts_with('/'));
    let lasting = absolute.filter(|path| is_journal(path) || !is_passing(path));
    let paths: BTreeSet<&str> = lasting.collect();
    paths.into_iter().map(str::to_owned).collect()
}

/// Whether another activation has another name for it: what is unfinished, numbered or of a version.
fn is_passing(path: &str) -> bool {
    let is_chance = |part: &str| {
        let number = part.chars().all(|c| c.is_ascii_digit());
        let mixed = part.len() == 6
            && part
                .chars()
                .any(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        !part.is_empty() && (number || mixed)
    };
    path.contains("/.steadfast-")
        || path.contains("/objects/")
        || path.contains('\\')
        || path.starts_with("/etc/ka/v")
        || path.split(['/', '.']).any(is_chance)
}

fn may_fail(name: &str, path: Option<&str>, arguments: &str) -> bool {
    let on_disk = path.is_none_or(|path| {
        DISKS.iter().any(|disk| path.starts_with(disk)) && !path.starts_with("/var/log/journal")
    });
    let writes = !name.starts_with("openat")
        || ["O_CREAT", "O_WRONLY", "O_RDWR"]
            .iter()
            .any(|flag| arguments.contains(flag));
    let is_ours = path.is_some() || arguments.contains("/.steadfast-");
    on_disk && writes && is_ours
}
