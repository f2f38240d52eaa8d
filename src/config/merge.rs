//! One tree out of many: maps merge, lists append, of scalars the highest rank wins.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::ModuleName;
use super::reader::Reader;
use super::yaml::{Entry, Key, Merge, Node, Place, Value};

#[cfg(test)]
mod tests;

/// Who says something. A higher rank wins over a lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A default: of an option, or tagged `!default`.
    Default,
    /// The file of a person.
    Person,
    /// A module.
    Module,
    /// A module that turns others on.
    Profile,
    /// The host file.
    Host,
}

impl Rank {
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Default => "a default",
            Self::Person => "the file of a person",
            Self::Module => "a module",
            Self::Profile => "a profile",
            Self::Host => "the host",
        }
    }
}

/// What one file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) rank: Rank,
    pub(super) node: Node,
}

/// Something that was said and is not in the result.
#[derive(Debug, Clone)]
pub(super) struct Unheard {
    /// The keys on the way to it.
    pub(super) path: Vec<String>,
    pub(super) said: Said,
    pub(super) why: Why,
}

/// Why something that was said is not in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Something of a higher rank is.
    Overruled,
    /// The same is in it already.
    SaidAlready,
}

/// What is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What<'a> {
    /// Resources: where a higher rank says one of two alternatives, the other one of a lower rank does not count.
    Resources,
    /// The value of an option of a module.
    Option(&'a ModuleName, &'a str),
}

/// Keys of resources of which only one can be said.
const ALTERNATIVES: [(&str, &str); 2] = [("text", "file"), ("password_hash", "password_secret")];

/// Merges what several files say about one thing. What cannot be merged is recorded.
pub(super) struct Merger<'a> {
    what: What<'a>,
    reader: &'a mut Reader,
    /// The keys on the way to what is being merged.
    path: Vec<String>,
    unheard: Vec<Unheard>,
}

impl<'a> Merger<'a> {
    pub(super) fn new(what: What<'a>, reader: &'a mut Reader) -> Self {
        Self {
            what,
            reader,
            path: Vec::new(),
            unheard: Vec::new(),
        }
    }

    /// What was said so far and is not in the result.
    pub(super) fn take_unheard(&mut self) -> Vec<Unheard> {
        std::mem::take(&mut self.unheard)
    }

    fn unheard(&mut self, said: impl IntoIterator<Item = Said>, why: Why) {
        let path = &self.path;
        self.unheard.extend(said.into_iter().map(|said| Unheard {
            path: path.clone(),
            said,
            why,
        }));
    }

    /// Merges in the order of the files; `None` if nobody says anything.
    pub(super) fn merge(&mut self, said: Vec<Said>) -> Option<Node> {
        let (mut said, overridden) = in_force(said);
        self.unheard(overridden, Why::Overruled);
        if said.len() < 2 {
            return said.pop().map(|only| only.node);
        }
        // Stable: at one rank the order of the files stays.
        said.sort_by_key(|one| one.rank);
        if said.iter().any(|one| !one.node.is_null()) {
            let nothing: Vec<Said> = said.extract_if(.., |one| one.node.is_null()).collect();
            self.unheard(nothing, Why::SaidAlready);
        }
        if let Some(unknown) = said.iter().find(|one| one.node.value == Value::Unknown) {
            return Some(unknown.node.clone());
        }
        let kinds: Vec<Kind> = said.iter().map(|one| Kind::of(&one.node)).collect();
        if let Some(other) = kinds.iter().position(|kind| *kind != kinds[0]) {
            self.different_kinds(&said[0], &said[other]);
            return said.pop().map(|one| one.node);
        }
        match kinds.first()? {
            Kind::Map => Some(self.maps(said)),
            Kind::List => Some(self.lists(said)),
            Kind::Scalar => self.scalar(said),
        }
    }

    fn maps(&mut self, said: Vec<Said>) -> Node {
        let place = said[0].node.place;
        let mut keys: Vec<Key> = Vec::new();
        let mut by_key: BTreeMap<String, Vec<Said>> = BTreeMap::new();
        for one in said {
            let rank = one.rank;
            let Value::Map(entries) = one.node.value else {
                continue;
            };
            for entry in entries {
                let values = by_key.entry(entry.key.text.clone()).or_insert_with(|| {
                    keys.push(entry.key);
                    Vec::new()
                });
                values.push(Said {
                    rank,
                    node: entry.value,
                });
            }
        }
        if self.what == What::Resources {
            for (a, b) in ALTERNATIVES {
                if let Some((key, lower)) = keep_the_higher(a, b, &mut by_key) {
                    self.path.push(key.to_owned());
                    self.unheard(lower, Why::Overruled);
                    self.path.pop();
                }
            }
        }
        let mut entries = Vec::new();
        for key in keys {
            let values = by_key.remove(&key.text).unwrap_or_default();
            self.path.push(key.text.clone());
            let value = self.merge(values);
            self.path.pop();
            if let Some(value) = value {
                entries.push(Entry { key, value });
            }
        }
        Node::new(place, Value::Map(entries))
    }

