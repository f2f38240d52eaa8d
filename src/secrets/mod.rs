//! Secrets of a config repository: who can read them, changing them, and installing them on a host.
//!
//! For people: `repository` is the working copy with its rules, `file` reads and changes one secret file, `access` says
//! and changes who can read which. For hosts: `delivery` opens a generation's secrets and puts them below `/run/secrets`.

mod access;
mod delivery;
mod file;
mod repository;

pub use access::{
    FileRekey, MatchingFile, RekeyError, RekeyNotice, RekeyNoticeKind, RekeyPlan, RekeyTrouble,
    plan_rekey, rekey,
};
pub use delivery::{
    HostIdentity, HostIdentityError, InstallError, Installed, InstalledSecrets, OpenSecretError,
    OpenSecretErrorKind, OpenSecretsError, OpenedSecrets, RenderError, SecretName, SecretSet,
    SecretSpec, SecretState, TemplateError, TemplateErrorKind, TemplateName, TemplateSegment,
    TemplateSpec, UnitTriggers, conflicting_names, install, observe, open, parse_template, render,
    secrets_of,
};
pub use file::{
    Again, ChangeError, Changed, EditFileError, EditSession, Editor, EditorError, KeyPath,
    KeyPathError, Mistake, ScratchError, SecretFileError, SecretFileErrorKind, edit, encrypt, get,
    set, unset, view,
};
pub use repository::{
    PathRegex, PathRegexError, RecipientNames, RecipientsError, Repository, RepositoryError, Rule,
    RuleTrouble, Rules, RulesError,
};
