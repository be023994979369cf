//! DistilBERT.

use pairmill_checkpoint::DistilBertConfig;

use super::builder::{Builder, InOnnx, Positions};
use super::post_norm::PostNorm;
use crate::Result;

impl InOnnx for DistilBertConfig {
    fn graph(
        &self,
        builder: &mut Builder,
        inputs: [&str; 2],
        positions: Positions,
    ) -> Result<String> {
        let distilbert = PostNorm {
            layers: self.n_layers,
            layer: self.layer(),
            names: Self::layer_names,
            positions: self.max_position_embeddings,
            padding_idx: None,
            segments: None,
            distances: None,
        };
        distilbert.encoder(builder, inputs, positions)
    }
}
