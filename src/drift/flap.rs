//! The flap guard: who is put right again and again is left alone for a while, and longer each time.
//!
//! Three repairs of one entry within ten minutes are made as always. If it differs once more, something on the host keeps
//! changing it: from then on it is put right only after 1, 2, 4 … 60 minutes. It is reported all the while. Kept in
//! `flapping.json` of the state directory, so that a restart of the agent does not start the fight anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DriftItem;
use crate::host::{FileError, FileMode, clock, durable};

/// The version of `flapping.json` that this build writes.
const VERSION: u32 = 1;
/// Room for ten thousand entries.
const LARGEST_BYTES: u64 = 4 * 1024 * 1024;
/// This many repairs
const REPAIRS: usize = 3;
/// within this time are made without a wait.
const WINDOW_SECS: i64 = 10 * 60;
const FIRST_WAIT_SECS: i64 = 60;
const LONGEST_WAIT_SECS: i64 = 60 * 60;

/// An entry that something on the host keeps changing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contended {
    /// What it is about, as drift names it.
    pub subject: String,
    /// It is not put right before then, seconds since 1970-01-01T00:00:00Z.
    pub until_secs: i64,
    /// How often it was put right within ten minutes, or waited for since.
    pub rounds: u32,
    /// Who changes it, as far as the kernel tells.
    #[serde(default)]
    pub by: Option<String>,
}

impl Contended {
    /// Until when, and against whom: `until 2026-03-01T12:00:00Z, contended with sh (process 7)`.
    #[must_use]
    pub fn terms(&self) -> String {
        let by = self.by.as_deref().unwrap_or("somebody");
        format!(
            "until {}, contended with {by}",
            clock::rfc3339(self.until_secs)
        )
    }
}

/// What is to be done about an entry that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is put right.
    Repair,
    /// It is left alone for now, as was said before.
    Wait,
    /// It is left alone from now on.
    Tripped,
}

/// The memory of the guard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlapGuard {
    version: u32,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// When it was put right lately, oldest first.
    repairs: Vec<i64>,
    /// How often the guard tripped in a row; 0 while it has not.
    #[serde(default)]
    trips: u32,
    /// No repair before then.
    #[serde(default)]
    until_secs: i64,
    #[serde(default)]
    by: Option<String>,
}

impl Default for FlapGuard {
    fn default() -> Self {
        Self {
            version: VERSION,
            entries: BTreeMap::new(),
        }
    }
}

impl Entry {
    fn wait_secs(&self) -> i64 {
        let doubled = FIRST_WAIT_SECS << self.trips.saturating_sub(1).min(16);
        doubled.min(LONGEST_WAIT_SECS)
    }

    /// Forgets what is over by `now_secs`: a fight that has not been fought for twice the last wait, repairs of long ago.
    fn settle(&mut self, now_secs: i64) {
        // A clock that went back must not keep anything waiting for years.
        self.until_secs = self
            .until_secs
            .min(now_secs.saturating_add(LONGEST_WAIT_SECS));
        let lately = |since: i64, secs: i64| (0..secs).contains(&now_secs.saturating_sub(since));
        let last = self
            .repairs
            .last()
            .copied()
            .unwrap_or(self.until_secs)
            .max(self.until_secs);
        let calm_secs = WINDOW_SECS.max(2 * self.wait_secs());
        if self.trips > 0 && self.until_secs <= now_secs && !lately(last, calm_secs) {
            *self = Self::default();
        }
        let keep_secs = if self.trips > 0 {
            calm_secs
        } else {
            WINDOW_SECS
        };
        self.repairs.retain(|at| lately(*at, keep_secs));
    }

    fn judge(&mut self, now_secs: i64) -> Verdict {
        self.settle(now_secs);
        if self.until_secs > now_secs {
            return Verdict::Wait;
        }
        let again = if self.trips == 0 {
            self.repairs.len() >= REPAIRS
        } else {
            // The one repair that the last wait allowed did not last.
            self.repairs.iter().any(|at| *at >= self.until_secs)
        };
        if !again {
            return Verdict::Repair;
        }
        self.trips = self.trips.saturating_add(1);
        self.until_secs = now_secs.saturating_add(self.wait_secs());
        Verdict::Tripped
    }
}

impl FlapGuard {
    /// Where the guard of the host with this state directory remembers.
    #[must_use]
    pub fn file(state_dir: &Path) -> PathBuf {
        state_dir.join("flapping.json")
    }

