use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Returns the form of a text that counts where texts must be
/// [identical](crate::Sameness::Identical): NFC, each run of white space one blank, none at the
/// ends.
pub fn identical(text: &str) -> Cow<'_, str> {
    if is_folded(text) {
        return text.into();
    }
    let mut folded = String::with_capacity(text.len());
    let mut gap = false;
    for letter in text.nfc() {
        if letter.is_whitespace() {
            gap = !folded.is_empty();
        } else {
            if std::mem::take(&mut gap) {
                folded.push(' ');
            }
            folded.push(letter);
        }
    }
    folded.into()
}

/// Returns whether a text is in its identical form, as most are.
fn is_folded(text: &str) -> bool {
    let mut last = ' ';
    for letter in text.chars() {
        if letter.is_whitespace() && (letter != ' ' || last == ' ') {
            return false;
        }
        last = letter;
    }
    (last != ' ' || text.is_empty())
        && (text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_composition_do_not_tell_texts_apart() {
        assert_eq!(identical("  reset\t\nmy \u{a0} router "), "reset my router");
        assert_eq!(
            identical("cafe\u{301} closed"),
            identical("caf\u{e9}  closed")
        );
        assert_ne!(identical("ls -R"), identical("ls -r"));
        assert_eq!(identical(" \n\u{2003}"), "");
        assert_eq!(identical(""), "");
    }

    #[test]
    fn what_is_folded_already_is_borrowed() {
        for text in ["reset my router", "", "caf\u{e9}", "a"] {
            assert!(matches!(identical(text), Cow::Borrowed(_)), "{text}");
        }
        for text in [" a", "a ", "a  b", "a\tb", "cafe\u{301}", " "] {
            assert!(matches!(identical(text), Cow::Owned(_)), "{text}");
        }
    }
}
