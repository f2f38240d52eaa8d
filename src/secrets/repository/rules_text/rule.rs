//! Rules: one more key in one, a copy of one for certain files before it, one less.

use std::collections::BTreeSet;

use super::tree::{Kind, NodeId};
use super::{NewKey, RulesText, RulesTextError, key_of};
use crate::source::RepoPath;

impl RulesText {
    fn rules(&self) -> Option<NodeId> {
        self.tree.child(self.tree.root?, "creation_rules")
    }

    /// The rule with the number `number`, counted from 1.
    fn rule(&self, number: usize) -> Result<NodeId, RulesTextError> {
        let rules = self.rules().map_or(&[][..], |rules| self.tree.items(rules));
        number
            .checked_sub(1)
            .and_then(|index| rules.get(index).copied())
            .ok_or_else(|| RulesTextError::Meaning {
                reason: format!("there is no rule {number}"),
            })
    }

    /// Line of the rule `number`, from 1.
    pub(in crate::secrets) fn rule_line(&self, number: usize) -> Option<usize> {
        let rule = self.rule(number).ok()?;
        Some(self.line(self.tree.start(rule)))
    }

    /// The nodes that hold the keys of a rule: the values of `age`.
    fn key_values(&self, rule: NodeId) -> Vec<NodeId> {
        let groups = self.tree.child(rule, "key_groups");
        let groups = groups.map_or(&[][..], |groups| self.tree.items(groups));
        if groups.is_empty() {
            return self.tree.child(rule, "age").into_iter().collect();
        }
        groups
            .iter()
            .filter_map(|group| self.tree.child(*group, "age"))
            .collect()
    }

    /// Whether `list` is a rule's own list of keys.
    pub(super) fn is_rule_list(&self, list: NodeId) -> bool {
        self.all_key_values()
            .iter()
            .any(|value| self.tree.target(*value) == list)
    }

    /// Whether `value` is all that a rule has as keys.
    pub(super) fn is_rule_value(&self, value: NodeId) -> bool {
        self.all_key_values().contains(&value)
    }

    fn all_key_values(&self) -> Vec<NodeId> {
        let rules = self.rules().map_or(&[][..], |rules| self.tree.items(rules));
        rules
            .iter()
            .flat_map(|rule| self.key_values(*rule))
            .collect()
    }

    /// Adds a key to the rule `number`: as an alias of its anchor if it has one, else written out. Among several groups it
    /// goes to the only one that has one of `peers`, the keys of those who are like its owner.
    pub(in crate::secrets) fn with_rule_key(
        &self,
        number: usize,
        new: &NewKey<'_>,
        peers: &BTreeSet<String>,
    ) -> Result<Self, RulesTextError> {
        let rule = self.rule(number)?;
        let groups = self
            .tree
            .child(rule, "key_groups")
            .map_or(0, |groups| self.tree.items(groups).len());
        let line = self.line(self.tree.start(rule));
        let mut values = self.key_values(rule);
        if groups > 1 {
            values.retain(|value| !self.keys_in(*value).is_disjoint(peers));
            if values.len() != 1 {
                return Err(RulesTextError::Groups { line, groups });
            }
        }
        let [value] = values.as_slice() else {
            return Err(self.shape(
                self.tree.start(rule),
                "the rule has no list `age` of its own",
            ));
        };
        let key = new.key.to_owned();
        let anchor = self.anchor_of(&std::iter::once(key).collect());
        let alias = anchor.map(|anchor| format!("*{anchor}"));
        match &self.tree.nodes[*value].kind {
            Kind::List { .. } => {
                let item = match alias {
                    Some(alias) => alias,
                    None if self.is_flow(*value) => new.key.to_owned(),
                    None => format!("{} # {}", new.key, new.name),
                };
                self.with_item(*value, &item)
            }
            Kind::Scalar { .. } => self.with_part(*value, new.key),
            Kind::Alias(target) => {
                let mut items = self.listed(*target, *value)?;
                items.push(alias.unwrap_or_else(|| new.key.to_owned()));
                let place = self.tree.nodes[*value].span.clone();
                self.edited(vec![(place, format!("[{}]", items.join(", ")))])
            }
            Kind::Map { .. } => Err(self.shape(self.tree.start(*value), "`age` is a map")),
        }
    }

    /// The recipients in `value`, which is a list or a text with commas.
    fn keys_in(&self, value: NodeId) -> BTreeSet<String> {
        let target = self.tree.target(value);
        let texts: Vec<&str> = match &self.tree.nodes[target].kind {
            Kind::List { items, .. } => items
                .iter()
                .filter_map(|item| self.tree.scalar(self.tree.target(*item)))
                .collect(),
            _ => self.tree.scalar(target).into_iter().collect(),
        };
        let parts = texts.iter().flat_map(|text| text.split(','));
        parts.filter_map(|part| key_of(part.trim())).collect()
    }

