//! Secrets of a config repository: who can read them, changing them, and installing them on a host.

mod spec;
mod state;

pub use spec::{SecretName, SecretSpec, TemplateName, TemplateSegment, TemplateSpec, UnitTriggers};
pub use state::SecretState;
