use std::path::{Path, PathBuf};

use serde::Deserialize;
use tch::{Device, Tensor};

use crate::batch::runs_within;
use crate::files::read_json;
use crate::parameters::to_vec;
use crate::tokenizer::max_length_of;
use crate::{
    Bert, BertConfig, Dropout, ModelError, PackedBatch, Parameters, Pooling, Result, TextTokenizer,
    TokenIds, copy_companions,
};

/// Texts tokenised at a time in [`SentenceEncoder::encode`], which bounds its memory.
const WINDOW: usize = 8_192;
/// Smallest norm a vector is divided by, as in `torch.nn.functional.normalize`.
const NORM_EPS: f64 = 1e-12;

/// A sentence-embedding model in the sentence-transformers folder format: a transformer, pooling,
/// and optionally normalisation to unit length.
#[derive(Debug)]
pub struct SentenceEncoder {
    folder: PathBuf,
    config: BertConfig,
    parameters: Parameters,
    bert: Bert,
    pooling: Pooling,
    normalize: bool,
    tokenizer: TextTokenizer,
    device: Device,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

impl SentenceEncoder {
    /// Loads a model folder. A folder without `modules.json` (a plain transformers checkpoint) gets
    /// mean pooling, as sentence-transformers does.
    ///
    /// # Errors
    /// If a file is missing or malformed, the weights do not fit the config, or the architecture
    /// or a module is not supported.
    pub fn load(folder: &Path, device: Device) -> Result<Self> {
        if !folder.is_dir() {
            return Err(ModelError::NoFolder {
                path: folder.to_owned(),
            });
        }
        let (pooling, normalize) = load_modules(folder)?;
        let config = BertConfig::load(folder)?;
        let max_length = max_length_of(folder, config.max_position_embeddings)?;
        let tokenizer = TextTokenizer::load(folder, max_length, config.vocab_size)?;
        let parameters = Parameters::load(&folder.join("model.safetensors"), device, encoder_name)?;
        let bert = Bert::new(&parameters, "", &config)?;
        Ok(Self {
            folder: folder.to_owned(),
            config,
            parameters,
            bert,
            pooling,
            normalize,
            tokenizer,
            device,
        })
    }

    /// The longest sequence in tokens; longer texts are cut.
    pub fn max_length(&self) -> usize {
        self.tokenizer.max_length()
    }

    /// Sets [`max_length`](Self::max_length).
    ///
    /// # Errors
    /// If it is more than the model has positions, or leaves no room beside the special tokens.
    pub fn set_max_length(&mut self, max_length: usize) -> Result<()> {
        if max_length as i64 > self.config.max_position_embeddings {
            return Err(ModelError::Malformed {
                path: self.folder.join("config.json"),
                detail: format!(
                    "the model has {} positions, fewer than the {max_length} tokens asked for",
                    self.config.max_position_embeddings
                ),
            });
        }
        self.tokenizer.set_max_length(max_length)
    }

    /// Components of an embedding.
    pub fn dimension(&self) -> usize {
        self.config.hidden_size as usize
    }

    /// The network's shape.
    pub fn config(&self) -> &BertConfig {
        &self.config
    }

    /// The trainable tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Tokenises texts.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn tokenize(&self, texts: &[&str]) -> Result<Vec<TokenIds>> {
        self.tokenizer.encode(texts)
    }

    /// Embeddings `[sequences, dimension]` in input order, in one forward pass. Gradients flow
    /// unless the caller has turned them off.
    pub fn forward(&self, sequences: &[&TokenIds], dropout: Option<&Dropout>) -> Tensor {
        let batch = PackedBatch::new(sequences, self.device);
        let hidden = self.bert.forward(&batch, dropout);
        let pooled = self
            .pooling
            .forward(&hidden, &batch)
            .index_select(0, &batch.rows);
        if !self.normalize {
            return pooled;
        }
        let norm = pooled.norm_scalaropt_dim(2, [1i64], true);
        pooled / norm.clamp_min(NORM_EPS)
    }

    /// Embeddings of texts without gradients: row-major `[texts, dimension]`, in input order.
    ///
    /// Texts of like length are computed together, up to `batch_tokens` tokens at a time;
    /// `progress` hears how many texts are done since it was last called.
    ///
    /// # Errors
    /// If the tokenizer or libtorch fails.
    pub fn encode(
        &self,
        texts: &[&str],
        batch_tokens: usize,
        progress: &dyn Fn(usize),
    ) -> Result<Vec<f32>> {
        let dimension = self.dimension();
        let mut embeddings = vec![0f32; texts.len() * dimension];
        for (window, output) in texts
            .chunks(WINDOW)
            .zip(embeddings.chunks_mut(WINDOW * dimension))
        {
            let sequences = self.tokenize(window)?;
            let mut order: Vec<usize> = (0..sequences.len()).collect();
            order.sort_by_key(|&i| std::cmp::Reverse(sequences[i].ids.len()));
            let lengths = order.iter().map(|&i| sequences[i].ids.len());
            let mut rest = order.as_slice();
            for run in runs_within(lengths, batch_tokens) {
                let (now, later) = rest.split_at(run);
                rest = later;
                let batch: Vec<&TokenIds> = now.iter().map(|&i| &sequences[i]).collect();
                let vectors = to_vec(&tch::no_grad(|| self.forward(&batch, None)))?;
                for (&i, vector) in now.iter().zip(vectors.chunks_exact(dimension)) {
                    output[i * dimension..(i + 1) * dimension].copy_from_slice(vector);
                }
                progress(run);
            }
        }
        Ok(embeddings)
    }

    /// Writes the model into an existing folder in the sentence-transformers format: the weights,
    /// and the configuration and tokenizer files of the folder it was loaded from.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        copy_companions(&self.folder, folder, true)?;
        self.parameters.save(&folder.join("model.safetensors"))
    }
}

fn load_modules(folder: &Path) -> Result<(Pooling, bool)> {
    let path = folder.join("modules.json");
    if !path.is_file() {
        return Ok((Pooling::Mean, false));
    }
    let modules: Vec<Module> = read_json(&path)?;
    let mut pooling = None;
    let mut normalize = false;
    for module in &modules {
        match module.kind.rsplit('.').next().unwrap_or_default() {
            "Transformer" => {}
            "Pooling" => pooling = Some(Pooling::load(&folder.join(&module.path))?),
            "Normalize" => normalize = true,
            other => {
                return Err(ModelError::Unsupported {
                    path,
                    what: format!("the module `{other}`"),
                    supported: "Transformer, Pooling, Normalize",
                });
            }
        }
    }
    let pooling = pooling.ok_or_else(|| ModelError::Malformed {
        path,
        detail: "names no Pooling module".to_owned(),
    })?;
    Ok((pooling, normalize))
}

/// Encoder weights may come from a checkpoint with a head, whose names start with `bert.`.
fn encoder_name(name: &str) -> Option<String> {
    let name = name.strip_prefix("bert.").unwrap_or(name);
    let wanted = ["embeddings.", "encoder.", "pooler."];
    wanted
        .iter()
        .any(|prefix| name.starts_with(prefix))
        .then(|| name.to_owned())
}
