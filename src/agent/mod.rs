//! The loop: one pass from the remote to a report, and the service that repeats it.
//!
//! `reconciler` is one pass, by hand or by the agent: `find` gets a revision, `target` builds what it says, `activate`
//! makes the host so, `draft` collects the report. `service` repeats passes, `phase` is its state machine, `socket` and
//! `control` are the two ends of the control socket, `watch` notices a local repository moving, `settings` says how.

mod activate;
mod control;
mod draft;
mod events;
mod find;
mod memory;
mod pass;
mod pause;
mod phase;
mod reconciler;
mod scan;
mod secrets;
mod service;
mod settings;
mod socket;
mod target;
mod watch;

pub use control::{Client, ControlError, LINE_LIMIT_BYTES, Message, Request, SOCKET_PATH};
pub use events::PassEvent;
pub use phase::{AgentEvent, AgentPhase, Contact};
pub use reconciler::{Pass, Pausing, Preview, Reconciler, Retry, state_dir};
pub use scan::Booted;
pub use service::{ServiceError, run};
pub use settings::{Needs, Overrides, SETTINGS_PATH, Settings, SettingsError, duration};
