//! The answer of a verb: stdout, and nothing else goes there.

use std::borrow::Cow;
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
    let _ = writeln!(anstream::stderr(), "{}", visible(&text.to_string()));
}

/// `text` with control characters written out, so that a file's name cannot talk to the terminal. Line breaks, tabs and
/// colours stay.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let speaks = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(speaks) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(speaks) {
        shown.push_str(&rest[..at]);
        let colour = colour_length(&rest[at..]);
        if colour > 0 {
            shown.push_str(&rest[at..at + colour]);
            rest = &rest[at + colour..];
        } else {
            let mut after = rest[at..].chars();
            shown.extend(after.next().into_iter().flat_map(char::escape_default));
            rest = after.as_str();
        }
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// How long the sequence is that `text` begins with, if all it does is to set a colour: `ESC [ 1;31 m`.
fn colour_length(text: &str) -> usize {
    let Some(inner) = text.strip_prefix("\x1b[") else {
        return 0;
    };
    let end = inner.find(|c: char| !(c.is_ascii_digit() || c == ';'));
    match end {
        Some(end) if inner[end..].starts_with('m') => "\x1b[".len() + end + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_written_out_and_colours_stay() {
        for (text, shown) in [
            ("a\n\tb é", "a\n\tb é"),
            ("\x1b[1;31merror:\x1b[0m x", "\x1b[1;31merror:\x1b[0m x"),
            ("a\rb\x07", "a\\rb\\u{7}"),
            ("\x1b]0;title\x07", "\\u{1b}]0;title\\u{7}"),
            ("\x1b[2J\x1b[", "\\u{1b}[2J\\u{1b}["),
            ("\u{9b}31m", "\\u{9b}31m"),
        ] {
            assert_eq!(visible(text), shown, "{text:?}");
        }
    }
}
