use crate::method::{Wordings, drawn};
use crate::{Method, Words};

/// The share of neighbours that change places.
pub(crate) const SWAP: f64 = 0.1;

/// Neighbours in the wrong order, where only white space is between them.
#[derive(Debug)]
pub(crate) struct Swap {
    pub rate: f64,
}

impl Method for Swap {
    fn wordings<'a>(&'a self, words: &'a Words<'a>) -> Wordings<'a> {
        let is_free = |number: usize| !words.word(number).is_kept;
        let able = (1..words.len()).map(|second| second - 1).filter(|&first| {
            is_free(first)
                && is_free(first + 1)
                && words.between(first).trim().is_empty()
                && words.letters(first) != words.letters(first + 1)
        });
        let able: Vec<usize> = able.collect();
        Box::new(move |_, draw| {
            let mut swapped = Vec::new();
            let mut next = 0;
            for place in drawn(able.len(), self.rate, draw) {
                let first = able[place];
                // A word changes places once.
                if first >= next {
                    swapped.push((first, words.letters(first + 1).into()));
                    swapped.push((first + 1, words.letters(first).into()));
                    next = first + 2;
                }
            }
            Ok((!swapped.is_empty()).then(|| words.with(swapped)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeptWords;

    #[test]
    fn neighbours_change_places_once_and_names_do_not() {
        let words = Words::new("one two, three four Paris", &KeptWords::default());
        let mut draw = pairmill_schema::draw::generator(1, "test", &[]);
        let swap = Swap { rate: 1.0 };
        let other = swap.wordings(&words)(0, &mut draw).unwrap().unwrap();
        assert_eq!(other, "two one, four three Paris");
        let words = Words::new("go go Paris", &KeptWords::default());
        assert_eq!(swap.wordings(&words)(0, &mut draw).unwrap(), None);
    }
}
