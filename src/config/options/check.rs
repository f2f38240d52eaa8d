//! Whether a value fits its specification.

use super::spec::{Further, Spec, Specs, Type, number};
use crate::config::error::ConfigError;
use crate::config::nearest::nearest;
use crate::config::reader::{Reader, listed};
use crate::config::yaml::{Entry, Key, Node, Place, Scalar, ScalarKind, Value};

/// Checks the value of one option.
pub(in crate::config) struct Checker<'r> {
    pub(in crate::config) reader: &'r mut Reader,
    /// The option, for messages: "the option `schedule` of `restic-backup`".
    pub(in crate::config) what: String,
}

impl Checker<'_> {
    /// The value as the module sees it: defaults filled in, text for what has to be text. `None` is recorded.
    pub(in crate::config) fn check(&mut self, spec: &Spec, node: &Node) -> Option<Node> {
        if node.value == Value::Unknown {
            return None;
        }
        if node.is_null() && spec.default.as_ref().is_some_and(Node::is_null) {
            return Some(node.clone());
        }
        let taken = match &spec.kind {
            Type::Any => node.clone(),
            Type::String => self.string(spec, node)?,
            Type::Integer => self.integer(spec, node)?,
            Type::Number => {
                let value = number(node);
                self.number(spec, node, value, "a number")?
            }
            Type::Boolean => {
                self.reader.boolean(node)?;
                node.clone()
            }
            Type::Array { items, unique } => self.array(spec, node, items.as_deref(), *unique)?,
            Type::Object {
                properties,
                required,
                further,
            } => self.object(node, properties, required, further)?,
        };
        self.choice(spec, &taken)?;
        Some(taken)
    }

    fn wrong(&mut self, place: Place, message: impl Into<String>, spec: &Spec) -> &mut ConfigError {
        let declared = self.reader.mark(spec.place);
        let what = self.what.clone();
        let error = self.reader.error(place, message);
        error.related = Some((declared, format!("{what} is declared here")));
        error
    }

    fn choice(&mut self, spec: &Spec, node: &Node) -> Option<()> {
        let text = |node: &Node| node.scalar().map(|scalar| scalar.text().to_owned());
        if spec.choices.is_empty()
            || spec.choices.iter().any(|choice| {
                choice.says_the_same(node) || (text(choice).is_some() && text(choice) == text(node))
            })
        {
            return Some(());
        }
        let words: Vec<String> = spec.choices.iter().filter_map(text).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let found = text(node);
        let meant = found
            .as_deref()
            .and_then(|found| nearest(found, words.iter().copied()));
        let fix = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the values are {}", listed(&words)),
        };
        let message = match &found {
            Some(found) => format!("`{found}` is not a value of {}", self.what),
            None => format!("this is not a value of {}", self.what),
        };
        self.reader.error(node.place, message).fix = Some(fix);
        None
    }

    fn string(&mut self, spec: &Spec, node: &Node) -> Option<Node> {
        let text = self.reader.text(node)?.to_owned();
        let length = text.chars().count();
        let within = |least: Option<usize>, most: Option<usize>| {
            least.is_none_or(|least| length >= least) && most.is_none_or(|most| length <= most)
        };
        if !within(spec.length.least, spec.length.most) {
            let wanted = bounds(spec.length.least, spec.length.most);
            let message = format!(
                "{} has {wanted} characters, and this has {length}",
                self.what
            );
            self.wrong(node.place, message, spec);
            return None;
        }
        if let Some(pattern) = &spec.pattern
            && !pattern.is_match(&text)
        {
            let message = format!(
                "this does not match `{pattern}`, the pattern of {}",
                self.what
            );
            self.wrong(node.place, message, spec);
            return None;
        }
        if let Some(format) = spec.format
            && let Err(message) = format.check(&text)
        {
            self.wrong(node.place, message, spec).fix = format.fix(&text);
            return None;
        }
        Some(Node::new(node.place, Value::Scalar(Scalar::quoted(text))))
    }

    fn integer(&mut self, spec: &Spec, node: &Node) -> Option<Node> {
        let whole = node.scalar().is_some_and(|scalar| {
            let digits = scalar.text().trim_start_matches('-');
            scalar.kind() == ScalarKind::Integer
                && digits.len() <= 15
                && digits.bytes().all(|b| b.is_ascii_digit())
                && (digits == "0" || !digits.starts_with('0'))
        });
        let value = number(node).filter(|_| whole);
        self.number(spec, node, value, "a whole number")
    }

    fn number(
        &mut self,
        spec: &Spec,
        node: &Node,
        value: Option<f64>,
        wanted: &str,
    ) -> Option<Node> {
        let Some(value) = value else {
            self.reader.wrong_type(node, wanted);
            return None;
        };
        let (least, most) = (spec.range.least, spec.range.most);
        if least.is_some_and(|least| value < least) || most.is_some_and(|most| value > most) {
            let message = format!(
                "{} is {}, and this is {value}",
                self.what,
                bounds(least, most)
            );
            self.wrong(node.place, message, spec);
            return None;
        }
        Some(node.clone())
    }

    fn array(
        &mut self,
        spec: &Spec,
        node: &Node,
        item: Option<&Spec>,
        unique: bool,
    ) -> Option<Node> {
        let items = self.reader.list(node, "values")?;
        let mut taken: Vec<Node> = Vec::new();
        let mut good = true;
        for one in items {
            let checked = match item {
                None => Some(one.clone()),
                Some(item) => self.check(item, one),
            };
            let Some(checked) = checked else {
                good = false;
                continue;
            };
            if unique && taken.iter().any(|taken| taken.says_the_same(&checked)) {
                self.wrong(
                    one.place,
                    format!("{} has this value already", self.what),
                    spec,
                );
                good = false;
            }
            taken.push(checked);
        }
        let count = items.len();
        let (least, most) = (spec.length.least, spec.length.most);
        if least.is_some_and(|least| count < least) || most.is_some_and(|most| count > most) {
            let message = format!(
                "{} has {} items, and this has {count}",
                self.what,
                bounds(least, most)
            );
            self.wrong(node.place, message, spec);
            good = false;
        }
        good.then(|| Node::new(node.place, Value::List(taken)))
    }

    fn object(
        &mut self,
        node: &Node,
        properties: &Specs,
        required: &[String],
        further: &Further,
    ) -> Option<Node> {
        let what = self.what.clone();
        let entries = self.reader.entries(node, &what)?;
        let known: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut taken = Vec::new();
        let mut good = true;
        for entry in entries {
            let spec = match (properties.get(&entry.key.text), further) {
                (Some(spec), _) => Some(spec),
                (None, Further::Of(spec)) => Some(spec.as_ref()),
                (None, Further::Anything) => None,
                (None, Further::Refused) => {
                    self.reader.known_key(&entry.key, &what, &known);
                    good = false;
                    continue;
                }
            };
            let value = match spec {
                Some(spec) => self.check(spec, &entry.value),
                None => Some(entry.value.clone()),
            };
            match value {
                Some(value) => taken.push(Entry {
                    key: entry.key.clone(),
                    value,
                }),
                None => good = false,
            }
        }
        for (name, spec) in properties {
            if node.get(name).is_some() {
                continue;
            }
            if let Some(default) = &spec.default {
                let value = self.check(spec, default)?;
                let key = Key {
                    text: name.clone(),
                    place: spec.place,
                };
                taken.push(Entry { key, value });
            } else if required.contains(name) {
                let message = format!("{what} needs `{name}`");
                self.wrong(node.place, message, spec);
                good = false;
            } else {
                // Not undefined but nothing, so that an expression can ask.
                let nothing = Scalar::new(String::new(), true);
                let key = Key {
                    text: name.clone(),
                    place: spec.place,
                };
                let value = Node::new(spec.place, Value::Scalar(nothing));
                taken.push(Entry { key, value });
            }
        }
        good.then(|| Node::new(node.place, Value::Map(taken)))
    }
}

/// `1 to 5`, `at least 1`, `at most 5`
fn bounds<T: std::fmt::Display>(least: Option<T>, most: Option<T>) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => "any number of".to_owned(),
    }
}
