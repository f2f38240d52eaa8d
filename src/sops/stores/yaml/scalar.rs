//! Scalars as go-yaml v3 reads them, a mixture of YAML 1.1 and 1.2: what type a text has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::sops::time::Instant;
use crate::sops::value::{Value, parse_float};

/// How a scalar is written, as far as it decides its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sops) enum ScalarForm {
    Plain,
    Quoted,
    /// Literal or folded.
    Block,
}

/// The type of `text`, written as `form`, with the tag `tag` (`int` of `!!int`) if it has one of YAML's own.
///
/// The error says what sops would not take.
pub(in crate::sops) fn resolve(
    text: &str,
    form: ScalarForm,
    tag: Option<&str>,
) -> Result<Value, &'static str> {
    match tag {
        None if form == ScalarForm::Plain => resolve_plain(text),
        Some("binary") => {
            let compact: String = text.split_ascii_whitespace().collect();
            let bytes = STANDARD
                .decode(compact)
                .map_err(|_not_base64| "the value tagged `!!binary` is not base64")?;
            Ok(Value::Text(Zeroizing::new(bytes)))
        }
        Some("null" | "bool" | "int" | "float" | "timestamp") => resolve_tagged(text, tag),
        // Quoted, `!!str`, or a tag that go-yaml does not know: the text as it stands.
        _ => Ok(Value::text(text)),
    }
}

fn resolve_tagged(text: &str, tag: Option<&str>) -> Result<Value, &'static str> {
    let value = resolve_plain(text)?;
    match (tag, value) {
        (Some("null"), value @ Value::Null)
        | (Some("bool"), value @ Value::Bool(_))
        | (Some("int"), value @ Value::Int(_))
        | (Some("float"), value @ Value::Float(_))
        | (Some("timestamp"), value @ Value::Time(_)) => Ok(value),
        #[expect(
            clippy::cast_precision_loss,
            reason = "what `!!float` on an integer means"
        )]
        (Some("float"), Value::Int(number)) => Ok(Value::Float(number as f64)),
        _ => Err("the value is not of the type that its tag names"),
    }
}

fn resolve_plain(text: &str) -> Result<Value, &'static str> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ if text.starts_with('.') => float(text).unwrap_or_else(|| Value::text(text)),
        _ if text.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-') => {
            return number_or_time(text);
        }
        _ => Value::text(text),
    })
}

fn number_or_time(text: &str) -> Result<Value, &'static str> {
    let bytes = text.as_bytes();
    let dated = bytes.len() > 4 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-';
    if dated && let Some(instant) = Instant::parse_yaml(text) {
        return Ok(Value::Time(instant));
    }
    let compact = text.replace('_', "");
    match integer(&compact) {
        Some(Ok(number)) => return Ok(Value::Int(number)),
        Some(Err(TooLarge)) => {
            return Err(
                "integers from 2^63 to 2^64-1 are not supported; quote it to make it a string",
            );
        }
        None => {}
    }
    Ok(float(&compact).unwrap_or_else(|| Value::text(text)))
}

/// An unsigned number that fits 64 bits without sign only.
struct TooLarge;

/// Decimal, `0x`, `0b`, `0o`, and a leading zero for octal. What is larger than 64 bits is no integer.
fn integer(text: &str) -> Option<Result<i64, TooLarge>> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let signed = digits.len() != text.len();
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let number = if negative { -magnitude } else { magnitude };
    match i64::try_from(number) {
        Ok(number) => Some(Ok(number)),
        Err(_) if signed => None,
        Err(_) => Some(Err(TooLarge)),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, finite.
fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits =
        is_digits(whole) && is_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && is_digits(digits)
    });
    if !mantissa_fits || !exponent_fits {
        return None;
    }
    parse_float(text).map(Value::Float)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sops::value::ValueType;

    #[test]
    fn plain_scalars_resolve_as_sops_resolves_them() {
        let table = include_str!("../../../../tests/vectors/unit/yaml-scalars.tsv");
        let mut checked = 0;
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [text, kind, bytes] = fields[..] else {
                panic!("odd line {line:?}");
            };
            let value = resolve(text, ScalarForm::Plain, None);
            let read = match &value {
                Ok(value) => (
                    value
                        .value_type()
                        .map_or("plain", |t| t.as_str())
                        .to_owned(),
                    String::from_utf8(value.canonical().to_vec()).unwrap(),
                ),
                Err(_) => ("error".to_owned(), String::new()),
            };
            checked += 1;
            // A lone dash is a list item to the YAML parser, and never a scalar.
            match kind {
                _ if text == "-" => {}
                "plain" => assert!(matches!(value, Ok(Value::Null)), "{text:?}"),
                _ if value.is_err() => assert!(
                    !["str", "int", "float", "bool", "time"].contains(&kind),
                    "{line:?}"
                ),
                _ => assert_eq!(read, (kind.to_owned(), bytes.to_owned()), "{text:?}"),
            }
        }
        assert!(checked > 130, "{checked}");
    }

    #[test]
    fn tags_steer_the_type() {
        let kind = |text, form, tag| {
            resolve(text, form, Some(tag)).map(|value| value.value_type().map(ValueType::as_str))
        };
        assert_eq!(kind("5", ScalarForm::Plain, "str"), Ok(Some("str")));
        assert_eq!(kind("5", ScalarForm::Quoted, "int"), Ok(Some("int")));
        assert_eq!(kind("5", ScalarForm::Plain, "float"), Ok(Some("float")));
        assert_eq!(kind("aGk=", ScalarForm::Plain, "binary"), Ok(Some("str")));
        assert_eq!(kind("5", ScalarForm::Plain, "!thing"), Ok(Some("str")));
        assert!(kind("x", ScalarForm::Plain, "int").is_err());
    }
}
