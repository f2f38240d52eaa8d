//! What of a path may differ from its entry.

use regex::bytes::RegexSet;
use serde::{Deserialize, Serialize};

use crate::config::Ignored;
use crate::host::Digest;

/// What of a path may differ from its entry without being a difference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lenience {
    /// The mode.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mode: bool,
    /// Owner and group.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owner: bool,
    /// The content.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub content: bool,
    /// Some lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<LenientLines>,
}

/// Lines that may differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LenientLines {
    /// Regular expressions; a line that one of them matches does not count.
    pub patterns: Vec<String>,
    /// The digest of the lines that do.
    pub rest: Digest,
}

impl Lenience {
    /// What `ignored` says of a file with `content`, or of a directory with none; `None` if everything counts.
    pub(super) fn of(ignored: &Ignored, content: &[u8]) -> Option<Self> {
        if *ignored == Ignored::default() {
            return None;
        }
        let mut lines = (!ignored.lines.is_empty()).then(|| LenientLines {
            patterns: ignored.lines.clone(),
            rest: Digest::of(b""),
        });
        if let Some(lines) = &mut lines {
            lines.rest = lines.rest_of(content);
        }
        Some(Self {
            mode: ignored.mode,
            owner: ignored.owner,
            content: ignored.content,
            lines,
        })
    }
}

impl LenientLines {
    /// The digest of the lines of `content` that count. A pattern that is none any more matches nothing.
    #[must_use]
    pub fn rest_of(&self, content: &[u8]) -> Digest {
        let patterns = RegexSet::new(&self.patterns).unwrap_or_else(|_| RegexSet::empty());
        let lines = content.split_inclusive(|byte| *byte == b'\n');
        let counts = |line: &&[u8]| !patterns.is_match(line.strip_suffix(b"\n").unwrap_or(line));
        Digest::of(&lines.filter(counts).collect::<Vec<_>>().concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_a_pattern_matches_do_not_count() {
        let ignored = Ignored {
            lines: vec!["^# Generated".to_owned(), "token=".to_owned()],
            ..Ignored::default()
        };
        let lenience = Lenience::of(&ignored, b"# Generated at noon\na\nb").unwrap();
        let lines = lenience.lines.unwrap();
        for (content, same) in [
            ("# Generated at noon\na\nb", true),
            ("# Generated at six\na\nmy token=7\nb", true),
            ("a\nb", true),
            ("a\nb\n", false),
            ("a\nc", false),
            (" # Generated at noon\na\nb", false),
        ] {
            assert_eq!(
                lines.rest_of(content.as_bytes()) == lines.rest,
                same,
                "{content:?}"
            );
        }
        assert_eq!(Lenience::of(&Ignored::default(), b"a"), None);
    }
}
