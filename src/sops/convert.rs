//! One format's contents in another: a decrypted YAML file as dotenv, a JSON text to be encrypted as YAML.
//!
//! What the other format cannot hold is refused by its path; nothing is guessed or left out but comments, where a format
//! has none.

use zeroize::Zeroizing;

use super::document::tree::{Child, Collection, NodeId, Shape, Tree};
use super::error::ParseError;
use super::format::Format;
use super::stores::json::style::Style;
use super::stores::yaml::render::Layout;
use super::stores::{binary, dotenv, ini};
use super::value::Value;
use crate::identity::Plaintext;

/// Contents that another format cannot hold.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The text is not of the format that it is said to be of.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The other format has no way to say this.
    #[error("`{path}` cannot be written as {format}: {reason}")]
    Inexpressible {
        /// The key path, joined with `.`; empty for the whole.
        path: String,
        /// The other format.
        format: Format,
        /// Why not.
        reason: &'static str,
    },
}

impl ConvertError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Parse(error) => error.fix(),
            Self::Inexpressible { .. } => "take another output format; `yaml` can hold everything",
        }
    }
}

/// The plain text `plain` of the format `from`, as a text of the format `to`.
///
/// Of the same format it is what it was. `indent` is the number of blanks of a level where the result has levels.
///
/// # Errors
/// [`ConvertError::Parse`] if it is not of its format, [`ConvertError::Inexpressible`] if `to` cannot hold it.
pub fn convert(
    plain: &[u8],
    from: Format,
    (to, indent): (Format, Option<usize>),
) -> Result<Plaintext, ConvertError> {
    let tree = Tree::parse_plain(plain, (from, None))?;
    if from == to {
        return Ok(Plaintext::new(plain.to_vec()));
    }
    print(&tree, to, indent)
}

/// `tree` as a text of the format `to`.
pub(super) fn print(
    tree: &Tree,
    to: Format,
    indent: Option<usize>,
) -> Result<Plaintext, ConvertError> {
    let printer = Printer { tree, to, indent };
    let root = printer.root()?;
    printer.collection(root)
}

/// The value `id` of `tree` on its own, as `sops decrypt --extract` prints it: a string as it is, a map or a list as a
/// document of the format, any other value in the format's spelling.
pub(super) fn print_value(tree: &Tree, id: NodeId, to: Format) -> Result<Plaintext, ConvertError> {
    let indent = None;
    let printer = Printer { tree, to, indent };
    let id = tree.target(id);
    let value = match tree.value(id) {
        None => return printer.collection(id),
        Some(Err(reason)) => return Err(printer.inexpressible("", reason)),
        Some(Ok(Value::Text(bytes))) => return Ok(Plaintext::new(bytes.to_vec())),
        Some(Ok(value)) => value,
    };
    let text = match to {
        Format::Json => super::stores::json::print(&value),
        Format::Dotenv => dotenv::print(&value),
        _ => {
            use super::stores::yaml::print::{Place, print};
            Ok(print(&value, Place::OneLine))
        }
    };
    let text = text.map_err(|reason| printer.inexpressible("", reason))?;
    Ok(Plaintext::new(text.as_bytes().to_vec()))
}

struct Printer<'a> {
    tree: &'a Tree,
    to: Format,
    indent: Option<usize>,
}

