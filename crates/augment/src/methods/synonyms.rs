use std::sync::Arc;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::case::capitalised;
use crate::english::{Chosen, article, choose, expected, inflect, readings, role};
use crate::method::{Wordings, drawn};
use crate::wordnet::Sense;
use crate::{Method, WordNet, Words};

/// The share of eligible words that are replaced.
pub(crate) const SYNONYMS: f64 = 0.3;
/// Letters that a word must have to be replaced.
const FEWEST_LETTERS: usize = 3;
/// A word stands for a sense if it was met in it this many times as seldom as in its most frequent
/// one, or less seldom.
const RARELY: u32 = 4;

/// Other words of the same sense, in the form of the word that they replace.
///
/// A word is eligible that is no stop word, is one part of speech clearly, and has a synonym in a
/// sense in which both are met often. Of these synonyms one is drawn, the more frequent ones more
/// often.
#[derive(Debug)]
pub(crate) struct Synonyms {
    pub rate: f64,
    pub wordnet: Arc<WordNet>,
}

/// What may stand in a word's place, with a weight each.
type Candidates = Vec<(String, u32)>;

impl Method for Synonyms {
    fn wordings<'a>(&'a self, words: &'a Words<'a>) -> Wordings<'a> {
        let able = words.free().filter_map(|number| {
            let candidates = self.candidates(words, number);
            (!candidates.is_empty()).then_some((number, candidates))
        });
        let able: Vec<(usize, Candidates)> = able.collect();
        Box::new(move |_, draw| {
            if able.is_empty() {
                return Ok(None);
            }
            let mut replaced = Vec::new();
            for place in drawn(able.len(), self.rate, draw) {
                let (number, candidates) = &able[place];
                let word = weighted(candidates, draw);
                let before = number.checked_sub(1).filter(|&before| {
                    !words.word(before).is_kept && words.between(before).trim().is_empty()
                });
                if let Some(before) = before
                    && let Some(article) = article(words.letters(before), word)
                {
                    let article = match is_large(words.letters(*number)) {
                        true => article.to_ascii_uppercase(),
                        false => article.to_owned(),
                    };
                    replaced.push((before, article.into()));
                }
                replaced.push((*number, in_case_of(words, *number, word).into()));
            }
            Ok(Some(words.with(replaced)))
        })
    }
}

impl Synonyms {
    fn candidates(&self, words: &Words<'_>, number: usize) -> Candidates {
        let letters = words.letters(number);
        let is_plain = |letter: u8| letter.is_ascii_alphabetic() || letter == b'-';
        if letters.len() < FEWEST_LETTERS || !letters.bytes().all(is_plain) {
            return Candidates::new();
        }
        let small = letters.to_ascii_lowercase();
        if role(&small).is_some() {
            return Candidates::new();
        }
        let readings = readings(&small, &self.wordnet);
        if readings.is_empty() {
            return Candidates::new();
        }
        let chosen = choose(readings, expected(words, number), &self.wordnet);
        chosen.map_or_else(Candidates::new, |chosen| self.synonyms(&small, &chosen))
    }

    /// The synonyms of a word in its form.
    fn synonyms(&self, word: &str, chosen: &Chosen) -> Candidates {
        let Chosen { base, pos, forms } = chosen;
        let wordnet = &self.wordnet;
        let mut candidates = Candidates::new();
        for sense in frequent(wordnet.senses(base, *pos)) {
            for other in wordnet.synset(*pos, sense.synset) {
                let senses = wordnet.senses(other, *pos);
                let of_other = frequent(senses).find(|one| one.synset == sense.synset);
                // One that was never met is hardly ever said: `defrayment` for a payment.
                let is_said = |one: &Sense| one.uses > 0 || !wordnet.has_counts();
                let Some(of_other) = of_other.filter(|one| **other != **base && is_said(one))
                else {
                    continue;
                };
                let exceptions = wordnet.exceptions(*pos);
                let mut inflected = forms
                    .iter()
                    .map(|&form| inflect(other, *pos, form, exceptions));
                let Some(Some(first)) = inflected.next() else {
                    continue;
                };
                // Where the word may be one form or another, the synonym must be alike in both.
                if first == word || inflected.any(|next| next.as_ref() != Some(&first)) {
                    continue;
                }
                let weight = (1 + sense.uses).saturating_mul(1 + of_other.uses);
                match candidates.iter_mut().find(|(known, _)| *known == first) {
                    Some((_, known)) => *known = known.saturating_add(weight),
                    None => candidates.push((first, weight)),
                }
            }
        }
        candidates
    }
}

