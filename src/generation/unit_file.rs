//! systemd unit files, read the way systemd reads them.
//!
//! No escapes are processed, repeated keys accumulate, an empty assignment clears what came before, a line that ends
//! in `\` goes on. Source: systemd.syntax(7).

use std::collections::{BTreeMap, BTreeSet};

/// The assignments of a unit file and of the drop-ins merged into it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitFile {
    sections: BTreeMap<String, BTreeMap<String, Setting>>,
}

/// What is said about one key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The values in force, in order.
    pub(crate) values: Vec<String>,
    /// Whether an empty assignment takes back what files outside of this one say.
    pub(crate) clears: bool,
}

/// A line that systemd would skip with a warning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct UnitFileError {
    /// Line, from 1.
    pub(crate) line: u32,
    pub(crate) reason: &'static str,
}

impl UnitFile {
    /// Reads `text` on top of what is there already, as a drop-in is read on top of its unit.
    ///
    /// # Errors
    /// [`UnitFileError`] at the first line that is none of a unit file's; those before it are read.
    pub(crate) fn merge(&mut self, text: &str) -> Result<(), UnitFileError> {
        let mut section: Option<String> = None;
        for (line, content) in logical_lines(text) {
            let content = content.trim();
            let fail = |reason| UnitFileError { line, reason };
            if let Some(name) = content.strip_prefix('[') {
                let name = name
                    .strip_suffix(']')
                    .ok_or_else(|| fail("a section header must end with `]`"))?;
                section = Some(name.to_owned());
                self.sections.entry(name.to_owned()).or_default();
                continue;
            }
            let (key, value) = content
                .split_once('=')
                .ok_or_else(|| fail("this is neither a section, an assignment nor a comment"))?;
            let section = section
                .as_ref()
                .ok_or_else(|| fail("an assignment must be in a section, such as `[Unit]`"))?;
            let setting = self
                .sections
                .entry(section.clone())
                .or_default()
                .entry(key.trim_end().to_owned())
                .or_default();
            match value.trim() {
                "" => {
                    setting.values.clear();
                    setting.clears = true;
                }
                value => setting.values.push(value.to_owned()),
            }
        }
        Ok(())
    }

    /// Puts a file on top of what is there already, as a drop-in is read on top of its unit.
    pub(crate) fn extend(&mut self, drop_in: &Self) {
        for (section, keys) in &drop_in.sections {
            let into = self.sections.entry(section.clone()).or_default();
            for (key, more) in keys {
                let setting = into.entry(key.clone()).or_default();
                if more.clears {
                    setting.values.clear();
                    setting.clears = true;
                }
                setting.values.extend(more.values.iter().cloned());
            }
        }
    }

    /// Every section and key that either file says something about, with what each says.
    pub(crate) fn beside<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (&'a str, &'a str, [Option<&'a Setting>; 2])> {
        let keys = |file: &'a Self| {
            let sections = file.sections.iter();
            sections.flat_map(|(section, keys)| {
                keys.keys().map(move |key| (section.as_str(), key.as_str()))
            })
        };
        let all: BTreeSet<(&str, &str)> = keys(self).chain(keys(other)).collect();
        all.into_iter().map(move |(section, key)| {
            (section, key, [self, other].map(|f| f.setting(section, key)))
        })
    }

    /// Whether the section is there, with or without assignments.
    pub(crate) fn has_section(&self, section: &str) -> bool {
        self.sections.contains_key(section)
    }

    /// All values of a key, cut at white space.
    pub(crate) fn words(&self, section: &str, key: &str) -> Vec<&str> {
        self.values(section, key)
            .iter()
            .flat_map(|value| value.split_whitespace())
            .collect()
    }

    /// The last value of a key.
    pub(crate) fn last(&self, section: &str, key: &str) -> Option<&str> {
        self.values(section, key).last().map(String::as_str)
    }

    /// The last value of a key as a boolean; `None` if there is none, or it is not one.
    pub(crate) fn flag(&self, section: &str, key: &str) -> Option<bool> {
        match self.last(section, key)?.to_ascii_lowercase().as_str() {
            "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
            "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
            _ => None,
        }
    }

    fn values(&self, section: &str, key: &str) -> &[String] {
        self.setting(section, key)
            .map_or(&[], |setting| setting.values.as_slice())
    }

    fn setting(&self, section: &str, key: &str) -> Option<&Setting> {
        self.sections.get(section)?.get(key)
    }
}

/// Lines that say something, continuations joined, with the number of their first line.
fn logical_lines(text: &str) -> Vec<(u32, String)> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    let mut continued = false;
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim_start();
        // A comment inside a continuation is skipped; it does not end it.
        if trimmed.starts_with(['#', ';']) {
            continue;
        }
        if !continued && trimmed.trim_end().is_empty() {
            continue;
        }
        let (content, goes_on) = match line.strip_suffix('\\') {
            Some(content) => (content, true),
            None => (line, false),
        };
        match lines.last_mut() {
            Some((_, last)) if continued => {
                last.push(' ');
                last.push_str(content);
            }
            _ => lines.push((number, content.to_owned())),
        }
        continued = goes_on;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> UnitFile {
        let mut unit = UnitFile::default();
        for text in texts {
            unit.merge(text).unwrap();
        }
        unit
    }

    #[test]
    fn repeated_keys_accumulate_and_an_empty_one_clears() {
        let unit = read(&[
            "# a comment\n[Install]\nWantedBy=a.target b.target\nWantedBy = c.target\n",
            "[Install]\nWantedBy=\nWantedBy=d.target\n",
        ]);
        assert_eq!(unit.words("Install", "WantedBy"), ["d.target"]);
        let unit = read(&["[Install]\nWantedBy=a.target b.target\nWantedBy=c.target\n"]);
        assert_eq!(
            unit.words("Install", "WantedBy"),
            ["a.target", "b.target", "c.target"]
        );
    }

    #[test]
    fn a_backslash_continues_a_line_across_comments_and_nothing_is_unescaped() {
        let unit = read(&["[Service]\nExecStart=/bin/a \\\n# in between\n  b \\\n  c\nX=\\x2d\n"]);
        assert_eq!(unit.words("Service", "ExecStart"), ["/bin/a", "b", "c"]);
        assert_eq!(unit.last("Service", "X"), Some("\\x2d"));
    }

    #[test]
    fn a_drop_in_that_was_read_before_says_the_same_as_its_text() {
        let fragment = "[Service]\nA=1\nB=1\n";
        let drop_in = "[Service]\nA=\nA=2\n[Unit]\nB=3\n";
        let mut unit = read(&[fragment]);
        unit.extend(&read(&[drop_in]));
        assert_eq!(unit, read(&[fragment, drop_in]));
    }

    #[test]
    fn booleans_are_read_as_systemd_reads_them() {
        let unit = read(&["[Service]\nA=True\nB=off\nC=maybe\n"]);
        assert_eq!(unit.flag("Service", "A"), Some(true));
        assert_eq!(unit.flag("Service", "B"), Some(false));
        assert_eq!(unit.flag("Service", "C"), None);
        assert_eq!(unit.flag("Unit", "A"), None);
    }

    #[test]
    fn a_line_that_systemd_would_skip_is_an_error_with_its_number() {
        for (text, line) in [("A=1\n", 1), ("[Unit]\n\nnonsense\n", 3), ("[Unit\n", 1)] {
            let error = UnitFile::default().merge(text).unwrap_err();
            assert_eq!(error.line, line, "{text:?}");
        }
    }
}
