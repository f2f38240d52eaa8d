//! Adding to and taking from lists, in block and flow style and as comma strings.

use super::tree::{Kind, NodeId, Style};
use super::{RulesText, RulesTextError};

impl RulesText {
    /// The list with one more item at its end, written like the one before.
    pub(super) fn with_item(&self, list: NodeId, item: &str) -> Result<Self, RulesTextError> {
        let Some(neighbour) = self.tree.items(list).last().copied() else {
            return self.with_first_item(list, item);
        };
        let start = self.tree.start(neighbour);
        let end = self.tree.end(&self.text, neighbour);
        let before = &self.text[self.line_start(start)..start];
        if self.is_flow(list) {
            let separator = if before.trim().is_empty() && !before.is_empty() {
                format!(",\n{before}")
            } else {
                ", ".to_owned()
            };
            // Behind a comma that is there already the new item would stand in a list with a gap.
            return self.edited(vec![(end..end, format!("{separator}{item}"))]);
        }
        let Some(dash) = before.rfind('-') else {
            return Err(self.shape(start, "a list's item has no dash on its line"));
        };
        let margin: String = before[..dash].chars().map(|_| ' ').collect();
        self.with_line_after(end, &format!("{margin}{}{item}", &before[dash..]))
    }

    fn with_first_item(&self, list: NodeId, item: &str) -> Result<Self, RulesTextError> {
        let start = self.tree.nodes[list].span.start;
        if self.is_flow(list) && self.text[start..].starts_with('[') {
            return self.edited(vec![(start + 1..start + 1, item.to_owned())]);
        }
        Err(self.shape(start, "the list is empty"))
    }

    /// The map with one more entry at its end.
    pub(super) fn with_map_entry(
        &self,
        map: NodeId,
        key: &str,
        value: &str,
    ) -> Result<Self, RulesTextError> {
        let start = self.tree.nodes[map].span.start;
        let Some((name, last)) = self.tree.entries(map).last().copied() else {
            return Err(self.shape(start, "the map is empty"));
        };
        let end = self.tree.end(&self.text, last);
        if self.is_flow(map) {
            return self.edited(vec![(end..end, format!(", {key}: {value}"))]);
        }
        let name_start = self.tree.start(name);
        let margin: String = self.text[self.line_start(name_start)..name_start]
            .chars()
            .map(|_| ' ')
            .collect();
        self.with_line_after(end, &format!("{margin}{key}: {value}"))
    }

    /// The text with a line of its own behind the line of `at`.
    pub(super) fn with_line_after(&self, at: usize, line: &str) -> Result<Self, RulesTextError> {
        let end = self.line_end(at);
        let text = if self.text[..end].ends_with('\n') {
            format!("{line}\n")
        } else {
            format!("\n{line}")
        };
        self.edited(vec![(end..end, text)])
    }

    /// The scalar with one more key: keys are separated by commas.
    pub(super) fn with_part(&self, scalar: NodeId, key: &str) -> Result<Self, RulesTextError> {
        let node = &self.tree.nodes[scalar];
        let Kind::Scalar { style, text } = &node.kind else {
            return Err(self.shape(node.span.start, "it is no list of keys"));
        };
        let end = self.tree.end(&self.text, scalar);
        let comma = if text.trim_end().ends_with(',') {
            ""
        } else {
            ","
        };
        match style {
            Style::Plain => self.edited(vec![(end..end, format!("{comma}{key}"))]),
            Style::Quoted => self.edited(vec![(end - 1..end - 1, format!("{comma}{key}"))]),
            Style::Block => {
                let line = self.line_start(end);
                let blank = self.text[line..end].len() - self.text[line..end].trim_start().len();
                let margin = &self.text[line..line + blank];
                self.edited(vec![(end..end, format!("{comma}\n{margin}{key}"))])
            }
        }
    }

    /// The comma string without one of its keys.
    pub(super) fn without_part(&self, scalar: NodeId, part: &str) -> Result<Self, RulesTextError> {
        let span = self.tree.nodes[scalar].span.clone();
        let within = &self.text[span.clone()];
        let Some(at) = within.find(part) else {
            return Err(self.shape(span.start, "a key is broken over lines"));
        };
        let (before, after) = (&within[..at], &within[at + part.len()..]);
        let start = span.start + at;
        let range = if after.trim_start().starts_with(',') {
            let comma = after.find(',').unwrap_or(0) + 1;
            let blank = after[comma..].len() - after[comma..].trim_start().len();
            start..start + part.len() + comma + blank
        } else if let Some(comma) = before.rfind(',') {
            span.start + comma..start + part.len()
        } else {
            return Err(RulesTextError::NobodyLeft {
                line: self.line(start),
            });
        };
        self.edited(vec![(range, String::new())])
    }

    /// The collection without one of its items, or without the entry that has it as its value.
    pub(super) fn without_child(
        &self,
        parent: NodeId,
        child: NodeId,
    ) -> Result<Self, RulesTextError> {
        let children: Vec<(NodeId, NodeId)> = match &self.tree.nodes[parent].kind {
            Kind::List { items, .. } => items.iter().map(|item| (*item, *item)).collect(),
            Kind::Map { entries, .. } => entries.clone(),
            Kind::Scalar { .. } | Kind::Alias(_) => Vec::new(),
        };
        let position = children.iter().position(|(_, value)| *value == child);
        let Some(position) = position else {
            return Err(self.shape(self.tree.start(child), "it is no item of a list"));
        };
        let (start, end) = (
            self.tree.start(children[position].0),
            self.tree.end(&self.text, child),
        );
        if self.is_rule_list(parent) && children.len() == 1 || self.is_rule_value(child) {
            return Err(RulesTextError::NobodyLeft {
                line: self.line(start),
            });
        }
        let line = self.line_start(start);
        let rest_of_line = self.text[end..self.line_end(end)].trim();
        let before = self.text[line..start].trim();
        let flow = self.is_flow(parent);
        let alone_before = before.is_empty() || (!flow && before == "-");
        let alone_after = rest_of_line.is_empty()
            || rest_of_line.starts_with('#')
            || (flow && rest_of_line.trim_start_matches(',').trim().is_empty())
            || (flow
                && rest_of_line
                    .trim_start_matches(',')
                    .trim_start()
                    .starts_with('#'));
        if alone_before && alone_after {
            return self.edited(vec![(line..self.line_end(end), String::new())]);
        }
        if !flow {
            return Err(self.shape(start, "an item shares its line with something else"));
        }
        let range = if let Some((next, _)) = children.get(position + 1) {
            start..self.tree.start(*next)
        } else if position > 0 {
            self.tree.end(&self.text, children[position - 1].1)..end
        } else {
            start..end
        };
        self.edited(vec![(range, String::new())])
    }
}
