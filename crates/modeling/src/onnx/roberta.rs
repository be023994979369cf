//! RoBERTa and its kin.

use pairmill_checkpoint::RobertaConfig;

use super::builder::{Builder, InOnnx, Positions};
use super::post_norm::PostNorm;
use crate::Result;

impl InOnnx for RobertaConfig {
    fn graph(
        &self,
        builder: &mut Builder,
        inputs: [&str; 2],
        positions: Positions,
    ) -> Result<String> {
        let roberta = PostNorm {
            padding_idx: Some(self.padding_idx()),
            ..PostNorm::from(&self.0)
        };
        roberta.encoder(builder, inputs, positions)
    }
}
