use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float32Array, Int32Array, RecordBatch, StringArray, StringBuilder,
};
use arrow::error::ArrowError;
use pairmill_tables::{Judged, Pair, f32_column, i32_column, pairs_of, string_column};

use crate::rules::{DROP, Reason, Rules, SETTLED};

/// Decides on a batch of scored candidates, sorted by `query_id`, `positive_id` and `rank`, that
/// holds each query whole. A candidate that the miner has dropped is promoted or stays as it is.
pub(crate) fn decide(batch: &RecordBatch, rules: &Rules) -> Result<Judged, ArrowError> {
    let candidates = Candidates::new(batch);
    let mut decisions = StringBuilder::new();
    let mut reasons = StringBuilder::new();
    let mut pairs = Vec::new();
    let query_ids = string_column(batch, "query_id");
    let of_pairs = pairs_of(batch);
    let same_query =
        |a: &Range<usize>, b: &Range<usize>| query_ids.value(a.start) == query_ids.value(b.start);
    for of_query in of_pairs.chunk_by(same_query) {
        let query = Query::new(&candidates, rules, of_query);
        let mut of_query: Vec<Pair> = of_query.iter().cloned().map(Pair::given).collect();
        for pair in &mut of_query {
            query.decide(pair, |decision, reason| {
                decisions.append_value(decision);
                reasons.append_value(reason);
            });
        }
        let promoted = query.promoted_pairs(&of_query);
        of_query.extend(promoted);
        of_query.sort_by_key(|pair| candidates.positive_id(pair));
        pairs.append(&mut of_query);
    }
    let batch = with_column(batch, "decision", Arc::new(decisions.finish()))?;
    let batch = with_column(&batch, "reason", Arc::new(reasons.finish()))?;
    Ok(Judged { batch, pairs })
}

/// The columns that decisions are made of.
struct Candidates<'a> {
    positive_ids: &'a StringArray,
    corpus_ids: &'a StringArray,
    ranks: &'a Int32Array,
    scores: &'a Float32Array,
    positive_scores: &'a Float32Array,
    dense: &'a Float32Array,
    positive_dense: &'a Float32Array,
    decisions: &'a StringArray,
    reasons: &'a StringArray,
}

impl<'a> Candidates<'a> {
    fn new(batch: &'a RecordBatch) -> Self {
        Self {
            positive_ids: string_column(batch, "positive_id"),
            corpus_ids: string_column(batch, "corpus_id"),
            ranks: i32_column(batch, "rank"),
            scores: f32_column(batch, "score"),
            positive_scores: f32_column(batch, "positive_score"),
            dense: f32_column(batch, "dense"),
            positive_dense: f32_column(batch, "positive_dense"),
            decisions: string_column(batch, "decision"),
            reasons: string_column(batch, "reason"),
        }
    }

    fn id(&self, row: usize) -> &'a str {
        self.corpus_ids.value(row)
    }

    fn score(&self, row: usize) -> f64 {
        f64::from(self.scores.value(row))
    }

    /// The score and the similarity of the positive of a row.
    fn positive(&self, row: usize) -> (f64, f64) {
        let value = |column: &Float32Array| f64::from(column.value(row));
        (value(self.positive_scores), value(self.positive_dense))
    }

    fn positive_id(&self, pair: &Pair) -> &'a str {
        match pair.is_promoted() {
            true => self.id(pair.rows.start),
            false => self.positive_ids.value(pair.rows.start),
        }
    }

    /// Whether the miner has left the candidate to be a negative.
    fn is_open(&self, row: usize) -> bool {
        self.decisions.value(row) != DROP
    }

    /// The first of the rows of each candidate.
    fn distinct(&self, rows: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut seen = HashSet::new();
        rows.filter(|&row| seen.insert(self.id(row))).collect()
    }

    /// Rows of distinct candidates by score, best first.
    fn best_first(&self, rows: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut rows = self.distinct(rows);
        rows.sort_by(|&a, &b| {
            let by_score = self.score(b).total_cmp(&self.score(a));
            let by_rank = self.ranks.value(a).cmp(&self.ranks.value(b));
            by_score
                .then(by_rank)
                .then_with(|| self.id(a).cmp(self.id(b)))
        });
        rows
    }
}

