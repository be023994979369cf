use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tch::{Device, Tensor};

use crate::files::{declare_single_precision, read_json, write};
use crate::inference::without_gradients;
use crate::modules::{Head, ModuleList};
use crate::onnx::Precision;
use crate::parameters::{Rename, to_vec};
use crate::tokenizer::{SentenceConfig, max_length_of, save_max_length};
use crate::{
    Config, Dropout, ModelError, PackedBatch, Parameters, Pooling, Prompts, Result, Side,
    TextTokenizer, TokenIds, Transformer, copy_companions, onnx,
};

/// Texts tokenised at a time in [`SentenceEncoder::encode`], which bounds its memory.
const WINDOW: usize = 8_192;

/// A sentence-embedding model in the sentence-transformers folder format: a transformer, pooling,
/// and any number of dense layers and normalisations to unit length.
#[derive(Debug)]
pub struct SentenceEncoder {
    folder: PathBuf,
    config: Config,
    parameters: Parameters,
    network: Network,
    modules: ModuleList,
    dimension: usize,
    tokenizer: TextTokenizer,
    /// Where queries are cut at another length.
    query_tokenizer: Option<TextTokenizer>,
    prompts: Prompts,
    device: Device,
    truncated: AtomicU64,
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
        let modules = ModuleList::load(folder)?;
        let home = folder.join(&modules.transformer);
        let config = Config::load(&home)?;
        let dimension = modules.dimension(folder, config.hidden_size())? as usize;
        let max_length = max_length_of(&home, config.max_length())?;
        let mut tokenizer = TextTokenizer::load(&home, max_length, config.vocab_size())?;
        if SentenceConfig::load(&home)?.do_lower_case {
            tokenizer.lowercase()?;
        }
        let parameters = load_parameters(folder, &modules, &config, device)?;
        let network = Network::new(&parameters, &config, &modules)?;
        let mut encoder = Self {
            folder: folder.to_owned(),
            config,
            parameters,
            network,
            modules,
            dimension,
            tokenizer,
            query_tokenizer: None,
            prompts: Prompts::default(),
            device,
            truncated: AtomicU64::new(0),
        };
        encoder.set_prompts(Prompts::load(folder)?)?;
        Ok(encoder)
    }

    /// Texts that were longer than the maximum and therefore cut, among those tokenised so far.
    pub fn truncated(&self) -> u64 {
        self.truncated.load(Ordering::Relaxed)
    }

    /// The longest sequence in tokens, prompt included; longer texts are cut.
    pub fn max_length(&self) -> usize {
        self.tokenizer.max_length()
    }

    /// Sets [`max_length`](Self::max_length).
    ///
    /// # Errors
    /// If it is more than the model has positions, or leaves no room beside the special tokens.
    pub fn set_max_length(&mut self, max_length: usize) -> Result<()> {
        self.check_length(max_length)?;
        self.tokenizer.set_max_length(max_length)
    }

    /// Cuts queries at another length than the rest.
    ///
    /// # Errors
    /// As [`set_max_length`](Self::set_max_length).
    pub fn set_max_query_length(&mut self, max_length: usize) -> Result<()> {
        self.check_length(max_length)?;
        let mut tokenizer = self.tokenizer.clone();
        tokenizer.set_max_length(max_length)?;
        self.query_tokenizer = Some(tokenizer);
        Ok(())
    }

    fn check_length(&self, max_length: usize) -> Result<()> {
        if max_length as i64 <= self.config.max_length() {
            return Ok(());
        }
        Err(ModelError::Malformed {
            path: self.home(&self.folder).join("config.json"),
            detail: format!(
                "the model has {} positions, fewer than the {max_length} tokens asked for",
                self.config.max_length()
            ),
        })
    }

    /// What is put before each text; at first what the model's folder says.
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// Sets [`prompts`](Self::prompts).
    ///
    /// # Errors
    /// If the model leaves prompts out of its pooling.
    pub fn set_prompts(&mut self, prompts: Prompts) -> Result<()> {
        if !prompts.is_empty() && !self.modules.pooling.include_prompt {
            return Err(ModelError::Unsupported {
                path: self.folder.clone(),
                what: "a prompt for a model that leaves it out of the pooling".to_owned(),
                supported: "prompts that are pooled with the text (include_prompt)",
            });
        }
        self.prompts = prompts;
        Ok(())
    }

    /// Components of an embedding.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The network's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The model's tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Freezes tensors or adds adapters.
    ///
    /// # Errors
    /// If `change` fails.
    pub fn with_parameters<E: From<ModelError>>(
        self,
        change: impl FnOnce(Parameters) -> Result<Parameters, E>,
    ) -> Result<Self, E> {
        let parameters = change(self.parameters)?;
        Ok(Self {
            network: Network::new(&parameters, &self.config, &self.modules)?,
            parameters,
            ..self
        })
    }

    /// Tokenises texts of one side behind its prompt.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn tokenize(&self, texts: &[&str], side: Side) -> Result<Vec<TokenIds>> {
        let tokenizer = match (side, &self.query_tokenizer) {
            (Side::Query, Some(tokenizer)) => tokenizer,
            _ => &self.tokenizer,
        };
        let tokens = match self.prompts.of(side) {
            "" => tokenizer.encode(texts),
            prompt => {
                let texts: Vec<String> =
                    texts.iter().map(|text| format!("{prompt}{text}")).collect();
                tokenizer.encode(&texts.iter().map(String::as_str).collect::<Vec<_>>())
            }
        }?;
        let truncated = tokens.iter().filter(|ids| ids.truncated).count();
        self.truncated
            .fetch_add(truncated as u64, Ordering::Relaxed);
        Ok(tokens)
    }

    /// Embeddings `[sequences, dimension]` in input order, in one forward pass. Gradients flow
    /// unless the caller has turned them off.
    pub fn forward(&self, sequences: &[&TokenIds], dropout: Option<&Dropout>) -> Tensor {
        let batch = PackedBatch::new(sequences, self.device);
        self.network.forward(&batch, dropout)
    }

    /// Embeddings of texts of one side without gradients: row-major `[texts, dimension]`, in input
    /// order.
    ///
    /// Texts of like length are computed together, up to `batch_tokens` tokens at a time (on the
    /// processor up to 2,048, each batch by one of libtorch's threads); `progress` hears how many texts
    /// are done since it was last called.
    ///
    /// # Errors
    /// If the tokenizer or libtorch fails.
    pub fn encode(
        &self,
        texts: &[&str],
        side: Side,
        batch_tokens: usize,
        progress: &dyn Fn(usize),
    ) -> Result<Vec<f32>> {
        let mut embeddings = Vec::with_capacity(texts.len() * self.dimension());
        for window in texts.chunks(WINDOW) {
            let sequences = self.tokenize(window, side)?;
            embeddings.extend(self.embed(&sequences, batch_tokens, progress)?);
        }
        Ok(embeddings)
    }

    /// The same for tokenised texts.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn embed(
        &self,
        sequences: &[TokenIds],
        batch_tokens: usize,
        progress: &dyn Fn(usize),
    ) -> Result<Vec<f32>> {
        without_gradients(
            sequences,
            self.dimension(),
            batch_tokens,
            self.device,
            || Network::new(&self.parameters, &self.config, &self.modules),
            |network, batch| network.forward(batch, None),
            progress,
        )
    }

    /// Writes the model into an existing folder in the sentence-transformers format: the weights,
    /// the configuration and tokenizer files of the folder it was loaded from, and what length and
    /// prompts are now.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        copy_companions(&self.folder, folder, true)?;
        let home = self.home(folder);
        let path = home.join("config.json");
        let mut config: Value = read_json(&path)?;
        if declare_single_precision(&mut config) {
            write(&path, format!("{config:#}"))?;
        }
        self.prompts.save(folder)?;
        let longest = self.query_tokenizer.iter().map(TextTokenizer::max_length);
        save_max_length(&home, longest.fold(self.max_length(), usize::max))?;
        let prefixes: Vec<String> = self.modules.dense().map(|dense| dense.prefix()).collect();
        let is_dense = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        self.parameters
            .save_some(&home.join("model.safetensors"), |name| {
                (!is_dense(name)).then_some(name)
            })?;
        for (dense, prefix) in self.modules.dense().zip(&prefixes) {
            let path = folder.join(&dense.path).join("model.safetensors");
            self.parameters
                .save_some(&path, |name| name.strip_prefix(prefix.as_str()))?;
        }
        Ok(())
    }

    /// Writes the transformer as an ONNX file, from token ids to `last_hidden_state`; pooling and what
    /// comes after it are not in there. See [`onnx::write_encoder`].
    ///
    /// # Errors
    /// If the file would be over 2 GiB or cannot be written.
    pub fn save_onnx(&self, path: &Path, precision: Precision) -> Result<()> {
        onnx::write_encoder(path, &self.config, &self.parameters, precision)
    }

    /// The embedding of one text from its last hidden states, row-major `[tokens, hidden]`, which
    /// another runtime has computed.
    ///
    /// # Errors
    /// If these are not the states of so many tokens, or libtorch fails.
    pub fn embed_states(&self, sequence: &TokenIds, states: &[f32]) -> Result<Vec<f32>> {
        let batch = PackedBatch::new(&[sequence], self.device);
        let shape = [batch.tokens(), self.config.hidden_size()];
        let states = Tensor::from_slice(states).f_view(shape)?;
        to_vec(&tch::no_grad(|| {
            self.network.pooled(&states.to_device(self.device), &batch)
        }))
    }

    /// Where a model folder has the transformer's files.
    fn home(&self, folder: &Path) -> PathBuf {
        folder.join(&self.modules.transformer)
    }
}

