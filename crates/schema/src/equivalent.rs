use std::borrow::Cow;

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

use crate::identical::identical;
use crate::letters::plain_letters;
use crate::marks::{ends_sentence, is_apostrophe, is_dash, is_mark, is_unspaced};

/// Returns the form of a text that counts where texts must be
/// [equivalent](crate::Sameness::Equivalent): NFC, folded case (Unicode's full case folding, and
/// dotted and dotless i are one), presentation forms (full and half
/// widths, ligatures) as the letters they show, without what is not shown, and
/// without the punctuation that only parts and closes words.
///
/// What tells words apart stays: symbols and emoji (`C++`, `a = b`, 👍), marks that belong to a word
/// (`C#`, `100%`, `@home`, `snake_case`), marks between digits (`1.5`, `10:30`), a dash, dot or
/// slash before a word (`-r`, `.NET`, `/etc`), a hyphen or slash behind one (`A-`, `src/`), inches
/// and feet (`27"`), empty brackets (`int[]`) and marks that stand alone as an operator or a face
/// (`?:`, `:)`). An apostrophe within a word is left out (`what's` is `whats`), any other mark
/// parts words (`e-mail` is `e mail`). A text of punctuation alone stays as it is.
pub fn equivalent(text: &str) -> String {
    let letters = fold_letters(text);
    let words: Vec<&str> = letters.split_whitespace().collect();
    let opens = |quote: char| {
        letters.contains(quote) && words.iter().any(|word| leading(word).contains(quote))
    };
    let quotes = Quotes {
        single: opens('\''),
        double: opens('"'),
    };
    let mut folded = Folded::default();
    for (at, word) in words.iter().enumerate() {
        let at_end = at == 0 || at + 1 == words.len();
        folded.gap = true;
        folded.push_word(word, at_end, quotes);
    }
    match folded.text.is_empty() {
        true => identical(text).into_owned(),
        false => folded.text,
    }
}

/// Folds everything that concerns single letters.
fn fold_letters(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.to_ascii_lowercase().into();
    }
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let letters = plain_letters(text);
    let shown: String = letters
        .chars()
        .filter(|&letter| !ignorable.contains(letter))
        .collect();
    let cased = UniCase::unicode(shown).to_folded_case();
    // Turkish capitals of both are taken for the other one's without the language.
    let cased = cased.replace("i\u{307}", "i").replace('ı', "i");
    cased.nfc().collect::<String>().into()
}

/// Whether a text opens quotes, so that a quote behind a digit closes them.
#[derive(Clone, Copy)]
struct Quotes {
    single: bool,
    double: bool,
}

/// Returns the marks before a word.
fn leading(word: &str) -> &str {
    let end = word.find(|letter| !is_mark(letter));
    &word[..end.unwrap_or(word.len())]
}

/// What is left of a text so far.
#[derive(Default)]
struct Folded {
    text: String,
    /// Whether what comes next is another word.
    gap: bool,
}

impl Folded {
    fn push(&mut self, letter: char) {
        if std::mem::take(&mut self.gap)
            && let Some(last) = self.text.chars().next_back()
            && !(is_unspaced(last) && is_unspaced(letter))
        {
            self.text.push(' ');
        }
        self.text.push(letter);
    }

    fn push_str(&mut self, text: &str) {
        for letter in text.chars() {
            self.push(letter);
        }
    }

    /// Adds what stands between white space.
    fn push_word(&mut self, word: &str, at_end: bool, quotes: Quotes) {
        // Most words, of which nothing is left out.
        if word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            if std::mem::take(&mut self.gap) && !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(word);
            return;
        }
        let lead = leading(word);
        if lead.len() == word.len() {
            if !is_idle(word, at_end) {
                self.push_str(word);
            }
            return;
        }
        let rest = &word[lead.len()..];
        let core = rest.trim_end_matches(is_mark);
        let trail = &rest[core.len()..];
        self.push_str(sign(lead));
        self.push_core(core);
        let last = core.chars().next_back();
        self.push_trail(trail, last.is_some_and(char::is_numeric), quotes);
    }

    /// Adds a word from its first to its last letter.
    fn push_core(&mut self, core: &str) {
        let mut before = ' ';
        let mut letters = core.chars().peekable();
        let mut marks: Vec<char> = Vec::new();
        while let Some(letter) = letters.next() {
            if !is_mark(letter) {
                self.push(letter);
                before = letter;
                continue;
            }
            marks.clear();
            marks.push(letter);
            while let Some(mark) = letters.next_if(|&next| is_mark(next)) {
                marks.push(mark);
            }
            let after = letters.peek().copied().unwrap_or(' ');
            match marks[..] {
                [mark]
                    if is_apostrophe(mark) && before.is_alphabetic() && after.is_alphabetic() => {}
                [mark] if before.is_numeric() && after.is_numeric() => {
                    self.push(if is_dash(mark) { '-' } else { mark });
                }
                _ => self.gap = true,
            }
        }
    }

    /// Adds those marks behind a word that are a part of it.
    fn push_trail(&mut self, trail: &str, behind_digit: bool, quotes: Quotes) {
        let pairs = ["()", "[]", "{}"];
        match trail.chars().next() {
            Some(mark @ ('-' | '/')) => self.push(mark),
            Some(inches @ '"') if behind_digit && !quotes.double => self.push(inches),
            Some(feet @ '\'') if behind_digit && !quotes.single => self.push(feet),
            Some(_) => {
                if let Some(pair) = pairs.into_iter().find(|pair| trail.starts_with(pair)) {
                    self.push_str(pair);
                }
            }
            None => {}
        }
    }
}

