//! Every effect on a machine, behind one door: files, units, accounts, packages, clock, child processes.
//!
//! Nothing outside this room starts a process, writes a managed file or talks to D-Bus. [`Host`] is either the
//! live machine or a directory (`--root DIR`), in which nothing outside that directory is touched.

mod names;
mod state;

pub use names::{
    Digest, FileMode, GroupName, HostPath, InvalidName, PackageName, UnitKind, UnitName, UserName,
};
pub use state::{
    AccountState, Accounts, ActiveState, GroupState, Owner, PathState, UnitFileState, UnitState,
};
