//! What an answer is read on: lines of a terminal are only so long, and somebody looks at them.

use crate::cli::answer::visible;

/// Less room than this is not worth breaking lines for.
const LEAST_ROOM: usize = 24;

/// Where an answer goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::cli) struct Page {
    columns: Option<usize>,
}

impl Page {
    /// A file or another program, which has room for everything.
    pub(in crate::cli) const ENDLESS: Self = Self { columns: None };

    /// A terminal whose lines hold `columns` characters.
    pub(in crate::cli) const fn of_columns(columns: usize) -> Self {
        Self {
            columns: Some(columns),
        }
    }

    /// Where stdout goes.
    pub(in crate::cli) fn of_stdout() -> Self {
        Self::of(std::io::stdout())
    }

    /// Where stderr goes.
    pub(in crate::cli) fn of_stderr() -> Self {
        Self::of(std::io::stderr())
    }

    fn of(stream: impl std::os::fd::AsFd) -> Self {
        match rustix::termios::tcgetwinsize(stream) {
            Ok(size) if size.ws_col > 0 => Self::of_columns(size.ws_col.into()),
            _ => Self::ENDLESS,
        }
    }

    /// Whether a person looks at it.
    pub(in crate::cli) const fn is_terminal(self) -> bool {
        self.columns.is_some()
    }

    /// Whether `used` characters fit on a line.
    pub(in crate::cli) fn holds(self, used: usize) -> bool {
        self.columns.is_none_or(|columns| used <= columns)
    }

    /// What is left of a line behind `used` characters, where that is worth breaking for.
    pub(in crate::cli) fn room_behind(self, used: usize) -> Option<usize> {
        let room = self.columns?.checked_sub(used)?;
        (room >= LEAST_ROOM).then_some(room)
    }

    /// `text` that begins behind `used` characters, in as many lines as it takes; they all begin there.
    pub(in crate::cli) fn broken_behind(self, used: usize, text: &str) -> String {
        match self.room_behind(used) {
            Some(room) => broken(text, room, used),
            None => text.to_owned(),
        }
    }
}

/// How many characters `text` takes; colours take none.
pub(in crate::cli) fn width(text: &str) -> usize {
    let bare = anstream::adapter::strip_str(text).to_string();
    bare.chars().count()
}

/// `text` in lines of at most `room` characters, where it has blanks to break it at; all but the first begin at `column`.
/// What stands between backticks stays together: somebody copies it.
pub(in crate::cli) fn broken(text: &str, room: usize, column: usize) -> String {
    let mut lines = String::with_capacity(text.len());
    let mut used = 0;
    for word in words(text) {
        let needed = width(word);
        if used > 0 && used + 1 + needed > room {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', column));
            used = 0;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += needed;
    }
    lines
}

/// The words of `text`; what is between backticks is one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c: char| {
        if c == '`' {
            quoted = !quoted;
        }
        c == ' ' && !quoted
    })
}

/// `text` without what would talk to the terminal of whoever looks at `page`; what a program reads stays as it is.
pub(in crate::cli) fn harmless(page: Page, text: &str) -> std::borrow::Cow<'_, str> {
    if page.is_terminal() {
        visible(text)
    } else {
        text.into()
    }
}
