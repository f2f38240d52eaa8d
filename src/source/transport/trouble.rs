//! What goes wrong in a conversation, before the connection has said why.

use std::io;

use super::meter::LimitReached;
use crate::source::FetchErrorKind;

/// A conversation that did not come to its end.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The other side stopped talking; only the connection knows why.
    Ended,
    /// Reading or writing failed.
    Io(io::Error),
    /// The server sent an error message.
    Said(String),
    /// The reason is already clear.
    Clear(FetchErrorKind),
}

impl Trouble {
    pub(super) fn protocol(detail: impl Into<String>) -> Self {
        Self::Clear(FetchErrorKind::Protocol {
            detail: detail.into(),
        })
    }
}

impl From<FetchErrorKind> for Trouble {
    fn from(kind: FetchErrorKind) -> Self {
        Self::Clear(kind)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        let limit = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<LimitReached>());
        match (limit, error.kind()) {
            (Some(limit), _) => Self::Clear(limit.kind()),
            (None, io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe) => Self::Ended,
            (None, _) => Self::Io(error),
        }
    }
}

/// What a server said, in one printable line of bearable length.
pub(super) fn one_line(text: &str) -> String {
    const CHARACTERS: usize = 300;
    let printable: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let joined = printable.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.chars().take(CHARACTERS).collect()
}
