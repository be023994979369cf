use std::path::Path;

use pairmill_checkpoint::{
    Checkpoint, ClassifierConfig, TextTokenizer, TokenIds, declared_activation, read_json,
    relevant_logit, write,
};
use tch::{Device, Tensor};

use crate::classifier::{Classifier, fresh};
use crate::distinct::Distinct;
use crate::files::declare_single_precision;
use crate::inference::without_gradients;
use crate::onnx::Precision;
use crate::{
    Config, Dropout, ModelError, PackedBatch, Parameters, Result, Transformer, caught, onnx,
};

/// The activation behind a classifier that we have trained.
const SIGMOID: &str = "torch.nn.modules.activation.Sigmoid";

/// A sequence-pair classifier with one logit, in the format of Hugging Face's
/// `…ForSequenceClassification` and sentence-transformers' `CrossEncoder`.
#[derive(Debug)]
pub struct CrossEncoder {
    checkpoint: Checkpoint,
    config: Config,
    parameters: Parameters,
    network: Network,
    tokenizer: TextTokenizer,
    /// What turned its logits into scores when it was loaded.
    activation: String,
    device: Device,
}

impl CrossEncoder {
    /// Loads a checkpoint: either a cross-encoder, or an encoder, which then gets a fresh
    /// classification head (for BERT, its pooler if it has none) drawn from `seed`.
    ///
    /// # Errors
    /// If a file is missing or malformed, or the weights do not fit the config.
    pub fn load(folder: &Path, device: Device, seed: u64) -> Result<Self> {
        let checkpoint = Checkpoint::of_cross_encoder(folder)?;
        let home = checkpoint.home();
        let config = Config::load(&home)?;
        let tokenizer = checkpoint.tokenizer()?;
        let head = config.architecture().classifier();
        let rename = |name: &str| classifier_name(&config, &head, name);
        let (parameters, had_two) = caught(|| {
            let mut parameters = Parameters::load_folders(&[(home.as_path(), &rename)], device)?;
            let fresh = fresh(&head, &parameters, seed);
            if !fresh.is_empty() {
                parameters = parameters.with(fresh)?;
            }
            with_one_logit(parameters, &head, &checkpoint)
        })??;
        let declared = declared_activation(&checkpoint).unwrap_or(SIGMOID);
        let activation = match Self::is_in(&home) && !had_two {
            true => declared.to_owned(),
            false => SIGMOID.to_owned(),
        };
        Ok(Self {
            network: Network::new(&parameters, &config)?,
            checkpoint,
            config,
            parameters,
            tokenizer,
            activation,
            device,
        })
    }

