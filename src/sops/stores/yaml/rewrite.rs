//! Rewriting what cannot be sealed by replacing spans: documents in flow style, and aliases to what is encrypted.

use std::collections::HashSet;

use super::render::Layout;
use crate::sops::document::splice::{Edits, Overlap};
use crate::sops::document::tree::{Kind, NodeId, Style, Tree};

impl Tree {
    /// Edits that turn the root of every document into block style.
    pub(in crate::sops) fn block_roots(&self, edits: &mut Edits) {
        for document in &self.documents {
            let node = self.node(document.root);
            let Some(collection) = self.collection(document.root) else {
                continue;
            };
            if collection.style == Style::Block || collection.entries().next().is_none() {
                continue;
            }
            let layout = Layout {
                indent: 0,
                step: self.indent_step(),
            };
            let text = self.render(document.root, layout, &node.span);
            let before = self.text[self.line_start(node.span.start)..node.span.start].trim();
            let break_before = if before.is_empty() { "" } else { "\n" };
            edits.replace(
                node.span.clone(),
                &format!("{break_before}{}", text.trim_end_matches('\n')),
            );
            if let Some(tag) = &node.tag {
                edits.remove(tag.span.clone());
            }
        }
    }

    /// Edits that replace every alias by a copy whose target contains one of `nodes`; all aliases if `nodes` is `None`.
    ///
    /// Aliases inside a copied target are copied with it.
    pub(in crate::sops) fn expand_aliases(
        &self,
        nodes: Option<&HashSet<NodeId>>,
        edits: &mut Edits,
    ) {
        for (id, node) in self.nodes.iter().enumerate() {
            if !matches!(node.kind, Kind::Alias(_)) {
                continue;
            }
            let target = self.target(id);
            if nodes.is_some_and(|nodes| !self.contains_any(target, nodes)) {
                continue;
            }
            let is_block_place = !node.inside_flow && node.entry.after != 0;
            let filled = self
                .collection(target)
                .is_some_and(|c| c.entries().next().is_some());
            if filled && is_block_place {
                let layout = Layout {
                    indent: node.entry.column + self.indent_step(),
                    step: self.indent_step(),
                };
                let text = self.render(target, layout, &(0..self.text.len()));
                let blanks = self.text[..node.span.start]
                    .trim_end_matches([' ', '\t'])
                    .len();
                let text = format!("\n{}", text.trim_end_matches('\n'));
                // What follows on the line, a comment, moves behind the copy's last line otherwise.
                let line_end = self.line_end(node.span.end);
                edits.remove(blanks..node.span.end);
                edits.insert(line_end.max(node.span.end), &text);
            } else {
                edits.replace(node.span.clone(), &self.render_flow(target));
            }
        }
    }

    fn contains_any(&self, id: NodeId, nodes: &HashSet<NodeId>) -> bool {
        if nodes.contains(&id) {
            return true;
        }
        match &self.node(id).kind {
            Kind::Collection(collection) => collection
                .entries()
                .any(|entry| self.contains_any(self.target(entry.value), nodes)),
            Kind::Scalar(_) | Kind::Alias(_) => false,
        }
    }

    /// The tree after `edits`.
    pub(in crate::sops) fn after(&self, edits: Edits) -> Result<Self, RewriteError> {
        let text = edits
            .apply(&self.text)
            .map_err(|Overlap| RewriteError::Overlap)?;
        self.again(&text).map_err(RewriteError::Parse)
    }
}

/// The rewritten text is not what was meant.
pub(in crate::sops) enum RewriteError {
    Overlap,
    Parse(crate::sops::error::ParseError),
}
