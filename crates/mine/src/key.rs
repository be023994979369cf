use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Stands for an id or a text: 128 bits of its hash, so that sets of them stay small. Two
/// different ones share a key about as likely as a cosmic ray flips the answer.
pub(crate) type Key = u128;

/// The key of an id.
pub(crate) fn id_key(id: &str) -> Key {
    key(id.as_bytes())
}

/// The key of a text as people compare texts: normalised to NFC, lower-cased, every run of white
/// space one blank, none at the ends.
pub(crate) fn text_key(text: &str) -> Key {
    let composed = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => text.nfc().collect::<String>().into(),
    };
    // No id begins like this, so no text shares its key with one.
    let mut folded = String::with_capacity(composed.len() + 2);
    folded.push('\0');
    for word in composed.split_whitespace() {
        folded.push(' ');
        folded.push_str(word);
    }
    if folded.is_ascii() {
        folded.make_ascii_lowercase();
    } else {
        folded = folded.to_lowercase();
    }
    key(folded.as_bytes())
}

fn key(bytes: &[u8]) -> Key {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    Key::from_le_bytes(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_white_space_and_composition_do_not_matter() {
        assert_eq!(
            text_key("  Reset\tthe\n\n PASSWORD "),
            text_key("reset the password")
        );
        assert_eq!(text_key("Cafe\u{301}\u{a0}Noir"), text_key("café noir"));
    }

    #[test]
    fn words_do_matter_and_ids_are_taken_as_they_are() {
        assert_ne!(
            text_key("reset the password"),
            text_key("resetthe password")
        );
        assert_ne!(text_key("reset"), text_key("reset!"));
        assert_ne!(id_key("a1"), id_key("A1"));
        assert_ne!(id_key("reset"), text_key("reset"));
    }
}
