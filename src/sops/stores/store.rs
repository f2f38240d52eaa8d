//! The one place where the stores differ: what a text is written in decides how each step is done.

use super::{NewValue, binary, dotenv, ini, json, yaml};
use crate::sops::document::splice::Edits;
use crate::sops::document::tree::{Comment, NodeId, Scalar, Tree};
use crate::sops::error::{EditError, ParseError};
use crate::sops::format::Format;
use crate::sops::metadata::{MetadataLayout, MetadataText};
use crate::sops::value::{Value, ValueType};
use crate::sops::walk::{METADATA_KEY, Side};

/// A secret file is small; this leaves room for certificates and keytabs.
pub(in crate::sops) const LARGEST_TEXT_BYTES: usize = 16 * 1024 * 1024;
/// How deep maps and lists may stand inside each other.
pub(in crate::sops) const DEEPEST_NESTING: usize = 100;

/// What a text is written in: a format, and for a binary file the side of the encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sops) enum Store {
    Yaml,
    Json,
    /// A sealed binary file: JSON.
    Envelope,
    /// An opened binary file: its envelope, with strings that are base64, so that any bytes fit.
    Content,
    Dotenv,
    Ini,
}

/// Whether a text of this file had a ciphertext before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sops) enum Origin {
    Kept,
    Fresh,
}

/// A comment's ciphertext, and where it comes from.
pub(in crate::sops) struct SealedComment {
    /// `ENC[…]`, with a `#` before it if it was a line before.
    pub(in crate::sops) text: String,
    pub(in crate::sops) origin: Origin,
}

impl Store {
    pub(in crate::sops) fn of(format: Format, side: Side) -> Self {
        match (format, side) {
            (Format::Yaml, _) => Self::Yaml,
            (Format::Json, _) => Self::Json,
            (Format::Dotenv, _) => Self::Dotenv,
            (Format::Ini, _) => Self::Ini,
            (Format::Binary, Side::Sealed) => Self::Envelope,
            (Format::Binary, Side::Plain) => Self::Content,
        }
    }

    /// What a text of this store is written in once it is opened.
    fn opened(self) -> Self {
        match self {
            Self::Envelope => Self::Content,
            other => other,
        }
    }

    /// Whether `key`, at the top of a document, belongs to the metadata.
    pub(in crate::sops) fn is_metadata_key(self, key: &str) -> bool {
        match self {
            Self::Dotenv => key.starts_with(dotenv::METADATA_PREFIX),
            _ => key == METADATA_KEY,
        }
    }

    /// The typed value of a scalar; `tag` is YAML's.
    pub(in crate::sops) fn value(
        self,
        scalar: &Scalar,
        tag: Option<&str>,
    ) -> Result<Value, &'static str> {
        match self {
            Self::Yaml => yaml::scalar::resolve(&scalar.text, scalar.form, tag),
            Self::Json | Self::Envelope => json::value(scalar),
            Self::Content => binary::value(scalar),
            Self::Dotenv | Self::Ini => Ok(Value::text(&scalar.text)),
        }
    }

    /// The types that a ciphertext may name whose value is read as one of `value_type` here.
    ///
    /// A ciphertext is kept when its value did not change, whatever type another program gave it.
    pub(in crate::sops) fn types_of(self, value_type: ValueType) -> &'static [ValueType] {
        use ValueType::{Bytes, Float, Int, Str, Time};
        match (self, value_type) {
            (Self::Yaml, _) => &[],
            // Every number was a float to sops before 3.13.2.
            (_, Int) => &[Float],
            (Self::Dotenv | Self::Ini, Str) => &[Int, Float, Time, Bytes],
            (_, Str) => &[Time, Bytes],
            _ => &[],
        }
    }

    /// Whether a comment may have this text once it is opened, without becoming something else.
    pub(in crate::sops) fn fits_comment(self, text: &str) -> bool {
        let may_break = self == Self::Ini;
        !text.chars().any(|c| {
            c.is_control() && c != '\t' && !(may_break && matches!(c, '\n' | '\r'))
                || matches!(c, '\u{2028}' | '\u{2029}')
        })
    }

    fn parse(self, text: &str) -> Result<Tree, ParseError> {
        match self {
            Self::Yaml => yaml::parse(text),
            Self::Json | Self::Envelope | Self::Content => json::parse(text, self),
            Self::Dotenv => dotenv::parse(text),
            Self::Ini => ini::parse(text),
        }
    }
}

