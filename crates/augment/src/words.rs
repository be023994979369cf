use std::borrow::Cow;
use std::ops::Range;

use crate::KeptWords;
use crate::protected::{bare, code, is_no_prose};

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Whether no method may touch it.
    pub is_kept: bool,
    /// Whether a sentence begins with it.
    pub begins: bool,
}

/// A text in words, with those that must stay.
///
/// Kept are code between backticks, paths, addresses and everything else with signs; words with
/// digits or capitals inside; words with a capital inside a sentence, and one at its beginning if
/// the next word has a capital too; and what the user listed. Where a text has no small letter, its
/// capitals say nothing.
#[derive(Debug)]
pub struct Words<'t> {
    text: &'t str,
    words: Vec<Word>,
    kept: Vec<Range<usize>>,
}

impl<'t> Words<'t> {
    /// Parts a text into words.
    pub fn new(text: &'t str, list: &KeptWords) -> Self {
        let mut kept = code(text);
        for chunk in chunks(text) {
            let bare = bare(text, chunk);
            if !bare.is_empty() && is_no_prose(&text[bare.clone()]) {
                kept.push(bare);
            }
        }
        kept.extend(list.find(text));
        let kept = merged(kept);
        let mut words = words(text);
        let mut regions = kept.iter().peekable();
        for word in &mut words {
            while regions
                .next_if(|region| region.end <= word.range.start)
                .is_some()
            {}
            let is_within = |region: &&Range<usize>| region.start < word.range.end;
            word.is_kept = regions.peek().is_some_and(is_within);
        }
        keep_names(text, &mut words);
        let alone = words.iter().filter(|word| word.is_kept);
        let kept = merged(kept.into_iter().chain(alone.map(|word| word.range.clone())));
        Self { text, words, kept }
    }

    /// The text.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// A word by its number.
    pub fn word(&self, number: usize) -> &Word {
        &self.words[number]
    }

    /// The letters of a word.
    pub fn letters(&self, number: usize) -> &'t str {
        &self.text[self.words[number].range.clone()]
    }

    /// The numbers of the words that may be touched.
    pub fn free(&self) -> impl Iterator<Item = usize> {
        (0..self.words.len()).filter(|&number| !self.words[number].is_kept)
    }

    /// What stands between a word and the next one.
    pub fn between(&self, number: usize) -> &'t str {
        let end = self.words.get(number + 1).map(|next| next.range.start);
        &self.text[self.words[number].range.end..end.unwrap_or(self.text.len())]
    }

    /// What must stay.
    pub fn kept(&self) -> impl Iterator<Item = &'t str> {
        self.kept.iter().map(|range| &self.text[range.clone()])
    }

    /// Whether another wording has everything that must stay, as often at least.
    pub fn are_kept_in(&self, other: &str) -> bool {
        self.kept().all(|span| {
            let often = self.kept().filter(|&one| one == span).count();
            other.matches(span).take(often).count() == often
        })
    }

    /// Returns the text with other letters in place of some words, by their numbers in order.
    pub fn with<'a>(&self, words: impl IntoIterator<Item = (usize, Cow<'a, str>)>) -> String {
        let mut text = String::with_capacity(self.text.len() + 16);
        let mut from = 0;
        for (number, letters) in words {
            let range = &self.words[number].range;
            text.push_str(&self.text[from..range.start]);
            text.push_str(&letters);
            from = range.end;
        }
        text.push_str(&self.text[from..]);
        text
    }
}

/// What stands between white space.
fn chunks(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.split_whitespace().map(|chunk| {
        let start = chunk.as_ptr() as usize - text.as_ptr() as usize;
        start..start + chunk.len()
    })
}

/// Joins ranges that overlap or touch.
fn merged(ranges: impl IntoIterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = ranges.into_iter().collect();
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Letters and digits with the apostrophes and hyphens among them.
fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut start = None;
    let mut begins = true;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let is_inner = |letter| matches!(letter, '\'' | '’' | '-' | '‑');
        let goes_on = || {
            let next = letters.clone().next();
            next.is_some_and(|(_, next)| is_of_word(next))
        };
        if is_of_word(letter) || start.is_some() && is_inner(letter) && goes_on() {
            start.get_or_insert(at);
            continue;
        }
        if let Some(start) = start.take() {
            words.push(Word {
                range: start..at,
                is_kept: false,
                begins: std::mem::take(&mut begins),
            });
        }
        begins |= matches!(letter, '.' | '!' | '?' | ':' | '\n' | '…');
    }
    if let Some(start) = start {
        words.push(Word {
            range: start..text.len(),
            is_kept: false,
            begins,
        });
    }
    words
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || pairmill_schema::is_combining_mark(letter)
}

