//! Which letters of a text are punctuation, and of which kind; which belong to the letter before
//! them, and which are of scripts without blanks.

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup, Script};

/// Marks that change what a word means: `C#`, `100%`, `A*`, `@home`, `snake_case`, `\n`, `R&D`.
const OF_WORDS: &str = "#%&*@\\_§¶‰†‡";

/// Returns whether a letter is punctuation that does not count. Symbols (`+`, `=`, `<`, `$`, emoji)
/// are letters of a word, and so are marks such as the `#` of `C#`.
pub(crate) fn is_mark(letter: char) -> bool {
    match letter {
        // Used as quotes, though Unicode has them for symbols.
        '`' | '\u{b4}' => true,
        _ if letter.is_ascii() => {
            letter.is_ascii_punctuation() && !"$+<=>^|~#%&*@\\_".contains(letter)
        }
        _ if letter.is_alphanumeric() => false,
        _ => {
            GeneralCategoryGroup::Punctuation.contains(category(letter))
                && !OF_WORDS.contains(letter)
        }
    }
}

/// Returns whether a mark ends a sentence.
pub(crate) fn ends_sentence(mark: char) -> bool {
    matches!(
        mark,
        '.' | '?'
            | '!'
            | '…'
            | '‼'
            | '⁇'
            | '⁈'
            | '⁉'
            | '؟'
            | '۔'
            | '।'
            | '॥'
            | '。'
            | '｡'
            | '؛'
            | '\u{37e}'
            | '\u{589}'
            | '\u{1362}'
            | '\u{17d4}'
            | '\u{17d5}'
    )
}

/// Returns whether a mark stands for a letter left out, or for a quote.
pub(crate) fn is_apostrophe(mark: char) -> bool {
    matches!(mark, '\'' | '’' | '‘' | 'ʼ' | '`' | '\u{b4}' | '＇')
}

/// Returns whether a mark is a dash, which a hyphen can stand for.
pub(crate) fn is_dash(mark: char) -> bool {
    mark == '-' || !mark.is_ascii() && category(mark) == GeneralCategory::DashPunctuation
}

/// Returns whether a letter is a combining mark of a script, not of symbols or emoji: a part of its
/// word.
pub fn is_combining_mark(letter: char) -> bool {
    letter >= '\u{300}'
        && !matches!(letter, '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}')
        && GeneralCategoryGroup::Mark.contains(category(letter))
}

/// Returns whether a letter is of a script that puts no blanks between words.
pub fn is_unspaced(letter: char) -> bool {
    // The scripts up to Sinhala put them.
    letter >= '\u{e00}' && unspaced_script(letter).is_some()
}

/// Returns the name of the letter's script, if that puts no blanks between words.
pub fn unspaced_script(letter: char) -> Option<&'static str> {
    // The long vowel mark is common to two scripts.
    if letter == 'ー' {
        return Some("Japanese");
    }
    match CodePointMapData::<Script>::new().get(letter) {
        Script::Han | Script::Bopomofo => Some("Chinese"),
        Script::Hiragana | Script::Katakana => Some("Japanese"),
        Script::Thai => Some("Thai"),
        Script::Lao => Some("Lao"),
        Script::Khmer => Some("Khmer"),
        Script::Myanmar => Some("Burmese"),
        Script::TaiLe | Script::NewTaiLue | Script::TaiTham | Script::TaiViet => Some("Tai"),
        _ => None,
    }
}

fn category(letter: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_emoji_are_no_marks() {
        for letter in "+=<>$€^|~#%&*@\\_°©™👍❤→½aé7中กस्".chars() {
            assert!(!is_mark(letter), "{letter}");
        }
        for letter in ".,;:!?'\"()[]{}-/`´…–—«»“”‘’¿¡。、！？؟،।·".chars()
        {
            assert!(is_mark(letter), "{letter}");
        }
    }

    #[test]
    fn dashes_are_known_in_every_length() {
        for dash in "-‐‑–—".chars() {
            assert!(is_dash(dash), "{dash}");
        }
        assert!(!is_dash('_') && !is_dash('.'));
    }
}
