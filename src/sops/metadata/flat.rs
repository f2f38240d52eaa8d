//! Flattened metadata, as dotenv and INI files hold it: one line for each value, its path in the name.

use std::collections::HashMap;

use super::layout::{FlatLine, MetadataLayout};
use super::text::MetadataText;
use crate::sops::document::tree::{NodeId, Tree};
use crate::sops::error::ParseError;
use crate::sops::stores::yaml::print::{Place, print_text};
use crate::sops::value::Value;
use crate::sops::walk::METADATA_KEY;

const MAP: &str = "__map_";
const LIST: &str = "__list_";
/// 255 key groups of a few keys; more is no file of anybody.
const MOST_LINES: usize = 10_000;
const DEEPEST: usize = 16;

/// One step of a flattened name.
enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

#[derive(Default)]
enum Flat {
    #[default]
    Nothing,
    Value(String),
    Map(Vec<(String, Flat)>),
    List(Vec<(usize, Flat)>),
}

impl MetadataText {
    /// From flattened names without prefix, and their values.
    pub(in crate::sops) fn unflattened<'a>(
        lines: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ParseError> {
        let mut root = Flat::Nothing;
        for (number, (name, value)) in lines.into_iter().enumerate() {
            if number >= MOST_LINES {
                return Err(damaged("it has too many lines"));
            }
            let conflict = || damaged(&format!("`{name}` does not fit the other lines"));
            let steps = steps(name).ok_or_else(conflict)?;
            root.insert(&steps, value).ok_or_else(conflict)?;
        }
        // Single values last: the text has no line break at its end, which the last line of an armor needs.
        if let Flat::Map(fields) = &mut root {
            fields.sort_by_key(|(_, field)| matches!(field, Flat::Value(_)));
        }
        let mut text = format!("{METADATA_KEY}:");
        root.write(4, &mut text)
            .ok_or_else(|| damaged("the items of a list are not numbered from 0"))?;
        Ok(Self::from_yaml(text))
    }

    /// Flattened names without prefix, and their values, in the order of the text.
    pub(in crate::sops) fn flattened(&self) -> Result<Vec<(String, String)>, ParseError> {
        let tree = self.tree()?;
        let mut lines = Vec::new();
        if let Some(node) = tree.find(&[METADATA_KEY.to_owned()]) {
            flatten(&tree, node, &mut String::new(), &mut lines);
        }
        Ok(lines)
    }

    /// The lines of flat metadata: those of the same value stay as they are, all in the order found.
    ///
    /// `before` is what stands before the value of a new line, `print` how a value is written.
    pub(in crate::sops) fn lines(
        &self,
        layout: &MetadataLayout,
        before: impl Fn(&str) -> String,
        print: impl Fn(&str) -> String,
    ) -> Vec<String> {
        let mut wanted = self.flattened().unwrap_or_default();
        let places: HashMap<&str, usize> = (layout.lines.iter().enumerate())
            .map(|(at, line)| (line.name.as_str(), at))
            .collect();
        let place = |name: &str| places.get(name).copied();
        if layout.lines.is_sorted_by(|a, b| a.name <= b.name) {
            wanted.sort();
        } else {
            wanted.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
        }
        let lines =
            wanted.iter().map(
                |(name, value)| match place(name).map(|at| &layout.lines[at]) {
                    Some(FlatLine {
                        before,
                        raw,
                        value: old,
                        ..
                    }) if old == value => format!("{before}{raw}"),
                    Some(line) => format!("{}{}", line.before, print(value)),
                    None => format!("{}{}", before(name), print(value)),
                },
            );
        lines.collect()
    }
}

/// `age__list_0__map_enc` as `age`, 0, `enc`.
fn steps(name: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    let mut rest = name;
    let mut in_list = false;
    loop {
        let end = match (rest.find(MAP), rest.find(LIST)) {
            (Some(map), Some(list)) => map.min(list),
            (map, list) => map.or(list).unwrap_or(rest.len()),
        };
        let (step, after) = rest.split_at(end);
        steps.push(if in_list {
            Step::Item(step.parse().ok()?)
        } else {
            Step::Key(step)
        });
        if after.is_empty() {
            return (steps.len() <= DEEPEST).then_some(steps);
        }
        in_list = after.starts_with(LIST);
        rest = &after[if in_list { LIST.len() } else { MAP.len() }..];
    }
}

