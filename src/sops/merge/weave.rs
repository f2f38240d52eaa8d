//! The merge itself: goes down the three trees together, and writes the text of the result as it goes.

use std::ops::Range;

use zeroize::Zeroizing;

use super::comments::loose_part;
use super::digest::{Digest, Digests, of_collection};
use super::entries::core;
use super::layout::{Lines, PlacedEntry, dedent, indent, is_blank};
use super::lists;
use super::marks::Side;
use crate::sops::document::tree::{Entry, NodeId, Shape, Tree};
use crate::sops::stores::Store;

/// One of the versions.
pub(super) struct Version<'a> {
    pub(super) tree: &'a Tree,
    digests: Digests,
}

impl<'a> Version<'a> {
    pub(super) fn of(tree: &'a Tree) -> Self {
        Self {
            tree,
            digests: Digests::of(tree),
        }
    }

    pub(super) fn digest(&self, id: NodeId) -> Digest {
        self.digests.get(self.tree, id)
    }
}

/// A thing in all versions that have it.
#[derive(Clone, Copy)]
pub(super) struct Three<T> {
    pub(super) base: Option<T>,
    pub(super) ours: T,
    pub(super) theirs: T,
}

/// Which entry of each version stands in one place of the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) base: Option<usize>,
    pub(super) ours: Option<usize>,
    pub(super) theirs: Option<usize>,
}

/// Text and what it holds.
pub(super) struct Woven {
    pub(super) text: Zeroizing<String>,
    pub(super) digest: Digest,
}

/// A merge under way. May hold secrets: no `Debug`.
pub(super) struct Weave<'a> {
    pub(super) base: Option<Version<'a>>,
    pub(super) ours: Version<'a>,
    pub(super) theirs: Version<'a>,
    /// Whose value a conflict gets.
    pub(super) prefer: Side,
    pub(super) path: Vec<String>,
    pub(super) conflicts: Vec<Vec<String>>,
}

/// The children of a collection, woven: lines at the left edge.
pub(super) struct Body {
    pub(super) text: Zeroizing<String>,
    pub(super) digest: Digest,
    pub(super) has_entries: bool,
    pub(super) begins_with_entry: bool,
}

/// An entry of the result.
struct Piece {
    lead: Zeroizing<String>,
    woven: Woven,
    key: Option<String>,
}

/// The same collection in all versions, cut into lines; nothing where it is empty.
pub(super) type Cut<'a> = Three<Option<Lines<'a>>>;

impl<'a> Weave<'a> {
    /// The whole text of one document after another.
    pub(super) fn documents(&mut self) -> Option<(Zeroizing<String>, Vec<Digest>)> {
        let ours = self.ours.tree;
        let mut out = Zeroizing::new(String::with_capacity(
            ours.text.len() + self.theirs.tree.text.len(),
        ));
        let mut digests = Vec::new();
        let mut done = 0;
        for number in 0..ours.documents.len() {
            let base = self
                .base
                .as_ref()
                .and_then(|it| it.tree.documents.get(number));
            let roots = Three {
                base: base.map(|it| it.root),
                ours: ours.documents[number].root,
                theirs: self.theirs.tree.documents.get(number)?.root,
            };
            let (span, woven) = self.root(roots, ours.documents[number].end)?;
            out.push_str(ours.text.get(done..span.start)?);
            out.push_str(&woven.text);
            done = span.end;
            digests.push(woven.digest);
        }
        out.push_str(ours.text.get(done..)?);
        Some((out, digests))
    }

