//! What an account or group should be, and the doors to make it so.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{AccountError, edit, live};
use crate::host::{
    AccountState, Accounts, FileMode, GroupName, Host, HostPath, Owner, PathState, UserName,
};

/// A group to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupSpec {
    /// Fixed id.
    pub gid: Option<u32>,
    /// From the system range.
    pub system: bool,
}

/// An account to make or to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSpec {
    /// Fixed id.
    pub uid: Option<u32>,
    /// Primary group; must exist.
    pub group: GroupName,
    /// Supplementary groups it must be in; must exist. Others it is in are kept.
    pub groups: BTreeSet<GroupName>,
    /// GECOS; left alone when absent.
    pub description: Option<String>,
    /// Home directory; made for an account that is no system account.
    pub home: HostPath,
    /// Login shell; left alone, or the system's default, when absent.
    pub shell: Option<HostPath>,
    /// From the system range.
    pub system: bool,
    /// When it stops being usable.
    pub expires: Expires,
    /// Subordinate user and group ids that it must have; others are kept.
    pub subids: Option<SubIds>,
}

/// When an account stops being usable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Expires {
    /// As it is; a day that is past is taken away, because it locks the account.
    #[default]
    Kept,
    /// Never.
    Never,
    /// On a day, counted from 1970-01-01.
    On(i64),
}

impl Expires {
    /// What to write into the shadow file; `None` if nothing changes.
    pub(super) fn written(self, found: Option<&AccountState>) -> Option<String> {
        let expires = found.and_then(|found| found.expires);
        let is_locked = found.is_some_and(|found| found.locked == Some(true));
        match self {
            Self::On(day) => (expires != Some(day)).then(|| day.to_string()),
            Self::Never => expires.is_some().then(String::new),
            Self::Kept => (is_locked && expires.is_some()).then(String::new),
        }
    }
}

/// The ids of `spec` that the account has not got yet, as subordinate user ids and as group ids.
pub(super) fn missing_subids(
    accounts: &Accounts,
    name: &UserName,
    spec: &UserSpec,
) -> (Option<SubIds>, Option<SubIds>) {
    let missing = |ranges: &BTreeMap<String, Vec<SubIds>>| {
        let has = |wanted: &SubIds| {
            ranges
                .get(name.as_str())
                .is_some_and(|has| has.contains(wanted))
        };
        spec.subids.filter(|wanted| !has(wanted))
    };
    (missing(&accounts.subuids), missing(&accounts.subgids))
}

/// A range of subordinate ids, of users and of groups alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SubIds {
    /// The first id.
    pub start: u32,
    /// How many there are.
    pub count: u32,
}

/// `100000:65536`, as in subuid(5).
impl std::fmt::Display for SubIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.start, self.count)
    }
}

impl SubIds {
    /// Whether an id is in both.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let end = |range: Self| u64::from(range.start) + u64::from(range.count);
        u64::from(self.start) < end(other) && u64::from(other.start) < end(self)
    }
}

impl Host {
    /// Makes a group, unless there is one of that name and id.
    ///
    /// # Errors
    /// [`AccountError::OtherId`] if the name has another id, [`AccountError::IdTaken`], or the tool's refusal.
    pub fn create_group(&self, name: &GroupName, spec: &GroupSpec) -> Result<(), AccountError> {
        let accounts = self.accounts()?;
        if let Some(found) = accounts.groups.get(name) {
            return match spec.gid {
                Some(wanted) if wanted != found.gid => Err(AccountError::OtherId {
                    account: format!("group {name}"),
                    wanted,
                    found: found.gid,
                }),
                _ => Ok(()),
            };
        }
        if let Some(gid) = spec.gid
            && let Some((other, _)) = accounts.groups.iter().find(|(_, group)| group.gid == gid)
        {
            return Err(AccountError::IdTaken {
                account: format!("group {name}"),
                id: gid,
                by: format!("group {other}"),
            });
        }
        if self.is_live() {
            live::create_group(name, spec)
        } else {
            edit::create_group(self, name, spec)
        }
    }

    /// Makes an account without a password, or changes the one that is there.
    ///
    /// # Errors
    /// [`AccountError::OtherId`], [`AccountError::IdTaken`], [`AccountError::NoGroup`], or the tool's refusal.
    pub fn create_user(&self, name: &UserName, spec: &UserSpec) -> Result<(), AccountError> {
        let accounts = self.accounts()?;
        if accounts.users.contains_key(name) {
            return self.modify_user(name, spec);
        }
        if let Some(uid) = spec.uid
            && let Some((other, _)) = accounts.users.iter().find(|(_, user)| user.uid == uid)
        {
            return Err(AccountError::IdTaken {
                account: format!("user {name}"),
                id: uid,
                by: format!("user {other}"),
            });
        }
        check_fields(name, spec)?;
        check_groups(&accounts, name, spec)?;
        if self.is_live() {
            live::create_user(name, spec)
        } else {
            edit::create_user(self, &accounts, name, spec)
        }
    }

