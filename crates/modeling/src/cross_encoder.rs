use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use crate::batch::runs_within;
use crate::files::{read_json, write};
use crate::parameters::to_vec;
use crate::tokenizer::max_length_of;
use crate::{
    Bert, BertConfig, Dropout, ModelError, PackedBatch, Parameters, Result, TextTokenizer,
    TokenIds, copy_companions, onnx,
};

/// A BERT sequence-pair classifier with one logit, in the format of Hugging Face's
/// `BertForSequenceClassification` and sentence-transformers' `CrossEncoder`.
#[derive(Debug)]
pub struct CrossEncoder {
    folder: PathBuf,
    config: BertConfig,
    parameters: Parameters,
    bert: Bert,
    pooler: [Tensor; 2],
    classifier: [Tensor; 2],
    tokenizer: TextTokenizer,
    device: Device,
}

impl CrossEncoder {
    /// Loads a checkpoint: either a cross-encoder, or any BERT encoder, which then gets a fresh
    /// classification head (and a fresh pooler if it has none) drawn from `seed`.
    ///
    /// # Errors
    /// If a file is missing or malformed, or the weights do not fit the config.
    pub fn load(folder: &Path, device: Device, seed: u64) -> Result<Self> {
        if !folder.is_dir() {
            return Err(ModelError::NoFolder {
                path: folder.to_owned(),
            });
        }
        let config = BertConfig::load(folder)?;
        let max_length = max_length_of(folder, config.max_position_embeddings)?;
        let tokenizer = TextTokenizer::load(folder, max_length, config.vocab_size)?;
        let path = folder.join("model.safetensors");
        let mut parameters = Parameters::load(&path, device, classifier_name)?;
        let fresh = fresh_head(&parameters, &config, seed);
        if !fresh.is_empty() {
            parameters = parameters.with(fresh)?;
        }
        let bert = Bert::new(&parameters, "bert.", &config)?;
        let hidden = config.hidden_size;
        let pooler = [
            parameters.get("bert.pooler.dense.weight", &[hidden, hidden])?,
            parameters.get("bert.pooler.dense.bias", &[hidden])?,
        ];
        let classifier = [
            parameters.get("classifier.weight", &[1, hidden])?,
            parameters.get("classifier.bias", &[1])?,
        ];
        Ok(Self {
            folder: folder.to_owned(),
            config,
            parameters,
            bert,
            pooler,
            classifier,
            tokenizer,
            device,
        })
    }

    /// Sets the longest sequence (both texts and special tokens).
    ///
    /// # Errors
    /// If it leaves no room beside the special tokens.
    pub fn set_max_length(&mut self, max_length: usize) -> Result<()> {
        let limit = self.config.max_position_embeddings as usize;
        self.tokenizer.set_max_length(max_length.min(limit))
    }

    /// The longest sequence in tokens.
    pub fn max_length(&self) -> usize {
        self.tokenizer.max_length()
    }

    /// The trainable tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Tokenises pairs, longest text cut first.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn tokenize(&self, pairs: &[(&str, &str)]) -> Result<Vec<TokenIds>> {
        self.tokenizer.encode_pairs(pairs)
    }

    /// Logits `[pairs]` in input order, in one forward pass.
    pub fn forward(&self, sequences: &[&TokenIds], dropout: Option<&Dropout>) -> Tensor {
        let batch = PackedBatch::new(sequences, self.device);
        let hidden = self.bert.forward(&batch, dropout);
        let first = hidden.index_select(0, &batch.starts);
        let [weight, bias] = &self.pooler;
        let mut pooled = first.linear(weight, Some(bias)).tanh();
        if let Some(dropout) = dropout {
            pooled = dropout.apply(&pooled, self.config.hidden_dropout_prob);
        }
        let [weight, bias] = &self.classifier;
        let logits = pooled.linear(weight, Some(bias)).squeeze_dim(1);
        logits.index_select(0, &batch.rows)
    }

    /// Scores in 0..1 (the sigmoid of the logits), without gradients and in input order.
    ///
    /// # Errors
    /// If the tokenizer or libtorch fails.
    pub fn scores(&self, pairs: &[(&str, &str)], batch_tokens: usize) -> Result<Vec<f32>> {
        let sequences = self.tokenize(pairs)?;
        let mut order: Vec<usize> = (0..sequences.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(sequences[i].ids.len()));
        let mut scores = vec![0f32; pairs.len()];
        let mut rest = order.as_slice();
        for run in runs_within(order.iter().map(|&i| sequences[i].ids.len()), batch_tokens) {
            let (now, later) = rest.split_at(run);
            rest = later;
            let batch: Vec<&TokenIds> = now.iter().map(|&i| &sequences[i]).collect();
            let values = to_vec(&tch::no_grad(|| self.forward(&batch, None).sigmoid()))?;
            for (&i, value) in now.iter().zip(values) {
                scores[i] = value;
            }
        }
        Ok(scores)
    }

    /// Writes the model into an existing folder: weights, config, tokenizer, and `model.onnx`.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        copy_companions(&self.folder, folder, false)?;
        let path = self.folder.join("config.json");
        let mut config: serde_json::Value = read_json(&path)?;
        config["architectures"] = serde_json::json!(["BertForSequenceClassification"]);
        config["id2label"] = serde_json::json!({"0": "LABEL_0"});
        config["label2id"] = serde_json::json!({"LABEL_0": 0});
        config["sentence_transformers"] =
            serde_json::json!({"activation_fn": "torch.nn.modules.activation.Sigmoid"});
        let text =
            serde_json::to_string_pretty(&config).map_err(|error| ModelError::Malformed {
                path,
                detail: error.to_string(),
            })?;
        write(&folder.join("config.json"), text)?;
        self.save_max_length(folder)?;
        self.parameters.save(&folder.join("model.safetensors"))?;
        onnx::write_cross_encoder(&folder.join("model.onnx"), &self.config, &self.parameters)
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

fn classifier_name(name: &str) -> Option<String> {
    if name.starts_with("bert.") || name.starts_with("classifier.") {
        return Some(name.to_owned());
    }
    let encoder = ["embeddings.", "encoder.", "pooler."];
    encoder
        .iter()
        .any(|prefix| name.starts_with(prefix))
        .then(|| format!("bert.{name}"))
}

/// Pooler and classifier weights that the checkpoint lacks: normal with the config's
/// `initializer_range`, zero biases, as transformers initialises them.
fn fresh_head(parameters: &Parameters, config: &BertConfig, seed: u64) -> Vec<(String, Tensor)> {
    let hidden = config.hidden_size;
    tch::manual_seed(seed as i64);
    [
        ("bert.pooler.dense", vec![hidden, hidden]),
        ("classifier", vec![1, hidden]),
    ]
    .into_iter()
    .filter(|(name, _)| !parameters.contains(&format!("{name}.weight")))
    .flat_map(|(name, shape)| {
        let options = (Kind::Float, Device::Cpu);
        let weight = Tensor::randn(shape.as_slice(), options) * config.initializer_range;
        let bias = Tensor::zeros([shape[0]], options);
        [
            (format!("{name}.weight"), weight),
            (format!("{name}.bias"), bias),
        ]
    })
    .collect()
}
