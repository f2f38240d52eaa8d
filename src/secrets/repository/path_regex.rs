//! `path_regex`: RE2 as sops reads it, or an error. Never a guess: a rule that matches other files than sops would
//! encrypts to other people.

use regex::Regex;

/// A regular expression that means the same here and in sops.
#[derive(Debug, Clone)]
pub struct PathRegex(Regex);

/// A regular expression that is invalid, or that this program would read differently than sops.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathRegexError {
    /// Not valid.
    #[error("the regular expression `{regex}` is not valid: {reason}")]
    Invalid {
        /// The expression.
        regex: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Valid here, in sops or in both, but with another meaning.
    #[error(
        "the regular expression `{regex}` uses `{part}`, which sops and this program read differently"
    )]
    Differs {
        /// The expression.
        regex: String,
        /// The part.
        part: String,
    },
}

impl PathRegexError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "correct it; `secrets/.*\\.ya?ml$` is a usual one",
            Self::Differs { .. } => {
                "write it with plain classes such as [0-9] and [A-Za-z0-9_], and `\\.` for a dot"
            }
        }
    }
}

impl PathRegex {
    /// Reads an expression of `.sops.yaml`.
    pub fn new(regex: &str) -> Result<Self, PathRegexError> {
        let translated = Translation::of(regex)?;
        Regex::new(&translated)
            .map(Self)
            .map_err(|error| PathRegexError::Invalid {
                regex: regex.to_owned(),
                reason: last_line(&error.to_string()),
            })
    }

    /// Whether `path`, relative to the directory of `.sops.yaml`, has a part that matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

/// The regex crate draws the expression over several lines; the last one says what is wrong.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

/// Rewrites what has an ASCII meaning in RE2 and a Unicode one here, and refuses what cannot be rewritten.
struct Translation<'a> {
    regex: &'a str,
    rest: std::iter::Peekable<std::str::CharIndices<'a>>,
    output: String,
}

impl<'a> Translation<'a> {
    fn of(regex: &'a str) -> Result<String, PathRegexError> {
        let mut translation = Self {
            regex,
            rest: regex.char_indices().peekable(),
            output: String::with_capacity(regex.len()),
        };
        while let Some((at, character)) = translation.rest.next() {
            match character {
                '\\' => translation.escape(at)?,
                '[' => translation.class(at)?,
                '(' => translation.group(at)?,
                '*' | '+' | '?' => translation.repetition(at, character)?,
                '{' => translation.counted(at)?,
                other => translation.output.push(other),
            }
        }
        Ok(translation.output)
    }