impl Tree {
    /// Parses `text` as YAML.
    pub(in crate::sops) fn parse(text: &[u8]) -> Result<Self, ParseError> {
        Self::parse_sealed(text, Format::Yaml)
    }

    /// Parses a sealed text.
    pub(in crate::sops) fn parse_sealed(text: &[u8], format: Format) -> Result<Self, ParseError> {
        Store::of(format, Side::Sealed).parse(checked(text)?)
    }

    /// Parses what people write: any bytes for a binary file, else a text in the format.
    ///
    /// `indent` is for what is written around a binary file's bytes.
    pub(in crate::sops) fn parse_plain(
        text: &[u8],
        (format, indent): (Format, Option<usize>),
    ) -> Result<Self, ParseError> {
        let store = Store::of(format, Side::Plain);
        if store == Store::Content {
            return store.parse(&binary::enveloped(text, indent)?);
        }
        store.parse(checked(text)?)
    }

    /// Parses another text of the same store.
    pub(in crate::sops) fn again(&self, text: &str) -> Result<Self, ParseError> {
        self.store.parse(text)
    }

    /// Parses what this sealed text opens to.
    pub(in crate::sops) fn opened(&self, text: &str) -> Result<Self, ParseError> {
        self.store.opened().parse(text)
    }

    /// The tree with the value at `path` set to `new`.
    pub(in crate::sops) fn with(&self, path: &[String], new: &NewValue) -> Result<Self, EditError> {
        match self.store {
            Store::Yaml => yaml::change::set(self, path, new),
            Store::Json => json::change::set(self, path, new),
            Store::Envelope | Store::Content => binary::set(self, path, new),
            Store::Dotenv => dotenv::set(self, path, new),
            Store::Ini => ini::change::set(self, path, new),
        }
    }

    /// The tree without the entry at `path`.
    pub(in crate::sops) fn without(&self, path: &[String]) -> Result<Self, EditError> {
        match self.store {
            Store::Yaml => yaml::change::unset(self, path),
            Store::Json => json::change::unset(self, path),
            Store::Envelope | Store::Content => Err(binary::unstructured(path)),
            Store::Dotenv => dotenv::unset(self, path),
            Store::Ini => ini::change::unset(self, path),
        }
    }

    /// How the metadata stands in this sealed text.
    pub(in crate::sops) fn metadata_layout(&self) -> MetadataLayout {
        match self.store {
            Store::Yaml => yaml::metadata::layout(self),
            Store::Json | Store::Envelope | Store::Content => json::metadata::layout(self),
            Store::Dotenv => dotenv::metadata_layout(self),
            Store::Ini => ini::metadata::layout(self),
        }
    }

    /// The metadata of this sealed text, in the one form in which it is read and changed; with the tree of that form.
    pub(in crate::sops) fn metadata_text(&self) -> Result<(MetadataText, Self), ParseError> {
        match self.store {
            Store::Yaml => MetadataText::of(self),
            Store::Json | Store::Envelope | Store::Content => json::metadata::text(self)?.read(),
            Store::Dotenv => dotenv::metadata_text(self)?.read(),
            Store::Ini => ini::metadata::text(self)?.read(),
        }
    }
}

