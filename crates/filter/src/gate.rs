//! int8 beside float32 on a sample, before it decides on everything.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use datafusion::prelude::{DataFrame, ident, lit};
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_inference::PairScorer;
use pairmill_metrics::spearman;
use pairmill_tables::{WholeQueries, f32_column, string_column};
use serde::Serialize;
use tracing::info;

use crate::decide::decide;
use crate::judge::Judge;
use crate::{Config, FilterError, Model, Result, plan};

/// Queries in a sample of candidates.
const QUERIES: usize = 64;
/// Pairs in a sample of a table to score.
const PAIRS: usize = 500;

/// How far int8 agrees with float32 on a sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Candidates or pairs of the sample that were scored.
    pub pairs: u64,
    /// Share of candidates on which the decision is the same; none where nothing is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions: Option<f64>,
    /// Spearman's correlation of the scores; none where all are equal.
    pub rank_correlation: Option<f64>,
}

impl Agreement {
    /// Says how far they agree.
    ///
    /// # Errors
    /// If that is less than `least`.
    fn check(self, least: f64) -> Result<Self> {
        let Self {
            pairs,
            decisions,
            rank_correlation,
        } = self;
        let correlation = rank_correlation.map_or("none".to_owned(), |value| format!("{value:.4}"));
        let mut says = format!("rank correlation {correlation}");
        if let Some(decisions) = decisions {
            says = format!(
                "{:.1} % of the decisions are the same, {says}",
                100.0 * decisions
            );
        }
        info!("int8 beside float32 on a sample of {pairs}: {says}");
        let shares = [decisions, rank_correlation];
        match shares.into_iter().flatten().any(|share| share < least) {
            true => Err(FilterError::Int8 { pairs, says, least }),
            false => Ok(self),
        }
    }
}

impl Model {
    fn in_float32(&self) -> Self {
        Self {
            int8: None,
            ..self.clone()
        }
    }
}

/// Compares decisions on the candidates of a sample of queries. Does nothing in float32.
///
/// # Errors
/// If too few are the same, or a model cannot be loaded.
pub(crate) async fn compare_decisions(
    config: &Config,
    candidates: &DataFrame,
) -> Result<Option<Agreement>> {
    let Some(least) = config.model.int8 else {
        return Ok(None);
    };
    let mut ids = Sample::new(QUERIES, config.seed);
    let mut batches = candidates
        .clone()
        .select(vec![ident("query_id")])?
        .execute_stream()
        .await?;
    while let Some(batch) = batches.next().await {
        for id in string_column(&batch?, "query_id").iter().flatten() {
            ids.offer(&[id], || lit(id));
        }
    }
    let is_drawn = ident("query_id").in_list(ids.drawn().collect(), false);
    let sample = candidates.clone().filter(is_drawn)?;
    let exact = judged(config, &sample, &config.model.in_float32()).await?;
    let rounded = judged(config, &sample, &config.model).await?;
    let same = exact.iter().zip(&rounded).filter(|(a, b)| a.1 == b.1);
    let share = same.count() as f64 / exact.len().max(1) as f64;
    let scores = |judged: &[(Option<f32>, String)]| -> Vec<f64> {
        let scores = judged.iter().filter_map(|(score, _)| *score);
        scores.map(f64::from).collect()
    };
    let (exact, rounded) = (scores(&exact), scores(&rounded));
    let agreement = Agreement {
        pairs: exact.len() as u64,
        decisions: Some(share),
        rank_correlation: spearman(&exact, &rounded),
    };
    Ok(Some(agreement.check(least)?))
}

/// The score and decision of each candidate.
async fn judged(
    config: &Config,
    candidates: &DataFrame,
    model: &Model,
) -> Result<Vec<(Option<f32>, String)>> {
    let progress = Arc::new(Progress::new("comparing int8", "candidates", None));
    let with_promotion = config.rules.promotion.is_some();
    let judge = Arc::new(Judge::load(model)?);
    let mut scored = plan::scored(candidates.clone(), with_promotion, judge, progress).await?;
    let mut queries = WholeQueries::default();
    let mut whole = Vec::new();
    while let Some(batch) = scored.next().await {
        whole.append(&mut queries.push(&batch?)?);
    }
    whole.extend(queries.finish()?);
    let mut rows = Vec::new();
    for batch in &whole {
        let judged = decide(batch, &config.rules)?.batch;
        let scores = f32_column(&judged, "score").iter();
        let decisions = string_column(&judged, "decision").iter().flatten();
        rows.extend(scores.zip(decisions.map(str::to_owned)));
    }
    Ok(rows)
}

/// Compares the scores of a sample of pairs. Does nothing in float32.
///
/// # Errors
/// If their order differs too much, or a model cannot be loaded.
pub(crate) async fn compare_scores(
    model: &Model,
    seed: u64,
    pairs: DataFrame,
) -> Result<Option<Agreement>> {
    let Some(least) = model.int8 else {
        return Ok(None);
    };
    let mut sample = Sample::new(PAIRS, seed);
    let mut batches = pairs.execute_stream().await?;
    while let Some(batch) = batches.next().await {
        let batch: RecordBatch = batch?;
        let [first, second] = [0, 1].map(|column| batch.column(column).as_string::<i32>().clone());
        for (a, b) in first.iter().zip(&second).filter_map(|(a, b)| a.zip(b)) {
            sample.offer(&[a, b], || (a.to_owned(), b.to_owned()));
        }
    }
    let texts: Vec<(String, String)> = sample.drawn().collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(a, b)| (&**a, &**b)).collect();
    let scores = |model: &Model| -> Result<Vec<f64>> {
        let scores = Judge::load(model)?.score_pairs(&texts, &|_| ())?;
        Ok(scores.into_iter().map(f64::from).collect())
    };
    let exact = scores(&model.in_float32())?;
    let agreement = Agreement {
        pairs: texts.len() as u64,
        decisions: None,
        rank_correlation: spearman(&exact, &scores(model)?),
    };
    Ok(Some(agreement.check(least)?))
}

/// Distinct things drawn at random by their texts: the same ones in whatever order they come.
struct Sample<T> {
    drawn: BTreeMap<[u8; 32], T>,
    most: usize,
    seed: u64,
}

impl<T> Sample<T> {
    fn new(most: usize, seed: u64) -> Self {
        Self {
            drawn: BTreeMap::new(),
            most,
            seed,
        }
    }

    fn offer(&mut self, texts: &[&str], thing: impl FnOnce() -> T) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        for text in texts {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let place = *hasher.finalize().as_bytes();
        let is_full = self.drawn.len() >= self.most;
        if is_full
            && self
                .drawn
                .last_key_value()
                .is_some_and(|(last, _)| *last < place)
        {
            return;
        }
        self.drawn.entry(place).or_insert_with(thing);
        if self.drawn.len() > self.most {
            self.drawn.pop_last();
        }
    }

    fn drawn(self) -> impl Iterator<Item = T> {
        self.drawn.into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_holds_distinct_things_and_does_not_depend_on_their_order() {
        let words: Vec<String> = (0..100).map(|word| word.to_string()).collect();
        let drawn = |words: &mut dyn Iterator<Item = &String>, seed| -> Vec<String> {
            let mut sample = Sample::new(10, seed);
            for word in words {
                sample.offer(&[word], || word.clone());
            }
            sample.drawn().collect()
        };
        let forwards = drawn(&mut words.iter().chain(&words), 1);
        assert_eq!(forwards.len(), 10);
        assert_eq!(forwards, drawn(&mut words.iter().rev(), 1));
        assert_ne!(forwards, drawn(&mut words.iter(), 2));
    }
}
