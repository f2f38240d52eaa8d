//! Changing the running machine's accounts, through its own tools: they hold the lock that everybody honours.

use super::observe::File;
use super::records::is_locked_hash;
use super::spec::{missing_groups, missing_subids};
use super::{AccountError, GroupSpec, SubIds, UserSpec};
use crate::host::exec::Program;
use crate::host::{Accounts, GroupName, Host, UserName};

pub(super) fn create_group(name: &GroupName, spec: &GroupSpec) -> Result<(), AccountError> {
    let mut tool = Program::new("groupadd");
    if let Some(gid) = spec.gid {
        tool = tool.args(["--gid", &gid.to_string()]);
    }
    if spec.system {
        tool = tool.arg("--system");
    }
    run("create", format!("group {name}"), &tool.arg(name.as_str()))
}

pub(super) fn create_user(name: &UserName, spec: &UserSpec) -> Result<(), AccountError> {
    let mut tool = Program::new("useradd")
        .args(["--gid", spec.group.as_str()])
        .args(["--home-dir", spec.home.as_str()]);
    if let Some(uid) = spec.uid {
        tool = tool.args(["--uid", &uid.to_string()]);
    }
    if !spec.groups.is_empty() {
        tool = tool.args(["--groups", &joined(spec.groups.iter())]);
    }
    if let Some(description) = &spec.description {
        tool = tool.args(["--comment", description]);
    }
    if let Some(shell) = &spec.shell {
        tool = tool.args(["--shell", shell.as_str()]);
    }
    if let Some(day) = spec.expires.written(None) {
        tool = tool.args(["--expiredate", &day]);
    }
    if spec.subids.is_some() {
        // useradd would choose a range of its own besides.
        tool = tool.args(["--key", "SUB_UID_COUNT=0", "--key", "SUB_GID_COUNT=0"]);
    }
    tool = if spec.system {
        tool.args(["--system", "--no-create-home"])
    } else {
        tool.arg("--create-home")
    };
    run("create", format!("user {name}"), &tool.arg(name.as_str()))?;
    let Some(range) = spec.subids.map(first_to_last) else {
        return Ok(());
    };
    let tool = Program::new("usermod")
        .args(["--add-subuids", &range, "--add-subgids", &range])
        .arg(name.as_str());
    run("give subordinate ids to", format!("user {name}"), &tool)
}

fn first_to_last(range: SubIds) -> String {
    let last = u64::from(range.start) + u64::from(range.count).saturating_sub(1);
    format!("{}-{last}", range.start)
}

pub(super) fn leave_group(name: &UserName, group: &GroupName) -> Result<(), AccountError> {
    let tool = Program::new("gpasswd").args(["--delete", name.as_str(), group.as_str()]);
    run("change", format!("user {name}"), &tool)
}

/// Names only what differs: some changes are refused while the account has processes.
pub(super) fn modify_user(
    host: &Host,
    accounts: &Accounts,
    name: &UserName,
    spec: &UserSpec,
) -> Result<(), AccountError> {
    let (Some(found), Some(group)) = (accounts.users.get(name), accounts.groups.get(&spec.group))
    else {
        return Err(AccountError::NoUser { user: name.clone() });
    };
    let mut changes: Vec<String> = Vec::new();
    let mut set = |option: &str, value: &str| changes.extend([option.to_owned(), value.to_owned()]);
    if group.gid != found.gid {
        set("--gid", spec.group.as_str());
    }
    let missing = missing_groups(accounts, name, spec);
    if !missing.is_empty() {
        set("--groups", &joined(missing.into_iter()));
    }
    if let Some(description) = &spec.description
        && *description != found.description
    {
        set("--comment", description);
    }
    if spec.home.as_str() != found.home {
        set("--home", spec.home.as_str());
    }
    if let Some(shell) = &spec.shell
        && shell.as_str() != found.shell
    {
        set("--shell", shell.as_str());
    }
    if let Some(day) = spec.expires.written(Some(found)) {
        set("--expiredate", &day);
    }
    let (uids, gids) = missing_subids(accounts, name, spec);
    if let Some(range) = uids {
        set("--add-subuids", &first_to_last(range));
    }
    if let Some(range) = gids {
        set("--add-subgids", &first_to_last(range));
    }
    if found.locked == Some(true) && has_locked_hash(host, name)? {
        changes.push("--unlock".to_owned());
    }
    if changes.is_empty() {
        return Ok(());
    }
    if changes.iter().any(|change| change == "--groups") {
        changes.push("--append".to_owned());
    }
    let tool = Program::new("usermod").args(changes).arg(name.as_str());
    run("change", format!("user {name}"), &tool)
}

pub(super) fn set_password_hash(name: &UserName, hash: &str) -> Result<(), AccountError> {
    let tool = Program::new("chpasswd")
        .arg("--encrypted")
        .stdin(format!("{name}:{hash}\n"));
    run("set the password of", format!("user {name}"), &tool)
}

pub(super) fn lock_user(name: &UserName) -> Result<(), AccountError> {
    // A locked password alone lets keys in; day 1 is long past, and expired lets nobody in.
    let tool = Program::new("usermod")
        .args(["--lock", "--expiredate", "1"])
        .arg(name.as_str());
    run("lock", format!("user {name}"), &tool)
}

/// usermod refuses to unlock where there is no hash, because anybody could then come in.
fn has_locked_hash(host: &Host, name: &UserName) -> Result<bool, AccountError> {
    let shadow = File::Shadow.read(host)?.unwrap_or_default();
    Ok(shadow
        .records(2)
        .any(|fields| fields[0] == name.as_str() && is_locked_hash(fields[1])))
}

fn joined<'a>(groups: impl Iterator<Item = &'a GroupName>) -> String {
    groups.map(GroupName::as_str).collect::<Vec<_>>().join(",")
}

fn run(action: &'static str, account: String, tool: &Program) -> Result<(), AccountError> {
    match tool.run_ok() {
        Ok(_) => Ok(()),
        Err(source) => Err(AccountError::Tool {
            action,
            account,
            source,
        }),
    }
}
