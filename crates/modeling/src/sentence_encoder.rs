use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use pairmill_checkpoint::{
    Checkpoint, Modules, Pooling, Prompts, Side, SimilarityFunction, TextTokenizer, TokenIds,
    read_json, write,
};
use serde_json::Value;
use tch::{Device, Tensor};

use crate::distinct::Distinct;
use crate::files::declare_single_precision;
use crate::inference::without_gradients;
use crate::modules::{Layer, folders, prefix};
use crate::onnx::Precision;
use crate::parameters::{Rename, to_vec};
use crate::pooling::pooled;
use crate::{
    Config, Dropout, ModelError, PackedBatch, Parameters, Result, Transformer, caught, onnx,
};

/// Texts tokenised at a time in [`SentenceEncoder::encode`], which bounds its memory.
const WINDOW: usize = 8_192;

/// A sentence-embedding model in the sentence-transformers folder format: a transformer, pooling,
/// and any number of dense layers and normalisations to unit length.
#[derive(Debug)]
pub struct SentenceEncoder {
    checkpoint: Checkpoint,
    config: Config,
    parameters: Parameters,
    network: Network,
    dimension: usize,
    tokenizer: TextTokenizer,
    /// Where queries are cut at another length.
    query_tokenizer: Option<TextTokenizer>,
    prompts: Prompts,
    truncated: AtomicU64,
    device: Device,
}

impl SentenceEncoder {
    /// Loads a model folder. A folder without `modules.json` (a plain transformers checkpoint) gets
    /// mean pooling, as sentence-transformers does.
    ///
    /// # Errors
    /// If a file is missing or malformed, the weights do not fit the config, or the architecture
    /// or a module is not supported.
    pub fn load(folder: &Path, device: Device) -> Result<Self> {
        let checkpoint = Checkpoint::of_encoder(folder)?;
        let config = Config::load(&checkpoint.home())?;
        let modules = checkpoint.modules();
        let dimension = modules.dimension(folder, config.architecture().hidden_size() as usize)?;
        let tokenizer = checkpoint.tokenizer()?;
        let parameters = caught(|| load_parameters(&checkpoint, &config, device))??;
        let network = Network::new(&parameters, &config, modules)?;
        Ok(Self {
            config,
            parameters,
            network,
            dimension,
            tokenizer,
            query_tokenizer: None,
            prompts: checkpoint.prompts().clone(),
            truncated: AtomicU64::new(0),
            checkpoint,
            device,
        })
    }

    /// Returns how the model's embeddings are compared.
    pub fn similarity(&self) -> SimilarityFunction {
        self.checkpoint.similarity()
    }

    /// Returns how many texts were longer than the maximum and therefore cut, among those tokenised
    /// so far.
    pub fn truncated(&self) -> u64 {
        self.truncated.load(Ordering::Relaxed)
    }

    /// Returns the longest sequence in tokens, prompt included; longer texts are cut.
    pub fn max_length(&self) -> usize {
        self.tokenizer.max_length()
    }

    /// Sets [`max_length`](Self::max_length).
    ///
    /// # Errors
    /// If it is more than the model has positions, or leaves no room beside the special tokens.
    pub fn set_max_length(&mut self, max_length: usize) -> Result<()> {
        self.check_length(max_length)?;
        self.tokenizer.set_max_length(max_length);
        Ok(())
    }

    /// Cuts queries at another length than the rest.
    ///
    /// # Errors
    /// As [`set_max_length`](Self::set_max_length).
    pub fn set_max_query_length(&mut self, max_length: usize) -> Result<()> {
        self.check_length(max_length)?;
        let mut tokenizer = self.tokenizer.clone();
        tokenizer.set_max_length(max_length);
        self.query_tokenizer = Some(tokenizer);
        Ok(())
    }

    fn check_length(&self, max_length: usize) -> Result<()> {
        let marks = self.tokenizer.marks(false);
        let detail = if max_length as i64 > self.config.architecture().max_length() {
            format!(
                "the model has {} positions, fewer than the {max_length} tokens asked for",
                self.config.architecture().max_length()
            )
        } else if max_length <= marks {
            format!(
                "{max_length} tokens leave no room beside the {marks} that mark the ends of a text"
            )
        } else {
            return Ok(());
        };
        Err(ModelError::Malformed {
            path: self.checkpoint.home().join("config.json"),
            detail,
        })
    }

