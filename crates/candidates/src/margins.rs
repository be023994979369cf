use num_traits::Float;
use pairmill_schema::Reason;

/// Bounds on the score of a negative, with the names and meaning of sentence-transformers'
/// `mine_hard_negatives`.
#[derive(Debug, Clone, Copy)]
pub struct Margins<T> {
    /// A candidate is no negative if `score + absolute > positive`.
    pub absolute: Option<T>,
    /// A candidate is no negative if `score > positive − |positive| × relative`.
    pub relative: Option<T>,
    /// A candidate that scores more is no negative.
    pub max_score: Option<T>,
    /// A candidate that scores less is no negative.
    pub min_score: Option<T>,
}

impl<T: Float> Margins<T> {
    /// Finds the first bound that a score breaks, beside the lowest score of the query's positives.
    pub fn broken(&self, score: T, positive: T) -> Option<Reason> {
        let broken = |test: bool, reason: Reason| test.then_some(reason);
        self.absolute
            .and_then(|margin| broken(score + margin > positive, Reason::AbsoluteMargin))
            .or_else(|| {
                let highest = positive - positive.abs() * self.relative?;
                broken(score > highest, Reason::RelativeMargin)
            })
            .or_else(|| broken(score > self.max_score?, Reason::MaxScore))
            .or_else(|| broken(score < self.min_score?, Reason::MinScore))
    }
}
