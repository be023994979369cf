use std::collections::HashMap;
use std::hash::Hash;

use crate::bootstrap::bootstrap;

/// Items in clusters: those of one are alike, those of different ones independent of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    /// The items, those of a cluster behind one another.
    items: Vec<u32>,
    /// Where in `items` each cluster begins; the last entry is their number.
    starts: Vec<usize>,
}

impl Clusters {
    /// Takes items with these numbers of clusters, which need neither be in order nor without gaps.
    /// Clusters are in the order of their numbers, items of one in their own.
    pub fn new(cluster_of: &[u32]) -> Self {
        let mut items: Vec<u32> = (0..cluster_of.len() as u32).collect();
        items.sort_by_key(|&item| cluster_of[item as usize]);
        let mut starts = vec![0];
        let runs = items.chunk_by(|&a, &b| cluster_of[a as usize] == cluster_of[b as usize]);
        for run in runs {
            starts.push(starts[starts.len() - 1] + run.len());
        }
        Self { items, starts }
    }

    /// Returns how many clusters there are.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns how many items there are.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// Returns the items of each cluster.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.starts
            .windows(2)
            .map(|ends| &self.items[ends[0]..ends[1]])
    }

    /// Returns the sum of the items' values in each cluster.
    ///
    /// # Panics
    /// If there are fewer values than items.
    pub fn sums(&self, values: &[f64]) -> Vec<f64> {
        let sum = |cluster: &[u32]| cluster.iter().map(|&item| values[item as usize]).sum();
        self.iter().map(sum).collect()
    }

    /// Does as [`bootstrap`], but what is drawn are clusters, with all of their items (Davison and
    /// Hinkley, *Bootstrap Methods and their Application*, 1997, section 3.8). With clusters of one
    /// item each it is the same.
    pub fn bootstrap(
        &self,
        resamples: usize,
        seed: u64,
        figures: impl Fn(&[u32]) -> Vec<f64> + Sync,
    ) -> Vec<Vec<f64>> {
        bootstrap(self.len(), resamples, seed, |drawn| {
            let items = drawn.iter().flat_map(|&cluster| {
                let cluster = cluster as usize;
                &self.items[self.starts[cluster]..self.starts[cluster + 1]]
            });
            let items: Vec<u32> = items.copied().collect();
            figures(&items)
        })
    }
}

/// Returns the number of each item's cluster, where items that share a key belong together, and
/// with them what these share with others. A cluster's number is that of its first item.
pub fn connected<K: Hash + Eq>(
    items: impl IntoIterator<Item = impl IntoIterator<Item = K>>,
) -> Vec<u32> {
    let mut first_with: HashMap<K, u32> = HashMap::new();
    let mut sets = Sets::default();
    for keys in items {
        let item = sets.push();
        for key in keys {
            let other = *first_with.entry(key).or_insert(item);
            sets.join(item, other);
        }
    }
    sets.numbers()
}

/// Disjoint sets of numbers from 0 up.
#[derive(Default)]
struct Sets(Vec<u32>);

impl Sets {
    fn push(&mut self) -> u32 {
        let number = self.0.len() as u32;
        self.0.push(number);
        number
    }

    /// The least number of a set.
    fn first(&mut self, mut number: u32) -> u32 {
        while self.0[number as usize] != number {
            let next = self.0[number as usize];
            self.0[number as usize] = self.0[next as usize];
            number = next;
        }
        number
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.first(a), self.first(b));
        self.0[a.max(b) as usize] = a.min(b);
    }

    fn numbers(mut self) -> Vec<u32> {
        (0..self.0.len() as u32)
            .map(|number| self.first(number))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::percentile_interval;

    #[test]
    fn clusters_of_one_item_are_drawn_as_items_are() {
        let figures = |items: &[u32]| items.iter().map(|&item| f64::from(item)).collect();
        let alone = Clusters::new(&[0, 1, 2, 3, 4, 5]);
        assert_eq!(
            alone.bootstrap(20, 7, figures),
            bootstrap(6, 20, 7, figures)
        );
    }

    #[test]
    fn the_items_of_a_cluster_come_together() {
        let clusters = Clusters::new(&[9, 2, 9, 2, 4]);
        let parts: Vec<&[u32]> = clusters.iter().collect();
        assert_eq!(parts, [&[1, 3][..], &[4], &[0, 2]]);
        assert_eq!((clusters.len(), clusters.items()), (3, 5));
        assert_eq!(clusters.sums(&[1.0, 2.0, 3.0, 4.0, 5.0]), [6.0, 5.0, 4.0]);
        for row in clusters.bootstrap(50, 1, |items| {
            let count = |wanted| items.iter().filter(|&&item| item == wanted).count() as f64;
            vec![count(0) - count(2), count(1) - count(3)]
        }) {
            assert_eq!(row, [0.0, 0.0]);
        }
        assert!(Clusters::new(&[]).is_empty());
    }

    #[test]
    fn copies_of_an_item_make_no_interval_narrower() {
        let values: Vec<f64> = (0..40).map(|item| f64::from(item * 7 % 11)).collect();
        let width = |copies: usize| {
            let cluster_of: Vec<u32> = (0..40 * copies as u32).map(|item| item % 40).collect();
            let rows = Clusters::new(&cluster_of).bootstrap(2_000, 1, |items| {
                let sum: f64 = items.iter().map(|&item| values[item as usize % 40]).sum();
                vec![sum / items.len() as f64]
            });
            let found = percentile_interval(rows.iter().map(|row| row[0]), 0.95).unwrap();
            found.high - found.low
        };
        assert!((width(3) / width(1) - 1.0).abs() < 1e-9);
    }
}
