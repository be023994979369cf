use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use clap::ValueEnum;
use pairmill_schema::draw::seeded;
use rand::seq::SliceRandom;
use serde::Serialize;

/// Returns batches of row numbers for one epoch: shuffled by (seed, epoch), and no two rows of a
/// batch share a key, as `NoDuplicatesBatchSampler` of sentence-transformers does by text. A row
/// goes into the first batch that has room and none of its keys; an incomplete last batch is kept.
///
/// The time grows with the number of keys alone, however often they repeat: where many batches have
/// room but one of a row's keys each, the row goes behind the last of them.
pub(crate) fn no_duplicates_batches<K: Copy + Eq + Hash>(
    keys: &[Vec<K>],
    batch_size: usize,
    seed: u64,
    epoch: u32,
) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.shuffle(&mut seeded(seed, u64::from(epoch)));
    let mut plan = DistinctBatches::new(batch_size);
    for row in order {
        plan.place(row, &keys[row]);
    }
    plan.batches
}

/// Batches that a row is offered to before it goes behind all those with its keys.
const OFFERS: usize = 64;

/// Batches under construction, of which none has two rows with a key in common.
struct DistinctBatches<K> {
    batch_size: usize,
    batches: Vec<Vec<usize>>,
    /// The keys of each batch that has room.
    keys: Vec<HashSet<K>>,
    /// For each full batch a later one, on the way to the first with room.
    later: Vec<usize>,
    of_key: HashMap<K, Reach>,
}

/// Where the batches with a key lie.
#[derive(Clone, Copy, Default)]
struct Reach {
    /// Each batch before this one is full or has the key.
    first: usize,
    /// No batch from this one on has the key.
    end: usize,
}

impl<K: Copy + Eq + Hash> DistinctBatches<K> {
    fn new(batch_size: usize) -> Self {
        Self {
            batch_size,
            batches: Vec::new(),
            keys: Vec::new(),
            later: Vec::new(),
            of_key: HashMap::new(),
        }
    }

    fn place(&mut self, row: usize, keys: &[K]) {
        let (mut first, mut end) = (0, 0);
        for &key in keys {
            let mut reach = self.of_key.get(&key).copied().unwrap_or_default();
            reach.first = self.with_room(reach.first);
            while self.has(reach.first, key) {
                reach.first = self.with_room(reach.first + 1);
            }
            self.of_key.insert(key, reach);
            first = first.max(reach.first);
            end = end.max(reach.end);
        }
        let mut batch = first;
        for _ in 0..OFFERS {
            if keys.iter().all(|&key| !self.has(batch, key)) {
                return self.put(row, keys, batch);
            }
            batch = self.with_room(batch + 1);
        }
        let batch = self.with_room(end.max(batch));
        self.put(row, keys, batch);
    }

    fn has(&self, batch: usize, key: K) -> bool {
        self.keys.get(batch).is_some_and(|keys| keys.contains(&key))
    }

    fn put(&mut self, row: usize, keys: &[K], batch: usize) {
        if batch == self.batches.len() {
            self.batches.push(Vec::new());
            self.keys.push(HashSet::new());
            self.later.push(batch);
        }
        self.batches[batch].push(row);
        self.keys[batch].extend(keys);
        for key in keys {
            let reach = self.of_key.entry(*key).or_default();
            reach.end = reach.end.max(batch + 1);
        }
        if self.batches[batch].len() == self.batch_size {
            self.keys[batch] = HashSet::new();
            self.later[batch] = batch + 1;
        }
    }

    /// Returns the first batch from this one on that has room, which may be a new one.
    fn with_room(&mut self, from: usize) -> usize {
        let mut batch = from;
        while batch < self.later.len() && self.later[batch] != batch {
            // Every other step is left out the next time.
            if let Some(&beyond) = self.later.get(self.later[batch]) {
                self.later[batch] = beyond;
            }
            batch = self.later[batch];
        }
        batch
    }
}

/// Returns plain batches of row numbers for one epoch, shuffled by (seed, epoch).
pub(crate) fn shuffled_batches(
    rows: usize,
    batch_size: usize,
    seed: u64,
    epoch: u32,
) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..rows).collect();
    order.shuffle(&mut seeded(seed, u64::from(epoch)));
    order.chunks(batch_size).map(<[usize]>::to_vec).collect()
}

/// Returns batches of row numbers for one epoch in which every label has two or three rows,
/// shuffled by (seed, epoch), so that each row has a positive. Rows whose label no other row has
/// are left out.
pub(crate) fn label_batches(
    labels: &[i64],
    batch_size: usize,
    seed: u64,
    epoch: u32,
) -> Vec<Vec<usize>> {
    let mut generator = seeded(seed, u64::from(epoch));
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
        order.shuffle(&mut seeded(seed, u64::from(epoch)));
    }
    let mut rest: Vec<_> = sources.into_iter().map(Vec::into_iter).collect();
    order
        .into_iter()
        .filter_map(|source| Some((source, rest[source].next()?)))
        .collect()
}

