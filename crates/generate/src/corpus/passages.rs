use std::path::Path;

use pairmill_schema::{is_combining_mark, is_unspaced};
use tokenizers::Tokenizer;
use unicode_segmentation::UnicodeSegmentation;

use crate::{GenerateError, Result};

/// How long a text is.
#[derive(Debug)]
pub(crate) enum Measure {
    /// In words between white space; a letter of a script that puts none between words is one.
    Words,
    /// In a model's tokens, without its special ones.
    Tokens(Box<Tokenizer>),
}

impl Measure {
    /// Loads a Hugging Face `tokenizer.json`.
    pub fn from_file(path: &Path) -> Result<Self> {
        let unsound = |detail| GenerateError::Tokenizer {
            path: path.to_owned(),
            detail,
        };
        let mut tokenizer =
            Tokenizer::from_file(path).map_err(|error| unsound(error.to_string()))?;
        tokenizer
            .with_truncation(None)
            .map_err(|error| unsound(error.to_string()))?;
        tokenizer.with_padding(None);
        Ok(Self::Tokens(Box::new(tokenizer)))
    }

    fn of(&self, text: &str) -> usize {
        let words = || count_words(text);
        match self {
            Self::Words => words(),
            Self::Tokens(tokenizer) => tokenizer
                .encode_fast(text, false)
                .map_or_else(|_| words(), |encoding| encoding.len()),
        }
    }
}

pub(super) fn count_words(text: &str) -> usize {
    if text.is_ascii() {
        return text.split_whitespace().count();
    }
    let mut words = 0;
    let mut is_in_word = false;
    for letter in text.chars() {
        if is_unspaced(letter) {
            words += usize::from(!is_combining_mark(letter));
            is_in_word = false;
        } else if letter.is_whitespace() {
            is_in_word = false;
        } else if !is_in_word {
            is_in_word = true;
            words += 1;
        }
    }
    words
}

/// Where a text is cut, the most natural boundary first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Boundary {
    Paragraph,
    /// As Unicode's annex 29 has it; the end of a line is one too.
    Sentence,
    Word,
    /// For what has no blanks for long: scripts without them, encoded files.
    Letter,
}

impl Boundary {
    fn cut(self, text: &str) -> Vec<&str> {
        match self {
            Self::Paragraph => text.split_inclusive("\n\n").collect(),
            Self::Sentence => text.split_sentence_bounds().collect(),
            Self::Word => text.split_inclusive(char::is_whitespace).collect(),
            Self::Letter => text.graphemes(true).collect(),
        }
    }

    fn next(self) -> Option<Self> {
        match self {
            Self::Paragraph => Some(Self::Sentence),
            Self::Sentence => Some(Self::Word),
            Self::Word => Some(Self::Letter),
            Self::Letter => None,
        }
    }
}

/// Cuts a text into passages of at most `max` tokens, each as many whole paragraphs as fit, else
/// whole sentences, else whole words.
pub(crate) fn cut<'t>(text: &'t str, max: usize, measure: &Measure) -> Vec<&'t str> {
    let mut passages = Vec::new();
    cut_at(Boundary::Paragraph, text, max, measure, &mut passages);
    passages
}

/// Adds up the tokens of parts instead of measuring the whole again: within words aside, the
/// tokenizers of encoders give the same.
fn cut_at<'t>(
    boundary: Boundary,
    text: &'t str,
    max: usize,
    measure: &Measure,
    passages: &mut Vec<&'t str>,
) {
    let (mut start, mut end, mut tokens) = (0, 0, 0);
    for part in boundary.cut(text) {
        let more = measure.of(part);
        if tokens + more > max {
            push(&text[start..end], passages);
            (start, tokens) = (end, 0);
            if more > max
                && let Some(next) = boundary.next()
            {
                cut_at(next, part, max, measure, passages);
                end += part.len();
                start = end;
                continue;
            }
        }
        tokens += more;
        end += part.len();
    }
    push(&text[start..end], passages);
}

fn push<'t>(passage: &'t str, passages: &mut Vec<&'t str>) {
    let passage = passage.trim();
    if !passage.is_empty() {
        passages.push(passage);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, max: usize) -> Vec<&str> {
        cut(text, max, &Measure::Words)
    }

    #[test]
    fn whole_paragraphs_are_gathered_while_they_fit() {
        let text = "a b\n\nc d\n\ne\n\nf g h";
        assert_eq!(words(text, 5), ["a b\n\nc d\n\ne", "f g h"]);
        assert_eq!(words(text, 3), ["a b", "c d\n\ne", "f g h"]);
        assert_eq!(words(text, 99), [text]);
        assert!(words("", 5).is_empty());
    }

    #[test]
    fn a_long_paragraph_is_cut_at_sentences_and_lines_and_then_at_words() {
        let text = "One two. Three four! Five\nsix seven eight nine";
        assert_eq!(
            words(text, 4),
            ["One two. Three four!", "Five", "six seven eight nine"]
        );
        assert_eq!(
            words(text, 3),
            ["One two.", "Three four! Five", "six seven eight", "nine"]
        );
    }

    #[test]
    fn nothing_is_lost_and_nothing_too_long() {
        let text = "Aa bb, cc. Dd ee (ff gg hh ii) jj.\nKk\n\nll mm?  Nn oo";
        let all: Vec<_> = text.split_whitespace().collect();
        for max in 1..20 {
            let passages = words(text, max);
            assert!(
                passages
                    .iter()
                    .all(|passage| Measure::Words.of(passage) <= max)
            );
            let kept: Vec<_> = passages
                .iter()
                .flat_map(|passage| passage.split_whitespace())
                .collect();
            assert_eq!(kept, all, "{max}");
        }
    }

    #[test]
    fn scripts_without_blanks_are_cut_at_sentences_and_then_at_letters() {
        let text = "渡船从北岸出发。请乘客提前到达。";
        assert_eq!(count_words(text), 16);
        assert_eq!(words(text, 9), ["渡船从北岸出发。", "请乘客提前到达。"]);
        assert_eq!(words("渡船从北岸", 2), ["渡船", "从北", "岸"]);
        assert_eq!(count_words("เรือ WiFi ข้าม"), 7);
        assert_eq!(count_words("naïve café, x"), 3);
    }
}
