use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float32Array, Int32Array, RecordBatch, StringArray, StringBuilder,
};
use arrow::error::ArrowError;
use pairmill_schema::{Decision, Reason};
use pairmill_tables::{f32_column, i32_column, string_column};

use crate::{Decided, Pair, Rules, pairs_of};

/// Decides on a batch of scored candidates, sorted by `query_id`, `positive_id` and `rank`, that
/// holds each query whole. A candidate that the miner has dropped is promoted or stays as it is.
///
/// # Errors
/// If the batch is no candidates table.
pub fn decide(batch: &RecordBatch, rules: &Rules) -> Result<Decided, ArrowError> {
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
    Ok(Decided { batch, pairs })
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
        self.decisions.value(row) != Decision::Drop.name()
    }

    /// Whether the miner has found a known positive or the query itself.
    fn is_settled(&self, row: usize) -> bool {
        Reason::from_name(self.reasons.value(row)).is_some_and(Reason::is_settled)
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

/// A query, whose candidates are decided alike beside each of its positives.
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
            && !candidates.is_settled(row)
            && !self.positives.contains(candidates.id(row))
    }

    /// Finds the candidates to promote, given the lowest score and the lowest similarity of a
    /// positive.
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
            let reason = if self.promoted.contains_key(id) && self.is_undecided(row) {
                Reason::Promoted
            } else if candidates.is_settled(row) || !candidates.is_open(row) {
                say(Decision::Drop.name(), candidates.reasons.value(row));
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
            say(reason.decision().name(), reason.name());
        }
    }

    /// The rule that speaks against the candidate as a negative.
    fn fails(&self, row: usize) -> Option<Reason> {
        let score = self.candidates.score(row);
        let is_top = self.top.contains(self.candidates.id(row));
        (self.rules.margins())
            .broken(score, self.lowest_sound)
            .or(is_top.then_some(Reason::TopShare))
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
mod tests;
