//! The loop: one pass from the remote to a report, and the service that repeats it.
//!
//! `reconciler` is one pass, by hand or by the agent: `find` gets a revision, `target` builds what it says, `activate`
//! makes the host so, `draft` collects the report. `service` repeats passes, `phase` is its state machine, `socket` and
//! `control` are the two ends of the control socket, `watch` notices a local repository moving, `hints` the host
//! changing, `pace` says how often the latter sets off a look, `next_boot` has what a boot changes, `settings` says the rest.

mod activate;
mod activator;
mod conclude;
mod control;
mod draft;
mod events;
mod find;
mod handover;
mod hints;
mod memory;
mod next_boot;
mod pace;
mod pass;
mod pause;
mod phase;
mod reconciler;
mod recover;
mod renewal;
mod rescue;
mod scan;
mod secrets;
mod service;
mod settings;
mod socket;
mod target;
mod turn;
mod watch;
mod wire;

pub use activator::{Served, serve_activation};
pub use control::{Client, ControlError, LINE_LIMIT_BYTES, Message, Request, SOCKET_PATH};
pub use events::PassEvent;
pub use phase::{AgentEvent, AgentPhase, Contact};
/// The service that an activation runs in.
pub(crate) const ACTIVATION_UNIT: &str = "steadfast-activation.service";

pub use reconciler::{Mode, Pass, Pausing, Preview, Reading, Reconciler, Retry, state_dir};
pub use recover::Rescue;
pub use scan::Booted;
pub use service::{ServiceError, run};
pub use settings::{Needs, Overrides, SETTINGS_PATH, Settings, SettingsError};
pub use turn::PATIENCE;
