//! Collections in brackets: merged entry by entry, with the separators of ours.

use zeroize::Zeroizing;

use super::digest::of_collection;
use super::marks::Side;
use super::weave::{Slot, Three, Version, Weave, Woven, name_of};
use crate::sops::document::tree::{Collection, Entry, NodeId, Shape, Style};

impl Weave<'_> {
    /// Whether both sides are maps, or lists, and at least one of them has something in brackets.
    pub(super) fn is_flow(&self, ids: Three<NodeId>) -> bool {
        let of = |version: &Version<'_>, id| {
            version.tree.collection(id).map(|it| {
                let filled = it.entries().next().is_some();
                (it.shape, it.style == Style::Flow, filled)
            })
        };
        match (of(&self.ours, ids.ours), of(&self.theirs, ids.theirs)) {
            (Some(ours), Some(theirs)) => {
                ours.0 == theirs.0 && ours.1 && theirs.1 && (ours.2 || theirs.2)
            }
            _ => false,
        }
    }

    /// Merges two collections in brackets; nothing if the items of a list cannot be told apart.
    pub(super) fn flow(&mut self, ids: Three<NodeId>) -> Option<Woven> {
        let (our_tree, their_tree) = (self.ours.tree, self.theirs.tree);
        let ours = our_tree.collection(ids.ours)?;
        let theirs = their_tree.collection(ids.theirs)?;
        let shape = ours.shape;
        let base = ids.base.filter(|id| {
            let base = self.base.as_ref().and_then(|it| it.tree.collection(*id));
            base.is_some_and(|it| it.shape == shape)
        });
        let slots = self.slots(Three { base, ..ids }, shape)?;
        let base_entries: Vec<&Entry> = base
            .and_then(|id| self.base.as_ref()?.tree.collection(id))
            .map_or_else(Vec::new, |it| it.entries().collect());
        let base_values: Vec<NodeId> = base_entries.iter().map(|entry| entry.value).collect();
        let mut children = Vec::new();
        let mut items: Vec<(Slot, Zeroizing<String>)> = Vec::new();
        for slot in slots {
            let base = slot.base.and_then(|at| base_values.get(at).copied());
            let our_entry = slot.ours.and_then(|at| ours.entries().nth(at));
            let their_entry = slot.theirs.and_then(|at| theirs.entries().nth(at));
            let Some(entry) = our_entry.or(their_entry) else {
                continue;
            };
            self.path.push(name_of(entry, slot.ours.or(slot.theirs)));
            let woven = match (our_entry, their_entry) {
                (Some(one), Some(other)) => Some(Some(self.flow_entry(base, one, other))),
                (Some(one), None) => Some(self.flow_one_sided(Side::Ours, base, one)),
                (None, Some(other)) => Some(self.flow_one_sided(Side::Theirs, base, other)),
                (None, None) => Some(None),
            };
            self.path.pop();
            if let Some(woven) = woven? {
                children.push((entry.key.as_ref().map(|key| key.text.clone()), woven.digest));
                items.push((slot, woven.text));
            }
        }
        Some(Woven {
            text: self.bracketed(ids, shape, &items),
            digest: of_collection(shape, children),
        })
    }

    fn flow_one_sided(&mut self, side: Side, base: Option<NodeId>, entry: &Entry) -> Option<Woven> {
        let digest = self.version(side).digest(entry.value);
        let stays = match base.zip(self.base.as_ref()) {
            None => true,
            Some((base, version)) if version.digest(base) == digest => false,
            Some(_) => {
                self.conflicts.push(self.path.clone());
                self.prefer == side
            }
        };
        stays.then(|| Woven {
            text: text_of(self.version(side), entry),
            digest,
        })
    }

    fn flow_entry(&mut self, base: Option<NodeId>, one: &Entry, other: &Entry) -> Woven {
        let ids = Three {
            base,
            ours: one.value,
            theirs: other.value,
        };
        let ours = self.ours.digest(one.value);
        let theirs = self.theirs.digest(other.value);
        let before = base.zip(self.base.as_ref()).map(|(id, it)| it.digest(id));
        if ours == theirs || before == Some(theirs) {
            return Woven {
                text: text_of(&self.ours, one),
                digest: ours,
            };
        }
        if before == Some(ours) {
            return Woven {
                text: text_of(&self.theirs, other),
                digest: theirs,
            };
        }
        if self.is_flow(ids) {
            let mark = self.conflicts.len();
            if let Some(value) = self.flow(ids) {
                let head =
                    &self.ours.tree.text[one.start..self.ours.tree.node(one.value).span.start];
                let text = Zeroizing::new(format!("{head}{}", value.text.as_str()));
                return Woven {
                    text,
                    digest: value.digest,
                };
            }
            self.conflicts.truncate(mark);
        }
        self.conflicts.push(self.path.clone());
        match self.prefer {
            Side::Ours => Woven {
                text: text_of(&self.ours, one),
                digest: ours,
            },
            Side::Theirs => Woven {
                text: text_of(&self.theirs, other),
                digest: theirs,
            },
        }
    }

    /// The items between brackets. What stands between two items of ours that stay neighbours stays too.
    fn bracketed(
        &self,
        ids: Three<NodeId>,
        shape: Shape,
        items: &[(Slot, Zeroizing<String>)],
    ) -> Zeroizing<String> {
        let brackets = match shape {
            Shape::Map => "{}",
            Shape::List => "[]",
        };
        let layout =
            Brackets::of(&self.ours, ids.ours).or_else(|| Brackets::of(&self.theirs, ids.theirs));
        let Some(layout) = layout.filter(|_| !items.is_empty()) else {
            return Zeroizing::new(brackets.to_owned());
        };
        let ours = Brackets::of(&self.ours, ids.ours);
        let mut text = Zeroizing::new(String::new());
        text.push_str(layout.open);
        let mut before: Option<usize> = None;
        for (number, (slot, item)) in items.iter().enumerate() {
            if number > 0 {
                let own = ours.as_ref().zip(before).zip(slot.ours);
                let own = own.filter(|((_, before), at)| before + 1 == *at);
                let own = own.and_then(|((ours, before), _)| ours.between.get(before).copied());
                text.push_str(own.unwrap_or(&layout.usual));
            }
            text.push_str(item);
            before = slot.ours;
        }
        text.push_str(layout.close);
        text
    }
}

