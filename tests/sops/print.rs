//! Writes a model as the text of its store.

use std::collections::HashSet;
use std::fmt::Write as _;

use steadfast::sops::Format;

use crate::model::{Entry, Model, Node, Value, Written};
use crate::scalars::{double_quoted, yaml_key};

impl Model {
    /// The plain text.
    pub(super) fn text(&self) -> Vec<u8> {
        let first = self
            .documents
            .first()
            .map(Vec::as_slice)
            .unwrap_or_default();
        match self.store {
            Format::Binary => self.bytes.clone(),
            Format::Json => json(first, self.layout.step).into_bytes(),
            Format::Dotenv => dotenv(first).into_bytes(),
            Format::Ini => ini(first).into_bytes(),
            Format::Yaml => self.yaml().into_bytes(),
        }
    }

    fn yaml(&self) -> String {
        let mut text = String::new();
        for (position, entries) in self.documents.iter().enumerate() {
            if position > 0 {
                text.push_str("---\n");
            }
            let mut printer = Yaml {
                text: &mut text,
                model: self,
                anchors: HashSet::new(),
            };
            if entries.is_empty() {
                printer.text.push_str("{}\n");
            }
            printer.map(entries, 0);
        }
        text
    }
}

struct Yaml<'a> {
    text: &'a mut String,
    model: &'a Model,
    /// Those of this document so far: an alias to another is written out.
    anchors: HashSet<String>,
}

impl Yaml<'_> {
    fn map(&mut self, entries: &[Entry], column: usize) {
        for entry in entries {
            self.before(entry, column);
            let _ = write!(self.text, "{:column$}{}:", "", yaml_key(&entry.key));
            self.value(entry, column);
        }
    }

    fn list(&mut self, items: &[Entry], column: usize) {
        for item in items {
            self.before(item, column);
            let _ = write!(self.text, "{:column$}-", "");
            self.value(item, column);
        }
    }

    fn before(&mut self, entry: &Entry, column: usize) {
        // After a block that keeps its line ends, a blank line is one of them.
        if entry.blank && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
        for comment in &entry.comments {
            let _ = writeln!(self.text, "{:column$}#{comment}", "");
        }
    }

    /// What stands behind the colon or dash of an entry at `column`.
    fn value(&mut self, entry: &Entry, column: usize) {
        match self.known(&entry.node) {
            Node::Map(entries) if !entries.is_empty() => {
                self.text.push('\n');
                self.map(entries, column + self.model.layout.step);
            }
            Node::List(items) if !items.is_empty() => {
                self.text.push('\n');
                let deep = self.model.layout.deep_lists || entry.key.is_empty();
                let step = if deep { self.model.layout.step } else { 0 };
                self.list(items, column + step);
            }
            node => {
                let mut line = String::new();
                self.one(node, &mut line, column);
                if !line.is_empty() {
                    let _ = write!(self.text, " {line}");
                }
                if let Some(comment) = &entry.inline {
                    let _ = write!(self.text, " #{comment}");
                }
                self.text.push('\n');
            }
        }
    }

    /// A node that can be written here: an alias to nothing is what it stands for.
    fn known<'n>(&self, node: &'n Node) -> &'n Node {
        match node {
            Node::Alias(name, node) if !self.anchors.contains(name) => self.known(node),
            Node::Anchor(name, node) if self.anchors.contains(name) => self.known(node),
            node => node,
        }
    }

    /// Everything that begins on the line of its key.
    fn one(&mut self, node: &Node, line: &mut String, column: usize) {
        match self.known(node) {
            Node::Alias(name, _) => {
                let _ = write!(line, "*{name}");
            }
            Node::Anchor(name, node) => {
                self.anchors.insert(name.clone());
                let _ = write!(line, "&{name} ");
                self.one(node, line, column);
            }
            Node::Scalar(scalar) => match (&scalar.written, &scalar.value) {
                (Written::Literal, Value::Text(text)) => {
                    line.push_str(&literal(text, column + self.model.layout.step));
                }
                (Written::Line(written), _) => line.push_str(written),
                (Written::Literal, _) => unreachable!("only text is written so"),
            },
            node => flow(node, line),
        }
    }
}

