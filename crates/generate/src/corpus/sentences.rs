use std::collections::{HashMap, HashSet};

use unicode_segmentation::UnicodeSegmentation;

use super::passages::count_words;

/// Words of a sentence that can be a query. Shorter ones are labels, longer ones lists.
const LENGTHS: std::ops::RangeInclusive<usize> = 5..=40;
/// Words of a part of a sentence: as long as a longer question.
const SPAN: usize = 12;
/// Words that a passage must have beside the sentence to be an answer; it needs as many as the
/// sentence in any case.
const LEAST_REST: usize = 10;

/// Finds in a passage the sentence that asks best for the rest of it.
///
/// A sentence and what stood around it are about the same thing, which is what the inverse cloze
/// task trains on (Lee et al. 2019, <https://arxiv.org/abs/1906.00300>). It is taken out of the
/// passage, or finding one by the other would take no more than comparing letters.
#[derive(Debug)]
pub(crate) struct Sentences {
    passages_with: HashMap<String, u32>,
    passages: u32,
}

impl Sentences {
    /// Counts in how many passages each word is.
    pub fn new<'t>(passages: impl Iterator<Item = &'t str>) -> Self {
        let mut sentences = Self {
            passages_with: HashMap::new(),
            passages: 0,
        };
        for passage in passages {
            sentences.passages += 1;
            for word in words(passage).collect::<HashSet<_>>() {
                *sentences.passages_with.entry(word).or_default() += 1;
            }
        }
        sentences
    }

    /// Returns the sentence and the passage without it; a part of a sentence where that is too long
    /// or all that there is. Nothing where the passage has none of a fit length, too little else,
    /// or nothing else that shares a word with it.
    pub fn take_out(&self, passage: &str) -> Option<(String, String)> {
        let whole = count_words(passage);
        let mut best: Option<(f64, usize, &str)> = None;
        let fits = |part: &str| {
            let length = count_words(part);
            let left = whole.saturating_sub(length);
            LENGTHS.contains(&length) && left >= length.max(LEAST_REST)
        };
        let sentences = passage.split_sentence_bound_indices();
        let parts = sentences.flat_map(|(start, sentence)| match fits(sentence) {
            true => vec![(start, sentence)],
            false => spans(start, sentence),
        });
        for (start, sentence) in parts.filter(|(_, part)| fits(part)) {
            let (before, after) = (&passage[..start], &passage[start + sentence.len()..]);
            let rest: HashSet<String> = words(before).chain(words(after)).collect();
            let score = self.score(sentence, &rest);
            // Of equals the first.
            if score > 0.0 && best.is_none_or(|(highest, ..)| score > highest) {
                best = Some((score, start, sentence));
            }
        }
        let (_, start, sentence) = best?;
        let query = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        Some((query, without(passage, start, start + sentence.len())))
    }

    /// Returns how much a sentence says of the rest of its passage: the rarity of the words that
    /// both have (BM25's inverse document frequency), by the square root of the sentence's length,
    /// so that long sentences do not win by their length alone.
    fn score(&self, sentence: &str, rest: &HashSet<String>) -> f64 {
        let own: HashSet<String> = words(sentence).collect();
        let shared = own.iter().filter(|word| rest.contains(*word));
        let rarity: f64 = shared.map(|word| self.rarity(word)).sum();
        rarity / (own.len() as f64).sqrt()
    }

    fn rarity(&self, word: &str) -> f64 {
        let with = f64::from(self.passages_with.get(word).copied().unwrap_or_default());
        let all = f64::from(self.passages);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }
}

/// Cuts a sentence that begins at `start` into parts of [`SPAN`] words at most.
fn spans(start: usize, sentence: &str) -> Vec<(usize, &str)> {
    let (mut parts, mut begin, mut end, mut words) = (Vec::new(), 0, 0, 0);
    for word in sentence.split_inclusive(char::is_whitespace) {
        end += word.len();
        words += 1;
        if words == SPAN {
            parts.push((start + begin, &sentence[begin..end]));
            (begin, words) = (end, 0);
        }
    }
    parts.push((start + begin, &sentence[begin..]));
    parts
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().map(str::to_lowercase)
}

/// Returns a text without the part from `start` to `end`. What stood around it is parted as the
/// wider of both gaps was.
fn without(text: &str, start: usize, end: usize) -> String {
    let before = text[..start].trim_end();
    let after = text[end..].trim_start();
    let gap = match &text[before.len()..text.len() - after.len()] {
        _ if before.is_empty() || after.is_empty() => "",
        gap if gap.contains("\n\n") => "\n\n",
        gap if gap.contains('\n') => "\n",
        _ => " ",
    };
    format!("{before}{gap}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILL: &str = "The mill was built in 1820. Its wheel turns when the sluice is open. In \
                        winter the sluice is frozen and the wheel stands still. Visitors are \
                        welcome at any time of the year.";
    const BAKERY: &str = "The bakery is open in the morning. Bread is baked at night, and the bread \
                          of yesterday is sold at half its price. Visitors are welcome.";

    #[test]
    fn the_sentence_that_shares_rare_words_with_the_rest_is_taken_out() {
        let sentences = Sentences::new([MILL, BAKERY].into_iter());
        let (query, rest) = sentences.take_out(MILL).unwrap();
        assert_eq!(query, "Its wheel turns when the sluice is open.");
        assert_eq!(
            rest,
            "The mill was built in 1820. In winter the sluice is frozen and the wheel stands \
             still. Visitors are welcome at any time of the year."
        );
    }

    #[test]
    fn a_passage_that_would_be_left_too_short_keeps_its_sentences() {
        let sentences = Sentences::new([MILL].into_iter());
        for short in [
            "",
            "One sentence that is long enough to be a query by itself.",
            "The wheel turns when it is open. The wheel stands still.",
            "Alpha beta gamma delta epsilon. One two three four five six seven eight nine ten.",
        ] {
            assert_eq!(sentences.take_out(short), None, "{short}");
        }
    }

    #[test]
    fn a_text_without_sentences_gives_a_part_of_itself() {
        let text = "a mill wheel of oak is described that turns a stone and a saw the wheel of \
                    oak carries forty paddles and the stone weighs a ton";
        let (query, rest) = Sentences::new([text].into_iter()).take_out(text).unwrap();
        assert_eq!(query.split(' ').count(), SPAN);
        assert!(text.contains(&query) && !rest.contains(&query), "{rest}");
    }

    #[test]
    fn what_stood_around_it_stays_parted_as_it_was() {
        let text = "First one.\n\nThe second one. Third.";
        let of = |part: &str| {
            let start = text.find(part).unwrap();
            without(text, start, start + part.len())
        };
        assert_eq!(of("First one.\n\n"), "The second one. Third.");
        assert_eq!(of("The second one. "), "First one.\n\nThird.");
        assert_eq!(of("Third."), "First one.\n\nThe second one.");
    }

    #[test]
    fn scripts_without_blanks_have_sentences_too() {
        let text = "水车建于一八二零年。闸门打开时水车就会转动。冬天闸门结冰,水车静止不动。游客全年都可以参观水车。";
        let sentences = Sentences::new([text, "面包店早上开门。"].into_iter());
        let (query, rest) = sentences.take_out(text).unwrap();
        assert!(text.contains(&query) && !rest.contains(&query), "{query}");
    }
}
