//! Secrets of a config repository: who can read them, changing them, and installing them on a host.
//!
//! For people: `rules` reads `.sops.yaml`, `recipient_names` says who is who, `repository` finds the secret files, `edit`,
//! `change` and `rekey` change them. For hosts: `open` decrypts a generation's secrets, `template` mixes them into texts,
//! `observe` and `install` compare and put them below `/run/secrets`.

mod change;
mod edit;
mod editor;
mod host_identity;
mod install;
mod key_path;
mod layout;
mod observe;
mod open;
mod path_regex;
mod recipient_names;
mod rekey;
mod repository;
mod rules;
mod scratch;
mod secret_file;
mod signals;
mod spec;
mod state;
mod template;

pub use change::{ChangeError, Changed, encrypt, set, unset};
pub use edit::{Again, EditFileError, EditSession, Mistake, edit};
pub use editor::{Editor, EditorError};
pub use host_identity::{HostIdentity, HostIdentityError};
pub use install::{InstallError, Installed, conflicting_names, install};
pub use key_path::{KeyPath, KeyPathError};
pub use layout::SecretSet;
pub use observe::{InstalledSecrets, observe};
pub use open::{OpenSecretError, OpenSecretErrorKind, OpenSecretsError, OpenedSecrets, open};
pub use path_regex::{PathRegex, PathRegexError};
pub use recipient_names::RecipientNames;
pub use rekey::{
    FileRekey, MatchingFile, RekeyError, RekeyNotice, RekeyNoticeKind, RekeyPlan, RekeyTrouble,
    plan_rekey, rekey,
};
pub use repository::{Repository, RepositoryError};
pub use rules::{RecipientsError, Rule, RuleTrouble, Rules, RulesError};
pub use scratch::ScratchError;
pub use secret_file::{SecretFileError, SecretFileErrorKind, get, view};
pub use spec::{SecretName, SecretSpec, TemplateName, TemplateSegment, TemplateSpec, UnitTriggers};
pub use state::SecretState;
pub use template::{
    RenderError, TemplateError, TemplateErrorKind, parse_template, render, secrets_of,
};
