use pairmill_schema::{is_combining_mark, is_unspaced, plain_letters};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_segmentation::UnicodeSegmentation;

/// Longest word that is indexed, in letters: what is longer is no word but encoded data.
const MAX_LETTERS: usize = 40;

/// Cuts a text into words: runs of letters and digits with the marks that belong to them, of the
/// text in NFC with presentation forms as the letters they show ([`plain_letters`]).
///
/// This is Unicode's annex 29, with three differences: punctuation always parts words (`can't` and
/// `3.14` are two each), so do underscores, and text of a script without blanks becomes overlapping
/// pairs of its letters (grapheme clusters), as in Lucene's CJKBigramFilter; one letter alone is a
/// word.
#[derive(Clone, Default)]
pub(crate) struct Words {
    plain: String,
    token: Token,
}

pub(crate) struct WordStream<'a> {
    text: &'a str,
    at: usize,
    /// What is left of a text without blanks, from the letter on that begins the next pair.
    run: &'a str,
    is_run_new: bool,
    token: &'a mut Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        let text = match plain_letters(text) {
            std::borrow::Cow::Borrowed(text) => text,
            std::borrow::Cow::Owned(plain) => {
                self.plain = plain;
                &self.plain
            }
        };
        WordStream {
            text,
            at: 0,
            run: "",
            is_run_new: false,
            token: &mut self.token,
        }
    }
}

impl<'a> WordStream<'a> {
    /// Returns the next word or run of a script without blanks.
    fn next_word(&mut self) -> Option<&'a str> {
        let text = self.text;
        let letter_at = |at: usize| text[at..].chars().next();
        let mut start = self.at;
        let first = loop {
            let letter = letter_at(start)?;
            if letter.is_alphanumeric() {
                break letter;
            }
            start += letter.len_utf8();
        };
        let is_run = is_unspaced(first);
        let mut end = start + first.len_utf8();
        // Most words end without a look at what else a letter may be.
        while let Some(&byte) = text.as_bytes().get(end) {
            if byte.is_ascii() {
                if is_run || !byte.is_ascii_alphanumeric() {
                    break;
                }
                end += 1;
            } else {
                match letter_at(end).filter(|&letter| belongs(letter, is_run)) {
                    Some(letter) => end += letter.len_utf8(),
                    None => break,
                }
            }
        }
        self.at = end;
        if is_run {
            self.run = &text[start..end];
            self.is_run_new = true;
        }
        Some(&text[start..end])
    }

    /// Returns the next pair of letters of a run, or its only letter.
    fn next_pair(&mut self) -> Option<&'a str> {
        let run = self.run;
        let mut letters = run.grapheme_indices(true).skip(1);
        let is_new = std::mem::take(&mut self.is_run_new);
        match letters.next() {
            Some((second, letter)) => {
                self.run = &run[second..];
                Some(&run[..second + letter.len()])
            }
            None => {
                self.run = "";
                (is_new && !run.is_empty()).then_some(run)
            }
        }
    }

    fn next(&mut self) -> Option<&'a str> {
        loop {
            if !self.run.is_empty()
                && let Some(pair) = self.next_pair()
            {
                return Some(pair);
            }
            let word = self.next_word()?;
            let is_too_long = word.len() > MAX_LETTERS && word.chars().nth(MAX_LETTERS).is_some();
            if self.run.is_empty() && !is_too_long {
                return Some(word);
            }
        }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        self.token.text.clear();
        self.token.position = self.token.position.wrapping_add(1);
        let Some(word) = self.next() else {
            return false;
        };
        self.token.text.push_str(word);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// Hands on each word of a text.
pub(crate) fn process(words: &mut Words, text: &str, mut take: impl FnMut(&str)) {
    let mut stream = words.token_stream(text);
    while stream.advance() {
        take(&stream.token().text);
    }
}

/// Returns whether a letter goes on with a word, or with a run of a script without blanks.
fn belongs(letter: char, is_run: bool) -> bool {
    match letter.is_alphanumeric() {
        true => is_unspaced(letter) == is_run,
        false => is_invisible(letter) || is_combining_mark(letter),
    }
}

/// Returns whether what is not shown stands within a word: soft hyphens and joiners.
pub(crate) fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        process(&mut Words::default(), text, |word| {
            words.push(word.to_owned())
        });
        words
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(
            words("Can't e-mail foo_bar 3.14, naïve “café”…"),
            [
                "Can", "t", "e", "mail", "foo", "bar", "3", "14", "naïve", "café"
            ]
        );
        assert!(words(" …?! ").is_empty() && words("").is_empty());
    }

    #[test]
    fn words_keep_their_combining_marks() {
        assert_eq!(words("பள்ளி திறக்கும்."), ["பள்ளி", "திறக்கும்"]);
        assert_eq!(words("विद्यालय खुलेगा।"), ["विद्यालय", "खुलेगा"]);
        assert_eq!(
            words("বিদ্যালয় తెలుగు"),
            ["বিদ্যালয়", "తెలుగు"].map(|word| plain_letters(word).into_owned())
        );
        assert_eq!(words("cafe\u{301} x"), ["café", "x"]);
        assert_eq!(words("1\u{fe0f}\u{20e3} a"), ["1", "a"]);
    }

    #[test]
    fn scripts_without_blanks_are_cut_into_pairs_of_letters() {
        assert_eq!(words("重置密码。"), ["重置", "置密", "密码"]);
        assert_eq!(words("水 WiFi密码5"), ["水", "WiFi", "密码", "5"]);
        assert_eq!(words("パスワード"), ["パス", "スワ", "ワー", "ード"]);
        assert_eq!(words("ﾊﾟｽ"), ["パス"]);
        assert_eq!(words("กู้ดี"), ["กู้ดี"]);
        assert_eq!(words("ที่นี่ดี"), ["ที่นี่", "นี่ดี"]);
        assert_eq!(words("비밀번호 재설정"), ["비밀번호", "재설정"]);
    }

    #[test]
    fn what_is_not_shown_parts_no_word() {
        assert_eq!(
            words("in\u{ad}for mi\u{200c}kh"),
            ["in\u{ad}for", "mi\u{200c}kh"]
        );
    }

    #[test]
    fn only_overlong_words_are_left_out_whatever_their_bytes() {
        for letter in ["x", "ж", "क"] {
            let (longest, longer) = (letter.repeat(40), letter.repeat(41));
            assert_eq!(words(&format!("{longer} {longest} {longer}")), [longest]);
        }
        assert_eq!(words(&"字".repeat(100)).len(), 99);
    }
}
