use std::collections::{BTreeMap, BTreeSet};

/// Pairs of sentences that mean the same, by number, the lower one first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Duplicates(BTreeSet<(u32, u32)>);

impl Duplicates {
    pub fn new(pairs: BTreeSet<(u32, u32)>) -> Self {
        Self(pairs)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Iterates over the pairs in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.0.iter().copied()
    }

    pub fn contains(&self, first: u32, second: u32) -> bool {
        self.0.contains(&(first, second))
    }

    /// Adds all pairs of sentences that a chain of pairs connects.
    pub fn closed(self) -> Self {
        let mut group_of: BTreeMap<u32, usize> = BTreeMap::new();
        let mut groups: Vec<BTreeSet<u32>> = Vec::new();
        for (first, second) in self.0 {
            let mut joined = BTreeSet::from([first, second]);
            for sentence in [first, second] {
                if let Some(&group) = group_of.get(&sentence) {
                    joined.append(&mut groups[group]);
                }
            }
            for &sentence in &joined {
                group_of.insert(sentence, groups.len());
            }
            groups.push(joined);
        }
        let pairs = groups.iter().flat_map(|group| {
            let firsts = group.iter();
            firsts.flat_map(|&first| group.range(first + 1..).map(move |&second| (first, second)))
        });
        Self(pairs.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_chain_connects_is_closed() {
        let pairs = [(0, 1), (2, 3), (1, 2), (5, 6)];
        let closed = Duplicates::new(pairs.into()).closed();
        let expected = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (5, 6)];
        assert_eq!(closed, Duplicates(expected.into()));
    }
}
