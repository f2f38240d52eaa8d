//! Running a command with decrypted values: in its environment, or as a file that never reaches a disk.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::scratch::private_memory;
use super::scratch::{Scratch, ScratchError};
use crate::host::exec::{
    Environment, ExecError, Inherited, Interrupt, Program, SignalGuard, Signaller,
};
use crate::identity::Plaintext;
use crate::sops::OpenedFile;

/// A command that was not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A map or list, which no variable can hold.
    #[error("`{name}` is a map or a list, which no environment variable can hold")]
    NotFlat {
        /// The key.
        name: String,
    },
    /// A key that cannot be the name of a variable.
    #[error("`{name}` cannot be the name of an environment variable")]
    Name {
        /// The key.
        name: String,
    },
    /// A value that no variable can hold.
    #[error("the value of `{name}` has a zero byte, which no environment variable can hold")]
    ZeroByte {
        /// The key.
        name: String,
    },
    /// A file name that leads elsewhere.
    #[error("`{name}` is not the name of a file")]
    FileName {
        /// What was given.
        name: String,
    },
    /// There is no place for the file.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// The command does not start.
    #[error(transparent)]
    Exec(#[from] ExecError),
}

impl RunError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::NotFlat { .. } => Some(
                "keep what goes into an environment in a file of its own, or use exec-file"
                    .to_owned(),
            ),
            Self::Name { .. } => Some("rename the key".to_owned()),
            Self::ZeroByte { .. } => Some("use exec-file".to_owned()),
            Self::FileName { .. } => Some("give one plain name, such as `app.conf`".to_owned()),
            Self::Scratch(error) => error.fix().map(str::to_owned),
            Self::Exec(error) => error.hint(),
        }
    }
}

/// The values of `opened` as variables, as sops makes them: a null is `<nil>`.
pub fn variables(opened: &OpenedFile) -> Result<Vec<(String, Plaintext)>, RunError> {
    let entries = opened
        .top_level()
        .map_err(|name| RunError::NotFlat { name })?;
    let variables = entries.into_iter().map(|(name, value)| {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(RunError::Name { name });
        }
        let value = value.unwrap_or_else(|| Plaintext::new(b"<nil>".to_vec()));
        if value.expose().contains(&0) {
            return Err(RunError::ZeroByte { name });
        }
        Ok((name, value))
    });
    variables.collect()
}

/// A shell command, to be run on the terminal of this process.
#[derive(Debug, Clone, Copy)]
pub struct ShellCommand<'a> {
    /// What `/bin/sh -c` gets.
    pub text: &'a str,
    /// Which variables of this process it gets.
    pub inherited: Inherited,
}

impl ShellCommand<'_> {
    /// The command with `variables` in its environment, where every process of the same user can read them: that is what
    /// they are for.
    #[must_use]
    pub fn with_variables(&self, variables: &[(String, Plaintext)]) -> Program {
        let program = Program::new("/bin/sh")
            .args(["-c", self.text])
            .inherit(self.inherited);
        variables.iter().fold(program, |program, (name, value)| {
            program.env(name, OsStr::from_bytes(value.expose()))
        })
    }
}

/// Runs `program` and waits for it. Signals that ask this process to end go to the program, and its end is waited for.
pub fn run(program: &Program) -> Result<ExitStatus, RunError> {
    let child: Arc<Mutex<Option<Signaller>>> = Arc::default();
    let told = Arc::clone(&child);
    let _signals = SignalGuard::watch(
        Interrupt::OfTheProgram,
        Box::new(move |signal| {
            let child = told.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(child) = child.as_ref() {
                child.send(signal);
            }
        }),
    )
    .map_err(ScratchError::Signals)?;
    let running = program.attend()?;
    *child.lock().unwrap_or_else(PoisonError::into_inner) = Some(running.signaller()?);
    Ok(running.wait()?)
}

/// How a command reads the plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handover {
    /// Once, through a FIFO: the plaintext is in no file at all.
    Fifo,
    /// As often as it likes, from a file in memory.
    File,
}

/// Runs `command` with `{}` in it replaced by the path of a file called `name` that holds `content`.
pub fn run_with_file(
    command: ShellCommand<'_>,
    (name, content): (&str, Plaintext),
    handover: Handover,
    environment: Environment<'_>,
) -> Result<ExitStatus, RunError> {
    let mut parts = Path::new(name).components();
    if !matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    ) {
        return Err(RunError::FileName {
            name: name.to_owned(),
        });
    }
    let base = private_memory(environment)?;
    let scratch = Scratch::create(&base, OsStr::new(name))?;
    let path = scratch.file().to_string_lossy().into_owned();
    let text = command.text.replace("{}", &path);
    let command = ShellCommand {
        text: &text,
        ..command
    };
    match handover {
        Handover::File => scratch.write(&content)?,
        Handover::Fifo => feed(scratch.file().to_owned(), content)?,
    }
    run(&command.with_variables(&[]))
}

/// Makes a FIFO, and hands `content` to whoever reads it first.
fn feed(path: PathBuf, content: Plaintext) -> Result<(), ScratchError> {
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, &path, FileType::Fifo, mode, 0).map_err(|errno| ScratchError::Io {
        action: "make the FIFO",
        path: path.clone(),
        source: errno.into(),
    })?;
    thread::spawn(move || {
        // A command that does not read it, or not to its end, is not wrong.
        let _ = OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|mut fifo| fifo.write_all(content.expose()));
    });
    Ok(())
}
