//! git, as far as a new repository needs it: who the person is, and the first commit.
//!
//! Through the program, so that the person's settings count: signatures, hooks, the name and the address.

use std::path::Path;

use crate::host::exec::{ExecError, Program};

/// Who makes commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
}

/// git does not do what is asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// Nobody told it who the person is.
    #[error("git does not know who you are")]
    Nobody,
    /// It is not there, or fails.
    #[error("git cannot {action}")]
    Failed {
        /// What it was asked to do.
        action: &'static str,
        /// What came of it.
        source: Box<ExecError>,
    },
}

impl GitError {
    fn failed(action: &'static str) -> impl FnOnce(ExecError) -> Self {
        move |source| Self::Failed {
            action,
            source: Box::new(source),
        }
    }

    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<&'static str> {
        match self {
            Self::Nobody => Some(
                "git config --global user.name 'Your Name'; git config --global user.email you@example.org",
            ),
            Self::Failed { source, .. } => match **source {
                ExecError::NotFound { .. } => Some("install git"),
                _ => None,
            },
        }
    }
}

/// Who git says is making commits here.
///
/// # Errors
/// [`GitError`].
pub fn author() -> Result<Author, GitError> {
    let output = Program::new("git")
        .args(["-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT"])
        .run()
        .map_err(GitError::failed("say who you are"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let known = output
        .status
        .success()
        .then(|| parse_author(&text))
        .flatten();
    known.ok_or(GitError::Nobody)
}

/// `Name <address> 1700000000 +0000`.
fn parse_author(text: &str) -> Option<Author> {
    let (name, rest) = text.split_once(" <")?;
    let (email, _) = rest.split_once('>')?;
    Some(Author {
        name: name.trim().to_owned(),
        email: email.to_owned(),
    })
}

/// Makes `directory` a git repository with all of its files in one commit, whose short id is given back.
///
/// # Errors
/// [`GitError`]; what git has made by then is left to the caller.
pub fn first_commit(directory: &Path, message: &str) -> Result<String, GitError> {
    let git = |args: &[&str], action| {
        Program::new("git")
            .current_dir(directory)
            .args(args)
            .run_ok()
            .map_err(GitError::failed(action))
    };
    git(
        &["init", "--quiet", "--initial-branch=main"],
        "make a repository",
    )?;
    git(&["add", "--all"], "add the files")?;
    git(
        &["commit", "--quiet", "--message", message],
        "commit the files",
    )?;
    let id = git(&["rev-parse", "--short", "HEAD"], "name the commit")?;
    Ok(String::from_utf8_lossy(&id).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_a_name_and_an_address() {
        let author = parse_author("Anna B. Example <anna@example.org> 1700000000 +0100\n").unwrap();
        assert_eq!(author.name, "Anna B. Example");
        assert_eq!(author.email, "anna@example.org");
        assert_eq!(parse_author("nobody"), None);
    }
}
