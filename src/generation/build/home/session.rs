//! Variables of sessions, for systemd's user managers and for login shells.
//!
//! A value stands for itself but for `${NAME}`, which is the value that a variable has in the session. Each of the two
//! readers gets it quoted by its own rules; neither ever runs anything that is in a value.

use std::collections::BTreeMap;

use crate::config::Located;
use crate::host::UserName;

type Variables = BTreeMap<String, Located<String>>;

/// A piece of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'v> {
    Text(&'v str),
    Variable(&'v str),
}

/// `~/.config/environment.d/50-steadfast.conf`, in the syntax of environment.d(5).
pub(super) fn environment(variables: &Variables) -> String {
    let mut text = "# Written by steadfast from `session_variables:` of the home.\n".to_owned();
    for (name, value) in in_order(variables) {
        text.extend([name, "=\""]);
        for piece in pieces(value) {
            match piece {
                // Quotes and escapes are taken away first, then `$$` stands for one dollar sign.
                Piece::Text(literal) => text.extend(literal.chars().map(|c| match c {
                    '"' => "\\\"".to_owned(),
                    '\\' => "\\\\".to_owned(),
                    '`' => "\\`".to_owned(),
                    '$' => "$$".to_owned(),
                    c => c.to_string(),
                })),
                Piece::Variable(name) => text.extend(["${", name, "}"]),
            }
        }
        text.push_str("\"\n");
    }
    text
}

/// The variables of all accounts, in the language of sh(1).
pub(super) fn profile(accounts: &[(&UserName, &Variables)]) -> String {
    let mut text = "# Written by steadfast from `session_variables:` under `home:`.\ncase \"${USER:-$(id -un)}\" in\n".to_owned();
    for (account, variables) in accounts {
        text.extend([account.as_str(), ")\n"]);
        for (name, value) in in_order(variables) {
            text.extend(["\texport ", name, "="]);
            for piece in pieces(value) {
                match piece {
                    Piece::Text(literal) => {
                        text.extend(["'", &literal.replace('\'', "'\\''"), "'"]);
                    }
                    Piece::Variable(name) => text.extend(["\"${", name, "-}\""]),
                }
            }
            text.push('\n');
        }
        text.push_str("\t;;\n");
    }
    text.push_str("esac\n");
    text
}

/// By name, but a variable comes after those that it uses. In a circle there is no such order, and none is promised.
fn in_order(variables: &Variables) -> Vec<(&str, &str)> {
    let mut order = Vec::new();
    let mut seen = Vec::new();
    for name in variables.keys() {
        put(name, variables, &mut seen, &mut order);
    }
    order
}

fn put<'v>(
    name: &'v str,
    variables: &'v Variables,
    seen: &mut Vec<&'v str>,
    order: &mut Vec<(&'v str, &'v str)>,
) {
    let Some((name, value)) = variables.get_key_value(name) else {
        return;
    };
    if seen.contains(&name.as_str()) {
        return;
    }
    seen.push(name);
    for piece in pieces(&value.value) {
        if let Piece::Variable(used) = piece {
            put(used, variables, seen, order);
        }
    }
    order.push((name, &value.value));
}

/// Cuts a value at every `${NAME}`.
fn pieces(value: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut literal = 0;
    let mut at = 0;
    while let Some(found) = value[at..].find("${") {
        let begin = at + found;
        at = begin + 2;
        let Some(length) = value[at..].find('}') else {
            break;
        };
        let name = &value[at..at + length];
        if !is_name(name) {
            continue;
        }
        if begin > literal {
            pieces.push(Piece::Text(&value[literal..begin]));
        }
        pieces.push(Piece::Variable(name));
        at += length + 1;
        literal = at;
    }
    if literal < value.len() {
        pieces.push(Piece::Text(&value[literal..]));
    }
    pieces
}

fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    !text.is_empty() && text.bytes().all(plain) && !text.as_bytes()[0].is_ascii_digit()
}

#[cfg(test)]
mod tests;
