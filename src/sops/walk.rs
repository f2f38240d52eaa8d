//! The walk that everything shares: leaves and comments in the order of the MAC, each with its path and whether the
//! selector chooses it.

use super::cipher::looks_encrypted;
use super::document::tree::{Child, Comment, NodeId, Shape, Tree};
use super::selector::{ActiveComments, Chooser, Subject};

/// A secret file has hundreds of values; aliases of aliases could make billions.
pub(super) const MOST_VISITS: usize = 200_000;

/// The top-level key of the metadata.
pub(super) const METADATA_KEY: &str = "sops";

/// Whether comments may stand as items of lists, as they do once encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Sealed,
    Plain,
}

/// One leaf or comment.
pub(super) struct Visit<'a> {
    pub(super) document: usize,
    pub(super) path: &'a [String],
    pub(super) item: Item<'a>,
    /// Whether the selector chooses it.
    pub(super) chosen: bool,
    /// Whether it was reached through an alias: then its text belongs to another place too.
    pub(super) through_alias: bool,
}

pub(super) enum Item<'a> {
    Leaf(NodeId),
    Comment {
        comment: &'a Comment,
        container: NodeId,
    },
    /// A list item that holds an encrypted comment.
    ListedComment {
        node: NodeId,
        dash: usize,
    },
}

impl Visit<'_> {
    /// The associated data: the path's components, each followed by a colon; a lone colon at the top.
    pub(super) fn aad(&self) -> String {
        aad(self.path)
    }

    /// The path for messages.
    pub(super) fn path_text(&self) -> String {
        self.path.join(".")
    }
}

/// The associated data of what lies directly at `path`.
pub(super) fn aad(path: &[String]) -> String {
    let mut text = path.join(":");
    text.push(':');
    text
}

/// The walk went on for too long.
pub(super) struct TooManyVisits;

/// Walks all documents of `tree` but their metadata.
pub(super) fn walk<E: From<TooManyVisits>>(
    tree: &Tree,
    chooser: &Chooser,
    side: Side,
    visitor: &mut dyn FnMut(&Visit<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut walker = Walker {
        tree,
        chooser,
        side,
        document: 0,
        path: Vec::new(),
        comments: ActiveComments::default(),
        aliases: 0,
        visits: 0,
        path_bytes: 0,
        visitor,
    };
    for (number, document) in tree.documents.iter().enumerate() {
        walker.document = number;
        walker.collection(document.root)?;
    }
    Ok(())
}

struct Walker<'a, E> {
    tree: &'a Tree,
    chooser: &'a Chooser,
    side: Side,
    document: usize,
    path: Vec<String>,
    comments: ActiveComments,
    /// How many aliases lie between here and the root.
    aliases: usize,
    visits: usize,
    path_bytes: usize,
    visitor: &'a mut dyn FnMut(&Visit<'_>) -> Result<(), E>,
}

impl<E: From<TooManyVisits>> Walker<'_, E> {
    fn collection(&mut self, id: NodeId) -> Result<(), E> {
        let tree = self.tree;
        let Some(collection) = tree.collection(id) else {
            return Ok(());
        };
        self.comments.enter();
        for child in &collection.children {
            self.count_visit()?;
            match child {
                Child::Comment(comment) => {
                    self.comments.add(&comment.text, self.chooser);
                    let chosen = self
                        .chooser
                        .chooses(&self.path, &self.comments, Subject::Comment);
                    self.visit(
                        Item::Comment {
                            comment,
                            container: id,
                        },
                        chosen,
                    )?;
                }
                Child::Entry(entry) => {
                    if let Some(key) = &entry.key {
                        if self.path.is_empty() && tree.store.is_metadata_key(&key.text) {
                            continue;
                        }
                        self.path_bytes += key.text.len();
                        self.path.push(key.text.clone());
                    }
                    let is_comment = self.side == Side::Sealed
                        && collection.shape == Shape::List
                        && is_comment_item(tree, entry.value);
                    if is_comment {
                        self.comment_item(entry.value, entry.start)?;
                    } else {
                        self.node(entry.value)?;
                        self.comments.clear();
                    }
                    if let Some(key) = &entry.key {
                        self.path_bytes -= key.text.len();
                        self.path.pop();
                    }
                }
            }
        }
        self.comments.leave();
        Ok(())
    }

    /// One visit, or more where the path is long.
    fn count_visit(&mut self) -> Result<(), E> {
        self.visits += 1 + self.path_bytes / 4096;
        if self.visits > MOST_VISITS {
            return Err(TooManyVisits.into());
        }
        Ok(())
    }

    fn comment_item(&mut self, node: NodeId, dash: usize) -> Result<(), E> {
        let tree = self.tree;
        if let Some(scalar) = tree.scalar(node) {
            self.comments.add(&scalar.text, self.chooser);
        }
        let chosen = self
            .chooser
            .chooses(&self.path, &self.comments, Subject::Comment);
        self.visit(Item::ListedComment { node, dash }, chosen)
    }

    fn node(&mut self, id: NodeId) -> Result<(), E> {
        let target = self.tree.target(id);
        let step = usize::from(target != id);
        self.aliases += step;
        if self.tree.collection(target).is_some() {
            self.collection(target)?;
        } else {
            let chosen = self
                .chooser
                .chooses(&self.path, &self.comments, Subject::Leaf);
            self.visit(Item::Leaf(target), chosen)?;
        }
        self.aliases -= step;
        Ok(())
    }

    fn visit(&mut self, item: Item<'_>, chosen: bool) -> Result<(), E> {
        (self.visitor)(&Visit {
            document: self.document,
            path: &self.path,
            item,
            chosen,
            through_alias: self.aliases > 0,
        })
    }
}

pub(super) fn is_comment_item(tree: &Tree, node: NodeId) -> bool {
    tree.scalar(node).is_some_and(|scalar| {
        looks_encrypted(&scalar.text) && scalar.text.ends_with(",type:comment]")
    })
}
