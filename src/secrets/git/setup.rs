//! Telling git to ask this program: attributes for secret files, the commands in this clone's configuration, a hook.

mod attributes;
mod hook;

use git2::{Config, ConfigLevel, ErrorCode};

use super::worktree::{GitError, Worktree};
use crate::host::{FileError, FileMode, durable};
use crate::secrets::repository::Repository;

pub(super) use attributes::covers;

/// The name of the diff and merge drivers in attributes and configuration.
pub(super) const DRIVER: &str = "steadfast";
const FILE_MODE: FileMode = FileMode::from_bits(0o644);

/// What is set up, and where.
#[derive(Debug)]
pub struct Setup<'a> {
    /// The config repository.
    pub repository: &'a Repository,
    /// Its clone.
    pub worktree: &'a Worktree,
    /// How a shell starts `secrets`: `steadfast secrets`, or an absolute path where that is not found.
    pub command: String,
}

/// One thing that is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupStep {
    /// Where: a file, or git's configuration.
    pub place: String,
    /// What happened to it.
    pub state: StepState,
}

/// What happened to a thing that is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// It was put in place.
    Done,
    /// It was there.
    AlreadyThere,
    /// It was taken out.
    Removed,
    /// There was nothing to take out.
    NotThere,
    /// It belongs to another program: what to add to it by hand.
    Yours {
        /// What to do, with the lines to add.
        how: String,
    },
}

/// A setup that is not complete; what was done stays.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file that is not text.
    #[error("{place} is not text")]
    NotText {
        /// Which.
        place: String,
    },
    /// There is no secret file that an attribute could be for.
    #[error("there is no encrypted file in the repository yet")]
    NoSecrets,
}

impl SetupError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::Git(error) => error.fix(),
            Self::File(error) => error.hint(),
            Self::NotText { .. } => None,
            Self::NoSecrets => {
                Some("make one with `steadfast secrets edit FILE`, then run this again".to_owned())
            }
        }
    }
}

impl Setup<'_> {
    /// Sets everything up that is not yet.
    pub fn install(&self) -> Result<Vec<SetupStep>, SetupError> {
        Ok(vec![
            self.install_attributes()?,
            self.install_config()?,
            self.install_hook()?,
        ])
    }

    /// Takes everything out again.
    pub fn remove(&self) -> Result<Vec<SetupStep>, SetupError> {
        Ok(vec![
            self.remove_attributes()?,
            self.remove_config()?,
            self.remove_hook()?,
        ])
    }

    fn settings(&self) -> [(String, String); 7] {
        let command = &self.command;
        [
            (
                format!("diff.{DRIVER}.textconv"),
                format!("{command} textconv"),
            ),
            // git would keep the decrypted text in its object database.
            (format!("diff.{DRIVER}.cachetextconv"), "false".to_owned()),
            (
                format!("merge.{DRIVER}.name"),
                "SOPS files, value by value".to_owned(),
            ),
            (
                format!("merge.{DRIVER}.driver"),
                format!("{command} merge %O %A %B %L %P"),
            ),
            // Several common ancestors are merged first, and nobody could open a file with markers then.
            (
                format!("merge.{DRIVER}.recursive"),
                format!("{DRIVER}-ancestor"),
            ),
            (
                format!("merge.{DRIVER}-ancestor.name"),
                "SOPS files, common ancestors".to_owned(),
            ),
            (
                format!("merge.{DRIVER}-ancestor.driver"),
                format!("{command} merge --ancestor %O %A %B %L %P"),
            ),
        ]
    }

    fn install_config(&self) -> Result<SetupStep, SetupError> {
        let mut config = local_config(self.worktree)?;
        let mut state = StepState::AlreadyThere;
        for (name, value) in self.settings() {
            if text_of(&config, &name)?.as_deref() != Some(value.as_str()) {
                let set = config.set_str(&name, &value);
                set.map_err(GitError::git("write git's configuration"))?;
                state = StepState::Done;
            }
        }
        Ok(SetupStep {
            place: CONFIG.to_owned(),
            state,
        })
    }

    fn remove_config(&self) -> Result<SetupStep, SetupError> {
        let mut config = local_config(self.worktree)?;
        let mut state = StepState::NotThere;
        for (name, _value) in self.settings() {
            if text_of(&config, &name)?.is_some() {
                config
                    .remove(&name)
                    .map_err(GitError::git("write git's configuration"))?;
                state = StepState::Removed;
            }
        }
        Ok(SetupStep {
            place: CONFIG.to_owned(),
            state,
        })
    }
}

const CONFIG: &str = "git's configuration of this clone";

fn local_config(worktree: &Worktree) -> Result<Config, GitError> {
    let config = worktree.git.config();
    config
        .and_then(|config| config.open_level(ConfigLevel::Local))
        .map_err(GitError::git("read git's configuration"))
}

fn text_of(config: &Config, name: &str) -> Result<Option<String>, GitError> {
    match config.get_string(name) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(source) => Err(GitError::Git {
            action: "read git's configuration",
            source,
        }),
    }
}

/// Reads a text file; nothing if it is not there.
fn read_text(path: &std::path::Path) -> Result<Option<String>, SetupError> {
    const MOST_BYTES: u64 = 1024 * 1024;
    let bytes = durable::read(path, MOST_BYTES)?;
    let not_text = |_error| SetupError::NotText {
        place: path.display().to_string(),
    };
    bytes
        .map(|bytes| String::from_utf8(bytes).map_err(not_text))
        .transpose()
}

/// Whether this clone lacks what the repository's attributes ask for: then git merges secret files as text, which
/// destroys their MAC.
///
/// Nothing is missing where no attribute names the driver.
pub fn setup_missing(repository: &Repository, worktree: &Worktree) -> Result<bool, GitError> {
    let asked_for = repository.candidates().iter().any(|file| {
        let name = worktree.name_of(&repository.path(file));
        name.is_ok_and(|name| covers(worktree, &name))
    });
    if !asked_for {
        return Ok(false);
    }
    let config = worktree
        .git
        .config()
        .map_err(GitError::git("read git's configuration"))?;
    Ok(text_of(&config, &format!("merge.{DRIVER}.driver"))?.is_none())
}
