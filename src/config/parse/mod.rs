//! The keys of a host file, group by group.

mod accounts;
mod environment;
mod files;
mod git;
mod health;
mod home;
mod host;
mod machine;
mod of;
mod paths;
mod secrets;
mod software;
mod source;
mod units;
mod value;

pub(super) use host::HostParser;
pub(super) use value::duration_ms;
