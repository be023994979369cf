use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, RecordBatch, StringArray, StringBuilder};
use arrow::error::ArrowError;
use pairmill_tables::{Judged, Pair, f32_column, pairs_of, string_column};
use serde::Serialize;

/// The decision for a candidate that becomes a negative.
pub(crate) const KEEP: &str = "keep";
/// The decision for any other candidate.
pub(crate) const DROP: &str = "drop";

/// How to decide.
#[derive(Debug, Clone, Serialize)]
pub struct Rules {
    /// A candidate that scores more than `positive - |positive| × relative_margin` is a likely
    /// false negative (`relative_margin` of sentence-transformers' `mine_hard_negatives`).
    pub relative_margin: f64,
    /// Negatives kept for each (query, positive) pair, those of the best ranks.
    pub num_negatives: usize,
    /// A positive that scores less is left out with its candidates.
    pub min_positive_score: Option<f64>,
}

impl Rules {
    fn highest_negative(&self, positive: f64) -> f64 {
        positive - positive.abs() * self.relative_margin
    }
}

/// Why a candidate that was scored is kept or dropped. Where several hold, the first in this order
/// is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The model does not believe in the positive itself.
    LowPositiveScore,
    /// The candidate scores as well as the positive, or nearly so.
    LikelyFalseNegative,
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
            Self::LowPositiveScore => "low_positive_score",
            Self::LikelyFalseNegative => "likely_false_negative",
            Self::Duplicate => "duplicate",
            Self::Surplus => "surplus",
            Self::Negative => "negative",
        }
    }
}

/// Decides on a batch of scored candidates, sorted by `query_id`, `positive_id` and `rank`, that
/// holds each pair whole. Rows that come with the decision `drop` keep it and their reason.
pub(crate) fn decide(batch: &RecordBatch, rules: &Rules) -> Result<Judged, ArrowError> {
    let old_decisions = string_column(batch, "decision");
    let old_reasons = string_column(batch, "reason");
    let mut decisions = StringBuilder::new();
    let mut reasons = StringBuilder::new();
    let mut pairs = Vec::new();
    for rows in pairs_of(batch) {
        let mut judge = Judge::new(batch, rules, rows.start);
        for row in rows.clone() {
            if old_decisions.value(row) == DROP {
                decisions.append_value(DROP);
                reasons.append_value(old_reasons.value(row));
                continue;
            }
            let reason = judge.reason(row);
            let keep = reason == Reason::Negative;
            decisions.append_value(if keep { KEEP } else { DROP });
            reasons.append_value(reason.name());
        }
        pairs.push(Pair {
            rows,
            positive_is_sound: judge.positive_is_sound,
            negatives: judge.negatives,
            doubtful: judge.doubtful,
        });
    }
    let batch = with_column(batch, "decision", Arc::new(decisions.finish()))?;
    let batch = with_column(&batch, "reason", Arc::new(reasons.finish()))?;
    Ok(Judged { batch, pairs })
}

/// Decides on the candidates of one pair, in order of rank.
struct Judge<'a> {
    corpus_ids: &'a StringArray,
    scores: &'a Float32Array,
    highest_negative: f64,
    positive_is_sound: bool,
    seen: HashSet<&'a str>,
    negatives: Vec<usize>,
    doubtful: Vec<usize>,
    wanted: usize,
}

impl<'a> Judge<'a> {
    fn new(batch: &'a RecordBatch, rules: &Rules, first: usize) -> Self {
        let positive = f64::from(f32_column(batch, "positive_score").value(first));
        Self {
            corpus_ids: string_column(batch, "corpus_id"),
            scores: f32_column(batch, "score"),
            highest_negative: rules.highest_negative(positive),
            positive_is_sound: rules
                .min_positive_score
                .is_none_or(|least| positive >= least),
            seen: HashSet::new(),
            negatives: Vec::new(),
            doubtful: Vec::new(),
            wanted: rules.num_negatives,
        }
    }

    fn reason(&mut self, row: usize) -> Reason {
        if !self.positive_is_sound {
            Reason::LowPositiveScore
        } else if f64::from(self.scores.value(row)) > self.highest_negative {
            self.doubtful.push(row);
            Reason::LikelyFalseNegative
        } else if !self.seen.insert(self.corpus_ids.value(row)) {
            Reason::Duplicate
        } else if self.negatives.len() == self.wanted {
            Reason::Surplus
        } else {
            self.negatives.push(row);
            Reason::Negative
        }
    }
}

