//! One copy of the host, the program on it, and what must be true when all is over.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::fleet::{Fleet, run};
use crate::tree::{Tree, Which, leftovers, times};

static COPIES: AtomicU32 = AtomicU32::new(0);

/// A host at the old generation, with the new one waiting in the repository.
pub(crate) struct Bed<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) root: PathBuf,
    is_copy: bool,
}

/// What a run of the program said.
#[derive(Debug)]
pub(crate) struct Run {
    /// `None` if it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            said: format!("{}{}", text(&output.stdout), text(&output.stderr)),
        }
    }

    /// Only what was wrong.
    fn complaint(&self) -> &str {
        let begins = self.said.find("error:").unwrap_or(self.said.len());
        &self.said[begins..]
    }

    #[track_caller]
    pub(crate) fn ends_with(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{}", self.said);
    }
}

impl<'a> Bed<'a> {
    pub(crate) fn at(fleet: &'a Fleet, root: PathBuf) -> Self {
        Self {
            fleet,
            root,
            is_copy: false,
        }
    }

    /// A fresh copy.
    pub(crate) fn copy(fleet: &'a Fleet) -> Self {
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        let root = fleet.scratch().join(format!("copy{number}"));
        run(Command::new("cp")
            .arg("-a")
            .arg(fleet.template())
            .arg(&root));
        Self {
            fleet,
            root,
            is_copy: true,
        }
    }

    pub(crate) fn command(&self, words: &[&str], repository: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
        command.args(self.words(words, repository));
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    pub(crate) fn words(&self, words: &[&str], repository: &Path) -> Vec<std::ffi::OsString> {
        let mut all: Vec<std::ffi::OsString> = words.iter().map(Into::into).collect();
        let key = self.fleet.key();
        for (option, value) in [
            ("--root", self.root.as_path()),
            ("--repo", repository),
            ("--host", Path::new("yard")),
            ("--identity", &key),
        ] {
            all.push(option.into());
            all.push(value.into());
        }
        all
    }

    pub(crate) fn reconcile(&self) -> Run {
        let repository = self.fleet.repository();
        Run::of(
            &self
                .command(&["reconcile", "now"], &repository)
                .output()
                .unwrap(),
        )
    }

    pub(crate) fn retry(&self) -> Run {
        let repository = self.fleet.repository();
        Run::of(
            &self
                .command(&["reconcile", "retry"], &repository)
                .output()
                .unwrap(),
        )
    }

    /// A pass that finds no repository: what it does is recovery alone.
    pub(crate) fn recover(&self, verb: &str) -> Run {
        let nowhere = self.fleet.scratch().join("no repository");
        Run::of(
            &self
                .command(&["reconcile", verb], &nowhere)
                .output()
                .unwrap(),
        )
    }

    pub(crate) fn state(&self, name: &str) -> PathBuf {
        self.root.join("var/lib/steadfast").join(name)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state("transactions/open").symlink_metadata().is_ok()
    }

    pub(crate) fn which(&self) -> Result<Which, String> {
        Tree::of(&self.root).which(&self.fleet.old, &self.fleet.new)
    }

    /// After whatever happened to `run`: it ended as it said, recovery leaves the old host or the new one, whole, with the
    /// state that belongs to it; a second recovery does nothing; and the next pass arrives.
    pub(crate) fn must_be_whole_after(&self, run: &Run) -> Result<Which, String> {
        let promised = match run.code {
            Some(0) => Some(Which::New),
            Some(4) => Some(Which::Old),
            _ => None,
        };
        if let Some(promised) = promised {
            if self.is_open() {
                return Err(format!(
                    "it ended and its transaction is open: {}",
                    run.complaint()
                ));
            }
            if self.which()? != promised {
                return Err(format!("it is not what it said: {}", run.complaint()));
            }
        }
        let recovered = self.recover("now");
        let recovered = if self.is_open() {
            self.recover("retry")
        } else {
            recovered
        };
        if self.is_open() {
            return Err(format!(
                "recovery leaves it open: {}",
                recovered.complaint()
            ));
        }
        let which = self
            .which()
            .map_err(|why| format!("{why}\nafter {}", recovered.complaint()))?;
        self.must_be_consistent(which)?;
        let before = times(&self.root);
        self.recover("now");
        if times(&self.root) != before {
            return Err(format!(
                "a second recovery changed something: {:?}",
                changed(&before, &times(&self.root))
            ));
        }
        self.must_arrive()?;
        Ok(which)
    }

    fn must_be_consistent(&self, which: Which) -> Result<(), String> {
        let current = std::fs::read_link(self.state("current")).unwrap();
        let wanted = match which {
            Which::Old => "generations/1",
            Which::New => "generations/2",
        };
        if current != Path::new(wanted) {
            return Err(format!(
                "the host is {which:?} and its state says {}",
                current.display()
            ));
        }
        let left = leftovers(&self.root);
        if !left.is_empty() {
            return Err(format!("unfinished files stay: {left:?}"));
        }
        Ok(())
    }

    fn must_arrive(&self) -> Result<(), String> {
        let repository = self.fleet.repository();
        let log = Run::of(
            &self
                .command(&["reconcile", "log"], &repository)
                .output()
                .unwrap(),
        );
        if log.code != Some(0) {
            return Err(format!("the log cannot be read: {}", log.said));
        }
        let arrived = self.retry();
        match (arrived.code, self.which()) {
            (Some(0), Ok(Which::New)) => Ok(()),
            (code, which) => Err(format!(
                "the next pass ended with {code:?} at {which:?}: {}",
                arrived.complaint()
            )),
        }
    }
}

fn changed<T: PartialEq>(
    before: &std::collections::BTreeMap<PathBuf, T>,
    after: &std::collections::BTreeMap<PathBuf, T>,
) -> Vec<PathBuf> {
    let all = before.keys().chain(after.keys());
    all.filter(|path| before.get(*path) != after.get(*path))
        .cloned()
        .collect()
}

impl Drop for Bed<'_> {
    fn drop(&mut self) {
        if self.is_copy {
            // A copy of a failed case is removed with the whole directory at the latest.
            drop(std::fs::remove_dir_all(&self.root));
        }
    }
}
