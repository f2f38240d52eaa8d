//! An error with its source line, the place marked, the cause and the fix.

use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::error::{Colour, ConfigError, Mark, Severity};
use crate::source::RepoPath;

/// Prints one error the way rustc does.
pub(super) fn render(
    error: &ConfigError,
    severity: Severity,
    sources: &BTreeMap<RepoPath, String>,
    colour: Colour,
) -> String {
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut main = level
        .primary_title(error.message.as_str())
        .elements(std::iter::empty::<annotate_snippets::Element<'_>>());
    for snippet in snippets(error, sources) {
        main = main.element(snippet);
    }
    let cause = Level::NOTE.with_name("cause");
    if let Some(text) = &error.cause {
        main = main.element(cause.message(text.as_str()));
    }
    let fix = Level::HELP.with_name("fix");
    if let Some(text) = &error.fix {
        main = main.element(fix.message(text.as_str()));
    }
    let groups: [Group<'_>; 1] = [main];
    let renderer = match colour {
        Colour::Plain => Renderer::plain(),
        Colour::Ansi => Renderer::styled(),
    };
    renderer.render(&groups)
}

type Annotated<'a> = Snippet<'a, annotate_snippets::Annotation<'a>>;

/// One snippet if both places are in one file, else one per file.
fn snippets<'a>(
    error: &'a ConfigError,
    sources: &'a BTreeMap<RepoPath, String>,
) -> Vec<Annotated<'a>> {
    let mut found: Vec<Annotated<'a>> = Vec::new();
    let Some(mark) = &error.mark else {
        return found;
    };
    let primary = snippet(mark, sources, AnnotationKind::Primary, None);
    match &error.related {
        Some((other, label)) if other.origin.file == mark.origin.file => {
            if let (Some(snippet), Some(text)) = (primary, sources.get(&mark.origin.file)) {
                let context = AnnotationKind::Context
                    .span(span(text, other))
                    .label(label.as_str());
                found.push(snippet.annotation(context));
            }
        }
        Some((other, label)) => {
            found.extend(primary);
            found.extend(snippet(
                other,
                sources,
                AnnotationKind::Context,
                Some(label.as_str()),
            ));
        }
        None => found.extend(primary),
    }
    found
}

fn snippet<'a>(
    mark: &'a Mark,
    sources: &'a BTreeMap<RepoPath, String>,
    kind: AnnotationKind,
    label: Option<&'a str>,
) -> Option<Annotated<'a>> {
    let text = sources.get(&mark.origin.file)?;
    let annotation = kind.span(span(text, mark)).label(label);
    Some(
        Snippet::source(text.as_str())
            .path(mark.origin.file.as_str())
            .annotation(annotation),
    )
}

/// The bytes that a mark covers; inside its line, and inside the text, whatever the mark says.
fn span(text: &str, mark: &Mark) -> Range<usize> {
    let line_number = usize::try_from(mark.origin.line).unwrap_or(usize::MAX);
    let mut begin = 0;
    let mut line = "";
    for (index, candidate) in text.split_inclusive('\n').enumerate() {
        if index + 1 == line_number {
            line = candidate.trim_end_matches(['\n', '\r']);
            break;
        }
        begin += candidate.len();
    }
    let skipped = usize::try_from(mark.origin.column)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let from = byte_of(line, skipped);
    let to = match mark.length {
        0 => from + word(&line[from..]),
        length => byte_of(line, skipped.saturating_add(length)),
    };
    begin + from..begin + to.max(from)
}

/// The length in bytes of the word that `text` begins with, without the colon, comma or bracket that ends it.
fn word(text: &str) -> usize {
    let word = text.split_whitespace().next().unwrap_or_default();
    let word = word.trim_end_matches([',', ':', ']', '}']);
    if text.starts_with(char::is_whitespace) {
        0
    } else {
        word.len()
    }
}

fn byte_of(line: &str, chars: usize) -> usize {
    line.char_indices()
        .nth(chars)
        .map_or(line.len(), |(byte, _)| byte)
}
