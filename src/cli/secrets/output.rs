//! Where plaintext goes when printing it is what was asked for.

use std::io::{self, ErrorKind, Write as _};

use crate::identity::Plaintext;
use crate::report::{Problem, exit};

/// Prints plaintext byte for byte; a reader that went away is no error.
pub(super) fn print_plaintext(text: &Plaintext) -> Result<u8, Problem> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.expose())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Problem::of(&error).about("cannot write the answer to stdout"))
        }
        _ => Ok(exit::DONE),
    }
}