/// Returns the marks before a word that are a part of it: of an option, a path, a number or a name.
fn sign(lead: &str) -> &str {
    let start = lead.rfind(|mark| !"-./".contains(mark));
    let sign = start.map_or(lead, |at| {
        let mark = lead[at..].chars().next().map_or(0, char::len_utf8);
        &lead[at + mark..]
    });
    match sign.len() > 1 && sign.chars().all(|mark| mark == '.') {
        true => "",
        false => sign,
    }
}

/// Returns whether marks between white space say nothing: one alone, as in `Ça va ?`, or the end of
/// a sentence at the end of the text.
fn is_idle(marks: &str, at_end: bool) -> bool {
    let is_single = marks.chars().nth(1).is_none();
    let is_ellipsis = marks.chars().all(|mark| mark == '.');
    is_single || is_ellipsis || at_end && marks.chars().all(ends_sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(texts: &[&str]) {
        for text in texts {
            assert_eq!(equivalent(text), equivalent(texts[0]), "{text:?}");
        }
    }

    #[track_caller]
    fn different(texts: &[&str]) {
        for (at, text) in texts.iter().enumerate() {
            for other in &texts[..at] {
                assert_ne!(
                    equivalent(text),
                    equivalent(other),
                    "{text:?} and {other:?}"
                );
            }
        }
    }

    #[test]
    fn case_punctuation_and_white_space_do_not_count() {
        same(&[
            "How do I reset the e-mail password?",
            "HOW DO I RESET THE E-MAIL PASSWORD",
            "  how do i\treset the \"e-mail\" password ?!",
            "How do I reset the e mail password...",
            "- How do I reset (the) e‑mail password…",
        ]);
        same(&[
            "What's the user's name?",
            "whats the users name",
            "What’s the user’s name",
        ]);
        same(&["COVID-19 and/or flu", "covid 19 and or flu"]);
        same(&["Hello, world", "hello world", "Hello , world !"]);
        same(&["Is it \"Python 3\"?", "is it Python 3", "Is it 'Python 3'"]);
    }

    #[test]
    fn what_tells_words_apart_counts() {
        different(&["What is C?", "What is C++?", "What is C#?", "What is C--?"]);
        different(&["c", "C++", "C#", "F#", "A*"]);
        different(&["Is it 15?", "Is it 1.5?", "Is it 1,5?", "Is it 1 5?"]);
        different(&["is it -5", "is it 5", "is it +5"]);
        different(&["what is .NET", "what is net"]);
        different(&["what does ls -r do", "what does ls r do"]);
        different(&["what is in /etc", "what is in etc", "what is in etc/"]);
        different(&[
            "I got an A- in maths",
            "I got an A in maths",
            "I got an A+ in maths",
        ]);
        different(&["a 5' cable", "a 5\" cable", "a 5 cable"]);
        different(&["what is int[]", "what is int"]);
        different(&["100% off", "100 off", "$100 off"]);
        different(&["what does ?? do", "what does ?: do", "what does :) do"]);
        different(&["what does 👍 mean", "what does 👎 mean", "what does mean"]);
        different(&["what is x²", "what is x2"]);
        different(&["reset the router", "resetthe router"]);
    }

    #[test]
    fn a_text_of_punctuation_alone_stays_itself() {
        different(&[
            "", "?", "???", "? ? ?", "!!!", ":)", ":(", "--", "-", "…", "+", "#", "👍",
        ]);
        same(&["?!", " ?! "]);
    }

    #[test]
    fn case_is_folded_in_every_script() {
        same(&["Wie heißt die Straße?", "WIE HEISST DIE STRASSE"]);
        same(&["Ο ΔΡΌΜΟΣ", "ο δρόμος"]);
        same(&[
            "IŞIK nasıl açılır?",
            "ışık nasıl açılır",
            "IŞIK NASIL AÇILIR",
        ]);
        same(&["İzmir nerede?", "izmir nerede"]);
        same(&["ГДЕ РОУТЕР?", "где роутер"]);
    }

    #[test]
    fn composition_width_and_what_is_not_shown_do_not_count() {
        same(&[
            "Cafe\u{301} Noir",
            "caf\u{e9} noir",
            "ca\u{ad}f\u{e9}\u{200b} noir",
        ]);
        same(&["ＷｉＦｉ パスワード？", "wifi パスワード", "WiFi ﾊﾟｽﾜｰﾄﾞ?"]);
        same(&["I \u{2764}\u{fe0f} it", "i \u{2764} it"]);
    }

    #[test]
    fn scripts_without_blanks_are_not_parted_by_them() {
        same(&["你好，世界！", "你好世界", "你好 世界"]);
        same(&["รีเซ็ต รหัสผ่าน", "รีเซ็ตรหัสผ่าน"]);
        different(&["위 아래", "위아래"]);
        same(&["मेरा पासवर्ड क्या है?", "मेरा पासवर्ड क्या है।"]);
    }

    #[test]
    fn a_form_is_its_own_form() {
        for text in [
            "How do I reset the e-mail password?",
            "what's in /etc -r 1.5 int[] a ?? b 27\"",
            "IŞIK İzmir Straße ΔΡΌΜΟΣ",
            "你好，世界！ ab",
            "??",
        ] {
            let form = equivalent(text);
            assert_eq!(equivalent(&form), form);
        }
    }
}
