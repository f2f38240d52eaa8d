//! The `[Install]` section of a unit file: what enabling means.

use std::collections::BTreeSet;

use crate::host::UnitName;

/// What a unit's `[Install]` section asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Install {
    /// Whether there is anything in the section.
    pub(super) is_present: bool,
    /// Directories below `/etc/systemd/system` that get a link: `multi-user.target.wants`.
    pub(super) directories: BTreeSet<String>,
    /// Other names.
    pub(super) aliases: BTreeSet<UnitName>,
    /// Units enabled along with it.
    pub(super) also: BTreeSet<UnitName>,
    /// What a template is enabled as when no instance is named.
    pub(super) default_instance: Option<String>,
}

impl Install {
    /// Reads the section of `unit`'s file. A line that cannot be read is passed over, as systemd does.
    pub(super) fn parse(unit: &UnitName, text: &str) -> Self {
        let mut install = Self::default();
        let mut in_section = false;
        for line in logical_lines(text) {
            let line = line.trim();
            if line.starts_with('[') {
                in_section = line == "[Install]";
            } else if let (true, Some((key, value))) = (in_section, line.split_once('=')) {
                install.set(key.trim(), &expand(unit, value.trim()));
            }
        }
        install
    }

    fn set(&mut self, key: &str, value: &str) {
        let words = || value.split_whitespace();
        let units = || words().filter_map(|word| UnitName::new(word).ok());
        let suffix = match key {
            "WantedBy" => "wants",
            "RequiredBy" => "requires",
            "UpheldBy" => "upholds",
            "Alias" => {
                self.is_present = true;
                return self.aliases.extend(units());
            }
            "Also" => {
                self.is_present = true;
                return self.also.extend(units());
            }
            "DefaultInstance" => {
                self.default_instance = Some(value.to_owned()).filter(|text| !text.is_empty());
                return;
            }
            _ => return,
        };
        self.is_present = true;
        if value.is_empty() {
            self.directories
                .retain(|directory| !directory.ends_with(&format!(".{suffix}")));
        }
        self.directories
            .extend(units().map(|target| format!("{target}.{suffix}")));
    }
}

/// Lines with `\` continuations joined and comments left out.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        if line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        let mut whole = open.take().unwrap_or_default();
        whole.push_str(part);
        if goes_on {
            whole.push(' ');
            open = Some(whole);
        } else {
            lines.push(whole);
        }
    }
    lines.extend(open);
    lines
}

/// Replaces the specifiers that make sense in `[Install]`.
fn expand(unit: &UnitName, value: &str) -> String {
    let stem = unit
        .as_str()
        .rsplit_once('.')
        .map_or(unit.as_str(), |(stem, _)| stem);
    let (prefix, instance) = stem.split_once('@').unwrap_or((stem, ""));
    let mut expanded = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            expanded.push(c);
            continue;
        }
        match chars.next() {
            Some('%') | None => expanded.push('%'),
            Some('n') => expanded.push_str(unit.as_str()),
            Some('N') => expanded.push_str(stem),
            Some('p') => expanded.push_str(prefix),
            Some('i') => expanded.push_str(instance),
            Some(other) => expanded.extend(['%', other]),
        }
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(unit: &str, text: &str) -> Install {
        Install::parse(&UnitName::new(unit).unwrap(), text)
    }

    #[test]
    fn links_come_from_the_install_section_alone() {
        let install = parse(
            "app.service",
            "[Unit]\nWantedBy=no.target\n[Install]\n# a comment\nWantedBy=multi-user.target \\\n  graphical.target\n\
             RequiredBy=db.service\nAlias=web.service\nAlso=app.socket\n",
        );
        let directories: Vec<&str> = install.directories.iter().map(String::as_str).collect();
        assert_eq!(
            directories,
            [
                "db.service.requires",
                "graphical.target.wants",
                "multi-user.target.wants"
            ]
        );
        assert_eq!(install.aliases.len(), 1);
        assert_eq!(install.also.len(), 1);
        assert!(install.is_present);
    }

    #[test]
    fn an_empty_assignment_takes_earlier_ones_back() {
        let install = parse(
            "a.service",
            "[Install]\nWantedBy=a.target\nWantedBy=\nWantedBy=b.target\n",
        );
        assert_eq!(install.directories, ["b.target.wants".to_owned()].into());
    }

    #[test]
    fn instances_expand_their_specifiers() {
        let install = parse(
            "get@tty1.service",
            "[Install]\nWantedBy=x-%i.target\nAlias=%p-%i.service\n",
        );
        assert_eq!(
            install.directories,
            ["x-tty1.target.wants".to_owned()].into()
        );
        assert_eq!(
            install.aliases,
            [UnitName::new("get-tty1.service").unwrap()].into()
        );
    }

    #[test]
    fn a_unit_without_the_section_cannot_be_enabled() {
        assert!(!parse("a.service", "[Service]\nExecStart=/bin/true\n").is_present);
    }
}
