//! Somebody leaves: their keys are taken out everywhere, what they could read gets new data keys, and every value that
//! they could ever read is written down as one to change.

use std::collections::{BTreeMap, BTreeSet};

use super::ever::{Ever, Values, encrypted_paths, ever_readable, is_for};
use super::exclusive::Exclusive;
use super::onboard::rules_change;
use super::plan::{DataKeyChange, RekeyPlan, key_set, shape_of};
use super::principals::Principals;
use super::rekey::{carry_out, ledger_replacement};
use super::survey::{Asked, Sealed, Seen, State, survey};
use super::transaction::Replacement;
use super::trouble::{OffboardError, RekeyError};
use super::usage::Usage;
use crate::host::Watcher;
use crate::host::{Digest, clock};
use crate::identity::{Identities, Recipient};
use crate::secrets::file::SecretFileError;
use crate::secrets::file::SecretFileErrorKind;
use crate::secrets::repository::{
    GoneValue, MustChange, MustChangeValue, Repository, Rules, RulesText, RulesTextError,
    names_single_files,
};
use crate::sops::{Format, KeyGroup, KeyGroups, SealedFile};
use crate::source::{RepoPath, WorkingClone};

/// Whether the history has to be whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryNeed {
    /// Without it, or with a part of it, nothing is done.
    Whole,
    /// What is there is looked at.
    WhatIsThere,
}

/// What has to be done so that somebody has no part in the secrets any more.
#[derive(Debug)]
pub struct OffboardPlan {
    /// Who leaves: a host, or a person by their anchor.
    pub name: String,
    /// Their keys, those of today and earlier ones.
    pub keys: BTreeSet<String>,
    /// What changes in the secret files; all of them get new data keys.
    pub rekey: RekeyPlan,
    /// Values that must be changed, by file.
    pub must_change: Vec<(RepoPath, Vec<String>)>,
    /// Values that are only in git's history, by file.
    pub gone: Vec<(RepoPath, Vec<String>)>,
    /// How many commits were looked at; nothing if there is no git repository.
    pub commits: Option<usize>,
    others: Vec<Replacement>,
    ledger: MustChange,
    /// Files that they could read once and not today, as they are.
    unreadable_now: BTreeMap<RepoPath, Box<Sealed>>,
}

impl OffboardPlan {
    /// Every file that changes, in path order.
    #[must_use]
    pub fn files(&self) -> BTreeSet<RepoPath> {
        let others = self.others.iter().map(|other| other.file.clone());
        let secrets = self.rekey.changes.iter().map(|change| change.file.clone());
        let ledger = (!self.must_change.is_empty() || !self.gone.is_empty()).then(MustChange::file);
        others.chain(secrets).chain(ledger).collect()
    }

    /// The text of `.sops.yaml` before and after, if it changes.
    #[must_use]
    pub fn rules_change(&self) -> Option<(&[u8], &[u8])> {
        rules_change(&self.others)
    }
}

/// Finds out what has to be done. No private key is needed, nothing is changed.
///
/// # Errors
/// [`OffboardError`].
pub fn plan_offboard(
    repository: &Repository,
    usage: &Usage,
    (name, need): (&str, HistoryNeed),
    watcher: Watcher<'_>,
) -> Result<OffboardPlan, OffboardError> {
    let today = keys_today(repository, usage, name);
    let ever = history_of(repository, (name, &today), need, watcher)?;
    if ever.keys.is_empty() {
        return Err(OffboardError::Unknown {
            name: name.to_owned(),
        });
    }
    let mut sealed: BTreeMap<RepoPath, Box<Sealed>> = BTreeMap::new();
    for Seen { file, state } in survey(repository, &repository.candidates(), Asked::ByRule, watcher)
    {
        match state {
            State::Sealed(found) => {
                sealed.insert(file, found);
            }
            State::Broken(_) | State::Unreadable(_) => return Err(OffboardError::Broken { file }),
            State::InTheClear | State::Other | State::Missing => {}
        }
    }
    let (others, rules) = leaving_files(repository, name, &ever.keys, &sealed)?;
    let mut plan = OffboardPlan {
        name: name.to_owned(),
        rekey: RekeyPlan::default(),
        must_change: Vec::new(),
        gone: Vec::new(),
        commits: (ever.commits > 0).then_some(ever.commits),
        others,
        ledger: MustChange::load(repository)?,
        unreadable_now: BTreeMap::new(),
        keys: ever.keys,
    };
    plan.sort_out(ever.values, &sealed);
    for (file, found) in sealed {
        if !is_for(&found.sealed, &plan.keys) {
            plan.unreadable_now.insert(file, found);
            continue;
        }
        let wanted = match rules.keys_of(&file) {
            Ok(wanted) => wanted,
            Err(_no_rule) => without(&found.sealed.keys(), &plan.keys)
                .ok_or_else(|| OffboardError::NobodyLeft { file: file.clone() })?,
        };
        let names = repository.names();
        plan.rekey
            .add(file, found, wanted, (DataKeyChange::Rotate, names));
    }
    Ok(plan)
}

