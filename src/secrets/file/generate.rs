//! New secrets from the operating system's random source: passwords, passphrases, bytes, key pairs.

mod key_pair;
mod password;
mod words;

pub use self::password::{Alphabet, PasswordError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore as _;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

use crate::identity::Plaintext;

/// What to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generator {
    /// Characters of the classes of an alphabet, with at least one of each.
    Password {
        /// How many characters.
        length: usize,
        /// Which characters.
        alphabet: Alphabet,
    },
    /// Words of the EFF's large list, each worth 12.9 bits.
    Passphrase {
        /// How many words.
        words: usize,
        /// What stands between them.
        separator: String,
    },
    /// Random bytes in hexadecimal digits.
    Hex {
        /// How many bytes.
        bytes: usize,
    },
    /// Random bytes in base64, with padding.
    Base64 {
        /// How many bytes.
        bytes: usize,
    },
    /// An OpenSSH ed25519 key pair without a passphrase.
    SshKey {
        /// What stands after the public key.
        comment: String,
    },
    /// A WireGuard key pair, both halves in base64, as `wg genkey` and `wg pubkey` make them.
    Wireguard,
    /// An age key pair, as age-keygen makes it.
    AgeKey,
}

/// What was made.
#[expect(missing_debug_implementations, reason = "it holds a secret")]
pub enum Generated {
    /// One value.
    Value(Plaintext),
    /// Two halves, of which one is no secret.
    KeyPair {
        /// The private half.
        private: Plaintext,
        /// The public half, one line.
        public: String,
    },
}

/// A secret that cannot be made as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// The password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A number outside its bounds.
    #[error("{what} must be from {least} to {most}, not {given}")]
    Bounds {
        /// What it counts, such as "the number of words".
        what: &'static str,
        /// What was asked for.
        given: usize,
        /// The least that makes sense.
        least: usize,
        /// The most that is made.
        most: usize,
    },
    /// A key that cannot be written down, which was never seen.
    #[error("the key cannot be written in its own format")]
    Format,
}

impl GenerateError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Password(error) => error.fix(),
            Self::Bounds { .. } => "name a number within these bounds",
            Self::Format => "this is a mistake in the program; please report it",
        }
    }
}

/// Makes a new secret.
pub fn generate(generator: &Generator) -> Result<Generated, GenerateError> {
    Ok(match generator {
        Generator::Password { length, alphabet } => {
            Generated::Value(password::password(*length, alphabet)?)
        }
        Generator::Passphrase { words, separator } => {
            let words = within("the number of words", *words, 3, 64)?;
            Generated::Value(words::passphrase(words, separator))
        }
        Generator::Hex { bytes } => {
            let bytes = random(*bytes)?;
            Generated::Value(Plaintext::new(hex::encode(&*bytes).into_bytes()))
        }
        Generator::Base64 { bytes } => {
            let bytes = random(*bytes)?;
            Generated::Value(Plaintext::new(STANDARD.encode(&*bytes).into_bytes()))
        }
        Generator::SshKey { comment } => key_pair::ssh(comment)?,
        Generator::Wireguard => key_pair::wireguard(),
        Generator::AgeKey => key_pair::age(),
    })
}

fn within(
    what: &'static str,
    given: usize,
    least: usize,
    most: usize,
) -> Result<usize, GenerateError> {
    if (least..=most).contains(&given) {
        return Ok(given);
    }
    Err(GenerateError::Bounds {
        what,
        given,
        least,
        most,
    })
}

fn random(bytes: usize) -> Result<Zeroizing<Vec<u8>>, GenerateError> {
    let bytes = within("the number of bytes", bytes, 8, 4096)?;
    let mut random = Zeroizing::new(vec![0; bytes]);
    OsRng.fill_bytes(&mut random);
    Ok(random)
}

#[cfg(test)]
mod tests;
