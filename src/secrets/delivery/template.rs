//! Templates: texts that mix secrets, cut into segments once and never scanned again.
//!
//! `{{ secret("db/password") }}` stands for a secret, `{{ "{{" }}` for the text between the quotes. Nothing else may
//! stand between `{{` and `}}`, so that a typo is an error and not a line in a service's configuration.

use super::{OpenedSecrets, SecretName, TemplateSegment, TemplateSpec};
use crate::identity::Plaintext;

/// A template that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct TemplateError {
    /// Where, as an offset in bytes from the beginning of the text.
    pub offset: usize,
    /// What is wrong there.
    pub kind: TemplateErrorKind,
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateErrorKind {
    /// `{{` without `}}`.
    #[error("`{{{{` has no matching `}}}}`")]
    Unclosed,
    /// Neither `secret("…")` nor a quoted text.
    #[error("`{found}` cannot stand in a template")]
    Unknown {
        /// What is there.
        found: String,
    },
    /// A secret whose name is not one.
    #[error("`{name}` is not a valid secret name: {rule}")]
    Name {
        /// The name.
        name: String,
        /// The rule it breaks.
        rule: &'static str,
    },
}

impl TemplateErrorKind {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Unclosed | Self::Unknown { .. } => {
                "write `{{ secret(\"name\") }}` for a secret, and `{{ \"{{\" }}` for two braces"
            }
            Self::Name { .. } => "use the name under `secrets:`, such as `db/password`",
        }
    }
}

/// A template that needs a secret which is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret `{secret}` is not available")]
pub struct RenderError {
    /// The secret.
    pub secret: SecretName,
}

/// Cuts `text` at its placeholders.
///
/// Neighbouring texts are joined and empty ones left out, so that a text has one form only.
///
/// # Errors
/// The first mistake, with its offset in bytes.
pub fn parse_template(text: &str) -> Result<Vec<TemplateSegment>, TemplateError> {
    let mut segments = Vec::new();
    let mut literal = String::new();
    let mut position = 0;
    while let Some(found) = text[position..].find("{{") {
        let open = position + found;
        literal.push_str(&text[position..open]);
        let (placeholder, end) = parse_placeholder(text, open)?;
        match placeholder {
            Placeholder::Literal(quoted) => literal.push_str(quoted),
            Placeholder::Secret(name) => {
                push_text(&mut segments, &mut literal);
                segments.push(TemplateSegment::Secret(name));
            }
        }
        position = end;
    }
    literal.push_str(&text[position..]);
    push_text(&mut segments, &mut literal);
    Ok(segments)
}

/// The secrets that `segments` name, each as often as it stands there.
pub fn secrets_of(segments: &[TemplateSegment]) -> impl Iterator<Item = &SecretName> {
    segments.iter().filter_map(|segment| match segment {
        TemplateSegment::Secret(name) => Some(name),
        TemplateSegment::Text(_) => None,
    })
}

/// Puts the values in. What is substituted is never looked at: a value may contain `{{`.
///
/// # Errors
/// [`RenderError`] if a secret did not open (it is optional) or is not among the generation's.
pub fn render(template: &TemplateSpec, opened: &OpenedSecrets) -> Result<Plaintext, RenderError> {
    let mut pieces = Vec::with_capacity(template.segments.len());
    for segment in &template.segments {
        pieces.push(match segment {
            TemplateSegment::Text(text) => text.as_bytes(),
            TemplateSegment::Secret(name) => match opened.value(name) {
                Some(value) => value.expose(),
                None => {
                    return Err(RenderError {
                        secret: name.clone(),
                    });
                }
            },
        });
    }
    // `concat` allocates once, so that no outgrown buffer with half of the text is left behind.
    Ok(Plaintext::new(pieces.concat()))
}

enum Placeholder<'a> {
    Literal(&'a str),
    Secret(SecretName),
}

/// Reads the placeholder that begins at `open`, and says where the text goes on.
fn parse_placeholder(text: &str, open: usize) -> Result<(Placeholder<'_>, usize), TemplateError> {
    let inside = open + 2;
    let start = skip_blanks(text, inside);
    let rest = &text[start..];
    if rest.starts_with(['"', '\'']) {
        let (quoted, after) = parse_quoted(text, start, open)?;
        let end = expect(text, skip_blanks(text, after), "}}", open)?;
        return Ok((Placeholder::Literal(quoted), end));
    }
    if !rest.starts_with("secret") {
        return Err(unknown(text, open));
    }
    let parenthesis = skip_blanks(text, start + "secret".len());
    let argument = skip_blanks(text, expect(text, parenthesis, "(", open)?);
    let (name, after) = parse_quoted(text, argument, open)?;
    let closed = expect(text, skip_blanks(text, after), ")", open)?;
    let end = expect(text, skip_blanks(text, closed), "}}", open)?;
    let name = SecretName::new(name).map_err(|error| TemplateError {
        offset: argument + 1,
        kind: TemplateErrorKind::Name {
            name: error.text,
            rule: error.rule,
        },
    })?;
    Ok((Placeholder::Secret(name), end))
}

