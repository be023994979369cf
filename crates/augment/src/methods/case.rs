use pairmill_schema::Sameness;
use rand::Rng;

use crate::method::{Wordings, drawn};
use crate::{Method, Words};

/// The share of words whose letter case is changed.
pub(crate) const CASE: f64 = 0.2;

/// Other letter case: small, large, or with a capital.
#[derive(Debug)]
pub(crate) struct Case {
    pub rate: f64,
}

impl Method for Case {
    fn wordings<'a>(&'a self, words: &'a Words<'a>) -> Wordings<'a> {
        let able = words
            .free()
            .map(|number| (number, others(words.letters(number))));
        let able: Vec<_> = able.filter(|(_, others)| !others.is_empty()).collect();
        Box::new(move |_, draw| {
            if able.is_empty() {
                return Ok(None);
            }
            let changed: Vec<_> = drawn(able.len(), self.rate, draw)
                .into_iter()
                .map(|place| {
                    let (number, others) = &able[place];
                    let other = &others[draw.random_range(0..others.len())];
                    (*number, other.as_str().into())
                })
                .collect();
            Ok(Some(words.with(changed)))
        })
    }

    fn sameness(&self) -> Sameness {
        // What it changes does not count where texts must be equivalent.
        Sameness::Identical
    }
}

/// The other ways to write a word.
fn others(letters: &str) -> Vec<String> {
    let mut others: Vec<String> = Vec::new();
    for other in [
        letters.to_lowercase(),
        letters.to_uppercase(),
        capitalised(letters),
    ] {
        if other != letters && !others.contains(&other) {
            others.push(other);
        }
    }
    others
}

/// Returns a word with a capital and small letters behind it.
pub(crate) fn capitalised(letters: &str) -> String {
    let mut rest = letters.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.chain(rest.as_str().to_lowercase().chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeptWords;

    #[test]
    fn only_case_changes_and_names_keep_theirs() {
        let text = "where is my iPhone 5G card";
        let words = Words::new(text, &KeptWords::default());
        let mut draw = pairmill_schema::draw::generator(1, "test", &[]);
        for _ in 0..50 {
            let other = Case { rate: 0.5 }.wordings(&words)(0, &mut draw)
                .unwrap()
                .unwrap();
            assert_ne!(other, text);
            assert_eq!(other.to_lowercase(), text.to_lowercase());
            assert!(other.contains("iPhone 5G"), "{other}");
        }
    }

    #[test]
    fn what_has_no_case_cannot_change() {
        let words = Words::new("日本 123", &KeptWords::default());
        let mut draw = pairmill_schema::draw::generator(1, "test", &[]);
        assert_eq!(
            Case { rate: 1.0 }.wordings(&words)(0, &mut draw).unwrap(),
            None
        );
        assert_eq!(others("a"), ["A"]);
    }
}
