//! From the parser's events to a tree, within bounds.

use std::collections::BTreeMap;

use granit_parser::{Event, ScalarStyle, Span, Tag};

use super::scalar::{Scalar, ScalarKind};
use super::{Entry, FileId, Key, Merge, Node, Place, Value, YamlError, place_of};
use crate::config::nearest::nearest;

const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 100_000;

/// What is said of a key that is a list or a map.
pub(super) const KEY_IS_TEXT: &str = "a key must be text, not a list or a map";
/// What to do about too many levels.
pub(super) const FLATTER: &str =
    "no file of a repository needs so many; close brackets where they belong";

/// A collection that is not closed yet.
struct Open {
    place: Place,
    merge: Merge,
    anchor: usize,
    content: OpenContent,
}

enum OpenContent {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        seen: BTreeMap<String, Place>,
        pending: Option<PendingKey>,
    },
}

enum PendingKey {
    Good(Key),
    /// The key was refused; its value is read and dropped.
    Refused,
}

struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

/// Builds the tree from the parser's events.
pub(super) struct Loader {
    file: FileId,
    documents: usize,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    nodes: usize,
    pub(super) root: Option<Node>,
    pub(super) errors: Vec<YamlError>,
}

impl Loader {
    pub(super) fn new(file: FileId) -> Self {
        Self {
            file,
            documents: 0,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: 0,
            root: None,
            errors: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlError> {
        let place = place_of(self.file, &span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(YamlError::new(place, "a second document begins here")
                        .fix("keep one document per file; remove the `---`"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let asked = asked_of_a_scalar(tag.as_deref(), place)?;
                let plain = style == ScalarStyle::Plain && asked != Asked::Text;
                let node = Node {
                    place,
                    merge: asked.merge(),
                    value: Value::Scalar(Scalar::new(text.into_owned(), plain)),
                };
                self.finish(node, anchor)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(place, anchor, tag.as_deref(), OpenContent::List(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                let content = OpenContent::Map {
                    entries: Vec::new(),
                    seen: BTreeMap::new(),
                    pending: None,
                };
                self.begin(place, anchor, tag.as_deref(), content)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let value = match open.content {
                        OpenContent::List(items) => Value::List(items),
                        OpenContent::Map { entries, .. } => Value::Map(entries),
                    };
                    let node = Node {
                        place: open.place,
                        merge: open.merge,
                        value,
                    };
                    self.finish(node, open.anchor)?;
                }
            }
            Event::Alias(anchor) => self.expand(anchor, place)?,
            _ => {}
        }
        Ok(())
    }

    fn begin(
        &mut self,
        place: Place,
        anchor: usize,
        tag: Option<&Tag>,
        content: OpenContent,
    ) -> Result<(), YamlError> {
        let merge = match tag {
            None => Merge::Plain,
            Some(tag) => merge_tag(tag).ok_or_else(|| unknown_tag(tag, place))?,
        };
        if self.wants_key() {
            return Err(YamlError::new(place, KEY_IS_TEXT).fix("put it in quotes if it is text"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(place));
        }
        self.open.push(Open {
            place,
            merge,
            anchor,
            content,
        });
        Ok(())
    }

    /// Whether the next node is a key of the innermost map.
    fn wants_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                content: OpenContent::Map { pending: None, .. },
                ..
            })
        )
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        if anchor != 0 {
            let (nodes, depth) = measure(&node);
            // The copy kept for aliases counts too: anchors can be nested around one big value.
            self.count(nodes, node.place)?;
            let node = node.clone();
            self.anchors.insert(anchor, Anchored { node, nodes, depth });
        }
        self.count(1, node.place)?;
        self.attach(node)
    }

    fn expand(&mut self, anchor: usize, place: Place) -> Result<(), YamlError> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(YamlError::new(
                place,
                "the alias is inside the value it names",
            ));
        };
        let (nodes, depth) = (anchored.nodes, anchored.depth);
        if self.open.len() + depth > MAX_DEPTH {
            return Err(too_deep(place));
        }
        // Counted before the copy is made, so that a bomb costs nothing.
        self.count(nodes, place)?;
        if let Some(anchored) = self.anchors.get(&anchor) {
            let node = anchored.node.clone();
            if self.wants_key() && !matches!(node.value, Value::Scalar(_)) {
                return Err(YamlError::new(place, KEY_IS_TEXT));
            }
            self.attach(node)?;
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, place: Place) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(YamlError::new(
                place,
                format!("the file holds more than {MAX_NODES} values, aliases expanded"),
            )
            .fix(
                "an alias counts as often as it is used; make the file smaller, or several of it",
            ));
        }
        Ok(())
    }

    fn attach(&mut self, node: Node) -> Result<(), YamlError> {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(OpenContent::List(items)) => items.push(node),
            Some(OpenContent::Map {
                entries,
                seen,
                pending,
            }) => match pending.take() {
                Some(PendingKey::Good(key)) => entries.push(Entry { key, value: node }),
                Some(PendingKey::Refused) => {}
                None => *pending = Some(take_key(node, seen, &mut self.errors)?),
            },
        }
        Ok(())
    }
}

