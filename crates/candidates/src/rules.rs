use serde::Serialize;

use crate::Margins;

/// How to decide on the candidates of a query. Scores are the model's. Margins, bounds and their
/// names are those of sentence-transformers' `mine_hard_negatives`; as there, the lowest positive
/// of a query sets its margins, here the lowest one that
/// [`min_positive_score`](Self::min_positive_score) leaves.
#[derive(Debug, Clone, Serialize)]
pub struct Rules {
    /// A candidate is no negative if `score + absolute_margin > positive`.
    pub absolute_margin: Option<f64>,
    /// A candidate is no negative if `score > positive − |positive| × relative_margin`.
    pub relative_margin: f64,
    /// A candidate that scores more is no negative.
    pub max_score: Option<f64>,
    /// A candidate that scores less is no negative.
    pub min_score: Option<f64>,
    /// This share of a query's candidates, the best by score, are no negatives; their number is
    /// rounded to the nearest. From 0 to 1.
    pub top_share: f64,
    /// Negatives kept for each (query, positive) pair, those of the best ranks.
    pub num_negatives: usize,
    /// A positive that scores less is left out with its candidates,
    pub min_positive_score: Option<f64>,
    /// where this is set only if its similarity by the retriever is less than this too.
    pub min_positive_dense: Option<f64>,
    /// Which candidates become positives.
    pub promotion: Option<Promotion>,
}

/// Which candidates become positives of their query.
#[derive(Debug, Clone, Serialize)]
pub struct Promotion {
    /// Those that score more than this
    pub above: f64,
    /// and, unless this is set, more than a positive of the query,
    pub below_positive: bool,
    /// which they exceed by more than this,
    pub margin: f64,
    /// and, where this is set, by more than this in their similarity by the retriever too;
    pub dense_margin: Option<f64>,
    /// of each query the best by score, so many.
    pub max_promoted: Option<usize>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            absolute_margin: None,
            relative_margin: 0.05,
            max_score: None,
            min_score: None,
            top_share: 0.0,
            num_negatives: 3,
            min_positive_score: None,
            min_positive_dense: None,
            promotion: None,
        }
    }
}

impl Rules {
    /// Whether a positive of this score and similarity may be used.
    pub(crate) fn is_sound(&self, score: f64, dense: f64) -> bool {
        self.min_positive_score.is_none_or(|least| score >= least)
            || self.min_positive_dense.is_some_and(|least| dense >= least)
    }

    /// Whether they ask for the retriever's similarities.
    pub fn need_similarities(&self) -> bool {
        let promotion = self.promotion.as_ref();
        self.min_positive_dense.is_some()
            || promotion.is_some_and(|promotion| promotion.dense_margin.is_some())
    }

    /// The bounds on a negative's score.
    pub(crate) fn margins(&self) -> Margins<f64> {
        Margins {
            absolute: self.absolute_margin,
            relative: Some(self.relative_margin),
            max_score: self.max_score,
            min_score: self.min_score,
        }
    }

    /// How many of a query's candidates its best are.
    pub(crate) fn top(&self, candidates: usize) -> usize {
        (self.top_share * candidates as f64).round() as usize
    }
}
