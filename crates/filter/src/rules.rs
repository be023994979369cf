use serde::Serialize;

/// How to decide on the candidates of a query. Scores are the model's. Margins, bounds and their
/// names are those of sentence-transformers' `mine_hard_negatives`; as there, the lowest positive
/// of a query sets its margins, here the lowest one that [`min_positive_score`](Self::min_positive_score)
/// leaves.
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
    pub(crate) fn need_similarities(&self) -> bool {
        let promotion = self.promotion.as_ref();
        self.min_positive_dense.is_some()
            || promotion.is_some_and(|promotion| promotion.dense_margin.is_some())
    }

    /// How many of a query's candidates its best are.
    pub(crate) fn top(&self, candidates: usize) -> usize {
        (self.top_share * candidates as f64).round() as usize
    }
}

/// Why a candidate that was scored is kept, dropped or promoted. Where several hold, the first in
/// this order is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is a positive of the query.
    PositiveId,
    /// Promoted: a positive from now on.
    Promoted,
    /// It would be promoted, but the query has its promoted candidates already.
    SurplusPositive,
    /// The model does not believe in the positive beside it.
    LowPositiveScore,
    /// Its score is within the absolute margin of the positive's.
    AbsoluteMargin,
    /// Its score is within the relative margin of the positive's.
    RelativeMargin,
    /// It scores too much.
    MaxScore,
    /// It scores too little.
    MinScore,
    /// It is among the best of its query.
    TopShare,
    /// The pair has this candidate already.
    Duplicate,
    /// The pair has its negatives already.
    Surplus,
    /// Kept: a negative.
    Negative,
}

impl Reason {
    /// The reason as it stands in the candidates table.
    pub fn name(self) -> &'static str {
        match self {
            Self::PositiveId => "positive_id",
            Self::Promoted => "promoted",
            Self::SurplusPositive => "surplus_positive",
            Self::LowPositiveScore => "low_positive_score",
            Self::AbsoluteMargin => "absolute_margin",
            Self::RelativeMargin => "relative_margin",
            Self::MaxScore => "max_score",
            Self::MinScore => "min_score",
            Self::TopShare => "top_share",
            Self::Duplicate => "duplicate",
            Self::Surplus => "surplus",
            Self::Negative => "negative",
        }
    }

    /// The decision that goes with it.
    pub fn decision(self) -> &'static str {
        match self {
            Self::Promoted => PROMOTE,
            Self::Negative => KEEP,
            _ => DROP,
        }
    }
}

/// The decision for a candidate that becomes a negative.
pub(crate) const KEEP: &str = "keep";
/// The decision for one that becomes a positive.
pub(crate) const PROMOTE: &str = "promote";
/// The decision for any other candidate.
pub(crate) const DROP: &str = "drop";

/// The miner's reasons that leave nothing to decide: the candidate is a known positive or the query
/// itself.
pub(crate) const SETTLED: [&str; 4] = ["positive_id", "positive_text", "query_id", "query_text"];
