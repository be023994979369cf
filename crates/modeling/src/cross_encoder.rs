use std::path::{Path, PathBuf};

use tch::{Device, Tensor};

use crate::classifier::{Classifier, ClassifierConfig};
use crate::files::{declare_single_precision, read_json, write};
use crate::inference::without_gradients;
use crate::onnx::Precision;
use crate::tokenizer::max_length_of;
use crate::{
    Config, Dropout, ModelError, PackedBatch, Parameters, Result, TextTokenizer, TokenIds,
    Transformer, copy_companions, onnx,
};

/// A sequence-pair classifier with one logit, in the format of Hugging Face's
/// `…ForSequenceClassification` and sentence-transformers' `CrossEncoder`.
#[derive(Debug)]
pub struct CrossEncoder {
    folder: PathBuf,
    config: Config,
    parameters: Parameters,
    network: Network,
    tokenizer: TextTokenizer,
    device: Device,
}

impl CrossEncoder {
    /// Loads a checkpoint: either a cross-encoder, or an encoder, which then gets a fresh
    /// classification head (for BERT, its pooler if it has none) drawn from `seed`.
    ///
    /// # Errors
    /// If a file is missing or malformed, or the weights do not fit the config.
    pub fn load(folder: &Path, device: Device, seed: u64) -> Result<Self> {
        if !folder.is_dir() {
            return Err(ModelError::NoFolder {
                path: folder.to_owned(),
            });
        }
        let config = Config::load(folder)?;
        let max_length = max_length_of(folder, config.max_length())?;
        let tokenizer = TextTokenizer::load(folder, max_length, config.vocab_size())?;
        let head = ClassifierConfig::of(&config);
        let rename = |name: &str| classifier_name(&config, &head, name);
        let mut parameters = Parameters::load_folders(&[(folder, &rename)], device)?;
        let fresh = head.fresh(&parameters, seed);
        if !fresh.is_empty() {
            parameters = parameters.with(fresh)?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            network: Network::new(&parameters, &config)?,
            config,
            parameters,
            tokenizer,
            device,
        })
    }

    /// Whether a folder's config says that it holds a sequence classifier.
    pub fn is_in(folder: &Path) -> bool {
        let config = read_json::<serde_json::Value>(&folder.join("config.json"));
        let config = config.unwrap_or_default();
        let classes = config["architectures"].as_array().into_iter().flatten();
        let mut names = classes.filter_map(serde_json::Value::as_str);
        names.any(|name| name.ends_with("ForSequenceClassification"))
    }

    /// Sets the longest sequence (both texts and special tokens).
    ///
    /// # Errors
    /// If it leaves no room beside the special tokens.
    pub fn set_max_length(&mut self, max_length: usize) -> Result<()> {
        let limit = self.config.max_length() as usize;
        self.tokenizer.set_max_length(max_length.min(limit))
    }

    /// The longest sequence in tokens.
    pub fn max_length(&self) -> usize {
        self.tokenizer.max_length()
    }

    /// The model's tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Freezes tensors or adds adapters; `change` also gets which tensors are the head's.
    ///
    /// # Errors
    /// If `change` fails.
    pub fn with_parameters<E: From<ModelError>>(
        self,
        change: impl FnOnce(Parameters, &dyn Fn(&str) -> bool) -> Result<Parameters, E>,
    ) -> Result<Self, E> {
        let head = ClassifierConfig::of(&self.config);
        let parameters = change(self.parameters, &|name| head.owns(name))?;
        Ok(Self {
            network: Network::new(&parameters, &self.config)?,
            parameters,
            ..self
        })
    }

    /// Tokenises pairs, longest text cut first.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn tokenize(&self, pairs: &[(&str, &str)]) -> Result<Vec<TokenIds>> {
        self.tokenizer.encode_pairs(pairs)
    }

    /// Which of these pairs are longer than the model reads.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn are_cut(&self, pairs: &[(&str, &str)]) -> Result<Vec<bool>> {
        self.tokenizer.are_cut(pairs.to_vec())
    }

    /// Logits `[pairs]` in input order, in one forward pass.
    pub fn forward(&self, sequences: &[&TokenIds], dropout: Option<&Dropout>) -> Tensor {
        let batch = PackedBatch::new(sequences, self.device);
        self.network.forward(&batch, dropout)
    }

    /// Scores in 0..1 (the sigmoid of the logits), without gradients and in input order.
    ///
    /// # Errors
    /// If the tokenizer or libtorch fails.
    pub fn scores(&self, pairs: &[(&str, &str)], batch_tokens: usize) -> Result<Vec<f32>> {
        let sequences = self.tokenize(pairs)?;
        without_gradients(
            &sequences,
            1,
            batch_tokens,
            self.device,
            || Network::new(&self.parameters, &self.config),
            |network, batch| network.forward(batch, None).sigmoid(),
            &|_| (),
        )
    }

    /// Writes the model into an existing folder: weights, config, tokenizer, and `model.onnx`.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        copy_companions(&self.folder, folder, false)?;
        let path = self.folder.join("config.json");
        let mut config: serde_json::Value = read_json(&path)?;
        config["architectures"] = serde_json::json!([self.config.classifier_class()]);
        config["id2label"] = serde_json::json!({"0": "LABEL_0"});
        config["label2id"] = serde_json::json!({"LABEL_0": 0});
        config["sentence_transformers"] =
            serde_json::json!({"activation_fn": "torch.nn.modules.activation.Sigmoid"});
        declare_single_precision(&mut config);
        let text =
            serde_json::to_string_pretty(&config).map_err(|error| ModelError::Malformed {
                path,
                detail: error.to_string(),
            })?;
        write(&folder.join("config.json"), text)?;
        self.save_max_length(folder)?;
        self.parameters.save(&folder.join("model.safetensors"))?;
        self.save_onnx(&folder.join("model.onnx"), Precision::Float32)
    }

    /// Writes the network as an ONNX file. See [`onnx::write_cross_encoder`].
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_onnx(&self, path: &Path, precision: Precision) -> Result<()> {
        onnx::write_cross_encoder(path, &self.config, &self.parameters, precision)
    }

    /// A cross-encoder's maximum length is its tokenizer's `model_max_length`.
    fn save_max_length(&self, folder: &Path) -> Result<()> {
        let path = folder.join("tokenizer_config.json");
        if path.is_file() {
            let mut value: serde_json::Value = read_json(&path)?;
            value["model_max_length"] = serde_json::json!(self.max_length());
            write(&path, value.to_string())?;
        }
        Ok(())
    }
}

/// The layers, whose tensors are those of the parameters that they were made of.
#[derive(Debug)]
struct Network {
    transformer: Transformer,
    classifier: Classifier,
}

impl Network {
    fn new(parameters: &Parameters, config: &Config) -> Result<Self> {
        Ok(Self {
            transformer: Transformer::new(parameters, config.prefix(), config)?,
            classifier: Classifier::new(parameters, &ClassifierConfig::of(config))?,
        })
    }

    /// Logits `[sequences]` in input order.
    fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let hidden = self.transformer.forward(batch, dropout);
        let logits = self.classifier.forward(&hidden, batch, dropout);
        logits.index_select(0, &batch.rows)
    }
}

/// The name in a checkpoint of a classifier: encoders gain the prefix that they have there.
fn classifier_name(config: &Config, head: &ClassifierConfig, name: &str) -> Option<String> {
    if head.owns(name) {
        return Some(name.to_owned());
    }
    let name = format!("{}{}", config.prefix(), config.encoder_name(name)?);
    let is_pooler = name.contains(".pooler.");
    (!is_pooler || head.owns(&name)).then_some(name)
}
