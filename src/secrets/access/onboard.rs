//! A host joins: its key is registered, and exactly the files that it uses are encrypted to it.

use std::collections::{BTreeMap, BTreeSet};

use super::exclusive::Exclusive;
use super::plan::{DataKeyChange, RekeyPlan, key_set, shape_of};
use super::principals::{Principals, ReaderKind};
use super::rekey::carry_out;
use super::survey::{Asked, Sealed, Seen, State, survey};
use super::transaction::{Replacement, TransactionError, replace_all};
use super::trouble::{OnboardError, RekeyError};
use super::usage::{HostUse, Usage};
use crate::host::Watcher;
use crate::identity::{HostPublicKey, Identities};
use crate::secrets::repository::{NewKey, Repository, Rules, RulesText, RulesTextError};
use crate::source::RepoPath;

/// Which host joins, with which key.
#[derive(Debug)]
pub struct Joining<'a> {
    /// The host, by its folder in `hosts/`.
    pub host: &'a str,
    /// Its public key.
    pub key: &'a HostPublicKey,
    /// What to do if another key of it is known.
    pub other_key: OtherKey,
    /// New files of the repository that come with it, such as its host file.
    pub files: &'a BTreeMap<RepoPath, Vec<u8>>,
}

/// What to do about another key of the same host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherKey {
    /// Nothing is done: it may be an attempt to read the host's secrets.
    Refuse,
    /// The host was set up anew: the new key takes the place of the old one, which is gone.
    Replace,
}

/// What has to be done so that a host can open what it uses.
#[derive(Debug)]
pub struct OnboardPlan {
    /// The host.
    pub host: String,
    /// Its recipient in `.sops.yaml`.
    pub recipient: String,
    /// Keys of it that are taken out, as recipients.
    pub replaced: BTreeSet<String>,
    /// Whether the host has a host file, from which is read what it uses.
    pub has_host_file: bool,
    /// Files that the host uses and that are not there yet.
    pub missing: Vec<RepoPath>,
    /// What changes in the secret files.
    pub rekey: RekeyPlan,
    pub(super) others: Vec<Replacement>,
}

impl OnboardPlan {
    /// Whether nothing has to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.others.is_empty() && self.rekey.is_empty()
    }

    /// Every file that changes, in path order.
    #[must_use]
    pub fn files(&self) -> BTreeSet<&RepoPath> {
        let others = self.others.iter().map(|other| &other.file);
        others
            .chain(self.rekey.changes.iter().map(|change| &change.file))
            .collect()
    }

    /// The text of `.sops.yaml` before and after, if it changes.
    #[must_use]
    pub fn rules_change(&self) -> Option<(&[u8], &[u8])> {
        rules_change(&self.others)
    }
}

pub(super) fn rules_change(changes: &[Replacement]) -> Option<(&[u8], &[u8])> {
    // Beside it, only files of a host change in the clear.
    let change = changes
        .iter()
        .find(|change| !change.file.as_str().starts_with("hosts/"))?;
    Some((change.before.as_deref()?, change.after.as_deref()?))
}

/// What is known before anything is changed.
struct Situation<'a> {
    repository: &'a Repository,
    /// The host's keys: as the derived age recipient, and as the SSH key.
    new: BTreeSet<String>,
    old: BTreeSet<String>,
    /// The keys of all other hosts.
    peers: BTreeSet<String>,
    used: BTreeSet<RepoPath>,
    sealed: BTreeMap<RepoPath, Box<Sealed>>,
    /// Secret files that lie in the clear still.
    others: BTreeSet<RepoPath>,
}

/// Finds out what has to be done. No private key is needed, nothing is changed.
///
/// # Errors
/// [`OnboardError`].
pub fn plan_onboard(
    repository: &Repository,
    usage: &Usage,
    joining: &Joining<'_>,
    watcher: Watcher<'_>,
) -> Result<OnboardPlan, OnboardError> {
    let situation = Situation::of(repository, usage, joining, watcher)?;
    let text = repository
        .read(&repository.rules_file())?
        .unwrap_or_default();
    let before = String::from_utf8_lossy(&text).into_owned();
    let (after, recipient) = situation.changed_rules(&before, joining)?;
    let rules = Rules::parse(&after, repository.rules().path()).map_err(|error| {
        RulesTextError::Meaning {
            reason: error.to_string(),
        }
    })?;
    situation.check_meaning(&rules)?;

    let mut others = Vec::new();
    if after != before {
        others.push(Replacement {
            file: repository.rules_file(),
            before: Some(before.into_bytes()),
            after: Some(after.into_bytes()),
        });
    }
    others.extend(key_file(repository, joining)?);
    others.extend(joining.files.iter().map(|(file, content)| Replacement {
        file: file.clone(),
        before: None,
        after: Some(content.clone()),
    }));
    let names = rules
        .names()
        .clone()
        .with_host(joining.host, &joining.key.openssh());
    let old_name = format!("{} (old key)", joining.host);
    let names = situation
        .old
        .iter()
        .fold(names, |names, key| names.with_key(key, &old_name));
    let mut rekey = RekeyPlan::default();
    let missing = situation.missing();
    for (file, sealed) in situation.sealed {
        let has_old = sealed
            .sealed
            .keys()
            .recipients()
            .any(|it| situation.old.contains(&it.key()));
        if situation.used.contains(&file) || has_old {
            let wanted = rules.keys_of(&file)?;
            rekey.add(file, sealed, wanted, (DataKeyChange::Keep, &names));
        }
    }
    Ok(OnboardPlan {
        host: joining.host.to_owned(),
        recipient,
        replaced: situation.old,
        has_host_file: usage.hosts.contains_key(joining.host),
        missing,
        rekey,
        others,
    })
}

