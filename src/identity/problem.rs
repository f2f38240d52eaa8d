//! Sources of identities that could not be used, kept until something does not open.

use super::ask::NoAnswer;
use super::host_key::KeyError;
use super::identity_text::IdentityTextError;
use super::plugin::PluginError;
use crate::host::exec::{ExecError, UnclosedQuote};

/// A source of identities that could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{from} gives no identity")]
pub struct SourceProblem {
    /// The source: a variable's name, or a path.
    pub from: String,
    /// What is wrong with it.
    #[source]
    pub kind: SourceProblemKind,
}

/// What is wrong with a source of identities.
#[derive(Debug, thiserror::Error)]
pub enum SourceProblemKind {
    /// Its file cannot be read.
    #[error(transparent)]
    File(#[from] KeyError),
    /// Its variable is set and names nothing.
    #[error("it is set to nothing")]
    EmptyVariable,
    /// Its text cannot be used.
    #[error(transparent)]
    Text(#[from] IdentityTextError),
    /// Its command is empty.
    #[error("the command is empty")]
    EmptyCommand,
    /// Its command cannot be cut into words.
    #[error("the command cannot be read: {0}")]
    Words(UnclosedQuote),
    /// Its command does not run, or fails.
    #[error(transparent)]
    Command(#[from] ExecError),
    /// It needs a passphrase that nobody gave.
    #[error("it needs a passphrase, and {0}")]
    Locked(NoAnswer),
    /// The passphrase was wrong, each time.
    #[error("the passphrase is not the right one")]
    WrongPassphrase,
    /// A plugin does not open anything.
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

impl SourceProblem {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> String {
        match &self.kind {
            SourceProblemKind::File(error) => error.fix(),
            SourceProblemKind::Text(error) => error.fix().to_owned(),
            SourceProblemKind::EmptyVariable => format!("unset {}", self.from),
            SourceProblemKind::EmptyCommand
            | SourceProblemKind::Words(_)
            | SourceProblemKind::Command(_) => {
                format!("correct the command in {}, or unset it", self.from)
            }
            SourceProblemKind::Locked(NoAnswer::NobodyThere) => format!(
                "run this in a terminal, where the passphrase of {} can be asked for, or use a key without one",
                self.from
            ),
            SourceProblemKind::Locked(NoAnswer::GivenUp) | SourceProblemKind::WrongPassphrase => {
                format!("try again, with the passphrase of {}", self.from)
            }
            SourceProblemKind::Plugin(error) => error.fix().to_owned(),
        }
    }

    /// Whether this key was wanted: one that could open what was to be opened, or of which nobody can know.
    #[must_use]
    pub fn was_needed(&self) -> bool {
        matches!(
            self.kind,
            SourceProblemKind::Locked(_)
                | SourceProblemKind::WrongPassphrase
                | SourceProblemKind::Plugin(_)
        )
    }
}
