//! Whether those who could log in with a key and become root still can: by logging in.
//!
//! The login is a real one, through sshd as it is configured, PAM and the account's shell, and goes over no network: the
//! ssh client talks to an sshd of its own on a pipe, which takes one key that was made for it and is gone afterwards. No
//! file of the account is touched.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::health::Operators;
use crate::host::exec::{ExecError, Program};
use crate::host::{Host, HostPath, UserName};

/// Longest time for one login.
const PATIENCE: Duration = Duration::from_secs(15);
/// A file of keys is never larger.
const LARGEST_BYTES: u64 = 1 << 20;
/// So many accounts are tried; with more, one that works is surely among them.
const TRIED: usize = 4;
/// Groups whose members may become root where nobody changed that.
const ADMIN_GROUPS: [&str; 3] = ["sudo", "wheel", "admin"];
/// The bits with which others could put a key of theirs in.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Who can log in, and who of them can become root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::health) struct Logins {
    /// Accounts with keys that can be logged into.
    able: BTreeSet<UserName>,
    /// Those of them that can become root.
    operators: BTreeSet<UserName>,
    /// Accounts with keys, whether or not they can be logged into, and what was said where they cannot.
    with_keys: Vec<(UserName, Option<String>)>,
}

impl Logins {
    /// Whether there is nobody to lose.
    pub(in crate::health) fn is_nobody(&self) -> bool {
        self.able.is_empty()
    }
}

