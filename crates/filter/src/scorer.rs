use std::path::{Path, PathBuf};
use std::sync::Arc;

use pairmill_inference::{Activation, CrossEncoder, InferenceError, PairScorer, Tally};
use pairmill_schema::{agreeing, counted};
use pairmill_tables::{Folds, hash_input};
use tracing::{info, warn};

use crate::cache::ScoreFolder;
use crate::{Model, Result};

/// A cross-encoder; or one for each fold, of which each query has the one that was trained without
/// it.
#[derive(Debug)]
pub(crate) struct Scorer {
    /// With their folders.
    models: Vec<(CrossEncoder, PathBuf)>,
    folds: Option<Folds>,
}

impl Scorer {
    /// Loads the models, without a cache.
    pub fn load(model: &Model) -> Result<Self> {
        let folder = model.folder()?;
        let folds = Folds::of_folder(folder)?;
        let folders = match &folds {
            None => vec![folder.to_owned()],
            Some(folds) => {
                let number = folds.folds;
                info!("{number} folds: a model that has not seen a query scores its pairs");
                (0..number).map(|fold| folds.model(folder, fold)).collect()
            }
        };
        let load = |folder: PathBuf| {
            let model = CrossEncoder::load(&folder, &model.options())?;
            Ok((model, folder))
        };
        Ok(Self {
            models: folders.into_iter().map(load).collect::<Result<_>>()?,
            folds,
        })
    }

    /// Returns what turns logits into scores.
    pub fn activation(&self) -> Activation {
        let mut models = self.models();
        models
            .next()
            .map_or(Activation::Sigmoid, CrossEncoder::activation)
    }

    /// Turns logits into scores in another way.
    pub fn with_activation(mut self, activation: Activation) -> Self {
        for (model, _) in &mut self.models {
            model.set_activation(activation);
        }
        self
    }

    /// Lets the models keep their scores in a folder, if there is one, so that a killed run goes on
    /// where it was.
    pub fn cached(self, scores: Option<&Path>) -> Result<Self> {
        let Some(path) = scores else {
            return Ok(self);
        };
        let keep = |(model, folder): (CrossEncoder, PathBuf)| {
            let hash = hash_input(&folder.to_string_lossy())?;
            Ok((model.with_cache(path, &hash)?, folder))
        };
        let models = self.models.into_iter().map(keep);
        let scorer = Self {
            models: models.collect::<Result<_>>()?,
            folds: self.folds,
        };
        let known: u64 = scorer.models().map(CrossEncoder::known).sum();
        if known > 0 {
            let pairs = counted(known, "pair", "pairs");
            info!("the scores of {pairs} of texts are there from earlier runs");
        }
        Ok(scorer)
    }

    fn models(&self) -> impl Iterator<Item = &CrossEncoder> {
        self.models.iter().map(|(model, _)| model)
    }

    /// Returns the number of models.
    pub fn number(&self) -> usize {
        self.models.len()
    }

    /// Returns the longest pair in tokens that is read whole.
    pub fn max_length(&self) -> usize {
        let lengths = self.models().map(CrossEncoder::max_length);
        lengths.min().unwrap_or_default()
    }

    /// Returns how much was done so far.
    pub fn tally(&self) -> Tally {
        self.models().map(CrossEncoder::tally).sum()
    }

    /// Writes what is still to be written to the cache, now that the output is there, and says how
    /// much was done in so many seconds, besides what was done `before`.
    pub fn finish(
        self: Arc<Self>,
        scores: ScoreFolder,
        before: Tally,
        seconds: f64,
    ) -> Result<Tally> {
        for model in self.models() {
            model.flush_cache()?;
        }
        let tally = self.tally() - before;
        // The files close before their folder goes.
        drop(self);
        scores.finish();
        log_tally(tally, seconds);
        Ok(tally)
    }
}

impl PairScorer for Scorer {
    fn score_pairs(
        &self,
        pairs: &[(&str, &str)],
        scored: &dyn Fn(&[usize]),
    ) -> Result<Vec<f32>, InferenceError> {
        let Some(folds) = &self.folds else {
            return self.models[0].0.score_pairs(pairs, scored);
        };
        let mut of_fold = vec![Vec::new(); self.models.len()];
        for (index, (query, _)) in pairs.iter().enumerate() {
            of_fold[folds.of(query) as usize].push(index);
        }
        let mut scores = vec![0.0; pairs.len()];
        for (model, indices) in self.models().zip(&of_fold) {
            let own: Vec<_> = indices.iter().map(|&index| pairs[index]).collect();
            let of_own = model.scores_with(&own, |done| {
                let done: Vec<usize> = done.iter().map(|&own| indices[own]).collect();
                scored(&done);
            })?;
            for (&index, score) in indices.iter().zip(of_own) {
                scores[index] = score;
            }
        }
        Ok(scores)
    }
}

/// Says how much was scored.
fn log_tally(tally: Tally, seconds: f64) {
    let Tally {
        scored,
        cached,
        truncated,
    } = tally;
    let rate = scored as f64 / seconds.max(1e-3);
    let pairs = counted(scored, "pair", "pairs");
    info!("scored {pairs} of texts in {seconds:.1} s ({rate:.0} a second)");
    if cached > 0 {
        info!("took the scores of {cached} more from earlier runs");
    }
    if truncated > 0 {
        let pairs = counted(scored + cached, "pair", "pairs");
        let were = agreeing(truncated, "was", "were");
        warn!("{truncated} of {pairs} of texts {were} longer than the model reads and {were} cut");
    }
}
