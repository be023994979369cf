use std::fs;
use std::ops::Range;
use std::path::Path;

use aho_corasick::AhoCorasick;

use crate::{AugmentError, Result};

/// Words and phrases that no method may touch, whatever their letter case.
#[derive(Debug, Default)]
pub struct KeptWords {
    search: Option<AhoCorasick>,
}

impl KeptWords {
    /// Reads a file with a word or phrase on each line.
    ///
    /// # Errors
    /// If it cannot be read as UTF-8.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|source| AugmentError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::new(text.trim_start_matches('\u{feff}').lines())
    }

    /// Takes a word or phrase from each line; lines without letters or signs are left out.
    ///
    /// # Errors
    /// If there are too many to search for.
    pub fn new<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let phrases = lines.into_iter().map(str::trim);
        let phrases: Vec<&str> = phrases.filter(|phrase| !phrase.is_empty()).collect();
        if phrases.is_empty() {
            return Ok(Self::default());
        }
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(phrases)
            .map_err(|error| AugmentError::KeptWords {
                detail: error.to_string(),
            })?;
        Ok(Self {
            search: Some(search),
        })
    }

    /// Returns where they stand in a text, whole: `card` is not in `cards`.
    pub(crate) fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let found = self.search.iter();
        found
            .flat_map(move |search| search.find_overlapping_iter(text))
            .map(|found| found.range())
            .filter(move |range| is_whole(text, range))
    }
}

/// Whether no word is cut at the ends of a range.
fn is_whole(text: &str, range: &Range<usize>) -> bool {
    let is_cut = |before: Option<char>, after: Option<char>| {
        let is_letter = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        is_letter(before) && is_letter(after)
    };
    let at = |place: usize| {
        let (before, after) = text.split_at(place);
        is_cut(before.chars().next_back(), after.chars().next())
    };
    !at(range.start) && !at(range.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&str], text: &str) -> Vec<String> {
        let words = KeptWords::new(lines.iter().copied()).unwrap();
        let found = words.find(text).map(|range| text[range].to_owned());
        found.collect()
    }

    #[test]
    fn words_are_found_whole_in_any_case_and_with_their_signs() {
        let lines = ["card", "apple pay", "C++", " ", ""];
        assert_eq!(found(&lines, "My CARD, two cards"), ["CARD"]);
        assert_eq!(found(&lines, "Apple Pay in c++!"), ["Apple Pay", "c++"]);
        assert_eq!(found(&lines, "discard postcard"), [""; 0]);
        assert_eq!(found(&["é"], "café é"), ["é"]);
        assert_eq!(found(&[], "card"), [""; 0]);
    }

    #[test]
    fn a_word_within_a_phrase_hides_neither() {
        assert_eq!(found(&["a b", "b c"], "a b c"), ["a b", "b c"]);
    }
}