    /// The items behind an alias, each as it can be written in another list.
    fn listed(&self, target: NodeId, alias: NodeId) -> Result<Vec<String>, RulesTextError> {
        let written = |id: NodeId| {
            let target = self.tree.target(id);
            match &self.tree.nodes[target].anchor {
                Some((name, _)) => Some(format!("*{name}")),
                None => self.tree.scalar(target).map(str::to_owned),
            }
        };
        match &self.tree.nodes[target].kind {
            Kind::List { items, .. } => {
                let items: Option<Vec<String>> = items.iter().map(|item| written(*item)).collect();
                items.ok_or_else(|| self.shape(self.tree.start(alias), "the list holds lists"))
            }
            Kind::Scalar { text, .. } if text.contains(',') => Ok(text
                .split(',')
                .map(|part| part.trim().to_owned())
                .filter(|part| !part.is_empty())
                .collect()),
            _ => Ok(written(target).into_iter().collect()),
        }
    }

    /// Puts a copy of the rule `number` before it, for exactly `files`.
    pub(in crate::secrets) fn with_rule_before(
        &self,
        number: usize,
        files: &[RepoPath],
    ) -> Result<Self, RulesTextError> {
        let rule = self.rule(number)?;
        let start = self.tree.start(rule);
        let line = self.line_start(start);
        let rules = self.rules().unwrap_or(rule);
        if self.is_flow(rules) || self.text[line..start].trim() != "-" {
            return Err(self.shape(
                start,
                "the rules are not a list with a dash and a line each",
            ));
        }
        if let Kind::Alias(_) = self.tree.nodes[rule].kind {
            return Err(self.shape(start, "the rule is an alias"));
        }
        let end = self.line_end(self.tree.end(&self.text, rule));
        let mut copy = self.text[line..end].to_owned();
        if !copy.ends_with('\n') {
            copy.push('\n');
        }
        // What the copy names first, the rule itself names again: there it becomes an alias.
        let mut edits = Vec::new();
        for node in &self.tree.nodes {
            let Some((name, anchor)) = &node.anchor else {
                continue;
            };
            if anchor.start < line || anchor.start >= end {
                continue;
            }
            if !matches!(node.kind, Kind::Scalar { .. }) {
                return Err(self.shape(anchor.start, "the rule holds an anchor of a list or map"));
            }
            edits.push((anchor.start..node.span.end, format!("*{name}")));
        }
        let at = self.above_comments(line);
        edits.push((at..at, copy));
        let copied = self.edited(edits)?;
        copied.with_path_regex(number, &regex_for(files))
    }

    /// The first of the comment lines directly above the line that begins at `line`.
    fn above_comments(&self, line: usize) -> usize {
        let mut at = line;
        while at > 0 {
            let above = self.line_start(at - 1);
            if !self.text[above..at].trim_start().starts_with('#') {
                break;
            }
            at = above;
        }
        at
    }

    fn with_path_regex(&self, number: usize, regex: &str) -> Result<Self, RulesTextError> {
        let rule = self.rule(number)?;
        if let Some(value) = self.tree.child(rule, "path_regex") {
            let place = self.tree.start(value)
                ..self.tree.end(&self.text, value).max(self.tree.start(value));
            return self.edited(vec![(place, quoted(regex, self.is_flow(rule)))]);
        }
        let first = self
            .tree
            .entries(rule)
            .first()
            .map(|(key, _)| self.tree.start(*key));
        let Some(first) = first else {
            return Err(self.shape(self.tree.start(rule), "the rule is empty"));
        };
        let separator = if self.is_flow(rule) {
            ", ".to_owned()
        } else {
            format!("\n{}", " ".repeat(first - self.line_start(first)))
        };
        let entry = format!(
            "path_regex: {}{separator}",
            quoted(regex, self.is_flow(rule))
        );
        self.edited(vec![(first..first, entry)])
    }

    /// Takes the rule `number` away, with its lines.
    pub(in crate::secrets) fn without_rule(&self, number: usize) -> Result<Self, RulesTextError> {
        let rule = self.rule(number)?;
        let start = self.tree.start(rule);
        let line = self.line_start(start);
        if self.text[line..start].trim() != "-" {
            return Err(self.shape(start, "the rule shares its line with something else"));
        }
        let end = self.line_end(self.tree.end(&self.text, rule));
        self.edited(vec![(line..end, String::new())])
    }
}

/// A regular expression for exactly `files`.
fn regex_for(files: &[RepoPath]) -> String {
    let escaped: Vec<String> = files.iter().map(|file| escaped(file.as_str())).collect();
    match escaped.as_slice() {
        [only] => format!("^{only}$"),
        several => format!("^({})$", several.join("|")),
    }
}

/// Whether `regex` is one that [`regex_for`] makes.
pub(in crate::secrets) fn names_single_files(regex: &str) -> bool {
    let Some(inner) = regex
        .strip_prefix('^')
        .and_then(|rest| rest.strip_suffix('$'))
    else {
        return false;
    };
    let inner = inner
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or(inner);
    inner.split('|').all(|file| {
        let plain = file.replace('\\', "");
        RepoPath::new(plain.as_str()).is_ok_and(|path| escaped(path.as_str()) == file)
    })
}

fn escaped(path: &str) -> String {
    let mut text = String::with_capacity(path.len() + 4);
    for character in path.chars() {
        if "\\.+*?()|[]{}^$".contains(character) {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

/// `regex` as YAML: plain if that cannot be misread.
fn quoted(regex: &str, flow: bool) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_./^$()|\\-+*?".contains(c);
    if !flow && regex.starts_with('^') && regex.chars().all(harmless) {
        return regex.to_owned();
    }
    format!("'{}'", regex.replace('\'', "''"))
}
