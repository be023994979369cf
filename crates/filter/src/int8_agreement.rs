//! int8 beside float32 on a sample, before it decides on everything.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use datafusion::prelude::{DataFrame, ident, lit};
use futures::StreamExt;
use pairmill_candidates::decide;
use pairmill_cli::Progress;
use pairmill_inference::PairScorer;
use pairmill_metrics::spearman;
use pairmill_schema::Decision;
use pairmill_tables::{WholeQueries, f32_column, string_column};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::scorer::Scorer;
use crate::{Config, FilterError, Model, Result, ScoreConfig, plan};

/// Queries in a sample of candidates.
const QUERIES: usize = 64;
/// Pairs in a sample of a table to score.
const PAIRS: usize = 500;

/// How far int8 agrees with float32 on a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Candidates or pairs of the sample that were scored.
    pub pairs: u64,
    /// Of the candidates that either keeps or promotes, the share on which both decide the same;
    /// none where there are none. The many that both drop would hide a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions: Option<f64>,
    /// Spearman's correlation of the scores, 0 if only one of both tells pairs apart; none where
    /// neither does.
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
                "the same decision on {:.1} % of the candidates that either keeps or promotes, {says}",
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

/// Returns Spearman's correlation, where there is anything to rank.
fn rank_correlation(exact: &[f64], rounded: &[f64]) -> Option<f64> {
    let is_ranking = |scores: &[f64]| scores.windows(2).any(|pair| pair[0] != pair[1]);
    let is_any = is_ranking(exact) || is_ranking(rounded);
    is_any.then(|| spearman(exact, rounded).unwrap_or(0.0))
}

/// Compares decisions on the candidates of a sample of queries by this int8 model with those of the
/// same model in float32, which keeps its scores in the same folder. Does nothing in float32.
///
/// # Errors
/// If too few are the same, or the model cannot be loaded.
pub(crate) async fn compare_decisions(
    config: &Config,
    candidates: &DataFrame,
    int8: &Arc<Scorer>,
    scores: Option<&Path>,
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
    let float32 = Scorer::load(&config.model.in_float32())?.with_activation(int8.activation());
    let float32 = float32.cached(scores)?;
    let exact = decided(config, &sample, Arc::new(float32)).await?;
    let rounded = decided(config, &sample, int8.clone()).await?;
    let decisions = exact.iter().zip(&rounded).map(|(a, b)| (&*a.1, &*b.1));
    let dropped = Decision::Drop.name();
    let used: Vec<_> = decisions
        .filter(|&pair| pair != (dropped, dropped))
        .collect();
    let same = used.iter().filter(|(a, b)| a == b).count();
    let scores = |decided: &[(Option<f32>, String)]| -> Vec<f64> {
        let scores = decided.iter().filter_map(|(score, _)| *score);
        scores.map(f64::from).collect()
    };
    let agreement = Agreement {
        pairs: scores(&exact).len() as u64,
        decisions: (!used.is_empty()).then(|| same as f64 / used.len() as f64),
        rank_correlation: rank_correlation(&scores(&exact), &scores(&rounded)),
    };
    Ok(Some(agreement.check(least)?))
}

/// Returns the score and decision of each candidate.
async fn decided(
    config: &Config,
    candidates: &DataFrame,
    scorer: Arc<Scorer>,
) -> Result<Vec<(Option<f32>, String)>> {
    let progress = Arc::new(Progress::new("comparing int8", "candidates", None));
    let with_promotion = config.rules.promotion.is_some();
    let mut scored =
        plan::scored(candidates.clone(), &[], with_promotion, scorer, progress).await?;
    let mut queries = WholeQueries::default();
    let mut whole = Vec::new();
    while let Some(batch) = scored.next().await {
        whole.append(&mut queries.push(&batch?)?);
    }
    whole.extend(queries.finish()?);
    let mut rows = Vec::new();
    for batch in &whole {
        let decided = decide(batch, &config.rules)?.batch;
        let scores = f32_column(&decided, "score").iter();
        let decisions = string_column(&decided, "decision").iter().flatten();
        rows.extend(scores.zip(decisions.map(str::to_owned)));
    }
    Ok(rows)
}

/// Compares the scores of a sample of pairs by this int8 model with those of the same model in
/// float32, which keeps its scores in the same folder. Does nothing in float32.
///
/// # Errors
/// If their order differs too much, or the model cannot be loaded.
pub(crate) async fn compare_scores(
    config: &ScoreConfig,
    pairs: DataFrame,
    int8: &Scorer,
    scores: Option<&Path>,
) -> Result<Option<Agreement>> {
    let Some(least) = config.model.int8 else {
        return Ok(None);
    };
    let mut sample = Sample::new(PAIRS, config.seed);
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
    let float32 = Scorer::load(&config.model.in_float32())?.cached(scores)?;
    let scores_by = |scorer: &Scorer| -> Result<Vec<f64>> {
        let scores = scorer.score_pairs(&texts, &|_| ())?;
        Ok(scores.into_iter().map(f64::from).collect())
    };
    let agreement = Agreement {
        pairs: texts.len() as u64,
        decisions: None,
        rank_correlation: rank_correlation(&scores_by(&float32)?, &scores_by(int8)?),
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

    fn agreement(exact: &[f64], rounded: &[f64]) -> Agreement {
        Agreement {
            pairs: exact.len() as u64,
            decisions: None,
            rank_correlation: rank_correlation(exact, rounded),
        }
    }

    #[test]
    fn a_model_that_no_longer_tells_pairs_apart_is_refused() {
        let broken = agreement(&[0.1, 0.2, 0.3], &[0.5; 3]);
        assert_eq!(broken.rank_correlation, Some(0.0));
        assert!(broken.check(0.95).is_err());
        // Nothing to rank, and nothing to disagree on.
        assert!(agreement(&[0.5; 3], &[0.5; 3]).check(0.95).is_ok());
        assert!(agreement(&[0.5], &[0.6]).check(0.95).is_ok());
    }

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
