//! What systemd has against the units of a host and of its accounts, and podman against its quadlets: each complaint at the
//! line of the repository that it is about.

mod staged;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::config::{ConfigError, HostConfig, Severity};
use crate::generation::Built;
use crate::generation::build::chain;
use crate::host::{Digest, StagedKind, StagedUnits, UnitComplaint, VerifyUnitsError};
use crate::source::Snapshot;
use staged::{Group, groups};

/// Somebody who looks at unit files; [`verify_units`](crate::host::verify_units) asks systemd and podman.
pub type UnitVerifier<'a> =
    dyn Fn(&StagedUnits) -> Result<Vec<UnitComplaint>, VerifyUnitsError> + Sync + 'a;

/// Units that were looked at. The same unit of many hosts is looked at once.
pub(super) struct Verified<'v> {
    verifier: Option<&'v UnitVerifier<'v>>,
    known: Mutex<BTreeMap<Digest, Vec<UnitComplaint>>>,
    notes: Mutex<BTreeSet<String>>,
}

impl<'v> Verified<'v> {
    pub(super) fn by(verifier: Option<&'v UnitVerifier<'v>>) -> Self {
        Self {
            verifier,
            known: Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// Why units were not looked at, where they were not.
    pub(super) fn into_notes(self) -> Vec<String> {
        let notes = self
            .notes
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        notes.into_iter().collect()
    }

    /// What there is against the units of one host.
    pub(super) fn of(
        &self,
        config: &HostConfig,
        built: &Built,
        snapshot: &Snapshot,
    ) -> Vec<(Severity, ConfigError)> {
        let Some(verifier) = self.verifier else {
            return Vec::new();
        };
        let groups = groups(config, built);
        let found = groups
            .iter()
            .flat_map(|group| self.of_group(group, verifier, snapshot));
        found.collect()
    }

    fn of_group(
        &self,
        group: &Group<'_>,
        verifier: &UnitVerifier<'_>,
        snapshot: &Snapshot,
    ) -> Vec<(Severity, ConfigError)> {
        let digests = group.digests();
        let new: Vec<usize> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = |index: &usize| !known.contains_key(&digests[*index]);
            (0..digests.len()).filter(is_new).collect()
        };
        if !new.is_empty() {
            match verifier(&group.staged(&new)) {
                Ok(complaints) => self.learn(&new, group, &digests, &complaints),
                Err(error) => {
                    let what = match group.kind {
                        StagedKind::System | StagedKind::Account => "unit files",
                        StagedKind::Quadlets => "quadlets",
                    };
                    let note = format!("{what} were not looked at: {}", chain(&error));
                    let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
                    notes.insert(note);
                    return Vec::new();
                }
            }
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = group.units.iter().zip(&digests).flat_map(|(unit, digest)| {
            let complaints = known.get(digest).map(Vec::as_slice).unwrap_or_default();
            complaints
                .iter()
                .map(move |complaint| unit.finding(complaint, group.kind, snapshot))
        });
        found.collect()
    }

    fn learn(
        &self,
        new: &[usize],
        group: &Group<'_>,
        digests: &[Digest],
        complaints: &[UnitComplaint],
    ) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for index in new {
            let unit = &group.units[*index];
            let about = complaints.iter().filter(|one| unit.is_meant(&one.about));
            known.insert(digests[*index].clone(), about.cloned().collect());
        }
    }
}
