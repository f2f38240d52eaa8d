//! Rekeying: every secret file is made to match `.sops.yaml`, all of them or none.

use std::collections::BTreeMap;
use std::fmt;

use crate::host::durable::Lock;
use crate::identity::{Identities, Recipient};
use crate::secrets::file::{ChangeError, SecretFileError, SecretFileErrorKind, explain};
use crate::secrets::repository::RecipientsError;
use crate::secrets::repository::{Repository, is_yaml};
use crate::sops::{Format, KeyGroups, ParseError, SealError, SealedFile};
use crate::source::RepoPath;

/// What has to be done so that every secret file matches the rules.
#[derive(Debug)]
pub struct RekeyPlan {
    /// Files whose recipients differ from their rule, in path order.
    pub changes: Vec<FileRekey>,
    /// Files that match.
    pub matching: Vec<MatchingFile>,
    /// What people should know about other files.
    pub notices: Vec<RekeyNotice>,
}

/// A secret file that matches its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchingFile {
    /// The file.
    pub file: RepoPath,
    /// Who can open it.
    pub recipients: Vec<Recipient>,
}

/// A secret file whose recipients have to change.
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
    wanted: Vec<Recipient>,
    text: Vec<u8>,
    sealed: SealedFile,
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

/// One file that stands in the way of a rekey.
#[derive(Debug, thiserror::Error)]
pub enum RekeyTrouble {
    /// It cannot be read, opened or encrypted.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// Its recipients cannot be told.
    #[error(transparent)]
    Recipients(#[from] RecipientsError),
    /// Somebody is changing it.
    #[error(transparent)]
    Locked(#[from] ChangeError),
    /// It is in a format that this version does not read.
    #[error("{file} is not YAML, and this version encrypts YAML only")]
    Format {
        /// The file.
        file: RepoPath,
    },
}

impl RekeyTrouble {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::File(error) => error.fix(),
            Self::Recipients(error) => Some(error.fix().to_owned()),
            Self::Locked(error) => error.fix(),
            Self::Format { .. } => Some("use `sops updatekeys` for it".to_owned()),
        }
    }
}

/// A rekey that was not done: every file is as it was.
#[derive(Debug, thiserror::Error)]
#[error("{}", summary(troubles, unrestored))]
pub struct RekeyError {
    /// What stands in the way, file by file.
    pub troubles: Vec<RekeyTrouble>,
    /// Files that are rekeyed all the same, because they could not be given their old text back.
    pub unrestored: Vec<RepoPath>,
}

fn summary(troubles: &[RekeyTrouble], unrestored: &[RepoPath]) -> String {
    if !unrestored.is_empty() {
        let files: Vec<&str> = unrestored.iter().map(RepoPath::as_str).collect();
        return format!(
            "the rekey stopped halfway; {} is done and could not be undone",
            files.join(", ")
        );
    }
    match troubles.len() {
        1 => "nothing was rekeyed: one file stands in the way".to_owned(),
        several => format!("nothing was rekeyed: {several} files stand in the way"),
    }
}

impl From<Vec<RekeyTrouble>> for RekeyError {
    fn from(troubles: Vec<RekeyTrouble>) -> Self {
        Self {
            troubles,
            unrestored: Vec::new(),
        }
    }
}

/// Compares the recipients of the secret files with the rules. No key is needed, nothing is changed.
///
/// Without `paths`, all secret files of the repository: those that a rule covers, and that are encrypted.
///
/// # Errors
/// [`RekeyError`] with every file that cannot be compared.
pub fn plan_rekey(repository: &Repository, paths: &[RepoPath]) -> Result<RekeyPlan, RekeyError> {
    let named = !paths.is_empty();
    let files = if named {
        paths.to_vec()
    } else {
        repository.candidates()
    };
    let mut plan = RekeyPlan {
        changes: Vec::new(),
        matching: Vec::new(),
        notices: Vec::new(),
    };
    let mut troubles = Vec::new();
    for file in files {
        match compare(repository, &file, named) {
            Ok(Compared::Other) => {}
            Ok(Compared::Notice(kind)) => plan.notices.push(RekeyNotice { file, kind }),
            Ok(Compared::Matching(recipients)) => {
                plan.matching.push(MatchingFile { file, recipients });
            }
            Ok(Compared::Different(change)) => plan.changes.push(*change),
            Err(trouble) => troubles.push(trouble),
        }
    }
    if troubles.is_empty() {
        Ok(plan)
    } else {
        Err(troubles.into())
    }
}