    /// Returns the tokenizer, which cuts at [`max_length`](Self::max_length).
    pub fn tokenizer(&self) -> &TextTokenizer {
        &self.tokenizer
    }

    /// Returns what is put before each text; at first what the model's folder says.
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// Sets [`prompts`](Self::prompts). A model may leave them out of its pooling.
    pub fn set_prompts(&mut self, prompts: Prompts) {
        self.prompts = prompts;
    }

    /// Components of an embedding.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Returns the network's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the model's tensors.
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
            network: Network::new(&parameters, &self.config, self.checkpoint.modules())?,
            parameters,
            ..self
        })
    }

    /// Tokenises texts of one side behind its prompt.
    ///
    /// # Errors
    /// If the tokenizer fails, or makes no token of a text.
    pub fn tokenize(&self, texts: &[&str], side: Side) -> Result<Vec<TokenIds>> {
        let tokens = self.tokens(texts, side)?;
        let truncated = tokens.iter().filter(|ids| ids.truncated).count();
        self.truncated
            .fetch_add(truncated as u64, Ordering::Relaxed);
        Ok(tokens)
    }

    fn tokens(&self, texts: &[&str], side: Side) -> Result<Vec<TokenIds>> {
        let tokenizer = match (side, &self.query_tokenizer) {
            (Side::Query, Some(tokenizer)) => tokenizer,
            _ => &self.tokenizer,
        };
        let is_pooled = self.network.pooling.include_prompt;
        Ok(tokenizer.encode_behind(self.prompts.of(side), is_pooled, texts)?)
    }

    /// Returns the longest sequence of a text of this side; see [`max_length`](Self::max_length).
    pub fn max_length_of(&self, side: Side) -> usize {
        match (side, &self.query_tokenizer) {
            (Side::Query, Some(tokenizer)) => tokenizer.max_length(),
            _ => self.max_length(),
        }
    }

    /// Computes embeddings `[sequences, dimension]` in input order, in one forward pass. Gradients
    /// flow unless the caller has turned them off.
    pub fn forward(&self, sequences: &[&TokenIds], dropout: Option<&Dropout>) -> Tensor {
        let batch = PackedBatch::new(sequences, self.device);
        self.network.forward(&batch, dropout)
    }

    /// Computes the embeddings of texts of one side without gradients: row-major `[texts,
    /// dimension]`, in input order.
    ///
    /// Texts of like length are computed together, up to `batch_tokens` tokens at a time (on the
    /// processor up to 2,048, each batch by one of libtorch's threads); `progress` hears how many
    /// texts are done since it was last called. Equal texts are computed once, so that their
    /// embeddings are equal to the last bit.
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
        let distinct = Distinct::of(texts);
        progress(texts.len() - distinct.values.len());
        let mut found = Vec::with_capacity(distinct.values.len() * self.dimension());
        for window in distinct.values.chunks(WINDOW) {
            let texts: Vec<&str> = window.iter().map(|text| **text).collect();
            let sequences = self.tokenize(&texts, side)?;
            found.extend(self.embed(&sequences, batch_tokens, progress)?);
        }
        Ok(distinct.rows(found, self.dimension()))
    }

    /// Does the same for tokenised texts.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn embed(
        &self,
        sequences: &[TokenIds],
        batch_tokens: usize,
        progress: &dyn Fn(usize),
    ) -> Result<Vec<f32>> {
        let distinct = Distinct::of(sequences);
        progress(sequences.len() - distinct.values.len());
        let found = without_gradients(
            &distinct.values,
            self.dimension(),
            batch_tokens,
            self.device,
            || Network::new(&self.parameters, &self.config, self.checkpoint.modules()),
            |network, batch| network.forward(batch, None),
            progress,
        )?;
        Ok(distinct.rows(found, self.dimension()))
    }

    /// Writes the model into an existing folder in the sentence-transformers format: the weights,
    /// the configuration and tokenizer files of the folder it was loaded from, and what length and
    /// prompts are now.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        self.checkpoint.copy_companions(folder)?;
        let home = self.checkpoint.home_in(folder);
        let path = home.join("config.json");
        let mut config: Value = read_json(&path)?;
        if declare_single_precision(&mut config) {
            write(&path, format!("{config:#}"))?;
        }
        self.prompts.save(folder)?;
        let longest = self.query_tokenizer.iter().map(TextTokenizer::max_length);
        let longest = longest.fold(self.max_length(), usize::max);
        self.checkpoint.save_max_length(folder, longest)?;
        let modules: Vec<&str> = folders(self.checkpoint.modules()).collect();
        let prefixes: Vec<String> = modules.iter().map(|module| prefix(module)).collect();
        let is_module = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        self.parameters
            .save_some(&home.join("model.safetensors"), |name| {
                (!is_module(name)).then_some(name)
            })?;
        for (module, prefix) in modules.iter().zip(&prefixes) {
            let path = folder.join(module).join("model.safetensors");
            self.parameters
                .save_some(&path, |name| name.strip_prefix(prefix.as_str()))?;
        }
        Ok(())
    }

    /// Writes the transformer as an ONNX file, from token ids to `last_hidden_state`; pooling and
    /// what comes after it are not in there. See [`onnx::write_encoder`].
    ///
    /// # Errors
    /// If the file would be over 2 GiB or cannot be written.
    pub fn save_onnx(&self, path: &Path, precision: Precision) -> Result<()> {
        onnx::write_encoder(path, &self.config, &self.parameters, precision)
    }

    /// Returns the embedding of one text from its last hidden states, row-major `[tokens, hidden]`,
    /// which another runtime has computed.
    ///
    /// # Errors
    /// If these are not the states of so many tokens, or libtorch fails.
    pub fn embed_states(&self, sequence: &TokenIds, states: &[f32]) -> Result<Vec<f32>> {
        caught(|| {
            let batch = PackedBatch::new(&[sequence], self.device);
            let shape = [batch.tokens(), self.config.architecture().hidden_size()];
            let states = Tensor::from_slice(states).f_view(shape)?;
            to_vec(&tch::no_grad(|| {
                self.network.pooled(&states.to_device(self.device), &batch)
            }))
        })?
    }
}

