//! What a training returns in money, as a range.

use clap::Args;
use pairmill_cli::numbers::{not_negative, positive};
use pairmill_metrics::Extrapolated;
use serde::Serialize;

use super::advice::Payback;
use crate::evaluator::DEPTH;

/// What queries and hours are worth.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "Return")]
pub(super) struct PaybackArgs {
    /// Queries a day: says after how many days the training has paid
    #[arg(long, value_name = "N", requires = "cost_per_failure", value_parser = positive::<f64>)]
    queries_per_day: Option<f64>,
    /// What a query costs that fails, in any currency
    #[arg(long, value_name = "X", requires = "queries_per_day", value_parser = not_negative::<f64>)]
    cost_per_failure: Option<f64>,
    /// What an hour of training costs, machine and whoever watches over it
    #[arg(long, value_name = "X", default_value_t = 0.0, requires = "queries_per_day",
        value_parser = not_negative::<f64>)]
    cost_per_hour: f64,
    /// A query fails if none of its first N results is relevant
    #[arg(long, value_name = "N", default_value_t = DEPTH as u8,
        requires = "queries_per_day",
        value_parser = clap::value_parser!(u8).range(1..=DEPTH as i64))]
    failure_depth: u8,
}

impl PaybackArgs {
    /// Returns whether a query fails, 1 or 0, by the reciprocal rank of its first relevant result.
    pub fn failure(&self, reciprocal_rank: f64) -> f64 {
        let is_found = reciprocal_rank * f64::from(self.failure_depth) >= 1.0;
        f64::from(u8::from(!is_found))
    }

    /// Returns what the training pays, if it is wanted: `failing` is the share of queries that fail
    /// now, `drop` what the training takes off it, and `hours` what it and the advice take.
    pub fn payback(
        &self,
        failing: f64,
        drop: Option<&Extrapolated>,
        hours: f64,
    ) -> Option<Payback> {
        let (queries, price) = self.queries_per_day.zip(self.cost_per_failure)?;
        // Where no query fails, none can be avoided.
        let (low, high) = drop.map_or((0.0, 0.0), |drop| (drop.interval.low, drop.interval.high));
        let bound = |share: f64| share.clamp(-1.0, failing);
        let avoided_a_day = (queries * bound(low), queries * bound(high));
        let saved_a_day = (price * avoided_a_day.0, price * avoided_a_day.1);
        let cost = hours * self.cost_per_hour;
        let days = (saved_a_day.1 > 0.0).then(|| {
            let last = (saved_a_day.0 > 0.0).then(|| cost / saved_a_day.0);
            (cost / saved_a_day.1, last)
        });
        Some(Payback {
            failure_depth: usize::from(self.failure_depth),
            failing,
            avoided_a_day,
            saved_a_day,
            cost,
            days,
        })
    }
}

#[cfg(test)]
mod tests {
    use pairmill_metrics::Interval;

    use super::*;

    fn args() -> PaybackArgs {
        PaybackArgs {
            queries_per_day: Some(1_000.0),
            cost_per_failure: Some(2.0),
            cost_per_hour: 50.0,
            failure_depth: 3,
        }
    }

    fn drop(low: f64, high: f64) -> Extrapolated {
        Extrapolated {
            rows: 1.0,
            gain: (low + high) / 2.0,
            interval: Interval { low, high },
        }
    }

    #[test]
    fn a_query_fails_without_a_relevant_result_at_the_top() {
        let of = |rank: f64| args().failure(1.0 / rank);
        assert_eq!([1.0, 3.0, 4.0].map(of), [0.0, 0.0, 1.0]);
        assert_eq!(args().failure(0.0), 1.0);
    }

    #[test]
    fn the_return_is_a_range_and_may_have_no_end() {
        let found = args().payback(0.3, Some(&drop(0.01, 0.05)), 2.0).unwrap();
        assert_eq!(found.avoided_a_day, (10.0, 50.0));
        assert_eq!(found.saved_a_day, (20.0, 100.0));
        assert_eq!((found.cost, found.days), (100.0, Some((1.0, Some(5.0)))));
        let found = args().payback(0.3, Some(&drop(-0.01, 0.05)), 2.0).unwrap();
        assert_eq!(found.days, Some((1.0, None)));
        let found = args().payback(0.3, Some(&drop(-0.05, -0.01)), 2.0).unwrap();
        assert_eq!(found.days, None);
        let found = args().payback(0.02, Some(&drop(0.01, 0.05)), 2.0).unwrap();
        assert_eq!(found.avoided_a_day.1, 20.0, "no more than fail now");
        let unasked = PaybackArgs {
            queries_per_day: None,
            ..args()
        };
        assert_eq!(unasked.payback(0.3, None, 2.0), None);
    }
}
