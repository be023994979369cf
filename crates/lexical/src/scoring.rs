use serde::Serialize;

use crate::Analysis;

/// How passages are analysed and scored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bm25 {
    /// How text becomes terms.
    pub analysis: Analysis,
    /// How soon further occurrences of a term stop counting, from 0 (at once).
    pub k1: f32,
    /// How much the length of a passage counts, from 0 (not) to 1 (fully).
    pub b: f32,
    /// Whether title and text are one field or two.
    pub fields: Fields,
    /// The number of a query's terms that count, the rarest ones; all if not given.
    pub max_query_terms: Option<u32>,
}

/// The fields of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fields {
    /// Title and text joined by a blank.
    Joined,
    /// Each with statistics of its own; a passage's score is the weighed sum of theirs.
    Separate {
        /// Weight of the title's score.
        title: f32,
        /// Weight of the text's score.
        text: f32,
    },
}

impl Default for Bm25 {
    /// Returns Lucene's: English, k1 = 1.2, b = 0.75, one field, all terms.
    fn default() -> Self {
        Self {
            analysis: Analysis::ENGLISH,
            k1: 1.2,
            b: 0.75,
            fields: Fields::Joined,
            max_query_terms: None,
        }
    }
}

impl Bm25 {
    /// Returns whether title and text are fields of their own.
    pub(crate) fn is_separate(&self) -> bool {
        self.fields != Fields::Joined
    }

    /// Returns the factor of a term that occurs in `frequency` of `passages`.
    pub(crate) fn weight(&self, frequency: u64, passages: u64) -> f32 {
        let (frequency, passages) = (frequency as f64, passages as f64);
        let idf = (1.0 + (passages - frequency + 0.5) / (frequency + 0.5)).ln();
        (idf * (1.0 + f64::from(self.k1))) as f32
    }

    /// Returns what is added to the number of a term's occurrences in the denominator.
    pub(crate) fn norm(&self, length: u32, mean_length: f64) -> f32 {
        let (k1, b) = (f64::from(self.k1), f64::from(self.b));
        (k1 * (1.0 - b + b * f64::from(length) / mean_length)) as f32
    }
}
