//! Changing a model as the operations change a file.

use steadfast::sops::Format;

use crate::model::{Entry, Model, Node, Step, sops_path};

fn children(node: &Node) -> &[Entry] {
    match node.bare() {
        Node::Map(entries) | Node::List(entries) => entries,
        _ => &[],
    }
}

fn children_mut(node: &mut Node) -> Option<&mut Vec<Entry>> {
    match node {
        Node::Map(entries) | Node::List(entries) => Some(entries),
        Node::Flow(node) | Node::Alias(_, node) | Node::Anchor(_, node) => children_mut(node),
        Node::Scalar(_) => None,
    }
}

fn place(entries: &[Entry], step: &Step) -> Option<usize> {
    match step {
        Step::Key(key) => entries.iter().position(|entry| entry.key == *key),
        Step::Position(position) => Some(*position).filter(|position| *position < entries.len()),
    }
}

impl Model {
    /// Paths of the first document's leaves that both programs name the same: comments in lists count for sops.
    pub(super) fn addressable(&self) -> Vec<Vec<Step>> {
        let mut paths = Vec::new();
        if self.store != Format::Binary
            && let Some(first) = self.documents.first()
        {
            collect(&Node::Map(first.clone()), &mut Vec::new(), &mut paths);
        }
        paths.retain(|path| sops_path(path).is_some());
        paths
    }

    /// The node at `path` of the first document.
    pub(super) fn node(&self, path: &[Step]) -> Option<&Node> {
        let (first, rest) = path.split_first()?;
        let entries = self.documents.first()?;
        let mut node = &entries[place(entries, first)?].node;
        for step in rest {
            let entries = children(node);
            node = &entries[place(entries, step)?].node;
        }
        Some(node)
    }

    fn parent_mut(&mut self, path: &[Step]) -> Option<&mut Vec<Entry>> {
        let mut entries = self.documents.first_mut()?;
        for step in path {
            let at = place(entries, step)?;
            entries = children_mut(&mut entries[at].node)?;
        }
        Some(entries)
    }

    /// With another node at `path`, which is there.
    pub(super) fn with(&self, path: &[Step], node: Node) -> Self {
        let mut model = self.clone();
        if let Some((last, parents)) = path.split_last()
            && let Some(entries) = model.parent_mut(parents)
            && let Some(at) = place(entries, last)
        {
            entries[at].node = node;
        }
        model
    }

    /// Without the entry at `path`.
    pub(super) fn without(&self, path: &[Step]) -> Self {
        let mut model = self.clone();
        if let Some((last, parents)) = path.split_last()
            && let Some(entries) = model.parent_mut(parents)
            && let Some(at) = place(entries, last)
        {
            entries.remove(at);
        }
        model
    }

    /// Drops the entry of this number, counted depth first, with all below it. `false` if there are not so many.
    pub(super) fn drop_entry(&mut self, number: usize) -> bool {
        let mut left = number;
        if self.documents.len() > 1 {
            if left < self.documents.len() {
                self.documents.remove(left);
                return true;
            }
            left -= self.documents.len();
        }
        self.documents
            .iter_mut()
            .any(|entries| drop_entry(entries, &mut left))
    }
}

fn drop_entry(entries: &mut Vec<Entry>, left: &mut usize) -> bool {
    for at in 0..entries.len() {
        if *left == 0 {
            entries.remove(at);
            return true;
        }
        *left -= 1;
        if (!entries[at].comments.is_empty() || entries[at].inline.is_some()) && *left == 0 {
            entries[at].comments.clear();
            entries[at].inline = None;
            return true;
        }
        if !entries[at].comments.is_empty() || entries[at].inline.is_some() {
            *left -= 1;
        }
        if let Some(children) = children_mut(&mut entries[at].node)
            && drop_entry(children, left)
        {
            return true;
        }
    }
    false
}

fn collect(node: &Node, path: &mut Vec<Step>, paths: &mut Vec<Vec<Step>>) {
    match node {
        Node::Scalar(_) => paths.push(path.clone()),
        Node::Map(entries) => {
            for entry in entries {
                // sops moves a comment behind a list into it.
                if entry.inline.is_some() && matches!(entry.node.bare(), Node::List(_)) {
                    continue;
                }
                path.push(Step::Key(entry.key.clone()));
                collect(&entry.node, path, paths);
                path.pop();
            }
        }
        Node::List(items) => {
            let commented = |item: &Entry| !item.comments.is_empty() || item.inline.is_some();
            if items.iter().any(commented) {
                return;
            }
            for (position, item) in items.iter().enumerate() {
                path.push(Step::Position(position));
                collect(&item.node, path, paths);
                path.pop();
            }
        }
        // What is shared or in one line is set in tests of its own.
        Node::Flow(node) => collect(node, path, paths),
        Node::Alias(..) | Node::Anchor(..) => {}
    }
}
