//! BERT (Devlin et al. 2019). Names follow the Hugging Face checkpoint, so that this file can be
//! held against `BertModel` of the transformers library.

use tch::Tensor;

use crate::batch::Group;
use crate::{BertConfig, Dropout, PackedBatch, Parameters, Result};

/// The encoder over packed batches.
#[derive(Debug)]
pub struct Bert {
    embeddings: Embeddings,
    layers: Vec<Layer>,
}

impl Bert {
    /// Takes the tensors named `{prefix}embeddings.…` and `{prefix}encoder.layer.…`.
    ///
    /// # Errors
    /// If one is absent or has another shape than the config asks for.
    pub fn new(parameters: &Parameters, prefix: &str, config: &BertConfig) -> Result<Self> {
        let embeddings = Embeddings::new(parameters, &format!("{prefix}embeddings"), config)?;
        let layers = (0..config.num_hidden_layers)
            .map(|n| Layer::new(parameters, &format!("{prefix}encoder.layer.{n}"), config))
            .collect::<Result<_>>()?;
        Ok(Self { embeddings, layers })
    }

    /// The last hidden states, `[tokens, hidden]`. Dropout is active where one is given.
    pub fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let mut hidden = self.embeddings.forward(batch, dropout);
        for layer in &self.layers {
            hidden = layer.forward(&hidden, batch, dropout);
        }
        hidden
    }
}

fn dropped(x: Tensor, p: f64, dropout: Option<&Dropout>) -> Tensor {
    match dropout {
        Some(dropout) => dropout.apply(&x, p),
        None => x,
    }
}

#[derive(Debug)]
struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    fn new(parameters: &Parameters, name: &str, inputs: i64, outputs: i64) -> Result<Self> {
        Ok(Self {
            weight: parameters.get(&format!("{name}.weight"), &[outputs, inputs])?,
            bias: parameters.get(&format!("{name}.bias"), &[outputs])?,
        })
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, Some(&self.bias))
    }
}

#[derive(Debug)]
struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    fn new(parameters: &Parameters, name: &str, config: &BertConfig) -> Result<Self> {
        let shape = [config.hidden_size];
        Ok(Self {
            weight: parameters.get(&format!("{name}.weight"), &shape)?,
            bias: parameters.get(&format!("{name}.bias"), &shape)?,
            eps: config.layer_norm_eps,
        })
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let shape = self.weight.size();
        x.layer_norm(shape, Some(&self.weight), Some(&self.bias), self.eps, false)
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
        let table = |kind: &str, rows| {
            parameters.get(
                &format!("{name}.{kind}.weight"),
                &[rows, config.hidden_size],
            )
        };
        Ok(Self {
            word_embeddings: table("word_embeddings", config.vocab_size)?,
            position_embeddings: table("position_embeddings", config.max_position_embeddings)?,
            token_type_embeddings: table("token_type_embeddings", config.type_vocab_size)?,
            layer_norm: LayerNorm::new(parameters, &format!("{name}.LayerNorm"), config)?,
            dropout: config.hidden_dropout_prob,
        })
    }

    fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let rows = |table: &Tensor, ids: &Tensor| Tensor::embedding(table, ids, -1, false, false);
        let sum = rows(&self.word_embeddings, &batch.ids)
            + rows(&self.token_type_embeddings, &batch.types)
            + rows(&self.position_embeddings, &batch.positions);
        dropped(self.layer_norm.forward(&sum), self.dropout, dropout)
    }
}

#[derive(Debug)]
struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
    dropout: f64,
}

impl Layer {
    fn new(parameters: &Parameters, name: &str, config: &BertConfig) -> Result<Self> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let linear = |part: &str, inputs, outputs| {
            Linear::new(parameters, &format!("{name}.{part}"), inputs, outputs)
        };
        let norm = |part: &str| LayerNorm::new(parameters, &format!("{name}.{part}"), config);
        Ok(Self {
            attention: Attention::new(parameters, &format!("{name}.attention"), config)?,
            attention_norm: norm("attention.output.LayerNorm")?,
            intermediate: linear("intermediate.dense", hidden, wide)?,
            output: linear("output.dense", wide, hidden)?,
            output_norm: norm("output.LayerNorm")?,
            dropout: config.hidden_dropout_prob,
        })
    }

    fn forward(&self, x: &Tensor, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let attended = dropped(
            self.attention.forward(x, batch, dropout),
            self.dropout,
            dropout,
        );
        let x = self.attention_norm.forward(&(attended + x));
        let wide = self.intermediate.forward(&x).gelu("none");
        let narrow = dropped(self.output.forward(&wide), self.dropout, dropout);
        self.output_norm.forward(&(narrow + x))
    }
}

#[derive(Debug)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: i64,
    dropout: f64,
}

impl Attention {
    fn new(parameters: &Parameters, name: &str, config: &BertConfig) -> Result<Self> {
        let hidden = config.hidden_size;
        let linear =
            |part: &str| Linear::new(parameters, &format!("{name}.{part}"), hidden, hidden);
        Ok(Self {
            query: linear("self.query")?,
            key: linear("self.key")?,
            value: linear("self.value")?,
            output: linear("output.dense")?,
            heads: config.num_attention_heads,
            dropout: config.attention_probs_dropout_prob,
        })
    }

    fn forward(&self, x: &Tensor, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let parts = [&self.query, &self.key, &self.value];
        let weight = Tensor::cat(&parts.map(|part| &part.weight), 0);
        let bias = Tensor::cat(&parts.map(|part| &part.bias), 0);
        // One product for all three, then one split: the backward pass of a split is a single copy.
        let qkv = x.linear(&weight, Some(&bias));
        let contexts: Vec<Tensor> = qkv
            .split_with_sizes(batch.group_tokens(), 0)
            .iter()
            .zip(&batch.groups)
            .map(|(qkv, group)| self.attend(qkv, *group, dropout))
            .collect();
        self.output.forward(&Tensor::cat(&contexts, 0))
    }

    /// Attention within sequences of one length: `[sequences × length, 3 × hidden]` to
    /// `[sequences × length, hidden]`.
    fn attend(&self, qkv: &Tensor, group: Group, dropout: Option<&Dropout>) -> Tensor {
        let Group { sequences, length } = group;
        let hidden = qkv.size()[1] / 3;
        let width = hidden / self.heads;
        let parts = qkv
            .view([sequences, length, 3, self.heads, width])
            .permute([2, 0, 3, 1, 4])
            .unbind(0);
        let (query, key, value) = (&parts[0], &parts[1], &parts[2]);
        let context = match dropout {
            Some(dropout) if self.dropout > 0.0 => {
                let scores = query.matmul(&key.transpose(-2, -1)) / (width as f64).sqrt();
                let weights = scores.softmax(-1, scores.kind());
                dropout.apply(&weights, self.dropout).matmul(value)
            }
            _ => Tensor::scaled_dot_product_attention(
                query,
                key,
                value,
                None::<&Tensor>,
                0.0,
                false,
                None,
                false,
            ),
        };
        context
            .transpose(1, 2)
            .reshape([sequences * length, hidden])
    }
}
