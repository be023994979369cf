//! What becomes of texts that are alike: findings in one table, or between splits.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{NEAR_DUPLICATE, NEAR_LEAKAGE, Node};
use crate::finding::{Finding, Found};
use crate::kind::Kind;
use crate::set_join::{Pair, Sets};
use crate::table::{Split, Table};

/// What texts are cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Words,
    Runs,
}

/// Sets that are equal count as one.
pub(super) struct Classes {
    /// The first set of each class, in ascending order.
    pub first: Vec<u32>,
    /// The sets of each class of more than one, by the first.
    members: FxHashMap<u32, Vec<u32>>,
}

impl Classes {
    pub fn new(sets: &Sets) -> Self {
        // Sets of one hash are equal but for one time in as many as there are atoms; those few are
        // told apart.
        let mut by_hash: FxHashMap<u64, u32> = FxHashMap::default();
        let mut classes = Self {
            first: Vec::new(),
            members: FxHashMap::default(),
        };
        for number in 0..sets.len() as u32 {
            let set = sets.get(number);
            if set.is_empty() {
                continue;
            }
            let hash = hash_of(set);
            match by_hash.get(&hash) {
                Some(&first) if sets.get(first) == set => {
                    let members = classes.members.entry(first);
                    members.or_insert_with(|| vec![first]).push(number);
                }
                Some(_) => classes.first.push(number),
                None => {
                    by_hash.insert(hash, number);
                    classes.first.push(number);
                }
            }
        }
        classes
    }

    fn members(&self, first: u32) -> &[u32] {
        self.members.get(&first).map_or(&[], Vec::as_slice)
    }
}

fn hash_of(set: &[u32]) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = rustc_hash::FxHasher::default();
    set.hash(&mut hasher);
    hasher.finish()
}

pub(super) struct Reporter<'a> {
    pub tables: &'a [Table],
    pub nodes: &'a [Node],
    /// The node of each set.
    pub of: &'a [u32],
    pub classes: &'a Classes,
    pub by: Unit,
}

