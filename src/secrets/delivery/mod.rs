//! Secrets on their host: a generation's secrets opened, mixed into templates, compared and put below `/run/secrets`.

mod host_identity;
mod install;
mod layout;
mod observe;
mod open;
mod spec;
mod state;
mod template;

pub use host_identity::{HostIdentities, HostIdentity, HostIdentityError, private_key_of};
pub use install::{InstallError, Installed, conflicting_names, install, remove_unfinished};
pub use layout::SecretSet;
pub use observe::{InstalledSecrets, observe};
pub use open::{OpenSecretError, OpenSecretErrorKind, OpenSecretsError, OpenedSecrets, open};
pub use spec::{
    CredentialName, SecretName, SecretSpec, TemplateName, TemplateSegment, TemplateSpec,
    UnitTriggers,
};
pub use state::SecretState;
pub use template::{
    RenderError, TemplateError, TemplateErrorKind, parse_template, render, secrets_of,
};
