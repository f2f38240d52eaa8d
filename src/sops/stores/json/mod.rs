//! JSON without loss: one object; order, layout, duplicate keys and the spelling of numbers stay.

pub(super) mod change;
pub(super) mod metadata;
mod parse;
mod print;
pub(in crate::sops) mod style;

pub(super) use parse::parse;
pub(super) use print::value;
pub(in crate::sops) use print::{print, print_text};