impl Reporter<'_> {
    fn node(&self, set: u32) -> &Node {
        &self.nodes[self.of[set as usize] as usize]
    }

    /// The nodes of a class.
    fn members(&self, first: u32) -> impl Iterator<Item = &Node> {
        let members = self.classes.members(first);
        let alone = members.is_empty().then_some(first);
        (alone.into_iter())
            .chain(members.iter().copied())
            .map(|set| self.node(set))
    }

    fn is_checked(&self, node: &Node) -> bool {
        self.tables[node.place.table as usize].is_checked
    }

    fn split(&self, node: &Node) -> Option<Split> {
        self.tables[node.place.table as usize].split
    }

    /// Whether both are short or none, as this join has it.
    fn is_ours(&self, one: &Node, other: &Node) -> bool {
        (one.is_short || other.is_short) == (self.by == Unit::Words)
    }

    /// Texts of the same words in another order, or written otherwise.
    pub fn equal_sets(&self, found: &mut Found) {
        let mut classes: Vec<u32> = self.classes.members.keys().copied().collect();
        classes.sort_unstable();
        for class in classes {
            let nodes: Vec<&Node> = self.members(class).collect();
            if !self.is_ours(nodes[0], nodes[0]) {
                continue;
            }
            let mut first_of: FxHashMap<(u32, u8), &Node> = FxHashMap::default();
            let mut told: FxHashMap<(u32, u8, u64), ()> = FxHashMap::default();
            for node in &nodes {
                let spot = (node.place.table, node.column);
                let first = *first_of.entry(spot).or_insert(node);
                let is_new = told.insert((spot.0, spot.1, node.same), ()).is_none();
                if self.is_checked(node) && first.same != node.same && is_new {
                    found.findings.push(self.near_duplicate(node, first, 1.0));
                }
            }
            self.leaks(&nodes, &nodes, 1.0, found);
        }
    }

    pub fn pairs(&self, pairs: &[Pair], found: &mut Found) {
        for pair in pairs {
            let [one, other] =
                [pair.first, pair.second].map(|first| self.members(first).collect::<Vec<&Node>>());
            if !self.is_ours(one[0], other[0]) {
                continue;
            }
            let similarity = f64::from(pair.similarity);
            for node in self.apart(&one).filter(|node| self.is_checked(node)) {
                let is_beside = |other: &&Node| {
                    other.place.table == node.place.table && other.column == node.column
                };
                for beside in self.apart(&other).filter(is_beside) {
                    let (early, late) = match node.place < beside.place {
                        true => (node, beside),
                        false => (beside, node),
                    };
                    found
                        .findings
                        .push(self.near_duplicate(late, early, similarity));
                }
            }
            self.leaks(&one, &other, similarity, found);
            self.leaks(&other, &one, similarity, found);
        }
    }

    /// Returns the nodes of a class that are not named beside the first one of their column: long
    /// texts of the same words are, by their runs, no duplicates of each other.
    fn apart<'n>(&self, nodes: &'n [&'n Node]) -> impl Iterator<Item = &'n Node> + use<'n> {
        let mut told: FxHashSet<(u32, u8)> = FxHashSet::default();
        let by = self.by;
        let apart = nodes.iter().filter(move |node| {
            let is_first = told.insert((node.place.table, node.column));
            is_first || by == Unit::Words && !node.is_short
        });
        apart.copied()
    }

    fn near_duplicate(&self, node: &Node, first: &Node, similarity: f64) -> Finding {
        let detail = format!("{} row {}", self.alike(similarity), first.place.row + 1);
        self.finding(&NEAR_DUPLICATE, node, first, similarity, detail)
    }

    fn alike(&self, similarity: f64) -> String {
        let what = match self.by {
            Unit::Words => "words",
            Unit::Runs => "runs of five words",
        };
        match similarity >= 1.0 {
            true => format!("the same {what} as"),
            // Rounded down, so that nothing short of all is 100 %.
            false => format!(
                "{:.0} % of the {what} are those of",
                (similarity * 100.0).floor()
            ),
        }
    }

    fn finding(
        &self,
        kind: &'static Kind,
        node: &Node,
        other: &Node,
        similarity: f64,
        detail: String,
    ) -> Finding {
        let finding = Finding::new(kind, node.place, detail)
            .in_column(usize::from(node.column))
            .beside(other.place, usize::from(other.column));
        Finding {
            similarity: Some(similarity),
            ..finding
        }
    }

    /// Texts of `late` that are in a later split than one of `early`.
    fn leaks(&self, late: &[&Node], early: &[&Node], similarity: f64, found: &mut Found) {
        let splits = early.iter().filter_map(|node| self.split(node));
        let Some(earliest) = splits.min() else {
            return;
        };
        let mut leaked = None;
        for node in late {
            if self.split(node).is_none_or(|split| split <= earliest) {
                continue;
            }
            let is_earlier = |other: &&&Node| {
                self.split(other) < self.split(node) && self.split(other).is_some()
            };
            let mut earlier = early.iter().filter(is_earlier).peekable();
            let Some(&&first) = earlier.peek() else {
                continue;
            };
            // What stands there as it is leaks by itself.
            if earlier.any(|other| other.letters == node.letters) {
                continue;
            }
            let name = &self.tables[first.place.table as usize].name;
            let detail = format!(
                "{} row {} of {name}",
                self.alike(similarity),
                first.place.row + 1
            );
            found
                .findings
                .push(self.finding(&NEAR_LEAKAGE, node, first, similarity, detail));
            if !self.is_checked(node) {
                leaked = Some(node);
            }
        }
        let Some(leaked) = leaked else { return };
        // The table that is checked is the one that can be mended.
        for other in early {
            if self.is_checked(other) && self.split(other) < self.split(leaked) {
                let reason = format!("its text is nearly one of {}", self.split_name(leaked));
                found
                    .also_dropped
                    .push((other.place, &NEAR_LEAKAGE, reason));
            }
        }
    }

    fn split_name(&self, node: &Node) -> &str {
        &self.tables[node.place.table as usize].name
    }
}
