//! The answer of a verb: stdout, and nothing else goes there.

use std::io::{ErrorKind, Write as _};

use serde::Serialize;

use crate::report::Problem;

/// Prints `text`, which may carry colours. A reader that went away (`| head`) is no error.
pub(super) fn print(text: &str) -> Result<(), Problem> {
    let mut stdout = anstream::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Problem::of(&error).about("cannot write the answer to stdout"))
        }
        _ => Ok(()),
    }
}

/// Prints `value` as indented JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Problem> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Problem::of(&error).about("cannot write the answer as JSON"))?;
    print(&(text + "\n"))
}

/// Says `text` on stderr, as a line of its own.
pub(super) fn say(text: impl std::fmt::Display) {
    // Nobody is there to be told that nobody is there.
    let _ = writeln!(anstream::stderr(), "{text}");
}