enum Compared {
    /// Not a secret file.
    Other,
    Notice(RekeyNoticeKind),
    Matching(Vec<Recipient>),
    Different(Box<FileRekey>),
}

/// `named`: the person said that it is a secret file, so anything else is an error.
fn compare(
    repository: &Repository,
    file: &RepoPath,
    named: bool,
) -> Result<Compared, RekeyTrouble> {
    if !is_yaml(file) {
        return Err(RekeyTrouble::Format { file: file.clone() });
    }
    let path = repository.path(file);
    let failed = |kind| SecretFileError::new("compare", &path, kind);
    let text = repository
        .read(file)
        .map_err(|error| failed(SecretFileErrorKind::File(error)))?
        .ok_or_else(|| failed(SecretFileErrorKind::Missing))?;
    let rule = repository.rules().rule_for(file);
    if !named && !looks_sealed(&text) {
        let meant = rule.is_some_and(crate::secrets::Rule::names_files);
        return Ok(if meant {
            Compared::Notice(RekeyNoticeKind::InTheClear)
        } else {
            Compared::Other
        });
    }
    let sealed = match SealedFile::parse(&text, Format::of_path(file.as_str())) {
        Ok(sealed) => sealed,
        Err(ParseError::NotSealed) if !named => return Ok(Compared::Other),
        Err(error) => return Err(failed(SecretFileErrorKind::Parse(error)).into()),
    };
    if rule.is_none() && !named {
        return Ok(Compared::Notice(RekeyNoticeKind::NoRule));
    }
    let wanted = repository.rules().recipients_of(file)?;
    Ok(difference(repository, file, (text, sealed), wanted))
}

/// Whether there is a `sops` entry at the top level, so that a file is worth parsing as a secret file.
fn looks_sealed(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n')
        .any(|line| line.starts_with(b"sops:") || line.starts_with(b"\"sops\":"))
}

fn difference(
    repository: &Repository,
    file: &RepoPath,
    found: (Vec<u8>, SealedFile),
    wanted: Vec<Recipient>,
) -> Compared {
    let (text, sealed) = found;
    let names = repository.names();
    // Compared by key: an SSH key's comment may differ. A recipient of a kind that is unknown here has its text only.
    let key_of =
        |text: &str| Recipient::parse(text).map_or_else(|_| text.to_owned(), |it| it.key());
    let there: BTreeMap<String, String> = sealed
        .recipients()
        .into_iter()
        .map(|text| (key_of(&text), text))
        .collect();
    let by_key: BTreeMap<String, &Recipient> = wanted.iter().map(|it| (it.key(), it)).collect();
    let gained: Vec<String> = wanted
        .iter()
        .filter(|recipient| !there.contains_key(&recipient.key()))
        .map(|recipient| names.name_of(recipient))
        .collect();
    let mut lost = Vec::new();
    let mut kept = Vec::new();
    for (key, text) in &there {
        let name = names.name_of_text(text);
        if by_key.contains_key(key) {
            kept.push(name);
        } else {
            lost.push(name);
        }
    }
    if gained.is_empty() && lost.is_empty() {
        return Compared::Matching(wanted);
    }
    Compared::Different(Box::new(FileRekey {
        file: file.clone(),
        gained,
        lost,
        kept,
        wanted,
        text,
        sealed,
    }))
}

impl RekeyPlan {
    /// Whether every file matches.
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
        let ours: Vec<Recipient> = identities
            .recipients()
            .filter_map(|text| Recipient::parse(text).ok())
            .collect();
        self.changes
            .iter()
            .filter(|change| !change.wanted.iter().any(|wanted| ours.contains(wanted)))
            .map(|change| &change.file)
            .collect()
    }
}