/// The keys that `name` stands for now.
fn keys_today(repository: &Repository, usage: &Usage, name: &str) -> BTreeSet<String> {
    let principals = Principals::of(repository, usage);
    let host = principals.hosts().get(name);
    let person = principals.people().get(name);
    host.into_iter().chain(person).flatten().cloned().collect()
}

fn history_of(
    repository: &Repository,
    (name, today): (&str, &BTreeSet<String>),
    need: HistoryNeed,
    watcher: Watcher<'_>,
) -> Result<Ever, OffboardError> {
    let nothing = || Ever {
        keys: today.clone(),
        ..Ever::default()
    };
    match WorkingClone::around(repository.root())? {
        None if need == HistoryNeed::Whole => Err(OffboardError::NoHistory),
        None => Ok(nothing()),
        Some(clone) if clone.is_shallow() && need == HistoryNeed::Whole => {
            Err(OffboardError::Shallow)
        }
        Some(clone) => Ok(ever_readable(repository, &clone, (name, today), watcher)?),
    }
}

/// `.sops.yaml` without the keys, and the host's key file taken away; with the rules as they are then.
fn leaving_files(
    repository: &Repository,
    name: &str,
    keys: &BTreeSet<String>,
    sealed: &BTreeMap<RepoPath, Box<Sealed>>,
) -> Result<(Vec<Replacement>, Rules), OffboardError> {
    let rules_file = repository.rules_file();
    let text = repository.read(&rules_file)?.unwrap_or_default();
    let before = String::from_utf8_lossy(&text).into_owned();
    let rules_of = |text: &RulesText| {
        Rules::parse(text.text(), repository.rules().path()).map_err(|error| {
            RulesTextError::Meaning {
                reason: error.to_string(),
            }
        })
    };
    let mut after = RulesText::parse(&before)?.without_keys(keys)?;
    check_meaning(repository, &rules_of(&after)?, keys, sealed)?;
    // A rule for single files may say the same now as the one behind it.
    let mut number = repository.rules().count();
    while number > 0 {
        let rules = rules_of(&after)?;
        if rules.path_regex(number).is_some_and(names_single_files)
            && let Ok(shorter) = after.without_rule(number)
            && rules_of(&shorter).is_ok_and(|shorter| says_the_same(&rules, &shorter, sealed))
        {
            after = shorter;
        }
        number -= 1;
    }
    let rules = rules_of(&after)?;
    let mut others = Vec::new();
    if after.text() != before {
        others.push(Replacement {
            file: rules_file,
            before: Some(before.into_bytes()),
            after: Some(after.text().as_bytes().to_vec()),
        });
    }
    let key_file = RepoPath::new(format!("hosts/{name}/ssh_host_ed25519_key.pub"));
    if let Ok(file) = key_file
        && let Some(before) = repository.read(&file)?
    {
        others.push(Replacement {
            file,
            before: Some(before),
            after: None,
        });
    }
    Ok((others, rules))
}

/// Whether both say the same about every file that is there.
fn says_the_same(a: &Rules, b: &Rules, files: &BTreeMap<RepoPath, Box<Sealed>>) -> bool {
    files.keys().all(|file| {
        let keys = |rules: &Rules| rules.keys_of(file).ok().map(|keys| shape_of(&keys));
        let selector = |rules: &Rules| rules.rule_for(file).map(|rule| rule.selector().clone());
        keys(a) == keys(b) && selector(a) == selector(b)
    })
}

