use std::collections::{BTreeMap, HashSet};

use clap::ValueEnum;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

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

/// Batches of row numbers for one epoch in which every label has two or three rows, shuffled by
/// (seed, epoch), so that each row has a positive. Rows whose label no other row has are left out.
pub(crate) fn label_batches(
    labels: &[i64],
    batch_size: usize,
    seed: u64,
    epoch: u32,
) -> Vec<Vec<usize>> {
    let mut generator = generator(seed, epoch);
    let mut of_label: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (row, &label) in labels.iter().enumerate() {
        of_label.entry(label).or_default().push(row);
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for mut rows in of_label.into_values().filter(|rows| rows.len() > 1) {
        rows.shuffle(&mut generator);
        let odd = if rows.len() % 2 == 1 {
            rows.pop()
        } else {
            None
        };
        groups.extend(rows.chunks(2).map(<[usize]>::to_vec));
        if let (Some(group), Some(row)) = (groups.last_mut(), odd) {
            group.push(row);
        }
    }
    groups.shuffle(&mut generator);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for group in groups {
        match batches.last_mut() {
            Some(batch) if batch.len() + group.len() <= batch_size => batch.extend(group),
            _ => batches.push(group),
        }
    }
    batches
}

/// Puts the batches of several sources into one order: `(source, rows)`.
pub(crate) fn mixed_batches(
    sources: Vec<Vec<Vec<usize>>>,
    mixing: Mixing,
    seed: u64,
    epoch: u32,
) -> Vec<(usize, Vec<usize>)> {
    let mut order: Vec<usize> = match mixing {
        Mixing::Proportional => (0..sources.len())
            .flat_map(|source| std::iter::repeat_n(source, sources[source].len()))
            .collect(),
        Mixing::RoundRobin => {
            let shortest = sources.iter().map(Vec::len).min().unwrap_or(0);
            (0..shortest).flat_map(|_| 0..sources.len()).collect()
        }
    };
    if mixing == Mixing::Proportional && sources.len() > 1 {
        order.shuffle(&mut generator(seed, epoch));
    }
    let mut rest: Vec<_> = sources.into_iter().map(Vec::into_iter).collect();
    order
        .into_iter()
        .filter_map(|source| Some((source, rest[source].next()?)))
        .collect()
}

/// How batches of several losses take turns. Names as in sentence-transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mixing {
    /// All batches of each, shuffled
    Proportional,
    /// One of each in turn, until the first has no more
    RoundRobin,
}

pub(crate) fn generator(seed: u64, epoch: u32) -> ChaCha8Rng {
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

    #[test]
    fn every_label_of_a_batch_has_a_pair() {
        let labels: Vec<i64> = (0..101).map(|row| row % 7).chain([99]).collect();
        let batches = label_batches(&labels, 16, 1, 0);
        let mut rows = batches.concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..101).collect::<Vec<_>>(), "all but the single one");
        for batch in &batches {
            assert!(batch.len() <= 16);
            for &row in batch {
                let alike = batch.iter().filter(|&&other| labels[other] == labels[row]);
                assert!(alike.count() >= 2);
            }
        }
    }

    #[test]
    fn sources_take_turns() {
        let sources = || vec![vec![vec![0], vec![1]], vec![vec![5], vec![6], vec![7]]];
        let turns = mixed_batches(sources(), Mixing::RoundRobin, 1, 0);
        assert_eq!(
            turns,
            [(0, vec![0]), (1, vec![5]), (0, vec![1]), (1, vec![6])]
        );
        let mut all = mixed_batches(sources(), Mixing::Proportional, 1, 0);
        let of_second: Vec<_> = all.iter().filter(|(source, _)| *source == 1).collect();
        assert_eq!(of_second, [&(1, vec![5]), &(1, vec![6]), &(1, vec![7])]);
        all.sort();
        assert_eq!(all.len(), 5);
    }
}
