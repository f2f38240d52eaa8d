//! Exit codes of the verbs: those of sops where it has the same purpose.

use std::path::Path;

use crate::cli::problem::print_problem;
use crate::report::{Problem, exit};
use crate::secrets::{
    ChangeError, EditFileError, KeyPathError, RecipeError, SecretFileError, SecretFileErrorKind,
};
use crate::sops::{ConvertError, EditError, OpenError, ParseError, SealError};

/// Input that cannot be read, or not be parsed.
pub(super) const UNREADABLE: u8 = 2;
/// An output that cannot be written.
pub(super) const NOT_WRITABLE: u8 = 3;
/// A file that cannot be printed in the format that was asked for.
pub(super) const NOT_PRINTABLE: u8 = 4;
/// A key path or value of `set` or `unset` that cannot be read.
pub(super) const MALFORMED: u8 = 7;
/// Options that do not go together.
pub(super) const CONFLICT: u8 = 8;
/// Contents that cannot be encrypted.
pub(super) const NOT_ENCRYPTABLE: u8 = 23;
/// A value that cannot be decrypted.
pub(super) const VALUE: u8 = 25;
/// Keys are to be added to, or removed from, a file that is not there.
pub(super) const KEYS_OF_NO_FILE: u8 = 49;
/// The MAC is missing, or not that of the contents.
pub(super) const MAC: u8 = 51;
/// A key path that cannot be read.
pub(super) const KEY_PATH: u8 = 91;
/// A file without a document.
pub(super) const NO_DOCUMENT: u8 = 92;
/// No file is named, or it is not there.
pub(super) const NO_FILE: u8 = 100;
/// The order of decryption names a kind of key twice.
pub(super) const KEY_ORDER: u8 = 112;
/// No key that is here opens the file.
pub(super) const NO_KEY: u8 = 128;
/// `edit`: nothing was changed.
pub(super) const UNCHANGED: u8 = 200;
/// `edit`: the editor is missing, or failed.
pub(super) const EDITOR: u8 = 201;
/// The input is encrypted already.
pub(super) const ENCRYPTED_ALREADY: u8 = 203;

/// A verb that failed: what to say, and the exit code.
#[derive(Debug)]
pub(super) struct Failure {
    problem: Problem,
    code: u8,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::new(problem, exit::FAILED)
    }
}

impl Failure {
    pub(super) fn new(problem: Problem, code: u8) -> Self {
        Self { problem, code }
    }

    /// The same, with another exit code.
    pub(super) fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// Says what failed and gives the exit code.
    pub(super) fn end(&self) -> u8 {
        print_problem(&self.problem);
        self.code
    }

    /// Options that do not go together.
    pub(super) fn conflict(what: &str, fix: &str) -> Self {
        Self::new(Problem::new(what).with_fix(fix), CONFLICT)
    }

    /// A file that was named and is not there.
    pub(super) fn no_file(path: &Path) -> Self {
        let problem = Problem::new(format!("there is no file {}", path.display()));
        Self::new(
            problem.with_fix("`steadfast secrets list` shows the secret files that there are"),
            NO_FILE,
        )
    }

    /// A key path that cannot be read; `code` is [`MALFORMED`] or [`KEY_PATH`].
    pub(super) fn of_key_path(error: &KeyPathError, code: u8) -> Self {
        Self::new(Problem::of(error).with_fix(error.fix()), code)
    }

    pub(super) fn of_file(error: &SecretFileError) -> Self {
        Self::new(
            Problem::of(error).with_hint(error.fix()),
            code_of_file(error),
        )
    }

    pub(super) fn of_recipe(error: &RecipeError) -> Self {
        Self::new(Problem::of(error).with_fix(error.fix()), exit::FAILED)
    }

    pub(super) fn of_change(error: &ChangeError) -> Self {
        Self::new(
            Problem::of(error).with_hint(error.fix()),
            code_of_change(error),
        )
    }

    pub(super) fn of_edit(error: &EditFileError) -> Self {
        let code = match error {
            EditFileError::Change(error) => code_of_change(error),
            EditFileError::Editor { .. } | EditFileError::Ended { .. } => EDITOR,
            EditFileError::NotSaved { source, .. } => code_of_file(source),
            EditFileError::Scratch(_) | EditFileError::Mistake { .. } => exit::FAILED,
        };
        Self::new(Problem::of(error).with_hint(error.fix()), code)
    }
}

fn code_of_change(error: &ChangeError) -> u8 {
    match error {
        ChangeError::File(error) => code_of_file(error),
        ChangeError::Locked { .. } | ChangeError::Recipe(_) => exit::FAILED,
    }
}

fn code_of_file(error: &SecretFileError) -> u8 {
    match error.kind.as_ref() {
        SecretFileErrorKind::File(_) if error.action == "write" => NOT_WRITABLE,
        SecretFileErrorKind::Missing | SecretFileErrorKind::File(_) => UNREADABLE,
        SecretFileErrorKind::NotARecipient { .. } => NO_KEY,
        SecretFileErrorKind::Open(error) => code_of_open(error),
        SecretFileErrorKind::Seal(error) => code_of_seal(error),
        SecretFileErrorKind::SealedAlready => ENCRYPTED_ALREADY,
        SecretFileErrorKind::Edit(EditError::Parse(_)) => MALFORMED,
        SecretFileErrorKind::Convert(ConvertError::Inexpressible { .. }) => NOT_PRINTABLE,
        SecretFileErrorKind::Convert(ConvertError::Parse(error)) => code_of_parse(error),
        SecretFileErrorKind::Parse(_)
        | SecretFileErrorKind::NoEntry { .. }
        | SecretFileErrorKind::Edit(_)
        | SecretFileErrorKind::Changed => exit::FAILED,
    }
}

fn code_of_open(error: &OpenError) -> u8 {
    match error {
        OpenError::MacMissing | OpenError::MacUnreadable { .. } | OpenError::MacMismatch => MAC,
        OpenError::Value { .. } | OpenError::NotEncrypted { .. } => VALUE,
        OpenError::NotARecipient { .. }
        | OpenError::DamagedEntry { .. }
        | OpenError::NotADataKey { .. }
        | OpenError::TooFewGroups { .. }
        | OpenError::Shares => NO_KEY,
        _ => exit::FAILED,
    }
}

/// Of a text that lies in the clear.
fn code_of_parse(error: &ParseError) -> u8 {
    match error {
        ParseError::Empty => NO_DOCUMENT,
        ParseError::Reserved { .. } => ENCRYPTED_ALREADY,
        _ => UNREADABLE,
    }
}

fn code_of_seal(error: &SealError) -> u8 {
    match error {
        SealError::Parse(error) => code_of_parse(error),
        SealError::Content { .. } => NOT_ENCRYPTABLE,
        SealError::Open(error) => code_of_open(error),
        _ => exit::FAILED,
    }
}
