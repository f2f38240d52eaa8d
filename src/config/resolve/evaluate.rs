//! From a tree with expressions to a tree without: `{{ … }}`, `when`, `for`, `value`.

use std::collections::BTreeSet;

use minijinja::value::{Value, ValueKind};

use super::explain::Source;
use super::fill::is_content;
use super::run::Run;
use super::scope::Frame;
use crate::config::expression::{Loop, Shape, TooMuch, node_of};
use crate::config::yaml::{Entry, Key, Merge, Node, Place, Scalar, ScalarKind, Value as Content};

/// How often one `for` may repeat.
const REPETITIONS: usize = 10_000;

/// What is being evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The top of a `config:` or of a host file.
    Top,
    /// Something below it.
    Resource,
    /// The accounts under `home`.
    Homes,
    /// One of them.
    Home,
    /// The entries of `templates`.
    Templates,
    /// One of them: its content may name secrets.
    Template,
    /// The value of an option.
    Option,
}

impl Mode {
    /// What the value of `key` is.
    fn below(self, key: &str) -> Self {
        match self {
            Self::Top | Self::Home if key == "templates" => Self::Templates,
            Self::Top if key == "home" => Self::Homes,
            Self::Homes => Self::Home,
            Self::Top | Self::Home | Self::Resource | Self::Template => Self::Resource,
            Self::Templates => Self::Template,
            Self::Option => Self::Option,
        }
    }
}

/// It has no value, which is recorded.
#[derive(Debug, Clone, Copy)]
struct Failed;

