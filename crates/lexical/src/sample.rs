use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use pairmill_schema::hash_key;

use crate::Analysis;
use crate::language::Languages;
use pairmill_schema::unspaced_script;

/// Texts looked at.
const TEXTS: usize = 400;
/// Letters of each.
const LETTERS: usize = 300;
/// The share of the texts that must be of one language.
const MOST: f64 = 0.6;

/// Some texts of a corpus, the same ones in whatever order it comes, to tell its language by.
#[derive(Debug, Default)]
pub struct Sample {
    /// The ones of the least keys.
    texts: BinaryHeap<([u8; 16], String)>,
}

/// What a corpus is written in, as far as a sample tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Written {
    /// The language of most texts, by name, and their share of those whose language can be told.
    pub language: Option<(&'static str, f64)>,
    /// Languages without blanks between words, and the share of the texts that have some.
    pub unspaced: Vec<&'static str>,
    /// The share of the texts with such words.
    pub unspaced_share: f64,
}

impl Sample {
    /// Adds a passage.
    pub fn add_passage(&mut self, id: &str, text: &str) {
        self.add(hash_key(id.as_bytes()), text);
    }

    /// Adds a text with a key that is random but always the same for it.
    pub(crate) fn add(&mut self, key: [u8; 16], text: &str) {
        let is_full = self.texts.len() == TEXTS;
        if is_full
            && self
                .texts
                .peek()
                .is_some_and(|(greatest, _)| *greatest <= key)
        {
            return;
        }
        if is_full {
            self.texts.pop();
        }
        self.texts.push((key, text.chars().take(LETTERS).collect()));
    }

    /// Returns what the texts tell: the language by vote of those in which one can be told.
    pub fn written(&self) -> Written {
        let mut languages = Languages::new();
        let mut votes: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut told = 0;
        let mut scripts = BTreeSet::new();
        let mut unspaced = 0;
        for (_, text) in &self.texts {
            let letters = text.chars().filter(|letter| letter.is_alphabetic());
            let of_text: BTreeSet<_> = letters.filter_map(unspaced_script).collect();
            unspaced += usize::from(!of_text.is_empty());
            scripts.extend(of_text);
            if let Some(language) = languages.of(text) {
                told += 1;
                *votes.entry(Analysis::from(language).name()).or_default() += 1;
            }
        }
        let most = votes.into_iter().max_by_key(|&(_, count)| count);
        Written {
            language: most
                .map(|(name, count)| (name, count as f64 / told as f64))
                .filter(|(_, share)| *share >= MOST),
            unspaced: scripts.into_iter().collect(),
            unspaced_share: unspaced as f64 / self.texts.len().max(1) as f64,
        }
    }
}

impl Written {
    /// Returns whether pairs of letters do for the scripts without blanks, as they do where letters
    /// are syllables or words of their own.
    pub fn is_unspaced_sound(&self) -> bool {
        let sound = ["Chinese", "Japanese"];
        self.unspaced.iter().all(|name| sound.contains(name))
    }

    /// Returns the analysis for the language: words as they are where none could be told.
    pub fn analysis(&self) -> Analysis {
        let analysis = self.language.and_then(|(name, _)| name.parse().ok());
        analysis.unwrap_or(Analysis::NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(texts: &[&str]) -> Sample {
        let mut sample = Sample::default();
        for (number, text) in texts.iter().enumerate() {
            let mut key = [0; 16];
            key[0] = number as u8;
            sample.add(key, text);
        }
        sample
    }

    #[test]
    fn the_language_of_most_texts_is_told() {
        let german = "Halten Sie den Knopf zehn Sekunden lang gedrückt, bis das Licht blinkt.";
        let english = "Hold the button for ten seconds until the light begins to blink twice.";
        let written = sample(&[german, german, german, english]).written();
        assert_eq!(written.language, Some(("german", 0.75)));
        assert_eq!(written.analysis(), "german".parse().unwrap());
        let mixed = sample(&[german, english]).written();
        assert_eq!((mixed.language, mixed.analysis()), (None, Analysis::NONE));
    }

    #[test]
    fn little_text_tells_nothing() {
        assert_eq!(sample(&["ls -R", "42", ""]).written(), Written::default());
    }

    #[test]
    fn scripts_without_blanks_are_named() {
        let written = sample(&[
            "请按住按钮十秒钟，直到指示灯闪烁。",
            "กดปุ่มค้างไว้สิบวินาที",
            "plain",
        ])
        .written();
        assert_eq!(written.unspaced, ["Chinese", "Thai"]);
        assert!((written.unspaced_share - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_sample_does_not_depend_on_the_order() {
        let (mut forwards, mut backwards) = (Sample::default(), Sample::default());
        let key = |number: u32| hash_key(&number.to_le_bytes());
        for number in 0..2_000 {
            forwards.add(key(number), &number.to_string());
            let number = 1_999 - number;
            backwards.add(key(number), &number.to_string());
        }
        assert_eq!(
            forwards.texts.into_sorted_vec(),
            backwards.texts.into_sorted_vec()
        );
    }
}
