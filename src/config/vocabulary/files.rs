//! The kinds of files, but for `disk.yml`.

use super::accounts::USER;
use super::field::{Field, Kind, field};
use super::home::HOME;
use super::resources::{DRIFT, PLATFORM, RESOURCES};

const ONE_OR_MORE_BLOCKS: Kind = Kind::Either(&[
    Kind::Object(RESOURCES),
    Kind::List(&Kind::Object(RESOURCES)),
]);

const MODULES: Field = field(
    "modules",
    Kind::Map(&Kind::Any),
    "Modules by name, with their options; naming one turns it on unless it says `enable: false`.",
);

/// What only a host file has; [`RESOURCES`] come on top.
pub(in crate::config) const HOST: &[Field] = &[
    field("description", Kind::Text, "What the host is for."),
    field("platform", Kind::Object(PLATFORM), "What it runs on."),
    field("drift", DRIFT, "What to do about drift."),
    field(
        "profiles",
        Kind::List(&Kind::Text),
        "Modules to turn on with nothing set: `[server]`.",
    ),
    MODULES,
];

/// A module.
pub(in crate::config) const MODULE: &[Field] = &[
    field("description", Kind::Text, "What the module is for."),
    field(
        "options",
        Kind::Map(&Kind::Option),
        "What can be set, by name, in JSON Schema terms.",
    ),
    field(
        "imports",
        Kind::List(&Kind::Text),
        "Modules that this one needs; they are turned on with it.",
    ),
    MODULES,
    field(
        "when",
        Kind::Either(&[Kind::Boolean, Kind::Text]),
        "`config` and `modules` count only if this is true.",
    ),
    field(
        "config",
        ONE_OR_MORE_BLOCKS,
        "What the module contributes to a host.",
    ),
    field(
        "assertions",
        Kind::List(&Kind::Object(ASSERTION)),
        "What must be true of the options.",
    ),
];

/// An assertion of a module.
pub(in crate::config) const ASSERTION: &[Field] = &[
    field(
        "that",
        Kind::Either(&[Kind::Boolean, Kind::Text]),
        "An expression that must be true.",
    ),
    field("message", Kind::Text, "What to say when it is not."),
];

/// What only the file of a person has; the keys of an account ([`USER`]) come on top.
/// `home` stands in both: a path is the account's, a map is what is there.
pub(in crate::config) const PERSON: &[Field] = &[
    field(
        "home",
        Kind::Either(&[Kind::Text, Kind::Object(HOME)]),
        "What is in the home directory; or its path, `/home/NAME` when left out.",
    ),
    field(
        "config",
        ONE_OR_MORE_BLOCKS,
        "What comes with the person to every host that names them.",
    ),
];

/// The fleet.
pub(in crate::config) const FLEET: &[Field] = &[
    field(
        "variables",
        Kind::Map(&Kind::Any),
        "What expressions see as `fleet`.",
    ),
    field(
        "inputs",
        Kind::Map(&Kind::Object(INPUT)),
        "Other repositories whose modules are used, by name: `community/nfs`.",
    ),
];

/// Another repository whose modules are used.
pub(in crate::config) const INPUT: &[Field] = &[
    field(
        "url",
        Kind::Text,
        "Where it is: `ssh://…`, `https://…`, `user@host:path` or an absolute path.",
    ),
    field(
        "branch",
        Kind::Text,
        "The branch that `steadfast inputs update` looks at; the remote's HEAD when left out.",
    ),
    field(
        "directory",
        Kind::Text,
        "Its folder of modules; `modules` when left out.",
    ),
    field(
        "signers",
        Kind::List(&Kind::Text),
        "Public SSH keys of those who may sign its commits; signatures are not asked for when left out.",
    ),
];

/// `fleet.lock`.
pub(in crate::config) const LOCK: &[Field] = &[
    field("version", Kind::Number, "1."),
    field(
        "inputs",
        Kind::Map(&Kind::Object(LOCKED)),
        "The inputs by name.",
    ),
];

/// An input in `fleet.lock`.
pub(in crate::config) const LOCKED: &[Field] = &[
    field("url", Kind::Text, "Where it is."),
    field(
        "branch",
        Kind::Text,
        "The branch that the commit was found on.",
    ),
    field("commit", Kind::Text, "The commit."),
    field("tree", Kind::Text, "SHA-256 over its files."),
];

/// One option of a module, or a part of one.
pub(in crate::config) const SPEC: &[Field] = &[
    field(
        "type",
        Kind::Words(&[
            "string", "integer", "number", "boolean", "array", "object", "any",
        ]),
        "What it is.",
    ),
    field("description", Kind::Text, "What it is for."),
    field(
        "default",
        Kind::Any,
        "What it is when nothing is said; `null` for nothing. Without it, the option must be set.",
    ),
    field("example", Kind::Any, "For people."),
    field("enum", Kind::List(&Kind::Any), "The values it may have."),
    field(
        "format",
        Kind::Words(&[
            "systemd-calendar",
            "path",
            "mode",
            "secret-name",
            "unit-name",
            "duration",
        ]),
        "What the text has to be.",
    ),
    field(
        "pattern",
        Kind::Text,
        "Regular expression that the text has to match somewhere.",
    ),
    field("minLength", Kind::Number, "Fewest characters of a text."),
    field("maxLength", Kind::Number, "Most characters of a text."),
    field("minimum", Kind::Float, "Smallest number."),
    field("maximum", Kind::Float, "Greatest number."),
    field("items", Kind::Option, "What the items of an array are."),
    field("minItems", Kind::Number, "Fewest items."),
    field("maxItems", Kind::Number, "Most items."),
    field(
        "uniqueItems",
        Kind::Boolean,
        "Whether no item may be there twice.",
    ),
    field(
        "properties",
        Kind::Map(&Kind::Option),
        "What an object has.",
    ),
    field(
        "required",
        Kind::List(&Kind::Text),
        "Properties that must be set.",
    ),
    field(
        "additionalProperties",
        Kind::Either(&[Kind::Boolean, Kind::Option]),
        "Whether an object has further keys, and what they hold. Not, when left out.",
    ),
];

/// An account and what comes with it are one file.
pub(super) const PERSON_FILE: [&[Field]; 2] = [USER, PERSON];