/// A query, whose candidates are judged alike beside each of its positives.
struct Query<'a> {
    candidates: &'a Candidates<'a>,
    rules: &'a Rules,
    positives: HashSet<&'a str>,
    /// The lowest score of a sound positive, or where there is none of a promoted candidate;
    /// infinite if there is neither.
    lowest_sound: f64,
    /// Whether promoted candidates stand in for positives of which none is sound.
    is_repaired: bool,
    /// Each promoted candidate, by its first row.
    promoted: HashMap<&'a str, usize>,
    surplus_positives: HashSet<&'a str>,
    /// The candidates of the top share.
    top: HashSet<&'a str>,
}

impl<'a> Query<'a> {
    fn new(candidates: &'a Candidates<'a>, rules: &'a Rules, pairs: &[Range<usize>]) -> Self {
        let positive = |pair: &Range<usize>| candidates.positive_ids.value(pair.start);
        let scores = || pairs.iter().map(|pair| candidates.positive(pair.start));
        let sound = scores().filter(|&(score, dense)| rules.is_sound(score, dense));
        let mut query = Self {
            candidates,
            rules,
            positives: pairs.iter().map(positive).collect(),
            lowest_sound: lowest(sound.map(|(score, _)| score)),
            is_repaired: false,
            promoted: HashMap::new(),
            surplus_positives: HashSet::new(),
            top: HashSet::new(),
        };
        let lowest_positive = (
            lowest(scores().map(|(score, _)| score)),
            lowest(scores().map(|(_, dense)| dense)),
        );
        let rows = || pairs.iter().flat_map(Clone::clone);
        query.promote(rows(), lowest_positive);
        query.is_repaired = query.lowest_sound.is_infinite() && !query.promoted.is_empty();
        if query.is_repaired {
            let promoted = query.promoted.values();
            query.lowest_sound = lowest(promoted.map(|&row| candidates.score(row)));
        }
        let open = rows().filter(|&row| {
            let is_promoted = query.promoted.contains_key(candidates.id(row));
            candidates.is_open(row) && query.is_undecided(row) && !is_promoted
        });
        let mut best = candidates.best_first(open);
        best.truncate(rules.top(best.len()));
        query.top = best.into_iter().map(|row| candidates.id(row)).collect();
        query
    }

    /// Whether the candidate was scored and may be a positive or a negative of the query.
    fn is_undecided(&self, row: usize) -> bool {
        let candidates = self.candidates;
        candidates.scores.is_valid(row)
            && !SETTLED.contains(&candidates.reasons.value(row))
            && !self.positives.contains(candidates.id(row))
    }

    /// Finds the candidates to promote, given the lowest score and the lowest similarity of a positive.
    fn promote(&mut self, rows: impl Iterator<Item = usize>, (lowest, lowest_dense): (f64, f64)) {
        let Some(promotion) = &self.rules.promotion else {
            return;
        };
        let candidates = self.candidates;
        let good = rows.filter(|&row| {
            let score = candidates.score(row);
            self.is_undecided(row)
                && score > promotion.above
                && (promotion.below_positive || score > lowest + promotion.margin)
                && promotion.dense_margin.is_none_or(|margin| {
                    f64::from(candidates.dense.value(row)) > lowest_dense + margin
                })
        });
        let mut best = candidates.best_first(good);
        let most = promotion.max_promoted.unwrap_or(best.len());
        let surplus = best.split_off(most.min(best.len())).into_iter();
        self.surplus_positives = surplus.map(|row| candidates.id(row)).collect();
        let promoted = best.into_iter().map(|row| (candidates.id(row), row));
        self.promoted = promoted.collect();
    }

