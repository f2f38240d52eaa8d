//! From a JSON text to its tree, with the limits that hostile files meet.

use zeroize::Zeroizing;

use crate::sops::document::tree::{
    Child, Collection, Document, Entry, EntryPlace, Key, Kind, Node, NodeId, Scalar, Shape, Style,
    Tree, line_break,
};
use crate::sops::error::ParseError;
use crate::sops::stores::yaml::scalar::ScalarForm;
use crate::sops::stores::{DEEPEST_NESTING, Store};

/// Parses one object, and nothing after it.
pub(in crate::sops::stores) fn parse(text: &str, store: Store) -> Result<Tree, ParseError> {
    let mut parser = Parser {
        text,
        at: 0,
        line: 1,
        line_start: 0,
        depth: 0,
        nodes: Vec::new(),
    };
    parser.skip_blanks();
    let root = match parser.peek() {
        Some(b'{') => parser.value(EntryPlace::default())?,
        None => return Err(ParseError::Empty),
        Some(_) => {
            return Err(ParseError::Shape {
                line: parser.line,
                reason: format!("{} must be one JSON object, `{{…}}`", what(store)),
            });
        }
    };
    parser.skip_blanks();
    if parser.peek().is_some() {
        return Err(parser.error("there is something after the end of the object"));
    }
    Ok(Tree {
        text: Zeroizing::new(text.to_owned()),
        store,
        nodes: parser.nodes,
        documents: vec![Document {
            root,
            end: text.len(),
        }],
        step: 0,
        line_break: line_break(text),
    })
}

