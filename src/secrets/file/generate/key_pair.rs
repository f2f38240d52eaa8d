//! Key pairs in the forms that the programs which use them read.

use age::secrecy::ExposeSecret as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore as _;
use rand::rngs::OsRng;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::{GenerateError, Generated};
use crate::identity::Plaintext;

/// An OpenSSH private key, and its public half as a line of `authorized_keys`.
pub(super) fn ssh(comment: &str) -> Result<Generated, GenerateError> {
    let mut key = ssh_key::PrivateKey::random(&mut OsRng, ssh_key::Algorithm::Ed25519)
        .map_err(|_never| GenerateError::Format)?;
    key.set_comment(comment);
    let private = key
        .to_openssh(ssh_key::LineEnding::LF)
        .map_err(|_never| GenerateError::Format)?;
    let public = key
        .public_key()
        .to_openssh()
        .map_err(|_never| GenerateError::Format)?;
    Ok(Generated::KeyPair {
        private: Plaintext::from(private),
        public,
    })
}

/// A Curve25519 key, clamped as `wg genkey` does it, so that other programs take it as it is.
pub(super) fn wireguard() -> Generated {
    let mut scalar = Zeroizing::new([0; 32]);
    OsRng.fill_bytes(scalar.as_mut_slice());
    scalar[0] &= 0b1111_1000;
    scalar[31] = (scalar[31] & 0b0111_1111) | 0b0100_0000;
    let public = PublicKey::from(&StaticSecret::from(*scalar));
    Generated::KeyPair {
        private: Plaintext::new(STANDARD.encode(*scalar).into_bytes()),
        public: STANDARD.encode(public.as_bytes()),
    }
}

/// An age identity, and its recipient.
pub(super) fn age() -> Generated {
    let identity = age::x25519::Identity::generate();
    let private = identity.to_string();
    Generated::KeyPair {
        private: Plaintext::new(private.expose_secret().as_bytes().to_vec()),
        public: identity.to_public().to_string(),
    }
}
