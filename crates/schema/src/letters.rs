use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Returns the text in NFC, with the letters that presentation forms show: ligatures (`ﬁ`), full
/// and half widths (`Ａ`, `ｱ`) and the shapes of Arabic letters, which come out of PDF files.
///
/// Other compatible letters stay, as they differ in meaning: `x²` is not `x2`.
pub fn plain_letters(text: &str) -> Cow<'_, str> {
    let is_plain = text.is_ascii()
        || text.chars().all(is_always_plain)
        || !text.chars().any(is_presentation_form)
            && is_nfc_quick(text.chars()) == IsNormalized::Yes;
    if is_plain {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match is_presentation_form(letter) {
            true => plain.extend(std::iter::once(letter).nfkc()),
            false => plain.push(letter),
        }
    }
    plain.nfc().collect::<String>().into()
}

/// Returns whether a letter is plain whatever stands beside it, which is quick to tell of the
/// letters of Western Europe and their punctuation.
fn is_always_plain(letter: char) -> bool {
    letter < '\u{300}' || ('\u{2010}'..='\u{2027}').contains(&letter)
}

fn is_presentation_form(letter: char) -> bool {
    matches!(letter, '\u{fb00}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{ff00}'..='\u{ffef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presentation_forms_are_the_letters_they_show() {
        for (text, plain) in [
            ("o\u{fb03}ce", "office"),
            ("ＷｉＦｉ５", "WiFi5"),
            ("ﾊﾟｽﾜｰﾄﾞ", "パスワード"),
            ("\u{feed}\u{fedf}", "\u{648}\u{644}"),
            ("cafe\u{301}", "café"),
        ] {
            assert_eq!(plain_letters(text), plain);
        }
    }

    #[test]
    fn what_differs_in_meaning_stays() {
        for text in ["x² ½ ① ™ µ", "plain", "", "中文"] {
            assert!(matches!(plain_letters(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
