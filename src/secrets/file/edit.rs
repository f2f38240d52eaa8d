//! Editing a secret file in the person's editor.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::change::{ChangeError, Changed, Draft, WriteError, seal};
use super::scratch::{Scratch, ScratchError};
use super::secret_file::{SecretFileError, SecretFileErrorKind};
use super::{Editor, EditorError};
use crate::host::exec::Environment;
use crate::identity::{Identities, Plaintext};
use crate::secrets::repository::Repository;
use crate::sops::{OpenedFile, ParseError, SealError};
use crate::source::RepoPath;

/// What a new secret file begins with.
const EXAMPLE: &[u8] = b"example_key: example_value\n";

/// What to do about a text that cannot be encrypted as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Open the editor again, with what was typed.
    Reopen,
    /// Give up.
    Stop,
}

/// An edit that did not reach its file, which is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditFileError {
    /// The file does not open, or somebody else is editing it.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// There is no safe place for the plaintext.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// The editor.
    #[error(transparent)]
    Editor(#[from] EditorError),
    /// What was typed cannot be encrypted as it is; it is gone.
    #[error("the edited text is not taken; {file} is as it was")]
    Mistake {
        /// The file.
        file: RepoPath,
        /// What is wrong with it.
        source: Mistake,
    },
    /// What was typed could not be saved, and is kept in memory.
    #[error("the edited text could not be saved; what was typed is in {}", kept.display())]
    Kept {
        /// Where it is, in memory-backed storage.
        kept: PathBuf,
        /// Why it could not be saved.
        source: SecretFileError,
    },
}

impl EditFileError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::Change(error) => error.fix(),
            Self::Scratch(error) => error.fix().map(str::to_owned),
            Self::Editor(error) => error.fix().map(str::to_owned),
            Self::Mistake { source, .. } => Some(source.fix().to_owned()),
            Self::Kept { kept, .. } => {
                let directory = kept.parent().unwrap_or(kept);
                Some(format!(
                    "edit again and take over what was typed; then `rm -r {}`. A reboot removes it too",
                    directory.display()
                ))
            }
        }
    }
}

/// A text that cannot be encrypted as it is.
#[derive(Debug, thiserror::Error)]
pub enum Mistake {
    /// It is not a document that a secret file can hold.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It cannot be encrypted in this form.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Mistake {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Parse(error) => error.fix(),
            Self::Seal(error) => error.fix(),
        }
    }
}

/// A person's session with an editor.
#[expect(missing_debug_implementations, reason = "it holds private keys")]
pub struct EditSession<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The keys to open the file with.
    pub identities: &'a Identities,
    /// The editor.
    pub editor: &'a Editor,
    /// Where to look up `XDG_RUNTIME_DIR`.
    pub environment: Environment<'a>,
}

/// Opens `file` in the editor and saves what was typed. A file that is not there is made, for the recipients of its rule.
///
/// The plaintext is in one private file in memory for as long as the editor is open. `ask` is told what is wrong with a
/// text that cannot be encrypted, and says whether to open the editor again.
pub fn edit(
    session: &EditSession<'_>,
    file: &RepoPath,
    ask: &mut dyn FnMut(&Mistake) -> Again,
) -> Result<Changed, EditFileError> {
    let draft = Draft::begin(session.repository, file)?;
    let mut content = if let Some(opened) = draft.open(session.identities)? {
        Content::Opened(Box::new(opened))
    } else {
        // Whether there is a rule is better known before anything is typed.
        draft.create(EXAMPLE)?;
        Content::New
    };
    let before = content.text();
    let name = file.as_str().rsplit('/').next().unwrap_or_default();
    let scratch = Scratch::create(OsStr::new(name), &before, session.environment)?;
    loop {
        session.editor.open(scratch.file())?;
        let typed = scratch.read()?;
        if typed.same_as(before.expose()) {
            return Ok(Changed::Unchanged);
        }
        let mistake = match content.take(&draft, typed.expose()) {
            Ok(sealed) => return save(&draft, &sealed, scratch),
            Err(Untaken::Mistake(mistake)) => mistake,
            Err(Untaken::Failed(source)) => return Err(keep(scratch, source)),
        };
        if ask(&mistake) == Again::Stop {
            return Err(EditFileError::Mistake {
                file: file.clone(),
                source: mistake,
            });
        }
    }
}

/// What is being edited.
enum Content {
    Opened(Box<OpenedFile>),
    New,
}

/// A typed text that was not encrypted.
enum Untaken {
    /// The person can put it right.
    Mistake(Mistake),
    /// They cannot, so that what they typed must be kept.
    Failed(SecretFileError),
}

impl Content {
    fn text(&self) -> Plaintext {
        match self {
            Self::Opened(opened) => opened.plain_text(),
            Self::New => Plaintext::new(EXAMPLE.to_vec()),
        }
    }

    /// Encrypts `typed`.
    fn take(&mut self, draft: &Draft<'_>, typed: &[u8]) -> Result<String, Untaken> {
        let created;
        let opened = match self {
            Self::Opened(opened) => {
                opened
                    .replace(typed)
                    .map_err(|error| Untaken::Mistake(error.into()))?;
                &**opened
            }
            Self::New => {
                created = draft.create(typed).map_err(|error| sort(draft, error))?;
                &created
            }
        };
        seal(opened).map_err(|error| sort_seal(draft, error))
    }
}

/// Tells what a person can put right in the editor from what they cannot.
fn sort(draft: &Draft<'_>, error: ChangeError) -> Untaken {
    match error {
        ChangeError::File(error) => match *error.kind {
            SecretFileErrorKind::Seal(error) => sort_seal(draft, error),
            _ => Untaken::Failed(error),
        },
        // There were recipients before the editor was opened, and the rules are not read again.
        ChangeError::Locked { .. } | ChangeError::Recipients(_) => {
            Untaken::Failed(SecretFileError::new(
                "write",
                &draft.repository.path(draft.file),
                SecretFileErrorKind::Changed,
            ))
        }
    }
}

fn sort_seal(draft: &Draft<'_>, error: SealError) -> Untaken {
    match error {
        SealError::Content { .. } | SealError::ReadBack { .. } => Untaken::Mistake(error.into()),
        error => Untaken::Failed(SecretFileError::new(
            "encrypt",
            &draft.repository.path(draft.file),
            SecretFileErrorKind::Seal(error),
        )),
    }
}

fn save(draft: &Draft<'_>, sealed: &str, scratch: Scratch) -> Result<Changed, EditFileError> {
    draft.write(sealed).map_err(|error: WriteError| {
        let path = draft.repository.path(draft.file);
        keep(scratch, SecretFileError::new("write", &path, error.into()))
    })
}

fn keep(scratch: Scratch, source: SecretFileError) -> EditFileError {
    EditFileError::Kept {
        kept: scratch.keep(),
        source,
    }
}