impl Flat {
    /// Nothing on a conflict with what is there.
    fn insert(&mut self, steps: &[Step<'_>], value: &str) -> Option<()> {
        let Some((first, rest)) = steps.split_first() else {
            if !matches!(self, Self::Nothing) {
                return None;
            }
            *self = Self::Value(value.to_owned());
            return Some(());
        };
        if matches!(self, Self::Nothing) {
            *self = match first {
                Step::Key(_) => Self::Map(Vec::new()),
                Step::Item(_) => Self::List(Vec::new()),
            };
        }
        let below = match (self, first) {
            (Self::Map(map), Step::Key(key)) => {
                let at = map.iter().position(|(there, _)| there == key);
                let at = at.unwrap_or_else(|| {
                    map.push(((*key).to_owned(), Self::Nothing));
                    map.len() - 1
                });
                &mut map[at].1
            }
            (Self::List(list), Step::Item(item)) => {
                let at = list.iter().position(|(there, _)| there == item);
                let at = at.unwrap_or_else(|| {
                    list.push((*item, Self::Nothing));
                    list.len() - 1
                });
                &mut list[at].1
            }
            _ => return None,
        };
        below.insert(rest, value)
    }

    /// As YAML behind a key or dash. Nothing if the items of a list are not 0 to n-1.
    fn write(&self, indent: usize, out: &mut String) -> Option<()> {
        match self {
            Self::Nothing => out.push_str(" {}"),
            Self::Value(value) => {
                out.push(' ');
                out.push_str(&print_text(value, Place::OneLine));
            }
            Self::Map(map) => {
                for (key, value) in map {
                    out.push('\n');
                    out.push_str(&" ".repeat(indent));
                    out.push_str(&print_text(key, Place::OneLine));
                    out.push(':');
                    value.write(indent + 4, out)?;
                }
            }
            Self::List(list) => {
                let mut items: Vec<&(usize, Self)> = list.iter().collect();
                items.sort_by_key(|(number, _)| *number);
                for (expected, (number, item)) in items.into_iter().enumerate() {
                    if *number != expected {
                        return None;
                    }
                    out.push('\n');
                    out.push_str(&" ".repeat(indent));
                    out.push('-');
                    item.write(indent + 4, out)?;
                }
            }
        }
        Some(())
    }
}

fn flatten(tree: &Tree, id: NodeId, name: &mut String, lines: &mut Vec<(String, String)>) {
    let id = tree.target(id);
    let Some(collection) = tree.collection(id) else {
        let is_null = matches!(tree.value(id), Some(Ok(Value::Null)));
        if let Some(scalar) = tree.scalar(id).filter(|_| !is_null) {
            lines.push((name.clone(), scalar.text.to_string()));
        }
        return;
    };
    for (number, entry) in collection.entries().enumerate() {
        let length = name.len();
        if let Some(key) = &entry.key {
            if !name.is_empty() {
                name.push_str(MAP);
            }
            name.push_str(&key.text);
        } else {
            name.push_str(LIST);
            name.push_str(&number.to_string());
        }
        flatten(tree, entry.value, name, lines);
        name.truncate(length);
    }
}

fn damaged(reason: &str) -> ParseError {
    ParseError::Metadata {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flattened_names_and_nested_metadata_are_the_same() {
        let lines = [
            ("age__list_1__map_enc", "b\n"),
            ("age__list_0__map_enc", "-----\na\n"),
            ("age__list_0__map_recipient", "age1x"),
            ("age__list_1__map_recipient", "age1y"),
            ("kms__list_0__map_context__map_a b", "c"),
            ("shamir_threshold", "2"),
        ];
        let text = MetadataText::unflattened(lines).unwrap();
        let mut again = text.flattened().unwrap();
        again.sort();
        let mut expected = lines.map(|(name, value)| (name.to_owned(), value.to_owned()));
        expected.sort();
        assert_eq!(again, expected);
    }

    #[test]
    fn names_that_contradict_each_other_are_refused() {
        for lines in [
            [("a", "1"), ("a__map_b", "2")],
            [("a__map_b", "1"), ("a__list_0", "2")],
            [("a__list_0", "1"), ("a__list_2", "2")],
            [("a", "1"), ("a", "2")],
            [("a__list_x", "1"), ("b", "2")],
        ] {
            assert!(MetadataText::unflattened(lines).is_err(), "{lines:?}");
        }
    }
}
