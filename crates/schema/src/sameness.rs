use std::borrow::Cow;

use serde::Serialize;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

pub use crate::equivalent::equivalent;

/// When two texts are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Sameness {
    /// Whatever their letter case, punctuation, white space and Unicode form
    #[default]
    Equivalent,
    /// Whatever their white space and Unicode form
    Identical,
}

impl Sameness {
    /// Returns what texts have in common that are the same: equal forms, and only these.
    pub fn form(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Equivalent => equivalent(text).into(),
            Self::Identical => identical(text),
        }
    }
}

/// Returns the form of a text that counts where texts must be [identical](Sameness::Identical):
/// NFC, each run of white space one blank, none at the ends.
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
    use proptest::prelude::*;

    use super::*;
    use crate::odd_text::odd_text;

    proptest! {
        #[test]
        fn a_form_is_its_own_form(text in odd_text()) {
            let form = identical(&text);
            prop_assert!(matches!(identical(&form), Cow::Borrowed(_)), "{:?}", form);
            let form = equivalent(&text);
            prop_assert_eq!(equivalent(&form), form);
        }

        #[test]
        fn what_is_identical_is_equivalent(text in odd_text()) {
            prop_assert_eq!(equivalent(&identical(&text)), equivalent(&text));
        }
    }

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

    #[test]
    fn each_strength_has_its_form() {
        assert_eq!(Sameness::Identical.form("Ls  -R?"), "Ls -R?");
        assert_eq!(Sameness::Equivalent.form("Ls  -R?"), "ls -r");
    }
}
