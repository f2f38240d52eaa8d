//! Groups and accounts: made, changed, locked; never renumbered, never deleted.

use std::collections::BTreeSet;

use super::Step;
use super::decide::{Draft, Situation};
use crate::generation::{GroupEntry, UserEntry};
use crate::host::{AccountState, Digest, GroupName, UserName};
use crate::secrets::SecretState;

pub(super) fn decide(at: &Situation<'_>, draft: &mut Draft) {
    for (name, entry) in &at.desired.groups {
        group(at, name, entry, draft);
    }
    primary_groups(at, draft);
    for (name, entry) in &at.desired.users {
        user(at, name, entry, draft);
    }
    let mut gone = BTreeSet::new();
    for generation in &at.owned.generations {
        gone.extend(generation.users.keys());
    }
    for name in gone {
        if !at.desired.users.contains_key(name) {
            unwanted(at, name, draft);
        }
    }
}

/// Makes the groups that accounts begin with and that nobody declared.
fn primary_groups(at: &Situation<'_>, draft: &mut Draft) {
    let mut made = BTreeSet::new();
    for (name, user) in &at.desired.users {
        let group = &user.group;
        let declared = at.desired.groups.contains_key(group);
        let exists = at.ids.group(group).is_some();
        let held = at.holds(at.desired.drift, at.unchanged(|m| m.users.get(name)));
        if !declared && !exists && !held && made.insert(group) {
            draft.steps.push(Step::CreateGroup {
                group: group.clone(),
                entry: GroupEntry {
                    gid: None,
                    system: user.system,
                },
            });
        }
    }
}

fn group(at: &Situation<'_>, name: &GroupName, entry: &GroupEntry, draft: &mut Draft) {
    let subject = format!("group {name}");
    match at.observed.accounts.groups.get(name) {
        None if at.holds(at.desired.drift, at.unchanged(|m| m.groups.get(name))) => {
            draft.notice(
                subject,
                "is gone; it is left so, because drift is only reported",
            );
        }
        None => draft.steps.push(Step::CreateGroup {
            group: name.clone(),
            entry: entry.clone(),
        }),
        Some(found) => {
            if let Some(gid) = entry.gid
                && gid != found.gid
            {
                draft.conflict(
                    subject,
                    format!("exists with gid {}, not {gid}", found.gid),
                    format!(
                        "ids are never changed, because files carry them: set `gid: {}`, or leave it out",
                        found.gid
                    ),
                );
            }
        }
    }
}

fn user(at: &Situation<'_>, name: &UserName, entry: &UserEntry, draft: &mut Draft) {
    let subject = format!("user {name}");
    let unchanged = at.unchanged(|m| m.users.get(name));
    let Some(found) = at.observed.accounts.users.get(name) else {
        if at.holds(at.desired.drift, unchanged) {
            draft.notice(
                subject,
                "is gone; it is left so, because drift is only reported",
            );
        } else {
            draft.steps.push(Step::CreateUser {
                user: name.clone(),
                entry: entry.clone(),
            });
        }
        return;
    };
    if let Some(uid) = entry.uid
        && uid != found.uid
    {
        draft.conflict(
            subject,
            format!("exists with uid {}, not {uid}", found.uid),
            format!(
                "ids are never changed, because files carry them: set `uid: {}`, or leave it out",
                found.uid
            ),
        );
        return;
    }
    let changes = changes(at, name, entry, found);
    if changes.is_empty() {
        return;
    }
    // A password kept as a secret changes without a change of the manifest's account.
    let unchanged = unchanged && password_unchanged(at, entry);
    if at.holds(at.desired.drift, unchanged) {
        draft.notice(
            subject,
            format!(
                "differs in {}; it is left so, because drift is only reported",
                changes.join(", ")
            ),
        );
    } else {
        draft.steps.push(Step::ModifyUser {
            user: name.clone(),
            entry: entry.clone(),
            changes,
        });
    }
}

fn password_unchanged(at: &Situation<'_>, entry: &UserEntry) -> bool {
    entry
        .password_secret
        .as_ref()
        .is_none_or(|secret| at.unchanged(|m| m.secrets.get(secret)))
}

/// What differs, in words; values only where they are no secret.
fn changes(
    at: &Situation<'_>,
    name: &UserName,
    entry: &UserEntry,
    found: &AccountState,
) -> Vec<String> {
    let mut changes = Vec::new();
    if at.ids.group(&entry.group) != Some(found.gid) {
        changes.push(format!("primary group {}", entry.group));
    }
    let missing: Vec<&str> = entry
        .groups
        .iter()
        .filter(|group| !is_member(at, name, group))
        .map(GroupName::as_str)
        .collect();
    if !missing.is_empty() {
        changes.push(format!("member of {}", missing.join(" ")));
    }
    if let Some(description) = &entry.description
        && *description != found.description
    {
        changes.push(format!("description {description:?}"));
    }
    if entry.home.as_str() != found.home {
        changes.push(format!("home {}", entry.home));
    }
    if let Some(shell) = &entry.shell
        && shell.as_str() != found.shell
    {
        changes.push(format!("shell {shell}"));
    }
    if password_differs(at, name, entry, found) {
        changes.push("password".to_owned());
    }
    if found.locked == Some(true) {
        changes.push("unlock".to_owned());
    }
    changes
}

fn is_member(at: &Situation<'_>, user: &UserName, group: &GroupName) -> bool {
    let groups = &at.observed.accounts.groups;
    let found = groups.get(group);
    let primary = at.observed.accounts.users.get(user).map(|user| user.gid);
    found.is_some_and(|group| group.members.contains(user.as_str()) || primary == Some(group.gid))
}

fn password_differs(
    at: &Situation<'_>,
    name: &UserName,
    entry: &UserEntry,
    found: &AccountState,
) -> bool {
    if entry.password_secret.is_some() {
        let state = at.observed.passwords.get(name);
        return matches!(state, Some(SecretState::Missing | SecretState::Different));
    }
    let Some(hash) = &entry.password_hash else {
        return false;
    };
    // An unreadable shadow file says `locked: None`: then nothing is known about the password either.
    found.locked.is_some() && found.password_digest != Some(Digest::of(hash.as_bytes()))
}

fn unwanted(at: &Situation<'_>, name: &UserName, draft: &mut Draft) {
    let Some(found) = at.observed.accounts.users.get(name) else {
        return;
    };
    let subject = format!("user {name}");
    if found.uid == 0 {
        draft.notice(
            subject,
            "is no longer managed; the superuser is never locked",
        );
    } else if found.locked != Some(true) {
        draft.steps.push(Step::LockUser { user: name.clone() });
    }
}
