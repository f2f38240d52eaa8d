//! INI without loss, as go-ini reads it: sections of names and values, comments with the key that follows them.

pub(super) mod change;
pub(super) mod metadata;
mod parse;
mod print;
mod values;

pub(super) use parse::parse;
pub(in crate::sops) use print::{comment_text, header, line};
pub(super) use print::{put_comment, put_raw, put_value};
