//! Rekeying: every secret file is made to match `.sops.yaml`, all of them or none.

use super::exclusive::Exclusive;
use super::plan::{DataKeyChange, FileRekey, RekeyPlan};
use super::transaction::{Replacement, replace_all};
use super::trouble::{RekeyError, RekeyTrouble};
use crate::host::clock;
use crate::host::durable::{self, Lock};
use crate::host::{Watcher, for_each};
use crate::identity::Identities;
use crate::secrets::file::{SecretFileError, SecretFileErrorKind, explain};
use crate::secrets::repository::{Carried, MustChange, MustChangeError, Repository};
use crate::source::RepoPath;

/// Carries out `plan`, which must have been made in `exclusive`. Every new text is made and checked in memory before the
/// first is written; then all files are replaced or none, also when the process is killed in between: the next run
/// finishes or undoes it.
///
/// # Errors
/// [`RekeyError`] with everything that stands in the way.
pub fn rekey(
    exclusive: &Exclusive,
    plan: &RekeyPlan,
    identities: &Identities,
    watcher: Watcher<'_>,
) -> Result<(), RekeyError> {
    let repository = exclusive.repository();
    carry_out(exclusive, plan, (identities, watcher), |resealed| {
        let ledger = carried_ledger(repository, plan, resealed)?;
        Ok(Vec::from_iter(ledger))
    })
}

/// Carries out `plan`, and in the same step what `further` says once the files' new texts are known: all of it or none.
pub(super) fn carry_out(
    exclusive: &Exclusive,
    plan: &RekeyPlan,
    (identities, watcher): (&Identities, Watcher<'_>),
    further: impl FnOnce(&[Replacement]) -> Result<Vec<Replacement>, RekeyError>,
) -> Result<(), RekeyError> {
    let repository = exclusive.repository();
    let files: Vec<&RepoPath> = plan.changes.iter().map(|change| &change.file).collect();
    let _locks = lock_all(repository, &files)?;
    let mut replacements = reseal_all(repository, plan, identities, watcher)?;
    replacements.extend(further(&replacements)?);
    Ok(replace_all(repository, &replacements, watcher)?)
}

/// The ledger of values to change, if new data keys gave some of them a new ciphertext.
fn carried_ledger(
    repository: &Repository,
    plan: &RekeyPlan,
    replacements: &[Replacement],
) -> Result<Option<Replacement>, RekeyTrouble> {
    let rotates = |change: &FileRekey| change.data_key == DataKeyChange::Rotate;
    if !plan.changes.iter().any(rotates) {
        return Ok(None);
    }
    let mut ledger = MustChange::load(repository)?;
    let mut carried = Carried::Nothing;
    for (change, replacement) in plan.changes.iter().zip(replacements) {
        let after = replacement.after.as_deref().unwrap_or_default();
        let failed = |error| {
            let kind = SecretFileErrorKind::Parse(error);
            SecretFileError::new("rekey", &repository.path(&change.file), kind)
        };
        let sealed = &change.found.sealed;
        if ledger.carry(&change.file, sealed, after).map_err(failed)? == Carried::Values {
            carried = Carried::Values;
        }
    }
    if carried == Carried::Nothing {
        return Ok(None);
    }
    ledger_replacement(repository, &ledger).map(Some)
}

/// `ledger` in the place of the one that is there.
pub(super) fn ledger_replacement(
    repository: &Repository,
    ledger: &MustChange,
) -> Result<Replacement, RekeyTrouble> {
    let file = MustChange::file();
    Ok(Replacement {
        before: repository.read(&file).map_err(MustChangeError::File)?,
        after: ledger.text().map(String::into_bytes),
        file,
    })
}

/// Locks every one of `files`.
fn lock_all(repository: &Repository, files: &[&RepoPath]) -> Result<Vec<Lock>, RekeyError> {
    durable::allow_locks(files.len());
    let mut locks = Vec::with_capacity(files.len());
    let mut troubles = Vec::new();
    for file in files {
        match repository.lock(file) {
            Ok(lock) => locks.push(lock),
            Err(source) => troubles.push(RekeyTrouble::Locked {
                file: (*file).clone(),
                source: Box::new(source),
            }),
        }
    }
    if troubles.is_empty() {
        Ok(locks)
    } else {
        Err(troubles.into())
    }
}

/// Makes the new texts of all files of `plan`, in its order.
fn reseal_all(
    repository: &Repository,
    plan: &RekeyPlan,
    identities: &Identities,
    watcher: Watcher<'_>,
) -> Result<Vec<Replacement>, RekeyError> {
    let now = clock::now_rfc3339();
    let results = for_each(&plan.changes, ("encrypting", watcher), |change| {
        reseal(repository, change, identities, &now)
    });
    let mut replacements = Vec::with_capacity(results.len());
    let mut troubles: Vec<RekeyTrouble> = Vec::new();
    for (change, result) in plan.changes.iter().zip(results) {
        match result {
            Ok(text) => replacements.push(Replacement {
                file: change.file.clone(),
                before: Some(change.found.text.clone()),
                after: Some(text.into_bytes()),
            }),
            Err(error) => troubles.push(error.into()),
        }
    }
    if troubles.is_empty() {
        Ok(replacements)
    } else {
        Err(troubles.into())
    }
}

/// Makes the new text of one file. It was opened and its MAC verified before: a file that is not whole must not be passed
/// on to more people.
fn reseal(
    repository: &Repository,
    change: &FileRekey,
    identities: &Identities,
    now: &str,
) -> Result<String, SecretFileError> {
    let path = repository.path(&change.file);
    let failed = |action, kind| SecretFileError::new(action, &path, kind);
    let sealed = &change.found.sealed;
    let mut opened = sealed
        .open(identities)
        .map_err(|error| failed("open", explain(error, identities, repository.names())))?;
    let text = match change.data_key {
        DataKeyChange::Keep => sealed.rewrap_opened(&opened, &change.wanted),
        DataKeyChange::Rotate => opened
            .rotate(&change.wanted)
            .and_then(|()| opened.seal(now)),
    };
    text.map_err(|error| failed("rekey", SecretFileErrorKind::Seal(error)))
}
