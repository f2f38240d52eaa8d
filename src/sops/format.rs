//! The formats of secret files, and how a name tells which one a file has.

use std::fmt;
use std::str::FromStr;

/// The format of a secret file: which store of sops reads and writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// YAML documents, each a map.
    Yaml,
    /// One JSON object.
    Json,
    /// Lines of `NAME=value`.
    Dotenv,
    /// Sections of `name = value`.
    Ini,
    /// Any bytes; encrypted as one value inside a JSON object.
    Binary,
}

/// A word that names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a format of secret files")]
pub struct FormatError {
    /// What was given.
    pub text: String,
}

impl FormatError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        "use `yaml`, `json`, `dotenv`, `ini` or `binary`"
    }
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [
        Self::Yaml,
        Self::Json,
        Self::Dotenv,
        Self::Ini,
        Self::Binary,
    ];

    /// The format of a file of this name or path, as sops chooses it: by the very end of the name, in this spelling
    /// only; anything that is not known is binary.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        const SUFFIXES: [(&str, Format); 5] = [
            (".yaml", Format::Yaml),
            (".yml", Format::Yaml),
            (".json", Format::Json),
            (".env", Format::Dotenv),
            (".ini", Format::Ini),
        ];
        SUFFIXES
            .iter()
            .find(|(suffix, _)| path.ends_with(suffix))
            .map_or(Self::Binary, |(_, format)| *format)
    }

    /// The word for it, as sops' options take it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Dotenv => "dotenv",
            Self::Ini => "ini",
            Self::Binary => "binary",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| FormatError {
                text: text.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_very_end_of_the_name_tells_the_format() {
        for (path, expected) in [
            ("secrets/a.yaml", Format::Yaml),
            ("a.yml", Format::Yaml),
            ("a.json", Format::Json),
            (".env", Format::Dotenv),
            ("prod.env", Format::Dotenv),
            ("a.ini", Format::Ini),
            ("a.YAML", Format::Binary),
            (".env.prod", Format::Binary),
            ("a.yaml.enc", Format::Binary),
            ("tls.key", Format::Binary),
        ] {
            assert_eq!(Format::of_path(path), expected, "{path}");
        }
    }

    #[test]
    fn every_format_has_a_word_of_its_own() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert!(
            "env"
                .parse::<Format>()
                .unwrap_err()
                .fix()
                .contains("dotenv")
        );
    }
}
