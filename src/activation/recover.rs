//! Finishing what a kill or a power cut interrupted. Needs the state directory only: no network, no git.

use std::collections::BTreeSet;

use super::journal::{Entry, Journal, Record, open_phase};
use super::progress::Way;
use super::rollback::Reach;
use super::transaction::ActivateError;
use super::{Activation, Event, Outcome, Phase, Plan, Step};
use crate::generation::{GenerationNumber, Store};
use crate::host::{HostPath, clock};
use crate::secrets;

/// What recovery found, and did about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovered {
    /// No transaction was open.
    Nothing,
    /// One was prepared and had changed nothing; it is discarded.
    Discarded {
        /// Where it would have gone.
        target: GenerationNumber,
    },
    /// One had succeeded and only not been written down as such.
    Committed {
        /// The generation in force.
        target: GenerationNumber,
    },
    /// One was under way; the host is back at the generation before.
    RolledBack {
        /// Where it would have gone.
        target: GenerationNumber,
        /// Why.
        reason: String,
    },
    /// Files are back; units follow when there is a systemd to ask. The transaction is open still.
    FilesBack {
        /// Where it would have gone.
        target: GenerationNumber,
    },
    /// The way back failed, now or before. Nothing is done automatically any more.
    Stuck {
        /// Where it would have gone.
        target: GenerationNumber,
        /// What failed.
        reason: String,
    },
}

/// Who asks for recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// The agent, or whoever is about to activate something: a transaction that is stuck stays so.
    Automatic,
    /// A human: a transaction that is stuck is rolled back once more.
    Retry,
    /// The boot unit, before services start: files only.
    EarlyBoot,
}

