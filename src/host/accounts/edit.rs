//! Changing the account files below a root by hand: no tool is called, nothing but these files is touched.

use std::collections::BTreeSet;

use super::observe::File;
use super::records::{Table, hash_of};
use super::spec::{missing_groups, missing_subids};
use super::{AccountError, GroupSpec, UserSpec};
use crate::host::{Accounts, FileMode, GroupName, Host, Owner, PathState, UserName};

/// Ids of people, and of the system, as login.defs(5) has them on Debian.
const PEOPLE: std::ops::RangeInclusive<u32> = 1000..=59_999;
const SYSTEM: std::ops::RangeInclusive<u32> = 100..=999;
const DEFAULT_SHELL: &str = "/bin/sh";
/// Day 1 is long past: the account is expired.
const LONG_PAST: &str = "1";
/// Position of the expiry day in shadow(5).
const EXPIRES: usize = 7;

pub(super) fn create_group(
    host: &Host,
    name: &GroupName,
    spec: &GroupSpec,
) -> Result<(), AccountError> {
    let mut table = open(host, File::Group)?;
    let taken = table.records(3).filter_map(|f| f[2].parse().ok()).collect();
    let gid = choose(&taken, spec.gid, spec.system).ok_or_else(|| AccountError::NoIdLeft {
        account: format!("group {name}"),
    })?;
    table.add(&[name.as_str(), "x", &gid.to_string(), ""]);
    save(host, File::Group, &table)?;
    if let Some(mut shadow) = File::Gshadow.read(host)? {
        shadow.put(&[name.as_str(), "!", "", ""]);
        save(host, File::Gshadow, &shadow)?;
    }
    Ok(())
}

pub(super) fn create_user(
    host: &Host,
    accounts: &Accounts,
    name: &UserName,
    spec: &UserSpec,
) -> Result<(), AccountError> {
    let mut passwd = open(host, File::Passwd)?;
    let taken = passwd
        .records(3)
        .filter_map(|f| f[2].parse().ok())
        .collect();
    let uid = choose(&taken, spec.uid, spec.system).ok_or_else(|| AccountError::NoIdLeft {
        account: format!("user {name}"),
    })?;
    let gid = gid_of(accounts, name, &spec.group)?;
    // The shadow record first: an account without one could log in without a password.
    let mut shadow = open(host, File::Shadow)?;
    let day = spec.expires.written(None).unwrap_or_default();
    shadow.put(&[name.as_str(), "!", "", "", "", "", "", &day, ""]);
    save(host, File::Shadow, &shadow)?;
    passwd.add(&[
        name.as_str(),
        "x",
        &uid.to_string(),
        &gid.to_string(),
        spec.description.as_deref().unwrap_or_default(),
        spec.home.as_str(),
        spec.shell
            .as_ref()
            .map_or(DEFAULT_SHELL, |shell| shell.as_str()),
    ]);
    save(host, File::Passwd, &passwd)?;
    give_subids(host, accounts, name, spec)?;
    join(host, accounts, name, spec)?;
    if !spec.system && host.look(&spec.home)? == PathState::Absent {
        host.make_parents(&spec.home)?;
        host.make_directory(
            &spec.home,
            Owner::Ids { uid, gid },
            FileMode::from_bits(0o700),
        )?;
    }
    Ok(())
}

pub(super) fn modify_user(
    host: &Host,
    accounts: &Accounts,
    name: &UserName,
    spec: &UserSpec,
) -> Result<(), AccountError> {
    let gid = gid_of(accounts, name, &spec.group)?;
    let mut passwd = open(host, File::Passwd)?;
    passwd.change(name.as_str(), |fields| {
        fields[3] = gid.to_string();
        if let Some(description) = &spec.description {
            fields[4].clone_from(description);
        }
        fields[5] = spec.home.to_string();
        if let Some(shell) = &spec.shell {
            fields[6] = shell.to_string();
        }
    });
    save(host, File::Passwd, &passwd)?;
    let day = spec.expires.written(accounts.users.get(name));
    change_shadow(host, name, |fields| {
        if let Some(day) = &day {
            fields[EXPIRES].clone_from(day);
        }
        if let Some(hash) = hash_of(&fields[1]).map(str::to_owned) {
            fields[1] = hash;
        }
    })?;
    give_subids(host, accounts, name, spec)?;
    join(host, accounts, name, spec)
}

