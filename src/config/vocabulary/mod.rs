//! Every key of every file, in tables: what the reader accepts is what the JSON Schemas say.

mod accounts;
mod disk;
mod field;
mod files;
mod home;
mod network;
mod resources;
mod schema;
mod system;

pub(super) use accounts::{GROUP, USER};
pub(super) use disk::{DISK, LUKS, PARTITION, SUBVOLUME};
pub(super) use field::{Field, keys};
pub(super) use files::{ASSERTION, FLEET, HOST, INPUT, LOCK, LOCKED, MODULE, PERSON, SPEC};
pub(super) use home::HOME;
pub(super) use network::{
    FIREWALL, INTERFACE, MOUNT, NETWORK, QUADLET, ROUTE, SSHD, WIREGUARD, WIREGUARD_PEER,
};
pub(super) use resources::{
    CHECK_COMMAND, CHECK_FILE, CHECK_HTTP, CHECK_TCP, CHECK_UNIT, DIRECTORY, DROP_IN, FILE,
    IGNORED_LINES, PLATFORM, RESOURCES, SECRET, SYMLINK, TEMPLATE, TRIGGERS, UNIT,
};
pub use schema::{FileKind, schema};
pub(super) use system::{APT, KEYMAP, LOCALE, PACKAGE, PIN, REPOSITORY, RESOLV, SUBIDS};
