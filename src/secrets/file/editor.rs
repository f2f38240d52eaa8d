//! The person's editor.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::host::exec::{Environment, ExecError, Program, UnclosedQuote, split_words};

/// Editors that are looked for when no variable names one.
const USUAL: [&str; 3] = ["vim", "nano", "vi"];

/// The editor to open plaintext with, and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    program: OsString,
    args: Vec<OsString>,
}

/// An editor that cannot be found, started, or that failed.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// No variable is set and none of the usual ones is installed.
    #[error(
        "there is no editor: neither SOPS_EDITOR nor EDITOR is set, and vim, nano and vi are not installed"
    )]
    None,
    /// The variable cannot be cut into words.
    #[error("{variable} cannot be read: {source}")]
    Words {
        /// The variable.
        variable: &'static str,
        /// What is wrong.
        source: UnclosedQuote,
    },
    /// It cannot be started.
    #[error("cannot start the editor")]
    Start(#[source] ExecError),
    /// It ended with an error, so what it left is not taken.
    #[error("the editor `{editor}` failed ({status}); the file is as it was")]
    Failed {
        /// Its name.
        editor: String,
        /// How it ended.
        status: ExitStatus,
    },
}

impl EditorError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<&'static str> {
        match self {
            Self::None => Some("set EDITOR, such as EDITOR=nano"),
            Self::Words { .. } | Self::Start(_) => {
                Some("set EDITOR to a program that is installed, such as EDITOR=nano")
            }
            Self::Failed { .. } => None,
        }
    }
}

impl Editor {
    /// `SOPS_EDITOR`, else `EDITOR`, else the first of vim, nano and vi that is installed.
    ///
    /// # Errors
    /// [`EditorError::None`] if there is none.
    pub fn find(environment: Environment<'_>) -> Result<Self, EditorError> {
        for variable in ["SOPS_EDITOR", "EDITOR"] {
            let Some(command) = environment(variable).filter(|it| !it.is_empty()) else {
                continue;
            };
            let words = split_words(&command.to_string_lossy())
                .map_err(|source| EditorError::Words { variable, source })?;
            if let Some((program, args)) = words.split_first() {
                return Ok(Self::new(program, args));
            }
        }
        let path = environment("PATH").unwrap_or_default();
        let directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
        USUAL
            .iter()
            .find(|name| directories.iter().any(|it| is_program(&it.join(name))))
            .map(|name| Self::new(name, &[]))
            .ok_or(EditorError::None)
    }

    fn new(program: &str, args: &[String]) -> Self {
        let mut args: Vec<OsString> = args.iter().map(OsString::from).collect();
        // These keep what was edited in other places: swap files, the list of registers, undo files, backups.
        let name = Path::new(program).file_name().unwrap_or_default();
        if name == OsStr::new("vim") || name == OsStr::new("nvim") {
            let quiet = ["-n", "-i", "NONE", "--cmd", "set nobackup nowritebackup"];
            args.extend(quiet.map(OsString::from));
            args.extend(["-c", "set noundofile"].map(OsString::from));
        }
        Self {
            program: program.into(),
            args,
        }
    }

    /// Opens `file` on the terminal and waits until the editor ends.
    pub(super) fn open(&self, file: &Path) -> Result<(), EditorError> {
        let status = Program::new(&self.program)
            .args(&self.args)
            .arg(file)
            .interactive()
            .map_err(EditorError::Start)?;
        if status.success() {
            return Ok(());
        }
        Err(EditorError::Failed {
            editor: self.program.to_string_lossy().into_owned(),
            status,
        })
    }
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &[(&str, &str)]) -> Result<Editor, EditorError> {
        Editor::find(&|name| {
            let found = variables.iter().find(|(key, _)| *key == name)?;
            Some(OsString::from(found.1))
        })
    }

    #[test]
    fn the_variables_are_asked_in_the_order_of_sops() {
        let editor = find(&[("EDITOR", "nano"), ("SOPS_EDITOR", "code --wait 'a b'")]).unwrap();
        assert_eq!(editor.program, "code");
        assert_eq!(editor.args, ["--wait", "a b"]);
        assert_eq!(
            find(&[("EDITOR", "nano"), ("SOPS_EDITOR", "")])
                .unwrap()
                .program,
            "nano"
        );
        assert!(matches!(
            find(&[("EDITOR", "'x")]),
            Err(EditorError::Words { .. })
        ));
        assert!(matches!(
            find(&[("PATH", "/nonexistent")]),
            Err(EditorError::None)
        ));
    }

    #[test]
    fn vim_leaves_no_copies_elsewhere() {
        let editor = find(&[("EDITOR", "/usr/bin/vim")]).unwrap();
        assert!(editor.args.contains(&OsString::from("NONE")));
    }
}