/// Proves that nobody but who leaves loses anything, and nobody gains.
fn check_meaning(
    repository: &Repository,
    after: &Rules,
    keys: &BTreeSet<String>,
    files: &BTreeMap<RepoPath, Box<Sealed>>,
) -> Result<(), OffboardError> {
    for file in files.keys() {
        let Ok(was) = repository.rules().keys_of(file) else {
            continue;
        };
        let expected: BTreeSet<String> = key_set(&was).difference(keys).cloned().collect();
        let is = after.keys_of(file)?;
        if key_set(&is) != expected {
            return Err(RulesTextError::Meaning {
                reason: format!("{file}: somebody else would gain or lose it"),
            }
            .into());
        }
    }
    Ok(())
}

/// `groups` without `keys`; nothing if a group would have no key left.
fn without(groups: &KeyGroups, keys: &BTreeSet<String>) -> Option<KeyGroups> {
    let threshold = groups.threshold().map_or(0, usize::from);
    let groups = groups.groups().iter().map(|group| {
        let stays = |recipient: &&Recipient| !keys.contains(&recipient.key());
        KeyGroup {
            recipients: group.recipients.iter().filter(stays).cloned().collect(),
            others: group.others.clone(),
        }
    });
    KeyGroups::new(groups.collect(), threshold).ok()
}

impl OffboardPlan {
    /// Values that are there must be changed; those that are not are only in the history.
    fn sort_out(&mut self, mut values: Values, sealed: &BTreeMap<RepoPath, Box<Sealed>>) {
        for (file, found) in sealed {
            if is_for(&found.sealed, &self.keys) {
                let now = values.entry(file.clone()).or_default();
                now.extend(encrypted_paths(&found.sealed));
            }
        }
        for (file, keys) in values {
            for key in keys {
                let there = sealed
                    .get(&file)
                    .and_then(|found| found.sealed.ciphertext(&key));
                if there.is_some_and(|text| text.starts_with("ENC[")) {
                    self.must_change.push((file.clone(), key));
                } else {
                    self.gone.push((file.clone(), key));
                }
            }
        }
    }

    /// The ledger with the values of this plan, whose files have the texts `after` now.
    fn ledger_after(&self, after: &[Replacement]) -> Result<MustChange, RekeyError> {
        let mut texts: BTreeMap<&RepoPath, SealedFile> = BTreeMap::new();
        let mut ledger = self.ledger.clone();
        for (change, replacement) in self.rekey.changes.iter().zip(after) {
            let text = replacement.after.as_deref().unwrap_or_default();
            let failed = |error| {
                let path = std::path::Path::new(change.file.as_str());
                let kind = SecretFileErrorKind::Parse(error);
                super::trouble::RekeyTrouble::from(SecretFileError::new("rekey", path, kind))
            };
            ledger
                .carry(&change.file, &change.found.sealed, text)
                .map_err(failed)?;
            let sealed = SealedFile::parse(text, Format::of_path(change.file.as_str()));
            texts.insert(&change.file, sealed.map_err(failed)?);
        }
        let since = clock::now_rfc3339();
        for (file, key) in &self.must_change {
            let rotated = texts.get(file);
            let sealed =
                rotated.or_else(|| self.unreadable_now.get(file).map(|found| &found.sealed));
            if let Some(text) = sealed.and_then(|sealed| sealed.ciphertext(key)) {
                let ciphertext = Digest::of(text.as_bytes());
                let value = MustChangeValue {
                    file: file.clone(),
                    key: key.clone(),
                    could_read: vec![self.name.clone()],
                    since: since.clone(),
                    ciphertext,
                };
                ledger.add(value);
            }
        }
        for (file, key) in &self.gone {
            ledger.add_gone(GoneValue {
                file: file.clone(),
                key: key.clone(),
                could_read: vec![self.name.clone()],
            });
        }
        Ok(ledger)
    }
}

/// Carries out `plan`: `.sops.yaml`, the key file, the secret files and the ledger, all of them or none.
///
/// # Errors
/// [`RekeyError`] with everything that stands in the way.
pub fn offboard(
    exclusive: &Exclusive,
    plan: &OffboardPlan,
    identities: &Identities,
    watcher: Watcher<'_>,
) -> Result<(), RekeyError> {
    let repository = exclusive.repository();
    carry_out(exclusive, &plan.rekey, (identities, watcher), |resealed| {
        let ledger = ledger_replacement(repository, &plan.ledger_after(resealed)?)?;
        let changed = (ledger.before != ledger.after).then_some(ledger);
        Ok(changed
            .into_iter()
            .chain(plan.others.iter().cloned())
            .collect())
    })
}