impl Edits {
    /// Puts `value` where the scalar or alias `id` is.
    ///
    /// The error says why the store cannot hold the value.
    pub(in crate::sops) fn put_value(
        &mut self,
        tree: &Tree,
        id: NodeId,
        value: &Value,
    ) -> Result<(), &'static str> {
        let span = tree.node(id).span.clone();
        match tree.store {
            Store::Yaml => self.put_yaml_value(tree, id, value),
            Store::Json => self.replace(span, &json::print(value)?),
            Store::Envelope | Store::Content => self.replace(span, &binary::print(value)?),
            Store::Dotenv => self.replace(span, &dotenv::print(value)?),
            Store::Ini => ini::put_value(tree, id, value, self)?,
        }
        Ok(())
    }

    /// Puts a ciphertext where the scalar or alias `id` is.
    pub(in crate::sops) fn put_cipher(&mut self, tree: &Tree, id: NodeId, text: &str) {
        let is_bare = !text.starts_with(['"', '\'']);
        match tree.store {
            Store::Yaml if tree.node(id).inside_flow && is_bare => {
                self.put_scalar(tree, id, &format!("\"{text}\""));
            }
            Store::Yaml => self.put_scalar(tree, id, text),
            Store::Json | Store::Envelope | Store::Content if is_bare => {
                self.replace(tree.node(id).span.clone(), &format!("\"{text}\""));
            }
            Store::Json | Store::Envelope | Store::Content | Store::Dotenv => {
                self.replace(tree.node(id).span.clone(), text);
            }
            Store::Ini => ini::put_raw(tree, id, text, self),
        }
    }

    /// Puts the text of an opened comment where its ciphertext is.
    pub(in crate::sops) fn put_opened_comment(
        &mut self,
        tree: &Tree,
        comment: &Comment,
        text: &str,
    ) {
        match tree.store {
            Store::Ini => ini::put_comment(tree, comment, text, self),
            _ => self.replace(comment.span.clone(), &format!("#{text}")),
        }
    }

    /// Puts a comment's ciphertext where the comment is, which belongs to `container`.
    pub(in crate::sops) fn put_sealed_comment(
        &mut self,
        tree: &Tree,
        (comment, container): (&Comment, NodeId),
        cipher: &SealedComment,
    ) {
        let bare = cipher.text.trim_start_matches('#');
        match tree.store {
            Store::Yaml => yaml::seal::put_comment(tree, (comment, container), cipher, self),
            Store::Ini => ini::put_comment(tree, comment, bare, self),
            _ => self.replace(comment.span.clone(), &format!("#{bare}")),
        }
    }

    /// Takes the metadata out of a sealed text.
    pub(in crate::sops) fn remove_metadata(&mut self, tree: &Tree) {
        match tree.store {
            Store::Yaml => yaml::metadata::remove(tree, self),
            Store::Json | Store::Envelope | Store::Content => json::metadata::remove(tree, self),
            Store::Dotenv => dotenv::remove_metadata(tree, self),
            Store::Ini => ini::metadata::remove(tree, self),
        }
    }

    /// Puts metadata into a text that has none.
    pub(in crate::sops) fn add_metadata(
        &mut self,
        tree: &Tree,
        text: &MetadataText,
        layout: &MetadataLayout,
    ) {
        match tree.store {
            Store::Yaml => yaml::metadata::add(tree, text, layout, self),
            Store::Json | Store::Envelope | Store::Content => {
                json::metadata::add(tree, text, layout, self);
            }
            Store::Dotenv => dotenv::add_metadata(tree, text, layout, self),
            Store::Ini => ini::metadata::add(tree, text, layout, self),
        }
    }

    /// Puts other metadata in the place of that of a sealed text.
    pub(in crate::sops) fn replace_metadata(
        &mut self,
        tree: &Tree,
        text: &MetadataText,
        layout: &MetadataLayout,
    ) {
        match tree.store {
            Store::Yaml => yaml::metadata::replace(tree, text, self),
            Store::Json | Store::Envelope | Store::Content => {
                json::metadata::replace(tree, text, self);
            }
            Store::Dotenv => dotenv::replace_metadata(tree, text, layout, self),
            Store::Ini => ini::metadata::replace(tree, text, layout, self),
        }
    }
}

fn checked(text: &[u8]) -> Result<&str, ParseError> {
    if text.len() > LARGEST_TEXT_BYTES {
        return Err(ParseError::TooLarge {
            bytes: text.len(),
            limit: LARGEST_TEXT_BYTES,
        });
    }
    std::str::from_utf8(text).map_err(|_not_utf8| ParseError::NotUtf8)
}