fn what(store: Store) -> &'static str {
    match store {
        Store::Envelope | Store::Content => "an encrypted file of this name (binary, to sops)",
        _ => "the file",
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// From 1.
    line: usize,
    line_start: usize,
    depth: usize,
    nodes: Vec<Node>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.line += 1;
                    self.line_start = self.at;
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                _ => return,
            }
        }
    }

    fn error(&self, reason: &str) -> ParseError {
        ParseError::Syntax {
            line: self.line,
            column: self.column() + 1,
            reason: reason.to_owned(),
        }
    }

    /// In bytes: it orders things and is never counted on.
    fn column(&self) -> usize {
        self.at - self.line_start
    }

    fn value(&mut self, entry: EntryPlace) -> Result<NodeId, ParseError> {
        match self.peek() {
            Some(b'{') => self.collection(Shape::Map, entry),
            Some(b'[') => self.collection(Shape::List, entry),
            Some(b'"') => {
                let start = self.at;
                let text = self.string()?;
                Ok(self.scalar(start, entry, (text, ScalarForm::Quoted)))
            }
            Some(_) => {
                let start = self.at;
                let rest = &self.text[start..];
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
                let word = &rest[..end.unwrap_or(rest.len())];
                if !matches!(word, "true" | "false" | "null") && !is_number(word) {
                    return Err(self.error("this is no JSON value"));
                }
                self.at += word.len();
                let text = Zeroizing::new(word.to_owned());
                Ok(self.scalar(start, entry, (text, ScalarForm::Plain)))
            }
            None => Err(self.error("the file ends in the middle of an object")),
        }
    }

    fn scalar(
        &mut self,
        start: usize,
        entry: EntryPlace,
        (text, form): (Zeroizing<String>, ScalarForm),
    ) -> NodeId {
        let scalar = Scalar {
            text,
            form,
            block: None,
        };
        self.store(start, entry, Kind::Scalar(scalar))
    }

    fn store(&mut self, start: usize, entry: EntryPlace, kind: Kind) -> NodeId {
        self.nodes.push(Node {
            kind,
            span: start..self.at,
            line: self.line,
            column: start.saturating_sub(self.line_start),
            tag: None,
            anchor: None,
            inside_flow: true,
            entry,
        });
        self.nodes.len() - 1
    }

    fn collection(&mut self, shape: Shape, entry: EntryPlace) -> Result<NodeId, ParseError> {
        if self.depth >= DEEPEST_NESTING {
            return Err(ParseError::Shape {
                line: self.line,
                reason: "it is nested too deeply".to_owned(),
            });
        }
        self.depth += 1;
        let close = match shape {
            Shape::Map => b'}',
            Shape::List => b']',
        };
        // The parent stands before its children, as in every tree.
        let kind = |children| {
            Kind::Collection(Collection {
                shape,
                style: Style::Flow,
                children,
            })
        };
        let start = self.at;
        let id = self.store(start, entry, kind(Vec::new()));
        self.at += 1;
        let children = self.children(shape, close)?;
        self.nodes[id].kind = kind(children);
        self.nodes[id].span = start..self.at;
        self.depth -= 1;
        Ok(id)
    }

    fn children(&mut self, shape: Shape, close: u8) -> Result<Vec<Child>, ParseError> {
        let mut children = Vec::new();
        loop {
            self.skip_blanks();
            if self.peek() == Some(close) && children.is_empty() {
                self.at += 1;
                return Ok(children);
            }
            children.push(Child::Entry(self.entry(shape)?));
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => {
                    self.at += 1;
                    return Ok(children);
                }
                Some(_) => return Err(self.error("a comma or a closing bracket is missing here")),
                None => return Err(self.error("the file ends in the middle of an object")),
            }
        }
    }

    fn entry(&mut self, shape: Shape) -> Result<Entry, ParseError> {
        let (start, column) = (self.at, self.column());
        if shape == Shape::List {
            let place = EntryPlace {
                column,
                after: start,
                is_keyed: false,
            };
            return Ok(Entry {
                key: None,
                start,
                column,
                value: self.value(place)?,
            });
        }
        if self.peek() != Some(b'"') {
            return Err(self.error("a key in double quotes is missing here"));
        }
        let text = self.string()?;
        let key = Key {
            text: text.to_string(),
            span: start..self.at,
        };
        self.skip_blanks();
        if self.peek() != Some(b':') {
            return Err(self.error("a colon is missing here"));
        }
        self.at += 1;
        self.skip_blanks();
        let place = EntryPlace {
            column,
            after: key.span.end,
            is_keyed: true,
        };
        Ok(Entry {
            key: Some(key),
            start,
            column,
            value: self.value(place)?,
        })
    }

    /// A string, from its opening quote to behind its closing one.
    fn string(&mut self) -> Result<Zeroizing<String>, ParseError> {
        self.at += 1;
        // Never longer than what it is written as: a buffer that grows would leave copies of secrets behind.
        let length = self.text[self.at..].find('"').unwrap_or_default();
        let mut text = Zeroizing::new(String::with_capacity(length));
        loop {
            let rest = &self.text[self.at..];
            let end = rest
                .bytes()
                .position(|byte| matches!(byte, b'"' | b'\\' | ..b' '));
            let Some(end) = end else {
                return Err(self.error("a string is not closed"));
            };
            text.push_str(&rest[..end]);
            self.at += end;
            match rest.as_bytes()[end] {
                b'"' => {
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => text.push(self.escape()?),
                _ => return Err(self.error("a string holds a control character")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        let letter = self.text.as_bytes().get(self.at + 1).copied();
        let plain = match letter {
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(letter),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.hex(self.at)?;
                self.at += 6;
                // Half of a pair on its own is not a character: sops reads U+FFFD.
                return Ok(match first {
                    0xd800..=0xdbff => match self.hex(self.at) {
                        Ok(second @ 0xdc00..=0xdfff) => {
                            self.at += 6;
                            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                        }
                        _ => char::REPLACEMENT_CHARACTER,
                    },
                    code => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                });
            }
            _ => return Err(self.error("this is no escape that JSON knows")),
        };
        self.at += 2;
        Ok(plain)
    }

    /// The number of a `\uXXXX` at `at`.
    fn hex(&self, at: usize) -> Result<u32, ParseError> {
        let digits = self.text.get(at..at + 6);
        digits
            .and_then(|digits| digits.strip_prefix("\\u"))
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.error("this is no escape that JSON knows"))
    }
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`
fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent
            .is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sops::value::Value;

    fn tree(text: &str) -> Result<Tree, ParseError> {
        parse(text, Store::Json)
    }

    fn text_at(tree: &Tree, path: &[&str]) -> Option<String> {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        let value = tree.value(tree.find(&path)?)?.ok()?;
        String::from_utf8(value.canonical().to_vec()).ok()
    }

    #[test]
    fn values_and_places_are_read() {
        let text = "{\n  \"a\": [1, {\"b\": \"x\\u00e9\\ud83d\\ude00\\/\"}],\n  \"c\": -1.5e3\n}\n";
        let tree = tree(text).unwrap();
        assert_eq!(text_at(&tree, &["a", "0"]).unwrap(), "1");
        assert_eq!(text_at(&tree, &["a", "1", "b"]).unwrap(), "xé😀/");
        assert_eq!(text_at(&tree, &["c"]).unwrap(), "-1500");
        let node = tree.find(&["c".to_owned()]).unwrap();
        assert_eq!(&text[tree.node(node).span.clone()], "-1.5e3");
        assert_eq!(tree.node(node).line, 3);
    }

    #[test]
    fn duplicate_keys_stay_in_order() {
        let tree = tree("{\"a\": 1, \"a\": {\"b\": 2}}").unwrap();
        assert_eq!(tree.leaf_paths().len(), 2);
        assert_eq!(text_at(&tree, &["a"]).unwrap(), "1");
        assert_eq!(text_at(&tree, &["a", "b"]).unwrap(), "2");
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place() {
        for text in [
            "",
            " ",
            "[]",
            "1",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":+1}",
            "{\"a\":tru}",
            "{\"a\":NaN}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"",
            "{\"a\":[1 2]}",
            "{} {}",
            "{}x",
            "\u{feff}{}",
        ] {
            assert!(tree(text).is_err(), "{text}");
        }
        let deep = "[".repeat(200);
        assert!(tree(&format!("{{\"a\":{deep}")).is_err());
        assert!(matches!(
            tree("{\n\"a\": 1,\n\"b\" 2}"),
            Err(ParseError::Syntax {
                line: 3,
                column: 5,
                ..
            })
        ));
    }

    #[test]
    fn numbers_are_integers_where_they_fit() {
        let tree = tree(
            "{\"a\": 9223372036854775807, \"b\": 9223372036854775808, \"c\": 1.0, \"d\": 1e400}",
        )
        .unwrap();
        let value = |key: &str| tree.value(tree.find(&[key.to_owned()]).unwrap()).unwrap();
        assert!(matches!(value("a"), Ok(Value::Int(i64::MAX))));
        assert!(matches!(value("b"), Ok(Value::Float(_))));
        assert!(matches!(value("c"), Ok(Value::Float(_))));
        assert!(value("d").is_err());
    }
}