fn take_key(
    node: Node,
    seen: &mut BTreeMap<String, Place>,
    errors: &mut Vec<YamlError>,
) -> Result<PendingKey, YamlError> {
    let place = node.place;
    let Value::Scalar(scalar) = node.value else {
        // `begin` and `expand` refuse these before they get here.
        return Ok(PendingKey::Refused);
    };
    if node.merge != Merge::Plain {
        let error = YamlError::new(place, "a tag stands before a value, not before a key");
        errors.push(error.fix(format!(
            "write it behind the colon: `{}: !override …`",
            scalar.text()
        )));
        return Ok(PendingKey::Refused);
    }
    if scalar.kind() == ScalarKind::Null {
        errors.push(YamlError::new(place, "a key is missing before `:`"));
        return Ok(PendingKey::Refused);
    }
    let text = scalar.into_text();
    if text == "<<" {
        // Reading on would report as missing what the merge was to bring.
        let error = YamlError::new(place, "merge keys (`<<`) are not part of YAML 1.2");
        return Err(error.fix("write the keys out, or use an alias for the whole value"));
    }
    if let Some(first) = seen.get(&text) {
        errors.push(YamlError {
            place,
            message: format!("the key `{text}` is there twice"),
            related: Some((*first, "it was here first")),
            fix: Some("keep one of the two".to_owned()),
        });
        return Ok(PendingKey::Refused);
    }
    seen.insert(text.clone(), place);
    Ok(PendingKey::Good(Key { text, place }))
}

/// The number of nodes of a tree, and its depth in collections.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<&Node> = match &node.value {
        Value::Scalar(_) | Value::File(_) | Value::Unknown => return (1, 0),
        Value::List(items) => items.iter().collect(),
        Value::Map(entries) => entries.iter().map(|entry| &entry.value).collect(),
    };
    let (nodes, depth) = children.iter().fold((0, 0), |(nodes, depth), child| {
        let (child_nodes, child_depth) = measure(child);
        (nodes + child_nodes, depth.max(child_depth))
    });
    (nodes + 1, depth + 1)
}

/// What the tag of a scalar asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Text,
    Merge(Merge),
}

impl Asked {
    fn merge(self) -> Merge {
        match self {
            Self::Merge(merge) => merge,
            Self::Nothing | Self::Text => Merge::Plain,
        }
    }
}

/// Every tag but `!!str`, `!override` and `!default` is refused.
fn asked_of_a_scalar(tag: Option<&Tag>, place: Place) -> Result<Asked, YamlError> {
    match tag {
        None => Ok(Asked::Nothing),
        Some(tag) if tag.is_yaml_core_schema_tag("str") => Ok(Asked::Text),
        Some(tag) => match merge_tag(tag) {
            Some(merge) => Ok(Asked::Merge(merge)),
            None => Err(unknown_tag(tag, place)),
        },
    }
}

fn merge_tag(tag: &Tag) -> Option<Merge> {
    match tag.original().as_str() {
        "!override" => Some(Merge::Override),
        "!default" => Some(Merge::Default),
        _ => None,
    }
}

fn unknown_tag(tag: &Tag, place: Place) -> YamlError {
    YamlError::new(
        place,
        format!("the tag `{}` means nothing here", tag.original()),
    )
    .fix(
        match nearest(tag.original().as_str(), ["!override", "!default", "!!str"]) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "remove it; `!override`, `!default` and `!!str` are known".to_owned(),
        },
    )
}

fn too_deep(place: Place) -> YamlError {
    YamlError::new(place, too_deep_message()).fix(FLATTER)
}

/// What is said of too many levels.
pub(super) fn too_deep_message() -> String {
    format!("more than {MAX_DEPTH} levels of nesting")
}
