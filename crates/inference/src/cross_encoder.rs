use std::fmt;
use std::iter::Sum;
use std::ops::Sub;
use std::path::Path;

use pairmill_checkpoint::{
    Checkpoint, TextTokenizer, TokenIds, declared_activation, excerpt_of_pair, relevant_logit,
};
use rayon::prelude::*;

use crate::cache::{self, PairKey, ScoreCache};
use crate::files::{self, Kind};
use crate::head::{Activation, Head};
use crate::model::{Output, TokenModel};
use crate::runner::Runner;
use crate::{InferenceError, Result};

/// How to run a cross-encoder.
#[derive(Debug, Clone)]
pub struct CrossEncoderOptions {
    /// Threads that share the work of a batch.
    pub threads: usize,
    /// Longest pair in tokens, marks counted; longer ones are cut. Without it: what the
    /// tokenizer's config says, and never more than the model has positions for; 512 where neither
    /// says anything.
    pub max_length: Option<usize>,
    /// Tokens in a batch, padding counted. It has no influence on the scores.
    pub token_budget: usize,
    /// What turns a logit into a score. Without it: what `config.json` says, else the sigmoid.
    pub activation: Option<Activation>,
    /// Whether to run `model_quantized.onnx`, in which numbers are rounded to a scale that a batch
    /// shares; so that a score does not depend on its batch, each pair is then one.
    pub int8: bool,
}

impl Default for CrossEncoderOptions {
    fn default() -> Self {
        Self {
            threads: 1,
            max_length: None,
            token_budget: 16_384,
            activation: None,
            int8: false,
        }
    }
}

/// What a cross-encoder has done since it was loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pairs scored.
    pub scored: u64,
    /// Pairs whose logits were taken from the cache.
    pub cached: u64,
    /// Pairs among both that were longer than the maximum and therefore cut.
    pub truncated: u64,
}

impl Sub for Tally {
    type Output = Self;

    /// Returns what was done since an earlier tally.
    fn sub(self, earlier: Self) -> Self {
        Self {
            scored: self.scored - earlier.scored,
            cached: self.cached - earlier.cached,
            truncated: self.truncated - earlier.truncated,
        }
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |sum, tally| Self {
            scored: sum.scored + tally.scored,
            cached: sum.cached + tally.cached,
            truncated: sum.truncated + tally.truncated,
        })
    }
}

/// What scores pairs of texts: a [`CrossEncoder`], or several that share the work.
pub trait PairScorer: fmt::Debug + Send + Sync {
    /// Returns the score of each (query, text) pair, in the order given; `scored` is told the
    /// indices of pairs as they are done.
    ///
    /// # Errors
    /// As [`CrossEncoder::scores`].
    fn score_pairs(&self, pairs: &[(&str, &str)], scored: &dyn Fn(&[usize])) -> Result<Vec<f32>>;
}

impl PairScorer for CrossEncoder {
    fn score_pairs(&self, pairs: &[(&str, &str)], scored: &dyn Fn(&[usize])) -> Result<Vec<f32>> {
        self.scores_with(pairs, scored)
    }
}

/// A model that reads two texts together and says how well they belong together.
#[derive(Debug)]
pub struct CrossEncoder {
    tokenizer: TextTokenizer,
    /// Put before the first text of each pair.
    prompt: String,
    runner: Runner,
    head: Head,
    int8: bool,
    cache: Option<ScoreCache>,
}

impl CrossEncoder {
    /// Loads a model folder and scores one pair, so that what does not fit is found now.
    ///
    /// # Errors
    /// If a file is missing or damaged, the tokenizer does not fit the model, the model does not
    /// give one or two logits per pair, or ONNX Runtime cannot be loaded.
    pub fn load(folder: &Path, options: &CrossEncoderOptions) -> Result<Self> {
        let (checkpoint, model) = files::open(folder, Kind::CrossEncoder, options.int8)?;
        let mut tokenizer = checkpoint.tokenizer()?;
        // One token of each text must be left, or every pair would look the same.
        let least = tokenizer.marks(true) + 2;
        let max_length = files::max_length(&checkpoint, options.max_length, least)?;
        tokenizer.set_max_length(max_length);
        let mut model = TokenModel::open(&model, 1, checkpoint.pad_id(&tokenizer))?;
        model.select(|output| output.name() == "logits");
        model.check_output()?;
        let head = find_head(&checkpoint, &tokenizer, &model, options.activation)?;
        let budget = if options.int8 {
            1
        } else {
            options.token_budget
        };
        Ok(Self {
            tokenizer,
            prompt: checkpoint.prompts().text.clone(),
            runner: Runner::new(model, options.threads, max_length, budget)?,
            head,
            int8: options.int8,
            cache: None,
        })
    }

    /// Keeps the logits of pairs in a folder, which is made where there is none, and takes from it
    /// those that the same model has left there, whatever its activation: the scores are the same
    /// to the last bit. `model_hash` stands for all files of the model folder.
    ///
    /// Pairs that were there before take 25 to 50 bytes of memory each, and 21 of disk.
    ///
    /// # Errors
    /// If the folder cannot be read or written, or another run has it open for this model.
    pub fn with_cache(mut self, folder: &Path, model_hash: &str) -> Result<Self> {
        let key = cache::key(model_hash, self.max_length(), self.int8);
        self.cache = Some(ScoreCache::open(folder, key)?);
        Ok(self)
    }

    /// Returns how many pairs earlier runs have left in the cache.
    pub fn known(&self) -> u64 {
        self.cache.as_ref().map_or(0, ScoreCache::len)
    }

