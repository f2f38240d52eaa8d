//! Merging comments and blank lines. They are never in conflict: where both sides changed them, all are kept.

use zeroize::Zeroizing;

use super::layout::{Lines, PlacedEntry, dedent, is_blank};
use super::weave::{Cut, Three, Version, Weave};
use crate::sops::document::tree::Tree;

impl Weave<'_> {
    /// What stands above an entry: the side that changed it; where both did, ours and what theirs adds.
    pub(super) fn leads(
        &self,
        three: Three<&PlacedEntry<'_>>,
        columns: Three<usize>,
    ) -> Zeroizing<String> {
        let of = |version: &Version<'_>, placed: &PlacedEntry<'_>, column| {
            dedent(&version.tree.text[placed.lead.clone()], column)
        };
        let base = three.base.zip(self.base.as_ref());
        let base =
            base.map(|(placed, version)| of(version, placed, columns.base.unwrap_or_default()));
        merged_comments(&Three {
            base,
            ours: of(&self.ours, three.ours, columns.ours),
            theirs: of(&self.theirs, three.theirs, columns.theirs),
        })
    }

    pub(super) fn tails(&self, cut: &Cut<'_>) -> Zeroizing<String> {
        let of = |tree: &Tree, lines: Option<&Lines<'_>>| {
            lines.map_or_else(
                || Zeroizing::new(String::new()),
                |lines| dedent(&tree.text[lines.tail.clone()], lines.column),
            )
        };
        let base = self.base.as_ref().zip(cut.base.as_ref());
        merged_comments(&Three {
            base: base.map(|(version, lines)| of(version.tree, lines.as_ref())),
            ours: of(self.ours.tree, cut.ours.as_ref()),
            theirs: of(self.theirs.tree, cut.theirs.as_ref()),
        })
    }
}

/// Of the lines above an entry those that a blank line sets apart from it.
pub(super) fn loose_part(lead: &str) -> &str {
    let mut end = 0;
    let mut at = 0;
    for line in lead.split_inclusive('\n') {
        at += line.len();
        if is_blank(line) {
            end = at;
        }
    }
    if is_blank(&lead[..end]) {
        ""
    } else {
        &lead[..end]
    }
}

/// Comments and blank lines of one place. They are never in conflict: where both sides changed them, all are kept.
fn merged_comments(three: &Three<Zeroizing<String>>) -> Zeroizing<String> {
    let Three { base, ours, theirs } = three;
    if base.as_ref() == Some(theirs) || ours == theirs {
        return ours.clone();
    }
    if base.as_ref() == Some(ours) {
        return theirs.clone();
    }
    let is_known = |line: &str| {
        is_blank(line)
            || ours.lines().any(|known| known == line)
            || base
                .as_ref()
                .is_some_and(|base| base.lines().any(|known| known == line))
    };
    let mut text = Zeroizing::new(String::with_capacity(ours.len() + theirs.len() + 1));
    text.push_str(ours);
    for line in theirs.lines().filter(|line| !is_known(line)) {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}
