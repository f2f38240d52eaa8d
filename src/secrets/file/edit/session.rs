//! Editing a secret file in the person's editor.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::content::{Content, Mistake, Untaken};
use super::editor::{Editor, EditorError};
use super::kept::Kept;
use super::workplace::Workplace;
use crate::host::exec::Environment;
use crate::identity::Plaintext;
use crate::secrets::file::SecretFile;
use crate::secrets::file::change::{Access, ChangeError, Changed, Draft};
use crate::secrets::file::error::SecretFileError;
use crate::secrets::file::recipe::{Recipe, Wishes};
use crate::secrets::file::scratch::ScratchError;
use crate::secrets::file::scratch::private_memory;
use crate::sops::OpenedFile;

/// What to do about a text that is not saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Open the editor again, with what was typed.
    Reopen,
    /// Give up: somebody was asked, and wants that.
    GiveUp,
    /// Give up, since there is nobody to ask.
    Nobody,
}

/// What stands in the way of saving what was typed.
#[derive(Debug)]
pub enum Setback {
    /// The text cannot be encrypted as it is.
    Mistake(Mistake),
    /// It cannot be saved.
    Failed(SecretFileError),
    /// The editor did not end well, and had saved something.
    Editor(EditorError),
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
    /// The editor; what was typed was not to be saved.
    #[error("{} is as it was", path.display())]
    Editor {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: EditorError,
    },
    /// What was typed cannot be encrypted as it is.
    #[error("the edited text is not taken; {} is as it was", path.display())]
    Mistake {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Mistake,
        /// Where the text is; `None` if the person gave it up.
        kept: Option<Kept>,
    },
    /// What was typed could not be saved.
    #[error("the edited text could not be saved; {} is as it was", path.display())]
    NotSaved {
        /// The file.
        path: PathBuf,
        /// Why it could not be saved.
        source: SecretFileError,
        /// Where the text is; `None` if it could not even be kept.
        kept: Option<Kept>,
    },
    /// The editor was ended by force, after something was saved in it.
    #[error("the editor was ended; {} is as it was", path.display())]
    Ended {
        /// The file.
        path: PathBuf,
        /// How the editor ended.
        source: EditorError,
        /// Where the text is; `None` if it could not be kept.
        kept: Option<Kept>,
    },
}

impl EditFileError {
    /// Where what was typed is kept, encrypted, in memory-backed storage.
    #[must_use]
    pub fn kept(&self) -> Option<&Kept> {
        match self {
            Self::Mistake { kept, .. } | Self::NotSaved { kept, .. } | Self::Ended { kept, .. } => {
                kept.as_ref()
            }
            Self::Change(_) | Self::Scratch(_) | Self::Editor { .. } => None,
        }
    }

    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        let own = match self {
            Self::Change(error) => error.fix(),
            Self::Scratch(error) => error.fix().map(str::to_owned),
            Self::Editor { source, .. } => source.fix().map(str::to_owned),
            Self::Mistake { source, .. } => Some(source.fix().to_owned()),
            Self::NotSaved { source, .. } => source.fix(),
            Self::Ended { .. } => None,
        };
        match (own, self.kept()) {
            (Some(own), Some(kept)) => Some(format!("{own}. {}", kept.fix())),
            (None, Some(kept)) => Some(kept.fix()),
            (own, None) => own,
        }
    }
}

/// A person's session with an editor.
#[expect(missing_debug_implementations, reason = "it holds private keys")]
pub struct EditSession<'a> {
    /// The file.
    pub file: &'a SecretFile<'a>,
    /// The keys to open it with.
    pub access: Access<'a>,
    /// What was said about a new file.
    pub wishes: &'a Wishes,
    /// The editor.
    pub editor: &'a Editor,
    /// Where to look up `XDG_RUNTIME_DIR`.
    pub environment: Environment<'a>,
    /// Is told where what was typed is kept when a signal ends the session.
    pub on_kept: fn(&Kept),
}

/// Opens the file in the editor and saves what was typed. A file that is not there is made.
///
/// The plaintext is in one private file in memory for as long as the editor is open. `ask` is told what stands in the way
/// of saving, and says whether to open the editor again.
#[expect(
    clippy::result_large_err,
    reason = "it is made once, when a session ends"
)]
pub fn edit(
    session: &EditSession<'_>,
    ask: &mut dyn FnMut(&Setback) -> Again,
) -> Result<Changed, EditFileError> {
    let draft = Draft::begin(session.file)?;
    let content = match draft.open(session.access.identities, session.access.mac)? {
        Some(opened) => Content::Opened(Box::new(opened)),
        // Whether there is a rule is better known before anything is typed.
        None => Content::New(Recipe::of(session.file, session.wishes).map_err(ChangeError::from)?),
    };
    edit_content(session, (draft, content), ask)
}

