//! The machine as a whole: language, keyboard, names, packages and where they come from.

use super::field::{Field, Kind, field};

/// `locale` written out.
pub(in crate::config) const LOCALE: &[Field] = &[
    field("lang", Kind::Text, "`LANG`: `en_US.UTF-8`."),
    field(
        "generate",
        Kind::List(&Kind::Text),
        "Further locales to generate: `[de_DE.UTF-8]`.",
    ),
    field(
        "settings",
        Kind::Map(&Kind::Text),
        "`LC_TIME` and the like, and `LANGUAGE`.",
    ),
];

/// `keymap` written out.
pub(in crate::config) const KEYMAP: &[Field] = &[
    field(
        "layout",
        Kind::Text,
        "XKB layout, or several: `us`, `us,de`.",
    ),
    field("variant", Kind::Text, "XKB variant: `intl`."),
    field("model", Kind::Text, "XKB model; `pc105` when left out."),
    field(
        "options",
        Kind::List(&Kind::Text),
        "XKB options: `[\"ctrl:nocaps\"]`.",
    ),
    field(
        "console",
        Kind::Text,
        "Key map of the text console; the first layout when left out.",
    ),
];

/// `resolv`.
pub(in crate::config) const RESOLV: &[Field] = &[
    field(
        "nameservers",
        Kind::List(&Kind::Text),
        "Addresses of name servers, in order.",
    ),
    field(
        "search",
        Kind::List(&Kind::Text),
        "Domains that short names are tried in.",
    ),
    field(
        "options",
        Kind::List(&Kind::Text),
        "Options of resolv.conf(5): `[edns0, \"timeout:1\"]`.",
    ),
];

/// A package with more than its name.
pub(in crate::config) const PACKAGE: &[Field] = &[
    field("name", Kind::Text, "The package."),
    field(
        "hold",
        Kind::Boolean,
        "Whether upgrades leave it at its version.",
    ),
];

/// `apt`.
pub(in crate::config) const APT: &[Field] = &[
    field(
        "repositories",
        Kind::Map(&Kind::Object(REPOSITORY)),
        "Package repositories by name.",
    ),
    field(
        "pins",
        Kind::List(&Kind::Object(PIN)),
        "Which versions are preferred.",
    ),
];

/// A package repository.
pub(in crate::config) const REPOSITORY: &[Field] = &[
    field(
        "types",
        Kind::List(&Kind::Words(&["deb", "deb-src"])),
        "`[deb]` when left out.",
    ),
    field("uris", Kind::List(&Kind::Text), "Where it is."),
    field(
        "suites",
        Kind::List(&Kind::Text),
        "`[bookworm]`; of a flat repository a path that ends with `/`.",
    ),
    field(
        "components",
        Kind::List(&Kind::Text),
        "`[main]`; none for a flat repository.",
    ),
    field(
        "architectures",
        Kind::List(&Kind::Text),
        "`[amd64]`; the host's when left out.",
    ),
    field(
        "key",
        Kind::Text,
        "A file of the repository with the public key that signs it, armored or not.",
    ),
    field(
        "signed_by",
        Kind::Text,
        "Instead of `key`: a keyring that is on the host.",
    ),
];

/// A preference about versions.
pub(in crate::config) const PIN: &[Field] = &[
    field(
        "packages",
        Kind::List(&Kind::Text),
        "Packages; `*` and the like are understood.",
    ),
    field("version", Kind::Text, "The version: `5:27.*`."),
    field("release", Kind::Text, "The release: `a=stable`."),
    field("origin", Kind::Text, "The host that packages come from."),
    field(
        "priority",
        Kind::Float,
        "From -32768 to 32767: 500 is usual, above 1000 downgrades, below 0 forbids.",
    ),
];

/// Subordinate ids of an account.
pub(in crate::config) const SUBIDS: &[Field] = &[
    field("start", Kind::Number, "The first id."),
    field("count", Kind::Number, "How many; 65536 when left out."),
];
