use std::collections::HashSet;

use pairmill_schema::{hash_words, word_hashes};

/// Words in a shingle.
const WORDS: usize = 3;

/// The shingles of a text: the hashes of every three words in a row, whatever their case and
/// punctuation.
///
/// Near-duplicates are told by the Jaccard similarity of shingles (Broder, "On the resemblance and
/// containment of documents", 1997), here counted exactly: the texts to compare are at hand in
/// pairs, so there is no need of the sketches (MinHash) that estimate it.
#[derive(Debug)]
pub struct Shingles(HashSet<u64>);

impl Shingles {
    /// Cuts a text into its shingles.
    pub fn new(text: &str) -> Self {
        Self(shingles(text).collect())
    }

    /// Whether the Jaccard similarity with a text is at least `threshold`. Texts without a word
    /// are like no other.
    pub fn resemble(&self, text: &str, threshold: f32) -> bool {
        let (own, threshold) = (self.0.len() as f64, f64::from(threshold));
        // More shingles of its own than this, and sharing all of ours would not do: most texts
        // are told apart within a few words.
        let most = own * (1.0 - threshold) / threshold;
        let (mut shared, mut foreign) = (HashSet::new(), HashSet::new());
        for shingle in shingles(text) {
            if self.0.contains(&shingle) {
                shared.insert(shingle);
            } else {
                foreign.insert(shingle);
                if foreign.len() as f64 > most {
                    return false;
                }
            }
        }
        let union = own + foreign.len() as f64;
        !shared.is_empty() && shared.len() as f64 >= threshold * union
    }
}

/// The shingles of a text in order; a text of fewer words than a shingle has is one shingle.
fn shingles(text: &str) -> impl Iterator<Item = u64> + '_ {
    let mut words = word_hashes(text);
    let mut window = [0; WORDS];
    let mut filled = 0;
    while filled < WORDS
        && let Some(word) = words.next()
    {
        window[filled] = word;
        filled += 1;
    }
    let first = (filled > 0).then(|| hash_words(&window[..filled]));
    let rest = words.map(move |word| {
        window.rotate_left(1);
        window[WORDS - 1] = word;
        hash_words(&window)
    });
    first.into_iter().chain(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alike(a: &str, b: &str, threshold: f32) -> bool {
        let found = Shingles::new(a).resemble(b, threshold);
        assert_eq!(found, Shingles::new(b).resemble(a, threshold), "symmetric");
        found
    }

    #[test]
    fn case_and_punctuation_do_not_count() {
        assert!(alike(
            "Hold the button, for ten seconds.",
            "hold the BUTTON for ten seconds",
            1.0
        ));
    }

    #[test]
    fn the_similarity_is_that_of_jaccard() {
        // Shingles abc bcd cde and abc bcd cdx: 2 of 4 are shared.
        assert!(alike("a b c d e", "a b c d x", 0.5));
        assert!(!alike("a b c d e", "a b c d x", 0.51));
        assert!(alike("a b c d e", "a b c d e", 1.0));
        // A text within a longer one: 3 of 6.
        assert!(alike("a b c d e", "a b c d e f g h", 0.5));
        assert!(!alike("a b c d e", "a b c d e f g h", 0.51));
    }

    proptest! {
        #[test]
        fn the_similarity_is_that_of_whole_sets(
            a in "([a-d] ){0,12}",
            b in "([a-d] ){0,12}",
            threshold in 0.05f32..=1.0,
        ) {
            let [of_a, of_b] = [&a, &b].map(|text| shingles(text).collect::<HashSet<_>>());
            let (shared, union) = (of_a.intersection(&of_b).count(), of_a.union(&of_b).count());
            let expected = shared > 0 && shared as f64 >= f64::from(threshold) * union as f64;
            prop_assert_eq!(alike(&a, &b, threshold), expected, "{} of {}", shared, union);
        }
    }

    #[test]
    fn words_of_other_scripts_are_whole_and_letters_without_blanks_words() {
        assert!(!alike("விமானம் பள்ளி", "விமானம் பள்ளம்", 0.1));
        assert!(alike("请按住电源按钮十秒钟", "请按住电源按钮十秒钟。", 1.0));
        // 8 shingles of 10 letters; the last letter is in one of them.
        assert!(alike("请按住电源按钮十秒钟", "请按住电源按钮十秒针", 0.75));
        assert!(!alike("请按住电源按钮十秒钟", "请按住电源按钮十秒针", 0.8));
    }

    #[test]
    fn repetition_does_not_make_texts_alike() {
        assert!(!alike("a b c d e f g h", "a b c a b c a b c a b c", 0.3));
    }

    #[test]
    fn short_texts_are_one_shingle_and_empty_ones_like_no_other() {
        assert!(alike("reset it", "Reset it!", 1.0));
        assert!(!alike("reset it", "reset", 0.1));
        assert!(!alike("", "?!", 0.1));
    }
}
