//! BERT (Devlin et al. 2019). Names follow the Hugging Face checkpoint, so that this file can be
//! held against `BertModel` of the transformers library.

use pairmill_checkpoint::BertConfig;
use tch::Tensor;

use crate::layers::{LayerNorm, PostNormLayer, dropped, embedded};
use crate::network::{Encoder, InTorch};
use crate::{Dropout, PackedBatch, Parameters, Result};

/// The encoder over packed batches.
#[derive(Debug)]
pub(crate) struct Bert {
    embeddings: Embeddings,
    layers: Vec<PostNormLayer>,
}

impl Bert {
    /// Takes the tensors named `{prefix}embeddings.…` and `{prefix}encoder.layer.…`.
    ///
    /// # Errors
    /// If one is absent or has another shape than the config asks for.
    pub fn new(parameters: &Parameters, prefix: &str, config: &BertConfig) -> Result<Self> {
        let embeddings = Embeddings::new(parameters, &format!("{prefix}embeddings"), config)?;
        let layers = (0..config.num_hidden_layers)
            .map(|n| {
                PostNormLayer::new(
                    parameters,
                    &BertConfig::layer_names(prefix, n),
                    &config.layer(),
                )
            })
            .collect::<Result<_>>()?;
        Ok(Self { embeddings, layers })
    }

    /// Returns the last hidden states, `[tokens, hidden]`, for tokens at `positions`, `[tokens]`.
    /// Dropout is active where one is given.
    pub fn forward_at(
        &self,
        batch: &PackedBatch,
        positions: &Tensor,
        dropout: Option<&Dropout>,
    ) -> Tensor {
        let mut hidden = self.embeddings.forward(batch, positions, dropout);
        for layer in &self.layers {
            hidden = layer.forward(&hidden, batch, &[], dropout);
        }
        hidden
    }
}

#[derive(Debug)]
struct Embeddings {
    word_embeddings: Tensor,
    position_embeddings: Tensor,
    token_type_embeddings: Tensor,
    layer_norm: LayerNorm,
    dropout: f64,
}

impl Embeddings {
    fn new(parameters: &Parameters, name: &str, config: &BertConfig) -> Result<Self> {
        let hidden = config.hidden_size;
        let table =
            |kind: &str, rows| parameters.get(&format!("{name}.{kind}.weight"), &[rows, hidden]);
        let norm = format!("{name}.LayerNorm");
        Ok(Self {
            word_embeddings: table("word_embeddings", config.vocab_size)?,
            position_embeddings: table("position_embeddings", config.max_position_embeddings)?,
            token_type_embeddings: table("token_type_embeddings", config.type_vocab_size)?,
            layer_norm: LayerNorm::new(parameters, &norm, hidden, config.layer_norm_eps)?,
            dropout: config.hidden_dropout_prob,
        })
    }

    fn forward(
        &self,
        batch: &PackedBatch,
        positions: &Tensor,
        dropout: Option<&Dropout>,
    ) -> Tensor {
        // A model with one segment knows no second text, whatever its tokenizer says.
        let types = match self.token_type_embeddings.size()[0] {
            1 => batch.types.zeros_like(),
            _ => batch.types.shallow_clone(),
        };
        let sum = embedded(&self.word_embeddings, &batch.ids)
            + embedded(&self.token_type_embeddings, &types)
            + embedded(&self.position_embeddings, positions);
        dropped(self.layer_norm.forward(&sum), self.dropout, dropout)
    }
}

impl InTorch for BertConfig {
    fn encoder(&self, parameters: &Parameters, prefix: &str) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(Bert::new(parameters, prefix, self)?))
    }
}

impl Encoder for Bert {
    fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        self.forward_at(batch, &batch.positions, dropout)
    }
}
