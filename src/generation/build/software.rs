//! Packages, and where they come from.

use super::builder::Builder;
use crate::config::{AptRepository, ConfigError, Origin, RepositoryKey, RepositoryName};

const ARMOR: &[u8] = b"-----BEGIN PGP PUBLIC KEY BLOCK-----";
const PRIVATE_ARMOR: &[u8] = b"-----BEGIN PGP PRIVATE KEY BLOCK-----";

impl Builder<'_> {
    pub(super) fn software(&mut self) {
        let config = self.config;
        for (package, located) in &config.packages {
            self.origin(format!("package {package}"), &located.origin);
            self.manifest.packages.insert(package.clone());
            if located.value.hold {
                self.manifest.holds.insert(package.clone());
            }
        }
        for (name, located) in &config.apt.repositories {
            self.origin(format!("package repository {name}"), &located.origin);
            self.repository(name, &located.value, &located.origin);
        }
        self.pins();
    }

    fn repository(&mut self, name: &RepositoryName, repository: &AptRepository, origin: &Origin) {
        let keyring = match &repository.key {
            RepositoryKey::Host(path) => path.to_string(),
            RepositoryKey::File(file) => {
                let Some(key) = self.repository_file(file, origin) else {
                    return;
                };
                let Some(format) = key_format(&key) else {
                    let error = ConfigError::new(format!("`{file}` is not a public OpenPGP key"))
                        .at(origin)
                        .fix("put the repository's public key there, as its vendor publishes it: armored text, or the binary form");
                    self.push(error);
                    return;
                };
                // apt tells the two formats apart by their suffix.
                let path = format!("/etc/apt/keyrings/{name}.{format}");
                let content = self.object(key);
                self.settled(&path, super::paths::root_file(content), origin);
                path
            }
        };
        let mut lines = vec![
            format!("Types: {}", repository.types.join(" ")),
            format!("URIs: {}", repository.uris.join(" ")),
            format!("Suites: {}", repository.suites.join(" ")),
        ];
        if !repository.components.is_empty() {
            lines.push(format!("Components: {}", repository.components.join(" ")));
        }
        if !repository.architectures.is_empty() {
            lines.push(format!(
                "Architectures: {}",
                repository.architectures.join(" ")
            ));
        }
        lines.push(format!("Signed-By: {keyring}"));
        let text = format!(
            "# Written by steadfast from `apt:` of the host file.\n{}\n",
            lines.join("\n")
        );
        self.text(
            &format!("/etc/apt/sources.list.d/{name}.sources"),
            &text,
            origin,
        );
    }

    fn pins(&mut self) {
        let config = self.config;
        let Some(first) = config.apt.pins.first() else {
            return;
        };
        self.origin("apt pins".to_owned(), &first.origin);
        let stanzas: Vec<String> = config
            .apt
            .pins
            .iter()
            .map(|pin| {
                let pin = &pin.value;
                let packages = pin.packages.join(" ");
                format!(
                    "Package: {packages}\nPin: {}\nPin-Priority: {}\n",
                    pin.pin, pin.priority
                )
            })
            .collect();
        let text = format!(
            "# Written by steadfast from `apt:` of the host file.\n{}",
            stanzas.join("\n")
        );
        self.text("/etc/apt/preferences.d/60-steadfast", &text, &first.origin);
    }
}

/// The suffix that a public key has for apt; `None` if it is no public key.
fn key_format(key: &[u8]) -> Option<&'static str> {
    let contains = |needle: &[u8]| key.windows(needle.len()).any(|part| part == needle);
    if contains(PRIVATE_ARMOR) {
        return None;
    }
    if contains(ARMOR) {
        return Some("asc");
    }
    // RFC 9580, 4.2: a packet begins with its tag; 6 is a public key, in the old format 0x98 to 0x9b, in the new 0xc6.
    matches!(key.first(), Some(0x98..=0x9b | 0xc6)).then_some("gpg")
}

#[cfg(test)]
mod tests {
    use super::key_format;

    #[test]
    fn only_public_keys_are_keys_and_their_suffix_says_their_format() {
        let cases: [(&[u8], Option<&str>); 6] = [
            (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ\n", Some("asc")),
            (
                b"comment\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
                Some("asc"),
            ),
            (&[0x99, 0x01, 0x0d, 0x04], Some("gpg")),
            (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ\n", None),
            (b"<html>404</html>", None),
            (b"", None),
        ];
        for (key, format) in cases {
            assert_eq!(key_format(key), format, "{key:?}");
        }
    }
}
