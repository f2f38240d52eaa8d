//! What a key may hold.

/// A key of a map, what it holds, and what it is for.
#[derive(Debug)]
pub(in crate::config) struct Field {
    /// The key.
    pub(in crate::config) key: &'static str,
    /// What it holds.
    pub(in crate::config) kind: Kind,
    /// One sentence for an editor.
    pub(in crate::config) doc: &'static str,
}

/// What a value may be, as far as an editor can check it; the reader checks the rest.
#[derive(Debug)]
pub(in crate::config) enum Kind {
    /// Anything.
    Any,
    /// Text, or a number as it is spelled.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number from 0.
    Number,
    /// Any number.
    Float,
    /// One of a few words.
    Words(&'static [&'static str]),
    /// A list.
    List(&'static Kind),
    /// A map with keys of its own.
    Map(&'static Kind),
    /// A map with known keys; nothing at all is an empty one.
    Object(&'static [Field]),
    /// One of several.
    Either(&'static [Kind]),
    /// What one option of a module may be: this table again, at every depth.
    Option,
}

/// The keys of a table.
pub(in crate::config) fn keys(fields: &[Field]) -> Vec<&'static str> {
    fields.iter().map(|field| field.key).collect()
}

/// A row of a table.
pub(super) const fn field(key: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { key, kind, doc }
}
