//! The distinct texts of the training data by number: which are the same, and which ids stand for
//! them.

use std::collections::{HashMap, HashSet};

use pairmill_schema::{Sameness, TextKey};
use rayon::prelude::*;

use crate::findings::{Findings, excerpt};

/// Returns whether two texts are one answer.
pub(crate) fn are_identical(a: &str, b: &str) -> bool {
    pairmill_schema::identical(a) == pairmill_schema::identical(b)
}

/// Which texts are the same, by the numbers of texts; of texts that are not known, each is its own.
#[derive(Debug, Default)]
pub(crate) struct Classes {
    identical: Vec<u32>,
    equivalent: Vec<u32>,
}

impl Classes {
    /// Sorts texts into classes. `letters` are those of the longest anchor: equivalents are looked
    /// for among anchors and what may be the same as one.
    pub fn of(texts: &[String], same_text: Sameness, letters: usize) -> Self {
        let classes = |key: &(dyn Fn(&str) -> Option<TextKey> + Sync)| {
            let keys: Vec<Option<TextKey>> = texts.par_iter().map(|text| key(text)).collect();
            let mut numbers: HashMap<TextKey, u32> = HashMap::with_capacity(keys.len());
            let number = (0..).zip(keys);
            let classes = number.map(|(text, key)| match key {
                Some(key) => *numbers.entry(key).or_insert(text),
                None => text,
            });
            classes.collect()
        };
        Self {
            identical: classes(&|text| Some(TextKey::identical(text))),
            equivalent: classes(&|text| TextKey::unless_longer(text, same_text, letters)),
        }
    }

    /// Returns the first text that is identical to this one: what answers are compared by.
    pub fn identical(&self, text: u32) -> u32 {
        self.identical.get(text as usize).copied().unwrap_or(text)
    }

    /// Returns the first text that is the same question as this one.
    pub fn equivalent(&self, text: u32) -> u32 {
        self.equivalent.get(text as usize).copied().unwrap_or(text)
    }
}

/// The ids of texts of one side.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    pub ids: Interner,
    /// The text that each was first seen with.
    texts: Vec<u32>,
    /// Those that stand for two texts.
    unsound: HashSet<u32>,
    pub two_texts: Findings,
}

impl Ids {
    pub fn number(&mut self, id: &str, text: u32, row: u32, texts: &Interner) -> u32 {
        let number = self.ids.number(id);
        let Some(&first) = self.texts.get(number as usize) else {
            self.texts.push(text);
            return number;
        };
        if first != text && !self.unsound.contains(&number) {
            let [a, b] = [first, text].map(|text| texts.values[text as usize].as_str());
            if !are_identical(a, b) {
                self.unsound.insert(number);
                let (a, b) = (excerpt(a), excerpt(b));
                self.two_texts
                    .add(format!("`{id}`: {a} and, in row {row}, {b}"));
            }
        }
        number
    }

    pub fn sound(&self, id: Option<u32>) -> Option<u32> {
        id.filter(|id| !self.unsound.contains(id))
    }
}

/// Numbers for strings, in order of first sight.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    pub numbers: HashMap<String, u32>,
    pub values: Vec<String>,
}

impl Interner {
    pub fn number(&mut self, value: &str) -> u32 {
        if let Some(&number) = self.numbers.get(value) {
            return number;
        }
        let number = self.values.len() as u32;
        self.numbers.insert(value.to_owned(), number);
        self.values.push(value.to_owned());
        number
    }
}
