//! ModernBERT.

use pairmill_checkpoint::{LayerType, ModernBertConfig};
use tch::{Device, Kind, Tensor};

use super::builder::{Builder, InOnnx, Positions};
use crate::Result;
use crate::modernbert::rotations;
use crate::parameters::to_vec;

impl InOnnx for ModernBertConfig {
    fn graph(
        &self,
        builder: &mut Builder,
        inputs: [&str; 2],
        _positions: Positions,
    ) -> Result<String> {
        encoder(builder, self, inputs)
    }
}

/// What all layers of a type share.
struct Shared {
    /// Added to attention scores, broadcast to `[batch, heads, sequence, sequence]`.
    bias: String,
    /// `[sequence, head width]`.
    cos: String,
    sin: String,
}

/// Adds everything from the inputs to the last hidden state, `[batch, sequence, hidden]`.
fn encoder(
    builder: &mut Builder,
    config: &ModernBertConfig,
    [ids, mask]: [&str; 2],
) -> Result<String> {
    let (eps, norm_bias) = (config.norm_eps, config.norm_bias);
    let scope = format!("{}embeddings", builder.prefix);
    let table = format!("{scope}.tok_embeddings.weight");
    let shape = [config.vocab_size, config.hidden_size];
    let tokens = builder.embedded(&scope, &table, shape, ids)?;
    let mut hidden = builder.layer_norm(&format!("{scope}.norm"), &tokens, eps, norm_bias)?;

    let padding = builder.padding_bias(mask);
    let [mut global, mut local] = [None, None];
    for n in 0..config.num_hidden_layers {
        let shared = match config.layer_type(n) {
            LayerType::Global => &mut global,
            LayerType::Local => &mut local,
        };
        if shared.is_none() {
            *shared = Some(share(builder, config, config.layer_type(n), ids, &padding)?);
        }
        if let Some(shared) = shared {
            hidden = layer(builder, config, n, &hidden, shared)?;
        }
    }
    builder.layer_norm(
        &format!("{}final_norm", builder.prefix),
        &hidden,
        eps,
        norm_bias,
    )
}

fn share(
    builder: &mut Builder,
    config: &ModernBertConfig,
    kind: LayerType,
    ids: &str,
    padding: &str,
) -> Result<Shared> {
    let longest = config.max_position_embeddings;
    let positions = Tensor::arange(longest, (Kind::Int64, Device::Cpu));
    let shape = [longest, config.hidden_size / config.num_attention_heads];
    let (scope, names) = match kind {
        LayerType::Global => ("global_attention", ["global_cos", "global_sin"]),
        LayerType::Local => ("local_attention", ["local_cos", "local_sin"]),
    };
    let (zero, length) = (builder.ints("axis_0", &[0]), builder.length(ids));
    let mut rows = Vec::new();
    for (name, table) in names.into_iter().zip(rotations(config, kind, &positions)) {
        let table = builder.graph.floats(name, &shape, &to_vec(&table)?);
        let inputs = [table.as_str(), &zero, &length, &zero];
        rows.push(builder.graph.node(scope, "Slice", &inputs));
    }
    let mut bias = padding.to_owned();
    if kind == LayerType::Local {
        let window = builder.int("window", config.window());
        let distances = builder.distances(ids);
        let distances = builder.graph.node(scope, "Abs", &[&distances]);
        let far = builder.graph.node(scope, "Greater", &[&distances, &window]);
        let far = builder.masked_where(scope, &far);
        bias = builder.graph.node(scope, "Add", &[padding, &far]);
    }
    let sin = rows.pop().unwrap_or_default();
    let cos = rows.pop().unwrap_or_default();
    Ok(Shared { bias, cos, sin })
}

fn layer(
    builder: &mut Builder,
    config: &ModernBertConfig,
    n: i64,
    hidden: &str,
    shared: &Shared,
) -> Result<String> {
    let scope = format!("{}layers.{n}", builder.prefix);
    let (size, wide) = (config.hidden_size, config.intermediate_size);
    let (eps, norm_bias) = (config.norm_eps, config.norm_bias);
    let attn = format!("{scope}.attn");
    let normed = match n {
        0 => hidden.to_owned(),
        _ => builder.layer_norm(&format!("{scope}.attn_norm"), hidden, eps, norm_bias)?,
    };
    let bias = config.attention_bias;
    let qkv = builder.linear(&format!("{attn}.Wqkv"), &normed, [size, 3 * size], bias)?;
    let mut parts = Vec::new();
    for part in 0..3 {
        let part = slice(builder, &attn, &qkv, [part * size, (part + 1) * size], 2);
        parts.push(builder.heads(&attn, &part, &[0, 2, 1, 3]));
    }
    let query = rotated(builder, config, &attn, &parts[0], shared);
    let key = rotated(builder, config, &attn, &parts[1], shared);
    let key = builder.transpose(&attn, &key, &[0, 1, 3, 2]);
    let context = builder.attention(&attn, [&query, &key, &parts[2]], &shared.bias);
    let context = builder.linear(&format!("{attn}.Wo"), &context, [size, size], bias)?;
    let hidden = builder.graph.node(&attn, "Add", &[hidden, &context]);

    let mlp = format!("{scope}.mlp");
    let normed = builder.layer_norm(&format!("{scope}.mlp_norm"), &hidden, eps, norm_bias)?;
    let bias = config.mlp_bias;
    let both = builder.linear(&format!("{mlp}.Wi"), &normed, [size, 2 * wide], bias)?;
    let input = slice(builder, &mlp, &both, [0, wide], 2);
    let gate = slice(builder, &mlp, &both, [wide, 2 * wide], 2);
    let input = builder.activation(&mlp, config.hidden_activation, &input);
    let gated = builder.graph.node(&mlp, "Mul", &[&input, &gate]);
    let narrow = builder.linear(&format!("{mlp}.Wo"), &gated, [wide, size], bias)?;
    Ok(builder.graph.node(&mlp, "Add", &[&hidden, &narrow]))
}

/// Rotates `[batch, heads, sequence, head width]`.
fn rotated(
    builder: &mut Builder,
    config: &ModernBertConfig,
    scope: &str,
    x: &str,
    shared: &Shared,
) -> String {
    let width = config.hidden_size / config.num_attention_heads;
    let first = slice(builder, scope, x, [0, width / 2], 3);
    let second = slice(builder, scope, x, [width / 2, width], 3);
    let negated = builder.graph.node(scope, "Neg", &[&second]);
    let turned = builder.concat(scope, &[&negated, &first], 3);
    let graph = &mut builder.graph;
    let x = graph.node(scope, "Mul", &[x, &shared.cos]);
    let turned = graph.node(scope, "Mul", &[&turned, &shared.sin]);
    graph.node(scope, "Add", &[&x, &turned])
}

fn slice(builder: &mut Builder, scope: &str, x: &str, [start, end]: [i64; 2], axis: i64) -> String {
    let graph = &mut builder.graph;
    let bounds = [start, end, axis].map(|bound| graph.ints(&format!("{scope}.slice"), &[bound]));
    graph.node(scope, "Slice", &[x, &bounds[0], &bounds[1], &bounds[2]])
}
