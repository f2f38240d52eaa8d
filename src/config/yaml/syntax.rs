//! What is no YAML, in words for somebody who does not know how a parser works.

use granit_parser::{ErrorKind, ScanError};

use super::loader::{FLATTER, too_deep_message};
use super::{FileId, YamlError, place_at};

const QUOTES: &str = "put the whole value in quotes";

/// The parser's error, with what to do about it.
pub(super) fn syntax(file: FileId, error: &ScanError, text: &str) -> YamlError {
    let marker = error.marker();
    let line = text
        .lines()
        .nth(marker.line().saturating_sub(1))
        .unwrap_or_default();
    let rest: String = line.chars().skip(marker.col()).collect();
    let (message, fix) = in_words(error.kind(), &rest);
    let message = message.unwrap_or_else(|| format!("this is not YAML: {}", error.info()));
    let failure = YamlError::new(place_at(file, marker, 1), message);
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    match fix {
        _ if indent.contains('\t') => failure.fix("indent with spaces; YAML allows no tabs there"),
        Some(fix) => failure.fix(fix),
        None => failure,
    }
}

/// What is wrong, where the parser does not say it well, and what to do. `rest` is the line from there on.
fn in_words(kind: &ErrorKind, rest: &str) -> (Option<String>, Option<String>) {
    let (message, fix) = match kind {
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::ExpectedBlockSequenceEntry => (
            "this line is indented otherwise than those before it",
            "begin all entries of one map or list in the same column",
        ),
        ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabNotAllowed => (
            "a tab cannot stand here",
            "write spaces instead; YAML allows no tabs there",
        ),
        ErrorKind::InvalidQuotedScalarIndent | ErrorKind::UnclosedQuotedScalar => (
            "a quote that begins above is not closed",
            "close it; a text of several lines is best written after `|`, indented, without quotes",
        ),
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator => (
            "a `[` or `{` that begins before this is not closed, or a comma is missing",
            "separate entries by commas, and close what is open with `]` or `}`",
        ),
        ErrorKind::UnclosedFlowCollection { open } => {
            let close = if *open == '[' { ']' } else { '}' };
            return (
                Some(format!("a `{open}` is not closed")),
                Some(format!("close it with `{close}`")),
            );
        }
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
            return (
                Some(format!(
                    "the character U+{:04X} cannot stand in a text",
                    u32::from(*character)
                )),
                Some("remove it; if the file is no text at all, it is the wrong file".to_owned()),
            );
        }
        ErrorKind::UnexpectedCharacter { character } => {
            return (
                Some(format!("a value cannot begin with `{character}`")),
                Some(QUOTES.to_owned()),
            );
        }
        ErrorKind::UnknownAnchor => {
            let name = rest.trim_start_matches('*');
            let name = name.split([' ', ',', ']', '}']).next().unwrap_or_default();
            return (
                Some(format!(
                    "there is no anchor `&{name}` above this in the file"
                )),
                Some(format!(
                    "write the value out; if no alias was meant, put `*{name}` in quotes"
                )),
            );
        }
        ErrorKind::RecursionLimitExceeded => {
            return (Some(too_deep_message()), Some(FLATTER.to_owned()));
        }
        ErrorKind::MappingValueNotAllowed => (
            "a `:` with a space after it cannot stand here",
            "put the value in quotes; if a key was meant, it begins a line of its own",
        ),
        _ => return (None, None),
    };
    (Some(message.to_owned()), Some(fix.to_owned()))
}