impl Printer<'_> {
    fn inexpressible(&self, path: &str, reason: &'static str) -> ConvertError {
        ConvertError::Inexpressible {
            path: path.to_owned(),
            format: self.to,
            reason,
        }
    }

    /// The only document; YAML may have several.
    fn root(&self) -> Result<NodeId, ConvertError> {
        match &self.tree.documents[..] {
            [only] => Ok(only.root),
            [first, ..] if self.to == Format::Yaml => Ok(first.root),
            _ => Err(self.inexpressible("", "it has several documents, and only YAML can")),
        }
    }

    fn collection(&self, id: NodeId) -> Result<Plaintext, ConvertError> {
        let text = match self.to {
            Format::Yaml => self.yaml(id),
            Format::Json => self.json(id)?,
            Format::Dotenv => self.dotenv(id)?,
            Format::Ini => self.ini(id)?,
            Format::Binary => {
                let content = binary::text_of(self.tree)
                    .ok_or_else(|| self.inexpressible("", "it has no string named `data`"))?;
                return Ok(Plaintext::new(content.to_vec()));
            }
        };
        Ok(Plaintext::new(text.as_bytes().to_vec()))
    }

    fn yaml(&self, id: NodeId) -> Zeroizing<String> {
        let step = self.indent.unwrap_or(4).max(2);
        let layout = Layout { indent: 0, step };
        let lines = self.tree.render(id, layout, &(0..self.tree.text.len()));
        if self
            .tree
            .collection(id)
            .is_none_or(|it| it.entries().next().is_none())
        {
            let empty = self.tree.render_flow(id);
            return Zeroizing::new(format!("{}{}\n", lines.as_str(), empty.as_str()));
        }
        lines
    }

    fn json(&self, id: NodeId) -> Result<Zeroizing<String>, ConvertError> {
        let text = Style::usual(self.indent)
            .print(self.tree, id, 0)
            .map_err(|reason| self.inexpressible("", reason))?;
        Ok(Zeroizing::new(format!("{}\n", text.as_str())))
    }

    fn map(&self, id: NodeId, path: &str) -> Result<&Collection, ConvertError> {
        self.tree
            .collection(self.tree.target(id))
            .filter(|collection| collection.shape == Shape::Map)
            .ok_or_else(|| self.inexpressible(path, "it is not a map"))
    }

    fn value(&self, id: NodeId, path: &str) -> Result<Value, ConvertError> {
        match self.tree.value(self.tree.target(id)) {
            Some(Ok(value)) => Ok(value),
            Some(Err(reason)) => Err(self.inexpressible(path, reason)),
            None => Err(self.inexpressible(path, "it is a map or a list, not a single value")),
        }
    }

    fn dotenv(&self, id: NodeId) -> Result<Zeroizing<String>, ConvertError> {
        let mut out = self.room();
        for child in &self.map(id, "")?.children {
            match child {
                Child::Comment(comment) => {
                    for line in comment.text.split('\n') {
                        out.push('#');
                        out.push_str(line);
                        out.push('\n');
                    }
                }
                Child::Entry(entry) => {
                    let name = entry.key.as_ref().map_or("", |key| &key.text);
                    let line = self.value(entry.value, name)?;
                    let line = dotenv::line(name, &line)
                        .map_err(|reason| self.inexpressible(name, reason))?;
                    out.push_str(&line);
                }
            }
        }
        Ok(out)
    }

    fn ini(&self, id: NodeId) -> Result<Zeroizing<String>, ConvertError> {
        let mut out = self.room();
        for child in &self.map(id, "")?.children {
            let Child::Entry(section) = child else {
                continue;
            };
            let name = section.key.as_ref().map_or("", |key| &key.text);
            let values = self.map(section.value, name)?;
            let mut lines = self.room();
            for child in &values.children {
                match child {
                    Child::Comment(comment) => {
                        lines.push_str(&ini::comment_text(&comment.text));
                    }
                    Child::Entry(entry) => {
                        let key = entry.key.as_ref().map_or("", |key| &key.text);
                        let path = format!("{name}.{key}");
                        let value = self.value(entry.value, &path)?;
                        let line = ini::line(key, &value)
                            .map_err(|reason| self.inexpressible(&path, reason))?;
                        lines.push_str(&line);
                    }
                }
            }
            if !out.is_empty() {
                out.push('\n');
            }
            let header = ini::header(name).map_err(|reason| self.inexpressible(name, reason))?;
            out.push_str(&header);
            out.push_str(&lines);
        }
        Ok(out)
    }

    /// Room for everything: a buffer that grows would leave copies of secrets behind.
    fn room(&self) -> Zeroizing<String> {
        Zeroizing::new(String::with_capacity(2 * self.tree.text.len() + 64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(plain: &str, from: Format, to: Format) -> Result<String, String> {
        let text = convert(plain.as_bytes(), from, (to, None)).map_err(|e| e.to_string())?;
        Ok(String::from_utf8(text.expose().to_vec()).unwrap())
    }

    #[test]
    fn contents_are_written_in_other_formats() {
        use Format::{Binary, Dotenv, Ini, Json, Yaml};
        let yaml = "# c\na: 1\nb: 'x\n\n  y'\nc: 1e6\nd: true\ne: ~\n";
        for (plain, from, to, expected) in [
            (
                yaml,
                Yaml,
                Dotenv,
                "# c\na=1\nb=x\\ny\nc=1E+06\nd=true\ne=<nil>\n",
            ),
            (
                yaml,
                Yaml,
                Json,
                "{\n\t\"a\": 1,\n\t\"b\": \"x\\ny\",\n\t\"c\": 1000000,\n\t\"d\": true,\n\t\"e\": null\n}\n",
            ),
            (
                "{\"a\": {\"b\": [1, \"2\"]}}",
                Json,
                Yaml,
                "a:\n    b:\n        - 1\n        - '2'\n",
            ),
            ("{}", Json, Yaml, "{}\n"),
            ("A=1\n#c\n", Dotenv, Yaml, "A: '1'\n#c\n"),
            (
                "s:\n  a: 'x;y'\n  b: 2\n",
                Yaml,
                Ini,
                "[s]\na = `x;y`\nb = 2\n",
            ),
            (
                "; c\na=1\n[s]\nb=2\n",
                Ini,
                Json,
                "{\n\t\"DEFAULT\": {\n\t\t\"a\": \"1\"\n\t},\n\t\"s\": {\n\t\t\"b\": \"2\"\n\t}\n}\n",
            ),
            ("data: raw", Yaml, Binary, "raw"),
            ("any", Binary, Yaml, "data: any\n"),
            (
                "l: &x [1]\nm: *x\n",
                Yaml,
                Json,
                "{\n\t\"l\": [\n\t\t1\n\t],\n\t\"m\": [\n\t\t1\n\t]\n}\n",
            ),
        ] {
            assert_eq!(
                converted(plain, from, to).as_deref(),
                Ok(expected),
                "{plain} {to}"
            );
        }
    }

    #[test]
    fn what_a_format_cannot_hold_is_refused_by_its_path() {
        use Format::{Binary, Dotenv, Ini, Json, Yaml};
        for (plain, from, to, place) in [
            ("a: [1]\n", Yaml, Dotenv, "`a`"),
            ("a: {b: 1}\n", Yaml, Dotenv, "`a`"),
            ("a=b: 1\n", Yaml, Dotenv, "`a=b`"),
            ("a: 'C:\\new'\n", Yaml, Dotenv, "`a`"),
            ("sops_a: 1\n", Yaml, Dotenv, "sops_"),
            ("a: 1\n", Yaml, Ini, "`a`"),
            ("a: {b: {c: 1}}\n", Yaml, Ini, "`a.b`"),
            ("a: {b: ~}\n", Yaml, Ini, "`a.b`"),
            ("a: .nan\n", Yaml, Json, "json"),
            ("a: 1\n---\nb: 2\n", Yaml, Json, "documents"),
            ("a: 1\n", Yaml, Binary, "data"),
            ("a", Json, Yaml, "JSON"),
        ] {
            let error = converted(plain, from, to).unwrap_err();
            assert!(error.contains(place), "{plain} {to}: {error}");
        }
    }
}