impl Run<'_> {
    /// Evaluates everything in a tree. `None`: it does not count here.
    ///
    /// What has no value is recorded, and [`Unknown`](Content::Unknown) in the result.
    pub(super) fn evaluate(&mut self, node: &Node, frame: &Frame, mode: Mode) -> Option<Node> {
        let mut evaluated = match self.try_evaluate(node, frame, mode) {
            Ok(evaluated) => evaluated?,
            Err(Failed) => Node::new(node.place, Content::Unknown),
        };
        if node.merge != Merge::Plain {
            evaluated.merge = node.merge;
        }
        Some(evaluated)
    }

    fn try_evaluate(
        &mut self,
        node: &Node,
        frame: &Frame,
        mode: Mode,
    ) -> Result<Option<Node>, Failed> {
        if !self.spend(node.place) {
            return Err(Failed);
        }
        match &node.value {
            Content::Scalar(scalar) => self.scalar(node, scalar, frame).map(Some).ok_or(Failed),
            Content::List(items) => {
                let mut taken = Vec::new();
                for item in items {
                    match self.repetitions(item, frame) {
                        Some(frames) => {
                            for frame in frames {
                                taken.extend(self.evaluate(item, &frame, mode));
                            }
                        }
                        None => taken.push(Node::new(item.place, Content::Unknown)),
                    }
                }
                Ok(Some(Node::new(node.place, Content::List(taken))))
            }
            Content::Map(entries) => self.map(node, entries, frame, mode),
            Content::File(_) | Content::Unknown => Ok(Some(node.clone())),
        }
    }

    fn map(
        &mut self,
        node: &Node,
        entries: &[Entry],
        frame: &Frame,
        mode: Mode,
    ) -> Result<Option<Node>, Failed> {
        if let Some(when) = node.get("when")
            && !self.condition(when, frame).ok_or(Failed)?
        {
            return Ok(None);
        }
        let guarded = node.get("when").is_some() || node.get("for").is_some();
        if guarded && let Some(value) = node.get("value") {
            self.alone(entries)?;
            return Ok(self.evaluate(value, frame, mode));
        }
        let mut taken: Vec<Entry> = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for entry in entries {
            // `for` is done by whoever holds this map.
            if matches!(entry.key.text.as_str(), "when" | "for") {
                continue;
            }
            for frame in self.repetitions(&entry.value, frame).unwrap_or_default() {
                let Some(entry) = self.entry(entry, entries, &frame, mode) else {
                    continue;
                };
                if seen.insert(entry.key.text.clone()) {
                    taken.push(entry);
                } else {
                    let message = format!("the key `{}` is made twice here", entry.key.text);
                    self.reader.error(entry.key.place, message).fix =
                        Some("use the variable of the `for` in the key".to_owned());
                }
            }
        }
        Ok(Some(Node::new(node.place, Content::Map(taken))))
    }

    /// One entry of a map, once.
    fn entry(
        &mut self,
        entry: &Entry,
        beside: &[Entry],
        frame: &Frame,
        mode: Mode,
    ) -> Option<Entry> {
        let key = self.key(&entry.key, frame)?;
        if self.is_fill_switch(&entry.key, beside, mode) {
            return None;
        }
        let value = if is_content(&entry.key, beside, mode) {
            let content = self.content(entry, beside, frame, mode);
            content.unwrap_or_else(|| Node::new(entry.value.place, Content::Unknown))
        } else {
            self.evaluate(&entry.value, frame, mode.below(&key.text))?
        };
        Some(Entry { key, value })
    }

    /// Refuses anything beside a `value:`, which stands for the whole map.
    fn alone(&mut self, entries: &[Entry]) -> Result<(), Failed> {
        let other = entries
            .iter()
            .find(|entry| !matches!(entry.key.text.as_str(), "when" | "for" | "value"));
        let Some(other) = other else {
            return Ok(());
        };
        self.reader
            .error(
                other.key.place,
                "beside `value`, only `when` and `for` can stand",
            )
            .fix = Some("put it into the `value`, or leave `value` out".to_owned());
        Err(Failed)
    }

    /// The key; expressions in it give text.
    fn key(&mut self, key: &Key, frame: &Frame) -> Option<Key> {
        if self.engine.shape(&key.text) == Shape::Plain {
            return Some(key.clone());
        }
        let text = self.filled_text(
            &Source {
                text: &key.text,
                place: key.place,
                file: None,
            },
            frame,
        )?;
        Some(Key {
            text,
            place: key.place,
        })
    }

    fn scalar(&mut self, node: &Node, scalar: &Scalar, frame: &Frame) -> Option<Node> {
        let source = Source {
            text: scalar.text(),
            place: node.place,
            file: None,
        };
        match self.engine.shape(scalar.text()) {
            Shape::Plain => Some(node.clone()),
            Shape::Value => {
                let value = self.value(&source, frame)?;
                self.tree(&value, node.place)
            }
            Shape::Text => {
                let text = self.filled_text(&source, frame)?;
                Some(Node::new(node.place, Content::Scalar(Scalar::quoted(text))))
            }
        }
    }

    fn tree(&mut self, value: &Value, place: Place) -> Option<Node> {
        match node_of(value, place, &mut self.values_left) {
            Ok(node) => Some(node),
            Err(TooMuch::Values) => {
                self.values_left = 0;
                self.spend(place);
                None
            }
            Err(TooMuch::Depth) => {
                self.reader
                    .error(place, "the value of this expression is nested too deep");
                None
            }
            Err(TooMuch::Kind) => {
                self.reader.error(
                    place,
                    "the value of this expression is not text, a number, a boolean, a list or a map",
                );
                None
            }
        }
    }

    /// The value of one expression.
    fn value(&mut self, source: &Source<'_>, frame: &Frame) -> Option<Value> {
        let names = self.engine.names(source.text);
        let variables = self.variables(&names, frame, source)?;
        match self.engine.value(source.text, &variables) {
            Ok(value) => Some(value),
            Err(failure) => {
                self.fail(failure, source, (&names, &variables));
                None
            }
        }
    }

    /// A text with expressions in it.
    pub(super) fn filled_text(&mut self, source: &Source<'_>, frame: &Frame) -> Option<String> {
        let names = self.engine.names(source.text);
        let variables = self.variables(&names, frame, source)?;
        match self.engine.text(source.text, &variables) {
            Ok(text) => Some(text),
            Err(failure) => {
                self.fail(failure, source, (&names, &variables));
                None
            }
        }
    }

    /// A `when`: `true`, `false`, or an expression with or without its braces.
    pub(super) fn condition(&mut self, node: &Node, frame: &Frame) -> Option<bool> {
        let wanted = "`true`, `false` or an expression that is one of them,";
        let Some(scalar) = node.scalar() else {
            self.reader.wrong_type(node, wanted);
            return None;
        };
        if let ScalarKind::Boolean(value) = scalar.kind() {
            return Some(value);
        }
        let value = self.bare(scalar.text(), node.place, frame)?;
        if value.kind() == ValueKind::Bool {
            return Some(value.is_true());
        }
        let found = match value.kind() {
            ValueKind::None | ValueKind::Undefined => "nothing".to_owned(),
            ValueKind::String | ValueKind::Number => format!("`{value}`"),
            kind => format!("a {kind}"),
        };
        let message = format!("this is {found} where {wanted} is wanted");
        self.reader
            .error(node.place, message.replace(", is", " is"))
            .fix =
            Some("compare it with something: `!= none`, `== \"…\"`, `|length > 0`".to_owned());
        None
    }

    /// The value of an expression that is written without braces; with them, it is the same.
    fn bare(&mut self, text: &str, place: Place, frame: &Frame) -> Option<Value> {
        let inside = text
            .trim()
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"));
        let bare = inside.unwrap_or(text);
        if let Some(failure) = self.engine.check(bare) {
            let nothing = (&BTreeSet::new(), &Value::from(()));
            self.fail(
                failure,
                &Source {
                    text: bare,
                    place,
                    file: None,
                },
                nothing,
            );
            return None;
        }
        let braced = format!("{{{{ {bare} }}}}");
        self.value(
            &Source {
                text: &braced,
                place,
                file: None,
            },
            frame,
        )
    }

    /// The frames in which a value counts: one for each thing of its `for`, or just this one where there is none.
    ///
    /// `None` is recorded.
    fn repetitions(&mut self, node: &Node, frame: &Frame) -> Option<Vec<Frame>> {
        let Some(head) = node.get("for") else {
            return Some(vec![frame.clone()]);
        };
        let bound = self.bindings(head, frame)?;
        Some(bound.into_iter().map(|bound| frame.with(bound)).collect())
    }

    /// The variables of each repetition. `None` is recorded.
    fn bindings(&mut self, head: &Node, frame: &Frame) -> Option<Vec<Vec<(String, Value)>>> {
        let Some(parsed) = head.scalar().and_then(|scalar| Loop::parse(scalar.text())) else {
            self.reader
                .error(
                    head.place,
                    "`for` says what is gone through, as `NAME in LIST` or `KEY, VALUE in MAP`",
                )
                .fix = Some("for example `for: site in cfg.sites`".to_owned());
            return None;
        };
        let value = self.bare(&parsed.over, head.place, frame)?;
        let map = value.kind() == ValueKind::Map;
        let things = match (value.kind(), parsed.names.as_slice()) {
            (ValueKind::Map, [_, _]) | (ValueKind::Seq | ValueKind::Iterable, [_]) => {
                value.try_iter().ok()
            }
            _ => None,
        };
        let Some(things) = things else {
            let wanted = if parsed.names.len() == 2 {
                "a map"
            } else {
                "a list"
            };
            self.reader
                .error(head.place, format!("`{}` is not {wanted}", parsed.over))
                .fix = Some(if map {
                format!("give two names: `for: key, value in {}`", parsed.over)
            } else {
                "a single value needs no `for`; of a text, `|list` makes its characters and `|split` its words"
                    .to_owned()
            });
            return None;
        };
        let mut bindings = Vec::new();
        for thing in things {
            if bindings.len() == REPETITIONS {
                self.reader
                    .error(
                        head.place,
                        format!("this goes through more than {REPETITIONS} things"),
                    )
                    .fix = Some("go through fewer".to_owned());
                return None;
            }
            if !self.spend(head.place) {
                return None;
            }
            bindings.push(match parsed.names.as_slice() {
                [key, of_key] => {
                    let value = value.get_item(&thing).unwrap_or_default();
                    vec![(key.clone(), thing), (of_key.clone(), value)]
                }
                names => names
                    .iter()
                    .map(|name| (name.clone(), thing.clone()))
                    .collect(),
            });
        }
        Some(bindings)
    }
}
