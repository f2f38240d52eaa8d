//! What has to be done so that every secret file matches `.sops.yaml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::survey::{Asked, Sealed, Seen, State, survey};
use super::trouble::{RekeyError, RekeyTrouble};
use crate::host::Watcher;
use crate::identity::{Identities, Recipient};
use crate::secrets::file::{SecretFileError, SecretFileErrorKind};
use crate::secrets::repository::{RecipientNames, Repository};
use crate::sops::{KeyGroup, KeyGroups, ParseError};
use crate::source::RepoPath;

/// What has to be done so that every secret file matches the rules.
#[derive(Debug, Default)]
pub struct RekeyPlan {
    /// Files that change, in path order.
    pub changes: Vec<FileRekey>,
    /// Files that stay as they are.
    pub matching: Vec<MatchingFile>,
    /// What people should know about other files.
    pub notices: Vec<RekeyNotice>,
}

/// A secret file that matches its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchingFile {
    /// The file.
    pub file: RepoPath,
    /// Who can open it, by name where one is known.
    pub recipients: Vec<String>,
}

/// A secret file that changes.
#[derive(Debug)]
pub struct FileRekey {
    /// The file.
    pub file: RepoPath,
    /// Who will be able to open it and cannot yet, by name where one is known.
    pub gained: Vec<String>,
    /// Who can open it and will not be able to.
    pub lost: Vec<String>,
    /// Who can open it before and after.
    pub kept: Vec<String>,
    /// Whether it gets a new data key.
    pub data_key: DataKeyChange,
    pub(super) wanted: KeyGroups,
    pub(super) found: Box<Sealed>,
}

/// Whether a file gets a new data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKeyChange {
    /// It keeps the one that it has: whoever could read it can still read this data key in git's history.
    Keep,
    /// It gets a new one, and every value a new ciphertext.
    Rotate,
}

/// Which files are to be rekeyed, and how.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The files; without any, all secret files of the repository: those that a rule covers and that are encrypted.
    pub files: &'a [RepoPath],
    /// Whether they get new data keys.
    pub data_key: DataKeyChange,
}

/// A file that a rekey leaves alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RekeyNotice {
    /// The file.
    pub file: RepoPath,
    /// Why it is left alone.
    pub kind: RekeyNoticeKind,
}

/// Why a file is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RekeyNoticeKind {
    /// A rule says that it is a secret file, and it lies in the clear.
    InTheClear,
    /// It is a secret file, and no rule says who shall read it.
    NoRule,
}

impl fmt::Display for RekeyNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RekeyNoticeKind::InTheClear => write!(
                f,
                "{} is not encrypted, though a rule of .sops.yaml is for it",
                self.file
            ),
            RekeyNoticeKind::NoRule => write!(
                f,
                "{} is encrypted, and no rule of .sops.yaml says for whom",
                self.file
            ),
        }
    }
}

/// Compares the recipients of the secret files with the rules. No key is needed, nothing is changed.
///
/// # Errors
/// [`RekeyError`] with every file that cannot be compared.
pub fn plan_rekey(
    repository: &Repository,
    wanted: &Wanted<'_>,
    watcher: Watcher<'_>,
) -> Result<RekeyPlan, RekeyError> {
    let seen = if wanted.files.is_empty() {
        survey(repository, &repository.candidates(), Asked::ByRule, watcher)
    } else {
        survey(repository, wanted.files, Asked::ByName, watcher)
    };
    let mut plan = RekeyPlan::default();
    let mut troubles = Vec::new();
    for seen in seen {
        if let Err(trouble) = add(repository, wanted, seen, &mut plan) {
            troubles.push(trouble);
        }
    }
    if troubles.is_empty() {
        Ok(plan)
    } else {
        Err(troubles.into())
    }
}

fn add(
    repository: &Repository,
    wanted: &Wanted<'_>,
    seen: Seen,
    plan: &mut RekeyPlan,
) -> Result<(), RekeyTrouble> {
    let Seen { file, state } = seen;
    let path = repository.path(&file);
    let failed = |kind| RekeyTrouble::from(SecretFileError::new("compare", &path, kind));
    let named = !wanted.files.is_empty();
    match state {
        State::Other => {}
        State::InTheClear if named => {
            return Err(failed(SecretFileErrorKind::Parse(ParseError::NotSealed)));
        }
        State::InTheClear => plan.notices.push(RekeyNotice {
            file,
            kind: RekeyNoticeKind::InTheClear,
        }),
        State::Broken(error) => return Err(failed(SecretFileErrorKind::Parse(error))),
        State::Unreadable(error) => return Err(failed(SecretFileErrorKind::File(error))),
        State::Missing if !named => {}
        State::Missing => return Err(failed(SecretFileErrorKind::Missing)),
        State::Sealed(_) if !named && repository.rules().rule_for(&file).is_none() => {
            plan.notices.push(RekeyNotice {
                file,
                kind: RekeyNoticeKind::NoRule,
            });
        }
        State::Sealed(found) => {
            let keys = repository.rules().keys_of(&file)?;
            plan.add(file, found, keys, (wanted.data_key, repository.names()));
        }
    }
    Ok(())
}

