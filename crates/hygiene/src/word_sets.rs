//! A text as the sets by which texts are held to be nearly the same.

use pairmill_schema::{hash_words, word_hashes};

/// Different words below which a text is short. One word changed in a text of fewer than 49 words
/// leaves less than 0.8 of its runs of five words, so short texts are compared word by word.
pub(crate) const SHORT: usize = 50;
/// Words in a run, as usual for MinHash (Lee et al., "Deduplicating training data makes language
/// models better", 2022, and others).
const RUN: usize = 5;

/// The sets of one text.
#[derive(Debug)]
pub(crate) struct WordSets {
    /// Its different words, unless it is so long that no short text is like it.
    pub words: Option<Vec<u32>>,
    /// Its different runs of five words, unless it is short.
    pub runs: Option<Vec<u32>>,
    /// How many different words it has.
    pub distinct: usize,
}

impl WordSets {
    /// Cuts a text into its sets; a text is long enough to be like a short one where it has no more
    /// than 1 / `threshold` times as many words.
    pub fn new(text: &str, threshold: f64) -> Self {
        let all: Vec<u64> = word_hashes(text).collect();
        let words = set(all.iter().map(|&word| short_hash(word)).collect());
        let distinct = words.len();
        let longest = (SHORT as f64 / threshold) as usize;
        let runs = || {
            set(all
                .windows(RUN)
                .map(|run| short_hash(hash_words(run)))
                .collect())
        };
        Self {
            runs: (distinct >= SHORT).then(runs),
            words: (distinct <= longest).then_some(words),
            distinct,
        }
    }
}

fn set(mut elements: Vec<u32>) -> Vec<u32> {
    elements.sort_unstable();
    elements.dedup();
    elements
}

/// The high bits, mixed once more, since these are what all others have a part in.
fn short_hash(hash: u64) -> u32 {
    (hash.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_has_words_a_long_one_runs_and_one_between_both() {
        let of = |words: usize| {
            let text: Vec<String> = (0..words).map(|n| format!("w{n}")).collect();
            let sets = WordSets::new(&text.join(" "), 0.8);
            (
                sets.words.map(|set| set.len()),
                sets.runs.map(|set| set.len()),
            )
        };
        assert_eq!(of(0), (Some(0), None));
        assert_eq!(of(49), (Some(49), None));
        assert_eq!(of(50), (Some(50), Some(46)));
        assert_eq!(of(62), (Some(62), Some(58)));
        assert_eq!(of(63), (None, Some(59)));
    }
}
