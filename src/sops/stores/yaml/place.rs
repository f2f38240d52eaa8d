//! Putting one scalar in the place of another.

use super::print::{Place, print};
use super::scalar::ScalarForm;
use crate::sops::document::splice::Edits;
use crate::sops::document::tree::{Kind, NodeId, Tree};
use crate::sops::value::Value;

impl Edits {
    /// Puts `text`, one scalar printed for its place, where the scalar or alias `id` is.
    ///
    /// A tag of YAML's own goes, since it would decide the type of the new text.
    pub(in crate::sops) fn put_scalar(&mut self, tree: &Tree, id: NodeId, text: &str) {
        let node = tree.node(id);
        if let Some(tag) = node.tag.as_ref().filter(|tag| tag.is_yaml()) {
            let after = &tree.text[tag.span.end..];
            let blanks = after.len() - after.trim_start_matches([' ', '\t']).len();
            self.remove(tag.span.start..tag.span.end + blanks);
        }
        if let Some(block) = tree.scalar(id).and_then(|scalar| scalar.block.as_deref()) {
            let (first, rest) = text
                .split_once('\n')
                .map_or((text, None), |(f, r)| (f, Some(r)));
            self.replace(block.header.clone(), first);
            match rest {
                Some(rest) => self.replace(block.body.clone(), &format!("\n{rest}")),
                None => self.remove(block.body.clone()),
            }
        } else {
            let span = if node.span.is_empty() {
                let at = tree.empty_slot(id);
                at..at
            } else {
                node.span.clone()
            };
            // A block that begins on the next line leaves no blank behind on this one.
            let blanks = tree.text[..span.start].trim_end_matches([' ', '\t']).len();
            if text.starts_with('\n') {
                self.replace(blanks..span.end, text);
            } else if span.is_empty() && blanks == span.start {
                self.insert(span.start, &format!(" {text}"));
            } else {
                self.replace(span, text);
            }
        }
    }

    /// Puts `value` where the scalar or alias `id` is.
    pub(in crate::sops) fn put_yaml_value(&mut self, tree: &Tree, id: NodeId, value: &Value) {
        let text = print(value, tree.place(id));
        self.put_scalar(tree, id, &text);
    }
}

impl Tree {
    /// Where the text of a scalar of no width belongs: after its colon or dash.
    fn empty_slot(&self, id: NodeId) -> usize {
        let node = self.node(id);
        if node.tag.is_some() || node.anchor.is_some() {
            return node.span.start;
        }
        let rest = &self.text[node.entry.after..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        if rest[blanks..].starts_with(':') {
            node.entry.after + blanks + 1
        } else {
            node.entry.after
        }
    }

    /// What may be printed at the place of the scalar `id`.
    pub(in crate::sops) fn place(&self, id: NodeId) -> Place {
        let node = self.node(id);
        let is_block =
            matches!(&node.kind, Kind::Scalar(scalar) if scalar.form == ScalarForm::Block);
        let end = if node.span.is_empty() {
            self.empty_slot(id)
        } else {
            node.span.end
        };
        let line_end = self.line_end(end);
        let alone = is_block || self.text[end..line_end].trim().is_empty();
        if node.inside_flow
            || !alone
            || self.is_followed_by_deeper_comment(line_end, node.entry.column)
        {
            return Place::OneLine;
        }
        Place::Block {
            indent: node.entry.column + self.indent_step(),
        }
    }

    /// A literal block would swallow such a comment.
    fn is_followed_by_deeper_comment(&self, line_end: usize, column: usize) -> bool {
        let after = self.text[line_end..].trim_start_matches(['\r', '\n']);
        let line = after
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        let indent = line.len() - line.trim_start().len();
        line.trim_start().starts_with('#') && indent > column
    }
}
