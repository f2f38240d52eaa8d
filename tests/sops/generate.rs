//! Random documents of all stores: what people might write, and a little of what nobody should.

use rand::Rng as _;
use rand::rngs::StdRng;
use steadfast::sops::Format;

use crate::model::{Entry, Layout, Model, Node, Scalar, Value, Written};
use crate::scalars::{self, Text};

const DEEPEST: usize = 4;

/// Makes documents out of random numbers.
pub(super) struct Generator<'a> {
    random: &'a mut StdRng,
    store: Format,
    /// Numbers keys and comments, so that none is there twice.
    names: usize,
    /// How many lists are open.
    lists: usize,
    /// Scalars and flow nodes that have an anchor, in the document at hand.
    anchors: Vec<(String, Node)>,
}

impl Generator<'_> {
    /// A document of `store`.
    pub(super) fn model(random: &mut StdRng, store: Format) -> Model {
        let mut generator = Generator {
            random,
            store,
            names: 0,
            lists: 0,
            anchors: Vec::new(),
        };
        let layout = Layout {
            step: generator.random.gen_range(2..=4),
            deep_lists: generator.chance(2),
        };
        let count = match store {
            Format::Binary => 0,
            Format::Yaml if generator.chance(8) => generator.random.gen_range(2..4),
            _ => 1,
        };
        let mut documents = Vec::new();
        for _ in 0..count {
            generator.anchors.clear();
            documents.push(match store {
                Format::Ini => generator.sections(),
                Format::Dotenv => generator.entries(0, 12),
                _ => generator.entries(0, 6),
            });
        }
        let bytes = match store {
            Format::Binary => generator.bytes(),
            _ => Vec::new(),
        };
        Model {
            store,
            documents,
            bytes,
            layout,
        }
    }

    fn chance(&mut self, one_in: u32) -> bool {
        self.random.gen_ratio(1, one_in)
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = match self.random.gen_range(0..4) {
            0 => 0,
            1 => self.random.gen_range(1..5),
            2 => self.random.gen_range(5..300),
            _ => self.random.gen_range(300..20_000),
        };
        (0..length).map(|_| self.random.r#gen()).collect()
    }

    fn sections(&mut self) -> Vec<Entry> {
        let mut sections = Vec::new();
        if self.chance(2) {
            sections.push(Entry {
                blank: false,
                comments: Vec::new(),
                key: "DEFAULT".to_owned(),
                node: Node::Map(self.entries(DEEPEST, 4)),
                inline: None,
            });
        }
        for _ in 0..self.random.gen_range(1..4) {
            let mut section = self.entry(DEEPEST);
            section.inline = None;
            section.node = Node::Map(self.entries(DEEPEST, 5));
            sections.push(section);
        }
        sections
    }

    /// Up to `most` entries with different keys.
    fn entries(&mut self, depth: usize, most: usize) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for _ in 0..self.random.gen_range(1..=most) {
            let entry = self.entry(depth);
            if entries.iter().all(|other| other.key != entry.key) {
                entries.push(entry);
            }
        }
        entries
    }

    fn entry(&mut self, depth: usize) -> Entry {
        self.names += 1;
        let name = self.names;
        let key = scalars::key(self.random, self.store, name);
        let (blank, comments) = self.before();
        // sops prints keys of more than 128 bytes with `?`, and then looks for comments below elsewhere.
        let depth = if key.len() > 128 { DEEPEST } else { depth };
        let node = self.node(depth);
        let inline = self.inline(&node);
        Entry {
            blank,
            comments,
            key,
            node,
            inline,
        }
    }

    /// A blank line and comments before an entry. JSON has no comments.
    fn before(&mut self) -> (bool, Vec<String>) {
        let blank = self.chance(6);
        let mut comments = Vec::new();
        if self.store != Format::Json && self.chance(4) {
            // INI joins neighbouring comments to one.
            let most = if self.store == Format::Ini { 1 } else { 2 };
            for _ in 0..self.random.gen_range(1..=most) {
                self.names += 1;
                let odd = if self.store == Format::Yaml {
                    self.random.gen_range(0..12)
                } else {
                    12
                };
                comments.push(match odd {
                    // In a list, sops takes an empty comment for an item that is the empty string.
                    0 if self.lists == 0 => String::new(),
                    1 => format!("no blank: \"{}\"", self.names),
                    _ => format!(" comment {}", self.names),
                });
            }
        }
        (blank, comments)
    }

    fn inline(&mut self, node: &Node) -> Option<String> {
        let one_line = match node {
            Node::Scalar(scalar) => matches!(scalar.written, Written::Line(_)),
            Node::Flow(_) => true,
            _ => false,
        };
        if self.store != Format::Yaml || !one_line || !self.chance(10) {
            return None;
        }
        self.names += 1;
        Some(format!(" inline {}", self.names))
    }

    fn node(&mut self, depth: usize) -> Node {
        if matches!(self.store, Format::Dotenv | Format::Ini) {
            return Node::Scalar(self.scalar());
        }
        match self.random.gen_range(0..5) {
            0 if depth < DEEPEST => self.collection(depth, Self::map),
            1 if depth < DEEPEST => self.collection(depth, Self::list),
            2 if self.store == Format::Yaml && self.chance(3) => self.shared(),
            _ => Node::Scalar(self.scalar()),
        }
    }

    fn collection(&mut self, depth: usize, make: fn(&mut Self, usize) -> Node) -> Node {
        if self.chance(12) {
            return match make(self, DEEPEST) {
                Node::Map(_) => Node::Map(Vec::new()),
                _ => Node::List(Vec::new()),
            };
        }
        let node = make(self, depth + 1);
        if self.store == Format::Yaml && self.chance(6) {
            return Node::Flow(Box::new(node));
        }
        node
    }

    fn map(&mut self, depth: usize) -> Node {
        Node::Map(self.entries(depth, 4))
    }

    fn list(&mut self, depth: usize) -> Node {
        let count = self.random.gen_range(1..5);
        let mut items = Vec::new();
        self.lists += 1;
        for _ in 0..count {
            let (blank, comments) = self.before();
            let node = self.node(depth);
            let inline = self.inline(&node);
            items.push(Entry {
                blank,
                comments,
                key: String::new(),
                node,
                inline,
            });
        }
        self.lists -= 1;
        Node::List(items)
    }

    /// A scalar with an anchor, or an alias to one.
    fn shared(&mut self) -> Node {
        if !self.anchors.is_empty() && self.chance(2) {
            let at = self.random.gen_range(0..self.anchors.len());
            let (name, node) = self.anchors[at].clone();
            return Node::Alias(name, Box::new(node));
        }
        let node = Node::Scalar(self.scalar());
        self.names += 1;
        let name = format!("anchor{}", self.names);
        self.anchors.push((name.clone(), node.clone()));
        Node::Anchor(name, Box::new(node))
    }

    fn scalar(&mut self) -> Scalar {
        let text_only = matches!(self.store, Format::Dotenv | Format::Ini);
        if text_only || self.random.gen_ratio(1, 2) {
            let text = Text::random(self.random, self.store);
            return Scalar {
                written: text.written(self.random, self.store),
                value: Value::Text(text.0),
            };
        }
        scalars::typed(self.random, self.store)
    }
}