/// A literal block without the line end that follows it.
fn literal(text: &str, column: usize) -> String {
    let stripped = text.trim_end_matches('\n');
    let sign = match text.len() - stripped.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    };
    let mut out = sign.to_owned();
    let content = text.strip_suffix('\n').unwrap_or(text);
    for line in content.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            let _ = write!(out, "{:column$}{line}", "");
        }
    }
    out
}

/// A node on one line. Anchors and aliases inside are written out.
fn flow(node: &Node, line: &mut String) {
    match node.bare() {
        Node::Map(entries) => {
            line.push('{');
            for (position, entry) in entries.iter().enumerate() {
                let comma = if position == 0 { "" } else { ", " };
                let _ = write!(line, "{comma}{}: ", double_quoted(&entry.key));
                flow(&entry.node, line);
            }
            line.push('}');
        }
        Node::List(items) => {
            line.push('[');
            for (position, item) in items.iter().enumerate() {
                line.push_str(if position == 0 { "" } else { ", " });
                flow(&item.node, line);
            }
            line.push(']');
        }
        Node::Scalar(scalar) => match (&scalar.value, &scalar.written) {
            (Value::Text(text), _) => line.push_str(&double_quoted(text)),
            (Value::Null, _) => line.push_str("null"),
            (_, Written::Line(written)) => line.push_str(written),
            (_, Written::Literal) => unreachable!("only text is written so"),
        },
        Node::Flow(_) | Node::Alias(..) | Node::Anchor(..) => unreachable!("bare"),
    }
}

fn json(entries: &[Entry], step: usize) -> String {
    let mut text = String::new();
    json_node(&Node::Map(entries.to_vec()), step, 0, &mut text);
    text.push('\n');
    text
}

fn json_node(node: &Node, step: usize, column: usize, text: &mut String) {
    let inner = column + step;
    let (entries, open, close) = match node.bare() {
        Node::Map(entries) => (entries, '{', '}'),
        Node::List(items) => (items, '[', ']'),
        Node::Scalar(scalar) => {
            match (&scalar.value, &scalar.written) {
                (Value::Text(value), _) => text.push_str(&double_quoted(value)),
                (_, Written::Line(written)) => text.push_str(written),
                (_, Written::Literal) => unreachable!("only text is written so"),
            }
            return;
        }
        Node::Flow(_) | Node::Alias(..) | Node::Anchor(..) => unreachable!("bare"),
    };
    text.push(open);
    for (position, entry) in entries.iter().enumerate() {
        text.push_str(if position == 0 { "\n" } else { ",\n" });
        let _ = write!(text, "{:inner$}", "");
        if open == '{' {
            let _ = write!(text, "{}: ", double_quoted(&entry.key));
        }
        json_node(&entry.node, step, inner, text);
    }
    if !entries.is_empty() {
        let _ = write!(text, "\n{:column$}", "");
    }
    text.push(close);
}

fn dotenv(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        flat_before(entry, '#', &mut text);
        let value = text_of(&entry.node).replace('\n', "\\n");
        let _ = writeln!(text, "{}={value}", entry.key);
    }
    text
}

fn ini(sections: &[Entry]) -> String {
    let mut text = String::new();
    for section in sections {
        let Node::Map(entries) = &section.node else {
            unreachable!("a section is a map");
        };
        if section.key != "DEFAULT" {
            flat_before(section, ';', &mut text);
            let _ = writeln!(text, "[{}]", section.key);
        }
        for entry in entries {
            flat_before(entry, ';', &mut text);
            let value = text_of(&entry.node);
            let value = if value.contains('\n') {
                format!("\"\"\"{value}\"\"\"")
            } else if value.contains(['#', ';']) {
                format!("`{value}`")
            } else {
                value.to_owned()
            };
            let _ = writeln!(text, "{} = {value}", entry.key);
        }
    }
    text
}

fn flat_before(entry: &Entry, sign: char, text: &mut String) {
    if entry.blank {
        text.push('\n');
    }
    for comment in &entry.comments {
        let _ = writeln!(text, "{sign}{comment}");
    }
}

fn text_of(node: &Node) -> &str {
    match node.bare() {
        Node::Scalar(scalar) => match &scalar.value {
            Value::Text(text) => text,
            _ => unreachable!("this store holds text only"),
        },
        _ => unreachable!("this store has no nesting"),
    }
}
