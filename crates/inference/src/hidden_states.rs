use std::path::Path;

use crate::Result;
use crate::model::TokenModel;
use pairmill_checkpoint::TokenIds;

/// An encoder as ONNX: token ids to last hidden states.
#[derive(Debug)]
pub struct HiddenStates {
    model: TokenModel,
}

impl HiddenStates {
    /// Loads a model file; `threads` share the work.
    ///
    /// # Errors
    /// If ONNX Runtime or the file cannot be loaded, or it takes other inputs than token ids, their
    /// mask and their segments.
    pub fn open(path: &Path, threads: usize) -> Result<Self> {
        // One sequence at a time needs no padding.
        let mut model = TokenModel::open(path, threads, 0)?;
        model.select(|output| output.name() == "last_hidden_state");
        Ok(Self { model })
    }

    /// Returns the states of one sequence with its segments, row-major `[tokens, hidden]`.
    ///
    /// # Errors
    /// If the model fails.
    pub fn of(&self, ids: &[u32], type_ids: &[u32]) -> Result<Vec<f32>> {
        let tokens = TokenIds {
            ids: ids.to_vec(),
            types: type_ids.to_vec(),
            ..TokenIds::default()
        };
        Ok(self.model.run(&[&tokens], tokens.len())?.values)
    }
}