impl RekeyPlan {
    /// Adds what has to be done so that `found` has the keys `wanted`.
    pub(super) fn add(
        &mut self,
        file: RepoPath,
        found: Box<Sealed>,
        wanted: KeyGroups,
        (data_key, names): (DataKeyChange, &RecipientNames),
    ) {
        let there = found.sealed.keys();
        let difference = Difference::between(&there, &wanted, names);
        if shape_of(&there) == shape_of(&wanted) && data_key == DataKeyChange::Keep {
            self.matching.push(MatchingFile {
                file,
                recipients: difference.kept,
            });
            return;
        }
        self.changes.push(FileRekey {
            file,
            gained: difference.gained,
            lost: difference.lost,
            kept: difference.kept,
            data_key,
            wanted,
            found,
        });
    }

    /// Whether every file stays as it is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Files that none of `identities` will open any more; none where keys are here whose public halves are not known.
    #[must_use]
    pub fn closed_to(&self, identities: &Identities) -> Vec<&RepoPath> {
        if identities.has_unknown() {
            return Vec::new();
        }
        let ours = keys_of(identities);
        let open = |change: &&FileRekey| {
            let mut recipients = change.wanted.recipients();
            recipients.any(|wanted| ours.contains(&wanted.key()))
        };
        let closed = self.changes.iter().filter(|change| !open(change));
        closed.map(|change| &change.file).collect()
    }
}

/// The public halves of `identities`, as recipients are compared.
pub(super) fn keys_of(identities: &Identities) -> BTreeSet<String> {
    let parsed = identities
        .recipients()
        .filter_map(|text| Recipient::parse(text).ok());
    parsed.map(|recipient| recipient.key()).collect()
}

/// Every key of a group, by what it is compared by, with its name.
fn named_keys<'a>(
    group: &'a KeyGroup,
    names: &'a RecipientNames,
) -> impl Iterator<Item = (String, String)> + 'a {
    let recipients = group
        .recipients
        .iter()
        .map(|it| (it.key(), names.name_of(it)));
    let others = group
        .others
        .iter()
        .map(|it| (it.to_string(), it.to_string()));
    recipients.chain(others)
}

/// What distinguishes the keys of a file from those that it should have, by name.
pub(super) struct Difference {
    gained: Vec<String>,
    lost: Vec<String>,
    kept: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 6;
        let named = |names: &[String]| {
            let more = names.len().saturating_sub(SHOWN);
            let shown = names[..names.len() - more].join(", ");
            match more {
                0 => shown,
                more => format!("{shown} and {more} more"),
            }
        };
        match (self.gained.as_slice(), self.lost.as_slice()) {
            ([], []) => write!(f, "its key groups are not those of its rule"),
            (gained, []) => write!(
                f,
                "its rule is for {} too, who cannot open it",
                named(gained)
            ),
            ([], lost) => write!(f, "its rule is not for {}, who can open it", named(lost)),
            (gained, lost) => write!(
                f,
                "its rule is for {}, who cannot open it, and not for {}, who can",
                named(gained),
                named(lost)
            ),
        }
    }
}

impl Difference {
    pub(super) fn between(there: &KeyGroups, wanted: &KeyGroups, names: &RecipientNames) -> Self {
        let all = |keys: &KeyGroups| -> Vec<(String, String)> {
            let mut seen = BTreeSet::new();
            let keys = keys
                .groups()
                .iter()
                .flat_map(|group| named_keys(group, names));
            keys.filter(|(key, _)| seen.insert(key.clone())).collect()
        };
        let (before, after) = (all(there), all(wanted));
        let keys = |all: &[(String, String)]| -> BTreeMap<String, String> {
            all.iter().cloned().collect()
        };
        let (had, has) = (keys(&before), keys(&after));
        let pick = |from: &[(String, String)], want: &dyn Fn(&String) -> bool| {
            let picked = from.iter().filter(|(key, _)| want(key));
            picked.map(|(_, name)| name.clone()).collect()
        };
        Self {
            gained: pick(&after, &|key| !had.contains_key(key)),
            lost: pick(&before, &|key| !has.contains_key(key)),
            kept: pick(&after, &|key| had.contains_key(key)),
        }
    }
}

/// All keys of `keys`, by what they are compared by.
pub(super) fn key_set(keys: &KeyGroups) -> BTreeSet<String> {
    let recipients = keys.recipients().map(Recipient::key);
    recipients
        .chain(keys.others().map(ToString::to_string))
        .collect()
}

/// What two sets of key groups are compared by: order does not count, nor does an SSH key's comment.
pub(super) fn shape_of(keys: &KeyGroups) -> (Vec<BTreeSet<String>>, Option<u8>) {
    let mut groups: Vec<BTreeSet<String>> = keys
        .groups()
        .iter()
        .map(|group| {
            let recipients = group.recipients.iter().map(Recipient::key);
            recipients
                .chain(group.others.iter().map(ToString::to_string))
                .collect()
        })
        .collect();
    groups.sort();
    let all = u8::try_from(groups.len()).unwrap_or(u8::MAX);
    let needed = keys
        .threshold()
        .filter(|_| groups.len() > 1)
        .or((groups.len() > 1).then_some(all));
    (groups, needed)
}