    /// Decides on the candidates of a pair, in order of rank.
    fn decide(&self, pair: &mut Pair, mut say: impl FnMut(&str, &str)) {
        let candidates = self.candidates;
        let (score, dense) = candidates.positive(pair.rows.start);
        pair.positive_is_sound = self.rules.is_sound(score, dense);
        let scored = pair.rows.clone().filter(|&row| self.is_undecided(row));
        pair.scored = candidates.distinct(scored);
        let mut seen = HashSet::new();
        for row in pair.rows.clone() {
            let id = candidates.id(row);
            let is_settled = SETTLED.contains(&candidates.reasons.value(row));
            let reason = if self.promoted.contains_key(id) && self.is_undecided(row) {
                Reason::Promoted
            } else if is_settled || !candidates.is_open(row) {
                say(DROP, candidates.reasons.value(row));
                continue;
            } else if self.positives.contains(id) {
                Reason::PositiveId
            } else if self.surplus_positives.contains(id) {
                Reason::SurplusPositive
            } else if !pair.positive_is_sound && !self.is_repaired {
                Reason::LowPositiveScore
            } else if let Some(reason) = self.fails(row) {
                reason
            } else if !seen.insert(id) {
                Reason::Duplicate
            } else if pair.negatives.len() == self.rules.num_negatives {
                Reason::Surplus
            } else {
                pair.negatives.push(row);
                Reason::Negative
            };
            say(reason.decision(), reason.name());
        }
    }

    /// The rule that speaks against the candidate as a negative.
    fn fails(&self, row: usize) -> Option<Reason> {
        let (rules, positive) = (self.rules, self.lowest_sound);
        let score = self.candidates.score(row);
        let failed = |test: bool, reason: Reason| test.then_some(reason);
        let highest = positive - positive.abs() * rules.relative_margin;
        let absolute = rules.absolute_margin;
        failed(
            absolute.is_some_and(|margin| score + margin > positive),
            Reason::AbsoluteMargin,
        )
        .or_else(|| failed(score > highest, Reason::RelativeMargin))
        .or_else(|| failed(score > rules.max_score?, Reason::MaxScore))
        .or_else(|| failed(score < rules.min_score?, Reason::MinScore))
        .or_else(|| failed(self.top.contains(self.candidates.id(row)), Reason::TopShare))
    }

    /// The promoted candidates as positives, each beside the query's negatives: the best ranks of
    /// those that its pairs have.
    fn promoted_pairs(&self, pairs: &[Pair]) -> Vec<Pair> {
        let candidates = self.candidates;
        let rows = pairs.iter().flat_map(|pair| pair.negatives.iter().copied());
        let mut negatives = candidates.distinct(rows);
        negatives.sort_by_key(|&row| (candidates.ranks.value(row), candidates.id(row)));
        negatives.truncate(self.rules.num_negatives);
        let promoted = self.promoted.values();
        promoted
            .map(|&row| Pair::promoted(row, negatives.clone()))
            .collect()
    }
}

fn lowest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::INFINITY, f64::min)
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
mod tests {
    use super::*;

    use pairmill_tables::Table;

    use crate::Promotion;
    use crate::rules::KEEP;

    /// A row: query, positive, candidate, its score (none: the miner has settled it), the
    /// positive's score. Ranks count from 1 in each pair.
    type Row = (&'static str, &'static str, &'static str, Option<f32>, f32);

    fn scored(rows: &[Row], dropped_by_the_miner: &[&str]) -> RecordBatch {
        let text = |value: fn(&Row) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
        };
        let ranks = (0..rows.len()).map(|row| {
            let same = |other: &&Row| (other.0, other.1) == (rows[row].0, rows[row].1);
            rows[..=row].iter().filter(same).count() as i32
        });
        let bm25 = Float32Array::from_iter_values(rows.iter().map(|_| 1.0));
        let scores: Float32Array = rows.iter().map(|row| row.3).collect();
        let positive_scores = Float32Array::from_iter_values(rows.iter().map(|row| row.4));
        let mined = |row: &Row| match row.3 {
            None => (DROP, "positive_id"),
            Some(_) if dropped_by_the_miner.contains(&row.2) => (DROP, "same_group"),
            Some(_) => (KEEP, "negative"),
        };
        let decisions = rows.iter().map(|row| mined(row).0);
        let reasons = rows.iter().map(|row| mined(row).1);
        let columns: Vec<ArrayRef> = vec![
            text(|row| row.0.to_owned()),
            text(|row| format!("query {}", row.0)),
            text(|row| row.1.to_owned()),
            text(|row| format!("text {}", row.1)),
            text(|row| row.2.to_owned()),
            text(|row| format!("text {}", row.2)),
            Arc::new(Int32Array::from_iter_values(ranks)),
            Arc::new(bm25.clone()),
            Arc::new(bm25),
            Arc::new(Float32Array::new_null(rows.len())),
            Arc::new(Float32Array::new_null(rows.len())),
            Arc::new(Int32Array::new_null(rows.len())),
            Arc::new(Int32Array::new_null(rows.len())),
            Arc::new(scores),
            Arc::new(positive_scores),
            Arc::new(StringArray::from_iter_values(decisions)),
            Arc::new(StringArray::from_iter_values(reasons)),
        ];
        RecordBatch::try_new(Table::Candidates.schema(), columns).unwrap()
    }