fn give_subids(
    host: &Host,
    accounts: &Accounts,
    name: &UserName,
    spec: &UserSpec,
) -> Result<(), AccountError> {
    let (uids, gids) = missing_subids(accounts, name, spec);
    for (file, range) in [(File::Subuid, uids), (File::Subgid, gids)] {
        if let Some(range) = range {
            let mut table = open(host, file)?;
            table.add(&[
                name.as_str(),
                &range.start.to_string(),
                &range.count.to_string(),
            ]);
            save(host, file, &table)?;
        }
    }
    Ok(())
}

pub(super) fn leave_group(
    host: &Host,
    name: &UserName,
    group: &GroupName,
) -> Result<(), AccountError> {
    for file in [File::Group, File::Gshadow] {
        let Some(mut table) = file.read(host)? else {
            continue;
        };
        table.change(group.as_str(), |fields| {
            if let Some(list) = fields.get_mut(3) {
                let others = list.split(',').filter(|member| *member != name.as_str());
                *list = others.collect::<Vec<_>>().join(",");
            }
        });
        save(host, file, &table)?;
    }
    Ok(())
}

pub(super) fn set_password_hash(
    host: &Host,
    name: &UserName,
    hash: &str,
) -> Result<(), AccountError> {
    change_shadow(host, name, |fields| hash.clone_into(&mut fields[1]))
}

pub(super) fn lock_user(host: &Host, name: &UserName) -> Result<(), AccountError> {
    change_shadow(host, name, |fields| {
        if !fields[1].starts_with('!') {
            fields[1].insert(0, '!');
        }
        LONG_PAST.clone_into(&mut fields[EXPIRES]);
    })
}

fn join(
    host: &Host,
    accounts: &Accounts,
    name: &UserName,
    spec: &UserSpec,
) -> Result<(), AccountError> {
    let missing = missing_groups(accounts, name, spec);
    if missing.is_empty() {
        return Ok(());
    }
    for (file, members) in [(File::Group, 3), (File::Gshadow, 3)] {
        let Some(mut table) = file.read(host)? else {
            continue;
        };
        for group in &missing {
            table.change(group.as_str(), |fields| {
                fields.resize(fields.len().max(members + 1), String::new());
                let list = &mut fields[members];
                if list.split(',').any(|member| member == name.as_str()) {
                    return;
                }
                if !list.is_empty() {
                    list.push(',');
                }
                list.push_str(name.as_str());
            });
        }
        save(host, file, &table)?;
    }
    Ok(())
}

/// Changes an account's shadow record, made if there is none.
fn change_shadow(
    host: &Host,
    name: &UserName,
    change: impl Fn(&mut Vec<String>),
) -> Result<(), AccountError> {
    let mut table = open(host, File::Shadow)?;
    let padded = |fields: &mut Vec<String>| {
        fields.resize(9, String::new());
        change(fields);
    };
    if !table.change(name.as_str(), padded) {
        table.add(&[name.as_str(), "!", "", "", "", "", "", "", ""]);
        table.change(name.as_str(), padded);
    }
    save(host, File::Shadow, &table)
}

fn gid_of(accounts: &Accounts, user: &UserName, group: &GroupName) -> Result<u32, AccountError> {
    let found = accounts.groups.get(group);
    found
        .map(|group| group.gid)
        .ok_or_else(|| AccountError::NoGroup {
            user: user.clone(),
            group: group.clone(),
        })
}

/// The fixed id, or the next free one: people count up, the system counts down, as useradd(8) does.
fn choose(taken: &BTreeSet<u32>, fixed: Option<u32>, system: bool) -> Option<u32> {
    let is_free = |id: &u32| !taken.contains(id);
    match (fixed, system) {
        (Some(id), _) => Some(id),
        (None, false) => PEOPLE.clone().find(is_free),
        (None, true) => SYSTEM.rev().find(is_free),
    }
}

fn open(host: &Host, file: File) -> Result<Table, AccountError> {
    Ok(file.read(host)?.unwrap_or_else(|| file.initial()))
}

/// Replaces a file, with the owner and mode it has; a new one gets Debian's.
fn save(host: &Host, file: File, table: &Table) -> Result<(), AccountError> {
    let path = file.path()?;
    let (owner, mode) = match host.look(&path)? {
        PathState::File { owner, mode, .. } => (owner, mode),
        _ => (
            Owner::Ids { uid: 0, gid: 0 },
            FileMode::from_bits(match file {
                File::Passwd | File::Group | File::Subuid | File::Subgid => 0o644,
                File::Shadow | File::Gshadow => 0o600,
            }),
        ),
    };
    host.make_parents(&path)?;
    Ok(host.write_file(&path, table.text().as_bytes(), owner, mode)?)
}