    /// Writes what is still to be written to the cache, if there is one.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn flush_cache(&self) -> Result<()> {
        self.cache.as_ref().map_or(Ok(()), ScoreCache::flush)
    }

    /// Returns the longest pair in tokens that is read whole.
    pub fn max_length(&self) -> usize {
        self.runner.max_length
    }

    /// Returns what turns this model's logits into scores.
    pub fn activation(&self) -> Activation {
        self.head.activation
    }

    /// Turns logits into scores in another way from now on; what the cache keeps are logits.
    pub fn set_activation(&mut self, activation: Activation) {
        self.head.activation = activation;
    }

    /// Returns how much was done so far.
    pub fn tally(&self) -> Tally {
        Tally {
            scored: self.runner.rows(),
            cached: self.cache.as_ref().map_or(0, ScoreCache::used),
            truncated: self.runner.truncated()
                + self.cache.as_ref().map_or(0, ScoreCache::used_truncated),
        }
    }

    /// Returns the score of each (query, text) pair, in the order given. A pair's score does not
    /// depend on the other pairs, the token budget or the number of threads.
    ///
    /// # Errors
    /// If a text cannot be tokenised, ONNX Runtime fails, or a score is not a number.
    pub fn scores(&self, pairs: &[(&str, &str)]) -> Result<Vec<f32>> {
        self.scores_with(pairs, |_| ())
    }

    /// Does as [`scores`](Self::scores); `scored` is told the indices of the pairs of each batch
    /// when it is done.
    ///
    /// # Errors
    /// As [`scores`](Self::scores).
    pub fn scores_with(
        &self,
        pairs: &[(&str, &str)],
        scored: impl Fn(&[usize]),
    ) -> Result<Vec<f32>> {
        let mut scores = vec![0.0; pairs.len()];
        let (keys, fresh) = match &self.cache {
            Some(cache) => {
                let keys: Vec<PairKey> = pairs.par_iter().map(PairKey::of).collect();
                let fresh = cache.look_up(&keys, |pair, logit| {
                    scores[pair] = self.head.activation.apply(logit);
                });
                (keys, fresh)
            }
            None => (Vec::new(), (0..pairs.len()).collect()),
        };
        if fresh.len() < pairs.len() {
            scored(&others(&fresh, pairs.len()));
        }
        let tokens = fresh
            .par_iter()
            .map(|&pair| {
                let (query, text) = pairs[pair];
                Ok(match self.prompt.as_str() {
                    "" => self.tokenizer.encode_pair(query, text)?,
                    prompt => self
                        .tokenizer
                        .encode_pair(&format!("{prompt}{query}"), text)?,
                })
            })
            .collect::<Result<Vec<TokenIds>>>()?;
        self.runner.run(&tokens, |items, output| {
            self.check_shape(&output, items.len())?;
            let rows = output.values.chunks(self.head.logits);
            let mut done = Vec::with_capacity(items.len());
            for (&item, row) in items.iter().zip(rows) {
                let (pair, logit) = (fresh[item], self.head.logit(row));
                if logit.is_nan() {
                    return Err(InferenceError::NotANumber {
                        path: self.runner.model.path().to_owned(),
                        pair: excerpt_of_pair(pairs[pair].0, pairs[pair].1),
                    });
                }
                scores[pair] = self.head.activation.apply(logit);
                done.push(pair);
                if let Some(cache) = &self.cache {
                    cache.add(keys[pair], logit, tokens[item].truncated);
                }
            }
            scored(&done);
            self.cache.as_ref().map_or(Ok(()), ScoreCache::flush_if_due)
        })?;
        Ok(scores)
    }

    fn check_shape(&self, output: &Output, pairs: usize) -> Result<()> {
        if output.values.len() == pairs * self.head.logits {
            return Ok(());
        }
        Err(unexpected_head(&self.runner.model, &output.shape))
    }
}

/// Returns the indices below `count` that are not among these, which ascend.
fn others(indices: &[usize], count: usize) -> Vec<usize> {
    let mut without = indices.iter().peekable();
    let is_other = |index: &usize| without.next_if(|next| *next == index).is_none();
    (0..count).filter(is_other).collect()
}

/// Scores one pair to see what the model gives for it.
fn find_head(
    checkpoint: &Checkpoint,
    tokenizer: &TextTokenizer,
    model: &TokenModel,
    chosen: Option<Activation>,
) -> Result<Head> {
    let pair = tokenizer.encode_pair("a question", "an answer")?;
    let output = model.run(&[&pair, &pair], pair.len())?;
    let last = tokenizer.vocab_size().saturating_sub(1) as u32;
    let unusual = TokenIds {
        ids: vec![last; pair.len()],
        ..pair.clone()
    };
    model
        .run(&[&unusual], pair.len())
        .map_err(|source| InferenceError::UnknownToken {
            path: model.path().to_owned(),
            id: last,
            source: Box::new(source),
        })?;
    let logits = match output.shape[..] {
        [2] => 1,
        [2, logits] if logits >= 1 => logits as usize,
        _ => return Err(unexpected_head(model, &output.shape)),
    };
    let config = checkpoint.home().join("config.json");
    let relevant = relevant_logit(&config, checkpoint.config(), logits)?;
    let class = declared_activation(checkpoint);
    Head::new(logits, relevant, chosen, class).map_err(|detail| InferenceError::NotACrossEncoder {
        path: model.path().to_owned(),
        detail,
    })
}

fn unexpected_head(model: &TokenModel, shape: &[i64]) -> InferenceError {
    let guess = match shape {
        [_, _, _] => "; this looks like an encoder, whose output is one vector per token",
        _ => "",
    };
    InferenceError::NotACrossEncoder {
        path: model.path().to_owned(),
        detail: format!(
            "for two pairs its output has the shape {shape:?}; expected one or two logits per pair, [2, 1] or [2, 2]{guess}"
        ),
    }
}
