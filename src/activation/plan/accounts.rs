//! Groups and accounts: made, changed, locked; never renumbered, never deleted.

use std::collections::BTreeSet;

use super::decide::{Draft, Situation};
use super::{FoundAccount, Step};
use crate::generation::{GroupEntry, UserEntry};
use crate::host::{AccountState, Digest, GroupName, HostPath, Linger, SubIds, UserName};
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
        } else if let Some((found, hint)) = entry
            .subids
            .and_then(|wanted| subids_in_the_way(at, name, wanted))
        {
            draft.conflict(subject, found, hint);
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
    if let Some(wanted) = entry.subids
        && let Some((found, hint)) = subids_in_the_way(at, name, wanted)
    {
        draft.conflict(subject, found, hint);
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
            found: Some(FoundAccount {
                description: found.description.clone(),
                shell: found.shell.clone(),
            }),
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
    further(at, name, entry, found, &mut changes);
    changes
}

/// How a [`Step::ModifyUser`] says that an expiry of ours is taken away.
pub(crate) const NEVER_EXPIRES: &str = "expires never";

/// How a [`Step::ModifyUser`] says that an account can be used again.
pub(crate) const UNLOCK: &str = "unlock";

/// A day of the calendar as the shadow file counts it.
pub(crate) fn day_of(date: jiff::civil::Date) -> i64 {
    let seconds = date.to_datetime(jiff::civil::Time::midnight());
    let seconds = jiff::tz::TimeZone::UTC
        .to_timestamp(seconds)
        .map(jiff::Timestamp::as_second);
    seconds.unwrap_or_default() / 86_400
}

/// Expiry, lock, subordinate ids, and memberships that were ours.
fn further(
    at: &Situation<'_>,
    name: &UserName,
    entry: &UserEntry,
    found: &AccountState,
    changes: &mut Vec<String>,
) {
    let wanted = entry.expires.map(day_of);
    // An unreadable shadow file says nothing about the expiry either.
    let readable = found.locked.is_some();
    if let Some(date) = entry.expires {
        if readable && found.expires != wanted {
            changes.push(format!("expires {date}"));
        }
    } else if found.expires.is_some() && found.expires == expiry_of_ours(at, name) {
        changes.push(NEVER_EXPIRES.to_owned());
    }
    let as_wanted = wanted.is_some() && found.expires == wanted;
    let locked = if as_wanted {
        found.password_locked
    } else {
        found.locked
    };
    if locked == Some(true) {
        changes.push(UNLOCK.to_owned());
    }
    if let Some(wanted) = entry.subids
        && !has_subids(at, name, wanted)
    {
        changes.push(format!("subordinate ids {}:{}", wanted.start, wanted.count));
    }
    let ours = at.owned.additions.members.get(name);
    let left: Vec<&str> = ours
        .into_iter()
        .flatten()
        .filter(|group| !entry.groups.contains(*group) && is_named_member(at, name, group))
        .map(GroupName::as_str)
        .collect();
    if !left.is_empty() {
        changes.push(format!("no longer member of {}", left.join(" ")));
    }
}

fn expiry_of_ours(at: &Situation<'_>, name: &UserName) -> Option<i64> {
    let mut generations = at.owned.generations.iter();
    generations.find_map(|g| g.users.get(name)?.expires.map(day_of))
}

fn is_named_member(at: &Situation<'_>, user: &UserName, group: &GroupName) -> bool {
    let found = at.observed.accounts.groups.get(group);
    found.is_some_and(|group| group.members.contains(user.as_str()))
}

fn has_subids(at: &Situation<'_>, name: &UserName, wanted: SubIds) -> bool {
    let accounts = &at.observed.accounts;
    [&accounts.subuids, &accounts.subgids].iter().all(|ranges| {
        ranges
            .get(name.as_str())
            .is_some_and(|has| has.contains(&wanted))
    })
}

/// Ranges that are somebody else's, or that the account has otherwise: files carry these ids, as they do others.
fn subids_in_the_way(
    at: &Situation<'_>,
    name: &UserName,
    wanted: SubIds,
) -> Option<(String, String)> {
    let accounts = &at.observed.accounts;
    for ranges in [&accounts.subuids, &accounts.subgids] {
        for (owner, has) in ranges {
            if owner == name.as_str() {
                if let Some(other) = has.first().filter(|_| !has.contains(&wanted)) {
                    let found = format!("has the subordinate ids {}:{}", other.start, other.count);
                    let hint = format!(
                        "ids are never changed, because files carry them: set `subids: {{ start: {}, count: {} }}`, or remove the line from /etc/subuid and /etc/subgid",
                        other.start, other.count
                    );
                    return Some((found, hint));
                }
            } else if let Some(other) = has.iter().find(|other| other.overlaps(wanted)) {
                let found = format!(
                    "cannot have the subordinate ids {}:{}, because {owner} has {}:{}",
                    wanted.start, wanted.count, other.start, other.count
                );
                return Some((found, "choose another `start`".to_owned()));
            }
        }
    }
    None
}

/// Tells logind when the file that makes an account linger comes or goes. Comes after the decision about paths.
pub(super) fn linger(at: &Situation<'_>, draft: &mut Draft) {
    if !at.observed.is_live() {
        return;
    }
    let name_of = |path: &HostPath| {
        let name = path.as_str().strip_prefix(LINGER)?;
        UserName::new(name).ok()
    };
    let mut lingering = Vec::new();
    for (path, step) in draft
        .writes
        .iter()
        .chain(&draft.removals)
        .chain(&draft.clear)
    {
        let linger = match step {
            Step::RemovePath { .. } => Linger::Off,
            _ => Linger::On,
        };
        if let Some(user) = name_of(path)
            && draft.touched.get(path) != Some(&super::decide::Touch::Metadata)
        {
            lingering.push((user, linger));
        }
    }
    for (user, linger) in lingering {
        if at.observed.logind {
            draft.steps.push(Step::SetLinger { user, linger });
        } else {
            draft.notice(
                format!("user {user}"),
                "logind does not run, so lingering changes with the next boot",
            );
        }
    }
}

/// Where logind remembers who lingers.
const LINGER: &str = "/var/lib/systemd/linger/";

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
    } else if found.locked != Some(true) || is_in_groups_of_ours(at, name) {
        draft.steps.push(Step::LockUser { user: name.clone() });
    }
}

/// Whether the account is in a group that we put it into.
fn is_in_groups_of_ours(at: &Situation<'_>, name: &UserName) -> bool {
    let ours = at.owned.additions.members.get(name);
    let mut ours = ours.into_iter().flatten();
    ours.any(|group| is_named_member(at, name, group))
}
