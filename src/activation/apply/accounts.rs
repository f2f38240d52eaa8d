//! Steps about accounts and groups.

use std::collections::BTreeSet;

use super::super::failure::HostFailure;
use super::super::plan::{NEVER_EXPIRES, UNLOCK, day_of};
use super::{Hands, Step};
use crate::generation::UserEntry;
use crate::host::{Expires, GroupName, GroupSpec, UserName, UserSpec};

/// Whether a password is set even if nothing says that it differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Password {
    Set,
    Leave,
}

impl Hands<'_> {
    pub(super) fn account(&self, step: &Step) -> Result<(), HostFailure> {
        let host = self.bench.host;
        match step {
            Step::CreateGroup { group, entry } => {
                let spec = GroupSpec {
                    gid: entry.gid,
                    system: entry.system,
                };
                Ok(host.create_group(group, &spec)?)
            }
            Step::CreateUser { user, entry } => {
                self.joining(user, entry)?;
                host.create_user(user, &spec(entry, Expires::Kept))?;
                self.password(user, entry, Password::Set)
            }
            Step::ModifyUser {
                user,
                entry,
                changes,
                ..
            } => {
                self.joining(user, entry)?;
                let never = changes.iter().any(|change| change == NEVER_EXPIRES);
                let otherwise = if never { Expires::Never } else { Expires::Kept };
                host.modify_user(user, &spec(entry, otherwise))?;
                if changes.iter().any(|change| change == UNLOCK) {
                    host.give_home(user, &spec(entry, otherwise))?;
                }
                self.leave_groups(user, &entry.groups)?;
                let differs = changes.iter().any(|change| change == "password");
                let password = if differs {
                    Password::Set
                } else {
                    Password::Leave
                };
                self.password(user, entry, password)
            }
            Step::LockUser { user } => {
                host.lock_user(user)?;
                // Unlocked by hand some day, it must not be an administrator still.
                self.leave_groups(user, &BTreeSet::new())
            }
            _ => Ok(()),
        }
    }

    /// Writes down which memberships are about to be ours.
    fn joining(&self, user: &UserName, entry: &UserEntry) -> Result<(), HostFailure> {
        let accounts = self.bench.host.accounts()?;
        let is_new = |group: &&GroupName| {
            let found = accounts.groups.get(*group);
            !found.is_some_and(|found| found.members.contains(user.as_str()))
        };
        let new: BTreeSet<GroupName> = entry.groups.iter().filter(is_new).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        Ok(self.change_additions(|additions| {
            additions
                .members
                .entry(user.clone())
                .or_default()
                .extend(new);
        })?)
    }

    /// Takes the account out of groups that only we put it into, but for those `wanted`.
    fn leave_groups(
        &self,
        user: &UserName,
        wanted: &BTreeSet<GroupName>,
    ) -> Result<(), HostFailure> {
        let additions = self.bench.store.additions()?;
        let ours = additions.members.get(user).cloned().unwrap_or_default();
        let left: BTreeSet<GroupName> = ours.difference(wanted).cloned().collect();
        if left.is_empty() {
            return Ok(());
        }
        self.bench.host.leave_groups(user, &left)?;
        Ok(self.change_additions(|additions| {
            if let Some(groups) = additions.members.get_mut(user) {
                groups.retain(|group| !left.contains(group));
            }
            additions.members.retain(|_, groups| !groups.is_empty());
        })?)
    }

    fn password(
        &self,
        user: &UserName,
        entry: &UserEntry,
        password: Password,
    ) -> Result<(), HostFailure> {
        if password == Password::Leave {
            return Ok(());
        }
        let host = self.bench.host;
        if let Some(hash) = &entry.password_hash {
            return Ok(host.set_password_hash(user, hash)?);
        }
        let Some(secret) = &entry.password_secret else {
            return Ok(());
        };
        let optional = self
            .bench
            .manifest
            .secrets
            .get(secret)
            .is_some_and(|spec| spec.optional);
        let value = self.bench.secrets.value(secret);
        match value.and_then(|value| value.expose_text()) {
            Some(hash) => Ok(host.set_password_hash(user, hash.trim_end())?),
            // An optional secret that does not open leaves the account without a password, not the host without it.
            None if optional => Ok(()),
            None => Err(HostFailure::PasswordSecret {
                user: user.to_string(),
                secret: secret.to_string(),
            }),
        }
    }
}

fn spec(entry: &UserEntry, otherwise: Expires) -> UserSpec {
    UserSpec {
        uid: entry.uid,
        group: entry.group.clone(),
        groups: entry.groups.clone(),
        description: entry.description.clone(),
        home: entry.home.clone(),
        shell: entry.shell.clone(),
        system: entry.system,
        expires: entry
            .expires
            .map_or(otherwise, |date| Expires::On(day_of(date))),
        subids: entry.subids,
    }
}
