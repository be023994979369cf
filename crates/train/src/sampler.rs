use std::collections::HashSet;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Batches of row numbers for one epoch: shuffled by (seed, epoch), and no two rows of a batch
/// share a key, as `NoDuplicatesBatchSampler` of sentence-transformers does by text. A row that
/// does not fit waits for the next batch; an incomplete last batch is kept.
pub(crate) fn no_duplicates_batches<K: Copy + Eq + std::hash::Hash>(
    keys: &[Vec<K>],
    batch_size: usize,
    seed: u64,
    epoch: u32,
) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.shuffle(&mut generator(seed, epoch));
    let mut batches = Vec::new();
    let mut waiting: std::collections::VecDeque<usize> = order.into();
    while !waiting.is_empty() {
        let mut batch = Vec::with_capacity(batch_size);
        let mut taken: HashSet<K> = HashSet::new();
        let mut deferred = Vec::new();
        while batch.len() < batch_size {
            let Some(row) = waiting.pop_front() else {
                break;
            };
            if keys[row].iter().any(|key| taken.contains(key)) {
                deferred.push(row);
            } else {
                taken.extend(keys[row].iter().copied());
                batch.push(row);
            }
        }
        for row in deferred.into_iter().rev() {
            waiting.push_front(row);
        }
        batches.push(batch);
    }
    batches
}

/// Plain batches of row numbers for one epoch, shuffled by (seed, epoch).
pub(crate) fn shuffled_batches(
    rows: usize,
    batch_size: usize,
    seed: u64,
    epoch: u32,
) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..rows).collect();
    order.shuffle(&mut generator(seed, epoch));
    order.chunks(batch_size).map(<[usize]>::to_vec).collect()
}

fn generator(seed: u64, epoch: u32) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(u64::from(epoch));
    generator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_once_and_no_key_twice_in_a_batch() {
        let keys: Vec<Vec<u32>> = (0..100).map(|i| vec![i % 10, 100 + i]).collect();
        let batches = no_duplicates_batches(&keys, 8, 1, 0);
        let mut rows: Vec<usize> = batches.concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..100).collect::<Vec<_>>());
        for batch in &batches {
            let first: HashSet<u32> = batch.iter().map(|&row| keys[row][0]).collect();
            assert_eq!(first.len(), batch.len());
        }
    }

    #[test]
    fn the_order_depends_on_seed_and_epoch_alone() {
        let batches = |seed, epoch| shuffled_batches(50, 8, seed, epoch);
        assert_eq!(batches(1, 0), batches(1, 0));
        assert_ne!(batches(1, 0), batches(1, 1));
        assert_ne!(batches(1, 0), batches(2, 0));
    }
}