    /// Gives the account a home directory of its own where a process that was killed while it made the account left none,
    /// or one that is empty and root's still. System accounts have none.
    ///
    /// # Errors
    /// [`AccountError::NoUser`], or the kernel's refusal.
    pub fn give_home(&self, name: &UserName, spec: &UserSpec) -> Result<(), AccountError> {
        let accounts = self.accounts()?;
        let found = known(&accounts, name)?;
        let is_unfinished = match self.look(&spec.home)? {
            PathState::Absent => true,
            PathState::Directory {
                owner: Owner::Ids { uid: 0, .. },
                ..
            } => self.list(&spec.home)?.is_some_and(|names| names.is_empty()),
            _ => false,
        };
        if spec.system || found.uid == 0 || !is_unfinished {
            return Ok(());
        }
        let owner = Owner::Ids {
            uid: found.uid,
            gid: found.gid,
        };
        self.make_parents(&spec.home)?;
        Ok(self.make_directory(&spec.home, owner, FileMode::from_bits(0o700))?)
    }

    /// Changes an account to what `spec` says, and unlocks it. Its id, its password and its files stay.
    ///
    /// # Errors
    /// [`AccountError::NoUser`], [`AccountError::OtherId`], [`AccountError::NoGroup`], or the tool's refusal.
    pub fn modify_user(&self, name: &UserName, spec: &UserSpec) -> Result<(), AccountError> {
        let accounts = self.accounts()?;
        let found = known(&accounts, name)?;
        if let Some(wanted) = spec.uid
            && wanted != found.uid
        {
            return Err(AccountError::OtherId {
                account: format!("user {name}"),
                wanted,
                found: found.uid,
            });
        }
        check_fields(name, spec)?;
        check_groups(&accounts, name, spec)?;
        if self.is_live() {
            live::modify_user(self, &accounts, name, spec)
        } else {
            edit::modify_user(self, &accounts, name, spec)
        }
    }

    /// Takes an account out of groups. Groups that it is not in, or that are not there, are left already.
    ///
    /// # Errors
    /// The tool's refusal.
    pub fn leave_groups(
        &self,
        name: &UserName,
        groups: &BTreeSet<GroupName>,
    ) -> Result<(), AccountError> {
        let accounts = self.accounts()?;
        let is_member = |group: &&GroupName| {
            let found = accounts.groups.get(*group);
            found.is_some_and(|found| found.members.contains(name.as_str()))
        };
        for group in groups.iter().filter(is_member) {
            if self.is_live() {
                live::leave_group(name, group)?;
            } else {
                edit::leave_group(self, name, group)?;
            }
        }
        Ok(())
    }

    /// Sets an account's password to a crypt(3) hash, which never appears in an argument or an error.
    ///
    /// # Errors
    /// [`AccountError::NoUser`], [`AccountError::BadHash`], or the tool's refusal.
    pub fn set_password_hash(&self, name: &UserName, hash: &str) -> Result<(), AccountError> {
        known(&self.accounts()?, name)?;
        if hash.is_empty() || hash.contains([':', '\n', '\r', '\0']) {
            return Err(AccountError::BadHash { user: name.clone() });
        }
        if self.is_live() {
            live::set_password_hash(name, hash)
        } else {
            edit::set_password_hash(self, name, hash)
        }
    }

    /// Locks an account: no password, no key, no `su` lets anybody in. Its files stay its own.
    ///
    /// # Errors
    /// [`AccountError::Superuser`], or the tool's refusal. One that is not there is locked enough.
    pub fn lock_user(&self, name: &UserName) -> Result<(), AccountError> {
        let accounts = self.accounts()?;
        match accounts.users.get(name) {
            None => Ok(()),
            Some(found) if found.uid == 0 => Err(AccountError::Superuser { user: name.clone() }),
            Some(_) if self.is_live() => live::lock_user(name),
            Some(_) => edit::lock_user(self, name),
        }
    }
}

fn known<'a>(
    accounts: &'a Accounts,
    name: &UserName,
) -> Result<&'a crate::host::AccountState, AccountError> {
    accounts
        .users
        .get(name)
        .ok_or_else(|| AccountError::NoUser { user: name.clone() })
}

/// A colon or a line break in a field would be read as another field or another account.
fn check_fields(name: &UserName, spec: &UserSpec) -> Result<(), AccountError> {
    let fields = [
        ("description", spec.description.as_deref()),
        ("home", Some(spec.home.as_str())),
        ("shell", spec.shell.as_ref().map(HostPath::as_str)),
    ];
    for (field, text) in fields {
        if text.is_some_and(|text| text.contains(|c: char| c == ':' || c.is_control())) {
            return Err(AccountError::BadField {
                user: name.clone(),
                field,
            });
        }
    }
    Ok(())
}

fn check_groups(accounts: &Accounts, name: &UserName, spec: &UserSpec) -> Result<(), AccountError> {
    let mut wanted = spec.groups.iter().chain([&spec.group]);
    match wanted.find(|group| !accounts.groups.contains_key(group)) {
        None => Ok(()),
        Some(group) => Err(AccountError::NoGroup {
            user: name.clone(),
            group: group.clone(),
        }),
    }
}

/// The groups of `spec` that the account is not in yet, neither by name nor as its primary group.
pub(super) fn missing_groups<'a>(
    accounts: &Accounts,
    name: &UserName,
    spec: &'a UserSpec,
) -> BTreeSet<&'a GroupName> {
    let primary = accounts.users.get(name).map(|user| user.gid);
    let is_member = |group: &&GroupName| {
        accounts.groups.get(*group).is_some_and(|group| {
            group.members.contains(name.as_str()) || primary == Some(group.gid)
        })
    };
    spec.groups
        .iter()
        .filter(|group| !is_member(group))
        .collect()
}
