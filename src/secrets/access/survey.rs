//! All files of the working copy that are or should be secret files, each read and parsed once.

use crate::host::FileError;
use crate::host::{Watcher, for_each};
use crate::secrets::repository::{Repository, Rule};
use crate::sops::{Format, ParseError, SealedFile};
use crate::source::RepoPath;

/// One file that was looked at.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) file: RepoPath,
    pub(super) state: State,
}

/// What a file is.
#[derive(Debug)]
pub(super) enum State {
    /// Not a secret file, and no rule names it as one.
    Other,
    /// A rule names it, and it is not encrypted.
    InTheClear,
    /// A secret file.
    Sealed(Box<Sealed>),
    /// It looks like a secret file and cannot be read as one.
    Broken(ParseError),
    /// It cannot be read.
    Unreadable(FileError),
    /// It is not there.
    Missing,
}

/// A secret file with its text.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) text: Vec<u8>,
    pub(super) sealed: SealedFile,
}

/// Whether somebody named the file as a secret file, so that one that is not sealed is a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    ByName,
    ByRule,
}

/// Looks at `files`.
pub(super) fn survey(
    repository: &Repository,
    files: &[RepoPath],
    asked: Asked,
    watcher: Watcher<'_>,
) -> Vec<Seen> {
    for_each(files, ("reading", watcher), |file| Seen {
        file: file.clone(),
        state: look(repository, file, asked),
    })
}

fn look(repository: &Repository, file: &RepoPath, asked: Asked) -> State {
    let text = match repository.read(file) {
        Ok(Some(text)) => text,
        Ok(None) => return State::Missing,
        Err(error) => return State::Unreadable(error),
    };
    let format = Format::of_path(file.as_str());
    let meant = asked == Asked::ByName
        || repository
            .rules()
            .rule_for(file)
            .is_some_and(Rule::names_files);
    if !meant && !looks_sealed(&text, format) {
        return State::Other;
    }
    match SealedFile::parse(&text, format) {
        Ok(sealed) => State::Sealed(Box::new(Sealed { text, sealed })),
        Err(ParseError::NotSealed) if meant => State::InTheClear,
        Err(ParseError::NotSealed) => State::Other,
        // What no rule is for and does not parse is somebody else's file.
        Err(_other) if !meant && repository.rules().rule_for(file).is_none() => State::Other,
        Err(_plain) if !looks_sealed(&text, format) => State::InTheClear,
        Err(error) => State::Broken(error),
    }
}

/// Whether `text` has something like the metadata of a secret file, so that it is worth parsing as one.
pub(super) fn looks_sealed(text: &[u8], format: Format) -> bool {
    let any_line = |starts: &[&[u8]]| {
        text.split(|byte| *byte == b'\n')
            .any(|line| starts.iter().any(|start| line.starts_with(start)))
    };
    match format {
        Format::Yaml => any_line(&[b"sops:", b"\"sops\":", b"{"]) && contains(text, b"sops"),
        Format::Json | Format::Binary => contains(text, b"\"sops\""),
        Format::Dotenv => any_line(&[b"sops_"]),
        Format::Ini => any_line(&[b"[sops]"]),
    }
}

/// Whether `needle` is in `text`.
pub(super) fn contains(text: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else {
        return true;
    };
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        rest = &rest[at..];
        if rest.starts_with(needle) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_sealed_is_parsed() {
        for (text, format, expected) in [
            ("a: 1\nsops:\n    x: 1\n", Format::Yaml, true),
            ("\"sops\": {}\n", Format::Yaml, true),
            ("{a: 1, sops: {}}\n", Format::Yaml, true),
            ("a:\n  sops: 1\n", Format::Yaml, false),
            ("{\"a\": 1, \"sops\": {}}", Format::Json, true),
            ("{\"a\": \"x\"}", Format::Json, false),
            ("A=1\nsops_version=3\n", Format::Dotenv, true),
            ("A=sops_\n", Format::Dotenv, false),
            ("[a]\nb = 1\n[sops]\n", Format::Ini, true),
            ("", Format::Binary, false),
        ] {
            assert_eq!(looks_sealed(text.as_bytes(), format), expected, "{text}");
        }
        assert!(contains(b"aab", b"ab") && !contains(b"aa", b"ab") && contains(b"", b""));
    }
}
