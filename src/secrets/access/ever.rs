//! What somebody could ever read, according to git's history.

use std::collections::{BTreeMap, BTreeSet};

use super::principals::is_anchor_of;
use super::survey::{contains, looks_sealed};
use crate::host::{Watcher, for_each};
use crate::identity::Recipient;
use crate::secrets::repository::{RecipientNames, Repository, host_of_key_file};
use crate::sops::{Format, SealedFile};
use crate::source::{BlobId, CloneError, History, RepoPath, WorkingClone};

/// Values, by file.
pub(super) type Values = BTreeMap<RepoPath, BTreeSet<Vec<String>>>;

/// What somebody could ever read.
#[derive(Debug, Default)]
pub(super) struct Ever {
    /// Their keys, those of today and earlier ones.
    pub(super) keys: BTreeSet<String>,
    /// What was encrypted to one of them in some commit.
    pub(super) values: Values,
    /// How many commits were looked at.
    pub(super) commits: usize,
}

/// Walks the history of `repository` for `name`, whose keys of today are `keys`.
pub(super) fn ever_readable(
    repository: &Repository,
    clone: &WorkingClone,
    (name, keys): (&str, &BTreeSet<String>),
    watcher: Watcher<'_>,
) -> Result<Ever, CloneError> {
    let rules = repository.rules_file();
    let history = clone.history(&|file| {
        *file == rules
            || host_of_key_file(file) == Some(name)
            || Format::of_path(file.as_str()) != Format::Binary
            || file.as_str().starts_with("secrets/")
            || repository.may_be_secret(file)
    })?;
    let mut ever = Ever {
        keys: keys.clone(),
        commits: history.commits,
        ..Ever::default()
    };
    ever.add_earlier_keys(clone, &history, (name, &rules))?;
    let versions: Vec<(RepoPath, BlobId)> = history
        .versions
        .into_iter()
        .flat_map(|(file, blobs)| blobs.into_iter().map(move |blob| (file.clone(), blob)))
        .collect();
    // A handle of the clone for every piece, since one is for one thread.
    let pieces: Vec<&[(RepoPath, BlobId)]> = versions
        .chunks(versions.len().div_ceil(64).max(16))
        .collect();
    let found = for_each(&pieces, ("history", watcher), |piece| {
        readable_in(repository, piece, &ever.keys)
    });
    for values in found {
        for (file, keys) in values? {
            ever.values.entry(file).or_default().extend(keys);
        }
    }
    Ok(ever)
}

fn readable_in(
    repository: &Repository,
    versions: &[(RepoPath, BlobId)],
    keys: &BTreeSet<String>,
) -> Result<Values, CloneError> {
    let mut found = Values::new();
    let Some(clone) = WorkingClone::around(repository.root())? else {
        return Ok(found);
    };
    for (file, blob) in versions {
        let Some(text) = clone.read(*blob)? else {
            continue;
        };
        let format = Format::of_path(file.as_str());
        if !keys.iter().any(|key| contains(&text, key.as_bytes())) || !looks_sealed(&text, format) {
            continue;
        }
        // An old version that is damaged could not be read by anybody.
        let Ok(sealed) = SealedFile::parse(&text, format) else {
            continue;
        };
        if is_for(&sealed, keys) {
            found
                .entry(file.clone())
                .or_default()
                .extend(encrypted_paths(&sealed));
        }
    }
    Ok(found)
}

/// Whether one of `keys` is among the recipients.
pub(super) fn is_for(sealed: &SealedFile, keys: &BTreeSet<String>) -> bool {
    let recipients = sealed.recipients();
    let mut parsed = recipients
        .iter()
        .filter_map(|text| Recipient::parse(text).ok());
    parsed.any(|recipient| keys.contains(&recipient.key()))
}

/// The paths of all values that are encrypted.
pub(super) fn encrypted_paths(sealed: &SealedFile) -> impl Iterator<Item = Vec<String>> {
    let mut paths = sealed.key_paths();
    paths.retain(|path| {
        sealed
            .ciphertext(path)
            .is_some_and(|text| text.starts_with("ENC["))
    });
    paths.into_iter()
}

impl Ever {
    /// Keys that the name stood for in some commit: in `.sops.yaml`, or in the host's key file.
    fn add_earlier_keys(
        &mut self,
        clone: &WorkingClone,
        history: &History,
        (name, rules): (&str, &RepoPath),
    ) -> Result<(), CloneError> {
        for (file, blobs) in &history.versions {
            let is_rules = file == rules;
            if !is_rules && host_of_key_file(file) != Some(name) {
                continue;
            }
            for blob in blobs {
                let text = clone.read(*blob)?.unwrap_or_default();
                let text = String::from_utf8_lossy(&text);
                let names = if is_rules {
                    RecipientNames::of_anchors(&text)
                } else {
                    RecipientNames::default().with_host(name, &text)
                };
                let theirs = names
                    .iter()
                    .filter(|(_, called)| is_anchor_of(called, name));
                self.keys.extend(theirs.map(|(key, _)| key.to_owned()));
            }
        }
        Ok(())
    }
}
