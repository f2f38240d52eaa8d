//! What a person keeps this program from changing, until when: `holds.json` in the state directory.
//!
//! A hold without a path is a pause of everything. The file is apart from what a pass remembers, with a lock of its own:
//! a pass keeps the host's lock for as long as it lasts, and who pauses a host does not want to wait for it.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::durable::{self, LockError};
use crate::host::{FileError, FileMode, HostPath, clock};

/// The version of `holds.json` that this build writes.
const VERSION: u32 = 1;
/// Room for thousands of holds.
const LARGEST_BYTES: u64 = 1024 * 1024;

/// A wish to be left alone, with an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// The path that is left alone, with all that lies below it; absent for a pause of everything.
    #[serde(default)]
    pub path: Option<HostPath>,
    /// Since when, seconds since 1970-01-01T00:00:00Z.
    pub since_secs: i64,
    /// When it ends by itself, seconds since 1970-01-01T00:00:00Z.
    pub until_secs: i64,
    /// Why, as the person said.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Hold {
    /// Until when, and why: `until 2026-03-01T12:00:00Z: looking for the leak`. The same for as long as it lasts.
    #[must_use]
    pub fn terms(&self) -> String {
        let until = clock::rfc3339(self.until_secs);
        match &self.reason {
            Some(reason) => format!("until {until}: {reason}"),
            None => format!("until {until}"),
        }
    }

    /// Whether it has not ended by `now_secs`. Where the clock was set back by more than it was to last, nobody knows how long it
    /// has lasted, and it is over: it would last for as long as the clock was wrong.
    #[must_use]
    pub fn lasts(&self, now_secs: i64) -> bool {
        let length = self.until_secs.saturating_sub(self.since_secs);
        self.until_secs > now_secs && self.since_secs.saturating_sub(now_secs) <= length
    }

    /// Whether it speaks of `path`: of itself, or of a directory above.
    #[must_use]
    pub fn covers(&self, path: &HostPath) -> bool {
        let held = self.path.as_ref();
        held.is_some_and(|held| path.as_path().starts_with(held.as_path()))
    }
}

/// All holds of a host, as stored in `holds.json`. There is at most one for each path, and one pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holds {
    version: u32,
    holds: Vec<Hold>,
}

impl Default for Holds {
    fn default() -> Self {
        Self {
            version: VERSION,
            holds: Vec::new(),
        }
    }
}

/// The file of holds cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub struct HoldsError {
    doing: &'static str,
    path: PathBuf,
    #[source]
    kind: HoldsErrorKind,
}

#[derive(Debug, thiserror::Error)]
enum HoldsErrorKind {
    #[error(transparent)]
    File(Box<FileError>),
    #[error(transparent)]
    Locked(Box<LockError>),
    #[error("{0}")]
    Damaged(serde_json::Error),
    #[error("its version is {found}, and this build knows only versions up to {VERSION}")]
    Newer { found: u32 },
}

impl HoldsError {
    /// How to fix it.
    #[must_use]
    pub fn fix(&self) -> String {
        let path = self.path.display();
        match &self.kind {
            HoldsErrorKind::File(error) => error
                .hint()
                .unwrap_or_else(|| format!("check the file system that holds {path}")),
            HoldsErrorKind::Locked(error) => error
                .hint()
                .unwrap_or_else(|| "wait a moment, then try again".to_owned()),
            HoldsErrorKind::Damaged(_) => {
                format!("remove {path}, then pause or hold again what is to be left alone")
            }
            HoldsErrorKind::Newer { .. } => {
                "install the newer version of steadfast again".to_owned()
            }
        }
    }
}

impl Holds {
    /// Where the holds of the host with this state directory are.
    #[must_use]
    pub fn file(state_dir: &Path) -> PathBuf {
        state_dir.join("holds.json")
    }

    /// Reads the holds in `state_dir`; none if there is no file.
    ///
    /// # Errors
    /// [`HoldsError`] if the file cannot be read, is damaged or was written by a newer version: never taken as empty.
    pub fn load(state_dir: &Path) -> Result<Self, HoldsError> {
        let path = Self::file(state_dir);
        let read = durable::read(&path, LARGEST_BYTES)
            .map_err(|error| failed("read", &path, HoldsErrorKind::File(error.into())))?;
        let Some(text) = read else {
            return Ok(Self::default());
        };
        let read: Self = serde_json::from_slice(&text)
            .map_err(|error| failed("read", &path, HoldsErrorKind::Damaged(error)))?;
        if read.version > VERSION {
            let found = read.version;
            return Err(failed("read", &path, HoldsErrorKind::Newer { found }));
        }
        Ok(read)
    }

    /// Changes the holds in `state_dir` as `change` says; what it returns is handed on.
    ///
    /// # Errors
    /// [`HoldsError`] if they cannot be read or written, or somebody else is changing them; they are as they were then.
    pub fn edit<T>(state_dir: &Path, change: impl FnOnce(&mut Self) -> T) -> Result<T, HoldsError> {
        let path = Self::file(state_dir);
        let of_file = |error: FileError| failed("write", &path, HoldsErrorKind::File(error.into()));
        durable::make_directories(state_dir, FileMode::from_bits(0o700)).map_err(of_file)?;
        let _lock = durable::lock(&path.with_extension("lock"))
            .map_err(|error| failed("lock", &path, HoldsErrorKind::Locked(error.into())))?;
        let before = Self::load(state_dir)?;
        let mut holds = before.clone();
        let answer = change(&mut holds);
        if holds != before {
            let mut text = serde_json::to_vec_pretty(&holds)
                .map_err(|error| failed("write", &path, HoldsErrorKind::Damaged(error)))?;
            text.push(b'\n');
            durable::replace(&path, &text, FileMode::from_bits(0o644)).map_err(of_file)?;
        }
        Ok(answer)
    }