fn with_column(
    batch: &RecordBatch,
    name: &str,
    values: ArrayRef,
) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let mut columns = batch.columns().to_vec();
    columns[schema.index_of(name)?] = values;
    RecordBatch::try_new(schema, columns)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    use arrow::array::Int32Array;
    use pairmill_tables::Table;

    /// A row: query, positive, candidate, score (none: dropped by the miner), positive's score.
    pub(crate) type Row = (&'static str, &'static str, &'static str, Option<f32>, f32);

    pub(crate) fn scored(rows: &[Row]) -> RecordBatch {
        let text = |value: fn(&Row) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
        };
        let ranks = Int32Array::from_iter_values(1..=rows.len() as i32);
        let bm25 = Float32Array::from_iter_values(rows.iter().map(|_| 1.0));
        let scores: Float32Array = rows.iter().map(|row| row.3).collect();
        let positive_scores = Float32Array::from_iter_values(rows.iter().map(|row| row.4));
        let columns: Vec<ArrayRef> = vec![
            text(|row| row.0.to_owned()),
            text(|row| format!("query {}", row.0)),
            text(|row| row.1.to_owned()),
            text(|row| format!("text {}", row.1)),
            text(|row| row.2.to_owned()),
            text(|row| format!("text {}", row.2)),
            Arc::new(ranks),
            Arc::new(bm25.clone()),
            Arc::new(bm25),
            Arc::new(Float32Array::new_null(rows.len())),
            Arc::new(Float32Array::new_null(rows.len())),
            Arc::new(Int32Array::new_null(rows.len())),
            Arc::new(Int32Array::new_null(rows.len())),
            Arc::new(scores),
            Arc::new(positive_scores),
            text(|row| row.3.map_or(DROP, |_| KEEP).to_owned()),
            text(|row| row.3.map_or("known_positive", |_| "negative").to_owned()),
        ];
        RecordBatch::try_new(Table::Candidates.schema(), columns).unwrap()
    }

    pub(crate) fn rules(num_negatives: usize) -> Rules {
        Rules {
            relative_margin: 0.05,
            num_negatives,
            min_positive_score: None,
        }
    }

    fn reasons(rows: &[Row], rules: &Rules) -> Vec<String> {
        let judged = decide(&scored(rows), rules).unwrap();
        let decisions = string_column(&judged.batch, "decision").iter().flatten();
        let reasons = string_column(&judged.batch, "reason").iter().flatten();
        decisions
            .zip(reasons)
            .map(|(decision, reason)| format!("{decision} {reason}"))
            .collect()
    }

    #[test]
    fn a_candidate_within_the_margin_of_its_positive_is_a_likely_false_negative() {
        let found = reasons(
            &[
                ("q", "p", "above", Some(0.9), 0.8),
                ("q", "p", "near", Some(0.77), 0.8),
                ("q", "p", "below", Some(0.75), 0.8),
            ],
            &rules(3),
        );
        assert_eq!(
            found,
            [
                "drop likely_false_negative",
                "drop likely_false_negative",
                "keep negative"
            ]
        );
    }

    #[test]
    fn the_margin_lies_below_a_negative_logit_too() {
        let rules = rules(1);
        assert!((rules.highest_negative(-2.0) + 2.1).abs() < 1e-12);
        assert!((rules.highest_negative(2.0) - 1.9).abs() < 1e-12);
    }

    #[test]
    fn the_best_by_rank_are_kept_and_the_miners_drops_stay() {
        let found = reasons(
            &[
                ("q", "p", "a", None, 0.8),
                ("q", "p", "b", Some(0.1), 0.8),
                ("q", "p", "b", Some(0.1), 0.8),
                ("q", "p", "c", Some(0.2), 0.8),
                ("q", "r", "b", Some(0.1), 0.8),
            ],
            &rules(1),
        );
        assert_eq!(
            found,
            [
                "drop known_positive",
                "keep negative",
                "drop duplicate",
                "drop surplus",
                "keep negative",
            ]
        );
    }

    #[test]
    fn a_positive_below_the_least_score_takes_its_candidates_along() {
        let rules = Rules {
            min_positive_score: Some(0.5),
            ..rules(3)
        };
        let rows = [
            ("q", "p", "a", Some(0.1), 0.4),
            ("q", "r", "a", Some(0.1), 0.5),
        ];
        assert_eq!(
            reasons(&rows, &rules),
            ["drop low_positive_score", "keep negative"]
        );
        let judged = decide(&scored(&rows), &rules).unwrap();
        assert!(!judged.pairs[0].positive_is_sound && judged.pairs[1].positive_is_sound);
    }
}
