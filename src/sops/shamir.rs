//! Shamir's secret sharing over GF(2^8), as sops splits a data key among key groups.
//!
//! A share is the values of one polynomial per secret byte at `x`, followed by `x` itself.

use zeroize::Zeroizing;

/// Puts shares together; nothing when they do not fit: fewer than two, of different lengths, or twice the same.
pub(super) fn combine(shares: &[&[u8]]) -> Option<Zeroizing<Vec<u8>>> {
    let length = shares.first()?.len();
    if shares.len() < 2 || length < 2 || shares.iter().any(|share| share.len() != length) {
        return None;
    }
    let places: Vec<u8> = shares.iter().map(|share| share[length - 1]).collect();
    let distinct = places
        .iter()
        .enumerate()
        .all(|(at, place)| *place != 0 && !places[..at].contains(place));
    if !distinct {
        return None;
    }
    let mut secret = Zeroizing::new(vec![0; length - 1]);
    for (share, place) in shares.iter().zip(&places) {
        // The Lagrange factor at zero; subtraction is addition here.
        let factor = places
            .iter()
            .filter(|other| *other != place)
            .fold(1, |product, other| {
                multiply(product, multiply(*other, invert(other ^ place)))
            });
        for (byte, value) in secret.iter_mut().zip(share.iter()) {
            *byte ^= multiply(*value, factor);
        }
    }
    Some(secret)
}

/// Multiplies modulo x^8 + x^4 + x^3 + x + 1, in a time that does not depend on the factors.
fn multiply(a: u8, b: u8) -> u8 {
    let (mut a, mut b, mut product) = (a, b, 0);
    for _ in 0..8 {
        product ^= a & (b & 1).wrapping_neg();
        let carry = (a >> 7).wrapping_neg();
        a = (a << 1) ^ (carry & 0x1b);
        b >>= 1;
    }
    product
}

/// The inverse, as the 254th power.
fn invert(a: u8) -> u8 {
    let mut power = a;
    for _ in 0..6 {
        power = multiply(multiply(power, power), a);
    }
    multiply(power, power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Unit {
        shamir: Vec<Vector>,
    }

    #[derive(serde::Deserialize)]
    struct Vector {
        secret: String,
        threshold: usize,
        shares: Vec<String>,
    }

    #[test]
    fn multiplication_is_that_of_the_aes_field() {
        assert_eq!(multiply(0x53, 0xca), 1);
        assert_eq!(multiply(3, 7), 9);
        assert!((1..=255).all(|a| multiply(a, invert(a)) == 1));
    }

    #[test]
    fn shares_made_by_sops_combine_to_the_secret() {
        let unit: Unit =
            serde_json::from_str(include_str!("../../tests/vectors/unit/unit.json")).unwrap();
        assert!(!unit.shamir.is_empty());
        for vector in unit.shamir {
            let shares: Vec<Vec<u8>> = vector
                .shares
                .iter()
                .map(|s| hex::decode(s).unwrap())
                .collect();
            let all: Vec<&[u8]> = shares.iter().map(Vec::as_slice).collect();
            for window in all.windows(vector.threshold.max(2)) {
                assert_eq!(
                    hex::encode(combine(window).unwrap().as_slice()),
                    vector.secret
                );
            }
        }
        assert!(combine(&[&[1, 2]]).is_none());
        assert!(combine(&[&[1, 2], &[3, 2]]).is_none());
        assert!(combine(&[&[1, 2], &[3, 0]]).is_none());
    }
}
