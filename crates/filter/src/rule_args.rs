//! How to decide on candidates.

use clap::Args;
use pairmill_cli::numbers::{not_negative, number, share};
use pairmill_filter::{Promotion, Rules};

/// Scores are the model's. A query's margins are set by its lowest positive.
#[derive(Debug, Args)]
#[command(next_help_heading = "Decisions")]
pub(crate) struct RuleArgs {
    /// Drop a candidate with score + X > positive, the lowest of the query
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = number::<f64>)]
    absolute_margin: Option<f64>,
    /// Drop a candidate with score > positive - |positive| * X, the lowest of the query
    #[arg(long, value_name = "X", default_value_t = Rules::default().relative_margin, value_parser = share::<f64>)]
    relative_margin: f64,
    /// Drop a candidate that scores more
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = number::<f64>)]
    max_score: Option<f64>,
    /// Drop a candidate that scores less: too easy to learn from
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = number::<f64>)]
    min_score: Option<f64>,
    /// Drop this share of each query's scored candidates, those with the highest scores (their
    /// number is rounded to the nearest)
    #[arg(long, value_name = "X", default_value_t = Rules::default().top_share, value_parser = share::<f64>)]
    top_share: f64,
    /// Negatives to keep for each pair, those of the best ranks
    #[arg(long, value_name = "N", default_value_t = Rules::default().num_negatives as u16, value_parser = clap::value_parser!(u16).range(1..))]
    num_negatives: u16,
    /// Leave out pairs whose positive scores less: likely mislabelled ones [default: none]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = number::<f64>)]
    min_positive_score: Option<f64>,
    /// Leave such a pair out only if its similarity by the retriever is less than this too
    #[arg(long, value_name = "SCORE", requires = "min_positive_score", allow_negative_numbers = true, value_parser = number::<f64>)]
    min_positive_dense: Option<f64>,
    /// Promote a candidate that scores more than this and more than a positive of its query to be
    /// one of its positives; what the miner dropped is looked at too, save known positives and the
    /// query itself [default: none is promoted]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = number::<f64>)]
    promote_above: Option<f64>,
    /// Promote above that score alone, whether or not a positive scores less
    #[arg(long, requires = "promote_above")]
    promote_below_positive: bool,
    /// Promote only what scores more than the lowest positive of the query by over X: by much where
    /// that is mislabelled
    #[arg(long, value_name = "X", default_value_t = 0.0, requires = "promote_above", conflicts_with = "promote_below_positive", value_parser = not_negative::<f64>)]
    promote_margin: f64,
    /// Promote only what the similarity of the retriever (--retriever dense or hybrid of the
    /// miner), too, puts above the lowest of the query's positives, by over X: where two models
    /// agree, few are wrong
    #[arg(long, value_name = "X", requires = "promote_above", allow_negative_numbers = true, value_parser = number::<f64>)]
    promote_dense_margin: Option<f64>,
    /// Promote at most N candidates of a query, the best by score; others that would be promoted
    /// are dropped [default: all]
    #[arg(long, value_name = "N", requires = "promote_above", value_parser = clap::value_parser!(u32).range(1..))]
    max_promoted: Option<u32>,
}

impl RuleArgs {
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            absolute_margin: self.absolute_margin,
            relative_margin: self.relative_margin,
            max_score: self.max_score,
            min_score: self.min_score,
            top_share: self.top_share,
            num_negatives: usize::from(self.num_negatives),
            min_positive_score: self.min_positive_score,
            min_positive_dense: self.min_positive_dense,
            promotion: self.promote_above.map(|above| Promotion {
                above,
                below_positive: self.promote_below_positive,
                margin: self.promote_margin,
                dense_margin: self.promote_dense_margin,
                max_promoted: self.max_promoted.map(|most| most as usize),
            }),
        }
    }
}
