use tantivy::tokenizer::{Token, TokenFilter, TokenStream, Tokenizer};

use crate::words::is_invisible;

/// Lower-cases words and takes what does not tell them apart out of them: soft hyphens and
/// joiners, the vowel points of Arabic and Hebrew, which most texts leave out, the other form
/// that a Greek sigma has at the end, and the letter `ß`, which capitals write as two.
#[derive(Clone)]
pub(crate) struct Lower {
    /// Whether `I` is the capital of `ı` and `İ` that of `i`.
    pub turkish: bool,
}

impl TokenFilter for Lower {
    type Tokenizer<T: Tokenizer> = LowerTokenizer<T>;

    fn transform<T: Tokenizer>(self, words: T) -> LowerTokenizer<T> {
        LowerTokenizer {
            words,
            turkish: self.turkish,
        }
    }
}

#[derive(Clone)]
pub(crate) struct LowerTokenizer<T> {
    words: T,
    turkish: bool,
}

impl<T: Tokenizer> Tokenizer for LowerTokenizer<T> {
    type TokenStream<'a> = LowerStream<T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        LowerStream {
            words: self.words.token_stream(text),
            turkish: self.turkish,
        }
    }
}

pub(crate) struct LowerStream<S> {
    words: S,
    turkish: bool,
}

impl<S: TokenStream> TokenStream for LowerStream<S> {
    fn advance(&mut self) -> bool {
        if !self.words.advance() {
            return false;
        }
        lower(&mut self.words.token_mut().text, self.turkish);
        true
    }

    fn token(&self) -> &Token {
        self.words.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.words.token_mut()
    }
}

fn lower(word: &mut String, turkish: bool) {
    if word.is_ascii() && !turkish {
        word.make_ascii_lowercase();
        return;
    }
    let mut lowered = String::with_capacity(word.len());
    for letter in word.chars() {
        match letter {
            'I' if turkish => lowered.push('ı'),
            'İ' => lowered.push('i'),
            // Elsewhere `I` is the capital of both.
            'ı' if !turkish => lowered.push('i'),
            'ß' | 'ẞ' => lowered.push_str("ss"),
            'ς' => lowered.push('σ'),
            _ if is_invisible(letter) || is_point(letter) => {}
            _ => lowered.extend(letter.to_lowercase()),
        }
    }
    *word = lowered;
}

/// Returns whether a letter is a vowel point or lengthens a word only to fill a line.
fn is_point(letter: char) -> bool {
    matches!(
        letter,
        '\u{591}'..='\u{5bd}'
            | '\u{5bf}'
            | '\u{5c1}'
            | '\u{5c2}'
            | '\u{5c4}'
            | '\u{5c5}'
            | '\u{5c7}'
            | '\u{640}'
            | '\u{64b}'..='\u{65f}'
            | '\u{670}'
            | '\u{6d6}'..='\u{6dc}'
            | '\u{6df}'..='\u{6e4}'
            | '\u{6e7}'
            | '\u{6e8}'
            | '\u{6ea}'..='\u{6ed}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lowered(word: &str, turkish: bool) -> String {
        let mut word = word.to_owned();
        lower(&mut word, turkish);
        word
    }

    #[test]
    fn turkish_has_two_pairs_of_i() {
        assert_eq!(lowered("IŞIK", true), "ışık");
        assert_eq!(lowered("İZMİR", true), "izmir");
        assert_eq!(lowered("ISI", true), "ısı");
        assert_eq!(lowered("ISI", false), "isi");
        assert_eq!(lowered("İzmir", false), "izmir");
    }

    #[test]
    fn what_does_not_tell_words_apart_goes() {
        assert_eq!(lowered("ΔΡΌΜΟΣ", false), lowered("δρόμος", false));
        assert_eq!(lowered("كِتَابٌ", false), "كتاب");
        assert_eq!(lowered("شָלוֹם", false), lowered("شלום", false));
        assert_eq!(lowered("In\u{ad}for", false), "infor");
    }

    #[test]
    fn letters_that_share_their_capital_are_one() {
        assert_eq!(lowered("IŞIK", false), lowered("ışık", false));
        assert_eq!(lowered("STRASSE", false), lowered("straße", false));
    }

    #[test]
    fn marks_of_other_scripts_stay() {
        for word in ["பள்ளி", "विद्यालय", "café"] {
            assert_eq!(lowered(word, false), word);
        }
    }
}
