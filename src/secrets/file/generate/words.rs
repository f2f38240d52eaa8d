//! Passphrases of words that people can type and remember.

use rand::Rng as _;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

use crate::identity::Plaintext;

const LIST: &str = include_str!("eff_large_wordlist.txt");
/// The list has one word for each throw of five dice.
const LIST_LENGTH: usize = 7776;
/// Room per word and what stands between two.
const LONGEST_WORD_BYTES: usize = 16;

/// The words, in their order.
pub(super) fn all() -> Vec<&'static str> {
    let mut words = Vec::with_capacity(LIST_LENGTH);
    words.extend(LIST.lines().filter(|line| !line.starts_with('#')));
    words
}

/// `count` words, each drawn by itself.
pub(super) fn passphrase(count: usize, separator: &str) -> Plaintext {
    let words = all();
    let room = count * (LONGEST_WORD_BYTES + separator.len());
    let mut phrase = Zeroizing::new(String::with_capacity(room));
    for position in 0..count {
        if position > 0 {
            phrase.push_str(separator);
        }
        phrase.push_str(words[OsRng.gen_range(0..words.len())]);
    }
    Plaintext::from(phrase)
}