/// Marks what is a name by its capitals or digits.
fn keep_names(text: &str, words: &mut [Word]) {
    let says_nothing = !text.chars().any(char::is_lowercase);
    let has_capital = |word: &Word| {
        let letters = &text[word.range.clone()];
        letters.starts_with(char::is_uppercase) && !is_pronoun(letters)
    };
    let capitals: Vec<bool> = words.iter().map(has_capital).collect();
    for number in 0..words.len() {
        let word = &words[number];
        let letters = &text[word.range.clone()];
        let inner = letters.chars().skip(1);
        let is_name = if letters.chars().any(char::is_numeric) {
            true
        } else if says_nothing {
            false
        } else if inner.clone().any(char::is_uppercase) && !is_pronoun(letters) {
            true
        } else if !capitals[number] {
            false
        } else if !word.begins {
            true
        } else {
            let next = words.get(number + 1);
            next.is_some_and(|next| {
                !next.begins
                    && capitals[number + 1]
                    && text[word.range.end..next.range.start].trim().is_empty()
            })
        };
        words[number].is_kept |= is_name;
    }
}

/// Whether letters are those of `I`, which has its capital anywhere.
fn is_pronoun(letters: &str) -> bool {
    letters == "I" || letters.starts_with("I'") || letters.starts_with("I’")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> Vec<&str> {
        Words::new(text, &KeptWords::default()).kept().collect()
    }

    fn free(text: &str) -> Vec<&str> {
        let words = Words::new(text, &KeptWords::default());
        words.free().map(|number| words.letters(number)).collect()
    }

    #[test]
    fn names_are_kept_and_sentences_may_begin_with_any_word() {
        let text = "Where is my iPhone? Google Pay and Visa fail. Cards work, I think.";
        assert_eq!(kept(text), ["iPhone", "Google", "Pay", "Visa"]);
        assert_eq!(
            free(text),
            [
                "Where", "is", "my", "and", "fail", "Cards", "work", "I", "think"
            ]
        );
        assert_eq!(kept("send 2nd SMS in mp3"), ["2nd", "SMS", "mp3"]);
    }

    #[test]
    fn capitals_say_nothing_where_there_is_nothing_else() {
        assert_eq!(free("MY CARD FAILED"), ["MY", "CARD", "FAILED"]);
        assert_eq!(kept("MY ATM2 FAILED"), ["ATM2"]);
    }

    #[test]
    fn code_paths_and_addresses_are_kept_whole() {
        let text = "run `cargo build` in /usr/lib, mail me@example.org or see example.org.";
        assert_eq!(
            kept(text),
            ["`cargo build`", "/usr/lib", "me@example.org", "example.org"]
        );
        assert_eq!(free(text), ["run", "in", "mail", "or", "see"]);
    }

    #[test]
    fn a_word_has_its_apostrophes_and_hyphens() {
        assert_eq!(
            free("don't re-use e-mail- 'it'"),
            ["don't", "re-use", "e-mail", "it"]
        );
        assert_eq!(
            free("日本 naïve cafe\u{301}"),
            ["日本", "naïve", "cafe\u{301}"]
        );
        assert_eq!(free(" ?! "), [""; 0]);
    }

    #[test]
    fn words_are_put_in_place_of_others() {
        let words = Words::new("my card, my bank!", &KeptWords::default());
        let with = words.with([(1, "pass".into()), (3, "house".into())]);
        assert_eq!(with, "my pass, my house!");
        assert_eq!(words.between(1), ", ");
        assert_eq!(words.between(3), "!");
    }

    #[test]
    fn a_wording_must_have_what_is_kept_as_often() {
        let words = Words::new("use `a` and `a` in Rust", &KeptWords::default());
        assert!(words.are_kept_in("Rust: `a`, `a`"));
        assert!(!words.are_kept_in("Rust: `a`"));
        assert!(!words.are_kept_in("rust `a` `a`"));
        // The first one may be another word, as it begins the sentence.
        let words = Words::new("Parcels go to Parcels", &KeptWords::default());
        assert!(words.are_kept_in("Packages go to Parcels"));
    }
}
