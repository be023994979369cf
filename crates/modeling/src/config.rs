use std::path::Path;

use pairmill_checkpoint::read_json;
use serde::Deserialize;
use serde_json::Value;

use crate::modernbert::LayerType;
use crate::{
    Activation, BertConfig, DistilBertConfig, ModelError, ModernBertConfig, MpnetConfig, Result,
    mpnet,
};

const ARCHITECTURES: &str = "bert (MiniLM, BGE, E5, GTE and other BERT checkpoints), distilbert, \
    roberta, xlm-roberta, camembert, mpnet, modernbert";

/// The part of a `config.json` that shapes the network, by architecture.
#[derive(Debug, Clone, PartialEq)]
pub enum Config {
    /// `bert`
    Bert(BertConfig),
    /// `roberta`, `xlm-roberta` and `camembert`
    Roberta(BertConfig),
    /// `distilbert`
    DistilBert(DistilBertConfig),
    /// `mpnet`
    Mpnet(MpnetConfig),
    /// `modernbert`
    ModernBert(ModernBertConfig),
}

impl Config {
    /// Reads and checks `config.json` in a model folder.
    ///
    /// # Errors
    /// If it is missing, not JSON, of another architecture, or not consistent.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let value: Value = read_json(&path)?;
        let malformed = |detail: String| ModelError::Malformed {
            path: path.clone(),
            detail,
        };
        let parsed = match value["model_type"].as_str().unwrap_or("(none)") {
            "bert" => BertConfig::deserialize(&value).map(Self::Bert),
            "roberta" | "xlm-roberta" | "camembert" => {
                BertConfig::deserialize(&value).map(Self::Roberta)
            }
            "distilbert" => DistilBertConfig::deserialize(&value).map(Self::DistilBert),
            "mpnet" => MpnetConfig::deserialize(&value).map(Self::Mpnet),
            "modernbert" => ModernBertConfig::deserialize(&value).map(Self::ModernBert),
            other => {
                return Err(ModelError::Unsupported {
                    path,
                    what: format!("the architecture `{other}`"),
                    supported: ARCHITECTURES,
                });
            }
        };
        refuse_unsupported_settings(&path, &value)?;
        let config = parsed.map_err(|error| malformed(error.to_string()))?;
        config.check().map_err(malformed)?;
        Ok(config)
    }

    /// Width of the hidden states.
    pub fn hidden_size(&self) -> i64 {
        match self {
            Self::Bert(config) | Self::Roberta(config) => config.hidden_size,
            Self::DistilBert(config) => config.dim,
            Self::Mpnet(config) => config.hidden_size,
            Self::ModernBert(config) => config.hidden_size,
        }
    }

    /// Attention heads.
    pub fn heads(&self) -> i64 {
        match self {
            Self::Bert(config) | Self::Roberta(config) => config.num_attention_heads,
            Self::DistilBert(config) => config.n_heads,
            Self::Mpnet(config) => config.num_attention_heads,
            Self::ModernBert(config) => config.num_attention_heads,
        }
    }

    /// Rows of the word embedding.
    pub fn vocab_size(&self) -> i64 {
        match self {
            Self::Bert(config) | Self::Roberta(config) => config.vocab_size,
            Self::DistilBert(config) => config.vocab_size,
            Self::Mpnet(config) => config.vocab_size,
            Self::ModernBert(config) => config.vocab_size,
        }
    }

    /// The longest sequence that there are positions for.
    pub fn max_length(&self) -> i64 {
        match self {
            Self::Bert(config) => config.max_position_embeddings,
            Self::Roberta(config) => config.max_position_embeddings - config.padding_idx() - 1,
            Self::DistilBert(config) => config.max_position_embeddings,
            Self::Mpnet(config) => config.max_position_embeddings - mpnet::PADDING_IDX - 1,
            Self::ModernBert(config) => config.max_position_embeddings,
        }
    }

    /// What the encoder's tensors start with in a checkpoint that has a head.
    pub(crate) fn prefix(&self) -> &'static str {
        match self {
            Self::Bert(_) => "bert.",
            Self::Roberta(_) => "roberta.",
            Self::DistilBert(_) => "distilbert.",
            Self::Mpnet(_) => "mpnet.",
            Self::ModernBert(_) => "model.",
        }
    }

    /// The name in a checkpoint without a head, or nothing for a tensor of a head.
    pub(crate) fn encoder_name(&self, name: &str) -> Option<String> {
        let name = name.strip_prefix(self.prefix()).unwrap_or(name);
        let parts: &[&str] = match self {
            Self::Bert(_) | Self::Roberta(_) | Self::Mpnet(_) => {
                &["embeddings.", "encoder.", "pooler."]
            }
            Self::DistilBert(_) => &["embeddings.", "transformer."],
            Self::ModernBert(_) => &["embeddings.", "layers.", "final_norm."],
        };
        let is_encoder = parts.iter().any(|part| name.starts_with(part));
        // Checkpoints converted from TensorFlow name the parameters of layer norms otherwise.
        let renamed = match name.rsplit_once('.') {
            Some((module, "gamma")) => format!("{module}.weight"),
            Some((module, "beta")) => format!("{module}.bias"),
            _ => name.to_owned(),
        };
        is_encoder.then_some(renamed)
    }

    /// The transformers class of a cross-encoder.
    pub(crate) fn classifier_class(&self) -> &'static str {
        match self {
            Self::Bert(_) => "BertForSequenceClassification",
            Self::Roberta(config) => match config.model_type.as_str() {
                "xlm-roberta" => "XLMRobertaForSequenceClassification",
                "camembert" => "CamembertForSequenceClassification",
                _ => "RobertaForSequenceClassification",
            },
            Self::DistilBert(_) => "DistilBertForSequenceClassification",
            Self::Mpnet(_) => "MPNetForSequenceClassification",
            Self::ModernBert(_) => "ModernBertForSequenceClassification",
        }
    }

    fn check(&self) -> Result<(), String> {
        let (width, heads) = (self.hidden_size(), self.heads());
        if heads < 1 || width % heads != 0 {
            return Err(format!(
                "hidden_size {width} is not divisible by num_attention_heads {heads}"
            ));
        }
        if self.max_length() < 1 {
            return Err("max_position_embeddings leaves no position for a token".to_owned());
        }
        match self {
            Self::Mpnet(config) if config.relative_attention_num_buckets < mpnet::BUCKETS => {
                Err(format!(
                    "relative_attention_num_buckets is {}; MPNet has {}",
                    config.relative_attention_num_buckets,
                    mpnet::BUCKETS
                ))
            }
            Self::ModernBert(config) => check_modernbert(config),
            _ => Ok(()),
        }
    }
}

