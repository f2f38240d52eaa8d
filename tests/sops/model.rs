//! A generated document: what it means, apart from how a store writes it. The oracle that both readers are held to.

use steadfast::sops::Format;

/// A file name that both programs take for this format.
pub(super) fn file_name(store: Format) -> &'static str {
    match store {
        Format::Yaml => "file.yaml",
        Format::Json => "file.json",
        Format::Dotenv => "file.env",
        Format::Ini => "file.ini",
        Format::Binary => "file.bin",
    }
}

/// A whole document of one store.
#[derive(Clone)]
pub(super) struct Model {
    pub(super) store: Format,
    /// YAML may have several; the binary store has none.
    pub(super) documents: Vec<Vec<Entry>>,
    /// The bytes of the binary store.
    pub(super) bytes: Vec<u8>,
    pub(super) layout: Layout,
}

/// How the whole text is written.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// Blanks per level.
    pub(super) step: usize,
    /// Lists below a key stand deeper than it.
    pub(super) deep_lists: bool,
}

/// An entry of a map, or with an empty key an item of a list.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) blank: bool,
    pub(super) comments: Vec<String>,
    pub(super) key: String,
    pub(super) node: Node,
    pub(super) inline: Option<String>,
}

#[derive(Clone)]
pub(super) enum Node {
    Map(Vec<Entry>),
    List(Vec<Entry>),
    /// In one line, `[…]` or `{…}`.
    Flow(Box<Node>),
    /// The same as what an anchor of this name holds.
    Alias(String, Box<Node>),
    /// With an anchor.
    Anchor(String, Box<Node>),
    Scalar(Scalar),
}

#[derive(Clone)]
pub(super) struct Scalar {
    pub(super) value: Value,
    /// As YAML may write it here; other stores have one way.
    pub(super) written: Written,
}

/// A typed value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// As sops prints it.
    Time(String),
}

#[derive(Clone)]
pub(super) enum Written {
    /// On the line of its key.
    Line(String),
    /// As a literal block.
    Literal,
}

/// A leaf's path and the bytes that a reader gives for it; nothing for null.
pub(super) type Leaf = (Vec<String>, Option<Vec<u8>>);

impl Value {
    /// The bytes that a secret file of this value holds.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        let text = match self {
            Self::Null => return None,
            Self::Text(text) | Self::Time(text) => text.clone(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) if number.is_nan() => "NaN".to_owned(),
            Self::Float(number) if number.is_infinite() => {
                let sign = if *number > 0.0 { '+' } else { '-' };
                format!("{sign}Inf")
            }
            Self::Float(number) => number.to_string(),
            Self::Bool(truth) => truth.to_string(),
        };
        Some(text.into_bytes())
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Text(text) | Self::Time(text) => text.as_str().into(),
            Self::Int(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Bool(truth) => (*truth).into(),
        }
    }
}

impl Node {
    /// Below flow style, anchors and aliases.
    pub(super) fn bare(&self) -> &Self {
        match self {
            Self::Flow(node) | Self::Alias(_, node) | Self::Anchor(_, node) => node.bare(),
            other => other,
        }
    }

    pub(super) fn json(&self) -> serde_json::Value {
        match self.bare() {
            Self::Map(entries) => json_of(entries),
            Self::List(items) => items.iter().map(|item| item.node.json()).collect(),
            Self::Scalar(scalar) => scalar.value.json(),
            Self::Flow(_) | Self::Alias(..) | Self::Anchor(..) => unreachable!("bare"),
        }
    }

    fn collect(&self, path: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
        let mut below = |name: String, node: &Self| {
            path.push(name);
            node.collect(path, leaves);
            path.pop();
        };
        match self.bare() {
            Self::Map(entries) => {
                for entry in entries {
                    below(entry.key.clone(), &entry.node);
                }
            }
            Self::List(items) => {
                for (position, item) in items.iter().enumerate() {
                    below(position.to_string(), &item.node);
                }
            }
            Self::Scalar(scalar) => leaves.push((path.clone(), scalar.value.bytes())),
            Self::Flow(_) | Self::Alias(..) | Self::Anchor(..) => unreachable!("bare"),
        }
    }
}

fn json_of(entries: &[Entry]) -> serde_json::Value {
    let entries = entries.iter();
    entries
        .map(|entry| (entry.key.clone(), entry.node.json()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

impl Model {
    /// The leaves of the first document, in order: what `key_paths` and `get` must give.
    pub(super) fn leaves(&self) -> Vec<Leaf> {
        if self.store == Format::Binary {
            return vec![(vec!["data".to_owned()], Some(self.bytes.clone()))];
        }
        let mut leaves = Vec::new();
        if let Some(first) = self.documents.first() {
            Node::Map(first.clone()).collect(&mut Vec::new(), &mut leaves);
        }
        leaves
    }

    /// The first document as sops prints it in JSON; nothing if JSON has no word for a value in it.
    pub(super) fn json(&self) -> Option<serde_json::Value> {
        let first = self.documents.first()?;
        let mut value = json_of(first);
        if self.store == Format::Ini && value.get("DEFAULT").is_none() {
            value["DEFAULT"] = serde_json::json!({});
        }
        let finite = |text: &str| !["NaN", "+Inf", "-Inf"].contains(&text);
        let speakable = self.leaves().iter().all(|(_, value)| {
            value
                .as_deref()
                .is_none_or(|value| std::str::from_utf8(value).is_ok_and(finite))
        });
        speakable.then_some(value)
    }

    /// Whether a comment stands in or below a list.
    pub(super) fn has_list_comments(&self) -> bool {
        fn has(node: &Node, in_list: bool) -> bool {
            let of = |entries: &[Entry], in_list: bool| {
                entries.iter().any(|entry| {
                    (in_list && (!entry.comments.is_empty() || entry.inline.is_some()))
                        || has(&entry.node, in_list)
                })
            };
            match node.bare() {
                Node::Map(entries) => of(entries, in_list),
                Node::List(items) => of(items, true),
                _ => false,
            }
        }
        self.documents
            .iter()
            .any(|entries| has(&Node::Map(entries.clone()), false))
    }
}

/// A step of a path: into a map or into a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Position(usize),
}

impl Step {
    /// As the library names it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Key(key) => key.clone(),
            Self::Position(position) => position.to_string(),
        }
    }

    /// As sops names it, if it can.
    fn sops(&self) -> Option<String> {
        match self {
            Self::Position(position) => Some(format!("[{position}]")),
            Self::Key(key) if key.contains(['[', ']', '"', '\'']) || key.is_empty() => None,
            Self::Key(key) => Some(format!("[\"{key}\"]")),
        }
    }
}

/// A path as sops takes it, if it can name it.
pub(super) fn sops_path(path: &[Step]) -> Option<String> {
    path.iter().map(Step::sops).collect()
}
