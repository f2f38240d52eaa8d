//! From a repository to the configuration of one host.
//!
//! `fleet` is the way in; `run` resolves one host: `wanted` finds the modules that can play a part, `options` their
//! options, each when it is first asked for, `evaluate` turns trees with expressions into trees without, `contribute`
//! merges what all files say.

mod contribute;
mod evaluate;
mod explain;
mod fill;
mod fleet;
mod options;
mod resolution;
mod run;
mod scope;
mod unread;
mod variables;
mod wanted;

pub use fleet::{Fleet, ModuleDescription, hosts, resolve};
pub use resolution::{Content, ModuleUse, OptionUse, Resolution, Resolved, UnheardValue};
pub use unread::Used;
