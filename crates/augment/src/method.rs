use pairmill_schema::Sameness;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::{Result, Words};

/// Draws another wording of a text, or nothing where there is nothing to change. It fails if a
/// model does. The number counts the wordings of this text from 0.
pub type Wordings<'a> = Box<dyn FnMut(usize, &mut ChaCha8Rng) -> Result<Option<String>> + 'a>;

/// A way to another wording.
pub trait Method: Sync {
    /// Returns what draws other wordings of a text. What can be changed in it is found out once.
    fn wordings<'a>(&'a self, words: &'a Words<'a>) -> Wordings<'a>;

    /// When a wording is the same as its source, which it must not be.
    fn sameness(&self) -> Sameness {
        Sameness::Equivalent
    }

    /// How many wordings of a text there are, where a draw does not make others.
    fn most(&self) -> Option<usize> {
        None
    }
}

/// Draws each of so many things with this probability, and one of them where that gives none.
/// Returns their numbers in order.
pub(crate) fn drawn(things: usize, rate: f64, draw: &mut ChaCha8Rng) -> Vec<usize> {
    if things == 0 {
        return Vec::new();
    }
    let drawn: Vec<usize> = (0..things).filter(|_| draw.random_bool(rate)).collect();
    match drawn.is_empty() {
        true => vec![draw.random_range(0..things)],
        false => drawn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_least_is_drawn_and_about_as_many_as_asked_for() {
        let mut draw = pairmill_schema::draw::generator(1, "test", &[]);
        assert_eq!(drawn(0, 0.5, &mut draw), []);
        assert_eq!(drawn(5, 0.0, &mut draw).len(), 1);
        assert_eq!(drawn(3, 1.0, &mut draw), [0, 1, 2]);
        let count: usize = (0..1_000).map(|_| drawn(10, 0.3, &mut draw).len()).sum();
        assert!((2_850..3_250).contains(&count), "{count}");
    }
}
