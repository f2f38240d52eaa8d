//! Steadfast: push a commit, and every host becomes what it says, or stays what it was and tells you why.
//!
//! The map of the house. Each module is a room; a room may use the rooms below it, never one above.
//!
//! | room | what happens there |
//! | --- | --- |
//! | [`cli`] | the verbs: arguments in, text or JSON out; no logic |
//! | [`agent`] | one pass of the loop (`reconcile`), and the service that repeats it |
//! | [`report`] | what a pass ended in: state file, status, journald events |
//! | [`drift`] | `plan` against the active generation, printed instead of applied |
//! | [`activation`] | observe, plan (pure), journal, apply, settle, roll back, recover |
//! | [`scaffold`] | a new config repository, made from the example fleet; new hosts in one |
//! | [`generation`] | the manifest of one host at one revision, its digest, the store of generations |
//! | [`config`] | hosts, modules and people to a typed [`config::HostConfig`] per host, every value with its origin |
//! | [`backup`] | backups with restic: made, looked at, brought back, verified; uses `host` alone |
//! | [`health`] | probes and verdicts |
//! | [`secrets`] | recipients by rule, edit, rekey, open, install to `/run/secrets` |
//! | [`source`] | git: remotes, fetch, reading a tree without a checkout, trust |
//! | [`sops`] | the SOPS file format alone; knows no host |
//! | [`identity`] | SSH host key to age identity and recipient; SSH signatures |
//! | [`host`] | every effect on a machine: files, units, users, packages, clock, child processes |

pub mod activation;
pub mod agent;
pub mod backup;
pub mod cli;
pub mod config;
pub mod drift;
pub mod generation;
pub mod health;
pub mod host;
pub mod identity;
pub mod report;
pub mod scaffold;
pub mod secrets;
pub mod sops;
pub mod source;

mod name;