fn check_modernbert(config: &ModernBertConfig) -> Result<(), String> {
    let width = config.hidden_size / config.num_attention_heads;
    if width % 2 != 0 {
        return Err(format!(
            "heads have the width {width}; rotary positions need an even one"
        ));
    }
    if let Some(types) = &config.layer_types
        && types.len() as i64 != config.num_hidden_layers
    {
        return Err(format!(
            "layer_types has {} entries for {} layers",
            types.len(),
            config.num_hidden_layers
        ));
    }
    for kind in [LayerType::Global, LayerType::Local] {
        if let Some(rope) = config.rope(kind)
            && let Some(name) = rope.rope_type.as_deref()
            && name != "default"
        {
            return Err(format!(
                "rope_type `{name}` is not supported; supported: default"
            ));
        }
    }
    Ok(())
}

/// Settings that would change the network and that we do not know.
fn refuse_unsupported_settings(path: &Path, value: &Value) -> Result<()> {
    let unsupported = |what: String, supported| ModelError::Unsupported {
        path: path.to_owned(),
        what,
        supported,
    };
    if let Some(kind) = value["position_embedding_type"].as_str()
        && kind != "absolute"
    {
        let what = format!("position_embedding_type `{kind}`");
        return Err(unsupported(what, "absolute"));
    }
    if !value["rope_scaling"].is_null() {
        let what = format!("rope_scaling {}", value["rope_scaling"]);
        return Err(unsupported(what, "none"));
    }
    for key in ["is_decoder", "add_cross_attention"] {
        if value[key].as_bool() == Some(true) {
            return Err(unsupported(format!("{key} true"), "encoders"));
        }
    }
    if !value["quantization_config"].is_null() {
        let what = "quantization_config, weights that are quantised,".to_owned();
        return Err(unsupported(what, "weights in F32, F16, BF16 or F64"));
    }
    for key in [
        "hidden_act",
        "activation",
        "hidden_activation",
        "classifier_activation",
    ] {
        if let Some(name) = value[key].as_str()
            && serde_json::from_value::<Activation>(value[key].clone()).is_err()
        {
            return Err(unsupported(format!("{key} `{name}`"), Activation::NAMES));
        }
    }
    Ok(())
}
