//! MPNet.

use pairmill_checkpoint::MpnetConfig;

use super::builder::{Builder, InOnnx, Positions};
use super::post_norm::{DistanceBias, PostNorm};
use crate::{Result, mpnet};

impl InOnnx for MpnetConfig {
    fn graph(
        &self,
        builder: &mut Builder,
        inputs: [&str; 2],
        positions: Positions,
    ) -> Result<String> {
        let mpnet = PostNorm {
            layers: self.num_hidden_layers,
            layer: self.layer(),
            names: Self::layer_names,
            positions: self.max_position_embeddings,
            padding_idx: Some(Self::PADDING_IDX),
            segments: None,
            distances: Some(DistanceBias {
                rows: self.relative_attention_num_buckets,
                buckets: mpnet::buckets_by_distance,
            }),
        };
        mpnet.encoder(builder, inputs, positions)
    }
}
