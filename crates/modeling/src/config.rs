use std::path::Path;
use std::sync::{Arc, LazyLock};

use pairmill_checkpoint::{
    Architecture, BertConfig, DistilBertConfig, HiddenActivation, ModernBertConfig, MpnetConfig,
    RobertaConfig, read_json,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::network::InTorch;
use crate::onnx::InOnnx;
use crate::{ModelError, Result};

/// The architectures: `model_type` in `config.json`, who else goes by it, and how it is read.
const ARCHITECTURES: [(&str, &str, Reader); 7] = [
    (
        "bert",
        " (MiniLM, BGE, E5, GTE and other BERT checkpoints)",
        read::<BertConfig>,
    ),
    ("distilbert", "", read::<DistilBertConfig>),
    ("roberta", "", read::<RobertaConfig>),
    ("xlm-roberta", "", read::<RobertaConfig>),
    ("camembert", "", read::<RobertaConfig>),
    ("mpnet", "", read::<MpnetConfig>),
    ("modernbert", "", read::<ModernBertConfig>),
];

/// Their names, for messages.
static NAMES: LazyLock<String> = LazyLock::new(|| {
    let names = ARCHITECTURES.map(|(name, kin, _)| format!("{name}{kin}"));
    names.join(", ")
});

type Reader = fn(&Value) -> serde_json::Result<Arc<dyn Model>>;

fn read<C: DeserializeOwned + Model + 'static>(
    config: &Value,
) -> serde_json::Result<Arc<dyn Model>> {
    Ok(Arc::new(C::deserialize(config)?))
}

/// An architecture that can be trained and exported.
pub(crate) trait Model: InTorch + InOnnx {}

impl<C: InTorch + InOnnx> Model for C {}

/// The part of a `config.json` that shapes the network.
#[derive(Debug, Clone)]
pub struct Config(Arc<dyn Model>);

impl Config {
    /// Reads and checks `config.json` in a model folder.
    ///
    /// # Errors
    /// If it is missing, not JSON, of another architecture, or not consistent.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        Self::parse(&path, &read_json(&path)?)
    }

    /// Reads the content of a `config.json`; the path is for messages.
    pub(crate) fn parse(path: &Path, value: &Value) -> Result<Self> {
        let malformed = |detail: String| ModelError::Malformed {
            path: path.to_owned(),
            detail,
        };
        let kind = value["model_type"].as_str().unwrap_or("(none)");
        let Some((.., read)) = ARCHITECTURES.iter().find(|(name, ..)| *name == kind) else {
            return Err(ModelError::Unsupported {
                path: path.to_owned(),
                what: format!("the architecture `{kind}`"),
                supported: &NAMES,
            });
        };
        let parsed = read(value);
        refuse_unsupported_settings(path, value)?;
        let config = Self(parsed.map_err(|error| malformed(error.to_string()))?);
        config.check().map_err(malformed)?;
        Ok(config)
    }

    /// Returns what the architecture says of itself.
    pub fn architecture(&self) -> &dyn Architecture {
        &*self.0
    }

    /// Returns the architecture with what this crate makes of it.
    pub(crate) fn model(&self) -> &dyn Model {
        &*self.0
    }

    /// Returns the name in a checkpoint without a head, or nothing for a tensor of a head.
    pub(crate) fn encoder_name(&self, name: &str) -> Option<String> {
        let name = name.strip_prefix(self.0.prefix()).unwrap_or(name);
        let parts = self.0.encoder_parts();
        let is_encoder = parts.iter().any(|part| name.starts_with(part));
        // Checkpoints converted from TensorFlow name the parameters of layer norms otherwise.
        let renamed = match name.rsplit_once('.') {
            Some((module, "gamma")) => format!("{module}.weight"),
            Some((module, "beta")) => format!("{module}.bias"),
            _ => name.to_owned(),
        };
        is_encoder.then_some(renamed)
    }

    fn check(&self) -> Result<(), String> {
        let (width, heads) = (self.0.hidden_size(), self.0.heads());
        if heads < 1 || width % heads != 0 {
            return Err(format!(
                "hidden_size {width} is not divisible by num_attention_heads {heads}"
            ));
        }
        if self.0.max_length() < 1 {
            return Err("max_position_embeddings leaves no position for a token".to_owned());
        }
        self.0.check()
    }
}

/// Refuses settings that would change the network and that we do not know.
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
            && serde_json::from_value::<HiddenActivation>(value[key].clone()).is_err()
        {
            return Err(unsupported(
                format!("{key} `{name}`"),
                HiddenActivation::NAMES,
            ));
        }
    }
    Ok(())
}
