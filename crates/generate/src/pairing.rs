/// Returns pairs of different members of one group, each unordered pair at most once, no more than
/// `limit`, in time and memory linear in the members and the pairs taken.
///
/// Each group is a circle. Round r pairs every member with the one r places on, so a group of n
/// has n pairs a round while r < n/2, n/2 pairs when r = n/2, and none beyond: all n(n-1)/2 in
/// the end. Within a round the groups take turns, so that a limit cuts all of them alike.
/// Shuffle the groups first: who meets whom is their order.
pub(crate) fn circular_pairs(groups: &[Vec<u32>], rounds: usize, limit: usize) -> Vec<(u32, u32)> {
    let mut by_size: Vec<&Vec<u32>> = groups.iter().collect();
    by_size.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let mut pairs = Vec::new();
    for round in 1..=rounds {
        // Larger groups have more pairs in any round, so the groups still in it are a prefix.
        let mut active = by_size.as_slice();
        for at in 0.. {
            while let Some((last, larger)) = active.split_last()
                && pairs_in_round(last.len(), round) <= at
            {
                active = larger;
            }
            if active.is_empty() {
                if at == 0 {
                    return pairs;
                }
                break;
            }
            for group in active {
                if pairs.len() == limit {
                    return pairs;
                }
                pairs.push((group[at], group[(at + round) % group.len()]));
            }
        }
    }
    pairs
}

fn pairs_in_round(members: usize, round: usize) -> usize {
    match (2 * round).cmp(&members) {
        std::cmp::Ordering::Less => members,
        std::cmp::Ordering::Equal => round,
        std::cmp::Ordering::Greater => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn groups(sizes: &[u32]) -> Vec<Vec<u32>> {
        let mut next = 0;
        sizes
            .iter()
            .map(|&size| {
                next += size;
                (next - size..next).collect()
            })
            .collect()
    }

    #[test]
    fn without_limit_every_pair_of_a_group_comes_once() {
        let groups = groups(&[1, 2, 3, 4, 7, 0, 10]);
        let pairs = circular_pairs(&groups, usize::MAX / 2, usize::MAX);
        let unordered: BTreeSet<_> = pairs.iter().map(|&(a, b)| (a.min(b), a.max(b))).collect();
        assert_eq!(unordered.len(), pairs.len(), "no pair comes twice");
        assert_eq!(pairs.len(), 1 + 3 + 6 + 21 + 45);
        for (a, b) in unordered {
            assert_ne!(a, b);
            assert!(
                groups
                    .iter()
                    .any(|group| group.contains(&a) && group.contains(&b))
            );
        }
    }

    #[test]
    fn a_limit_cuts_all_groups_alike() {
        let groups = groups(&[1_000, 5, 400, 3]);
        let pairs = circular_pairs(&groups, 10, 40);
        assert_eq!(pairs.len(), 40);
        let mut taken = BTreeMap::new();
        for (a, _) in pairs {
            let group = groups.iter().position(|group| group.contains(&a)).unwrap();
            *taken.entry(group).or_insert(0) += 1;
        }
        assert_eq!(taken.into_values().collect::<Vec<_>>(), [16, 5, 16, 3]);
    }

    #[test]
    fn one_round_gives_each_member_a_partner() {
        let pairs = circular_pairs(&groups(&[5, 2]), 1, usize::MAX);
        let anchors: BTreeSet<_> = pairs.iter().map(|pair| pair.0).collect();
        assert_eq!(anchors, BTreeSet::from([0, 1, 2, 3, 4, 5]));
    }
}
