use std::path::Path;

use serde_json::Value;
use tch::{Kind, Tensor};

use crate::files::read_json;
use crate::{ModelError, PackedBatch, Result};

/// One way in which token states become a vector for the text. Special tokens count as tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolingMode {
    /// State of the first token.
    Cls,
    /// Largest value of each component.
    Max,
    /// Mean over all tokens.
    Mean,
    /// Sum over all tokens divided by the square root of their number.
    MeanSqrtLen,
    /// Mean in which the n-th token has the weight n (Muennighoff 2022).
    WeightedMean,
    /// State of the last token.
    LastToken,
}

impl PoolingMode {
    /// Each mode, its name, and the older flag for it, in the order in which flags are concatenated.
    const NAMES: [(Self, &'static str, &'static str); 6] = [
        (Self::Cls, "cls", "pooling_mode_cls_token"),
        (Self::Max, "max", "pooling_mode_max_tokens"),
        (Self::Mean, "mean", "pooling_mode_mean_tokens"),
        (
            Self::MeanSqrtLen,
            "mean_sqrt_len_tokens",
            "pooling_mode_mean_sqrt_len_tokens",
        ),
        (
            Self::WeightedMean,
            "weightedmean",
            "pooling_mode_weightedmean_tokens",
        ),
        (Self::LastToken, "lasttoken", "pooling_mode_lasttoken"),
    ];

    /// Token states `[tokens, hidden]` to text vectors `[sequences, hidden]`, in packed order.
    fn forward(self, hidden: &Tensor, batch: &PackedBatch) -> Tensor {
        if self == Self::Cls {
            return hidden.index_select(0, &batch.starts);
        }
        let width = hidden.size()[1];
        let pooled: Vec<Tensor> = hidden
            .split_with_sizes(batch.group_tokens(), 0)
            .iter()
            .zip(&batch.groups)
            .map(|(states, group)| {
                let states = states.view([group.sequences, group.length, width]);
                self.pool(&states)
            })
            .collect();
        Tensor::cat(&pooled, 0)
    }

    /// `[sequences, length, hidden]` to `[sequences, hidden]`.
    fn pool(self, states: &Tensor) -> Tensor {
        let (length, kind) = (states.size()[1], states.kind());
        let mean = |states: &Tensor| states.mean_dim([1i64].as_slice(), false, kind);
        let sum = |states: &Tensor| states.sum_dim_intlist([1i64].as_slice(), false, kind);
        match self {
            Self::Cls => states.select(1, 0),
            Self::Max => states.amax([1i64], false),
            Self::Mean => mean(states),
            Self::MeanSqrtLen => sum(states) / (length as f64).sqrt(),
            Self::WeightedMean => {
                let weights = Tensor::arange_start(1, length + 1, (Kind::Float, states.device()));
                let total = (length * (length + 1) / 2) as f64;
                sum(&(states * weights.unsqueeze(1))) / total
            }
            Self::LastToken => states.select(1, length - 1),
        }
    }
}

/// How token states become one vector for the text: one mode, or several one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pooling {
    modes: Vec<PoolingMode>,
    /// Whether the tokens of a prompt take part.
    pub(crate) include_prompt: bool,
}

impl Default for Pooling {
    /// The mean.
    fn default() -> Self {
        Self::from(PoolingMode::Mean)
    }
}

impl From<PoolingMode> for Pooling {
    fn from(mode: PoolingMode) -> Self {
        Self {
            modes: vec![mode],
            include_prompt: true,
        }
    }
}

impl Pooling {
    /// Reads the `config.json` of a sentence-transformers pooling module: `pooling_mode`, a name or
    /// a list of names, or the older flags.
    ///
    /// # Errors
    /// If it is missing, or asks for a mode that is not supported.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let value: Value = read_json(&path)?;
        let unsupported = |mode: &str| ModelError::Unsupported {
            path: path.clone(),
            what: format!("pooling by `{mode}`"),
            supported: "cls, max, mean, mean_sqrt_len_tokens, weightedmean, lasttoken",
        };
        let named = |mode: &Value| {
            let name = mode.as_str().unwrap_or_default();
            let known = PoolingMode::NAMES.iter().find(|known| known.1 == name);
            known.map(|known| known.0).ok_or_else(|| unsupported(name))
        };
        let modes: Vec<PoolingMode> = match &value["pooling_mode"] {
            Value::Null => flagged(&value).map_err(unsupported)?,
            Value::Array(names) => names.iter().map(named).collect::<Result<_>>()?,
            name => vec![named(name)?],
        };
        if modes.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self {
            modes,
            include_prompt: value["include_prompt"].as_bool().unwrap_or(true),
        })
    }

    /// Components of a text's vector, for token states of `hidden` components.
    pub fn dimension(&self, hidden: i64) -> i64 {
        self.modes.len() as i64 * hidden
    }

    /// Token states `[tokens, hidden]` to text vectors `[sequences, dimension]`, in packed order.
    pub(crate) fn forward(&self, hidden: &Tensor, batch: &PackedBatch) -> Tensor {
        if let [mode] = self.modes.as_slice() {
            return mode.forward(hidden, batch);
        }
        let parts: Vec<Tensor> = self
            .modes
            .iter()
            .map(|mode| mode.forward(hidden, batch))
            .collect();
        Tensor::cat(&parts, 1)
    }
}

/// The modes whose flags are on, or the name of a flag that we do not know.
fn flagged(value: &Value) -> Result<Vec<PoolingMode>, &str> {
    let is_on = |flag: &str| value[flag].as_bool() == Some(true);
    if let Some(fields) = value.as_object() {
        for flag in fields.keys().filter(|key| key.starts_with("pooling_mode_")) {
            if is_on(flag) && PoolingMode::NAMES.iter().all(|known| known.2 != flag) {
                return Err(flag.as_str());
            }
        }
    }
    let on = PoolingMode::NAMES.iter().filter(|known| is_on(known.2));
    Ok(on.map(|known| known.0).collect())
}
