//! Secrets of a config repository: who can read them, changing them, and installing them on a host.
//!
//! For people: `rules` reads `.sops.yaml`, `recipient_names` says who is who. For hosts: `open` decrypts a generation's
//! secrets, `template` mixes them into texts, `install` puts them below `/run/secrets`.

mod install;
mod layout;
mod observe;
mod open;
mod path_regex;
mod recipient_names;
mod rules;
mod spec;
mod state;
mod template;

pub use install::{InstallError, Installed, conflicting_names, install};
pub use layout::SecretSet;
pub use observe::{InstalledSecrets, observe};
pub use open::{OpenSecretError, OpenSecretErrorKind, OpenSecretsError, OpenedSecrets, open};
pub use path_regex::{PathRegex, PathRegexError};
pub use recipient_names::RecipientNames;
pub use rules::{RecipientsError, Rule, RuleTrouble, Rules, RulesError};
pub use spec::{SecretName, SecretSpec, TemplateName, TemplateSegment, TemplateSpec, UnitTriggers};
pub use state::SecretState;
pub use template::{
    RenderError, TemplateError, TemplateErrorKind, parse_template, render, secrets_of,
};