/// What is not an item: brackets with the blanks inside them, and separators.
struct Brackets<'a> {
    open: &'a str,
    close: &'a str,
    between: Vec<&'a str>,
    usual: String,
}

impl<'a> Brackets<'a> {
    fn of(version: &Version<'a>, id: NodeId) -> Option<Self> {
        let tree = version.tree;
        let collection: &Collection = tree.collection(id)?;
        let span = &tree.node(id).span;
        let places: Vec<std::ops::Range<usize>> = collection
            .entries()
            .map(|entry| entry.start..end_of(version, entry))
            .collect();
        let (first, last) = (places.first()?, places.last()?);
        let open = tree.text.get(span.start..first.start)?;
        let between: Vec<&str> = places
            .windows(2)
            .filter_map(|pair| tree.text.get(pair[0].end..pair[1].start))
            .collect();
        let usual = match between.first() {
            Some(text) if !text.contains('#') => (*text).to_owned(),
            _ if open.contains('\n') => format!(",{}", &open[1..]),
            _ => ", ".to_owned(),
        };
        Some(Self {
            open,
            close: tree.text.get(last.end..span.end)?,
            between,
            usual,
        })
    }
}

fn end_of(version: &Version<'_>, entry: &Entry) -> usize {
    let node = version.tree.node(entry.value);
    node.span.end.max(node.entry.after).max(entry.start)
}

fn text_of(version: &Version<'_>, entry: &Entry) -> Zeroizing<String> {
    let text = &version.tree.text[entry.start..end_of(version, entry)];
    Zeroizing::new(text.to_owned())
}