impl Activation<'_> {
    /// Finishes an open transaction: discards it, commits it or rolls it back. A second call does nothing.
    ///
    /// # Errors
    /// [`ActivateError`] if the journal or the store cannot be read or written; nothing destructive was done then.
    pub async fn recover(&self, recovery: Recovery) -> Result<Recovered, ActivateError> {
        let Some((mut journal, entries)) = Journal::open(self.store)? else {
            return Ok(Recovered::Nothing);
        };
        let target = journal.record.target;
        if let Phase::Stuck { reason } = journal.phase()
            && recovery != Recovery::Retry
        {
            // Every pass finds it; the journal heard of it when it came to that.
            let reason = reason.clone();
            return Ok(Recovered::Stuck { target, reason });
        }
        tracing::warn!(phase = ?journal.phase(), generation = %target, "an open transaction was found");
        match (journal.phase().clone(), recovery) {
            (Phase::Prepared, _) => {
                self.enter(&mut journal, Event::Interrupted)?;
                journal.close()?;
                Ok(Recovered::Discarded { target })
            }
            (Phase::Committed, _) => {
                let active = self.store.get(target)?.manifest;
                self.finish_commit(journal, &active)?;
                Ok(Recovered::Committed { target })
            }
            (Phase::RolledBack { reason }, _) => {
                journal.close()?;
                Ok(Recovered::RolledBack { target, reason })
            }
            (
                Phase::Applying
                | Phase::Settling
                | Phase::Probing
                | Phase::AwaitingConfirmation { .. },
                _,
            ) => {
                self.enter(&mut journal, Event::Interrupted)?;
                self.go_on_back(journal, &entries, recovery).await
            }
            (Phase::Stuck { .. } | Phase::RollingBack { .. }, _) => {
                self.enter(&mut journal, Event::Retried)?;
                self.go_on_back(journal, &entries, recovery).await
            }
        }
    }

    async fn go_on_back(
        &self,
        journal: Journal,
        entries: &[Entry],
        recovery: Recovery,
    ) -> Result<Recovered, ActivateError> {
        let target = journal.record.target;
        let host = self.host.within(journal.record.id.number());
        let inside = Activation {
            host: &host,
            ..*self
        };
        inside.sweep(&journal);
        let begun = begun(entries);
        let reach = match recovery {
            Recovery::EarlyBoot => Reach::Files,
            Recovery::Automatic | Recovery::Retry => Reach::Everything,
        };
        Ok(
            match inside.resume_roll_back(journal, &begun, reach).await {
                Outcome::Stuck { reason } => Recovered::Stuck { target, reason },
                _ if reach == Reach::Files => Recovered::FilesBack { target },
                Outcome::RolledBack { reason } => Recovered::RolledBack { target, reason },
                Outcome::Unchanged | Outcome::Committed => Recovered::Nothing,
            },
        )
    }

    /// Removes the unfinished files of the process that was killed. They harm nobody: one that stays is no reason to stay.
    fn sweep(&self, journal: &Journal) {
        for directory in self.touched(&journal.record) {
            let swept = self
                .host
                .sweep_temporaries(&directory, journal.record.id.number());
            if let Err(error) = swept {
                tracing::warn!(path = %directory, %error, "unfinished files could not be removed");
            }
        }
        if let Err(error) = secrets::remove_unfinished(self.host) {
            tracing::warn!(%error, "unfinished secrets could not be removed");
        }
    }

    /// The directories in which carrying out the plan of `record` writes files, or the way back from it. Accounts, enabled units
    /// and secrets have some of their own.
    fn touched(&self, record: &Record) -> BTreeSet<HostPath> {
        let fixed = ["/etc", "/run", "/var/lib/systemd/linger"];
        let fixed = fixed.into_iter().map(HostPath::new);
        let mut directories: BTreeSet<HostPath> = fixed.filter_map(Result::ok).collect();
        if let Ok(units) = HostPath::new("/etc/systemd/system") {
            let names = self.host.list(&units).ok().flatten().unwrap_or_default();
            let below = names.iter().filter_map(|name| units.join(name).ok());
            directories.extend(below);
            directories.insert(units);
        }
        for step in &record.plan.steps {
            if let Step::WritePath { path, .. }
            | Step::RestoreOriginal { path, .. }
            | Step::RemovePath { path, .. } = step
            {
                directories.extend(path.parent());
            }
        }
        // The way back puts drift of the generation before right as well.
        let previous = record
            .previous
            .and_then(|number| self.store.get(number).ok());
        for path in previous
            .iter()
            .flat_map(|previous| previous.manifest.paths.keys())
        {
            directories.extend(path.parent());
        }
        directories
    }
}

/// Opens a transaction that goes back from a generation which was in force for a while only; [`Activation::recover`]
/// carries it out, and `current` names the generation it goes back to from now on.
///
/// `plan` is what was done on the way to it. Nothing is opened while another transaction is open, as it is when this is
/// repeated after a power cut.
///
/// # Errors
/// [`ActivateError`] if the journal or the store cannot be written.
pub fn leave(
    store: &Store,
    (target, back_to): (GenerationNumber, GenerationNumber),
    plan: Plan,
) -> Result<(), ActivateError> {
    if open_phase(store)?.is_none() {
        let record = Record::new(clock::now_secs(), target, Some(back_to), plan);
        let mut journal = Journal::create(store, record.done_before_boot())?;
        for event in [
            Event::Begun,
            Event::Failed {
                reason: "it was tried, until this boot".to_owned(),
            },
        ] {
            journal.enter(journal.phase().clone().after(event))?;
        }
    }
    Ok(store.go_back_to(back_to)?)
}

/// The places of the steps that were begun forward.
fn begun(entries: &[Entry]) -> BTreeSet<usize> {
    let begun = entries.iter().filter_map(|entry| match entry {
        Entry::StepBegun {
            way: Way::Forward,
            index,
        } => Some(*index),
        _ => None,
    });
    begun.collect()
}

/// Why a transaction goes back, went back or is stuck.
pub(super) fn reason(phase: &Phase) -> String {
    match phase {
        Phase::RollingBack { reason } | Phase::RolledBack { reason } | Phase::Stuck { reason } => {
            reason.clone()
        }
        _ => String::new(),
    }
}