    /// Appends; what an earlier file has already is not there twice.
    fn lists(&mut self, said: Vec<Said>) -> Node {
        let place = said[0].node.place;
        let mut all: Vec<Node> = Vec::new();
        for one in said {
            let Value::List(items) = one.node.value else {
                continue;
            };
            let before = all.len();
            for item in items {
                if all[..before].iter().any(|taken| taken.says_the_same(&item)) {
                    let again = Said {
                        rank: one.rank,
                        node: item,
                    };
                    self.unheard([again], Why::SaidAlready);
                } else {
                    all.push(item);
                }
            }
        }
        Node::new(place, Value::List(all))
    }

    /// The value of the highest rank; two different ones there are an error.
    fn scalar(&mut self, mut said: Vec<Said>) -> Option<Node> {
        let top = said.last()?.rank;
        let lower: Vec<Said> = said.extract_if(.., |one| one.rank < top).collect();
        let first = said.remove(0);
        for other in &said {
            if !first.node.says_the_same(&other.node) {
                self.conflict(first.node.place, other.node.place, top);
            }
        }
        self.unheard(lower, Why::Overruled);
        self.unheard(said, Why::SaidAlready);
        Some(first.node)
    }

    fn conflict(&mut self, first: Place, other: Place, rank: Rank) {
        let message = format!("{} is given two different values", self.noun());
        let related = self.reader.mark(first);
        let error = self.reader.error(other, message);
        error.related = Some((related, "the other value is here".to_owned()));
        error.cause = Some(format!(
            "both are said by {}, so neither outranks the other",
            rank.noun()
        ));
        error.fix = Some(match rank {
            Rank::Host => "keep one of the two".to_owned(),
            _ => "say it in the host file, or put `!override` before the one that is to count"
                .to_owned(),
        });
    }

    fn different_kinds(&mut self, first: &Said, other: &Said) {
        let (a, b) = (Kind::of(&first.node), Kind::of(&other.node));
        let message = format!(
            "{} is {} here, and {} elsewhere",
            self.noun(),
            b.noun(),
            a.noun()
        );
        let related = self.reader.mark(first.node.place);
        let error = self.reader.error(other.node.place, message);
        error.related = Some((related, format!("{} there", a.noun())));
        error.fix = Some(
            "write both in the same form, or put `!override` before the one that is to count"
                .to_owned(),
        );
    }

    fn noun(&self) -> String {
        let mut path = self.path.clone();
        if let What::Option(module, option) = self.what {
            path.insert(0, option.to_owned());
            return format!("`{}` of `{module}`", path.join("."));
        }
        format!("`{}`", path.join(" → "))
    }
}

/// What is in force, and what an `!override` puts out of force; `!default` makes its rank the lowest.
fn in_force(mut said: Vec<Said>) -> (Vec<Said>, Vec<Said>) {
    for one in &mut said {
        if one.node.merge == Merge::Default {
            one.rank = Rank::Default;
        }
    }
    let overridden = said
        .iter()
        .filter(|one| one.node.merge == Merge::Override)
        .map(|one| one.rank)
        .max();
    let Some(rank) = overridden else {
        return (said, Vec::new());
    };
    said.into_iter()
        .partition(|one| one.rank > rank || (one.rank == rank && one.node.merge == Merge::Override))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Scalar,
    List,
    Map,
}

impl Kind {
    fn of(node: &Node) -> Self {
        match node.value {
            Value::Scalar(_) | Value::File(_) | Value::Unknown => Self::Scalar,
            Value::List(_) => Self::List,
            Value::Map(_) => Self::Map,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Scalar => "a single value",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }
}

/// Takes one of two alternatives out if the other one is said at a higher rank.
fn keep_the_higher<'k>(
    a: &'k str,
    b: &'k str,
    by_key: &mut BTreeMap<String, Vec<Said>>,
) -> Option<(&'k str, Vec<Said>)> {
    let top = |key: &str| {
        let values = by_key.get(key)?;
        values.iter().map(|one| one.rank).max()
    };
    let lower = match top(a)?.cmp(&top(b)?) {
        Ordering::Less => a,
        Ordering::Greater => b,
        Ordering::Equal => return None,
    };
    by_key.remove(lower).map(|said| (lower, said))
}
