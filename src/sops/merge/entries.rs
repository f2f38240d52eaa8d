//! Merging an entry that both sides have: by its text, by its children, by its value.

use zeroize::Zeroizing;

use super::layout::{Lines, PlacedEntry, dedent, indent};
use super::marks::Side;
use super::weave::{Body, Three, Weave, Woven};
use crate::sops::document::tree::{NodeId, Shape, Style, Tree};
use crate::sops::stores::Store;

impl<'a> Weave<'a> {
    /// An entry that both sides have.
    pub(super) fn entry(
        &mut self,
        three: Three<&PlacedEntry<'a>>,
        columns: Three<usize>,
    ) -> Option<Woven> {
        let ours = self.core(Side::Ours, three.ours, columns.ours);
        let theirs = self.core(Side::Theirs, three.theirs, columns.theirs);
        let base = three
            .base
            .zip(self.base.as_ref())
            .map(|(placed, version)| core(version.tree, placed, columns.base.unwrap_or_default()));
        let values = three.values();
        let our_digest = self.ours.digest(values.ours);
        let their_digest = self.theirs.digest(values.theirs);
        let take_ours = |text| {
            Some(Woven {
                text,
                digest: our_digest,
            })
        };
        let take_theirs = |text| {
            Some(Woven {
                text,
                digest: their_digest,
            })
        };
        if base.as_ref() == Some(&theirs) || ours == theirs {
            return take_ours(ours);
        }
        if base.as_ref() == Some(&ours) {
            return take_theirs(theirs);
        }
        if let Some(woven) = self.nested(three) {
            return Some(woven);
        }
        let base_digest = values
            .base
            .zip(self.base.as_ref())
            .map(|(id, it)| it.digest(id));
        if our_digest == their_digest || base_digest == Some(their_digest) {
            return take_ours(ours);
        }
        if base_digest == Some(our_digest) {
            return take_theirs(theirs);
        }
        if self.is_flow(values) {
            let mark = self.conflicts.len();
            if let Some(value) = self.flow(values) {
                return Some(self.in_place_of(three.ours, &value));
            }
            self.conflicts.truncate(mark);
        }
        self.conflicts.push(self.path.clone());
        match self.prefer {
            Side::Ours => take_ours(ours),
            Side::Theirs => take_theirs(theirs),
        }
    }

    /// Two maps, or two lists, in block style: merged child by child. Nothing if they are something else.
    fn nested(&mut self, three: Three<&PlacedEntry<'a>>) -> Option<Woven> {
        let values = three.values();
        let trees = (self.ours.tree, self.theirs.tree);
        let (Some(ours), Some(theirs)) = (
            trees.0.collection(values.ours),
            trees.1.collection(values.theirs),
        ) else {
            return None;
        };
        let is_open = |style: Style, filled: bool| style == Style::Block || !filled;
        let filled = (
            ours.entries().next().is_some(),
            theirs.entries().next().is_some(),
        );
        if ours.shape != theirs.shape
            || !is_open(ours.style, filled.0)
            || !is_open(theirs.style, filled.1)
            || !(filled.0 || filled.1)
        {
            return None;
        }
        let base = values.base.filter(|id| {
            self.base
                .as_ref()
                .and_then(|it| it.tree.collection(*id))
                .is_some_and(|it| {
                    it.shape == ours.shape && is_open(it.style, it.entries().next().is_some())
                })
        });
        let ids = Three { base, ..values };
        let mark = self.conflicts.len();
        let Some(body) = self.body(ids) else {
            // A list whose items cannot be told apart.
            self.conflicts.truncate(mark);
            return None;
        };
        let (side, placed) = if filled.0 {
            (Side::Ours, three.ours)
        } else {
            (Side::Theirs, three.theirs)
        };
        let text = if body.has_entries {
            self.below_its_key(side, placed, &body)
        } else {
            Some(self.emptied(side, placed, (&body, ours.shape)))
        };
        let Some(text) = text else {
            self.conflicts.truncate(mark);
            return None;
        };
        Some(Woven {
            text,
            digest: body.digest,
        })
    }

    /// A key or dash, and what is below it.
    fn below_its_key(
        &self,
        side: Side,
        placed: &PlacedEntry<'_>,
        body: &Body,
    ) -> Option<Zeroizing<String>> {
        let tree = self.version(side).tree;
        let entry = placed.entry;
        let lines = Lines::of(tree, entry.value)?;
        let header = dedent(&tree.text[entry.start..lines.whole.start], entry.column);
        let deeper = lines.column.saturating_sub(entry.column);
        let mut text = Zeroizing::new(String::with_capacity(
            header.len() + 2 * body.text.len() + 64,
        ));
        if !lines.begins_inside_line {
            text.push_str(&header);
            indent(&body.text, deeper, &mut text);
            return Some(text);
        }
        let mut inner = Zeroizing::new(String::with_capacity(2 * body.text.len() + 64));
        indent(&body.text, deeper, &mut inner);
        if body.begins_with_entry {
            text.push_str(&header);
            text.push_str(inner.trim_start_matches([' ', '\n', '\r']));
        } else {
            text.push_str(header.trim_end());
            text.push('\n');
            text.push_str(&inner);
        }
        Some(text)
    }

    /// A key or dash below which nothing is left.
    fn emptied(
        &self,
        side: Side,
        placed: &PlacedEntry<'_>,
        (body, shape): (&Body, Shape),
    ) -> Zeroizing<String> {
        let tree = self.version(side).tree;
        let entry = placed.entry;
        let empty = match shape {
            Shape::Map => "{}",
            Shape::List => "[]",
        };
        let text = match &entry.key {
            // The header alone; keys before any header have none.
            Some(key) if tree.store == Store::Ini && key.span.is_empty() => String::new(),
            Some(key) if tree.store == Store::Ini => {
                tree.text[entry.start..tree.next_line(key.span.end)].to_owned()
            }
            Some(key) => format!("{}: {empty}\n", &tree.text[key.span.clone()]),
            None => format!("- {empty}\n"),
        };
        Zeroizing::new(text + &body.text)
    }

    /// The entry of ours with `value` in the place of its value.
    fn in_place_of(&self, placed: &PlacedEntry<'_>, value: &Woven) -> Woven {
        let tree = self.ours.tree;
        let span = tree.node(placed.entry.value).span.clone();
        let text = format!(
            "{}{}{}",
            &tree.text[placed.core.start..span.start],
            value.text.as_str(),
            &tree.text[span.end..placed.core.end]
        );
        let text = Zeroizing::new(text);
        Woven {
            text: ended(dedent(&text, placed.entry.column)),
            digest: value.digest,
        }
    }
}

impl Three<&PlacedEntry<'_>> {
    pub(super) fn values(&self) -> Three<NodeId> {
        Three {
            base: self.base.map(|it| it.entry.value),
            ours: self.ours.entry.value,
            theirs: self.theirs.entry.value,
        }
    }
}

/// The lines of an entry at the left edge.
pub(super) fn core(tree: &Tree, placed: &PlacedEntry<'_>, column: usize) -> Zeroizing<String> {
    ended(dedent(&tree.text[placed.core.clone()], column))
}

/// The last line of a text may lack its line break.
pub(super) fn ended(mut text: Zeroizing<String>) -> Zeroizing<String> {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
