//! What the architectures share: linear layers, norms, and attention over packed batches.

use pairmill_checkpoint::{PostNormConfig, PostNormNames};
use tch::{Kind, Tensor};

use crate::activation::activated;
use crate::adapter::Adapter;
use crate::batch::Group;
use crate::{Dropout, PackedBatch, Parameters, Result};

pub(crate) fn dropped(x: Tensor, p: f64, dropout: Option<&Dropout>) -> Tensor {
    match dropout {
        Some(dropout) => dropout.apply(&x, p),
        None => x,
    }
}

/// Returns rows of an embedding table.
pub(crate) fn embedded(table: &Tensor, ids: &Tensor) -> Tensor {
    Tensor::embedding(table, ids, -1, false, false)
}

#[derive(Debug)]
pub(crate) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
    adapter: Option<Adapter>,
    /// What it computes in, and the kind of its outputs.
    compute: Kind,
}

impl Linear {
    pub fn new(parameters: &Parameters, name: &str, inputs: i64, outputs: i64) -> Result<Self> {
        Self::with_bias(parameters, name, inputs, outputs, true)
    }

    pub fn with_bias(
        parameters: &Parameters,
        name: &str,
        inputs: i64,
        outputs: i64,
        bias: bool,
    ) -> Result<Self> {
        Ok(Self {
            weight: parameters.get(&format!("{name}.weight"), &[outputs, inputs])?,
            bias: bias
                .then(|| parameters.get(&format!("{name}.bias"), &[outputs]))
                .transpose()?,
            adapter: parameters.adapter(name),
            compute: parameters.compute_kind(),
        })
    }

    /// Returns the outputs of all parts, one after another, by one product.
    fn joined(parts: [&Self; 3], x: &Tensor) -> Tensor {
        let biases: Option<Vec<&Tensor>> = parts.iter().map(|part| part.bias.as_ref()).collect();
        let compute = parts[0].compute;
        let x = &x.to_kind(compute);
        let weight = Tensor::cat(&parts.map(|part| &part.weight), 0).to_kind(compute);
        let bias = biases.map(|biases| Tensor::cat(&biases, 0).to_kind(compute));
        let outputs = x.linear(&weight, bias.as_ref());
        let adapters: Option<Vec<&Adapter>> =
            parts.iter().map(|part| part.adapter.as_ref()).collect();
        match adapters {
            Some(adapters) => {
                let added: Vec<Tensor> = adapters.iter().map(|part| part.forward(x)).collect();
                outputs + Tensor::cat(&added, 1)
            }
            None => outputs,
        }
    }

    pub fn forward(&self, x: &Tensor) -> Tensor {
        let x = &x.to_kind(self.compute);
        let bias = self.bias.as_ref().map(|bias| bias.to_kind(self.compute));
        let outputs = x.linear(&self.weight.to_kind(self.compute), bias.as_ref());
        match &self.adapter {
            Some(adapter) => outputs + adapter.forward(x),
            None => outputs,
        }
    }
}

#[derive(Debug)]
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Option<Tensor>,
    eps: f64,
}

impl LayerNorm {
    pub fn new(parameters: &Parameters, name: &str, size: i64, eps: f64) -> Result<Self> {
        Self::with_bias(parameters, name, size, eps, true)
    }

    pub fn with_bias(
        parameters: &Parameters,
        name: &str,
        size: i64,
        eps: f64,
        bias: bool,
    ) -> Result<Self> {
        Ok(Self {
            weight: parameters.get(&format!("{name}.weight"), &[size])?,
            bias: bias
                .then(|| parameters.get(&format!("{name}.bias"), &[size]))
                .transpose()?,
            eps,
        })
    }

    pub fn forward(&self, x: &Tensor) -> Tensor {
        let (weight, bias) = (Some(&self.weight), self.bias.as_ref());
        x.layer_norm(self.weight.size(), weight, bias, self.eps, false)
    }
}

/// Self-attention with one linear layer each for queries, keys, values and the output.
#[derive(Debug)]
struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: i64,
    dropout: f64,
}

impl SelfAttention {
    fn new(
        parameters: &Parameters,
        names: &PostNormNames,
        config: &PostNormConfig,
    ) -> Result<Self> {
        let linear = |name: &str| Linear::new(parameters, name, config.hidden, config.hidden);
        Ok(Self {
            query: linear(&names.query)?,
            key: linear(&names.key)?,
            value: linear(&names.value)?,
            output: linear(&names.attention_output)?,
            heads: config.heads,
            dropout: config.weights_dropout,
        })
    }

