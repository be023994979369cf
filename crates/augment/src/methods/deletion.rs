use crate::english::is_negation;
use crate::method::{Wordings, drawn};
use crate::{Method, Words};

/// The share of words that are left out.
pub(crate) const DELETION: f64 = 0.1;
/// Words that a text must have for one to be left out.
const FEWEST_WORDS: usize = 3;

/// Words left out, but no negation, and never more than half of the words.
#[derive(Debug)]
pub(crate) struct Deletion {
    pub rate: f64,
}

impl Method for Deletion {
    fn wordings<'a>(&'a self, words: &'a Words<'a>) -> Wordings<'a> {
        let able = words
            .free()
            .filter(|&number| !is_negation(words.letters(number)));
        let able: Vec<usize> = able.collect();
        Box::new(move |_, draw| {
            if able.is_empty() || words.len() < FEWEST_WORDS {
                return Ok(None);
            }
            let mut gone = drawn(able.len(), self.rate, draw);
            gone.truncate(words.len() / 2);
            let gone: Vec<usize> = gone.into_iter().map(|place| able[place]).collect();
            Ok(Some(without(words, &gone)))
        })
    }
}

/// The text without some words, and without the white space that parted them from the next one.
fn without(words: &Words<'_>, gone: &[usize]) -> String {
    let text = words.text();
    let mut rest = String::with_capacity(text.len());
    let mut from = 0;
    for &number in gone {
        let range = &words.word(number).range;
        rest.push_str(&text[from..range.start]);
        from = range.end;
        let behind = text[from..].trim_start();
        if rest.is_empty() || rest.ends_with(char::is_whitespace) {
            from = text.len() - behind.len();
        }
    }
    rest.push_str(&text[from..]);
    rest.truncate(rest.trim_end().len());
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeptWords;

    #[test]
    fn a_word_goes_with_its_white_space() {
        let words = Words::new("my card, is lost now", &KeptWords::default());
        assert_eq!(without(&words, &[0]), "card, is lost now");
        assert_eq!(without(&words, &[2, 3]), "my card, now");
        assert_eq!(without(&words, &[4]), "my card, is lost");
    }

    #[test]
    fn negations_and_names_stay_and_half_of_the_words_too() {
        let words = Words::new("the card does not work in Paris", &KeptWords::default());
        let mut draw = pairmill_schema::draw::generator(1, "test", &[]);
        for _ in 0..50 {
            let rest = Deletion { rate: 0.9 }.wordings(&words)(0, &mut draw)
                .unwrap()
                .unwrap();
            assert!(rest.contains("not") && rest.contains("Paris"), "{rest}");
            assert!(rest.split_whitespace().count() >= 4, "{rest}");
        }
    }

    #[test]
    fn a_short_text_loses_nothing() {
        let words = Words::new("card lost", &KeptWords::default());
        let mut draw = pairmill_schema::draw::generator(1, "test", &[]);
        assert_eq!(
            Deletion { rate: 1.0 }.wordings(&words)(0, &mut draw).unwrap(),
            None
        );
    }
}