    fn reasons_of(judged: &Judged) -> Vec<String> {
        let decisions = string_column(&judged.batch, "decision").iter().flatten();
        let reasons = string_column(&judged.batch, "reason").iter().flatten();
        decisions
            .zip(reasons)
            .map(|(decision, reason)| format!("{decision} {reason}"))
            .collect()
    }

    fn reasons(rows: &[Row], rules: &Rules) -> Vec<String> {
        reasons_of(&decide(&scored(rows, &[]), rules).unwrap())
    }

    fn promote_above(above: f64) -> Option<Promotion> {
        Some(Promotion {
            above,
            below_positive: false,
            margin: 0.0,
            dense_margin: None,
            max_promoted: None,
        })
    }

    /// Ten candidates of one pair, scored 0.9, 0.8 … 0.0, beside a positive of 0.7.
    const LADDER: [Row; 10] = [
        ("q", "p", "9", Some(0.9), 0.7),
        ("q", "p", "8", Some(0.8), 0.7),
        ("q", "p", "7", Some(0.7), 0.7),
        ("q", "p", "6", Some(0.6), 0.7),
        ("q", "p", "5", Some(0.5), 0.7),
        ("q", "p", "4", Some(0.4), 0.7),
        ("q", "p", "3", Some(0.3), 0.7),
        ("q", "p", "2", Some(0.2), 0.7),
        ("q", "p", "1", Some(0.1), 0.7),
        ("q", "p", "0", Some(0.0), 0.7),
    ];

    /// The reason of each candidate of [`LADDER`] that is no negative, in a word with its score.
    fn dropped(rules: Rules) -> String {
        let rules = Rules {
            num_negatives: 10,
            ..rules
        };
        let reasons = reasons(&LADDER, &rules);
        let dropped = (0..10)
            .zip(&reasons)
            .filter(|(_, reason)| *reason != "keep negative");
        let words = dropped.map(|(n, reason)| format!("{}:{}", 9 - n, reason.replace("drop ", "")));
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_rule_gives_its_reason() {
        let loose = || Rules {
            relative_margin: 0.0,
            ..Rules::default()
        };
        let margin = "9:relative_margin 8:relative_margin";
        assert_eq!(
            dropped(loose()),
            margin,
            "as good as the positive is not better"
        );
        assert_eq!(
            dropped(Rules::default()),
            format!("{margin} 7:relative_margin")
        );
        assert_eq!(
            dropped(Rules {
                absolute_margin: Some(0.15),
                ..loose()
            }),
            "9:absolute_margin 8:absolute_margin 7:absolute_margin 6:absolute_margin"
        );
        assert_eq!(
            dropped(Rules {
                max_score: Some(0.65),
                min_score: Some(0.15),
                ..loose()
            }),
            format!("{margin} 7:max_score 1:min_score 0:min_score")
        );
        assert_eq!(
            dropped(Rules {
                top_share: 0.35,
                ..loose()
            }),
            format!("{margin} 7:top_share 6:top_share"),
            "3.5 of ten are four"
        );
        assert_eq!(
            dropped(Rules {
                promotion: promote_above(0.85),
                ..loose()
            }),
            "9:promote promoted 8:relative_margin"
        );
    }

    #[test]
    fn the_margin_lies_below_a_negative_logit_too() {
        let rows = [
            ("q", "p", "near", Some(-2.05), -2.0),
            ("q", "p", "far", Some(-2.15), -2.0),
        ];
        assert_eq!(
            reasons(&rows, &Rules::default()),
            ["drop relative_margin", "keep negative"]
        );
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
            &Rules {
                num_negatives: 1,
                ..Rules::default()
            },
        );
        assert_eq!(
            found,
            [
                "drop positive_id",
                "keep negative",
                "drop duplicate",
                "drop surplus",
                "keep negative",
            ]
        );
    }