/// `hosts/HOST/ssh_host_ed25519_key.pub`, unless it holds this key already.
fn key_file(
    repository: &Repository,
    joining: &Joining<'_>,
) -> Result<Option<Replacement>, OnboardError> {
    let file = RepoPath::new(format!("hosts/{}/ssh_host_ed25519_key.pub", joining.host)).map_err(
        |_| OnboardError::Name {
            host: joining.host.to_owned(),
        },
    )?;
    let before = repository.read(&file)?;
    let there = before.as_deref().and_then(|text| {
        // A file that holds no key is replaced like one that holds another.
        HostPublicKey::find(&String::from_utf8_lossy(text)).ok()
    });
    if there.as_ref() == Some(joining.key) {
        return Ok(None);
    }
    Ok(Some(Replacement {
        file,
        before,
        after: Some(format!("{} {}\n", joining.key.openssh(), joining.host).into_bytes()),
    }))
}

impl<'a> Situation<'a> {
    fn of(
        repository: &'a Repository,
        usage: &Usage,
        joining: &Joining<'_>,
        watcher: Watcher<'_>,
    ) -> Result<Self, OnboardError> {
        let new = BTreeSet::from([joining.key.age_recipient(), joining.key.openssh()]);
        let principals = Principals::of(repository, usage);
        for key in &new {
            let owner = principals.reader(key);
            if owner.kind != ReaderKind::Unknown && owner.name != joining.host {
                return Err(OnboardError::KeyOfAnother {
                    host: joining.host.to_owned(),
                    other: owner.name,
                });
            }
        }
        let known = principals
            .hosts()
            .get(joining.host)
            .cloned()
            .unwrap_or_default();
        let old: BTreeSet<String> = known.difference(&new).cloned().collect();
        let others = principals.hosts().iter();
        let peers = others
            .filter(|(name, _)| *name != joining.host)
            .flat_map(|(_, keys)| keys.iter().cloned())
            .collect();
        if !old.is_empty() && joining.other_key == OtherKey::Refuse {
            return Err(OnboardError::OtherKey {
                host: joining.host.to_owned(),
            });
        }
        let used = match usage.hosts.get(joining.host) {
            None => BTreeSet::new(),
            Some(HostUse {
                file,
                secrets: Err(trouble),
            }) => {
                return Err(OnboardError::HostFile {
                    file: file.clone(),
                    trouble: trouble.clone(),
                });
            }
            Some(_) => usage.files_of(joining.host).unwrap_or_default(),
        };
        let mut sealed = BTreeMap::new();
        let mut others = BTreeSet::new();
        for Seen { file, state } in
            survey(repository, &repository.candidates(), Asked::ByRule, watcher)
        {
            match state {
                State::Sealed(found) => {
                    sealed.insert(file, found);
                }
                State::Broken(_) | State::Unreadable(_) if used.contains(&file) => {
                    return Err(OnboardError::Broken { file });
                }
                State::InTheClear | State::Broken(_) | State::Unreadable(_) => {
                    others.insert(file);
                }
                State::Other | State::Missing => {}
            }
        }
        Ok(Self {
            repository,
            new,
            old,
            peers,
            used,
            sealed,
            others,
        })
    }

    fn missing(&self) -> Vec<RepoPath> {
        self.used
            .iter()
            .filter(|file| !self.sealed.contains_key(*file))
            .cloned()
            .collect()
    }

    /// Every file that has, or will have, a rule.
    fn all_files(&self) -> BTreeSet<&RepoPath> {
        self.sealed
            .keys()
            .chain(&self.others)
            .chain(&self.used)
            .collect()
    }

