//! Groups and accounts.

use super::field::{Field, Kind, field};
use super::system::SUBIDS;

/// A group.
pub(in crate::config) const GROUP: &[Field] = &[
    field(
        "gid",
        Kind::Number,
        "Group id; chosen by the system when left out.",
    ),
    field(
        "system",
        Kind::Boolean,
        "Whether the id is from the system range.",
    ),
];

/// An account.
pub(in crate::config) const USER: &[Field] = &[
    field(
        "uid",
        Kind::Number,
        "User id; chosen by the system when left out.",
    ),
    field(
        "group",
        Kind::Text,
        "Primary group; one named like the user when left out.",
    ),
    field(
        "groups",
        Kind::List(&Kind::Text),
        "Further groups; others that somebody put the user into are kept.",
    ),
    field("description", Kind::Text, "Full name or purpose."),
    field(
        "home",
        Kind::Text,
        "Home directory; `/home/NAME` when left out.",
    ),
    field("shell", Kind::Text, "Login shell."),
    field(
        "password_hash",
        Kind::Text,
        "crypt(3) hash of the password.",
    ),
    field(
        "password_secret",
        Kind::Text,
        "Name of the secret with the crypt(3) hash of the password.",
    ),
    field(
        "ssh_keys",
        Kind::List(&Kind::Text),
        "`~/.ssh/authorized_keys`, managed as a whole.",
    ),
    field("system", Kind::Boolean, "Whether it is a system account."),
    field(
        "admin",
        Kind::Boolean,
        "Whether it may use sudo; the package comes with it.",
    ),
    field(
        "linger",
        Kind::Boolean,
        "Whether its services run from boot, without a login.",
    ),
    field(
        "expires",
        Kind::Text,
        "The first day on which it cannot be used, `2027-12-31`; or `never`.",
    ),
    field(
        "subids",
        Kind::Object(SUBIDS),
        "Subordinate user and group ids, for rootless containers.",
    ),
];
