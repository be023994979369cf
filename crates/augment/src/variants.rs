use pairmill_schema::{TextKey, draw};

use crate::{Method, Refusal, Result, Words};

/// Draws of a wording until one is neither its source nor an earlier one.
const TRIES: usize = 5;

/// A wording of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its number among those of the text and the method, from 1.
    pub number: usize,
    /// The wording; empty where there was nothing to change.
    pub text: String,
    /// What it shares with texts that are the same as it in the method's sense.
    pub key: TextKey,
    /// Why it does not count, if it does not.
    pub refusal: Option<Refusal>,
}

/// By what wordings are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Drawn<'a> {
    /// The seed.
    pub seed: u64,
    /// The name of the method.
    pub method: &'a str,
    /// The text's id.
    pub id: &'a str,
    /// Wordings wanted.
    pub number: usize,
}

/// Returns the wordings of a text by a method, those that do not count with the reason. They
/// depend on the seed, the method, the id and the text alone, and more of them begin with the same
/// ones.
///
/// # Errors
/// If a model fails.
pub fn variants(words: &Words<'_>, method: &dyn Method, drawn: Drawn<'_>) -> Result<Vec<Variant>> {
    let key = |text: &str| TextKey::new(text, method.sameness());
    let (source, nothing) = (key(words.text()), key(""));
    let mut wordings = method.wordings(words);
    let tries = method.most().map_or(TRIES, |_| 1);
    let mut earlier = Vec::new();
    let mut variants = Vec::with_capacity(drawn.number);
    for number in 0..drawn.number.min(method.most().unwrap_or(usize::MAX)) {
        let of = [
            drawn.method.as_bytes(),
            drawn.id.as_bytes(),
            &(number as u64).to_le_bytes(),
        ];
        let mut draw = draw::generator(drawn.seed, "augment", &of);
        let mut variant = Variant {
            number: number + 1,
            text: String::new(),
            key: nothing,
            refusal: Some(Refusal::NothingToChange),
        };
        for _ in 0..tries {
            let Some(text) = wordings(number, &mut draw)? else {
                break;
            };
            variant.key = key(&text);
            variant.refusal = refusal(words, &text, variant.key, (source, &earlier));
            variant.text = text;
            if variant.refusal.is_none() {
                earlier.push(variant.key);
                break;
            }
        }
        let is_over = variant.refusal == Some(Refusal::NothingToChange);
        variants.push(variant);
        if is_over {
            break;
        }
    }
    Ok(variants)
}

fn refusal(
    words: &Words<'_>,
    text: &str,
    key: TextKey,
    (source, earlier): (TextKey, &[TextKey]),
) -> Option<Refusal> {
    if key == source || text.trim().is_empty() {
        Some(Refusal::Identical)
    } else if !words.are_kept_in(text) {
        Some(Refusal::KeptWordLost)
    } else if earlier.contains(&key) {
        Some(Refusal::Repeated)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::KeptWords;
    use crate::method::Wordings;

    /// Puts one of so many words in place of the text.
    struct OneOf(&'static [&'static str]);

    impl Method for OneOf {
        fn wordings<'a>(&'a self, _: &'a Words<'a>) -> Wordings<'a> {
            Box::new(|_, draw| {
                let is_any = !self.0.is_empty();
                let found = is_any.then(|| self.0[draw.random_range(0..self.0.len())]);
                Ok(found.map(str::to_owned))
            })
        }
    }

    fn found(text: &str, words: &'static [&'static str], number: usize) -> Vec<Variant> {
        let drawn = Drawn {
            seed: 1,
            method: "one-of",
            id: "a",
            number,
        };
        let words_of = Words::new(text, &KeptWords::default());
        variants(&words_of, &OneOf(words), drawn).unwrap()
    }

    fn refusals(text: &str, words: &'static [&'static str], number: usize) -> Vec<Option<Refusal>> {
        let found = found(text, words, number).into_iter();
        found.map(|variant| variant.refusal).collect()
    }

    #[test]
    fn what_is_no_other_wording_is_refused_with_the_reason() {
        assert_eq!(refusals("a", &[], 3), [Some(Refusal::NothingToChange)]);
        assert_eq!(refusals("a b", &["A b!"], 1), [Some(Refusal::Identical)]);
        assert_eq!(refusals("a b", &["  "], 1), [Some(Refusal::Identical)]);
        assert_eq!(
            refusals("in /etc", &["in usr"], 1),
            [Some(Refusal::KeptWordLost)]
        );
        assert_eq!(refusals("a", &["b"], 2), [None, Some(Refusal::Repeated)]);
    }

    #[test]
    fn another_draw_is_tried_where_the_first_gives_nothing_new() {
        let refusals = refusals("a", &["a", "b", "c", "d"], 3);
        assert_eq!(refusals, [None, None, None]);
    }

    #[test]
    fn more_wordings_begin_with_the_same_ones() {
        let words = &["b", "c", "d", "e", "f"];
        assert_eq!(found("a", words, 2), found("a", words, 4)[..2]);
    }
}
