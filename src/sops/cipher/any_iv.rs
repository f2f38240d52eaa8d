//! Opening AES-256-GCM with an IV of any length, which `aes-gcm` has a type for only where the length is known when this
//! is compiled.
//!
//! Source: NIST SP 800-38D, section 7.

use aes::Aes256;
use aes::cipher::{BlockEncrypt as _, KeyInit as _};
use ghash::universal_hash::UniversalHash as _;
use ghash::{Block, GHash};
use subtle::ConstantTimeEq as _;

/// Replaces `bytes` by what they decrypt to, if the tag fits; leaves them alone otherwise. The IV is not empty.
pub(super) fn decrypt(
    key: &[u8; 32],
    (iv, tag): (&[u8], &[u8; 16]),
    aad: &str,
    bytes: &mut [u8],
) -> bool {
    let cipher = Aes256::new(key.into());
    let mut hash_key = Block::default();
    cipher.encrypt_block(&mut hash_key);
    let ghash = GHash::new(&hash_key);

    let first = first_counter(&ghash, iv);
    let mut computed = hash_of(&ghash, &[aad.as_bytes(), bytes], (aad.len(), bytes.len()));
    let mut mask = first;
    cipher.encrypt_block(&mut mask);
    xor(&mut computed, &mask);
    if !bool::from(computed.as_slice().ct_eq(tag)) {
        return false;
    }
    let mut counter = first;
    for chunk in bytes.chunks_mut(16) {
        count(&mut counter);
        let mut stream = counter;
        cipher.encrypt_block(&mut stream);
        xor(chunk, &stream);
    }
    true
}

/// The counter block that the standard calls J0.
fn first_counter(ghash: &GHash, iv: &[u8]) -> Block {
    if iv.len() == 12 {
        let mut block = Block::default();
        block[..12].copy_from_slice(iv);
        block[15] = 1;
        return block;
    }
    hash_of(ghash, &[iv], (0, iv.len()))
}

/// The hash of `parts`, each padded to whole blocks, and of two lengths in bytes.
fn hash_of(ghash: &GHash, parts: &[&[u8]], lengths: (usize, usize)) -> Block {
    let mut ghash = ghash.clone();
    for part in parts {
        ghash.update_padded(part);
    }
    let mut block = Block::default();
    block[..8].copy_from_slice(&(lengths.0 as u64 * 8).to_be_bytes());
    block[8..].copy_from_slice(&(lengths.1 as u64 * 8).to_be_bytes());
    ghash.update(&[block]);
    ghash.finalize()
}

/// Adds one to the last 32 bits.
fn count(block: &mut Block) {
    for byte in block[12..].iter_mut().rev() {
        let (sum, carried) = byte.overflowing_add(1);
        *byte = sum;
        if !carried {
            break;
        }
    }
}

fn xor(bytes: &mut [u8], mask: &[u8]) {
    for (byte, other) in bytes.iter_mut().zip(mask) {
        *byte ^= other;
    }
}

#[cfg(test)]
mod tests {
    use aes_gcm::aead::consts::{U1, U12, U13, U16, U32, U64};
    use aes_gcm::aead::generic_array::{ArrayLength, GenericArray};
    use aes_gcm::{AeadInPlace as _, AesGcm, KeyInit as _};

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn agrees<N: ArrayLength<u8>>() {
        let iv: Vec<u8> = (0..=255).rev().cycle().take(N::USIZE).collect();
        for length in [0, 1, 15, 16, 17, 5000] {
            for aad in ["", ":", "a:b:and so on for more than a block:"] {
                let plain: Vec<u8> = (0..=255).cycle().take(length).collect();
                let mut bytes = plain.clone();
                let tag = AesGcm::<Aes256, N>::new(GenericArray::from_slice(&KEY))
                    .encrypt_in_place_detached(
                        GenericArray::from_slice(&iv),
                        aad.as_bytes(),
                        &mut bytes,
                    )
                    .unwrap();
                let mut tag: [u8; 16] = tag.into();
                let sealed = bytes.clone();
                assert!(decrypt(&KEY, (&iv, &tag), aad, &mut bytes), "{}", N::USIZE);
                assert_eq!(bytes, plain);
                let mut bytes = sealed.clone();
                assert!(!decrypt(&KEY, (&iv, &tag), "other:", &mut bytes));
                tag[15] ^= 1;
                assert!(!decrypt(&KEY, (&iv, &tag), aad, &mut bytes));
                assert_eq!(bytes, sealed, "what is not authentic is left alone");
            }
        }
    }

    #[test]
    fn every_length_of_iv_opens_as_the_standard_says() {
        agrees::<U1>();
        agrees::<U12>();
        agrees::<U13>();
        agrees::<U16>();
        agrees::<U32>();
        agrees::<U64>();
    }
}