/// What came of trying.
pub(in crate::health) enum Tried {
    /// It cannot be tried here.
    NotHere(&'static str),
    /// It was.
    Found(Logins),
}

/// Tries to log into each account that has keys.
///
/// # Errors
/// Why nothing could be tried.
pub(in crate::health) fn try_logins(host: &Host) -> Result<Tried, String> {
    let keyed = keyed_accounts(host)?;
    if keyed.is_empty() {
        return Ok(Tried::Found(Logins::default()));
    }
    let Some(door) = Door::open()? else {
        return Ok(Tried::NotHere("there is no sshd with an ssh client here"));
    };
    let mut found = Logins::default();
    for account in keyed.into_iter().take(TRIED) {
        let answer = match &account.unsafe_path {
            Some(path) => Err(format!(
                "sshd takes no keys from {}, which others may write",
                path.display()
            )),
            None => door.log_in(&account.name),
        };
        if answer.is_ok() {
            found.able.insert(account.name.clone());
            if account.uid == 0 || may_become_root(&account.name) {
                found.operators.insert(account.name.clone());
            }
        }
        found.with_keys.push((account.name, answer.err()));
    }
    Ok(Tried::Found(found))
}

/// Why `now` is worse than `before`; nothing if it is not. That one of several people goes is nothing; that the last
/// one does is, unless nobody asks for that.
pub(in crate::health) fn compare(
    before: &Logins,
    now: &Logins,
    operators: Operators,
) -> Result<(), String> {
    let still_with_keys: Vec<_> = now
        .with_keys
        .iter()
        .filter(|(name, _)| before.able.contains(name))
        .collect();
    if !still_with_keys.is_empty() && still_with_keys.iter().all(|(_, failure)| failure.is_some()) {
        let why = still_with_keys
            .iter()
            .map(|(name, failure)| format!("{name}: {}", failure.as_deref().unwrap_or_default()));
        return Err(format!(
            "nobody can log in with a key any more: {}",
            why.collect::<Vec<_>>().join("; ")
        ));
    }
    if operators == Operators::Kept && !before.operators.is_empty() && now.operators.is_empty() {
        let names: Vec<&str> = before.operators.iter().map(UserName::as_str).collect();
        return Err(format!(
            "nobody with a key can become root any more, as {} could",
            names.join(", ")
        ));
    }
    Ok(())
}

/// An account that has keys.
struct Keyed {
    name: UserName,
    uid: u32,
    /// 0 for those who are likely to become root, who are tried first.
    rank: u8,
    /// The file or directory for which sshd refuses them.
    unsafe_path: Option<PathBuf>,
}

/// The accounts that have keys in their home, those who may become root by themselves first.
fn keyed_accounts(host: &Host) -> Result<Vec<Keyed>, String> {
    let accounts = host.accounts().map_err(|error| error.to_string())?;
    let admin_groups = accounts
        .groups
        .iter()
        .filter(|(group, _)| ADMIN_GROUPS.contains(&group.as_str()));
    let admins: BTreeSet<String> = admin_groups
        .flat_map(|(_, group)| group.members.iter().cloned())
        .collect();
    let mut keyed = Vec::new();
    for (name, account) in accounts.users {
        let Ok(file) = HostPath::new(format!(
            "{}/.ssh/authorized_keys",
            account.home.trim_end_matches('/')
        )) else {
            continue;
        };
        // A home on a share that does not answer, say: not an account to log into.
        let Ok(Some((_, content))) = host.read_through_links(&file, LARGEST_BYTES) else {
            continue;
        };
        if has_keys(&content) {
            let is_admin = account.uid == 0 || admins.contains(name.as_str());
            keyed.push(Keyed {
                name,
                uid: account.uid,
                rank: u8::from(!is_admin),
                unsafe_path: unsafe_path(
                    &host.real_path(&file),
                    Path::new(&account.home),
                    account.uid,
                ),
            });
        }
    }
    keyed.sort_by_key(|account| (account.rank, account.uid));
    Ok(keyed)
}

fn has_keys(content: &[u8]) -> bool {
    String::from_utf8_lossy(content)
        .lines()
        .map(str::trim)
        .any(|line| !line.is_empty() && !line.starts_with('#'))
}

/// As `StrictModes` of sshd: the file and the directories up to the home are the account's or root's, and nobody else's
/// to write.
fn unsafe_path(file: &Path, home: &Path, uid: u32) -> Option<PathBuf> {
    let parts = file.ancestors().take_while(|part| part.starts_with(home));
    for part in parts {
        let Ok(found) = std::fs::metadata(part) else {
            return Some(part.to_owned());
        };
        let foreign = found.uid() != 0 && found.uid() != uid;
        if foreign || found.mode() & WRITABLE_BY_OTHERS != 0 {
            return Some(part.to_owned());
        }
    }
    None
}

/// A key for one look, and where it lies.
struct Door {
    directory: tempfile::TempDir,
    sshd: PathBuf,
}

impl Door {
    /// Makes the key; `None` where there is no sshd, or no ssh to call it with.
    fn open() -> Result<Option<Self>, String> {
        let sshd = ["/usr/sbin/sshd", "/usr/bin/sshd", "/sbin/sshd"]
            .map(PathBuf::from)
            .into_iter()
            .find(|path| path.is_file());
        let Some(sshd) = sshd else { return Ok(None) };
        let directory = tempfile::Builder::new()
            .prefix("steadfast-login-")
            .tempdir_in("/run")
            .map_err(|error| format!("no place for a key: {error}"))?;
        let door = Self { directory, sshd };
        let made = Program::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(door.key())
            .args(["-C", "steadfast looks whether people can log in"])
            .timeout(PATIENCE)
            .run_ok();
        match made {
            Ok(_) => {}
            Err(ExecError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        }
        // sshd reads the public half as the account, whatever mask this process has; the private half stays root's.
        let open_to_all = [
            (door.directory.path().to_owned(), 0o755),
            (door.public(), 0o644),
        ];
        for (path, mode) in open_to_all {
            std::fs::set_permissions(&path, Permissions::from_mode(mode))
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(Some(door))
    }

    fn public(&self) -> PathBuf {
        self.directory.path().join("key.pub")
    }

    fn key(&self) -> PathBuf {
        self.directory.path().join("key")
    }

    /// Logs in as `name` and runs nothing but `exit`.
    fn log_in(&self, name: &UserName) -> Result<(), String> {
        let server = format!(
            "{} -i -o AuthorizedKeysFile={} -o AuthorizedKeysCommand=none -o LogLevel=ERROR",
            self.sshd.display(),
            self.public().display()
        );
        let options = [
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "PreferredAuthentications=publickey",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "GlobalKnownHostsFile=/dev/null",
            "ControlPath=none",
            "LogLevel=ERROR",
        ];
        Program::new("ssh")
            .args(["-F", "none", "-T", "-i"])
            .arg(self.key())
            .args(options.iter().flat_map(|option| ["-o", option]))
            .args(["-o", &format!("ProxyCommand={server}")])
            .arg(format!("{name}@this-host"))
            .arg("exit 0")
            .timeout(PATIENCE)
            .run_ok()
            .map(drop)
            .map_err(|error| error.to_string())
    }
}

/// Whether sudo would let the account have a root shell.
fn may_become_root(name: &UserName) -> bool {
    Program::new("sudo")
        .args(["-n", "-l", "-U", name.as_str(), "/bin/sh"])
        // It looks for the name of this machine, and resolvers that are away are none of its business here.
        .env("RES_OPTIONS", "timeout:1 attempts:1")
        .timeout(PATIENCE)
        .run_ok()
        .is_ok()
}

#[cfg(test)]
mod tests;
