//! What a host can be made of: one vocabulary for host, module and person.

use super::accounts::{GROUP, USER};
use super::field::{Field, Kind, field};
use super::home::HOME;
use super::network::{FIREWALL, MOUNT, NETWORK, QUADLET, SSHD};
use super::system::{APT, KEYMAP, LOCALE, PACKAGE, RESOLV};

pub(super) const DRIFT: Kind = Kind::Words(&["report", "enforce", "adopt"]);
const ON_CONFLICT: Kind = Kind::Words(&["refuse", "adopt", "backup"]);

pub(super) const TEXT: Field = field("text", Kind::Text, "The content itself.");
pub(super) const SOURCE: Field = field(
    "file",
    Kind::Text,
    "A file of the repository with the content: beside this one, or from the root with a leading `/`.",
);
const OWNER: Field = field("owner", Kind::Text, "Owner; root when left out.");
const GROUP_OF: Field = field(
    "group",
    Kind::Text,
    "Group; the owner's primary group when left out.",
);
const MODE: Field = field("mode", Kind::Text, "Mode, four octal digits.");
pub(super) const DRIFT_OF: Field = field(
    "drift",
    DRIFT,
    "What to do about drift; the host's policy when left out.",
);
pub(super) const CONFLICT: Field = field(
    "on_conflict",
    ON_CONFLICT,
    "What to do about a file that is there and not ours; refuse when left out.",
);
const LINKED_FROM: Field = field(
    "path",
    Kind::Text,
    "Where a symbolic link to it is made: an absolute path, or one below the home directory in a home.",
);
pub(super) const FILLED: Field = field(
    "template",
    Kind::Boolean,
    "Whether the expressions in `file` are evaluated.",
);
const TRIGGER: Field = field(
    "units",
    Kind::Object(TRIGGERS),
    "Units that act when it changes.",
);

/// `units` of a file, a secret or a template.
pub(in crate::config) const TRIGGERS: &[Field] = &[
    field("restart", Kind::List(&Kind::Text), "Units to restart."),
    field("reload", Kind::List(&Kind::Text), "Units to reload."),
];

/// A regular file.
pub(in crate::config) const FILE: &[Field] = &[
    TEXT,
    SOURCE,
    FILLED,
    OWNER,
    GROUP_OF,
    MODE,
    CONFLICT,
    DRIFT_OF,
    TRIGGER,
    field(
        "validate",
        Kind::List(&Kind::Text),
        "A program and its arguments that must end with 0 before anything changes; `{file}` is the new content.",
    ),
    field(
        "ignore",
        Kind::List(&Kind::Either(&[
            Kind::Words(&["mode", "owner", "content"]),
            Kind::Object(IGNORED_LINES),
        ])),
        "What may differ without being drift: `mode`, `owner` (with the group), `content`, or lines by pattern.",
    ),
];

/// Lines of a file that may differ.
pub(in crate::config) const IGNORED_LINES: &[Field] = &[field(
    "lines",
    Kind::Text,
    "A regular expression; lines that it matches are not compared.",
)];

/// A directory.
pub(in crate::config) const DIRECTORY: &[Field] = &[
    OWNER,
    GROUP_OF,
    MODE,
    DRIFT_OF,
    field(
        "ignore",
        Kind::List(&Kind::Words(&["mode", "owner"])),
        "What may differ without being drift: `mode`, `owner` (with the group).",
    ),
];

/// A symbolic link.
pub(in crate::config) const SYMLINK: &[Field] = &[
    field("target", Kind::Text, "What it points at, verbatim."),
    CONFLICT,
    DRIFT_OF,
];

/// A drop-in of a unit.
pub(in crate::config) const DROP_IN: &[Field] = &[TEXT, SOURCE, FILLED];

/// A systemd unit.
pub(in crate::config) const UNIT: &[Field] = &[
    TEXT,
    SOURCE,
    FILLED,
    field(
        "drop_ins",
        Kind::Map(&Kind::Object(DROP_IN)),
        "Drop-ins by file name, `10-limits.conf`.",
    ),
    field(
        "enable",
        Kind::Boolean,
        "Whether it is started at boot, as its [Install] section says.",
    ),
    field(
        "start",
        Kind::Boolean,
        "Running, or stopped; left as it is when left out.",
    ),
    field("mask", Kind::Boolean, "Whether nothing can start it."),
    CONFLICT,
    DRIFT_OF,
];

/// How a service gets a secret.
const CREDENTIALS: Field = field(
    "credentials",
    Kind::Map(&Kind::Text),
    "Services that systemd hands it to, and the name of its file in `$CREDENTIALS_DIRECTORY`.",
);

/// A secret to install.
pub(in crate::config) const SECRET: &[Field] = &[
    field(
        "file",
        Kind::Text,
        "The secret file; `/secrets/default.yml` when left out.",
    ),
    field(
        "key",
        Kind::Either(&[Kind::Text, Kind::List(&Kind::Text)]),
        "Where in the file; the parts of the secret's name when left out.",
    ),
    OWNER,
    GROUP_OF,
    MODE,
    field(
        "optional",
        Kind::Boolean,
        "Whether the rest of the host goes on when it does not open.",
    ),
    LINKED_FROM,
    CONFLICT,
    TRIGGER,
    CREDENTIALS,
];

/// A text with secrets in it.
pub(in crate::config) const TEMPLATE: &[Field] = &[
    TEXT,
    SOURCE,
    OWNER,
    GROUP_OF,
    MODE,
    LINKED_FROM,
    CONFLICT,
    TRIGGER,
    CREDENTIALS,
];