/// The layers, whose tensors are those of the parameters that they were made of.
#[derive(Debug)]
struct Network {
    transformer: Transformer,
    pooling: Pooling,
    heads: Vec<Head>,
}

impl Network {
    fn new(parameters: &Parameters, config: &Config, modules: &ModuleList) -> Result<Self> {
        Ok(Self {
            transformer: Transformer::new(parameters, "", config)?,
            pooling: modules.pooling.clone(),
            heads: modules.heads(parameters)?,
        })
    }

    /// Embeddings `[sequences, dimension]` in input order.
    fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        self.pooled(&self.transformer.forward(batch, dropout), batch)
    }

    /// Hidden states `[tokens, hidden]` in packed order to embeddings in input order.
    fn pooled(&self, hidden: &Tensor, batch: &PackedBatch) -> Tensor {
        let pooled = self.pooling.forward(hidden, batch);
        let pooled = pooled.index_select(0, &batch.rows);
        let heads = self.heads.iter();
        heads.fold(pooled, |vectors, head| head.forward(&vectors))
    }
}

/// The transformer's tensors under their names in a checkpoint without a head, and those of each
/// `Dense` module behind the name of its folder.
fn load_parameters(
    folder: &Path,
    modules: &ModuleList,
    config: &Config,
    device: Device,
) -> Result<Parameters> {
    let rename = |name: &str| config.encoder_name(name);
    let dense: Vec<_> = modules
        .dense()
        .map(|dense| {
            let prefix = dense.prefix();
            let rename = move |name: &str| Some(format!("{prefix}{name}"));
            (folder.join(&dense.path), rename)
        })
        .collect();
    let home = folder.join(&modules.transformer);
    let mut folders: Vec<(&Path, Rename)> = vec![(home.as_path(), &rename as Rename)];
    folders.extend(
        dense
            .iter()
            .map(|(path, rename)| (path.as_path(), rename as Rename)),
    );
    Parameters::load_folders(&folders, device)
}
