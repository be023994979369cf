//! What a model gives for any number of sequences, without gradients.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use tch::{Device, Tensor};

use crate::parameters::to_vec;
use crate::{PackedBatch, Result, TokenIds, caught};

/// Tokens in a batch on the processor, at most: what the layers pass on then stays in its caches.
/// (MiniLM-L6 on two cores: 2,048 to 4,096 tokens take a tenth less time than 8,192.)
const CACHED_TOKENS: usize = 2_048;

/// Returns what `forward` gives for each sequence, `width` numbers each: row-major `[sequences,
/// width]`, in input order.
///
/// Sequences of like length share a batch of up to `batch_tokens` tokens, a longer one is a batch
/// of its own; `progress` hears how many more are done. On the processor every batch has one
/// thread, so that nothing waits for anything and no result depends on the number of threads;
/// `network` makes the layers that a thread works with, whose weights are shared.
///
/// # Errors
/// If a network cannot be made, or libtorch fails.
pub(crate) fn without_gradients<N: Send>(
    sequences: &[&TokenIds],
    width: usize,
    batch_tokens: usize,
    device: Device,
    network: impl Fn() -> Result<N>,
    forward: impl Fn(&N, &PackedBatch) -> Tensor + Sync,
    progress: &dyn Fn(usize),
) -> Result<Vec<f32>> {
    let (threads, batch_tokens) = match device {
        Device::Cpu => (
            usize::try_from(tch::get_num_threads()).unwrap_or(1).max(1),
            batch_tokens.min(CACHED_TOKENS),
        ),
        _ => (1, batch_tokens),
    };
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(sequences[i].ids.len()));
    let batches = batches(&order, batch_tokens, |i| sequences[i].ids.len());
    let mut rows = vec![0f32; sequences.len() * width];
    let mut keep = |batch: &[usize], values: Vec<f32>| {
        for (&i, row) in batch.iter().zip(values.chunks_exact(width)) {
            rows[i * width..(i + 1) * width].copy_from_slice(row);
        }
        progress(batch.len());
    };
    let run = |network: &N, batch: &[usize]| {
        let batch: Vec<&TokenIds> = batch.iter().map(|&i| sequences[i]).collect();
        caught(|| {
            let batch = PackedBatch::new(&batch, device);
            to_vec(&tch::no_grad(|| forward(network, &batch)))
        })?
    };
    if device != Device::Cpu {
        let network = network()?;
        for batch in batches {
            keep(batch, run(&network, batch)?);
        }
        return Ok(rows);
    }
    let networks = (0..threads.min(batches.len())).map(|_| network());
    let networks = networks.collect::<Result<Vec<N>>>()?;
    let next = AtomicUsize::new(0);
    let (send, done) = mpsc::sync_channel(threads);
    let result = thread::scope(|scope| {
        for network in networks {
            let (send, next, batches, run) = (send.clone(), &next, &batches, &run);
            scope.spawn(move || {
                // Asked first: only then does libtorch keep what is set for this thread.
                let _ = tch::get_num_threads();
                tch::set_num_threads(1);
                while let Some(&batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if send.send((batch, run(&network, batch))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        done.into_iter()
            .try_for_each(|(batch, values)| values.map(|values| keep(batch, values)))
    });
    // What a thread sets is also what libtorch gives to threads to come.
    tch::set_num_threads(threads as i32);
    result.map(|()| rows)
}

/// Cuts items into batches whose summed size stays within a budget; an item above the budget is a
/// batch of its own.
fn batches(items: &[usize], budget: usize, size: impl Fn(usize) -> usize) -> Vec<&[usize]> {
    let mut batches = Vec::new();
    let (mut start, mut total) = (0, 0);
    for (at, &item) in items.iter().enumerate() {
        let size = size(item);
        if at > start && total + size > budget {
            batches.push(&items[start..at]);
            (start, total) = (at, 0);
        }
        total += size;
    }
    if start < items.len() {
        batches.push(&items[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_to_the_budget() {
        let sizes = [3, 3, 3, 9, 1];
        let items: Vec<usize> = (0..sizes.len()).collect();
        let cut: [&[usize]; 4] = [&[0, 1], &[2], &[3], &[4]];
        assert_eq!(batches(&items, 6, |i| sizes[i]), cut);
        assert_eq!(batches(&[7], 6, |i| i), [&[7]]);
        assert!(batches(&[], 6, |i| i).is_empty());
    }
}