const WITHIN: Field = field("within", Kind::Text, "How long it may take, `30s`.");
const REQUIRED: Field = field(
    "required",
    Kind::Boolean,
    "Whether a change that breaks it is taken back.",
);

/// A check of a unit.
pub(in crate::config) const CHECK_UNIT: &[Field] = &[
    field("unit", Kind::Text, "The unit is active."),
    WITHIN,
    REQUIRED,
];

/// A check by HTTP.
pub(in crate::config) const CHECK_HTTP: &[Field] = &[
    field("http", Kind::Text, "The URL answers."),
    field(
        "status",
        Kind::Number,
        "With this status; 200 when left out.",
    ),
    WITHIN,
    REQUIRED,
];

/// A check by TCP.
pub(in crate::config) const CHECK_TCP: &[Field] = &[
    field("tcp", Kind::Text, "The address accepts a connection."),
    WITHIN,
    REQUIRED,
];

/// A check by a command.
pub(in crate::config) const CHECK_COMMAND: &[Field] = &[
    field(
        "command",
        Kind::List(&Kind::Text),
        "The command ends with 0; no shell.",
    ),
    WITHIN,
    REQUIRED,
];

/// A check of a file.
pub(in crate::config) const CHECK_FILE: &[Field] = &[
    field("file", Kind::Text, "The file is there."),
    MODE,
    field("contains", Kind::Text, "With this text in it."),
    WITHIN,
    REQUIRED,
];

/// What a host runs on.
pub(in crate::config) const PLATFORM: &[Field] = &[
    field("os", Kind::Text, "`ID` of /etc/os-release."),
    field("version", Kind::Text, "`VERSION_ID` of /etc/os-release."),
    field(
        "arch",
        Kind::Text,
        "`uname -m`; Debian's words are understood.",
    ),
];

/// The keys of `config:` of a module or a person; a host file has them at its top.
pub(in crate::config) const RESOURCES: &[Field] = &[
    field(
        "hostname",
        Kind::Text,
        "Running host name, and /etc/hostname.",
    ),
    field("timezone", Kind::Text, "Time zone, `Europe/Berlin`."),
    field(
        "sysctls",
        Kind::Map(&Kind::Text),
        "Kernel parameters by dotted name.",
    ),
    field(
        "locale",
        Kind::Either(&[Kind::Text, Kind::Object(LOCALE)]),
        "Language and formats, `en_US.UTF-8`; generated where it is missing.",
    ),
    field(
        "keymap",
        Kind::Either(&[Kind::Text, Kind::Object(KEYMAP)]),
        "Keyboard layout, `us`.",
    ),
    field(
        "kernel_modules",
        Kind::List(&Kind::Text),
        "Kernel modules to load, now and at boot.",
    ),
    field(
        "hosts",
        Kind::Map(&Kind::Either(&[Kind::Text, Kind::List(&Kind::Text)])),
        "Names by address; /etc/hosts is then managed as a whole.",
    ),
    field(
        "resolv",
        Kind::Object(RESOLV),
        "Name servers: /etc/resolv.conf.",
    ),
    field(
        "packages",
        Kind::List(&Kind::Either(&[Kind::Text, Kind::Object(PACKAGE)])),
        "Packages to have installed.",
    ),
    field(
        "apt",
        Kind::Object(APT),
        "Where packages come from, beyond what the host has.",
    ),
    field("groups", Kind::Map(&Kind::Object(GROUP)), "Groups by name."),
    field(
        "users",
        Kind::Either(&[Kind::List(&Kind::Text), Kind::Map(&Kind::Object(USER))]),
        "People of `users/` by name, or accounts.",
    ),
    field("files", Kind::Map(&Kind::Object(FILE)), "Files by path."),
    field(
        "directories",
        Kind::Map(&Kind::Object(DIRECTORY)),
        "Directories by path.",
    ),
    field(
        "symlinks",
        Kind::Map(&Kind::Either(&[Kind::Text, Kind::Object(SYMLINK)])),
        "Symbolic links by path.",
    ),
    field(
        "units",
        Kind::Map(&Kind::Object(UNIT)),
        "systemd units by name.",
    ),
    field(
        "mounts",
        Kind::Map(&Kind::Object(MOUNT)),
        "File systems by mount point.",
    ),
    field("network", Kind::Object(NETWORK), "Interfaces and tunnels."),
    field("sshd", Kind::Object(SSHD), "The SSH server."),
    field(
        "firewall",
        Kind::Object(FIREWALL),
        "The packet filter: one whole nftables ruleset.",
    ),
    field(
        "containers",
        Kind::Map(&Kind::Object(QUADLET)),
        "Podman quadlets by file name, `ollama.container`.",
    ),
    field(
        "secrets",
        Kind::Map(&Kind::Object(SECRET)),
        "Secrets by name.",
    ),
    field(
        "templates",
        Kind::Map(&Kind::Object(TEMPLATE)),
        "Texts with secrets in them, by name.",
    ),
    field(
        "home",
        Kind::Map(&Kind::Object(HOME)),
        "What is in the home directories of accounts, by account.",
    ),
    field(
        "health",
        Kind::List(&Kind::Either(&[
            Kind::Object(CHECK_UNIT),
            Kind::Object(CHECK_HTTP),
            Kind::Object(CHECK_TCP),
            Kind::Object(CHECK_COMMAND),
            Kind::Object(CHECK_FILE),
        ])),
        "What is asked before and after a change.",
    ),
];
