//! A value that is to be set, for every store.

use zeroize::Zeroizing;

use super::{Store, json};
use crate::sops::document::tree::{Collection, NodeId, Shape, Tree};
use crate::sops::error::{EditError, ParseError};
use crate::sops::value::Value;

/// A value to set at a path, and what it may take the place of.
pub(in crate::sops) struct NewValue {
    pub(in crate::sops) content: NewContent,
    pub(in crate::sops) over: Over,
}

/// What is set.
pub(in crate::sops) enum NewContent {
    Scalar(Value),
    /// A map or a list, as a node of a JSON tree.
    Collection(Box<Tree>, NodeId),
}

/// What a value may take the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sops) enum Over {
    /// Single values only; the path leads through maps and lists, and through null.
    Scalars,
    /// Anything, on the way too, as `sops set` does.
    Anything,
}

impl NewValue {
    /// A string, over single values only.
    pub(in crate::sops) fn text(text: &str) -> Self {
        Self {
            content: NewContent::Scalar(Value::text(text)),
            over: Over::Scalars,
        }
    }

    /// A JSON text, over anything.
    pub(in crate::sops) fn json(text: &str) -> Result<Self, ParseError> {
        let wrapped = Zeroizing::new(format!("{{\"\":{text}\n}}"));
        let tree = json::parse(&wrapped, Store::Json)?;
        let root = tree.collection(tree.documents[0].root);
        let node = root
            .filter(|map| map.entries().count() == 1)
            .and_then(Collection::last_entry)
            .map(|only| only.value)
            .ok_or_else(|| ParseError::Shape {
                line: 1,
                reason: "it must be one JSON value".to_owned(),
            })?;
        let content = match tree.value(node) {
            Some(Ok(value)) => NewContent::Scalar(value),
            Some(Err(reason)) => {
                return Err(ParseError::Shape {
                    line: 1,
                    reason: reason.to_owned(),
                });
            }
            None => NewContent::Collection(Box::new(tree), node),
        };
        Ok(Self {
            content,
            over: Over::Anything,
        })
    }

    /// The value, for a store that holds single values only.
    pub(in crate::sops) fn scalar(&self, path: &[String]) -> Result<&Value, EditError> {
        match &self.content {
            NewContent::Scalar(value) => Ok(value),
            NewContent::Collection(..) => Err(unsuitable(
                path,
                "the file's format has no maps or lists at this place",
            )),
        }
    }
}

/// Where a path ends in a tree.
pub(in crate::sops) struct Target<'a> {
    /// The node that is there, or the deepest on the way.
    pub(in crate::sops) node: NodeId,
    /// How many components lead to it.
    pub(in crate::sops) depth: usize,
    /// What is missing below it.
    pub(in crate::sops) missing: &'a [String],
}

impl Tree {
    /// Finds the place for `new`, and checks that it may go there.
    pub(in crate::sops) fn target_of<'a>(
        &self,
        path: &'a [String],
        new: &NewValue,
    ) -> Result<Target<'a>, EditError> {
        let cannot = |reason| unsuitable(path, reason);
        let Some(first) = path.first() else {
            return Err(cannot("the path is empty"));
        };
        if self.store.is_metadata_key(first) {
            return Err(cannot("`sops` is reserved for the file's own metadata"));
        }
        let (depth, node) = (0..=path.len())
            .rev()
            .find_map(|depth| Some((depth, self.find(&path[..depth])?)))
            .ok_or_else(|| cannot("the file has no document"))?;
        let missing = &path[depth..];
        let is_collection = self.collection(self.target(node)).is_some();
        let is_null = matches!(self.value(self.target(node)), Some(Ok(Value::Null)));
        let list = self
            .collection(self.target(node))
            .filter(|collection| collection.shape == Shape::List);
        if let (Some(list), Some(position)) = (list, missing.first()) {
            let count = list.entries().count();
            let fits = position.parse().is_ok_and(|at: usize| match new.over {
                Over::Scalars => at == count,
                Over::Anything => at >= count,
            });
            if !fits {
                return Err(cannot("the list has no such item"));
            }
        }
        match (new.over, missing.is_empty()) {
            (Over::Scalars, true) if is_collection => {
                Err(cannot("it is a map or a list, not a single value"))
            }
            (Over::Scalars, false) if !is_collection && !is_null => {
                Err(cannot("a single value stands on the way"))
            }
            _ => Ok(Target {
                node,
                depth,
                missing,
            }),
        }
    }
}

pub(in crate::sops) fn unsuitable(path: &[String], reason: &'static str) -> EditError {
    EditError::Unsuitable {
        path: path.join("."),
        reason,
    }
}

pub(in crate::sops) fn not_found(path: &[String]) -> EditError {
    EditError::NotFound {
        path: path.join("."),
    }
}
