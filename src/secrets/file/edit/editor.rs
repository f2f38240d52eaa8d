//! The person's editor.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::host::exec::{Attended, Environment, ExecError, Program, UnclosedQuote, split_words};

/// Editors that are looked for when no variable names one.
const USUAL: [&str; 3] = ["vim", "nano", "vi"];

/// The editor to open plaintext with, and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    program: OsString,
    args: Vec<OsString>,
    kind: Kind,
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
    #[error("the editor `{editor}` failed ({status})")]
    Failed {
        /// Its name.
        editor: String,
        /// How it ended.
        status: ExitStatus,
    },
}

impl EditorError {
    /// Whether a signal ended it, so that the person did not choose to give up.
    #[must_use]
    pub fn was_killed(&self) -> bool {
        use std::os::unix::process::ExitStatusExt as _;
        matches!(self, Self::Failed { status, .. } if status.signal().is_some())
    }

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
        let kind = Kind::of(program);
        let more: &[&str] = match kind {
            // These keep what was edited in other places: swap files, the list of registers, undo files, backups.
            Kind::Vim => &[
                "-n",
                "-i",
                "NONE",
                "--cmd",
                "set nobackup nowritebackup",
                "-c",
                "set noundofile",
            ],
            Kind::Emacs => &[
                "--eval",
                "(setq make-backup-files nil auto-save-default nil create-lockfiles nil)",
            ],
            Kind::Code if !args.iter().any(|arg| arg == "--wait" || arg == "-w") => &["--wait"],
            Kind::Code | Kind::PlusLine | Kind::ColonLine | Kind::Other => &[],
        };
        args.extend(more.iter().map(OsString::from));
        Self {
            program: program.into(),
            args,
            kind,
        }
    }

    /// Its name, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    /// The arguments to open `file` with, at `line` where the editor can be told.
    fn arguments(&self, file: &Path, line: Option<usize>) -> Vec<OsString> {
        let mut args = self.args.clone();
        let at = |line| {
            let mut place = file.as_os_str().to_owned();
            place.push(format!(":{line}"));
            place
        };
        match (self.kind, line) {
            (Kind::Vim | Kind::Emacs | Kind::PlusLine, Some(line)) => {
                args.extend([format!("+{line}").into(), file.into()]);
            }
            (Kind::Code, Some(line)) => args.extend(["--goto".into(), at(line)]),
            (Kind::ColonLine, Some(line)) => args.push(at(line)),
            (_, None) | (Kind::Other, Some(_)) => args.push(file.into()),
        }
        args
    }

    /// Opens `file` on the terminal; temporary files of the editor go beside it.
    pub(super) fn open(&self, file: &Path, line: Option<usize>) -> Result<Attended, EditorError> {
        Program::new(&self.program)
            .args(self.arguments(file, line))
            .env("TMPDIR", file.parent().unwrap_or(file))
            .attend()
            .map_err(EditorError::Start)
    }

    /// Waits until it ends. What it left counts only if it ended well.
    pub(super) fn wait(&self, running: Attended) -> Result<(), EditorError> {
        let status = running.wait().map_err(EditorError::Start)?;
        if status.success() {
            return Ok(());
        }
        Err(EditorError::Failed {
            editor: self.name(),
            status,
        })
    }
}

/// Editors that are known to need, or to know, something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Vim,
    Emacs,
    /// VS Code and its kin.
    Code,
    /// `+LINE FILE`.
    PlusLine,
    /// `FILE:LINE`.
    ColonLine,
    Other,
}

impl Kind {
    /// By the program's name; `vi` may be a link to an editor that is known better.
    fn of(program: &str) -> Self {
        let path = Path::new(program);
        let name = |path: &Path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        let mut called = name(path);
        if called == "vi" {
            let found = if path.is_absolute() {
                Some(path.to_owned())
            } else {
                in_path(program)
            };
            called = found
                .and_then(|path| path.canonicalize().ok())
                .map_or(called, |real| name(&real));
        }
        match called.as_str() {
            "emacs" => Self::Emacs,
            "code" | "codium" | "code-insiders" | "cursor" => Self::Code,
            "vi" | "nvi" | "nano" | "pico" | "emacsclient" | "micro" | "kak" | "joe" | "mg"
            | "jed" => Self::PlusLine,
            "hx" | "helix" | "subl" => Self::ColonLine,
            _ if called.starts_with("vim") || called.starts_with("nvim") => Self::Vim,
            _ => Self::Other,
        }
    }
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|path| is_program(path))
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
        assert_eq!(find(&[("EDITOR", "code")]).unwrap().args, ["--wait"]);
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

    #[test]
    fn editors_are_opened_at_the_line_where_they_can_be_told() {
        for (command, expected) in [
            ("nano", vec!["+7", "/m/a.yml"]),
            ("kak", vec!["+7", "/m/a.yml"]),
            ("code -w", vec!["-w", "--goto", "/m/a.yml:7"]),
            ("hx", vec!["/m/a.yml:7"]),
            ("ed", vec!["/m/a.yml"]),
        ] {
            let editor = find(&[("EDITOR", command)]).unwrap();
            assert_eq!(
                editor.arguments(Path::new("/m/a.yml"), Some(7)),
                expected,
                "{command}"
            );
        }
        let vim = find(&[("EDITOR", "nvim")]).unwrap();
        let args = vim.arguments(Path::new("/m/a.yml"), Some(7));
        assert!(args.ends_with(&["+7".into(), "/m/a.yml".into()]));
    }
}
