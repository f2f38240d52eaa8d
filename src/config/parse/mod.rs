//! The keys of a host file, group by group.

mod accounts;
mod credentials;
mod environment;
mod files;
mod git;
mod health;
mod home;
mod host;
mod machine;
mod mounts;
mod network;
mod of;
mod paths;
mod secrets;
mod services;
mod software;
mod source;
mod units;
mod value;
mod wireguard;

pub(super) use host::HostParser;
pub(super) use value::duration_ms;
