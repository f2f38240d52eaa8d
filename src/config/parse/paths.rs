//! Paths that a host file must leave alone.

use crate::host::{HostPath, UnitName};

/// Why a path is refused, and what to write instead.
pub(super) struct Refusal {
    pub(super) reason: &'static str,
    pub(super) fix: Option<String>,
}

/// Single files, with the reason.
const FILES: [(&str, &str, Option<&str>); 16] = [
    ("/etc/passwd", ACCOUNTS, USERS),
    ("/etc/passwd-", ACCOUNTS, USERS),
    ("/etc/shadow", ACCOUNTS, USERS),
    ("/etc/shadow-", ACCOUNTS, USERS),
    ("/etc/group", ACCOUNTS, USERS),
    ("/etc/group-", ACCOUNTS, USERS),
    ("/etc/gshadow", ACCOUNTS, USERS),
    ("/etc/gshadow-", ACCOUNTS, USERS),
    ("/etc/subuid", ACCOUNTS, SUBIDS),
    ("/etc/subgid", ACCOUNTS, SUBIDS),
    (
        "/etc/machine-id",
        "it is the identity of this one machine",
        None,
    ),
    (
        "/etc/ld.so.preload",
        "it is loaded into every program",
        None,
    ),
    ("/etc/ssh/ssh_host_ed25519_key", HOST_KEY, None),
    ("/etc/ssh/ssh_host_ecdsa_key", HOST_KEY, None),
    ("/etc/ssh/ssh_host_rsa_key", HOST_KEY, None),
    ("/etc/mtab", "the kernel writes it", None),
];

/// Whole trees, with the reason.
const TREES: [(&str, &str, Option<&str>); 8] = [
    ("/dev", "the kernel makes what is there", None),
    (
        "/proc",
        "the kernel makes what is there",
        Some("kernel parameters go under `sysctls:`"),
    ),
    ("/sys", "the kernel makes what is there", None),
    ("/run/secrets", SECRETS_PLACE, SECRETS_KEYS),
    ("/run/secrets.d", SECRETS_PLACE, SECRETS_KEYS),
    ("/var/lib/steadfast", "it is the agent's own state", None),
    (
        "/var/lib/dpkg",
        "it is the package manager's own state",
        Some("packages go under `packages:`"),
    ),
    (
        "/lost+found",
        "the file system check makes what is there",
        None,
    ),
];

/// Why the files of units are no entries.
pub(super) const DEFINES_A_UNIT: &str =
    "it defines a unit, and units are stopped, started and reloaded with what defines them";
const ACCOUNTS: &str = "other programs change it under a lock";
const USERS: Option<&str> = Some("accounts go under `users:` and `groups:`");
const SUBIDS: Option<&str> = Some("they go under `users:`, as `subids:` of an account");
const HOST_KEY: &str = "it is the host's identity, and must never be in a repository";
const SECRETS_PLACE: &str = "secrets are installed there";
const SECRETS_KEYS: Option<&str> =
    Some("secrets go under `secrets:`, texts with secrets in them under `templates:`");

/// Why `path` must not be an entry of `files`, `directories` or `symlinks`; `None` if it may.
pub(super) fn refusal(path: &HostPath) -> Option<Refusal> {
    let text = path.as_str();
    let file = FILES.iter().find(|(listed, ..)| *listed == text);
    let tree = TREES.iter().find(|(listed, ..)| {
        text.strip_prefix(listed)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if let Some((_, reason, fix)) = file.or(tree) {
        return Some(Refusal {
            reason,
            fix: fix.map(str::to_owned),
        });
    }
    let below = text.strip_prefix("/etc/systemd/system/")?;
    defined_unit(below).map(|unit| Refusal {
        reason: DEFINES_A_UNIT,
        fix: Some(format!("declare `{unit}` under `units:`")),
    })
}

/// The unit that a path below a directory of unit files defines.
pub(super) fn defined_unit(below: &str) -> Option<UnitName> {
    let unit = below.split('/').next().unwrap_or_default();
    let unit = [".d", ".wants", ".requires"]
        .iter()
        .find_map(|suffix| unit.strip_suffix(suffix))
        .unwrap_or(unit);
    UnitName::new(unit).ok()
}

#[cfg(test)]
mod tests {
    use super::refusal;
    use crate::host::HostPath;

    #[test]
    fn what_others_own_is_refused_and_its_neighbours_are_not() {
        for (path, refused) in [
            ("/etc/passwd", true),
            ("/etc/passwd.d", false),
            ("/etc/machine-id", true),
            ("/dev", true),
            ("/dev/null", true),
            ("/devices", false),
            ("/proc/sys/kernel/x", true),
            ("/run/secrets", true),
            ("/run/secrets.d/3/x", true),
            ("/run/secretsafe", false),
            ("/var/lib/steadfast/state.json", true),
            ("/var/lib/steadfastly", false),
            ("/etc/systemd/system/app.service", true),
            ("/etc/systemd/system/app.service.d/10.conf", true),
            ("/etc/systemd/system/timers.target.wants/a.timer", true),
            ("/etc/systemd/system/service.d/10-all.conf", false),
            ("/etc/systemd/journald.conf.d/10.conf", false),
            ("/etc/motd", false),
        ] {
            let path = HostPath::new(path).unwrap();
            assert_eq!(refusal(&path).is_some(), refused, "{path}");
        }
    }
}
