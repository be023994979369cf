use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::method::{Wordings, drawn};
use crate::{Method, Words};

/// The share of words that get a mistake.
pub(crate) const TYPOS: f64 = 0.1;
/// Letters that a word must have to get one: a shorter one becomes another word.
const FEWEST_LETTERS: usize = 4;
/// The rows of an English keyboard, and how far each is shifted to the right, in half keys.
const ROWS: [(&str, i32); 3] = [("qwertyuiop", 0), ("asdfghjkl", 1), ("zxcvbnm", 2)];

/// Mistakes of typing, one in each word drawn: a key beside the right one, two letters in the wrong
/// order, one twice, or one left out. The first letter stays.
#[derive(Debug)]
pub(crate) struct Typos {
    pub rate: f64,
}

impl Method for Typos {
    fn wordings<'a>(&'a self, words: &'a Words<'a>) -> Wordings<'a> {
        let able = words.free().filter(|&number| {
            let letters = words.letters(number);
            letters.chars().count() >= FEWEST_LETTERS
        });
        let able: Vec<usize> = able.collect();
        Box::new(move |_, draw| {
            if able.is_empty() {
                return Ok(None);
            }
            let changed: Vec<_> = drawn(able.len(), self.rate, draw)
                .into_iter()
                .map(|place| {
                    let letters = words.letters(able[place]);
                    (able[place], mistyped(letters, draw).into())
                })
                .collect();
            Ok(Some(words.with(changed)))
        })
    }
}

fn mistyped(word: &str, draw: &mut ChaCha8Rng) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = draw.random_range(1..letters.len());
    match draw.random_range(0..4) {
        0 => match beside(letters[at]).as_slice() {
            [] => letters.insert(at, letters[at]),
            keys => letters[at] = keys[draw.random_range(0..keys.len())],
        },
        1 => match (at..letters.len() - 1).find(|&at| letters[at] != letters[at + 1]) {
            Some(at) => letters.swap(at, at + 1),
            None => letters.insert(at, letters[at]),
        },
        2 => letters.insert(at, letters[at]),
        _ => drop(letters.remove(at)),
    }
    letters.into_iter().collect()
}

/// The keys around a letter's.
fn beside(letter: char) -> Vec<char> {
    let small = letter.to_ascii_lowercase();
    let place = |row: usize| {
        let (keys, shift) = ROWS[row];
        keys.find(small).map(|column| 2 * column as i32 + shift)
    };
    let Some((row, place)) = (0..ROWS.len()).find_map(|row| Some((row, place(row)?))) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (other, (keys, shift)) in ROWS.iter().enumerate() {
        // Within a row the next key is two halves away, in the next row one.
        let away = match other.abs_diff(row) {
            0 => 2,
            1 => 1,
            _ => continue,
        };
        for (column, key) in keys.chars().enumerate() {
            if (2 * column as i32 + shift - place).abs() == away {
                found.push(match letter.is_ascii_uppercase() {
                    true => key.to_ascii_uppercase(),
                    false => key,
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeptWords;

    #[test]
    fn keys_around_are_those_of_the_keyboard() {
        let keys = |letter| beside(letter).into_iter().collect::<String>();
        assert_eq!(keys('g'), "tyfhvb");
        assert_eq!(keys('q'), "wa");
        assert_eq!(keys('M'), "JKN");
        assert_eq!(keys('é'), "");
    }

    #[test]
    fn a_word_drawn_gets_one_mistake_and_keeps_its_first_letter() {
        let words = Words::new("my transfer failed in Revolut", &KeptWords::default());
        let mut draw = pairmill_schema::draw::generator(1, "test", &[]);
        for _ in 0..100 {
            let typo = Typos { rate: 0.0 }.wordings(&words)(0, &mut draw)
                .unwrap()
                .unwrap();
            assert_ne!(typo, words.text());
            assert!(
                typo.starts_with("my t") && typo.ends_with(" in Revolut"),
                "{typo}"
            );
            assert!(typo.len().abs_diff(words.text().len()) <= 1, "{typo}");
        }
    }

    #[test]
    fn short_words_have_none() {
        let words = Words::new("pay my tax", &KeptWords::default());
        let mut draw = pairmill_schema::draw::generator(1, "test", &[]);
        assert_eq!(
            Typos { rate: 1.0 }.wordings(&words)(0, &mut draw).unwrap(),
            None
        );
    }
}
