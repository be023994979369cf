//! How well the model's word pieces fit the words of the data, and the training words those of dev.

use std::collections::{HashMap, HashSet};

use pairmill_checkpoint::TextTokenizer;
use pairmill_modeling::ModelError;
use pairmill_schema::is_unspaced;

use super::inputs::{Input, Inputs};
use crate::error::Result;

/// Pieces from which on a word counts as broken up.
const MANY: usize = 3;
/// Training rows whose words are counted; of more, as many evenly spread ones.
const ROWS: usize = 20_000;
/// Words that are named.
const NAMED: usize = 8;
/// What tokenizers call a piece that they do not know.
const UNKNOWN: [&str; 2] = ["[UNK]", "<unk>"];

/// The words of the data. Numbers are left out, and scripts that part words by no blanks.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// Words of the training texts that were counted, repetitions included.
    pub words: usize,
    /// Of these, those in three or more pieces, and those with a piece that the model lacks.
    pub broken_up: usize,
    pub unknown: usize,
    /// The most frequent ones in three or more pieces, with their pieces.
    pub examples: Vec<(String, usize)>,
    /// Words of the dev queries, and those of them that no training text has.
    pub of_dev: usize,
    pub unseen: usize,
    /// The most frequent unseen ones.
    pub unseen_examples: Vec<String>,
}

/// Counts the words.
///
/// # Errors
/// If the tokenizer fails.
pub(super) fn vocabulary(inputs: &Inputs, tokenizer: &TextTokenizer) -> Result<Vocabulary> {
    let training = counts(inputs.trained_on(), ROWS);
    let words: Vec<(&str, usize)> = in_order(&training.counted);
    // A blank before it, as where it stands in a text.
    let texts: Vec<String> = words.iter().map(|(word, _)| format!(" {word}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let marks = tokenizer.marks(false);
    let unknown: Vec<u32> = UNKNOWN
        .iter()
        .filter_map(|name| tokenizer.token_to_id(name))
        .collect();
    let tokens = tokenizer.encode_all(&texts).map_err(ModelError::from)?;
    let mut found = Vocabulary::default();
    for ((word, times), tokens) in words.iter().zip(tokens) {
        let pieces = tokens.len().saturating_sub(marks);
        found.words += times;
        if tokens.ids.iter().any(|id| unknown.contains(id)) {
            found.unknown += times;
        }
        if pieces >= MANY {
            found.broken_up += times;
            if found.examples.len() < NAMED {
                found.examples.push(((*word).to_owned(), pieces));
            }
        }
    }
    let dev = counts(inputs.dev_queries(), usize::MAX);
    for (word, times) in in_order(&dev.counted) {
        found.of_dev += times;
        if !training.seen.contains(word) {
            found.unseen += times;
            if found.unseen_examples.len() < NAMED {
                found.unseen_examples.push(word.to_owned());
            }
        }
    }
    Ok(found)
}

#[derive(Default)]
struct Counts {
    /// How often each word stands in the rows that are counted, in small letters.
    counted: HashMap<String, usize>,
    /// The words of all rows.
    seen: HashSet<String>,
}

fn counts<'a>(inputs: impl Iterator<Item = &'a Input>, most: usize) -> Counts {
    let mut counts = Counts::default();
    for input in inputs {
        let all: usize = input.batches().map(|batch| batch.rows()).sum();
        for batch in input.batches() {
            for row in 0..batch.rows() {
                let number = batch.first + row;
                let is_counted = all <= most || number * most / all < (number + 1) * most / all;
                for column in &batch.texts {
                    for word in words(column[row]) {
                        if !counts.seen.contains(&word) {
                            counts.seen.insert(word.clone());
                        }
                        if is_counted {
                            *counts.counted.entry(word).or_default() += 1;
                        }
                    }
                }
            }
        }
    }
    counts
}

/// The words by how often they are there, those that are there as often by their letters.
fn in_order(counted: &HashMap<String, usize>) -> Vec<(&str, usize)> {
    let mut words: Vec<(&str, usize)> = counted
        .iter()
        .map(|(word, times)| (word.as_str(), *times))
        .collect();
    words.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    words
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() || is_unspaced(letter));
    let words = words.filter(|word| word.chars().any(char::is_alphabetic));
    words.map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_letters_and_blanks_around() {
        let found: Vec<String> = words("Reset my eSIM-card 2024, 東京 x2").collect();
        assert_eq!(found, ["reset", "my", "esim", "card", "x2"]);
    }

    #[test]
    fn frequent_words_come_first() {
        let counted = [("b", 2), ("a", 2), ("c", 3)].map(|(word, times)| (word.to_owned(), times));
        let found = in_order(&HashMap::from(counted.clone())).len();
        assert_eq!(found, 3);
        let map = HashMap::from(counted);
        let names: Vec<&str> = in_order(&map).into_iter().map(|(word, _)| word).collect();
        assert_eq!(names, ["c", "a", "b"]);
    }
}
