//! BERT.

use pairmill_checkpoint::BertConfig;

use super::builder::{Builder, InOnnx, Positions};
use super::post_norm::PostNorm;
use crate::Result;

impl From<&BertConfig> for PostNorm {
    fn from(config: &BertConfig) -> Self {
        Self {
            layers: config.num_hidden_layers,
            layer: config.layer(),
            names: BertConfig::layer_names,
            positions: config.max_position_embeddings,
            padding_idx: None,
            segments: Some(config.type_vocab_size),
            distances: None,
        }
    }
}

impl InOnnx for BertConfig {
    fn graph(
        &self,
        builder: &mut Builder,
        inputs: [&str; 2],
        positions: Positions,
    ) -> Result<String> {
        PostNorm::from(self).encoder(builder, inputs, positions)
    }
}