/// Carries out `plan`. Every new text is made and checked in memory before the first file is replaced; if a file cannot be
/// replaced, those before it get their old text back.
///
/// # Errors
/// [`RekeyError`] with everything that stands in the way; no file is changed then.
pub fn rekey(
    repository: &Repository,
    plan: &RekeyPlan,
    identities: &Identities,
) -> Result<(), RekeyError> {
    let mut locks: Vec<Lock> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    let mut troubles: Vec<RekeyTrouble> = Vec::new();
    for change in &plan.changes {
        match repository.lock(&change.file) {
            Ok(lock) => locks.push(lock),
            Err(source) => {
                let file = change.file.clone();
                troubles.push(ChangeError::Locked { file, source }.into());
                continue;
            }
        }
        match rewrap(repository, change, identities) {
            Ok(text) => texts.push(text),
            Err(error) => troubles.push(error.into()),
        }
    }
    if !troubles.is_empty() {
        return Err(troubles.into());
    }
    replace_all(repository, &plan.changes, &texts)
}

/// Makes the new text of one file and proves that it is what it should be.
fn rewrap(
    repository: &Repository,
    change: &FileRekey,
    identities: &Identities,
) -> Result<String, SecretFileError> {
    let path = repository.path(&change.file);
    let failed = |action, kind| SecretFileError::new(action, &path, kind);
    let now = repository
        .read(&change.file)
        .map_err(|error| failed("read", SecretFileErrorKind::File(error)))?;
    if now.as_ref() != Some(&change.text) {
        return Err(failed("rekey", SecretFileErrorKind::Changed));
    }
    // A file that is not whole must not be passed on to more people.
    change
        .sealed
        .open(identities)
        .map_err(|error| failed("open", explain(error, identities, repository.names())))?;
    let text = change
        .sealed
        .rewrap(identities, &KeyGroups::one(change.wanted.clone()))
        .map_err(|error| failed("rekey", SecretFileErrorKind::Seal(error)))?;
    prove((&text, &change.file), &change.wanted, identities).map_err(|reason| {
        let reason = SealError::ReadBack { reason };
        failed("rekey", SecretFileErrorKind::Seal(reason))
    })?;
    Ok(text)
}

/// Reads a new text back: it has exactly these recipients, and opens if one of the keys that are here is among them.
fn prove(
    (text, file): (&str, &RepoPath),
    wanted: &[Recipient],
    identities: &Identities,
) -> Result<(), String> {
    let sealed = SealedFile::parse(text.as_bytes(), Format::of_path(file.as_str()))
        .map_err(|error| error.to_string())?;
    let mut there: Vec<Recipient> = Vec::new();
    for recipient in sealed.recipients() {
        there.push(Recipient::parse(&recipient).map_err(|error| error.to_string())?);
    }
    let mut expected = wanted.to_vec();
    there.sort();
    expected.sort();
    if there != expected {
        return Err("its recipients are not those of the rule".to_owned());
    }
    let is_ours = identities
        .recipients()
        .filter_map(|text| Recipient::parse(text).ok())
        .any(|ours| expected.contains(&ours));
    if is_ours {
        sealed.open(identities).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn replace_all(
    repository: &Repository,
    changes: &[FileRekey],
    texts: &[String],
) -> Result<(), RekeyError> {
    for (done, (change, text)) in changes.iter().zip(texts).enumerate() {
        let Err(error) = repository.replace(&change.file, text.as_bytes()) else {
            continue;
        };
        let failed = |file: &RepoPath, error| {
            let path = repository.path(file);
            SecretFileError::new("replace", &path, SecretFileErrorKind::File(error)).into()
        };
        let mut stopped = RekeyError::from(vec![failed(&change.file, error)]);
        for earlier in &changes[..done] {
            if let Err(error) = repository.replace(&earlier.file, &earlier.text) {
                stopped.troubles.push(failed(&earlier.file, error));
                stopped.unrestored.push(earlier.file.clone());
            }
        }
        return Err(stopped);
    }
    Ok(())
}
