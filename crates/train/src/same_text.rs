//! When two texts are the same, as keys of 128 bits.

use unicode_normalization::UnicodeNormalization;

/// The key of a text with which texts share it that differ in Unicode form and white space alone:
/// for answers, of which `ls -R` and `ls -r` are two.
pub(crate) fn identical(text: &str) -> u128 {
    key(&spaced(text.nfc()))
}

/// The key of a text with which texts share it that differ in case and punctuation too: for
/// questions. A text without a letter or digit is the same as identical ones alone.
pub(crate) fn equivalent(text: &str) -> u128 {
    let letters = text.nfkc().flat_map(char::to_lowercase).nfc();
    let words = spaced(letters.map(|letter| match letter {
        letter if letter.is_alphanumeric() || is_mark(letter) => letter,
        '+' | '#' | '%' | '@' | '_' => letter,
        _ => ' ',
    }));
    match words.is_empty() {
        true => identical(text),
        false => key(&words),
    }
}

/// Whether it belongs to the letter before it.
fn is_mark(letter: char) -> bool {
    unicode_normalization::char::is_combining_mark(letter)
}

/// The words with one blank between them.
fn spaced(letters: impl Iterator<Item = char>) -> String {
    let mut spaced = String::new();
    let mut gap = false;
    for letter in letters {
        if letter.is_whitespace() {
            gap = !spaced.is_empty();
        } else {
            if std::mem::take(&mut gap) {
                spaced.push(' ');
            }
            spaced.push(letter);
        }
    }
    spaced
}

fn key(text: &str) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    u128::from_le_bytes(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_may_differ_in_form_and_white_space() {
        assert_eq!(identical(" cafe\u{301}\n closed"), identical("café closed"));
        assert_ne!(identical("ls -R"), identical("ls -r"));
    }

    #[test]
    fn questions_may_differ_in_case_and_punctuation() {
        assert_eq!(
            equivalent("How do I reset it?"),
            equivalent("how do i  reset it")
        );
        assert_ne!(equivalent("what is C"), equivalent("what is C++"));
        assert_ne!(equivalent("?"), equivalent("!"));
    }
}
