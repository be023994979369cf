use std::borrow::Cow;
use std::path::Path;

use ort::value::{Outlet, TensorElementType, ValueType};
use rayon::prelude::*;

use crate::error::excerpt;
use crate::folder::{Kind, ModelFolder};
use crate::model::{Output, TokenModel};
use crate::modules::Modules;
use crate::runner::Runner;
use crate::tokenize::{ModelTokenizer, Tokens};
use crate::{InferenceError, Prompts, Result, Similarity};

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
    tokenizer: ModelTokenizer,
    runner: Runner,
    gives: Gives,
    modules: Modules,
    dimension: usize,
    prompts: Prompts,
    similarity: Similarity,
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
    /// If a file is missing or damaged, the tokenizer does not fit the model, the model gives neither
    /// token states nor an embedding, a module is not supported, or ONNX Runtime cannot be loaded.
    pub fn load(folder: &Path, options: &SentenceEncoderOptions) -> Result<Self> {
        let modules = Modules::load(folder)?;
        let prompts = Prompts::load(folder)?;
        let similarity = Similarity::load(folder)?;
        let folder = ModelFolder::open(
            folder,
            &modules.transformer,
            Kind::SentenceEncoder,
            options.int8,
        )?;
        let mut tokenizer = folder.tokenizer(folder.do_lower_case)?;
        let default = folder.max_seq_length.or(folder.tokenizer_max_length);
        // One token of the text must be left, or every text would look the same.
        let least = tokenizer.marks(false) + 1;
        let max_length = folder.max_length(options.max_length, default, least)?;
        tokenizer.set_max_length(max_length);
        let pad_id = folder.config.pad_token_id.or(tokenizer.pad_id());
        let mut model = TokenModel::open(&folder.model, 1, pad_id.unwrap_or(0))?;
        let gives = find_output(&mut model, &tokenizer)?;
        let dimension = match gives {
            Gives::States(hidden) => modules.dimension(hidden, &folder.path)?,
            Gives::Embedding(dimension) => dimension,
        };
        Ok(Self {
            tokenizer,
            runner: Runner::new(model, options.threads, max_length, options.token_budget)?,
            gives,
            modules,
            dimension,
            prompts,
            similarity,
        })
    }

    /// Components of an embedding.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The longest text in tokens, prompt and marks counted, that is read whole.
    pub fn max_length(&self) -> usize {
        self.runner.max_length
    }

    /// What the model wants before each text.
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// How the model's embeddings are compared.
    pub fn similarity(&self) -> Similarity {
        self.similarity
    }

    /// How much was done so far.
    pub fn tally(&self) -> SentenceTally {
        SentenceTally {
            texts: self.runner.rows(),
            truncated: self.runner.truncated(),
        }
    }

    /// The embeddings of texts, each behind the prompt, which may be empty: row-major
    /// `[texts, dimension]`, in the order given. An embedding does not depend on the other texts,
    /// the token budget or the number of threads.
    ///
    /// # Errors
    /// If a text cannot be tokenised, ONNX Runtime fails, an embedding is not finite, or there is a
    /// prompt and the model leaves prompts out of its pooling.
    pub fn embed(&self, texts: &[&str], prompt: &str) -> Result<Vec<f32>> {
        self.embed_with(texts, prompt, |_| ())
    }

    /// As [`embed`](Self::embed); `embedded` is told the indices of the texts of each batch when it
    /// is done.
    ///
    /// # Errors
    /// As [`embed`](Self::embed).
    pub fn embed_with(
        &self,
        texts: &[&str],
        prompt: &str,
        embedded: impl Fn(&[usize]),
    ) -> Result<Vec<f32>> {
        if !prompt.is_empty() && !self.modules.pooling.include_prompt {
            return Err(InferenceError::Unsupported {
                path: self.runner.model.path().to_owned(),
                what: "a prompt for a model that leaves it out of the pooling".to_owned(),
                supported: "prompts that are pooled with the text (include_prompt)",
            });
        }
        let mut embeddings = vec![0.0; texts.len() * self.dimension];
        for (n, window) in texts.chunks(WINDOW).enumerate() {
            let start = n * WINDOW;
            let tokens = window
                .par_iter()
                .map(|text| self.tokenizer.encode(&behind(prompt, text)))
                .collect::<Result<Vec<Tokens>>>()?;
            self.runner.run(&tokens, |items, output| {
                let longest = items.iter().map(|&item| tokens[item].len()).max();
                let rows = self.rows(&output, items.len(), longest.unwrap_or(0))?;
                for (&item, row) in items.iter().zip(rows) {
                    let embedding = match self.gives {
                        Gives::States(hidden) => {
                            let states = &row[..tokens[item].len() * hidden];
                            self.modules.embed(states, hidden)
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

    /// What the model gave for each text of a batch, whose longest has so many tokens.
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

fn behind<'t>(prompt: &str, text: &'t str) -> Cow<'t, str> {
    match prompt {
        "" => text.into(),
        prompt => format!("{prompt}{text}").into(),
    }
}

/// Selects the output to use and runs the model on a text to see how much it gives.
fn find_output(model: &mut TokenModel, tokenizer: &ModelTokenizer) -> Result<Gives> {
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
    let text = tokenizer.encode("a text")?;
    let length = text.len().max(1);
    let output = model.run(&[&text, &text], length)?;
    match output.shape[..] {
        [2, tokens, size] if are_states && tokens as usize == length && size > 0 => {
            Ok(Gives::States(size as usize))
        }
        [2, size] if !are_states && size > 0 => Ok(Gives::Embedding(size as usize)),
        _ => Err(unexpected_shape(model, &output.shape)),
    }
}

/// Whether an output without a known name has a vector per token. Logits per token (of a model that
/// fills masks or names entities) are none.
fn may_be_states(output: &Outlet) -> bool {
    match output.dtype() {
        ValueType::Tensor { ty, shape, .. } => {
            *ty == TensorElementType::Float32 && shape.len() == 3 && output.name() != "logits"
        }
        _ => false,
    }
}

fn unexpected_shape(model: &TokenModel, shape: &[i64]) -> InferenceError {
    InferenceError::NotASentenceEncoder {
        path: model.path().to_owned(),
        detail: format!(
            "its output has the shape {shape:?}; expected a vector per token, [texts, tokens, size], or per text, [texts, size]"
        ),
    }
}
