//! What is in the home directory of an account.

use super::field::{Field, Kind, field};
use super::resources::{DIRECTORY, FILE, SECRET, SYMLINK, TEMPLATE, UNIT};

/// One account under `home`.
pub(in crate::config) const HOME: &[Field] = &[
    field(
        "files",
        Kind::Map(&Kind::Object(FILE)),
        "Files by their path below the home directory.",
    ),
    field(
        "directories",
        Kind::Map(&Kind::Object(DIRECTORY)),
        "Directories by their path below the home directory.",
    ),
    field(
        "symlinks",
        Kind::Map(&Kind::Either(&[Kind::Text, Kind::Object(SYMLINK)])),
        "Symbolic links by their path below the home directory.",
    ),
    field(
        "git",
        Kind::Map(&Kind::Any),
        "~/.config/git/config: sections with their settings, `user: { name: …, email: … }`.",
    ),
    field(
        "session_variables",
        Kind::Map(&Kind::Text),
        "Environment of the account's sessions and login shells.",
    ),
    field(
        "units",
        Kind::Map(&Kind::Object(UNIT)),
        "Units of the account's own systemd, by name.",
    ),
    field(
        "secrets",
        Kind::Map(&Kind::Object(SECRET)),
        "Secrets for the account, by name.",
    ),
    field(
        "templates",
        Kind::Map(&Kind::Object(TEMPLATE)),
        "Texts with secrets in them for the account, by name.",
    ),
];