    /// What a document's root becomes, and the place in our text that it takes.
    fn root(&mut self, roots: Three<NodeId>, end: usize) -> Option<(Range<usize>, Woven)> {
        let ours = self.ours.tree;
        let node = ours.node(roots.ours);
        if self.is_flow(roots) {
            return Some((node.span.clone(), self.flow(roots)?));
        }
        let body = self.body(roots)?;
        let digest = body.digest;
        let Some(lines) = Lines::of(ours, roots.ours) else {
            return Some(self.filled_root((roots.ours, end), &body));
        };
        let mut text = Zeroizing::new(String::new());
        if !body.has_entries {
            text.push_str(&body.text);
            if ours.store == Store::Yaml {
                text.push_str("{}\n");
            }
        } else if lines.begins_inside_line {
            // After `---` on the same line.
            if !body.begins_with_entry {
                text.push('\n');
            }
            text.push_str(&body.text);
        } else {
            indent(&body.text, lines.column, &mut text);
        }
        Some((lines.whole, Woven { text, digest }))
    }

    /// A document of ours that has no entry, with those of theirs.
    fn filled_root(&self, (root, end): (NodeId, usize), body: &Body) -> (Range<usize>, Woven) {
        let ours = self.ours.tree;
        let span = ours.node(root).span.clone();
        let digest = body.digest;
        // `{}` gives way; in a text of lines there may be comments.
        let brackets = ours.store == Store::Yaml && !span.is_empty();
        let place = if brackets { span } else { end..end };
        let mut text = Zeroizing::new(String::with_capacity(body.text.len() + 1));
        if !body.has_entries {
            text.push_str(&ours.text[place.clone()]);
            return (place, Woven { text, digest });
        }
        let before = &ours.text[..place.start];
        if !before.is_empty() && !before.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(if brackets {
            body.text.trim_end_matches('\n')
        } else {
            &body.text
        });
        (place, Woven { text, digest })
    }

    /// Merges the children of three block collections.
    pub(super) fn body(&mut self, ids: Three<NodeId>) -> Option<Body> {
        let (ours, theirs) = (self.ours.tree, self.theirs.tree);
        let base = self.base.as_ref().map(|it| it.tree);
        let shape = ours.collection(ids.ours)?.shape;
        let cut = Three {
            base: ids.base.zip(base).map(|(id, tree)| Lines::of(tree, id)),
            ours: Lines::of(ours, ids.ours),
            theirs: Lines::of(theirs, ids.theirs),
        };
        let slots = self.slots(ids, shape)?;
        let mut pieces: Vec<Piece> = Vec::new();
        // What stood above an entry that is gone, and is not about it.
        let mut loose = String::new();
        for slot in slots {
            match self.slot(&cut, slot)? {
                Ok(mut piece) => {
                    if !loose.is_empty() {
                        piece.lead = Zeroizing::new(format!("{loose}{}", piece.lead.as_str()));
                        loose.clear();
                    }
                    pieces.push(piece);
                }
                Err(left) => loose.push_str(&left),
            }
        }
        let tail = self.tails(&cut);
        let digest = of_collection(
            shape,
            pieces
                .iter()
                .map(|it| (it.key.clone(), it.woven.digest))
                .collect(),
        );
        let mut text = Zeroizing::new(String::new());
        for piece in &pieces {
            text.push_str(&piece.lead);
            text.push_str(&piece.woven.text);
        }
        text.push_str(&loose);
        text.push_str(&tail);
        Some(Body {
            text,
            digest,
            has_entries: !pieces.is_empty(),
            begins_with_entry: pieces.first().is_some_and(|piece| is_blank(&piece.lead)),
        })
    }

    /// The slots of a map or list; nothing if the items of a list cannot be told apart.
    pub(super) fn slots(&self, ids: Three<NodeId>, shape: Shape) -> Option<Vec<Slot>> {
        match shape {
            Shape::Map => {
                let keys = |tree: &Tree, id| lists::keys_of(tree, id);
                let base = self.base.as_ref().zip(ids.base);
                Some(lists::align_maps(&Three {
                    base: Some(base.map_or_else(Vec::new, |(it, id)| keys(it.tree, id))),
                    ours: keys(self.ours.tree, ids.ours),
                    theirs: keys(self.theirs.tree, ids.theirs),
                }))
            }
            Shape::List => {
                let items = |version: &Version<'_>, id| lists::items_of(version, id);
                let base = self.base.as_ref().zip(ids.base);
                lists::align_lists(&Three {
                    base: base.map(|(it, id)| items(it, id)),
                    ours: items(&self.ours, ids.ours),
                    theirs: items(&self.theirs, ids.theirs),
                })
            }
        }
    }