/// Opens what a merge left in conflict: `text` has both sides between markers, `merged` is what it is sealed as.
///
/// A text in which markers are left is not taken.
#[expect(
    clippy::result_large_err,
    reason = "it is made once, when a session ends"
)]
pub(in crate::secrets) fn edit_merged(
    session: &EditSession<'_>,
    (merged, text): (OpenedFile, Plaintext),
    ask: &mut dyn FnMut(&Setback) -> Again,
) -> Result<Changed, EditFileError> {
    let draft = Draft::begin(session.file)?;
    let content = Content::Conflict {
        opened: Box::new(merged),
        text,
    };
    edit_content(session, (draft, content), ask)
}

/// The session over a draft whose contents are at hand.
#[expect(
    clippy::result_large_err,
    reason = "it is made once, when a session ends"
)]
pub(super) fn edit_content(
    session: &EditSession<'_>,
    (draft, mut content): (Draft<'_>, Content),
    ask: &mut dyn FnMut(&Setback) -> Again,
) -> Result<Changed, EditFileError> {
    let base = private_memory(session.environment)?;
    let before = content.text(session.file.format());
    let name = session
        .file
        .path()
        .file_name()
        .unwrap_or(OsStr::new("secret"));
    let workplace = Workplace::open((&base, name), &before, session, content.keys())?;
    let mut line = content.line();
    loop {
        let ended = workplace.run(session.editor, line);
        // From here on no signal comes in between: either all is saved, or it is asked again.
        let working = workplace.work();
        let setback = match ended {
            Ok(()) => {
                let typed = workplace.read()?;
                if typed.same_as(before.expose()) && !content.is_to_be_saved() {
                    return Ok(Changed::Unchanged);
                }
                match content.take(&draft, typed.expose()) {
                    Ok(sealed) => match draft.write(&sealed) {
                        Ok(changed) => return Ok(changed),
                        Err(error) => {
                            let source =
                                SecretFileError::new("write", session.file.path(), error.into());
                            Rejected {
                                setback: Setback::Failed(source),
                                sealed: Some(sealed),
                            }
                        }
                    },
                    Err(Untaken::Mistake(mistake)) => Setback::Mistake(mistake).into(),
                    Err(Untaken::Failed(error)) => Setback::Failed(error).into(),
                }
            }
            Err(error) if error.was_killed() && workplace.has_changed(&before) => {
                Setback::Editor(error).into()
            }
            Err(source) => {
                return Err(EditFileError::Editor {
                    path: session.file.path().to_owned(),
                    source,
                });
            }
        };
        drop(working);
        match ask(&setback.setback) {
            Again::Reopen => line = setback.setback.line(),
            answer => {
                let _working = workplace.work();
                return Err(setback.give_up(answer, session, &workplace));
            }
        }
    }
}

impl Setback {
    /// The line to go back to.
    fn line(&self) -> Option<usize> {
        match self {
            Self::Mistake(mistake) => mistake.line(),
            Self::Failed(_) | Self::Editor(_) => None,
        }
    }
}

/// What was typed and not saved, with its encrypted form where it came that far.
struct Rejected {
    setback: Setback,
    sealed: Option<String>,
}

impl From<Setback> for Rejected {
    fn from(setback: Setback) -> Self {
        Self {
            setback,
            sealed: None,
        }
    }
}

impl Rejected {
    /// Keeps what was typed, unless the person said that they give up a text that is wrong.
    fn give_up(
        self,
        answer: Again,
        session: &EditSession<'_>,
        workplace: &Workplace,
    ) -> EditFileError {
        let path = session.file.path().to_owned();
        let typed = || workplace.read().ok();
        let keep = |typed: Option<Plaintext>| workplace.keeper()?.keep(&typed?);
        match self.setback {
            Setback::Mistake(source) => EditFileError::Mistake {
                path,
                source,
                kept: match answer {
                    Again::GiveUp => None,
                    Again::Reopen | Again::Nobody => keep(typed()),
                },
            },
            Setback::Failed(source) => EditFileError::NotSaved {
                path,
                source,
                kept: match &self.sealed {
                    Some(sealed) => workplace.keeper().and_then(|it| it.keep_sealed(sealed)),
                    None => keep(typed()),
                },
            },
            Setback::Editor(source) => EditFileError::Ended {
                path,
                source,
                kept: keep(typed()),
            },
        }
    }
}