/// The layers, whose tensors are those of the parameters that they were made of.
#[derive(Debug)]
struct Network {
    transformer: Transformer,
    pooling: Pooling,
    layers: Vec<Layer>,
}

impl Network {
    fn new(parameters: &Parameters, config: &Config, modules: &Modules) -> Result<Self> {
        Ok(Self {
            transformer: Transformer::new(parameters, "", config)?,
            pooling: modules.pooling.clone(),
            layers: Layer::all(parameters, modules)?,
        })
    }

    /// Computes embeddings `[sequences, dimension]` in input order.
    fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        self.pooled(&self.transformer.forward(batch, dropout), batch)
    }

    /// Turns hidden states `[tokens, hidden]` in packed order into embeddings in input order.
    fn pooled(&self, hidden: &Tensor, batch: &PackedBatch) -> Tensor {
        let pooled = pooled(&self.pooling, hidden, batch);
        let pooled = pooled.index_select(0, &batch.rows);
        let layers = self.layers.iter();
        layers.fold(pooled, |vectors, layer| layer.forward(&vectors))
    }
}

/// Returns the transformer's tensors under their names in a checkpoint without a head, and those of
/// each module behind the pooling behind the name of its folder.
fn load_parameters(checkpoint: &Checkpoint, config: &Config, device: Device) -> Result<Parameters> {
    let rename = |name: &str| config.encoder_name(name);
    let modules: Vec<_> = folders(checkpoint.modules())
        .map(|module| {
            let prefix = prefix(module);
            let rename = move |name: &str| Some(format!("{prefix}{name}"));
            (checkpoint.folder().join(module), rename)
        })
        .collect();
    let home = checkpoint.home();
    let mut folders: Vec<(&Path, Rename)> = vec![(home.as_path(), &rename as Rename)];
    folders.extend(
        modules
            .iter()
            .map(|(path, rename)| (path.as_path(), rename as Rename)),
    );
    Parameters::load_folders(&folders, device)
}