    fn forward(
        &self,
        x: &Tensor,
        batch: &PackedBatch,
        biases: &[Option<Tensor>],
        dropout: Option<&Dropout>,
    ) -> Tensor {
        // One product for all three, then one split: the backward pass of a split is a single copy.
        let qkv = Linear::joined([&self.query, &self.key, &self.value], x);
        let context = attend(&qkv, batch, self.heads, biases, self.dropout, dropout);
        self.output.forward(&context)
    }
}

/// Computes the attention of every token to the tokens of its own sequence: queries, keys and
/// values `[tokens, 3 × hidden]` to contexts `[tokens, hidden]`.
///
/// `biases` has what is added to the scores of each group, `[length, length]` or
/// `[1, heads, length, length]`, and is empty where nothing is; `p` is the dropout of the weights.
pub(crate) fn attend(
    qkv: &Tensor,
    batch: &PackedBatch,
    heads: i64,
    biases: &[Option<Tensor>],
    p: f64,
    dropout: Option<&Dropout>,
) -> Tensor {
    let contexts: Vec<Tensor> = qkv
        .split_with_sizes(batch.group_tokens(), 0)
        .iter()
        .zip(&batch.groups)
        .enumerate()
        .map(|(n, (qkv, group))| {
            let bias = biases.get(n).and_then(Option::as_ref);
            attend_group(qkv, *group, heads, bias, p, dropout)
        })
        .collect();
    Tensor::cat(&contexts, 0)
}

/// Computes the attention within sequences of one length: `[sequences × length, 3 × hidden]` to
/// `[sequences × length, hidden]`.
fn attend_group(
    qkv: &Tensor,
    group: Group,
    heads: i64,
    bias: Option<&Tensor>,
    p: f64,
    dropout: Option<&Dropout>,
) -> Tensor {
    let Group { sequences, length } = group;
    let hidden = qkv.size()[1] / 3;
    let width = hidden / heads;
    let parts = qkv
        .view([sequences, length, 3, heads, width])
        .permute([2, 0, 3, 1, 4])
        .unbind(0);
    let (query, key, value) = (&parts[0], &parts[1], &parts[2]);
    let context = match dropout {
        Some(dropout) if p > 0.0 => {
            let scores = query.matmul(&key.transpose(-2, -1)) / (width as f64).sqrt();
            let scores = match bias {
                Some(bias) => scores + bias,
                None => scores,
            };
            let weights = scores.softmax(-1, Kind::Float);
            let weights = dropout.apply(&weights, p).to_kind(value.kind());
            weights.matmul(value)
        }
        _ => {
            let bias = bias.map(|bias| bias.to_kind(query.kind()));
            Tensor::scaled_dot_product_attention(query, key, value, bias, 0.0, false, None, false)
        }
    };
    context
        .transpose(1, 2)
        .reshape([sequences * length, hidden])
}

/// A layer as in the original transformer (Vaswani et al. 2017): attention and a feed-forward
/// network, each added to what went in and then normalised.
#[derive(Debug)]
pub(crate) struct PostNormLayer {
    config: PostNormConfig,
    attention: SelfAttention,
    attention_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
}

impl PostNormLayer {
    pub fn new(
        parameters: &Parameters,
        names: &PostNormNames,
        config: &PostNormConfig,
    ) -> Result<Self> {
        let (hidden, wide, eps) = (config.hidden, config.wide, config.eps);
        Ok(Self {
            config: config.clone(),
            attention: SelfAttention::new(parameters, names, config)?,
            attention_norm: LayerNorm::new(parameters, &names.attention_norm, hidden, eps)?,
            intermediate: Linear::new(parameters, &names.intermediate, hidden, wide)?,
            output: Linear::new(parameters, &names.output, wide, hidden)?,
            output_norm: LayerNorm::new(parameters, &names.output_norm, hidden, eps)?,
        })
    }

    /// Computes the states behind the layer. `biases` are those of [`attend`].
    pub fn forward(
        &self,
        x: &Tensor,
        batch: &PackedBatch,
        biases: &[Option<Tensor>],
        dropout: Option<&Dropout>,
    ) -> Tensor {
        let config = &self.config;
        let attended = dropped(
            self.attention.forward(x, batch, biases, dropout),
            config.attention_dropout,
            dropout,
        );
        let x = self.attention_norm.forward(&(attended + x));
        let wide = activated(config.activation, &self.intermediate.forward(&x));
        let narrow = dropped(self.output.forward(&wide), config.output_dropout, dropout);
        self.output_norm.forward(&(narrow + x))
    }
}
