//! How many texts are longer than the model reads.

use std::collections::HashSet;
use std::hash::Hash;

use anyhow::Result;

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
        self.of += other.of;
        self.is_sample |= other.is_sample;
    }

    /// Says how many are cut, if any are.
    pub fn tell(&self) {
        let Self {
            texts,
            cut,
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
        tracing::warn!(
            "{cut} of {of} {texts}{sample} are longer than the {limit} tokens that the model reads and are cut{remedy}"
        );
    }
}

/// Counts the distinct texts of rows, or of a sample of them, that are cut: `of_rows` gives the texts
/// of rows, `count` how many of some texts are cut.
///
/// # Errors
/// Those of `count`.
pub(crate) fn count_cut<T: Clone + Eq + Hash>(
    rows: usize,
    of_rows: impl Fn(&[usize]) -> Vec<T>,
    count: impl Fn(&[T]) -> Result<usize>,
) -> Result<Cut> {
    let looked_at = rows.min(ROWS);
    let sample: Vec<usize> = (0..looked_at).map(|n| n * rows / looked_at).collect();
    let mut seen: HashSet<T> = HashSet::new();
    let mut counted = Cut {
        is_sample: looked_at < rows,
        ..Cut::default()
    };
    for rows in sample.chunks(WINDOW) {
        let texts = of_rows(rows).into_iter();
        let texts: Vec<T> = texts.filter(|text| seen.insert(text.clone())).collect();
        counted.of += texts.len();
        counted.cut += count(&texts)?;
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_counts_once() {
        let texts = |rows: &[usize]| rows.iter().map(|row| (row % 10).to_string()).collect();
        let long =
            |texts: &[String]| Ok(texts.iter().filter(|text| *text > &"6".to_owned()).count());
        let counted = count_cut(100, texts, long).unwrap();
        assert_eq!((counted.cut, counted.of, counted.is_sample), (3, 10, false));
        assert!(count_cut(ROWS + 1, texts, long).unwrap().is_sample);
        assert_eq!(count_cut(0, texts, long).unwrap(), Cut::default());
    }
}
