use rand::Rng;
use rand::seq::index;

/// Members of groups from which negatives are drawn: any member of another group.
#[derive(Debug)]
pub(crate) struct NegativePool {
    /// The members, group after group.
    members: Vec<u32>,
    /// Where each group starts, and where the last one ends.
    starts: Vec<usize>,
}

impl NegativePool {
    pub fn new(groups: impl Iterator<Item = Vec<u32>>) -> Self {
        let mut pool = Self {
            members: Vec::new(),
            starts: vec![0],
        };
        for group in groups {
            pool.members.extend(group);
            pool.starts.push(pool.members.len());
        }
        pool
    }

    /// Draws `wanted` different members outside the groups `excluded` (in ascending order), each
    /// equally likely; all of them where there are fewer.
    pub fn draw(&self, excluded: &[u32], wanted: usize, chance: &mut impl Rng) -> Vec<u32> {
        let range = |group: u32| self.starts[group as usize]..self.starts[group as usize + 1];
        let barred: usize = excluded.iter().map(|&group| range(group).len()).sum();
        let eligible = self.members.len() - barred;
        index::sample(chance, eligible, wanted.min(eligible))
            .into_iter()
            .map(|drawn| {
                // The n-th eligible member stands behind the barred groups before it.
                let at = excluded.iter().fold(drawn, |at, &group| {
                    if at >= range(group).start {
                        at + range(group).len()
                    } else {
                        at
                    }
                });
                self.members[at]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::draw;

    #[test]
    fn every_member_outside_is_drawn_and_none_inside() {
        let groups = [vec![1, 2], vec![], vec![3], vec![4, 5, 6], vec![7]];
        let pool = NegativePool::new(groups.iter().cloned());
        let mut chance = draw::generator(1, "test", &[]);
        let mut drawn = |excluded: &[u32], wanted| pool.draw(excluded, wanted, &mut chance);
        let all = |drawn: Vec<u32>| drawn.into_iter().collect::<BTreeSet<_>>();
        assert_eq!(all(drawn(&[0], 99)), BTreeSet::from([3, 4, 5, 6, 7]));
        assert_eq!(all(drawn(&[1, 3], 99)), BTreeSet::from([1, 2, 3, 7]));
        assert_eq!(all(drawn(&[0, 2, 4], 99)), BTreeSet::from([4, 5, 6]));
        assert!(drawn(&[0, 1, 2, 3, 4], 99).is_empty());
        assert_eq!(all(drawn(&[3], 2)).len(), 2);
    }
}
