//! Generations: the complete typed content of one host at one revision, its digest, and the store that keeps them.
//!
//! `build` turns a [`HostConfig`](crate::config::HostConfig) into a [`Manifest`]; `store` numbers and keeps them;
//! `gc` forgets; `diff` compares two; `why` says where something of one comes from.

mod build;
mod check;
mod diff;
mod lenience;
mod manifest;
mod provenance;
mod store;
mod unit_file;
mod unit_rules;
mod why;

pub use build::{Built, build};
pub use check::{CheckRequest, Checked, Finding, UnitVerifier, check, excerpts, secret_uses};
pub use diff::{Change, ChangeKind, diff};
pub use lenience::{Lenience, LenientLines};
pub use manifest::{
    GroupEntry, MANIFEST_VERSION, Manifest, MountEntry, OnChange, PathEntry, PathKind, UnitEntry,
    UserEntry,
};
pub use provenance::{Generation, GenerationNumber, Provenance};
pub use store::{
    Additions, GcMode, GcPolicy, GcReport, Originals, Store, StoreError, StoreErrorKind,
};
pub(crate) use unit_file::Setting;
pub use unit_file::UnitFile;
pub use unit_rules::{UnitRules, UnitTrait};
pub use why::{Entry, Fact, OptionSaid, Said, Thing, Triggered, Turned, UnknownThing, why};
