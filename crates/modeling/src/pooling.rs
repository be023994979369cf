use pairmill_checkpoint::{Pooling, PoolingMode};
use tch::{Kind, Tensor};

use crate::PackedBatch;

/// Turns token states `[tokens, hidden]` into text vectors `[sequences, dimension]`, in packed
/// order.
pub(crate) fn pooled(pooling: &Pooling, hidden: &Tensor, batch: &PackedBatch) -> Tensor {
    let by = |mode: &PoolingMode| match &batch.prompts {
        Some(prompts) => behind_prompts(*mode, hidden, batch, prompts),
        None => by_mode(*mode, hidden, batch),
    };
    if let [mode] = pooling.modes.as_slice() {
        return by(mode);
    }
    let parts: Vec<Tensor> = pooling.modes.iter().map(by).collect();
    Tensor::cat(&parts, 1)
}

fn by_mode(mode: PoolingMode, hidden: &Tensor, batch: &PackedBatch) -> Tensor {
    if mode == PoolingMode::Cls {
        return hidden.index_select(0, &batch.starts);
    }
    let width = hidden.size()[1];
    let pooled: Vec<Tensor> = hidden
        .split_with_sizes(batch.group_tokens(), 0)
        .iter()
        .zip(&batch.groups)
        .map(|(states, group)| {
            let states = states.view([group.sequences, group.length, width]);
            of_states(mode, &states, 0)
        })
        .collect();
    Tensor::cat(&pooled, 0)
}

/// Does the same, text by text, without the first tokens of each.
fn behind_prompts(
    mode: PoolingMode,
    hidden: &Tensor,
    batch: &PackedBatch,
    prompts: &[i64],
) -> Tensor {
    let lengths = batch
        .groups
        .iter()
        .flat_map(|group| std::iter::repeat_n(group.length, group.sequences as usize));
    let mut start = 0;
    let pooled: Vec<Tensor> = lengths
        .zip(prompts)
        .map(|(length, &prompt)| {
            let states = hidden.narrow(0, start, length).unsqueeze(0);
            start += length;
            of_states(mode, &states, prompt)
        })
        .collect();
    Tensor::cat(&pooled, 0)
}

/// Turns `[sequences, length, hidden]` into `[sequences, hidden]`, without the first `prompt`
/// tokens.
fn of_states(mode: PoolingMode, states: &Tensor, prompt: i64) -> Tensor {
    let (length, kind) = (states.size()[1], states.kind());
    let kept = states.narrow(1, prompt, length - prompt);
    let count = length - prompt;
    let sum = |states: &Tensor| states.sum_dim_intlist([1i64].as_slice(), false, kind);
    match mode {
        // A text that is all prompt has the state of its first token, as in sentence-transformers.
        PoolingMode::Cls => states.select(1, if count > 0 { prompt } else { 0 }),
        PoolingMode::Max if count > 0 => kept.amax([1i64], false),
        PoolingMode::Max => sum(&kept) + f64::NEG_INFINITY,
        PoolingMode::Mean if count > 0 => kept.mean_dim([1i64].as_slice(), false, kind),
        PoolingMode::MeanSqrtLen if count > 0 => sum(&kept) / (count as f64).sqrt(),
        PoolingMode::WeightedMean if count > 0 => {
            // Tokens keep the weights that they have behind the prompt.
            let options = (Kind::Float, states.device());
            let weights = Tensor::arange_start(prompt + 1, length + 1, options);
            let total = (length * (length + 1) / 2 - prompt * (prompt + 1) / 2) as f64;
            sum(&(kept * weights.unsqueeze(1))) / total
        }
        PoolingMode::LastToken if count > 0 => states.select(1, length - 1),
        _ => sum(&kept),
    }
}
