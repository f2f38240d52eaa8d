//! Shamir's secret sharing over GF(2^8), as sops splits a data key among key groups.
//!
//! A share is the values of one polynomial per secret byte at `x`, followed by `x` itself.

use rand::{CryptoRng, RngCore};
use zeroize::Zeroizing;

/// Splits `secret` into `shares` parts of which any `threshold` give it back, and fewer tell nothing.
///
/// The part at position `i` is evaluated at `x = i + 1`. Nothing unless 2 ≤ threshold ≤ shares.
pub(super) fn split(
    secret: &[u8],
    (shares, threshold): (u8, u8),
    random: &mut (impl RngCore + CryptoRng),
) -> Option<Vec<Zeroizing<Vec<u8>>>> {
    if threshold < 2 || threshold > shares {
        return None;
    }
    // One polynomial per byte; its constant term is the byte itself.
    let degree = usize::from(threshold) - 1;
    let mut coefficients = Zeroizing::new(vec![0; secret.len() * degree]);
    random.fill_bytes(&mut coefficients);
    let share_at = |x: u8| {
        let mut share = Zeroizing::new(Vec::with_capacity(secret.len() + 1));
        for (byte, others) in secret.iter().zip(coefficients.chunks_exact(degree)) {
            let sum = others.iter().fold(0, |sum, other| multiply(sum ^ other, x));
            share.push(sum ^ byte);
        }
        share.push(x);
        share
    };
    Some((1..=shares).map(share_at).collect())
}

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
    use rand::rngs::OsRng;

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
    }

    #[test]
    fn shares_that_do_not_fit_together_give_nothing() {
        assert!(combine(&[]).is_none());
        assert!(combine(&[&[1, 2]]).is_none(), "one share");
        assert!(combine(&[&[1, 2], &[3, 2]]).is_none(), "the same place");
        assert!(combine(&[&[1, 2], &[3, 0]]).is_none(), "the secret's place");
        assert!(combine(&[&[1, 2], &[3, 4, 1]]).is_none(), "two lengths");
        assert!(combine(&[&[2], &[1]]).is_none(), "no secret");
    }

    #[test]
    fn any_threshold_of_shares_gives_the_secret_back_and_fewer_do_not() {
        let secret: Vec<u8> = (0..32).collect();
        for (count, threshold) in [(2, 2), (3, 2), (5, 3), (5, 5), (255, 2), (255, 255)] {
            let shares = split(&secret, (count, threshold), &mut OsRng).unwrap();
            assert_eq!(shares.len(), usize::from(count));
            for (share, x) in shares.iter().zip(1..) {
                assert_eq!((share.len(), usize::from(share[32])), (33, x));
            }
            let shares: Vec<&[u8]> = shares.iter().map(|share| share.as_slice()).collect();
            let last = &shares[shares.len() - usize::from(threshold)..];
            assert_eq!(combine(last).unwrap().as_slice(), secret);
            assert_eq!(combine(&shares).unwrap().as_slice(), secret);
            if let Some(too_few) = combine(&last[1..]) {
                assert_ne!(too_few.as_slice(), secret);
            }
        }
        for numbers in [(1, 1), (2, 1), (2, 3), (0, 0)] {
            assert!(split(&secret, numbers, &mut OsRng).is_none());
        }
    }
}
