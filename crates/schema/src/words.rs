//! The words of a text as hashes, of which texts are made up that are nearly the same.

use crate::{is_combining_mark, is_unspaced};

/// 2^64 divided by the golden ratio, whose multiples lie evenly (Knuth, TAOCP 3, 6.4).
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Returns the words of a text in order, as hashes, whatever their case and punctuation; in scripts
/// without blanks each letter is one.
#[inline]
pub fn word_hashes(text: &str) -> impl Iterator<Item = u64> + '_ {
    let is_ascii = text.is_ascii();
    let plain = is_ascii.then(|| ascii_words(text));
    let other = (!is_ascii).then(|| words_of_any_script(text));
    plain
        .into_iter()
        .flatten()
        .chain(other.into_iter().flatten())
}

/// The same words, found in half the time.
#[inline]
fn ascii_words(text: &str) -> impl Iterator<Item = u64> + '_ {
    let words = text
        .as_bytes()
        .split(|letter| !letter.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(|word| hash(word.iter().map(|letter| letter.to_ascii_lowercase().into())))
}

#[inline]
fn words_of_any_script(text: &str) -> impl Iterator<Item = u64> + '_ {
    let mut letters = text.chars().peekable();
    std::iter::from_fn(move || {
        let first = letters.find(|letter| letter.is_alphanumeric())?;
        let is_alone = is_unspaced(first);
        let belongs = |letter: &char| match letter.is_alphanumeric() {
            true => !is_alone && !is_unspaced(*letter),
            false => is_combining_mark(*letter),
        };
        let rest = std::iter::from_fn(|| letters.next_if(belongs));
        let word = std::iter::once(first).chain(rest);
        Some(hash(word.flat_map(char::to_lowercase).map(u64::from)))
    })
}

/// Returns the hash of words in a row.
#[inline]
pub fn hash_words(words: &[u64]) -> u64 {
    hash(words.iter().copied())
}

#[inline]
fn hash(parts: impl Iterator<Item = u64>) -> u64 {
    let mixed = parts.fold(0_u64, |mixed, part| {
        (mixed.rotate_left(23) ^ part).wrapping_mul(FACTOR)
    });
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_plain_text_are_the_same_by_either_way() {
        let text = "Don't re-Use the C3 pump: 24\" (old)";
        assert!(word_hashes(text).eq(words_of_any_script(text)));
    }
}
