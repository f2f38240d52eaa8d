//! The verbs: arguments in, text or JSON out; no logic.
//!
//! `args` is the clap tree, `dispatch` calls the verb, one file per verb group. `site` is the host that a verb acts on,
//! `answer` the way to stdout, `render` what people read there, `problem` an error on stderr.

mod agent;
mod answer;
mod args;
mod backup;
mod check;
mod compare;
mod completions;
mod config;
mod dispatch;
mod drift;
mod drift_adopt;
mod drift_hold;
mod flags;
mod generations;
mod hold;
mod host;
mod init;
mod inputs;
mod man;
mod plan;
mod problem;
mod progress;
mod reconcile;
mod reconcile_confirm;
mod reconcile_log;
mod reconcile_pause;
mod recover;
mod render;
mod repository;
mod schema;
mod secrets;
mod site;
mod status;
mod style;
mod why;

pub use args::{Cli, NAMES, ReconcileCli, SecretsCli, command};
pub use backup::{BackupList, RunAnswer, RunEntry, SnapshotList};
pub use check::{FindingAnswer, HostAnswer, RepositoryAnswer};
pub use compare::{FleetPreview, HostPreview, Preview};
pub use config::{ConfigAnswer, ModuleAnswer, OptionAnswer, WantedAnswer};
pub use dispatch::{fail, main};
pub use flags::HostFlags;
pub use generations::{GcAnswer, GenerationDiff, GenerationEntry, GenerationList};
pub use inputs::{InputAnswer, InputList, InputUpdates, UpdateAnswer};
pub use plan::PlanAnswer;
pub use reconcile_log::{LogAnswer, LogEvent, TransactionEntry};
pub use why::{LineAnswer, WhyAnswer};
