//! DistilBERT (Sanh et al. 2019): BERT without segments. Names follow the Hugging Face checkpoint,
//! so that this file can be held against `DistilBertModel` of the transformers library.

use pairmill_checkpoint::DistilBertConfig;
use tch::Tensor;

use crate::layers::{LayerNorm, PostNormLayer, dropped, embedded};
use crate::network::{Encoder, InTorch};
use crate::{Dropout, PackedBatch, Parameters, Result};

/// The encoder over packed batches.
#[derive(Debug)]
struct DistilBert {
    word_embeddings: Tensor,
    position_embeddings: Tensor,
    layer_norm: LayerNorm,
    dropout: f64,
    layers: Vec<PostNormLayer>,
}

impl DistilBert {
    /// Takes the tensors named `{prefix}embeddings.…` and `{prefix}transformer.layer.…`.
    ///
    /// # Errors
    /// If one is absent or has another shape than the config asks for.
    fn new(parameters: &Parameters, prefix: &str, config: &DistilBertConfig) -> Result<Self> {
        let name = format!("{prefix}embeddings");
        let table = |kind: &str, rows| {
            parameters.get(&format!("{name}.{kind}.weight"), &[rows, config.dim])
        };
        let norm = format!("{name}.LayerNorm");
        Ok(Self {
            word_embeddings: table("word_embeddings", config.vocab_size)?,
            position_embeddings: table("position_embeddings", config.max_position_embeddings)?,
            layer_norm: LayerNorm::new(
                parameters,
                &norm,
                config.dim,
                DistilBertConfig::LAYER_NORM_EPS,
            )?,
            dropout: config.dropout,
            layers: (0..config.n_layers)
                .map(|n| {
                    PostNormLayer::new(
                        parameters,
                        &DistilBertConfig::layer_names(prefix, n),
                        &config.layer(),
                    )
                })
                .collect::<Result<_>>()?,
        })
    }
}

impl InTorch for DistilBertConfig {
    fn encoder(&self, parameters: &Parameters, prefix: &str) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(DistilBert::new(parameters, prefix, self)?))
    }
}

impl Encoder for DistilBert {
    fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let sum = embedded(&self.word_embeddings, &batch.ids)
            + embedded(&self.position_embeddings, &batch.positions);
        let mut hidden = dropped(self.layer_norm.forward(&sum), self.dropout, dropout);
        for layer in &self.layers {
            hidden = layer.forward(&hidden, batch, &[], dropout);
        }
        hidden
    }
}
