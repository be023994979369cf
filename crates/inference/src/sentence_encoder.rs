use std::path::Path;

use ort::value::Outlet;
use pairmill_checkpoint::{Prompts, SimilarityFunction, TextTokenizer, excerpt};

use crate::dedup::Dedup;
use crate::files::{self, Kind};
use crate::model::{Output, TokenModel, floats};
use crate::modules::Modules;
use crate::runner::Runner;
use crate::{InferenceError, Result};

/// Texts tokenised at a time, which bounds memory.
const WINDOW: usize = 8_192;

/// Names that exporters give the states of the tokens.
const STATES: [&str; 2] = ["last_hidden_state", "token_embeddings"];
/// The name that they give an embedding whose pooling is in the file.
const EMBEDDING: &str = "sentence_embedding";

/// How to run a sentence encoder.
#[derive(Debug, Clone)]
pub struct SentenceEncoderOptions {
    /// Threads that share the work of a batch.
    pub threads: usize,
    /// Longest text in tokens, prompt and marks counted; longer ones are cut. Without it: what
    /// `sentence_bert_config.json` says, else the tokenizer's config, and never more than the model
    /// has positions for.
    pub max_length: Option<usize>,
    /// Tokens in a batch, padding counted. It has no influence on the embeddings.
    pub token_budget: usize,
    /// Take `model_quantized.onnx` in place of `model.onnx`.
    pub int8: bool,
}

impl Default for SentenceEncoderOptions {
    fn default() -> Self {
        Self {
            threads: 1,
            max_length: None,
            token_budget: 16_384,
            int8: false,
        }
    }
}

/// What a sentence encoder has done since it was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentenceTally {
    /// Texts embedded.
    pub texts: u64,
    /// Texts among them that were longer than the maximum and therefore cut.
    pub truncated: u64,
}

/// A sentence-transformers model whose transformer is an ONNX file.
#[derive(Debug)]
pub struct SentenceEncoder {
    tokenizer: TextTokenizer,
    runner: Runner,
    gives: Gives,
    modules: Modules,
    dimension: usize,
    prompts: Prompts,
    similarity: SimilarityFunction,
}

/// What the model gives for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// A vector of this size for each token.
    States(usize),
    /// The embedding.
    Embedding(usize),
}

impl SentenceEncoder {
    /// Loads a sentence-transformers folder with `model.onnx` or `onnx/model.onnx`, and embeds one
    /// text, so that what does not fit is found now. A folder without `modules.json` (a plain
    /// transformers checkpoint) gets mean pooling, as in sentence-transformers. Where the file has
    /// only the output `sentence_embedding`, that is taken as it is.
    ///
    /// # Errors
    /// If a file is missing or damaged, the tokenizer does not fit the model, the model gives
    /// neither token states nor an embedding, a module is not supported, or ONNX Runtime cannot be
    /// loaded.
    pub fn load(folder: &Path, options: &SentenceEncoderOptions) -> Result<Self> {
        let (checkpoint, model) = files::open(folder, Kind::SentenceEncoder, options.int8)?;
        let mut tokenizer = checkpoint.tokenizer()?;
        // One token of the text must be left, or every text would look the same.
        let least = tokenizer.marks(false) + 1;
        let max_length = files::max_length(&checkpoint, options.max_length, least)?;
        tokenizer.set_max_length(max_length);
        let mut model = TokenModel::open(&model, 1, checkpoint.pad_id(&tokenizer))?;
        let gives = find_output(&mut model, &tokenizer)?;
        let modules = Modules::load(&checkpoint)?;
        let dimension = match gives {
            Gives::States(hidden) => checkpoint.modules().dimension(folder, hidden)?,
            Gives::Embedding(dimension) => dimension,
        };
        Ok(Self {
            tokenizer,
            runner: Runner::new(model, options.threads, max_length, options.token_budget)?,
            gives,
            modules,
            dimension,
            prompts: checkpoint.prompts().clone(),
            similarity: checkpoint.similarity(),
        })
    }

    /// Components of an embedding.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Returns the longest text in tokens, prompt and marks counted, that is read whole.
    pub fn max_length(&self) -> usize {
        self.runner.max_length
    }

    /// Returns what the model wants before each text.
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// Returns how the model's embeddings are compared.
    pub fn similarity(&self) -> SimilarityFunction {
        self.similarity
    }

    /// Returns how much was done so far.
    pub fn tally(&self) -> SentenceTally {
        SentenceTally {
            texts: self.runner.rows(),
            truncated: self.runner.truncated(),
        }
    }

    /// Returns the embeddings of texts, each behind the prompt, which may be empty: row-major
    /// `[texts, dimension]`, in the order given. An embedding does not depend on the other texts,
    /// the token budget or the number of threads.
    ///
    /// # Errors
    /// If a text cannot be tokenised, ONNX Runtime fails, an embedding is not finite, or there is a
    /// prompt that the model leaves out of its pooling, but the pooling is in the file.
    pub fn embed(&self, texts: &[&str], prompt: &str) -> Result<Vec<f32>> {
        self.embed_with(texts, prompt, |_| ())
    }