    /// The text of `.sops.yaml` with the host's key where it belongs, and that key.
    fn changed_rules(
        &self,
        before: &str,
        joining: &Joining<'_>,
    ) -> Result<(String, String), OnboardError> {
        let mut text = RulesText::parse(before)?;
        let age = joining.key.age_recipient();
        if !self.old.is_empty() {
            text = text.with_replaced(
                &self.old,
                &NewKey {
                    name: joining.host,
                    key: &age,
                },
            )?;
        }
        let anchor = text.anchor_of(&self.new).unwrap_or(joining.host).to_owned();
        // Its native form may be there already; both open.
        let key = text
            .keys_at(&anchor)
            .into_iter()
            .find(|key| self.new.contains(key))
            .unwrap_or(age);
        let new = NewKey {
            name: &anchor,
            key: &key,
        };
        text = text.with_anchor(&new)?;
        let rules = self.parsed(&text)?;
        let mut by_rule: BTreeMap<usize, Vec<RepoPath>> = BTreeMap::new();
        for file in &self.used {
            let keys = rules.keys_of(file)?;
            if key_set(&keys).is_disjoint(&self.new) {
                let number = rules.rule_for(file).map_or(0, crate::secrets::Rule::number);
                by_rule.entry(number).or_default().push(file.clone());
            }
        }
        // The last rule first, so that a rule put before one moves none that is still to come.
        for (number, files) in by_rule.iter().rev() {
            let of_rule = |file: &&&RepoPath| {
                rules
                    .rule_for(file)
                    .is_some_and(|rule| rule.number() == *number)
            };
            let all = self.all_files();
            let widens = all.iter().filter(of_rule).any(|file| !files.contains(file));
            if widens {
                text = text.with_rule_before(*number, files)?;
            }
            text = text.with_rule_key(*number, &new, &self.peers)?;
        }
        Ok((text.text().to_owned(), key))
    }

    fn parsed(&self, text: &RulesText) -> Result<Rules, RulesTextError> {
        Rules::parse(text.text(), self.repository.rules().path()).map_err(|error| {
            RulesTextError::Meaning {
                reason: error.to_string(),
            }
        })
    }

    /// Proves that nobody but the host gains or loses anything.
    fn check_meaning(&self, after: &Rules) -> Result<(), OnboardError> {
        let before = self.repository.rules();
        for file in self.all_files() {
            let differs = |reason: &str| RulesTextError::Meaning {
                reason: format!("{file}: {reason}"),
            };
            let (was, is) = match (before.keys_of(file), after.keys_of(file)) {
                (Ok(was), Ok(is)) => (was, is),
                (Err(_), Err(_)) if !self.used.contains(file) => continue,
                (_, Err(error)) => return Err(error.into()),
                (Err(_), Ok(_)) => return Err(differs("it has a rule now").into()),
            };
            let (was_keys, is_keys) = (key_set(&was), key_set(&is));
            let opened_before =
                !was_keys.is_disjoint(&self.old) || !was_keys.is_disjoint(&self.new);
            let opens_now = !is_keys.is_disjoint(&self.new);
            let rest = |keys: &BTreeSet<String>| -> BTreeSet<String> {
                keys.iter()
                    .filter(|key| !self.old.contains(*key) && !self.new.contains(*key))
                    .cloned()
                    .collect()
            };
            if rest(&was_keys) != rest(&is_keys) || !is_keys.is_disjoint(&self.old) {
                return Err(differs("somebody else would gain or lose it").into());
            }
            if opens_now != (opened_before || self.used.contains(file)) {
                return Err(differs("the host would gain or lose it").into());
            }
            if shape_of(&was).0.len() != shape_of(&is).0.len() || was.threshold() != is.threshold()
            {
                return Err(differs("its key groups would change").into());
            }
            let selector = |rules: &Rules| rules.rule_for(file).map(|rule| rule.selector().clone());
            if selector(before) != selector(after) {
                return Err(differs("other values of it would be encrypted").into());
            }
        }
        Ok(())
    }
}

/// Writes the files of a host whose key is not known yet: all of them or none.
///
/// # Errors
/// [`TransactionError`]; one that somebody else made meanwhile is left alone.
pub fn add_files(
    exclusive: &Exclusive,
    files: &BTreeMap<RepoPath, Vec<u8>>,
    watcher: Watcher<'_>,
) -> Result<(), TransactionError> {
    let files = files.iter().map(|(file, content)| Replacement {
        file: file.clone(),
        before: None,
        after: Some(content.clone()),
    });
    replace_all(exclusive.repository(), &files.collect::<Vec<_>>(), watcher)
}

/// Carries out `plan`: the key file, `.sops.yaml` and the secret files, all of them or none.
///
/// # Errors
/// [`RekeyError`] with everything that stands in the way.
pub fn onboard(
    exclusive: &Exclusive,
    plan: &OnboardPlan,
    identities: &Identities,
    watcher: Watcher<'_>,
) -> Result<(), RekeyError> {
    carry_out(exclusive, &plan.rekey, (identities, watcher), |_resealed| {
        Ok(plan.others.clone())
    })
}
