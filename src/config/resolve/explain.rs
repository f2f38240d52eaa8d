//! From an expression that fails to an error at its place.

use std::collections::BTreeSet;
use std::ops::Range;

use minijinja::value::{Value, ValueKind};

use super::run::Run;
use crate::config::error::{ConfigError, Mark};
use crate::config::expression::{Failure, FailureKind};
use crate::config::nearest::nearest;
use crate::config::yaml::Place;
use crate::config::{Origin, line_and_column};
use crate::source::RepoPath;

/// The text that is evaluated, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'t> {
    /// What is evaluated.
    pub(super) text: &'t str,
    /// The scalar that holds it, or that names the file that holds it.
    pub(super) place: Place,
    /// The file, if it is one that is filled in.
    pub(super) file: Option<&'t RepoPath>,
}

impl Run<'_> {
    /// Records that an expression has no value.
    pub(super) fn fail(
        &mut self,
        failure: Failure,
        source: &Source<'_>,
        asked: (&BTreeSet<String>, &Value),
    ) {
        if failure.kind == FailureKind::Exhausted {
            self.exhaust(
                source.place,
                &failure.message,
                failure.fix.as_deref().unwrap_or_default(),
            );
            return;
        }
        let mut failure = failure;
        if failure.kind == FailureKind::Undefined
            && let Some((name, fix)) = undefined(asked.0, asked.1)
        {
            failure.message = format!("`{name}` is not defined");
            failure.fix = fix;
            failure.range = source
                .text
                .find(name.as_str())
                .map(|at| at..at + name.len());
        }
        let mark = self.mark_in(source, failure.range.clone());
        let mut error = ConfigError::new(failure.message).at(mark);
        error.fix = failure.fix;
        if source.file.is_some() {
            error.related = Some((
                self.reader.mark(source.place),
                "it is filled in here".to_owned(),
            ));
        }
        self.reader.push(error);
    }

    /// Where somebody who asks for an option stands: at a word of a text, as far as that can be told, or at `place`.
    pub(super) fn place_of_asker(&self, place: Place, word: Option<(&str, &str)>) -> Place {
        let found = word.and_then(|(text, word)| {
            let range = find_word(text, word)?;
            self.place_in(place, text, range)
        });
        found.unwrap_or(place)
    }

    /// Records an error about a word of a source.
    pub(super) fn name_error(
        &mut self,
        source: &Source<'_>,
        word: &str,
        message: String,
    ) -> &mut ConfigError {
        let mark = self.mark_in(source, find_word(source.text, word));
        let mut error = ConfigError::new(message).at(mark);
        if source.file.is_some() {
            error.related = Some((
                self.reader.mark(source.place),
                "it is filled in here".to_owned(),
            ));
        }
        self.reader.keep(error)
    }

    fn mark_in(&mut self, source: &Source<'_>, range: Option<Range<usize>>) -> Mark {
        let range = range.filter(|range| source.text.get(range.clone()).is_some());
        match (source.file, range) {
            (Some(file), Some(range)) => {
                let (line, column) = line_and_column(&source.text[..range.start]);
                let marked = source.text[range].lines().next().unwrap_or_default();
                Mark {
                    origin: Origin {
                        file: file.clone(),
                        line,
                        column,
                    },
                    length: marked.chars().count(),
                }
            }
            (None, Some(range)) => {
                let place = self.place_in(source.place, source.text, range);
                self.reader.mark(place.unwrap_or(source.place))
            }
            (Some(file), None) => Mark {
                origin: Origin {
                    file: file.clone(),
                    line: 1,
                    column: 1,
                },
                length: 0,
            },
            (None, None) => self.reader.mark(source.place),
        }
    }

    /// The place of a part of a scalar: found again in the line of the file where it must stand.
    fn place_in(&self, place: Place, text: &str, range: Range<usize>) -> Option<Place> {
        let part = text[range.clone()].lines().next()?;
        let lines_before = text[..range.start].matches('\n').count();
        let content = self.snapshot.read(self.reader.path(place)).ok()??;
        let content = String::from_utf8_lossy(&content);
        let first = usize::try_from(place.line).ok()?.checked_sub(1)?;
        let opening: String = content
            .lines()
            .nth(first)?
            .chars()
            .skip(usize::try_from(place.column).ok()? - 1)
            .collect();
        let block = opening.starts_with(['|', '>']);
        let (line, skipped) = if block {
            (first + 1 + lines_before, 0)
        } else {
            (
                first + lines_before,
                usize::try_from(place.column).ok()? - 1,
            )
        };
        let line_text = content.lines().nth(line)?;
        let from = line_text
            .char_indices()
            .nth(skipped)
            .map_or(line_text.len(), |(at, _)| at);
        let at = from + find_word(&line_text[from..], part)?.start;
        Some(Place {
            file: place.file,
            line: u32::try_from(line + 1).ok()?,
            column: u32::try_from(line_text[..at].chars().count() + 1).ok()?,
            length: u32::try_from(part.chars().count()).ok()?,
        })
    }
}

/// Where `word` stands by itself, not as a part of another word.
fn find_word(text: &str, word: &str) -> Option<Range<usize>> {
    let inner = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let found = text
        .match_indices(word)
        .map(|(at, _)| at..at + word.len())
        .find(|range| {
            let before =
                inner(text[..range.start].chars().next_back()) && inner(word.chars().next());
            let after = inner(text[range.end..].chars().next()) && inner(word.chars().next_back());
            !before && !after
        });
    found.filter(|range| !range.is_empty())
}

/// The first name that leads nowhere, and what was probably meant.
fn undefined(names: &BTreeSet<String>, variables: &Value) -> Option<(String, Option<String>)> {
    names.iter().find_map(|name| {
        let mut walked = String::new();
        let mut value = variables.clone();
        for part in name.split('.') {
            if !walked.is_empty() {
                walked.push('.');
            }
            walked.push_str(part);
            let next = value.get_attr(part).ok()?;
            if next.is_undefined() {
                return Some((walked, meant(part, &value)));
            }
            value = next;
        }
        None
    })
}

fn meant(part: &str, value: &Value) -> Option<String> {
    if value.kind() != ValueKind::Map {
        return None;
    }
    let keys: Vec<String> = value
        .try_iter()
        .ok()?
        .filter_map(|key| key.as_str().map(str::to_owned))
        .collect();
    if let Some(meant) = nearest(part, keys.iter().map(String::as_str)) {
        return Some(format!("did you mean `{meant}`?"));
    }
    let keys: Vec<&str> = keys.iter().map(String::as_str).take(20).collect();
    (!keys.is_empty()).then(|| format!("what is there is {}", crate::config::reader::listed(&keys)))
}