    fn differs(&self, from: usize, to: usize) -> PathRegexError {
        let end = self.regex.len().min(to);
        PathRegexError::Differs {
            regex: self.regex.to_owned(),
            part: self.regex.get(from..end).unwrap_or(self.regex).to_owned(),
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().map(|(_, character)| *character)
    }

    fn escape(&mut self, at: usize) -> Result<(), PathRegexError> {
        let Some((next_at, next)) = self.rest.next() else {
            self.output.push('\\');
            return Ok(());
        };
        match next {
            'd' => self.output.push_str("[0-9]"),
            'D' => self.output.push_str("[^0-9]"),
            'w' => self.output.push_str("[0-9A-Za-z_]"),
            'W' => self.output.push_str("[^0-9A-Za-z_]"),
            's' => self.output.push_str(r"[\t\n\x0C\r ]"),
            'S' => self.output.push_str(r"[^\t\n\x0C\r ]"),
            'b' if self.peek() != Some('{') => self.output.push_str(r"(?-u:\b)"),
            'A' | 'z' | 'a' | 'f' | 't' | 'n' | 'r' | 'v' => {
                self.output.push('\\');
                self.output.push(next);
            }
            next if next.is_ascii_punctuation() && next != '<' && next != '>' => {
                self.output.push('\\');
                self.output.push(next);
            }
            _ => return Err(self.differs(at, next_at + next.len_utf8())),
        }
        Ok(())
    }

    /// A bracketed class: the same in both, but for nesting, set operations and Perl classes.
    fn class(&mut self, start: usize) -> Result<(), PathRegexError> {
        self.output.push('[');
        if self.peek() == Some('^') {
            self.rest.next();
            self.output.push('^');
        }
        let mut first = true;
        while let Some((at, character)) = self.rest.next() {
            match character {
                // RE2 takes a bracket that comes first as itself; so does this, when it is escaped.
                ']' if first => self.output.push_str("\\]"),
                ']' => {
                    self.output.push(']');
                    return Ok(());
                }
                '\\' => self.escape_in_class(at)?,
                '[' if self.peek() == Some(':') => return Err(self.differs(at, at + 2)),
                '[' => self.output.push_str("\\["),
                '&' | '~' | '-' if self.peek() == Some(character) => {
                    return Err(self.differs(at, at + 2));
                }
                other => self.output.push(other),
            }
            first = false;
        }
        Err(PathRegexError::Invalid {
            regex: self.regex.to_owned(),
            reason: format!("`{}` is not closed", &self.regex[start..]),
        })
    }

    fn escape_in_class(&mut self, at: usize) -> Result<(), PathRegexError> {
        let Some((next_at, next)) = self.rest.next() else {
            return Ok(());
        };
        match next {
            'd' => self.output.push_str("0-9"),
            'w' => self.output.push_str("0-9A-Za-z_"),
            's' => self.output.push_str(r"\t\n\x0C\r "),
            't' | 'n' | 'r' => {
                self.output.push('\\');
                self.output.push(next);
            }
            next if next.is_ascii_punctuation() => {
                self.output.push('\\');
                self.output.push(next);
            }
            _ => return Err(self.differs(at, next_at + next.len_utf8())),
        }
        Ok(())
    }

    /// A group: plain, `(?:…)`, or with the flags that both know.
    fn group(&mut self, at: usize) -> Result<(), PathRegexError> {
        self.output.push('(');
        if self.peek() != Some('?') {
            return Ok(());
        }
        let body = &self.regex[at + 2..];
        let end = body.find([':', ')']).unwrap_or(body.len());
        if !body[..end].chars().all(|flag| "imsU-".contains(flag)) {
            return Err(self.differs(at, at + 2 + end + 1));
        }
        for _ in 0..=end {
            if let Some((_, character)) = self.rest.next() {
                self.output.push(character);
            }
        }
        Ok(())
    }

    /// RE2 knows `x*` and `x*?` and refuses a third sign; here `x*+` would be a repetition of a repetition.
    fn repetition(&mut self, at: usize, sign: char) -> Result<(), PathRegexError> {
        self.output.push(sign);
        if self.peek() == Some('?') {
            self.rest.next();
            self.output.push('?');
        }
        match self.peek() {
            Some('*' | '+' | '?') => Err(self.differs(at, at + 3)),
            _ => Ok(()),
        }
    }

    /// `{n}`, `{n,}`, `{n,m}` up to 1000, as in RE2; any other brace stands for itself there.
    fn counted(&mut self, at: usize) -> Result<(), PathRegexError> {
        let body = &self.regex[at + 1..];
        let Some(end) = body.find('}') else {
            self.output.push_str("\\{");
            return Ok(());
        };
        let counts = &body[..end];
        let is_count = counts
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b',')
            && counts.starts_with(|c: char| c.is_ascii_digit())
            && counts.matches(',').count() <= 1;
        if !is_count {
            self.output.push_str("\\{");
            return Ok(());
        }
        let too_many = counts
            .split(',')
            .any(|count| count.parse::<u32>().is_ok_and(|count| count > 1000) || count.len() > 4);
        if too_many {
            return Err(self.differs(at, at + end + 2));
        }
        self.output.push('{');
        for _ in 0..=end {
            if let Some((_, character)) = self.rest.next() {
                self.output.push(character);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_expressions_match_as_in_sops() {
        for (regex, path, expected) in [
            (
                r"secrets/[^/]+\.(yaml|json|env|ini)$",
                "secrets/a.yaml",
                true,
            ),
            (
                r"secrets/[^/]+\.(yaml|json|env|ini)$",
                "secrets/b/a.yaml",
                false,
            ),
            (r"^secrets/", "old/secrets/a.yml", false),
            (r"a\.ya?ml", "x/a.yml.bak", true),
            ("", "anything", true),
            (r"\d{2,3}", "x12", true),
            (r"^\w+$", "ü", false),
            (r"^[\w.-]+$", "a-b.yml", true),
            (r"(?i)SECRETS", "secrets", true),
            (r"[]x]", "]", true),
            (r"a{x}", "a{x}", true),
            (r"\bfoo\b", "a/foo/b", true),
            (r"hosts/[^/]*/secrets\.yml", "hosts/web-1/secrets.yml", true),
        ] {
            let compiled = PathRegex::new(regex).unwrap();
            assert_eq!(compiled.matches(path), expected, "{regex} on {path}");
        }
    }

    #[test]
    fn what_sops_reads_differently_is_refused() {
        for (regex, part) in [
            (r"\Qa.b\E", r"\Q"),
            (r"\pL", r"\p"),
            (r"a\1", r"\1"),
            (r"[a-z&&[^b]]", "&&"),
            (r"[[:alpha:]]", "[:"),
            (r"a*+", "a*+".trim_start_matches('a')),
            (r"a{1001}", "{1001}"),
            (r"(?x) a", "(?x)"),
            (r"(?P<a>b)", "(?P<a>b)"),
            (r"\b{start}a", r"\b"),
            (r"[\W]", r"\W"),
        ] {
            match PathRegex::new(regex) {
                Err(PathRegexError::Differs { part: found, .. }) => {
                    assert_eq!(found, part, "{regex}");
                }
                other => panic!("{regex}: {other:?}"),
            }
        }
        for regex in ["(", "a)", "[a", "*a"] {
            assert!(
                matches!(PathRegex::new(regex), Err(PathRegexError::Invalid { .. })),
                "{regex}"
            );
        }
    }
}