    /// One query with a positive that the model believes in and one that it hardly does.
    const TWO_POSITIVES: [Row; 6] = [
        ("q", "p", "a", Some(0.9), 0.8),
        ("q", "p", "b", Some(0.5), 0.8),
        ("q", "p", "c", Some(0.1), 0.8),
        ("q", "r", "a", Some(0.9), 0.2),
        ("q", "r", "b", Some(0.5), 0.2),
        ("q", "r", "c", Some(0.1), 0.2),
    ];

    #[test]
    fn the_lowest_sound_positive_sets_the_margin_beside_every_positive() {
        let margin = "drop relative_margin";
        assert_eq!(
            reasons(&TWO_POSITIVES, &Rules::default()),
            [
                margin,
                margin,
                "keep negative",
                margin,
                margin,
                "keep negative"
            ]
        );
        let rules = Rules {
            min_positive_score: Some(0.3),
            ..Rules::default()
        };
        let low = "drop low_positive_score";
        assert_eq!(
            reasons(&TWO_POSITIVES, &rules),
            [margin, "keep negative", "keep negative", low, low, low]
        );
        let judged = decide(&scored(&TWO_POSITIVES, &[]), &rules).unwrap();
        let sound = judged.pairs.iter().map(|pair| pair.positive_is_sound);
        assert_eq!(sound.collect::<Vec<_>>(), [true, false]);
    }

    /// The ids of the promoted candidates with the number of their negatives.
    fn promoted(judged: &Judged) -> Vec<(&str, usize)> {
        let ids = string_column(&judged.batch, "corpus_id");
        let pairs = judged.pairs.iter().filter(|pair| pair.is_promoted());
        pairs
            .map(|pair| (ids.value(pair.rows.start), pair.negatives.len()))
            .collect()
    }

    #[test]
    fn a_candidate_promoted_beside_one_positive_is_so_for_the_query() {
        let rules = Rules {
            promotion: promote_above(0.4),
            ..Rules::default()
        };
        let judged = decide(&scored(&TWO_POSITIVES, &[]), &rules).unwrap();
        let promote = "promote promoted";
        assert_eq!(
            reasons_of(&judged),
            [
                promote,
                promote,
                "keep negative",
                promote,
                promote,
                "keep negative"
            ]
        );
        assert_eq!(promoted(&judged), [("a", 1), ("b", 1)]);
        let ids = string_column(&judged.batch, "corpus_id");
        let mut negatives = judged.pairs.iter().flat_map(|pair| &pair.negatives);
        assert!(negatives.all(|&row| ids.value(row) == "c"));
    }

    #[test]
    fn a_promoted_candidate_replaces_a_positive_that_is_left_out() {
        let rows = [
            ("q", "p", "a", Some(0.9), 0.1),
            ("q", "p", "b", Some(0.5), 0.1),
        ];
        let rules = Rules {
            min_positive_score: Some(0.3),
            promotion: promote_above(0.8),
            ..Rules::default()
        };
        let judged = decide(&scored(&rows, &[]), &rules).unwrap();
        assert_eq!(reasons_of(&judged), ["promote promoted", "keep negative"]);
        assert_eq!(promoted(&judged), [("a", 1)]);
        assert!(judged.pairs.iter().any(|pair| !pair.positive_is_sound));
    }

