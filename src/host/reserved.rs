//! Paths of a machine that somebody else answers for: never an entry, whoever asks.

use super::HostPath;

/// Why a path is nobody's to declare, and what to declare instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    /// The reason; reads after "because".
    pub reason: &'static str,
    /// What to write instead, if there is something.
    pub instead: Option<&'static str>,
}

type Listed = (&'static str, &'static str, Option<&'static str>);

/// Single files, with the reason.
const FILES: [Listed; 17] = [
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
    ("/etc/ssh/ssh_host_dsa_key", HOST_KEY, None),
    ("/etc/mtab", "the kernel writes it", None),
];

/// Whole trees, with the reason.
const TREES: [Listed; 10] = [
    ("/dev", "the kernel makes what is there", None),
    (
        "/proc",
        "the kernel makes what is there",
        Some("kernel parameters go under `sysctls:`"),
    ),
    ("/sys", "the kernel makes what is there", None),
    (
        "/boot",
        BOOT,
        Some(
            "kernel parameters go into a file below `/etc/default/grub.d`, of which update-grub makes what boots",
        ),
    ),
    ("/run/secrets", SECRETS_PLACE, SECRETS_KEYS),
    ("/run/secrets.d", SECRETS_PLACE, SECRETS_KEYS),
    (
        "/run",
        GONE_AT_BOOT,
        Some("a file below `/etc/tmpfiles.d` says what is made there at each boot"),
    ),
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

const ACCOUNTS: &str = "other programs change it under a lock";
const USERS: Option<&str> = Some("accounts go under `users:` and `groups:`");
const SUBIDS: Option<&str> = Some("they go under `users:`, as `subids:` of an account");
const HOST_KEY: &str = "it is the host's identity, and must never be in a repository";
const SECRETS_PLACE: &str = "secrets are installed there";
const SECRETS_KEYS: Option<&str> =
    Some("secrets go under `secrets:`, texts with secrets in them under `templates:`");

const BOOT: &str =
    "a machine that cannot read it does not start, and nothing could bring the old file back";
const GONE_AT_BOOT: &str = "it is gone with the next boot";

/// Why `path` is nobody's to declare; `None` if it may be an entry. The most special tree gives the reason.
#[must_use]
pub fn reserved(path: &HostPath) -> Option<Reserved> {
    let text = path.as_str();
    let file = FILES.iter().find(|(listed, ..)| *listed == text);
    let tree = TREES.iter().find(|(listed, ..)| {
        text.strip_prefix(listed)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let (_, reason, instead) = file.or(tree)?;
    Some(Reserved {
        reason,
        instead: *instead,
    })
}
