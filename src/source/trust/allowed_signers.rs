//! The allowed-signers file of OpenSSH: who may sign, in which namespace, when.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ssh_key::PublicKey;
use ssh_key::public::KeyData;

use super::patterns::list_matches;

/// What git signs commits under.
pub(super) const NAMESPACE: &str = "git";
const FILE_BYTES: u64 = 1024 * 1024;

/// The lines of an allowed-signers file that can be used, and a reason for each that cannot.
pub(super) struct AllowedSigners {
    lines: Vec<Line>,
    skipped: Vec<String>,
}

struct Line {
    principals: String,
    options: Options,
    key: KeyData,
}

#[derive(Default)]
struct Options {
    namespaces: Option<String>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
}

/// What the file says about a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed { principal: String },
    NotAllowed { principal: String, detail: String },
    Stranger,
}

impl AllowedSigners {
    /// Reads the file. It decides about the host, so nobody but its owner (root, or who runs this) may write it.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|e| e.to_string())?;
        let metadata = file.metadata().map_err(|e| e.to_string())?;
        let us = rustix::process::geteuid().as_raw();
        if !metadata.is_file() {
            return Err("it is not a file".to_owned());
        }
        if metadata.uid() != 0 && metadata.uid() != us {
            return Err(format!("it belongs to user {}", metadata.uid()));
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(format!(
                "others can write it (mode {:04o})",
                metadata.mode() & 0o7777
            ));
        }
        if metadata.len() > FILE_BYTES {
            return Err(format!("it has more than {FILE_BYTES} bytes"));
        }
        let mut text = String::new();
        file.take(FILE_BYTES)
            .read_to_string(&mut text)
            .map_err(|e| e.to_string())?;
        let signers = Self::parse(&text);
        if signers.lines.is_empty() {
            return Err(match signers.skipped.as_slice() {
                [] => "it names nobody".to_owned(),
                skipped => format!("it has no usable line: {}", skipped.join("; ")),
            });
        }
        Ok(signers)
    }

    /// Everyone who holds one of `keys`, lines of `.pub` files; a key's comment is the name of its holder.
    pub(super) fn of_keys(keys: &[String]) -> Self {
        let lines: Vec<String> = keys
            .iter()
            .map(|key| {
                let holder = key.split_whitespace().nth(2).unwrap_or("signer");
                let holder: String = holder.chars().filter(|c| !",\"*?!".contains(*c)).collect();
                let key: Vec<&str> = key.split_whitespace().take(2).collect();
                format!("{holder} namespaces=\"{NAMESPACE}\" {}", key.join(" "))
            })
            .collect();
        Self::parse(&lines.join("\n"))
    }

    pub(super) fn parse(text: &str) -> Self {
        let mut signers = Self {
            lines: Vec::new(),
            skipped: Vec::new(),
        };
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match parse_line(line) {
                Ok(line) => signers.lines.push(line),
                Err(reason) => signers
                    .skipped
                    .push(format!("line {}: {reason}", number + 1)),
            }
        }
        signers
    }

    /// Lines that were skipped, with the reason.
    pub(super) fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Whether `key` may sign commits at `when`. One line that allows it is enough.
    pub(super) fn judge(&self, key: &KeyData, when: Timestamp) -> Verdict {
        let mut verdict = Verdict::Stranger;
        for line in self.lines.iter().filter(|line| line.key == *key) {
            // The first name of the list stands for the line, as in `ssh-keygen -Y find-principals`.
            let principal = line
                .principals
                .split(',')
                .next()
                .unwrap_or_default()
                .to_owned();
            match line.options.objection(when) {
                None => return Verdict::Allowed { principal },
                Some(detail) => verdict = Verdict::NotAllowed { principal, detail },
            }
        }
        verdict
    }
}

impl Options {
    fn objection(&self, when: Timestamp) -> Option<String> {
        if let Some(list) = &self.namespaces
            && !list_matches(list, NAMESPACE)
        {
            return Some(format!("it is for `{list}`, not for `{NAMESPACE}`"));
        }
        match (self.valid_after, self.valid_before) {
            (Some(after), _) if when < after => Some(format!("it is not valid before {after}")),
            (_, Some(before)) if when > before => Some(format!("it is not valid after {before}")),
            _ => None,
        }
    }
}

/// `PRINCIPALS [OPTIONS] KEYTYPE KEY [COMMENT]`
fn parse_line(line: &str) -> Result<Line, String> {
    let (principals, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or("a quote is not closed")?,
        None => line.split_once([' ', '\t']).ok_or("it has no key")?,
    };
    if principals.is_empty() {
        return Err("it names nobody".to_owned());
    }
    let rest = rest.trim_start();
    let (options, key) = if let Ok(key) = PublicKey::from_openssh(rest) {
        (Options::default(), key)
    } else {
        let (options, key) = rest.split_at(end_of_options(rest));
        let options = parse_options(options)?;
        let key = PublicKey::from_openssh(key.trim_start())
            .map_err(|error| format!("its key cannot be read: {error}"))?;
        (options, key)
    };
    Ok(Line {
        principals: principals.to_owned(),
        options,
        key: key.key_data().clone(),
    })
}

/// The first blank outside quotes.
fn end_of_options(text: &str) -> usize {
    let mut quoted = false;
    text.find(|c| {
        quoted ^= c == '"';
        !quoted && (c == ' ' || c == '\t')
    })
    .unwrap_or(text.len())
}

fn parse_options(text: &str) -> Result<Options, String> {
    let mut options = Options::default();
    let mut quoted = false;
    let parts = text.split(|c| {
        quoted ^= c == '"';
        !quoted && c == ','
    });
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        match name.to_ascii_lowercase().as_str() {
            "namespaces" => options.namespaces = Some(value.to_owned()),
            "valid-after" => options.valid_after = Some(parse_time(value)?),
            "valid-before" => options.valid_before = Some(parse_time(value)?),
            "cert-authority" => return Err("certificate authorities are not supported".to_owned()),
            _ => return Err(format!("`{name}` is neither an option nor a kind of key")),
        }
    }
    Ok(options)
}

/// `YYYYMMDD[HHMM[SS]]`, in the time zone of the host, or in UTC with a `Z` behind it.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is not a time like 20260131 or 202601312359Z");
    let (digits, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, TimeZone::UTC),
        None => (text, TimeZone::system()),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) || ![8, 12, 14].contains(&digits.len()) {
        return Err(wrong());
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Ok(0), str::parse::<i8>);
    let parsed = (|| {
        let year = digits.get(..4)?.parse::<i16>().ok()?;
        DateTime::new(
            year,
            part(4, 6).ok()?,
            part(6, 8).ok()?,
            part(8, 10).ok()?,
            part(10, 12).ok()?,
            part(12, 14).ok()?,
            0,
        )
        .ok()
    })();
    let time = parsed.ok_or_else(wrong)?;
    zone.to_timestamp(time).map_err(|_| wrong())
}

#[cfg(test)]
mod tests;
