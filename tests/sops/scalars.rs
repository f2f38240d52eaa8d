//! Random keys and scalars, with the ways in which each store may write them.

use std::fmt::Write as _;

use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use steadfast::sops::Format;

use crate::model::{Scalar, Value, Written};

const PIECES: [&str; 40] = [
    "a",
    "secret",
    "hunter2",
    "0",
    "7",
    " ",
    "  ",
    "-",
    ":",
    ": ",
    "#",
    " #",
    "'",
    "\"",
    "\\",
    "=",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&",
    "*",
    "!",
    "|",
    ">",
    "%",
    "@",
    "`",
    "?",
    "~",
    "é",
    "ß",
    "日本",
    "\u{1f600}",
    "\t",
    "true",
    "null",
    "ENC[",
    "$x",
];
/// Characters that only double quotes can hold in YAML.
const RARE: [&str; 8] = [
    "\u{85}", "\u{2028}", "\u{2029}", "\u{7}", "\u{0}", "\u{feff}", "\r", "\u{a0}",
];
/// Texts that another type could be read from.
const LOOK_ALIKES: [&str; 16] = [
    "yes",
    "no",
    "on",
    "Off",
    "y",
    "n",
    "12:30:45",
    "0o8",
    "1-2",
    "0x",
    "_1",
    "<<",
    "=",
    "+.nan",
    "inf",
    "2020-02-30",
];
/// Texts that mean something else unless they are quoted.
const TYPES: [&str; 12] = [
    "true",
    "null",
    "~",
    "12",
    "1e3",
    "0777",
    "1.5",
    "2020-01-02",
    ".inf",
    "-0",
    "1_000",
    "",
];

/// The text of a string value.
pub(super) struct Text(pub(super) String);

impl Text {
    pub(super) fn random(random: &mut StdRng, store: Format) -> Self {
        let text = match random.gen_range(0..12) {
            0 => (*LOOK_ALIKES.choose(random).unwrap_or(&"")).to_owned(),
            1 => (*TYPES.choose(random).unwrap_or(&"")).to_owned(),
            2 => lines(random),
            3 => (0..random.gen_range(100..3000)).map(|_| 'x').collect(),
            4 => format!("{}{}", pieces(random), rare(random)),
            _ => pieces(random),
        };
        Self(match store {
            Format::Dotenv => text.replace("\\n", "/n"),
            Format::Ini => ini(&text),
            _ => text,
        })
    }

    /// One of the ways in which YAML may write the text as a value.
    pub(super) fn written(&self, random: &mut StdRng, store: Format) -> Written {
        let text = &self.0;
        if store != Format::Yaml {
            return Written::Line(String::new());
        }
        match random.gen_range(0..3) {
            0 if LOOK_ALIKES.contains(&text.as_str()) || is_plain(text) => {
                Written::Line(text.clone())
            }
            1 if is_single_quotable(text) => Written::Line(single_quoted(text)),
            0 | 1 if is_literal(text) => Written::Literal,
            _ => Written::Line(double_quoted(text)),
        }
    }
}

fn rare(random: &mut StdRng) -> &'static str {
    RARE.choose(random).copied().unwrap_or_default()
}

fn pieces(random: &mut StdRng) -> String {
    let count = random.gen_range(1..6);
    let pieces = (0..count).filter_map(|_| PIECES.choose(random).copied());
    pieces.collect()
}

fn lines(random: &mut StdRng) -> String {
    let count = random.gen_range(1..5);
    let mut text = String::new();
    for _ in 0..count {
        if random.gen_ratio(1, 4) {
            text.push('\n');
        }
        text.push_str(&pieces(random));
        text.push('\n');
    }
    match random.gen_range(0..4) {
        0 => text.push('\n'),
        1 => text.truncate(text.len() - 1),
        _ => {}
    }
    // In a list, sops prints a block that begins with a blank with a wrong indentation, and cannot read it again.
    text.trim_start().to_owned()
}

/// What an INI value can hold at all: no text that ends a quotation, none that begins an escape.
fn ini(text: &str) -> String {
    let kept = text.chars().filter(|c| !"`\"'\\%\r\0\u{feff}".contains(*c));
    let text: String = kept.collect();
    text.trim_matches(char::is_whitespace).to_owned()
}

fn is_plain(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(char::is_alphabetic)
        && chars.all(|c| c.is_alphanumeric() || c == '-' || c == '$')
        && !TYPES.contains(&text)
        && !text.ends_with(' ')
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !"\u{2028}\u{2029}\u{feff}\u{a0}".contains(c)
}

fn is_single_quotable(text: &str) -> bool {
    text.chars().all(is_printable)
}

