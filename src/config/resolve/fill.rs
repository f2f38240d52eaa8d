//! Contents that are filled in: `template: true` beside a `file`, and everything under `templates`.

use super::evaluate::Mode;
use super::explain::Source;
use super::run::Run;
use super::scope::Frame;
use crate::config::yaml::{Entry, FilledFile, Key, Node, Scalar, Value as Content};
use crate::secrets::parse_template;

impl Run<'_> {
    /// Whether this key only says how the `file` beside it is taken.
    pub(super) fn is_fill_switch(&mut self, key: &Key, entries: &[Entry], mode: Mode) -> bool {
        let switch = mode == Mode::Resource && key.text == "template";
        if switch && !entries.iter().any(|entry| entry.key.text == "file") {
            self.reader
                .error(key.place, "`template` goes with a `file` beside it")
                .fix = Some("leave it out: a `text` is filled in anyway".to_owned());
        }
        switch
    }

    /// The content, filled in. `None` is recorded.
    pub(super) fn content(
        &mut self,
        entry: &Entry,
        entries: &[Entry],
        frame: &Frame,
        mode: Mode,
    ) -> Option<Node> {
        let Entry { key, value } = entry;
        if mode == Mode::Template && key.text == "text" {
            return self.template_text(value, frame);
        }
        let name = self.evaluate(value, frame, Mode::Resource)?;
        if name.value == Content::Unknown {
            return None;
        }
        let switch = entries.iter().find(|entry| entry.key.text == "template");
        let fill = match switch.filter(|_| mode != Mode::Template) {
            Some(switch) => {
                let switch = self.evaluate(&switch.value, frame, Mode::Resource)?;
                self.reader.boolean(&switch)?
            }
            None => mode == Mode::Template,
        };
        if fill {
            self.filled_file(&name, frame, mode)
        } else {
            Some(name)
        }
    }

    /// A text with secrets in it. One that has nothing else stays as it is: it is read when the host is built.
    fn template_text(&mut self, node: &Node, frame: &Frame) -> Option<Node> {
        let Some(scalar) = node.scalar() else {
            return self.evaluate(node, frame, Mode::Resource);
        };
        if only_secrets(scalar.text()) {
            return Some(node.clone());
        }
        let source = Source {
            text: scalar.text(),
            place: node.place,
            file: None,
        };
        let text = self.secret_text(&source, frame)?;
        Some(Node::new(node.place, Content::Scalar(Scalar::quoted(text))))
    }

    fn secret_text(&mut self, source: &Source<'_>, frame: &Frame) -> Option<String> {
        let names = self.engine.names(source.text);
        let variables = self.variables(&names, frame, source)?;
        match self.engine.secret_text(source.text, &variables) {
            Ok(text) => Some(text),
            Err(failure) => {
                self.fail(failure, source, (&names, &variables));
                None
            }
        }
    }

    fn filled_file(&mut self, name: &Node, frame: &Frame, mode: Mode) -> Option<Node> {
        let written = self.reader.line(name)?.to_owned();
        let folder = self.reader.folder(name.place);
        let path = match self.repository.locate(&written, &folder) {
            Ok(path) => path,
            Err(missing) => {
                self.reader.error(name.place, missing.message).fix = missing.fix;
                return None;
            }
        };
        let content = match self.snapshot.read(&path) {
            Ok(content) => content.unwrap_or_default(),
            Err(error) => {
                self.reader.error(name.place, error.to_string());
                return None;
            }
        };
        let Ok(text) = String::from_utf8(content) else {
            self.reader
                .error(
                    name.place,
                    format!("`{path}` is not UTF-8 text, so nothing can be filled in"),
                )
                .fix = (mode != Mode::Template).then(|| "leave `template` out".to_owned());
            return None;
        };
        if mode == Mode::Template && only_secrets(&text) {
            return Some(name.clone());
        }
        let source = Source {
            text: &text,
            place: name.place,
            file: Some(&path),
        };
        let text = match mode {
            Mode::Template => self.secret_text(&source, frame)?,
            _ => self.filled_text(&source, frame)?,
        };
        let filled = FilledFile { path, text };
        Some(Node::new(name.place, Content::File(Box::new(filled))))
    }
}

/// Whether a text has no expression besides the names of secrets.
fn only_secrets(text: &str) -> bool {
    !text.contains("{%") && parse_template(text).is_ok()
}

/// Whether the value of this key is content that is not just evaluated as any value.
pub(super) fn is_content(key: &Key, entries: &[Entry], mode: Mode) -> bool {
    match (mode, key.text.as_str()) {
        (Mode::Template, "text" | "file") => true,
        (Mode::Resource, "file") => entries.iter().any(|entry| entry.key.text == "template"),
        _ => false,
    }
}