    #[test]
    fn the_retrievers_similarity_has_a_say_where_it_is_asked() {
        let rows = [
            ("q", "p", "a", Some(0.9), 0.1),
            ("q", "p", "b", Some(0.8), 0.1),
            ("q", "p", "c", Some(0.1), 0.1),
        ];
        let column =
            |values: [f32; 3]| -> ArrayRef { Arc::new(Float32Array::from_iter_values(values)) };
        let batch = with_column(&scored(&rows, &[]), "dense", column([0.4, 0.8, 0.9])).unwrap();
        let batch = with_column(&batch, "positive_dense", column([0.5; 3])).unwrap();
        let reasons = |min_positive_dense: f64| {
            let rules = Rules {
                min_positive_score: Some(0.3),
                min_positive_dense: Some(min_positive_dense),
                promotion: promote_above(0.5).map(|promotion| Promotion {
                    dense_margin: Some(0.2),
                    ..promotion
                }),
                ..Rules::default()
            };
            let judged = decide(&batch, &rules).unwrap();
            (judged.pairs[1].positive_is_sound, reasons_of(&judged))
        };
        let promoted_b = ["drop relative_margin", "promote promoted", "keep negative"];
        let (is_sound, found) = reasons(0.6);
        assert!(!is_sound);
        assert_eq!(found, promoted_b);
        let (is_sound, found) = reasons(0.4);
        assert!(is_sound);
        assert_eq!(found[..2], promoted_b[..2]);
    }

    #[test]
    fn the_threshold_may_do_without_the_positive_and_the_best_come_first() {
        let with = |below_positive, max_promoted| {
            let rules = Rules {
                promotion: Some(Promotion {
                    above: 0.45,
                    below_positive,
                    margin: 0.0,
                    dense_margin: None,
                    max_promoted,
                }),
                ..Rules::default()
            };
            let judged = decide(&scored(&LADDER, &[]), &rules).unwrap();
            let ids = promoted(&judged)
                .iter()
                .map(|(id, _)| *id)
                .collect::<String>();
            (ids, reasons_of(&judged))
        };
        assert_eq!(with(false, None).0, "89");
        assert_eq!(with(true, None).0, "56789");
        let (ids, reasons) = with(true, Some(3));
        assert_eq!(ids, "789");
        assert_eq!(reasons[3..5], ["drop surplus_positive"; 2]);
    }

    #[test]
    fn a_margin_keeps_those_close_to_the_positive_from_being_promoted() {
        let rows = [
            ("q", "p", "a", Some(0.95), 0.5),
            ("q", "p", "b", Some(0.85), 0.5),
        ];
        let promotion = Promotion {
            margin: 0.4,
            ..promote_above(0.8).unwrap()
        };
        let rules = Rules {
            promotion: Some(promotion),
            ..Rules::default()
        };
        let expected = ["promote promoted", "drop relative_margin"];
        assert_eq!(reasons(&rows, &rules), expected);
    }

    #[test]
    fn what_the_miner_dropped_is_promoted_or_stays_and_a_known_positive_stays() {
        let rows = [
            ("q", "p", "a", Some(0.9), 0.5),
            ("q", "p", "b", Some(0.2), 0.5),
            ("q", "p", "c", None, 0.5),
            ("q", "p", "p", Some(0.9), 0.5),
        ];
        let rules = |promotion| Rules {
            promotion,
            ..Rules::default()
        };
        let reasons = |promotion| {
            let batch = scored(&rows, &["a", "b"]);
            reasons_of(&decide(&batch, &rules(promotion)).unwrap())
        };
        assert_eq!(
            reasons(promote_above(0.8)),
            [
                "promote promoted",
                "drop same_group",
                "drop positive_id",
                "drop positive_id"
            ]
        );
        assert_eq!(reasons(None)[0], "drop same_group");
    }

    #[test]
    fn equal_scores_are_promoted_by_rank() {
        let rows = [
            ("q", "p", "b", Some(0.9), 0.5),
            ("q", "p", "a", Some(0.9), 0.5),
        ];
        let rules = Rules {
            promotion: Some(Promotion {
                max_promoted: Some(1),
                ..promote_above(0.8).unwrap()
            }),
            ..Rules::default()
        };
        assert_eq!(
            reasons(&rows, &rules),
            ["promote promoted", "drop surplus_positive"]
        );
    }
}
