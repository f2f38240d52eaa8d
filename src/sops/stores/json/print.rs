//! Values in JSON: their types, and how they are written.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use crate::sops::document::tree::Scalar;
use crate::sops::stores::yaml::scalar::ScalarForm;
use crate::sops::value::{Value, parse_float};

/// The typed value of a JSON scalar: integers of 64 bits are integers, other numbers floats, as sops 3.13.2 has it.
pub(in crate::sops::stores) fn value(scalar: &Scalar) -> Result<Value, &'static str> {
    if scalar.form == ScalarForm::Quoted {
        return Ok(Value::text(&scalar.text));
    }
    Ok(match scalar.text.as_str() {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        number => match number.parse() {
            Ok(number) => Value::Int(number),
            Err(_not_an_integer) => parse_float(number)
                .map(Value::Float)
                .ok_or("the number is too large")?,
        },
    })
}

/// The text of a value. JSON has no times, which become strings.
pub(in crate::sops) fn print(value: &Value) -> Result<Zeroizing<String>, &'static str> {
    Ok(Zeroizing::new(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) if number.is_finite() => print_float(*number),
        Value::Float(_) => return Err("JSON has no infinity, and no number that is none"),
        Value::Time(instant) => format!("\"{instant}\""),
        Value::Text(bytes) => {
            let text = std::str::from_utf8(bytes)
                .map_err(|_bytes| "the value is not text, which is all that JSON can hold")?;
            return Ok(print_text(text));
        }
    }))
}

/// As JavaScript does, but for the sign of a negative nothing, which an integer would lose.
fn print_float(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude == 0.0 {
        return if number.is_sign_negative() {
            "-0.0"
        } else {
            "0"
        }
        .to_owned();
    }
    if (1e-6..1e21).contains(&magnitude) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    text.replace('e', if text.contains("e-") { "e" } else { "e+" })
}

/// A string in double quotes.
pub(in crate::sops) fn print_text(text: &str) -> Zeroizing<String> {
    // Escapes are up to six bytes for one: all at once, so that no copy of a secret is left behind.
    let escaped = text
        .chars()
        .filter(|c| is_escaped(*c))
        .map(char::len_utf8)
        .sum::<usize>();
    let mut quoted = Zeroizing::new(String::with_capacity(text.len() + 2 + 5 * escaped));
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_escaped(c) => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn is_escaped(c: char) -> bool {
    c < ' ' || matches!(c, '"' | '\\' | '\u{7f}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_printed_as_json() {
        for (value, expected) in [
            (
                Value::text("a\"\\\n\u{1}<é😀\u{2028}"),
                "\"a\\\"\\\\\\n\\u0001<é😀\\u2028\"",
            ),
            (Value::Int(-5), "-5"),
            (Value::Float(1.0), "1"),
            (Value::Float(-0.0), "-0.0"),
            (Value::Float(1e21), "1e+21"),
            (Value::Float(1.5e-7), "1.5e-7"),
            (Value::Float(100_000.25), "100000.25"),
            (Value::Bool(true), "true"),
            (Value::Null, "null"),
        ] {
            assert_eq!(print(&value).unwrap().as_str(), expected);
        }
        assert!(print(&Value::Float(f64::NAN)).is_err());
        assert!(print(&Value::Text(Zeroizing::new(vec![0xff]))).is_err());
    }
}
