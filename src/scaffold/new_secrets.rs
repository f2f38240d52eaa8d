//! The secrets of a new repository: made up, and sealed to one person.

use std::path::Path;

use zeroize::Zeroizing;

use super::example::PERSON;
use crate::host::UserName;
use crate::identity::{Plaintext, Recipient};
use crate::secrets::{
    Alphabet, GenerateError, Generated, Generator, Recipe, RecipeError, SecretFile,
    SecretFileError, Wishes, encrypted, generate,
};
use crate::sops::Format;

/// The secret file of the example.
pub(super) const FILE: &str = "secrets/default.yml";

/// Secrets that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NewSecretsError {
    /// Random values.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// For whom.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// Sealing.
    #[error(transparent)]
    Seal(#[from] SecretFileError),
}

/// Where a value of the example comes from in a new repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// It is as good as any: a password that only machines use.
    Password,
    /// The private half of a `WireGuard` key pair.
    WireguardKey,
    /// Somebody else gives it out; until it is put in, there is something random.
    Foreign,
    /// A password that a person will think up; until then, none lets them in.
    NoPassword,
}

/// Every secret of the example, by the keys on the way to it. `PERSON` stands for the person.
const SECRETS: [(&[&str], Source); 6] = [
    (&["api", "github"], Source::Foreign),
    (&["api", "openai"], Source::Foreign),
    (&["backups", "restic", "password"], Source::Password),
    (&["registry", "token"], Source::Foreign),
    (&["users", PERSON, "password_hash"], Source::NoPassword),
    (&["wireguard", "private_key"], Source::WireguardKey),
];

/// The key paths of values that the person still has to put in.
pub(super) fn to_fill_in(user: &UserName) -> Vec<String> {
    SECRETS
        .iter()
        .filter(|(_, source)| matches!(source, Source::Foreign | Source::NoPassword))
        .map(|(keys, _)| path_of(keys, user).join("/"))
        .collect()
}

/// The text of a new secret file that `recipient` can open.
pub(super) fn sealed(user: &UserName, recipient: &Recipient) -> Result<String, NewSecretsError> {
    let file = SecretFile::at(Path::new(FILE), None);
    let wishes = Wishes {
        recipients: vec![recipient.clone()],
        ..Wishes::default()
    };
    let recipe = Recipe::of(&file, &wishes)?;
    Ok(encrypted(
        &file,
        &in_the_clear(user)?,
        &recipe,
        Format::Yaml,
    )?)
}

/// The same file before it is sealed.
fn in_the_clear(user: &UserName) -> Result<Plaintext, NewSecretsError> {
    // Room for all of it, so that no outgrown buffer is left behind.
    let mut text = Zeroizing::new(Vec::with_capacity(16 * 1024));
    let mut above: Vec<&str> = Vec::new();
    for (keys, source) in SECRETS {
        let path = path_of(keys, user);
        let common = above
            .iter()
            .zip(&path)
            .take_while(|(one, other)| *one == *other)
            .count();
        for (depth, key) in path.iter().enumerate().skip(common) {
            text.extend_from_slice(format!("{}{key}:", "  ".repeat(depth)).as_bytes());
            if depth + 1 < path.len() {
                text.push(b'\n');
            }
        }
        text.extend_from_slice(b" \"");
        text.extend_from_slice(value_of(source)?.expose());
        text.extend_from_slice(b"\"\n");
        above = path;
    }
    Ok(Plaintext::from(text))
}

fn path_of<'a>(keys: &[&'a str], user: &'a UserName) -> Vec<&'a str> {
    keys.iter()
        .map(|key| if *key == PERSON { user.as_str() } else { key })
        .collect()
}

/// A value of letters, digits and signs that need no escape in quotes.
fn value_of(source: Source) -> Result<Plaintext, GenerateError> {
    let generator = match source {
        Source::Password => Generator::Password {
            length: 32,
            alphabet: Alphabet::default(),
        },
        Source::Foreign => Generator::Hex { bytes: 20 },
        Source::WireguardKey => Generator::Wireguard,
        Source::NoPassword => return Ok(Plaintext::new(b"*".to_vec())),
    };
    Ok(match generate(&generator)? {
        Generated::Value(value) | Generated::KeyPair { private: value, .. } => value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sops::SealedFile;

    fn keys_in(sealed: &str) -> Vec<String> {
        let file = SealedFile::parse(sealed.as_bytes(), Format::Yaml).unwrap();
        let paths = file.key_paths();
        paths.iter().map(|path| path.join("/")).collect()
    }

    #[test]
    fn a_new_secret_file_has_every_secret_of_the_example_and_no_value_of_it() {
        let recipient =
            Recipient::parse("age1pcz5z9dgp8te5dnk3hedhjmd4ntp8fyxw65pu4qshhxkeneacvrqq6vv3k")
                .unwrap();
        let user = UserName::new(PERSON).unwrap();
        let made = sealed(&user, &recipient).unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("repo-example")
            .join(FILE);
        let example = std::fs::read_to_string(example).unwrap();
        assert_eq!(keys_in(&made), keys_in(&example));
        let again = sealed(&user, &recipient).unwrap();
        assert_ne!(made, again);
    }
}