/// The senses in which a word is met not much more seldom than in its most frequent one.
fn frequent(senses: &[Sense]) -> impl Iterator<Item = Sense> {
    let most = senses.iter().map(|sense| sense.uses).max().unwrap_or(0);
    let numbered = senses.iter().copied().enumerate();
    numbered
        // Where none was met, the order says which is the first.
        .filter(move |(number, sense)| match most {
            0 => *number == 0,
            most => sense.uses.saturating_mul(RARELY) >= most,
        })
        .map(|(_, sense)| sense)
}

fn weighted<'a>(candidates: &'a Candidates, draw: &mut ChaCha8Rng) -> &'a str {
    let all: u64 = candidates
        .iter()
        .map(|(_, weight)| u64::from(*weight))
        .sum();
    let mut left = draw.random_range(0..all.max(1));
    for (word, weight) in candidates {
        match left.checked_sub(u64::from(*weight)) {
            Some(rest) => left = rest,
            None => return word,
        }
    }
    &candidates[0].0
}

/// A word with the capitals of the one in whose place it stands.
fn in_case_of(words: &Words<'_>, number: usize, word: &str) -> String {
    let letters = words.letters(number);
    if is_large(letters) {
        word.to_ascii_uppercase()
    } else if letters.starts_with(|letter: char| letter.is_ascii_uppercase()) {
        capitalised(word)
    } else {
        word.to_owned()
    }
}

/// Whether a word is in capitals throughout.
fn is_large(letters: &str) -> bool {
    letters.len() > 1 && !letters.contains(|letter: char| letter.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::KeptWords;

    fn wordings(text: &str) -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/wordnet");
        let wordnet = WordNet::shared(&folder).unwrap();
        let method = Synonyms { rate: 1.0, wordnet };
        let list = KeptWords::new(["gift"]).unwrap();
        let words = Words::new(text, &list);
        let mut draw = pairmill_schema::draw::generator(1, "test", &[]);
        let mut wordings = method.wordings(&words);
        let all = (0..50).filter_map(|number| wordings(number, &mut draw).unwrap());
        all.collect()
    }

    #[track_caller]
    fn gives(text: &str, expected: &[&str]) {
        let found = wordings(text);
        assert_eq!(
            found.iter().map(String::as_str).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn form_and_capitals_stay() {
        gives("Parcels came", &["Packages came"]);
        gives("TWO PARCELS", &["TWO PACKAGES"]);
        gives("buying parcels", &["purchasing packages"]);
        gives("the larger parcel", &["the bigger package"]);
        gives("they bought it", &["they purchased it"]);
        gives("it was shown", &["it was displayed"]);
        gives("work quickly", &["work rapidly"]);
        gives("sleeping children", &["sleeping kids"]);
    }

    #[test]
    fn an_article_follows_its_word() {
        gives("a mistake", &["a fault", "an error"]);
        gives("An error", &["A fault", "A mistake"]);
        gives("A MISTAKE", &["A FAULT", "AN ERROR"]);
    }

    #[test]
    fn the_word_before_says_which_part_of_speech_it_is() {
        gives("my trip", &["my journey"]);
        gives("i trip", &["i stumble"]);
        gives("the post", &["the mail"]);
        gives("can you post it", &["can you mail it", "can you send it"]);
    }

    #[test]
    fn a_sense_that_is_met_hardly_ever_does_not_count() {
        // A package is a bundle now and then, and most often a parcel.
        gives("a bundle", &[]);
    }

    #[test]
    fn a_past_that_may_be_a_participle_asks_for_a_synonym_that_is_alike_in_both() {
        // `displayed` is either, `showed` and `shown` are not.
        gives("the page displayed", &[]);
        gives("it was displayed", &["it was shown"]);
        gives("we displayed it", &["we showed it"]);
    }

    #[test]
    fn names_stop_words_and_listed_words_stay() {
        gives("the gift for Parcel `mail` and send2", &[]);
        gives("gift parcel", &["gift package"]);
    }

    #[test]
    fn words_of_other_scripts_are_left_alone() {
        gives("посылка 包裹 café", &[]);
        gives("", &[]);
    }
}
