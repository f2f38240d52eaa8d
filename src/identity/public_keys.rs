//! All public keys of a text: public key files, `known_hosts`, `authorized_keys`, the output of ssh-keyscan.

use std::fmt;

use super::public_key::{HostPublicKey, PublicKeyError};

/// The public keys of a text, one per line, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublicKeys {
    /// The ed25519 keys, each once.
    pub usable: Vec<NamedPublicKey>,
    /// Keys that have no age form.
    pub skipped: Vec<SkippedKey>,
}

/// An ed25519 public key, and what the text calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPublicKey {
    /// The key.
    pub key: HostPublicKey,
    /// The host names of a `known_hosts` line, or else the comment after the key; a hashed name is none.
    pub name: Option<String>,
}

/// A line with a key that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKey {
    /// Number of the line, from 1.
    pub line: usize,
    /// The key's type, as OpenSSH names it.
    pub kind: String,
    /// Why it is not used.
    pub why: WhySkipped,
}

/// Why a key is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhySkipped {
    /// Only ed25519 keys can be converted to age.
    Type,
    /// The line says `@revoked`.
    Revoked,
    /// The line says `@cert-authority`: the key of somebody who signs host keys.
    Authority,
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is skipped: ", self.line)?;
        match self.why {
            WhySkipped::Type => write!(
                f,
                "it has a key of type {}, and only ed25519 keys can be converted",
                self.kind
            ),
            WhySkipped::Revoked => f.write_str("its key is revoked"),
            WhySkipped::Authority => f.write_str("its key signs host keys and is none itself"),
        }
    }
}

impl PublicKeys {
    /// Reads `text`. What stands before a key's type is skipped, as are comments and lines without a key.
    ///
    /// # Errors
    /// [`PublicKeyError::Damaged`] for the first line that says `ssh-ed25519` and holds no such key.
    pub fn read(text: &str) -> Result<Self, PublicKeyError> {
        let mut found = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let Some(at) = words.iter().position(|word| is_key_type(word)) else {
                continue;
            };
            let kind = words[at].to_owned();
            let why = match words[0] {
                "@revoked" => WhySkipped::Revoked,
                "@cert-authority" => WhySkipped::Authority,
                _ if kind != ED25519 => WhySkipped::Type,
                _ => {
                    found.add(NamedPublicKey {
                        key: HostPublicKey::from_base64(words.get(at + 1).copied())?,
                        name: name_of(&words, at),
                    });
                    continue;
                }
            };
            found.skipped.push(SkippedKey {
                line: index + 1,
                kind,
                why,
            });
        }
        Ok(found)
    }

    fn add(&mut self, new: NamedPublicKey) {
        if !self.usable.iter().any(|known| known.key == new.key) {
            self.usable.push(new);
        }
    }

    /// The first key that can be used.
    ///
    /// # Errors
    /// [`PublicKeyError`] names the types that were there instead.
    pub fn first(&self) -> Result<&NamedPublicKey, PublicKeyError> {
        if let Some(first) = self.usable.first() {
            return Ok(first);
        }
        if self.skipped.is_empty() {
            return Err(PublicKeyError::NoKey);
        }
        let mut found: Vec<String> = self.skipped.iter().map(|key| key.kind.clone()).collect();
        found.sort();
        found.dedup();
        Err(PublicKeyError::OtherTypes { found })
    }
}

const ED25519: &str = "ssh-ed25519";

/// Key types that OpenSSH writes before a key, other than ed25519.
const OTHER_TYPES: [&str; 8] = [
    "ssh-rsa",
    "ssh-dss",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-ed448",
];

fn is_key_type(word: &str) -> bool {
    word == ED25519 || OTHER_TYPES.contains(&word) || word.ends_with("-cert-v01@openssh.com")
}

fn name_of(words: &[&str], at: usize) -> Option<String> {
    let before = at.checked_sub(1).map(|index| words[index]);
    if let Some(hosts) = before {
        // `|1|…` is a hashed name, and options of an `authorized_keys` line are no name.
        let is_name = !hosts.starts_with('|') && !hosts.contains(['=', '"']);
        return is_name.then(|| hosts.to_owned());
    }
    let comment = words.get(at + 2..)?.join(" ");
    (!comment.is_empty()).then_some(comment)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBOCdSWjIMfzszdPo7IKIjJSHWCqqJzCc1q6X8BSXLQc";
    const TWO: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDytOFQ3LZoucxud6q/igGkYlsVFTk+aQbIJ8vw0/Zi9";

    #[test]
    fn every_line_gives_its_key_or_says_why_not() {
        let text = format!(
            "# chicago:22 SSH-2.0\nchicago,10.0.0.2 {ONE}\nchicago ssh-rsa AAAAB3\n|1|salt=|hash= {TWO}\n\
             chicago {ONE} again\n@revoked * {TWO}\n@cert-authority *.example {TWO}\nhello\n"
        );
        let keys = PublicKeys::read(&text).unwrap();
        let names: Vec<Option<&str>> = keys.usable.iter().map(|key| key.name.as_deref()).collect();
        assert_eq!(names, [Some("chicago,10.0.0.2"), None]);
        let skipped: Vec<String> = keys.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(
            skipped,
            [
                "line 3 is skipped: it has a key of type ssh-rsa, and only ed25519 keys can be converted",
                "line 6 is skipped: its key is revoked",
                "line 7 is skipped: its key signs host keys and is none itself",
            ]
        );
    }

    #[test]
    fn a_comment_is_a_name_and_options_are_not() {
        let named = |line: &str| PublicKeys::read(line).unwrap().usable.remove(0).name;
        assert_eq!(
            named(&format!("{ONE} root@chicago")),
            Some("root@chicago".to_owned())
        );
        assert_eq!(named(&format!("command=\"x\" {ONE} root@chicago")), None);
        assert_eq!(named(ONE), None);
    }
}