fn skip_blanks(text: &str, from: usize) -> usize {
    text.len() - text[from..].trim_start_matches([' ', '\t']).len()
}

fn expect(text: &str, at: usize, token: &str, open: usize) -> Result<usize, TemplateError> {
    if text[at..].starts_with(token) {
        Ok(at + token.len())
    } else {
        Err(unknown(text, open))
    }
}

/// A text in single or double quotes; there are no escapes, and it ends on its line.
fn parse_quoted(text: &str, at: usize, open: usize) -> Result<(&str, usize), TemplateError> {
    let Some(quote @ ('"' | '\'')) = text[at..].chars().next() else {
        return Err(unknown(text, open));
    };
    let begin = at + 1;
    match text[begin..].find([quote, '\n']) {
        Some(length) if text[begin + length..].starts_with(quote) => {
            Ok((&text[begin..begin + length], begin + length + 1))
        }
        _ => Err(unknown(text, open)),
    }
}

/// Says what stands between the braces, as much of it as fits an error.
fn unknown(text: &str, open: usize) -> TemplateError {
    let line = text[open..].lines().next().unwrap_or_default();
    let kind = match line.find("}}") {
        None => TemplateErrorKind::Unclosed,
        Some(end) => TemplateErrorKind::Unknown {
            found: line[..end + 2].chars().take(80).collect(),
        },
    };
    TemplateError { offset: open, kind }
}

fn push_text(segments: &mut Vec<TemplateSegment>, literal: &mut String) {
    if !literal.is_empty() {
        segments.push(TemplateSegment::Text(std::mem::take(literal)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{FileMode, GroupName, UserName};

    fn text(text: &str) -> TemplateSegment {
        TemplateSegment::Text(text.to_owned())
    }

    fn secret(name: &str) -> TemplateSegment {
        TemplateSegment::Secret(SecretName::new(name).unwrap())
    }

    #[test]
    fn a_template_is_cut_at_its_placeholders() {
        for (template, expected) in [
            ("", vec![]),
            ("plain { } }} text", vec![text("plain { } }} text")]),
            (
                "a={{ secret(\"db/password\") }}\nb={{secret('x')}}",
                vec![text("a="), secret("db/password"), text("\nb="), secret("x")],
            ),
            (
                "{{ secret( \"a\" ) }}{{ secret(\"a\") }}",
                vec![secret("a"), secret("a")],
            ),
            ("x{{ \"{{\" }}y }}", vec![text("x{{y }}")]),
        ] {
            assert_eq!(parse_template(template).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        for (template, offset, message) in [
            ("ab {{ secret(\"x\")", 3, "`{{` has no matching `}}`"),
            (
                "ab {{ host.name }}",
                3,
                "`{{ host.name }}` cannot stand in a template",
            ),
            (
                "{{ secret(x) }}",
                0,
                "`{{ secret(x) }}` cannot stand in a template",
            ),
            (
                "{{ secret(\"x\") | upper }}",
                0,
                "`{{ secret(\"x\") | upper }}` cannot stand in a template",
            ),
            (
                "{{ secrets(\"x\") }}",
                0,
                "`{{ secrets(\"x\") }}` cannot stand in a template",
            ),
            (
                "ä{{ secret(\"../x\") }}",
                13,
                "`../x` is not a valid secret name: must have no empty, `.` or `..` parts",
            ),
            ("{{", 0, "`{{` has no matching `}}`"),
            ("{{ 'a", 0, "`{{` has no matching `}}`"),
        ] {
            let error = parse_template(template).unwrap_err();
            assert_eq!(
                (error.offset, error.to_string().as_str()),
                (offset, message)
            );
            assert!(!error.kind.fix().is_empty());
        }
    }

    #[test]
    fn substituted_text_is_never_scanned_again() {
        let spec = TemplateSpec {
            segments: parse_template("{{ secret(\"a\") }}|{{ secret(\"b\") }}").unwrap(),
            owner: UserName::new("root").unwrap(),
            group: GroupName::new("root").unwrap(),
            mode: FileMode::from_bits(0o400),
            units: crate::secrets::UnitTriggers::default(),
        };
        let opened =
            OpenedSecrets::of([("a", "{{ secret(\"b\") }}"), ("b", "{{ secret(\"a\") }}")]);
        let rendered = render(&spec, &opened).unwrap();
        assert_eq!(
            rendered.expose_text(),
            Some("{{ secret(\"b\") }}|{{ secret(\"a\") }}")
        );
        let error = render(&spec, &OpenedSecrets::of([("a", "x")]))
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "the secret `b` is not available");
    }
}
