//! Every effect on a machine, behind one door: files, units, accounts, packages, clock, child processes.
//!
//! Nothing outside this room starts a process, writes a managed file or talks to D-Bus. [`Host`] is either the
//! live machine or a directory (`--root DIR`), in which nothing outside that directory is touched.

pub mod clock;
pub mod durable;
mod duration;
pub mod exec;
pub mod memory;

mod accounts;
mod acting;
mod attributes;
mod connections;
mod file_error;
mod files;
#[expect(
    clippy::module_inception,
    reason = "the room is named after its one door"
)]
mod host;
mod kernel_modules;
mod machine;
mod mount_point;
mod mounted;
mod names;
mod packages;
mod parallel;
mod people;
mod reach;
mod reading;
mod reserved;
mod room;
mod root;
mod seen;
mod since_boot;
mod staging;
mod state;
mod trace;
mod transient;
mod unit_id;
mod units;
mod user;
mod watch;
mod writers;

#[cfg(test)]
mod live_tests;

pub use accounts::{AccountError, Expires, GroupSpec, SubIds, UserSpec};
pub use attributes::Attributes;
pub use connections::CONNECTION_PREFIX;
pub use duration::duration;
pub use file_error::{FileError, FileErrorKind};
pub use files::{FileImage, Over, Removed, StagedFile};
pub use host::{Host, HostError};

pub use kernel_modules::{LoadModuleError, ModuleState};
pub use machine::{MachineError, normal_sysctl};
pub use mounted::Mounted;
pub use names::{
    Digest, FileMode, GroupName, HostPath, InvalidName, KernelModule, LocaleName, PackageName,
    UnitKind, UnitName, UserName,
};
pub use packages::{
    Arriving, Hold, InstalledPackages, Leaving, Ours, PATIENCE, PackageError, PackageLock,
    PackagedFile, Remember, Upkeep,
};
pub use parallel::{Step, Watcher};
pub(crate) use parallel::{abreast, both, for_each, side_by_side};
pub use people::{Linger, PeopleError};
pub use reach::{DefaultRoutes, Route};
pub use reserved::{Reserved, reserved};
pub use room::{Room, Surroundings, room_in};
pub use root::Ownership;
pub use seen::Seen;
pub use since_boot::Connection;
pub use staging::Staging;
pub use state::{
    AccountState, Accounts, ActiveState, GroupState, Owner, PathState, UnitFileState, UnitState,
};
pub use trace::Trace;
pub use transient::{
    Errand, MachineState, Transient, TransientError, TransientService, TransientTimer,
};
pub use unit_id::UnitId;
pub use units::{
    JobResult, StagedKind, StagedUnits, TimerState, UnitComplaint, UnitError, UnitWatch, Units,
    VerifyUnitsError, verify_units,
};
pub use user::{BecomeError, become_user};
pub use watch::{FileWatch, WatchList};
pub use writers::Writers;