    /// Returns whether a folder's config says that it holds a sequence classifier.
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
        let marks = self.tokenizer.marks(true);
        if max_length < marks + 2 {
            return Err(ModelError::Malformed {
                path: self.checkpoint.home().join("config.json"),
                detail: format!(
                    "{max_length} tokens leave no room for two texts beside the {marks} that mark their ends"
                ),
            });
        }
        let limit = self.config.architecture().max_length() as usize;
        self.tokenizer.set_max_length(max_length.min(limit));
        Ok(())
    }

    /// Returns the longest sequence in tokens.
    pub fn max_length(&self) -> usize {
        self.tokenizer.max_length()
    }

    /// Returns the model's tensors.
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
        let head = self.config.architecture().classifier();
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
        let prompt = self.checkpoint.prompts().text.as_str();
        if prompt.is_empty() {
            return Ok(self.tokenizer.encode_pairs(pairs)?);
        }
        let firsts: Vec<String> = pairs.iter().map(|(a, _)| format!("{prompt}{a}")).collect();
        let pairs: Vec<(&str, &str)> = firsts
            .iter()
            .zip(pairs)
            .map(|(first, (_, second))| (first.as_str(), *second))
            .collect();
        Ok(self.tokenizer.encode_pairs(&pairs)?)
    }

    /// Computes logits `[pairs]` in input order, in one forward pass.
    pub fn forward(&self, sequences: &[&TokenIds], dropout: Option<&Dropout>) -> Tensor {
        let batch = PackedBatch::new(sequences, self.device);
        self.network.forward(&batch, dropout)
    }

    /// Computes scores in 0..1 (the sigmoid of the logits), without gradients and in input order.
    ///
    /// # Errors
    /// If the tokenizer or libtorch fails.
    pub fn scores(&self, pairs: &[(&str, &str)], batch_tokens: usize) -> Result<Vec<f32>> {
        let sequences = self.tokenize(pairs)?;
        let distinct = Distinct::of(&sequences);
        let scores = without_gradients(
            &distinct.values,
            1,
            batch_tokens,
            self.device,
            || Network::new(&self.parameters, &self.config),
            |network, batch| network.forward(batch, None).sigmoid(),
            &|_| (),
        )?;
        Ok(distinct.rows(scores, 1))
    }

    /// Writes the model, trained to give logits of the sigmoid, into an existing folder: weights,
    /// config, tokenizer, and `model.onnx`.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        self.save_with(folder, SIGMOID)
    }

    /// Does the same with the activation that the model was loaded with.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_untrained(&self, folder: &Path) -> Result<()> {
        self.save_with(folder, &self.activation)
    }

    fn save_with(&self, folder: &Path, activation: &str) -> Result<()> {
        self.checkpoint.copy_companions(folder)?;
        let path = self.checkpoint.home().join("config.json");
        let mut config: serde_json::Value = read_json(&path)?;
        config["architectures"] =
            serde_json::json!([self.config.architecture().classifier_class()]);
        config["id2label"] = serde_json::json!({"0": "LABEL_0"});
        config["label2id"] = serde_json::json!({"LABEL_0": 0});
        config["sentence_transformers"] = serde_json::json!({"activation_fn": activation});
        if let Some(fields) = config.as_object_mut() {
            fields.remove("sbert_ce_default_activation_function");
        }
        declare_single_precision(&mut config);
        let text =
            serde_json::to_string_pretty(&config).map_err(|error| ModelError::Malformed {
                path,
                detail: error.to_string(),
            })?;
        write(&folder.join("config.json"), text)?;
        self.checkpoint.save_max_length(folder, self.max_length())?;
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
            transformer: Transformer::new(parameters, config.architecture().prefix(), config)?,
            classifier: Classifier::new(parameters, &config.architecture().classifier())?,
        })
    }

    /// Computes logits `[sequences]` in input order.
    fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let hidden = self.transformer.forward(batch, dropout);
        let logits = self.classifier.forward(&hidden, batch, dropout);
        logits.index_select(0, &batch.rows)
    }
}

/// Returns a classifier of two logits as one of one, the logit of "relevant" less the other: its
/// sigmoid is the softmax of the two. Also whether there were two.
fn with_one_logit(
    parameters: Parameters,
    head: &ClassifierConfig,
    checkpoint: &Checkpoint,
) -> Result<(Parameters, bool)> {
    let names = [
        format!("{}.weight", head.output),
        format!("{}.bias", head.output),
    ];
    let [Some(weight), Some(bias)] = names.each_ref().map(|name| parameters.tensor(name)) else {
        return Ok((parameters, false));
    };
    let logits = weight.size().first().map_or(1, |&logits| logits as usize);
    let config = checkpoint.home().join("config.json");
    let relevant = relevant_logit(&config, checkpoint.config(), logits)? as i64;
    if logits == 1 {
        return Ok((parameters, false));
    }
    let less = |tensor: Tensor| {
        let tensor = tensor.detach();
        tensor.narrow(0, relevant, 1) - tensor.narrow(0, 1 - relevant, 1)
    };
    let [weight_name, bias_name] = names;
    let one = vec![(weight_name, less(weight)), (bias_name, less(bias))];
    Ok((parameters.with(one)?, true))
}

/// Returns the name in a checkpoint of a classifier: encoders gain the prefix that they have there.
fn classifier_name(config: &Config, head: &ClassifierConfig, name: &str) -> Option<String> {
    if head.owns(name) {
        return Some(name.to_owned());
    }
    let name = format!(
        "{}{}",
        config.architecture().prefix(),
        config.encoder_name(name)?
    );
    let is_pooler = name.contains(".pooler.");
    (!is_pooler || head.owns(&name)).then_some(name)
}
