//! Asking on the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::identity::Plaintext;
use crate::report::Problem;

/// Whether there is somebody to ask.
pub(super) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question that Enter answers with yes; anything typed, and the end of input, is no.
pub(super) fn enter_means_yes(question: &str) -> bool {
    eprint!("{question} ");
    let mut line = String::new();
    // A terminal that went away gives no answer, which is no.
    io::stdin().lock().read_line(&mut line).is_ok() && line == "\n"
}

/// Asks for one line without showing it.
pub(super) fn hidden_line(question: &str) -> Result<Plaintext, Problem> {
    let failed = |error: io::Error| Problem::of(&error).about("cannot read from the terminal");
    eprint!("{question} ");
    io::stderr().flush().map_err(failed)?;
    let quiet = Quiet::begin().map_err(failed)?;
    let line = read_line();
    drop(quiet);
    eprintln!();
    match line.map_err(failed)? {
        Some(line) => Ok(Plaintext::from(line)),
        None => Err(Problem::new("given up; nothing was changed")),
    }
}

/// The terminal without echo, restored when dropped. Keys that would end the process are read as bytes, so that it is
/// restored then too.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Best effort: the terminal may be gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

/// Reads to the end of the line; `None` if it was given up with Ctrl-C or Ctrl-D.
fn read_line() -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    // Room for any line that somebody types, so that no outgrown buffer is left behind.
    let mut line = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let mut stdin = io::stdin().lock();
    let mut byte = [0];
    while stdin.read(&mut byte)? == 1 {
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
