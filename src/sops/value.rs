//! Values: the types of leaves, and the bytes of each that are encrypted and hashed.

use zeroize::Zeroizing;

use super::time::Instant;

/// The type of a leaf, as the `type:` field of an `ENC[…]` text names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ValueType {
    Str,
    Int,
    Float,
    Bool,
    Time,
    Bytes,
    Comment,
}

impl ValueType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Bytes => "bytes",
            Self::Comment => "comment",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "str" => Self::Str,
            "int" => Self::Int,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "time" => Self::Time,
            "bytes" => Self::Bytes,
            "comment" => Self::Comment,
            _ => return None,
        })
    }
}

/// A leaf's value. Has no `Debug`: it may be a secret.
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Time(Instant),
    /// A string; UTF-8 except where a store allows any bytes.
    Text(Zeroizing<Vec<u8>>),
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(Zeroizing::new(text.as_bytes().to_vec()))
    }

    /// The type, or nothing for null, which is neither encrypted nor hashed.
    pub(super) fn value_type(&self) -> Option<ValueType> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(_) => ValueType::Bool,
            Self::Int(_) => ValueType::Int,
            Self::Float(_) => ValueType::Float,
            Self::Time(_) => ValueType::Time,
            Self::Text(_) => ValueType::Str,
        })
    }

    /// The bytes that are encrypted and hashed; none for null.
    pub(super) fn canonical(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Null => Vec::new(),
            Self::Bool(true) => b"True".to_vec(),
            Self::Bool(false) => b"False".to_vec(),
            Self::Int(number) => number.to_string().into_bytes(),
            Self::Float(number) => float_text(*number).into_bytes(),
            Self::Time(instant) => instant.to_string().into_bytes(),
            Self::Text(bytes) => return bytes.clone(),
        })
    }

    /// Whether there is nothing to encrypt: null and the empty string are stored as they are.
    pub(super) fn is_never_encrypted(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(bytes) => bytes.is_empty(),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Time(_) => false,
        }
    }

    /// Reads decrypted bytes back as a value of `value_type`; nothing when they are no such value.
    pub(super) fn from_canonical(value_type: ValueType, bytes: &[u8]) -> Option<Self> {
        let text = || std::str::from_utf8(bytes).ok();
        Some(match value_type {
            ValueType::Str | ValueType::Bytes | ValueType::Comment => {
                Self::Text(Zeroizing::new(bytes.to_vec()))
            }
            ValueType::Int => Self::Int(text()?.parse().ok()?),
            ValueType::Float => Self::Float(parse_float(text()?)?),
            ValueType::Bool => Self::Bool(parse_bool(text()?)?),
            ValueType::Time => Self::Time(Instant::parse_rfc3339(text()?)?),
        })
    }
}

/// The words for truth that sops takes where a store has only strings.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// The shortest decimal that reads back as the same number, without an exponent.
fn float_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        format!("{number}")
    }
}

/// As Go's `%G` with at least one decimal: `1.5`, `1000.0`, `1E+06`, which is how sops writes floats into dotenv files.
pub(super) fn general_float(number: f64) -> String {
    if !number.is_finite() {
        return float_text(number);
    }
    let scientific = format!("{number:E}");
    let (mantissa, exponent) = scientific.split_once('E').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        let text = number.to_string();
        return if text.contains('.') {
            text
        } else {
            format!("{text}.0")
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}E{sign}{:02}", exponent.unsigned_abs())
}

/// A decimal number that is out of range is an error, not an infinity.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let says_infinite = text.trim_start_matches(['+', '-']).starts_with(['i', 'I']);
    (number.is_finite() || number.is_nan() || says_infinite).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(value_type: ValueType, text: &str) -> Option<String> {
        let value = Value::from_canonical(value_type, text.as_bytes())?;
        Some(String::from_utf8(value.canonical().to_vec()).unwrap())
    }

    #[test]
    fn decrypted_bytes_are_rendered_again_from_the_typed_value() {
        for (value_type, text, expected) in [
            (ValueType::Int, "+5", Some("5")),
            (ValueType::Int, "007", Some("7")),
            (ValueType::Int, "1_0", None),
            (ValueType::Int, "0x10", None),
            (ValueType::Int, "9223372036854775808", None),
            (ValueType::Float, "1e3", Some("1000")),
            (ValueType::Float, ".50", Some("0.5")),
            (ValueType::Float, "-0", Some("-0")),
            (ValueType::Float, "1e400", None),
            (ValueType::Float, "inf", Some("+Inf")),
            (ValueType::Float, "-Inf", Some("-Inf")),
            (ValueType::Float, "NaN", Some("NaN")),
            (ValueType::Float, "0.00000015", Some("0.00000015")),
            (ValueType::Bool, "true", Some("True")),
            (ValueType::Bool, "F", Some("False")),
            (ValueType::Bool, "yes", None),
            (ValueType::Str, "", Some("")),
        ] {
            assert_eq!(round_trip(value_type, text).as_deref(), expected, "{text}");
        }
    }
}