/// Which rows share a batch. Names as in sentence-transformers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BatchSampler {
    /// Full batches; a known positive of an anchor is none of its negatives
    #[default]
    #[value(alias = "batch_sampler")]
    BatchSampler,
    /// No text twice in a batch, which makes small batches where many questions share an answer
    #[value(alias = "no_duplicates")]
    NoDuplicates,
}

/// How batches of several losses take turns. Names as in sentence-transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mixing {
    /// All batches of each, shuffled
    Proportional,
    /// One of each in turn, until the first has no more
    #[value(alias = "round_robin")]
    RoundRobin,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    /// Fills one batch after the other, each from the rows that the ones before have left.
    fn one_by_one(keys: &[Vec<u32>], batch_size: usize, seed: u64) -> Vec<Vec<usize>> {
        let mut waiting = shuffled_batches(keys.len(), keys.len(), seed, 0).concat();
        let mut batches = Vec::new();
        while !waiting.is_empty() {
            let mut taken: HashSet<u32> = HashSet::new();
            let mut batch = Vec::new();
            waiting.retain(|&row| {
                let fits =
                    batch.len() < batch_size && keys[row].iter().all(|key| !taken.contains(key));
                if fits {
                    taken.extend(&keys[row]);
                    batch.push(row);
                }
                !fits
            });
            batches.push(batch);
        }
        batches
    }

    proptest! {
        #[test]
        fn batches_are_those_that_are_filled_one_by_one(
            keys in prop::collection::vec((0u32..20, 100u32..160), 1..60),
            kinds in 1u32..=20,
            batch_size in 1usize..10,
            seed: u64,
        ) {
            let keys: Vec<Vec<u32>> = keys
                .into_iter()
                .map(|(question, answer)| vec![question % kinds, answer])
                .collect();
            let batches = no_duplicates_batches(&keys, batch_size, seed, 0);
            prop_assert_eq!(batches, one_by_one(&keys, batch_size, seed));
        }
    }

    #[test]
    fn a_million_questions_that_share_fifty_answers_are_planned_in_seconds() {
        let keys: Vec<Vec<u32>> = (0..1_000_000u32)
            // Half of them share a single one.
            .map(|row| vec![if row % 2 == 0 { 0 } else { row % 50 }, 100 + row])
            .collect();
        let started = std::time::Instant::now();
        let batches = no_duplicates_batches(&keys, 32, 1, 0);
        let seconds = started.elapsed().as_secs_f64();
        assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), keys.len());
        // Row by row against batch by batch it is 250 billion comparisons.
        assert!(seconds < 60.0, "{seconds} s");
    }

    #[test]
    fn texts_that_repeat_on_both_sides_are_planned_in_seconds() {
        let keys: Vec<Vec<u32>> = (0..300_000u32)
            .map(|row| vec![row % 550, 1_000 + row / 550])
            .collect();
        let batches = no_duplicates_batches(&keys, 4, 1, 0);
        let mut rows = batches.concat();
        rows.sort_unstable();
        assert!(rows.into_iter().eq(0..keys.len()));
        for batch in &batches {
            let distinct: HashSet<u32> = batch.iter().flat_map(|&row| keys[row].clone()).collect();
            assert_eq!(distinct.len(), 2 * batch.len());
        }
    }

    #[test]
    fn the_order_depends_on_seed_and_epoch_alone() {
        let batches = |seed, epoch| shuffled_batches(50, 8, seed, epoch);
        assert_eq!(batches(1, 0), batches(1, 0));
        assert_ne!(batches(1, 0), batches(1, 1));
        assert_ne!(batches(1, 0), batches(2, 0));
    }

    proptest! {
        #[test]
        fn every_label_of_a_batch_has_a_pair(
            labels in prop::collection::vec(0i64..12, 0..120),
            batch_size in 3usize..20,
            seed: u64,
        ) {
            let rows_of = |label| labels.iter().filter(|&&other| other == label).count();
            let batches = label_batches(&labels, batch_size, seed, 0);
            let mut rows = batches.concat();
            rows.sort_unstable();
            let expected = (0..labels.len()).filter(|&row| rows_of(labels[row]) > 1);
            prop_assert_eq!(rows, expected.collect::<Vec<_>>(), "all but the single ones");
            for batch in &batches {
                prop_assert!(batch.len() <= batch_size);
                for &row in batch {
                    let alike = batch.iter().filter(|&&other| labels[other] == labels[row]);
                    prop_assert!(alike.count() >= 2);
                }
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