    /// One place of the result: its piece or, if there is to be nothing, the comments that stay.
    fn slot(&mut self, cut: &Cut<'a>, slot: Slot) -> Option<Result<Piece, String>> {
        fn at<'c, 'd>(
            lines: Option<&'c Lines<'d>>,
            index: Option<usize>,
        ) -> Option<&'c PlacedEntry<'d>> {
            lines?.entries.get(index?)
        }
        let base = at(cut.base.as_ref().and_then(Option::as_ref), slot.base);
        let (ours_lines, theirs_lines) = (cut.ours.as_ref(), cut.theirs.as_ref());
        let ours = at(ours_lines, slot.ours);
        let theirs = at(theirs_lines, slot.theirs);
        let column = |lines: Option<&Lines<'_>>| lines.map_or(0, |lines| lines.column);
        let (our_column, their_column) = (column(ours_lines), column(theirs_lines));
        let base_column = column(cut.base.as_ref().and_then(Option::as_ref));
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => {
                let three = Three { base, ours, theirs };
                self.path.push(name_of(ours.entry, slot.ours));
                let columns = Three {
                    base: Some(base_column),
                    ours: our_column,
                    theirs: their_column,
                };
                let woven = self.entry(three, columns);
                self.path.pop();
                Some(Ok(Piece {
                    lead: self.leads(three, columns),
                    woven: woven?,
                    key: key_of(ours.entry),
                }))
            }
            (Some(ours), None) => Some(self.one_sided(
                Side::Ours,
                (ours, our_column),
                base.map(|it| it.entry),
                slot,
            )),
            (None, Some(theirs)) => Some(self.one_sided(
                Side::Theirs,
                (theirs, their_column),
                base.map(|it| it.entry),
                slot,
            )),
            (None, None) => Some(Err(String::new())),
        }
    }

    /// An entry that one side does not have: an addition of `side`, or a removal by the other.
    fn one_sided(
        &mut self,
        side: Side,
        (placed, column): (&PlacedEntry<'_>, usize),
        base: Option<&Entry>,
        slot: Slot,
    ) -> Result<Piece, String> {
        let version = self.version(side);
        let digest = version.digest(placed.entry.value);
        let lead = dedent(&version.tree.text[placed.lead.clone()], column);
        let unchanged = base.map(|base| {
            self.base
                .as_ref()
                .is_some_and(|it| it.digest(base.value) == digest)
        });
        let stays = match unchanged {
            None => true,
            Some(true) => false,
            Some(false) => {
                let mut path = self.path.clone();
                path.push(name_of(placed.entry, slot.ours.or(slot.theirs)));
                self.conflicts.push(path);
                self.prefer == side
            }
        };
        if !stays {
            let kept = if side == Side::Ours {
                loose_part(&lead)
            } else {
                ""
            };
            return Err(kept.to_owned());
        }
        Ok(Piece {
            lead,
            woven: Woven {
                text: self.core(side, placed, column),
                digest,
            },
            key: key_of(placed.entry),
        })
    }

    pub(super) fn version(&self, side: Side) -> &Version<'a> {
        match side {
            Side::Ours => &self.ours,
            Side::Theirs => &self.theirs,
        }
    }

    pub(super) fn core(
        &self,
        side: Side,
        placed: &PlacedEntry<'_>,
        column: usize,
    ) -> Zeroizing<String> {
        core(self.version(side).tree, placed, column)
    }
}

fn key_of(entry: &Entry) -> Option<String> {
    entry.key.as_ref().map(|key| key.text.clone())
}

/// How a path names an entry.
pub(super) fn name_of(entry: &Entry, index: Option<usize>) -> String {
    key_of(entry).unwrap_or_else(|| index.unwrap_or_default().to_string())
}
