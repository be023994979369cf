use std::path::Path;

use tch::Tensor;

use crate::files::read_json;
use crate::{ModelError, PackedBatch, Result};

/// How token states become one vector for the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// Mean over all tokens, special ones included.
    Mean,
    /// State of the first token.
    Cls,
    /// Largest value of each component.
    Max,
}

impl Pooling {
    /// Reads the `config.json` of a sentence-transformers pooling module.
    ///
    /// # Errors
    /// If it is missing, or asks for a mode (or a concatenation of modes) that is not supported.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let value: serde_json::Value = read_json(&path)?;
        let mut modes: Vec<String> = Vec::new();
        if let Some(mode) = value["pooling_mode"].as_str() {
            modes.push(mode.to_owned());
        }
        if let Some(fields) = value.as_object() {
            for (key, on) in fields {
                if let Some(mode) = key.strip_prefix("pooling_mode_")
                    && on.as_bool() == Some(true)
                {
                    modes.push(
                        mode.trim_end_matches("_tokens")
                            .trim_end_matches("_token")
                            .to_owned(),
                    );
                }
            }
        }
        match modes.as_slice() {
            [mode] if mode == "mean" => Ok(Self::Mean),
            [mode] if mode == "cls" => Ok(Self::Cls),
            [mode] if mode == "max" => Ok(Self::Max),
            modes => Err(ModelError::Unsupported {
                path,
                what: format!("pooling by `{}`", modes.join(" + ")),
                supported: "mean, cls, max, one at a time",
            }),
        }
    }

    /// Token states `[tokens, hidden]` to text vectors `[sequences, hidden]`, in packed order.
    pub(crate) fn forward(self, hidden: &Tensor, batch: &PackedBatch) -> Tensor {
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
                match self {
                    Self::Max => states.amax([1i64], false),
                    _ => states.mean_dim([1i64].as_slice(), false, states.kind()),
                }
            })
            .collect();
        Tensor::cat(&pooled, 0)
    }
}
