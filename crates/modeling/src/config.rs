use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files::read_json;
use crate::{ModelError, Result};

/// The part of a BERT `config.json` that shapes the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BertConfig {
    /// Must be `bert`.
    pub model_type: String,
    /// Rows of the word embedding.
    pub vocab_size: i64,
    /// Width of the hidden states.
    pub hidden_size: i64,
    /// Number of transformer layers.
    pub num_hidden_layers: i64,
    /// Attention heads; divides `hidden_size`.
    pub num_attention_heads: i64,
    /// Width of the feed-forward layer.
    pub intermediate_size: i64,
    /// Activation of the feed-forward layer; `gelu` is the exact one with erf.
    #[serde(default = "gelu")]
    pub hidden_act: String,
    /// Dropout after embeddings, attention and feed-forward.
    #[serde(default = "tenth")]
    pub hidden_dropout_prob: f64,
    /// Dropout on attention weights.
    #[serde(default = "tenth")]
    pub attention_probs_dropout_prob: f64,
    /// Longest sequence.
    pub max_position_embeddings: i64,
    /// Segments: 2 for BERT.
    #[serde(default = "two")]
    pub type_vocab_size: i64,
    /// Standard deviation of fresh weights.
    #[serde(default = "fiftieth")]
    pub initializer_range: f64,
    /// Added to the variance in layer norms.
    #[serde(default = "epsilon")]
    pub layer_norm_eps: f64,
}

fn gelu() -> String {
    "gelu".to_owned()
}
fn tenth() -> f64 {
    0.1
}
fn fiftieth() -> f64 {
    0.02
}
fn epsilon() -> f64 {
    1e-12
}
fn two() -> i64 {
    2
}

impl BertConfig {
    /// Reads and checks `config.json` in a model folder.
    ///
    /// # Errors
    /// If it is missing, not JSON, of another architecture, or not consistent.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let value: serde_json::Value = read_json(&path)?;
        let model_type = value["model_type"].as_str().unwrap_or("(none)");
        let unsupported = |what: String, supported| ModelError::Unsupported {
            path: path.clone(),
            what,
            supported,
        };
        if model_type != "bert" {
            return Err(unsupported(
                format!("the architecture `{model_type}`"),
                "bert (MiniLM, BGE, E5, GTE and other BERT checkpoints)",
            ));
        }
        if let Some(kind) = value["position_embedding_type"].as_str()
            && kind != "absolute"
        {
            return Err(unsupported(
                format!("position_embedding_type `{kind}`"),
                "absolute",
            ));
        }
        let config: Self =
            serde_json::from_value(value).map_err(|error| ModelError::Malformed {
                path: path.clone(),
                detail: error.to_string(),
            })?;
        if config.hidden_act != "gelu" {
            return Err(unsupported(
                format!("hidden_act `{}`", config.hidden_act),
                "gelu",
            ));
        }
        if config.num_attention_heads < 1 || config.hidden_size % config.num_attention_heads != 0 {
            return Err(ModelError::Malformed {
                path,
                detail: format!(
                    "hidden_size {} is not divisible by num_attention_heads {}",
                    config.hidden_size, config.num_attention_heads
                ),
            });
        }
        Ok(config)
    }
}