    /// Adds `hold`, instead of one for the same path.
    pub fn put(&mut self, hold: Hold) {
        self.holds.retain(|other| other.path != hold.path);
        self.holds.push(hold);
    }

    /// Takes away the hold of exactly this path, or the pause.
    pub fn lift(&mut self, path: Option<&HostPath>) -> Option<Hold> {
        let at = |hold: &Hold| hold.path.as_ref() == path;
        let lifted = self.holds.iter().find(|hold| at(hold)).cloned();
        self.holds.retain(|hold| !at(hold));
        lifted
    }

    /// Takes away those that have ended by `now_secs`.
    pub fn take_expired(&mut self, now_secs: i64) -> Vec<Hold> {
        let (in_force, expired) = std::mem::take(&mut self.holds)
            .into_iter()
            .partition(|hold| hold.lasts(now_secs));
        self.holds = in_force;
        expired
    }

    /// Whether any has ended by `now_secs`.
    #[must_use]
    pub fn has_expired(&self, now_secs: i64) -> bool {
        !self.holds.iter().all(|hold| hold.lasts(now_secs))
    }

    /// Those that have not ended by `now_secs`, in the order in which they were said.
    pub fn in_force(&self, now_secs: i64) -> impl Iterator<Item = &Hold> {
        self.holds.iter().filter(move |hold| hold.lasts(now_secs))
    }

    /// The pause of everything, if it has not ended by `now_secs`.
    #[must_use]
    pub fn pause(&self, now_secs: i64) -> Option<&Hold> {
        self.in_force(now_secs).find(|hold| hold.path.is_none())
    }
}

fn failed(doing: &'static str, path: &Path, kind: HoldsErrorKind) -> HoldsError {
    let path = path.to_owned();
    HoldsError { doing, path, kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(path: Option<&str>, until_secs: i64) -> Hold {
        Hold {
            path: path.map(|path| HostPath::new(path).unwrap()),
            since_secs: 0,
            until_secs,
            reason: None,
        }
    }

    #[test]
    fn a_hold_ends_by_itself_and_a_second_one_of_the_same_path_replaces_the_first() {
        let mut holds = Holds::default();
        holds.put(hold(None, 10));
        holds.put(hold(Some("/etc/motd"), 20));
        holds.put(hold(None, 30));
        assert_eq!(holds.pause(29), Some(&hold(None, 30)));
        assert_eq!(holds.pause(30), None);
        assert!(holds.has_expired(20) && !holds.has_expired(19));
        assert_eq!(holds.take_expired(20), [hold(Some("/etc/motd"), 20)]);
        assert_eq!(holds.lift(None), Some(hold(None, 30)));
        assert_eq!(holds, Holds::default());
    }

    #[test]
    fn a_hold_does_not_last_for_as_long_as_the_clock_was_wrong() {
        let year = 365 * 24 * 3600;
        let pause = Hold {
            since_secs: year,
            until_secs: year + 1800,
            ..hold(None, 0)
        };
        assert!(pause.lasts(year) && pause.lasts(year - 1800), "a little");
        assert!(!pause.lasts(year - 1801) && !pause.lasts(0), "by a year");
        assert!(!pause.lasts(year + 1800), "its end");
    }

    #[test]
    fn a_hold_covers_its_path_and_what_lies_below() {
        let hold = hold(Some("/etc/app"), 10);
        for (path, covered) in [
            ("/etc/app", true),
            ("/etc/app/a/b", true),
            ("/etc/app.conf", false),
            ("/etc", false),
        ] {
            assert_eq!(
                hold.covers(&HostPath::new(path).unwrap()),
                covered,
                "{path}"
            );
        }
        let pause = super::Hold { path: None, ..hold };
        assert!(!pause.covers(&HostPath::new("/etc/app").unwrap()));
    }

    #[test]
    fn what_is_put_is_read_and_a_damaged_file_is_never_taken_as_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Holds::load(dir.path()).unwrap(), Holds::default());
        Holds::edit(dir.path(), |holds| holds.put(hold(None, 10))).unwrap();
        let read = Holds::load(dir.path()).unwrap();
        assert_eq!(read.pause(0), Some(&hold(None, 10)));
        for (text, fix) in [
            ("", "remove "),
            ("{\"version\":2,\"holds\":[]}", "newer version"),
        ] {
            #[expect(clippy::disallowed_methods, reason = "a test's own temporary file")]
            std::fs::write(Holds::file(dir.path()), text).unwrap();
            let error = Holds::load(dir.path()).unwrap_err();
            assert!(error.fix().contains(fix), "{}", error.fix());
            assert!(Holds::edit(dir.path(), |_| ()).is_err());
        }
    }
}
