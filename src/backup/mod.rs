//! Backups with restic: what is backed up where, made, kept, looked at, brought back and verified.
//!
//! The one source is a file for each backup in `/etc/steadfast/backups`, written by the module `restic-backup`: the service
//! and every verb read it. Nothing here knows of the config repository.

mod checking;
mod definition;
mod error;
mod event;
mod lock;
mod message;
mod record;
mod repository;
mod restic;
mod restore;
mod run;
mod snapshots;
mod status;
mod target;

pub use checking::{CheckReport, check};
pub use definition::{
    BackupName, DEFINITIONS, Definition, DefinitionError, Keep, definition, definitions,
};
pub use error::BackupError;
pub use event::{Event, Progress, Tell};
pub use lock::Patience;
pub use record::{Attempt, Checked, Record, Success};
pub use repository::Missing;
pub use restore::{Destination, RestoreReport, Wanted, restore};
pub use run::{RunReport, Unread, run};
pub use snapshots::{Snapshot, Which, short, snapshots};
pub use status::{BackupStatus, Schedule, look};
