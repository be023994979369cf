//! How many texts are longer than the model reads.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use pairmill_modeling::TokenIds;
use pairmill_schema::agreeing;

use crate::error::Result;

/// Rows that are looked at; of more, as many evenly spread ones.
const ROWS: usize = 5_000;
/// Rows whose texts are tokenised at a time.
const WINDOW: usize = 512;

/// Texts of one kind that are longer than the model reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// What the texts are, in the plural.
    pub texts: &'static str,
    pub cut: usize,
    /// Of these, the ones of which the model reads the same as of another.
    pub alike: usize,
    /// The distinct texts that were looked at.
    pub of: usize,
    /// Whether these are a sample of all.
    pub is_sample: bool,
    /// The longest text in tokens.
    pub limit: usize,
    /// That of the model that training starts from.
    pub own_limit: usize,
}

impl Cut {
    /// Adds the counts of other texts of the kind.
    pub fn add(&mut self, other: Self) {
        self.cut += other.cut;
        self.alike += other.alike;
        self.of += other.of;
        self.is_sample |= other.is_sample;
    }

    /// Says how many are cut, if any are.
    pub fn tell(&self) {
        let Self {
            texts,
            cut,
            alike,
            of,
            limit,
            own_limit,
            ..
        } = *self;
        if cut == 0 {
            return;
        }
        let sample = if self.is_sample { " of a sample" } else { "" };
        let remedy = match limit < own_limit {
            true => format!("; the model it starts from reads {own_limit} (--max-length)"),
            false => String::new(),
        };
        let are = agreeing(cut, "is", "are");
        tracing::warn!(
            "{cut} of {of} {texts}{sample} {are} longer than the {limit} tokens that the model reads and {are} cut{remedy}"
        );
        if alike > 0 {
            tracing::warn!(
                "{alike} of them {} the same as another once they are cut, so that these cannot be told apart",
                agreeing(alike, "is", "are")
            );
        }
    }
}

/// Counts the distinct texts of rows, or of a sample of them, that are cut: `of_rows` gives the
/// texts of rows, `read` what the model reads of some texts.
///
/// # Errors
/// Those of `read`.
pub(crate) fn count_cut<T: Clone + Eq + Hash>(
    rows: usize,
    of_rows: impl Fn(&[usize]) -> Vec<T>,
    read: impl Fn(&[T]) -> Result<Vec<TokenIds>>,
) -> Result<Cut> {
    let looked_at = rows.min(ROWS);
    let sample: Vec<usize> = (0..looked_at).map(|n| n * rows / looked_at).collect();
    let mut seen: HashSet<T> = HashSet::new();
    let mut heads: HashMap<Vec<u32>, usize> = HashMap::new();
    let mut counted = Cut {
        is_sample: looked_at < rows,
        ..Cut::default()
    };
    for rows in sample.chunks(WINDOW) {
        let texts = of_rows(rows).into_iter();
        let texts: Vec<T> = texts.filter(|text| seen.insert(text.clone())).collect();
        counted.of += texts.len();
        for tokens in read(&texts)?.into_iter().filter(|tokens| tokens.truncated) {
            counted.cut += 1;
            *heads.entry(tokens.ids).or_default() += 1;
        }
    }
    counted.alike = heads.into_values().filter(|&texts| texts > 1).sum();
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_counts_once() {
        let texts = |rows: &[usize]| rows.iter().map(|row| row % 10).collect();
        let read = |texts: &[usize]| {
            let tokens = texts.iter().map(|&text| TokenIds {
                ids: vec![text as u32 / 2],
                truncated: text > 5,
                ..TokenIds::default()
            });
            Ok(tokens.collect())
        };
        let counted = count_cut(100, texts, read).unwrap();
        assert_eq!((counted.cut, counted.of, counted.is_sample), (4, 10, false));
        assert_eq!(counted.alike, 4, "6 and 7 read alike, 8 and 9 too");
        assert!(count_cut(ROWS + 1, texts, read).unwrap().is_sample);
        assert_eq!(count_cut(0, texts, read).unwrap(), Cut::default());
    }
}
