//! `git` of a home: sections with their settings.

use super::HostParser;
use crate::config::host::GitSection;
use crate::config::yaml::{Entry, Key, Node, ScalarKind, Value};

impl HostParser<'_> {
    /// Sections in the order in which they were written, those with a subsection after the plain one.
    pub(super) fn git(&mut self, node: &Node) -> Vec<GitSection> {
        let mut sections = Vec::new();
        let entries = self
            .reader
            .entries(node, "sections by name")
            .unwrap_or_default();
        for entry in entries {
            let settings = self.reader.entries(&entry.value, "settings by name");
            if let Some(name) = self.git_section_name(&entry.key)
                && let Some(settings) = settings
            {
                self.git_section(&name, settings, &mut sections);
            }
        }
        sections
    }

    fn git_section(&mut self, name: &str, entries: &[Entry], sections: &mut Vec<GitSection>) {
        let (below, plain): (Vec<&Entry>, Vec<&Entry>) = entries
            .iter()
            .partition(|entry| matches!(entry.value.value, Value::Map(_)));
        self.git_settings(name, None, &plain, sections);
        for entry in below {
            let subsection = entry.key.text.clone();
            if subsection.contains(['\n', '\0']) {
                self.reader
                    .error(entry.key.place, "the name of a subsection is one line");
                continue;
            }
            let settings: Vec<&Entry> = entry.value.entries().iter().collect();
            self.git_settings(name, Some(subsection), &settings, sections);
        }
    }

    fn git_settings(
        &mut self,
        name: &str,
        subsection: Option<String>,
        entries: &[&Entry],
        sections: &mut Vec<GitSection>,
    ) {
        let mut settings = Vec::new();
        for entry in entries {
            let key = self.git_key(&entry.key);
            let values = match &entry.value.value {
                Value::List(items) => items.iter().collect(),
                _ => vec![&entry.value],
            };
            for value in values {
                if let Some(value) = self.git_value(value)
                    && let Some(key) = &key
                {
                    settings.push((key.clone(), value));
                }
            }
        }
        if !settings.is_empty() {
            sections.push(GitSection {
                name: name.to_owned(),
                subsection,
                settings,
            });
        }
    }

    fn git_section_name(&mut self, key: &Key) -> Option<String> {
        let name = key.text.as_str();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if !name.is_empty() && name.bytes().all(plain) {
            return Some(name.to_owned());
        }
        let message = format!("`{name}` is not a section of git's configuration");
        let error = self.reader.error(key.place, message);
        error.cause = Some("a section is letters, digits and `-`".to_owned());
        let parts = name
            .split_once([' ', '.'])
            .map(|(section, rest)| (section, rest.trim_matches('"')));
        if let Some((section, rest)) = parts {
            error.fix = Some(format!(
                "write the rest below it: `{section}: {{ \"{rest}\": … }}`"
            ));
        }
        None
    }

    fn git_key(&mut self, key: &Key) -> Option<String> {
        let name = key.text.as_str();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(plain) {
            return Some(name.to_owned());
        }
        let message = format!("`{name}` is not a setting of git's");
        self.reader.error(key.place, message).cause =
            Some("a setting is letters, digits and `-`, and begins with a letter".to_owned());
        None
    }

    /// Text, a number as it is spelled, `true` or `false`.
    fn git_value(&mut self, node: &Node) -> Option<String> {
        let boolean = node
            .scalar()
            .filter(|scalar| matches!(scalar.kind(), ScalarKind::Boolean(_)));
        if let Some(boolean) = boolean {
            return Some(boolean.text().to_owned());
        }
        let text = self.reader.text(node)?;
        if text.contains(['\0', '\r']) {
            self.reader.error(
                node.place,
                "git's configuration has no place for this character",
            );
            return None;
        }
        Some(text.to_owned())
    }
}