    /// Does as [`embed`](Self::embed); `embedded` is told the indices of the texts of each batch
    /// when it is done. Equal texts are computed once.
    ///
    /// # Errors
    /// As [`embed`](Self::embed).
    pub fn embed_with(
        &self,
        texts: &[&str],
        prompt: &str,
        embedded: impl Fn(&[usize]),
    ) -> Result<Vec<f32>> {
        let distinct = Dedup::of(texts.iter().map(|&text| Some(text)));
        if distinct.values.len() == texts.len() {
            return self.embed_distinct(texts, prompt, &embedded);
        }
        let mut rows = vec![Vec::new(); distinct.values.len()];
        for (row, text) in distinct.of_row.iter().enumerate() {
            rows[text.unwrap_or(0)].push(row);
        }
        let done = |batch: &[usize]| {
            let batch: Vec<usize> = batch
                .iter()
                .flat_map(|&text| &rows[text])
                .copied()
                .collect();
            embedded(&batch);
        };
        let found = self.embed_distinct(&distinct.values, prompt, &done)?;
        let mut embeddings = vec![0.0; texts.len() * self.dimension];
        for (embedding, rows) in found.chunks_exact(self.dimension).zip(&rows) {
            for &row in rows {
                embeddings[row * self.dimension..][..self.dimension].copy_from_slice(embedding);
            }
        }
        Ok(embeddings)
    }

    fn embed_distinct(
        &self,
        texts: &[&str],
        prompt: &str,
        embedded: &dyn Fn(&[usize]),
    ) -> Result<Vec<f32>> {
        let is_pooled = self.modules.pooling.include_prompt;
        if !prompt.is_empty() && !is_pooled && matches!(self.gives, Gives::Embedding(_)) {
            return Err(InferenceError::NotASentenceEncoder {
                path: self.runner.model.path().to_owned(),
                detail: "it pools by itself, and could not leave the prompt out as include_prompt wants it; give a model that `pairmill-train export` has made".to_owned(),
            });
        }
        let mut embeddings = vec![0.0; texts.len() * self.dimension];
        for (n, window) in texts.chunks(WINDOW).enumerate() {
            let start = n * WINDOW;
            let tokens = self.tokenizer.encode_behind(prompt, is_pooled, window)?;
            self.runner.run(&tokens, |items, output| {
                let longest = items.iter().map(|&item| tokens[item].len()).max();
                let rows = self.rows(&output, items.len(), longest.unwrap_or(0))?;
                for (&item, row) in items.iter().zip(rows) {
                    let embedding = match self.gives {
                        Gives::States(hidden) => {
                            let states = &row[..tokens[item].len() * hidden];
                            self.modules.embed(states, hidden, tokens[item].prompt)
                        }
                        Gives::Embedding(_) => row.to_vec(),
                    };
                    if !embedding.iter().all(|value| value.is_finite()) {
                        return Err(InferenceError::NotFinite {
                            path: self.runner.model.path().to_owned(),
                            text: excerpt(window[item]),
                        });
                    }
                    embeddings[(start + item) * self.dimension..][..self.dimension]
                        .copy_from_slice(&embedding);
                }
                let texts: Vec<usize> = items.iter().map(|item| start + item).collect();
                embedded(&texts);
                Ok(())
            })?;
        }
        Ok(embeddings)
    }

    /// Returns what the model gave for each text of a batch, whose longest has so many tokens.
    fn rows<'o>(
        &self,
        output: &'o Output,
        texts: usize,
        longest: usize,
    ) -> Result<impl Iterator<Item = &'o [f32]>> {
        let is_sound = match (self.gives, &output.shape[..]) {
            (Gives::States(hidden), &[rows, tokens, size]) => {
                (rows as usize, size as usize) == (texts, hidden) && tokens as usize >= longest
            }
            (Gives::Embedding(dimension), &[rows, size]) => {
                (rows as usize, size as usize) == (texts, dimension)
            }
            _ => false,
        };
        if !is_sound {
            return Err(unexpected_shape(&self.runner.model, &output.shape));
        }
        Ok(output.values.chunks_exact(output.values.len() / texts))
    }
}

/// Selects the output to use and runs the model on a text to see how much it gives.
fn find_output(model: &mut TokenModel, tokenizer: &TextTokenizer) -> Result<Gives> {
    let are_states = STATES
        .iter()
        .any(|name| model.select(|output| output.name() == *name))
        || model.select(may_be_states);
    if !are_states && !model.select(|output| output.name() == EMBEDDING) {
        return Err(InferenceError::NotASentenceEncoder {
            path: model.path().to_owned(),
            detail: format!(
                "its outputs are {}; expected last_hidden_state or token_embeddings, a vector per token, or sentence_embedding, a vector per text; a cross-encoder, which scores pairs, has none of them; give a model that `pairmill-train export` has made of a sentence encoder",
                model.describe_outputs()
            ),
        });
    }
    model.check_output()?;
    let text = tokenizer.encode("a text")?;
    let length = text.len();
    let output = model.run(&[&text, &text], length)?;
    match output.shape[..] {
        [2, tokens, size] if are_states && tokens as usize == length && size > 0 => {
            Ok(Gives::States(size as usize))
        }
        [2, size] if !are_states && size > 0 => Ok(Gives::Embedding(size as usize)),
        _ => Err(unexpected_shape(model, &output.shape)),
    }
}

/// Returns whether an output without a known name has a vector per token. Logits per token (of a
/// model that fills masks or names entities) are none.
fn may_be_states(output: &Outlet) -> bool {
    floats(output) == Some(3) && output.name() != "logits"
}

fn unexpected_shape(model: &TokenModel, shape: &[i64]) -> InferenceError {
    InferenceError::NotASentenceEncoder {
        path: model.path().to_owned(),
        detail: format!(
            "its output has the shape {shape:?}; expected a vector per token, [texts, tokens, size], or per text, [texts, size]"
        ),
    }
}