fn is_literal(text: &str) -> bool {
    text.contains('\n')
        && text.chars().all(|c| c == '\n' || is_printable(c))
        && !text.starts_with([' ', '\n'])
        && text
            .lines()
            .all(|line| line.is_empty() || !line.trim().is_empty())
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Double quotes that YAML and JSON read the same.
pub(super) fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || !is_printable(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// How YAML writes a key.
pub(super) fn yaml_key(key: &str) -> String {
    if is_plain(key) && !LOOK_ALIKES.contains(&key) {
        key.to_owned()
    } else if is_single_quotable(key) && key.len().is_multiple_of(2) {
        single_quoted(key)
    } else {
        double_quoted(key)
    }
}

/// A key that is in no other entry: `name` is a number of its own.
pub(super) fn key(random: &mut StdRng, store: Format, name: usize) -> String {
    const ENDS: [&str; 4] = ["_unencrypted", "_secret", "_plain", ""];
    let end = ENDS.choose(random).copied().unwrap_or_default();
    if random.gen_ratio(4, 5) {
        return format!("k{name}{end}");
    }
    match store {
        Format::Yaml | Format::Json => {
            let odd: &str = [
                "a.b",
                "c:d",
                "e:",
                "yes",
                "12",
                "true",
                "null",
                "",
                "it's",
                "with space",
                "#no",
                "日本",
                "sops.x",
                "a/b",
                "\u{1f600}",
                "- x",
                "{y}",
                "? z",
                "tab\tx",
                "<",
            ]
            .choose(random)
            .copied()
            .unwrap_or_default();
            match random.gen_range(0..4) {
                0 => odd.to_owned(),
                1 => format!("{odd}{name}{}", "long".repeat(40)),
                _ => format!("{odd}{name}{end}"),
            }
        }
        Format::Dotenv => {
            let odd: &str = ["export X", " k", "k ", "a.b", "é", "k\"", "k:"]
                .choose(random)
                .copied()
                .unwrap_or_default();
            format!("{odd}{name}")
        }
        Format::Ini | Format::Binary => format!("k.{name}-é{end}"),
    }
}

/// A number, truth value, time or null.
pub(super) fn typed(random: &mut StdRng, store: Format) -> Scalar {
    let (value, line) = match random.gen_range(0..8) {
        0 => (
            Value::Null,
            one_of(random, store, "null", &["~", "Null", "NULL", ""]),
        ),
        1 => (
            Value::Bool(true),
            one_of(random, store, "true", &["True", "TRUE"]),
        ),
        2 => (
            Value::Bool(false),
            one_of(random, store, "false", &["False", "FALSE"]),
        ),
        3 | 4 => int(random, store),
        5 | 6 => float(random, store),
        _ if store == Format::Yaml => time(random),
        _ => (Value::Int(0), "0".to_owned()),
    };
    Scalar {
        value,
        written: Written::Line(line),
    }
}

fn one_of(random: &mut StdRng, store: Format, usual: &str, others: &[&str]) -> String {
    let other = others.choose(random).copied().unwrap_or(usual);
    let text = if store == Format::Yaml { other } else { usual };
    text.to_owned()
}

fn int(random: &mut StdRng, store: Format) -> (Value, String) {
    // sops up to 3.13.1 reads every JSON number as a float, which holds integers to 2^53.
    let number: i64 = match random.gen_range(0..4) {
        0 => random.gen_range(-10..100),
        1 if store == Format::Yaml => random.r#gen(),
        _ => random.gen_range(-(1 << 53)..1 << 53),
    };
    let magnitude = number.unsigned_abs();
    let sign = if number < 0 { "-" } else { "" };
    let text = match random.gen_range(0..8) {
        _ if store != Format::Yaml => number.to_string(),
        0 => format!("{sign}0x{magnitude:X}"),
        1 => format!("{sign}0o{magnitude:o}"),
        2 => format!("{sign}0{magnitude:o}"),
        3 => format!("{sign}0b{magnitude:b}"),
        4 if number >= 0 => format!("+{number}"),
        5 if magnitude >= 10 => {
            let digits = magnitude.to_string();
            format!("{sign}{}_{}", &digits[..1], &digits[1..])
        }
        _ => number.to_string(),
    };
    (Value::Int(number), text)
}

fn float(random: &mut StdRng, store: Format) -> (Value, String) {
    let number: f64 = match random.gen_range(0..6) {
        0 => f64::from(random.gen_range(-1000_i32..1000)) / 8.0,
        1 => f64::from_bits(random.r#gen()),
        2 => random.r#gen::<f64>() * 1e-9,
        3 => random.r#gen::<f64>() * 1e25,
        4 if store == Format::Yaml => {
            let (number, text) = [
                (f64::INFINITY, ".inf"),
                (f64::NEG_INFINITY, "-.Inf"),
                (f64::NAN, ".NaN"),
                (8.0, "08"),
                (0.5, ".5"),
                (1000.0, "1e3"),
                (1e25, "10000000000000000000000000"),
            ]
            .choose(random)
            .copied()
            .unwrap_or((1.5, "1.5"));
            return (Value::Float(number), text.to_owned());
        }
        _ => random.r#gen(),
    };
    if !number.is_finite() || number.fract() == 0.0 {
        // Written in digits it would be an integer.
        return (Value::Float(1.5), "1.5".to_owned());
    }
    let text = if random.gen_ratio(1, 2) {
        format!("{number:e}")
    } else {
        number.to_string()
    };
    (Value::Float(number), text)
}

fn time(random: &mut StdRng) -> (Value, String) {
    let (canonical, text) = [
        ("2020-01-02T00:00:00Z", "2020-01-02"),
        ("2020-01-02T03:04:05+02:00", "2020-01-02T03:04:05+02:00"),
        ("2020-01-02T03:04:05Z", "2020-1-2 3:04:05"),
        ("2020-01-02T03:04:05.5Z", "2020-01-02t03:04:05.500Z"),
        (
            "0001-12-31T23:59:59.000000001-11:30",
            "0001-12-31T23:59:59.000000001-11:30",
        ),
    ]
    .choose(random)
    .copied()
    .unwrap_or_default();
    (Value::Time(canonical.to_owned()), text.to_owned())
}
