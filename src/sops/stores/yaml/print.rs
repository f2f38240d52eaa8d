//! Printing one scalar so that go-yaml, and every other reader, reads the same typed value back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::scalar::{ScalarForm, resolve};
use crate::sops::value::Value;

/// Where a scalar is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sops) enum Place {
    /// Inside `[…]` or `{…}`, or anywhere else where it must stay on its line.
    OneLine,
    /// In block style, with nothing after it on its line: a literal block may follow, indented by `indent` blanks.
    Block { indent: usize },
}

/// The text of `value` at `place`.
pub(in crate::sops) fn print(value: &Value, place: Place) -> Zeroizing<String> {
    Zeroizing::new(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(true) => "true".to_owned(),
        Value::Bool(false) => "false".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => print_float(*number),
        Value::Time(instant) => instant.to_string(),
        Value::Text(bytes) => {
            return match std::str::from_utf8(bytes) {
                Ok(text) => print_text(text, place),
                Err(_) => Zeroizing::new(format!("!!binary {}", STANDARD.encode(bytes))),
            };
        }
    })
}

/// Always with a point or an exponent, so that it stays a float.
fn print_float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-5..1e16).contains(&magnitude) {
        let text = format!("{number:e}");
        return text.replace('e', if text.contains("e-") { "e" } else { "e+" });
    }
    let text = format!("{number}");
    if text.contains('.') {
        text
    } else {
        format!("{text}.0")
    }
}

/// A string: plain where that is safe, a literal block for lines, else in quotes.
pub(in crate::sops) fn print_text(text: &str, place: Place) -> Zeroizing<String> {
    if is_safe_plain(text) {
        return Zeroizing::new(text.to_owned());
    }
    if let Place::Block { indent } = place
        && let Some(block) = literal(text, indent)
    {
        return block;
    }
    if text.chars().all(is_printable) {
        return Zeroizing::new(format!("'{}'", text.replace('\'', "''")));
    }
    double_quoted(text)
}

/// A word that no reader takes for anything but a string, in any context.
fn is_safe_plain(text: &str) -> bool {
    let first_fits =
        text.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.' | '$'));
    let all_fit = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-./+=@$%^~;!*() ".contains(&byte));
    let is_string = matches!(resolve(text, ScalarForm::Plain, None), Ok(Value::Text(_)));
    first_fits && all_fit && is_string && !text.ends_with(' ') && !is_yaml_1_1_word(text)
}

/// Words and numbers that older readers take for something else than a string.
fn is_yaml_1_1_word(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let word = matches!(
        lower.as_str(),
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null" | "nan" | "inf"
    );
    // `1_000.5`, `0o8`, `1e3x`: leave anything number-like to the quotes.
    word || text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && !text.bytes().any(|b| b.is_ascii_alphabetic())
}

fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' | '\u{10000}'..='\u{10ffff}' => true,
        '\u{a0}'..='\u{d7ff}' => !matches!(c, '\u{2028}' | '\u{2029}'),
        '\u{e000}'..='\u{fffd}' => c != '\u{feff}',
        _ => false,
    }
}

/// A literal block, or nothing when reading it back would depend on the reader.
fn literal(text: &str, indent: usize) -> Option<Zeroizing<String>> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let fits = text.contains('\n')
        && !body.is_empty()
        && !body.ends_with('\n')
        && !text.starts_with([' ', '\t', '\n'])
        && text
            .chars()
            .all(|c| is_printable(c) || matches!(c, '\n' | '\t'))
        && body
            .split('\n')
            .all(|line| line.is_empty() || !line.trim().is_empty());
    if !fits {
        return None;
    }
    let mut block = Zeroizing::new(String::with_capacity(text.len() * 2));
    block.push_str(if body.len() == text.len() { "|-" } else { "|" });
    for line in body.split('\n') {
        block.push('\n');
        if !line.is_empty() {
            block.extend(std::iter::repeat_n(' ', indent));
            block.push_str(line);
        }
    }
    Some(block)
}

/// A double-quoted string on one line, with everything escaped that is not plainly printable.
pub(in crate::sops) fn double_quoted(text: &str) -> Zeroizing<String> {
    use std::fmt::Write as _;
    let mut quoted = Zeroizing::new(String::with_capacity(text.len() + 2));
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0' => quoted.push_str("\\0"),
            c if is_printable(c) => quoted.push(c),
            c => {
                let code = u32::from(c);
                // Writing to a String cannot fail.
                let _ = match code {
                    0..=0xff => write!(quoted, "\\x{code:02X}"),
                    0x100..=0xffff => write!(quoted, "\\u{code:04X}"),
                    _ => write!(quoted, "\\U{code:08X}"),
                };
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_printed_so_that_they_stay_strings() {
        let block = Place::Block { indent: 2 };
        for (text, expected) in [
            ("hello", "hello"),
            ("a b", "a b"),
            ("", "''"),
            ("yes", "'yes'"),
            ("12", "'12'"),
            ("1e3", "'1e3'"),
            ("12:30:45", "'12:30:45'"),
            ("2020-01-02", "'2020-01-02'"),
            ("a: b", "'a: b'"),
            ("a #b", "'a #b'"),
            (" x", "' x'"),
            ("it's", "'it''s'"),
            ("héllo", "'héllo'"),
            ("q\tx", "\"q\\tx\""),
            ("a\u{85}b\u{2028}c", "\"a\\x85b\\u2028c\""),
            ("😀", "'😀'"),
            ("a\nb\n", "|\n  a\n  b"),
            ("a\n\nb", "|-\n  a\n\n  b"),
            ("a\n\n", "\"a\\n\\n\""),
            (" a\nb", "\" a\\nb\""),
            ("a\r\nb", "\"a\\r\\nb\""),
            ("ENC[AES256_GCM,x]", "'ENC[AES256_GCM,x]'"),
        ] {
            assert_eq!(*print_text(text, block), expected, "{text:?}");
        }
        assert_eq!(*print_text("a\nb\n", Place::OneLine), "\"a\\nb\\n\"");
    }

    #[test]
    fn floats_stay_floats() {
        for (number, expected) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1.5e-7, "1.5e-7"),
            (1e21, "1e+21"),
            (1000.0, "1000.0"),
            (f64::INFINITY, ".inf"),
        ] {
            let text = print_float(number);
            assert_eq!(text, expected);
            let read = resolve(&text, ScalarForm::Plain, None);
            assert!(matches!(read, Ok(Value::Float(read)) if read.to_bits() == number.to_bits()));
        }
    }
}
