//! Asking on the terminal.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::cli::answer::say;
use crate::identity::{AskPassphrase, NoAnswer, Plaintext};
use crate::report::Problem;

/// Whether there is somebody to ask.
pub(in crate::cli) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question that Enter answers with yes; anything typed, and the end of input, is no.
pub(super) fn enter_means_yes(question: &str) -> bool {
    eprint!("{question} ");
    let mut line = String::new();
    // A terminal that went away gives no answer, which is no.
    io::stdin().lock().read_line(&mut line).is_ok() && line == "\n"
}

/// Asks for one line; `None` at the end of input.
pub(in crate::cli) fn line(question: &str) -> Option<String> {
    eprint!("{question} ");
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim().to_owned())
}

/// Asks for one line without showing it.
pub(super) fn hidden_line(question: &str) -> Result<Plaintext, Problem> {
    let failed = |error: io::Error| Problem::of(&error).about("cannot read from the terminal");
    match Terminal::open().and_then(|mut it| it.hidden_line(question)) {
        Ok(Some(line)) => Ok(line),
        Ok(None) => Err(Problem::new("given up; nothing was changed")),
        Err(error) => Err(failed(error)),
    }
}

/// Asks for the passphrases of keys on the terminal of this process, wherever stdin comes from.
pub(super) struct OnTerminal;

impl AskPassphrase for OnTerminal {
    fn passphrase(&self, question: &str) -> Result<Plaintext, NoAnswer> {
        let mut terminal = Terminal::open().map_err(|_no_terminal| NoAnswer::NobodyThere)?;
        match terminal.hidden_line(question) {
            Ok(Some(line)) => Ok(line),
            // A terminal that went away is as good as an answer that was not given.
            Ok(None) | Err(_) => Err(NoAnswer::GivenUp),
        }
    }

    fn tell(&self, message: &str) {
        say(message);
    }

    fn line(&self, question: &str) -> Option<String> {
        Terminal::open().ok()?.line(question)
    }

    fn confirm(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let mut terminal = Terminal::open().ok()?;
        let choice = match no {
            Some(no) => format!("{question} [Enter: {yes}; n: {no}]"),
            None => format!("{question} [Enter: {yes}]"),
        };
        Some(terminal.line(&choice)?.is_empty())
    }
}

/// The terminal that controls this process.
struct Terminal(File);

impl Terminal {
    fn open() -> io::Result<Self> {
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        Ok(Self(terminal))
    }

    /// One line that is not shown; `None` if it was given up.
    fn hidden_line(&mut self, question: &str) -> io::Result<Option<Plaintext>> {
        // Quiet before the question: whoever answers at once is not shown, and not cut off.
        let quiet = Quiet::begin(&self.0)?;
        self.0.write_all(format!("{question} ").as_bytes())?;
        let line = read_line(&mut self.0);
        drop(quiet);
        self.0.write_all(b"\n")?;
        Ok(line?.map(Plaintext::from))
    }

    /// One line that is shown; `None` at the end of input.
    fn line(&mut self, question: &str) -> Option<String> {
        self.0.write_all(format!("{question} ").as_bytes()).ok()?;
        let mut line = String::new();
        let read = io::BufReader::new(&self.0).read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// The terminal without echo, restored when dropped. Keys that would end the process are read as bytes, so that it is
/// restored then too.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn begin(terminal: &File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self {
            terminal: terminal.try_clone()?,
            before,
        })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Best effort: the terminal may be gone.
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Reads to the end of the line; `None` if it was given up with Ctrl-C or Ctrl-D.
fn read_line(terminal: &mut File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    // Room for any line that somebody types, so that no outgrown buffer is left behind.
    let mut line = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let mut byte = Zeroizing::new([0]);
    while terminal.read(byte.as_mut_slice())? == 1 {
        match byte[0] {
            b'\n' | b'\r' => return Ok(Some(line)),
            3 | 4 => return Ok(None),
            8 | 127 => {
                while line
                    .pop()
                    .is_some_and(|last| last & 0b1100_0000 == 0b1000_0000)
                {}
            }
            // Ctrl-U
            21 => line.clear(),
            typed => line.push(typed),
        }
    }
    Ok(None)
}
