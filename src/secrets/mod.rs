//! Secrets of a config repository: who can read them, changing them, and installing them on a host.
//!
//! For people: `repository` is the working copy with its rules, `file` reads and changes one secret file, `access` says
//! and changes who can read which. For hosts: `delivery` opens a generation's secrets and puts them below `/run/secrets`.

mod access;
mod delivery;
mod file;
mod git;
mod repository;

pub use access::{
    AccessTable, Checked, DataKeyChange, Exclusive, ExclusiveError, FileAccess, FileRekey, Finding,
    FindingKind, HistoryNeed, HostFileTrouble, HostUse, Joining, MatchingFile, OffboardError,
    OffboardPlan, OnboardError, OnboardPlan, OtherKey, Principals, Reader, ReaderKind, Recovered,
    RekeyError, RekeyNotice, RekeyNoticeKind, RekeyPlan, RekeyTrouble, SecretUse, Severity, Step,
    Subject, TransactionError, Usage, ValueUse, Verification, Wanted, Watcher, add_files,
    broken_rules, check, is_interrupted, offboard, onboard, plan_offboard, plan_onboard,
    plan_rekey, rekey, who,
};
pub use delivery::{
    CredentialName, HostIdentities, HostIdentity, HostIdentityError, InstallError, Installed,
    InstalledSecrets, OpenSecretError, OpenSecretErrorKind, OpenSecretsError, OpenedSecrets,
    RenderError, SecretName, SecretSet, SecretSpec, SecretState, TemplateError, TemplateErrorKind,
    TemplateName, TemplateSegment, TemplateSpec, UnitTriggers, conflicting_names, install, observe,
    open, parse_template, private_key_of, remove_unfinished, render, secrets_of,
};
pub use file::{
    Access, Again, Alphabet, ChangeError, Changed, EditFileError, EditSession, Editor, EditorError,
    Existing, GenerateError, Generated, Generator, Handover, Kept, KeyPath, KeyPathError, MacCheck,
    MadeSecret, Mistake, NewSecret, NewSecretError, NewValue, PasswordError, Recipe, RecipeError,
    RecipientChange, RotateError, RunError, ScratchError, SecretFile, SecretFileError,
    SecretFileErrorKind, Setback, ShellCommand, Wishes, edit, encrypt, encrypted, generate,
    new_secret, rotate, rotated, run_program, run_with_file, set, swap_in_the_clear, unset,
    variables,
};
pub use git::{
    Changed as ChangedFile, Conflict, ConflictError, FileChange, FileDiff, GitError, MergeInput,
    MergeOutcome, Resolve, Selection, Setup, SetupError, SetupStep, Stages, State, StepState,
    WholeReason, Worktree, changes, compare_texts, conflict_in, edit_conflict, merge_texts,
    setup_missing, stages, textconv, unified,
};
pub use repository::{
    Carried, GoneValue, MustChange, MustChangeError, MustChangeValue, RecipientNames,
    RecipientsError, Repository, RepositoryError, Rule, RuleTrouble, Rules, RulesError,
    RulesTextError,
};
