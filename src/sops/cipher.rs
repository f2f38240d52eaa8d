//! The cipher of one value: AES-256-GCM with a 32-byte IV, and its `ENC[…]` text form.

mod any_iv;

use std::borrow::Cow;

use aes::Aes256;
use aes_gcm::aead::consts::U32;
use aes_gcm::aead::generic_array::GenericArray;
use aes_gcm::{AeadInPlace as _, AesGcm, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore as _;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

use super::value::ValueType;

const PREFIX: &str = "ENC[AES256_GCM,data:";
const IV_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// The 32 bytes that all values of one file are encrypted with; wiped on drop.
#[derive(Clone)]
pub(super) struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    pub(super) fn random() -> Self {
        let mut key = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(key.as_mut_slice());
        Self(key)
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    pub(super) fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A parsed `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]` text.
pub(super) struct Ciphertext {
    data: Vec<u8>,
    iv: Vec<u8>,
    tag: [u8; TAG_BYTES],
    pub(super) value_type: ValueType,
}

/// Why one `ENC[…]` text does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// A field is missing, or not base64.
    #[error("the `ENC[…]` text is malformed")]
    Malformed,
    /// A `type:` that this version does not know.
    #[error("the `ENC[…]` text names an unknown type")]
    UnknownType,
    /// The value, its place or its key is not the one it was encrypted with.
    #[error("it was not encrypted with this file's key for this place, or it was changed")]
    NotAuthentic,
    /// It opened to something that its type does not allow.
    #[error("it opens to something that is not of the type it names")]
    NotOfItsType,
}

/// Whether `text` has the outer form of an encrypted value.
pub(super) fn looks_encrypted(text: &str) -> bool {
    text.starts_with(PREFIX) && text.contains(']')
}

impl Ciphertext {
    /// Reads the text form; what follows the last `]` is ignored, as sops does.
    pub(super) fn parse(text: &str) -> Result<Self, CipherError> {
        let inner = text.strip_prefix(PREFIX).ok_or(CipherError::Malformed)?;
        let (inner, _after) = inner.rsplit_once(']').ok_or(CipherError::Malformed)?;
        // Base64 has no comma.
        let mut fields = inner.split(',');
        let data = fields.next().ok_or(CipherError::Malformed)?;
        let mut field = |name: &str| {
            let field = fields.next().and_then(|field| field.strip_prefix(name));
            field.ok_or(CipherError::Malformed)
        };
        let (iv, tag, value_type) = (field("iv:")?, field("tag:")?, field("type:")?);
        if fields.next().is_some() {
            return Err(CipherError::Malformed);
        }
        if data.is_empty() {
            return Err(CipherError::Malformed);
        }
        let iv = decode(iv)?;
        if iv.is_empty() {
            return Err(CipherError::Malformed);
        }
        Ok(Self {
            data: decode(data)?,
            iv,
            tag: decode(tag)?
                .try_into()
                .map_err(|_wrong_length| CipherError::Malformed)?,
            value_type: ValueType::parse(value_type).ok_or(CipherError::UnknownType)?,
        })
    }

    /// Opens the value; `aad` says where it stands.
    pub(super) fn open(&self, key: &DataKey, aad: &str) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let mut bytes = Zeroizing::new(self.data.clone());
        if self.iv.len() != IV_BYTES {
            // Nobody writes such an IV, and the standard allows it.
            let opened = any_iv::decrypt(key.expose(), (&self.iv, &self.tag), aad, &mut bytes);
            return opened.then_some(bytes).ok_or(CipherError::NotAuthentic);
        }
        AesGcm::<Aes256, U32>::new(GenericArray::from_slice(key.expose()))
            .decrypt_in_place_detached(
                GenericArray::from_slice(&self.iv),
                aad.as_bytes(),
                &mut bytes,
                GenericArray::from_slice(&self.tag),
            )
            .map_err(|_not_authentic| CipherError::NotAuthentic)?;
        Ok(bytes)
    }

    /// How many bytes an attempt to open it has to read.
    pub(super) fn len(&self) -> usize {
        self.data.len()
    }
}

/// Encrypts `bytes` with a fresh IV into the text form.
pub(super) fn encrypt(
    key: &DataKey,
    aad: &str,
    value_type: ValueType,
    bytes: &[u8],
) -> Result<String, CipherError> {
    let mut iv = [0; IV_BYTES];
    OsRng.fill_bytes(&mut iv);
    encrypt_with_iv(key, &iv, aad, (value_type, bytes))
}

fn encrypt_with_iv(
    key: &DataKey,
    iv: &[u8; IV_BYTES],
    aad: &str,
    (value_type, bytes): (ValueType, &[u8]),
) -> Result<String, CipherError> {
    let mut data = Zeroizing::new(bytes.to_vec());
    let tag = AesGcm::<Aes256, U32>::new(GenericArray::from_slice(key.expose()))
        .encrypt_in_place_detached(GenericArray::from_slice(iv), aad.as_bytes(), &mut data)
        // Only lengths beyond 64 GiB fail.
        .map_err(|_too_long| CipherError::Malformed)?;
    Ok(format!(
        "{PREFIX}{},iv:{},tag:{},type:{}]",
        STANDARD.encode(data.as_slice()),
        STANDARD.encode(iv),
        STANDARD.encode(tag),
        value_type.as_str()
    ))
}

fn decode(text: &str) -> Result<Vec<u8>, CipherError> {
    let text = if text.bytes().any(|byte| matches!(byte, b'\r' | b'\n')) {
        Cow::Owned(text.replace(['\r', '\n'], ""))
    } else {
        Cow::Borrowed(text)
    };
    STANDARD
        .decode(text.as_bytes())
        .map_err(|_not_base64| CipherError::Malformed)
}

#[cfg(test)]
mod tests;
