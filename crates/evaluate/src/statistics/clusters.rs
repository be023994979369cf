use std::collections::HashMap;
use std::hash::Hash;

use pairmill_metrics::{Clusters, connected};

/// What of the items is alike, so that it is drawn and exchanged together: paraphrases of one
/// question are no independent questions.
#[derive(Debug, Clone)]
pub(crate) struct Clustering {
    /// The number of each item's cluster.
    of: Vec<u32>,
    pub clusters: Clusters,
    /// What the items of a cluster have in common, such as `share an answer`.
    pub why: String,
}

impl Clustering {
    /// Groups the items that are the same in `values`. `None` where each is a cluster of its own.
    pub fn of_values<T: Hash + Eq>(values: &[T], why: impl Into<String>) -> Option<Self> {
        let mut numbers = HashMap::new();
        let number = |value| {
            let next = numbers.len() as u32;
            *numbers.entry(value).or_insert(next)
        };
        Self::of_numbers(values.iter().map(number).collect(), why)
    }

    /// Groups the items that a chain of keys connects, each with those of its own.
    pub fn of_shared<K: Hash + Eq>(
        items: impl IntoIterator<Item = impl IntoIterator<Item = K>>,
        why: impl Into<String>,
    ) -> Option<Self> {
        Self::of_numbers(connected(items), why)
    }

    fn of_numbers(of: Vec<u32>, why: impl Into<String>) -> Option<Self> {
        let clusters = Clusters::new(&of);
        (clusters.len() < of.len()).then(|| Self {
            of,
            clusters,
            why: why.into(),
        })
    }

    /// Returns what tells the cluster of an item from others.
    pub fn labels(&self) -> Vec<String> {
        self.of.iter().map(u32::to_string).collect()
    }

    /// Returns that of some of the items, by their numbers.
    pub fn of_items(&self, items: &[u32]) -> Option<Self> {
        let of = items.iter().map(|&item| self.of[item as usize]).collect();
        Self::of_numbers(of, self.why.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_keys_makes_one_cluster() {
        let items = [vec!["a"], vec!["b", "c"], vec!["d"], vec!["c", "a"], vec![]];
        let found = Clustering::of_shared(items, "").unwrap();
        assert_eq!(found.labels(), ["0", "0", "2", "0", "4"]);
        assert_eq!(found.clusters.len(), 3);
        let some = found.of_items(&[1, 3, 4]).unwrap();
        assert_eq!(some.clusters.len(), 2);
        assert!(found.of_items(&[0, 2]).is_none());
    }

    #[test]
    fn items_of_their_own_are_no_clusters() {
        assert!(Clustering::of_values(&["x", "y", "z"], "").is_none());
        let found = Clustering::of_values(&["x", "y", "x"], "").unwrap();
        assert_eq!(found.labels(), ["0", "1", "0"]);
    }
}
