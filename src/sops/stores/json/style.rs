//! How a JSON text is laid out, and printing values in the same way.

use zeroize::Zeroizing;

use super::print::{print, print_text};
use crate::sops::document::tree::{NodeId, Shape, Tree};

/// The layout of a JSON text.
pub(in crate::sops) struct Style {
    /// What a level is indented by; nothing where all is on one line.
    unit: Option<String>,
    /// The indentation of the outermost brackets.
    base: String,
    line_break: &'static str,
    pub(in crate::sops) colon: &'static str,
}

impl Style {
    /// The usual one of sops: a tab for each level, or `indent` blanks.
    pub(in crate::sops) fn usual(indent: Option<usize>) -> Self {
        Self {
            unit: Some(indent.map_or_else(|| "\t".to_owned(), |indent| " ".repeat(indent))),
            base: String::new(),
            line_break: "\n",
            colon: ": ",
        }
    }

    /// That of `tree`, as its first entry shows it; the usual one for an empty object.
    pub(super) fn of(tree: &Tree, indent: Option<usize>) -> Self {
        let mut style = Self::usual(indent);
        style.line_break = tree.line_break();
        let Some(document) = tree.documents.first() else {
            return style;
        };
        let first = tree
            .collection(document.root)
            .and_then(|map| map.entries().next());
        let Some(first) = first else {
            return style;
        };
        let open = tree.node(document.root).span.start;
        let indentation = |offset: usize| {
            let line = &tree.text[tree.line_start(offset)..offset];
            line[..line.len() - line.trim_start_matches([' ', '\t']).len()].to_owned()
        };
        style.base = indentation(open);
        style.unit = tree.text[open..first.start].contains('\n').then(|| {
            let own = indentation(first.start);
            own.strip_prefix(&style.base).unwrap_or(&own).to_owned()
        });
        let after = first.key.as_ref().map_or(0, |key| key.span.end);
        let between = &tree.text[after..tree.node(first.value).span.start];
        if between.ends_with(':') {
            style.colon = ":";
        }
        style
    }

    /// A line break and the indentation of `depth`; nothing on one line.
    pub(super) fn break_at(&self, depth: usize) -> String {
        match &self.unit {
            Some(unit) => format!("{}{}{}", self.line_break, self.base, unit.repeat(depth)),
            None => String::new(),
        }
    }

    /// Between two entries at `depth`.
    pub(super) fn separator(&self, depth: usize) -> String {
        match &self.unit {
            Some(_) => format!(",{}", self.break_at(depth)),
            None if self.colon == ":" => ",".to_owned(),
            None => ", ".to_owned(),
        }
    }

    /// The value `id` of a tree of any store, standing at `depth`. Comments are left out: JSON has none.
    ///
    /// The error says what JSON cannot hold.
    pub(in crate::sops) fn print(
        &self,
        tree: &Tree,
        id: NodeId,
        depth: usize,
    ) -> Result<Zeroizing<String>, &'static str> {
        // Room for everything: a buffer that grows would leave copies of secrets behind.
        let mut out = Zeroizing::new(String::with_capacity(2 * tree.text.len()));
        self.write(tree, id, depth, &mut out)?;
        Ok(out)
    }

    fn write(
        &self,
        tree: &Tree,
        id: NodeId,
        depth: usize,
        out: &mut Zeroizing<String>,
    ) -> Result<(), &'static str> {
        let id = tree.target(id);
        let Some(collection) = tree.collection(id) else {
            match tree.value(id) {
                Some(Ok(value)) => out.push_str(&print(&value)?),
                Some(Err(reason)) => return Err(reason),
                None => out.push_str("null"),
            }
            return Ok(());
        };
        let (open, close) = match collection.shape {
            Shape::Map => ('{', '}'),
            Shape::List => ('[', ']'),
        };
        out.push(open);
        for (number, entry) in collection.entries().enumerate() {
            out.push_str(&if number == 0 {
                self.break_at(depth + 1)
            } else {
                self.separator(depth + 1)
            });
            if let Some(key) = &entry.key {
                out.push_str(&print_text(&key.text));
                out.push_str(self.colon);
            }
            self.write(tree, entry.value, depth + 1, out)?;
        }
        if collection.entries().next().is_some() {
            out.push_str(&self.break_at(depth));
        }
        out.push(close);
        Ok(())
    }
}