    /// What is remembered at `path`. A memory that is lost or damaged begins anew: the guard trips again if it must.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        let read = durable::read(path, LARGEST_BYTES).ok().flatten();
        let read = read.and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        read.filter(|guard| guard.version == VERSION)
            .unwrap_or_default()
    }

    /// Replaces `path` if anything changed since `before`.
    ///
    /// # Errors
    /// [`FileError`]; the guard remembers less after a restart then.
    pub fn save(&self, path: &Path, before: &Self) -> Result<(), FileError> {
        if self == before {
            return Ok(());
        }
        let Ok(text) = serde_json::to_vec(self) else {
            return Ok(());
        };
        durable::replace(path, &text, FileMode::from_bits(0o644))
    }

    /// What is to be done at `now_secs` about `item`, which differs and would be put right.
    pub fn judge(&mut self, item: &DriftItem, now_secs: i64) -> Verdict {
        match self.entries.get_mut(&item.entry()) {
            Some(entry) => entry.judge(now_secs),
            None => Verdict::Repair,
        }
    }

    /// Remembers that `item` was put right.
    pub fn repaired(&mut self, item: &DriftItem, now_secs: i64) {
        self.entries
            .entry(item.entry())
            .or_default()
            .repairs
            .push(now_secs);
    }

    /// Remembers who changes `item`.
    pub fn blame(&mut self, item: &DriftItem, by: Option<String>) {
        if let (Some(entry), Some(by)) = (self.entries.get_mut(&item.entry()), by) {
            entry.by = Some(by);
        }
    }

    /// How `item` is contended at `now_secs`; `None` if it is not.
    #[must_use]
    pub fn contended(&self, item: &DriftItem, now_secs: i64) -> Option<Contended> {
        let entry = self.entries.get(&item.entry())?;
        entry.contended(&item.subject, now_secs)
    }

    /// Everything that is contended at `now_secs`.
    #[must_use]
    pub fn all_contended(&self, now_secs: i64) -> Vec<Contended> {
        let entries = self.entries.iter();
        entries
            .filter_map(|(key, entry)| entry.contended(key, now_secs))
            .collect()
    }

    /// Forgets what is over by `now_secs`.
    pub fn forget(&mut self, now_secs: i64) {
        self.entries.retain(|_, entry| {
            entry.settle(now_secs);
            *entry != Entry::default()
        });
    }
}

impl Entry {
    fn contended(&self, subject: &str, now_secs: i64) -> Option<Contended> {
        (self.trips > 0 && self.until_secs > now_secs).then(|| Contended {
            subject: subject.to_owned(),
            until_secs: self.until_secs,
            rounds: self.trips,
            by: self.by.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Enforcement;
    use crate::drift::DriftClass;

    fn item(class: DriftClass, subject: &str) -> DriftItem {
        DriftItem {
            class,
            subject: subject.to_owned(),
            policy: Enforcement::Enforce,
            detail: String::new(),
            diff: None,
            hold: None,
            contended: None,
            trace: None,
        }
    }

    /// An editor that fights back at once, looked at every `step_secs`: when the guard tripped, and when it repaired.
    fn fight(
        guard: &mut FlapGuard,
        from_secs: i64,
        secs: i64,
        step_secs: usize,
    ) -> (Vec<i64>, Vec<i64>) {
        let item = item(DriftClass::Content, "/etc/a");
        let (mut tripped, mut repaired) = (Vec::new(), Vec::new());
        for now in (from_secs..from_secs + secs).step_by(step_secs) {
            match guard.judge(&item, now) {
                Verdict::Repair => {
                    guard.repaired(&item, now);
                    repaired.push(now - from_secs);
                }
                Verdict::Tripped => tripped.push(now - from_secs),
                Verdict::Wait => {}
            }
        }
        (tripped, repaired)
    }

    #[test]
    fn the_fourth_repair_within_ten_minutes_trips_and_each_wait_is_twice_the_last_up_to_an_hour() {
        let mut guard = FlapGuard::default();
        let (tripped, repaired) = fight(&mut guard, 1000, 6 * 3600, 1);
        assert_eq!(repaired[..3], [0, 1, 2]);
        let waits: Vec<i64> = tripped
            .iter()
            .zip(&repaired[3..])
            .map(|(t, r)| (r - t) / 60)
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(tripped[0], 3);
    }

    #[test]
    fn three_repairs_in_ten_minutes_or_a_fourth_one_later_do_not_trip() {
        let mut guard = FlapGuard::default();
        let (tripped, repaired) = fight(&mut guard, 0, 24 * 3600, 200);
        assert_eq!(
            tripped,
            [] as [i64; 0],
            "one every 200 s is three in ten minutes"
        );
        assert_eq!(repaired.len(), 432);
    }

    #[test]
    fn a_fight_that_is_over_is_forgotten() {
        let mut guard = FlapGuard::default();
        fight(&mut guard, 0, 200, 1);
        let one = item(DriftClass::Missing, "/etc/a");
        assert!(
            guard.contended(&one, 190).is_some(),
            "the class does not matter"
        );
        assert_eq!(guard.all_contended(190).len(), 1);
        assert_eq!(
            guard.contended(&item(DriftClass::Content, "/etc/b"), 190),
            None
        );
        let later = 200 + 3600;
        guard.forget(later);
        assert_eq!(guard, FlapGuard::default());
        let (tripped, _) = fight(&mut guard, later, 10, 1);
        assert_eq!(tripped, [3], "and begins anew");
    }

    #[test]
    fn the_guard_remembers_over_restarts_and_a_clock_that_goes_back_holds_nothing_for_long() {
        let directory = tempfile::tempdir().unwrap();
        let path = FlapGuard::file(directory.path());
        let mut guard = FlapGuard::load(&path);
        fight(&mut guard, 1_000_000, 10, 1);
        guard.blame(
            &item(DriftClass::Content, "/etc/a"),
            Some("sh (process 7)".to_owned()),
        );
        guard.save(&path, &FlapGuard::default()).unwrap();
        let mut read = FlapGuard::load(&path);
        assert_eq!(read, guard);
        let terms = read.all_contended(1_000_010)[0].terms();
        assert!(terms.ends_with("contended with sh (process 7)"), "{terms}");
        let one = item(DriftClass::Content, "/etc/a");
        assert_eq!(read.judge(&one, 0), Verdict::Wait);
        assert_eq!(read.judge(&one, LONGEST_WAIT_SECS), Verdict::Repair);
        #[expect(clippy::disallowed_methods, reason = "a test's own temporary file")]
        std::fs::write(&path, "nonsense").unwrap();
        assert_eq!(FlapGuard::load(&path), FlapGuard::default());
    }
}
