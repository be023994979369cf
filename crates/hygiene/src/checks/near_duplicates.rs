//! Texts that are nearly the same, in one table or in two splits.

use pairmill_schema::TextKey;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{Check, TableCheck, Watch};
use crate::finding::{Finding, Found};
use crate::keys::letters_key;
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::set_join::{Pair, Sets, join};
use crate::table::{Batch, Place, Role, Split, Table};
use crate::word_sets::{SHORT, WordSets};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&NEAR_DUPLICATE, &NEAR_LEAKAGE],
    start,
});

/// A text that is nearly an earlier one.
pub static NEAR_DUPLICATE: Kind = Kind {
    name: "near_duplicate",
    title: "pairs of texts that are nearly the same",
    family: Family::Duplicates,
    severity: Severity::Note,
    remedy: "see whether the difference matters; `--fix near_duplicate` drops the later ones",
    fix: Fix::Drop,
};

/// A text of a later split that is nearly one of an earlier split.
pub static NEAR_LEAKAGE: Kind = Kind {
    name: "near_leakage",
    title: "rows whose text is nearly one of an earlier split",
    family: Family::Leakage,
    severity: Severity::Warning,
    remedy: "keep such texts in one split; `--fix near_leakage` drops them from the checked table",
    fix: Fix::Drop,
};

/// Texts that one is compared with at most in the findings, so that a million texts of one template
/// do not make a trillion pairs.
const PARTNERS: usize = 100;

fn start(tables: &[Table], options: &Options) -> Option<Box<dyn Watch>> {
    let has_texts = |table: &Table| table.texts.iter().any(|column| column.role.is_read());
    let threshold = options.near_duplicates;
    tables.iter().any(has_texts).then(|| {
        let groups = [Role::Query, Role::Passage].map(|role| Group {
            role,
            threshold,
            ..Group::default()
        });
        Box::new(NearDuplicates { groups }) as Box<dyn Watch>
    })
}

struct NearDuplicates {
    /// Texts that ask and texts that answer are not compared.
    groups: [Group; 2],
}

impl Default for Group {
    fn default() -> Self {
        Self {
            role: Role::Query,
            threshold: 0.8,
            nodes: Vec::new(),
            short: Sets::default(),
            of_short: Vec::new(),
            long: Sets::default(),
            of_long: Vec::new(),
        }
    }
}

/// Texts of one role.
struct Group {
    role: Role,
    threshold: f64,
    nodes: Vec<Node>,
    short: Sets,
    /// The node of each set of words.
    of_short: Vec<u32>,
    long: Sets,
    /// The node of each set of runs.
    of_long: Vec<u32>,
}

/// A text.
#[derive(Debug, Clone, Copy)]
struct Node {
    place: Place,
    column: u8,
    is_short: bool,
    /// What texts share that are reported as the same by others.
    same: u64,
    /// What texts share that leak as they stand.
    letters: u64,
}

impl Watch for NearDuplicates {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        for group in &mut self.groups {
            for column in info.columns_of(group.role) {
                group.add(table, info, batch, column);
            }
        }
    }

    fn finish(self: Box<Self>, tables: &[Table], found: &mut Found) {
        for group in self.groups {
            group.finish(tables, found);
        }
    }
}

impl Group {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch, column: usize) {
        let can_leak = info.split.is_some() && self.role == Role::Query;
        let sets: Vec<(WordSets, Node)> = batch.texts[column]
            .par_iter()
            .enumerate()
            .map(|(row, text)| {
                let sets = WordSets::new(text, self.threshold);
                let node = Node {
                    place: Place::new(table, batch.first + row),
                    column: u8::try_from(column).expect("texts have few columns"),
                    is_short: sets.distinct < SHORT,
                    same: match self.role {
                        Role::Query => sets.sequence,
                        _ => half(TextKey::identical(text)),
                    },
                    letters: if can_leak { half(letters_key(text)) } else { 0 },
                };
                (sets, node)
            })
            .collect();
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for (sets, node) in &sets {
            let number = self.nodes.len() as u32;
            self.nodes.push(*node);
            if let Some(words) = &sets.words {
                self.of_short.push(number);
                short.push(words.as_slice());
            }
            if let Some(runs) = &sets.runs {
                self.of_long.push(number);
                long.push(runs.as_slice());
            }
        }
        self.short.extend(&short);
        self.long.extend(&long);
    }

    fn finish(self, tables: &[Table], found: &mut Found) {
        let Self {
            nodes,
            threshold,
            short,
            of_short,
            long,
            of_long,
            ..
        } = self;
        let mut cut = 0;
        for (sets, of, by) in [(short, of_short, Unit::Words), (long, of_long, Unit::Runs)] {
            let classes = Classes::new(&sets);
            let joined = join(&sets, &classes.first, threshold, PARTNERS);
            drop(sets);
            cut += joined.cut;
            let reporter = Reporter {
                tables,
                nodes: &nodes,
                of: &of,
                classes: &classes,
                by,
            };
            reporter.equal_sets(found);
            reporter.pairs(&joined.pairs, found);
        }
        if cut > 0 {
            found.remarks.push(format!(
                "{cut} texts have more than {PARTNERS} near-duplicates; the {PARTNERS} nearest in \
                 length are listed of each"
            ));
        }
    }
}

/// What texts are cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Words,
    Runs,
}

/// Sets that are equal count as one.
struct Classes {
    /// The first set of each class, in ascending order.
    first: Vec<u32>,
    /// The sets of each class of more than one, by the first.
    members: FxHashMap<u32, Vec<u32>>,
}

impl Classes {
    fn new(sets: &Sets) -> Self {
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

struct Reporter<'a> {
    tables: &'a [Table],
    nodes: &'a [Node],
    of: &'a [u32],
    classes: &'a Classes,
    by: Unit,
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
    fn equal_sets(&self, found: &mut Found) {
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

    fn pairs(&self, pairs: &[Pair], found: &mut Found) {
        for pair in pairs {
            let [one, other] = [pair.first, pair.second]
                .map(|first| self.members(first).collect::<Vec<&Node>>());
            if !self.is_ours(one[0], other[0]) {
                continue;
            }
            let similarity = f64::from(pair.similarity);
            let mut told: FxHashMap<(u32, u8), ()> = FxHashMap::default();
            for node in &one {
                let spot = (node.place.table, node.column);
                if !self.is_checked(node) || told.insert(spot, ()).is_some() {
                    continue;
                }
                let beside = other
                    .iter()
                    .find(|other| (other.place.table, other.column) == spot);
                if let Some(beside) = beside {
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

    fn near_duplicate(&self, node: &Node, first: &Node, similarity: f64) -> Finding {
        let detail = format!(
            "{} row {}",
            self.alike(similarity),
            first.place.row + 1
        );
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
            false => format!("{:.0} % of the {what} are those of", (similarity * 100.0).floor()),
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
                found.also_dropped.push((other.place, &NEAR_LEAKAGE, reason));
            }
        }
    }

    fn split_name(&self, node: &Node) -> &str {
        &self.tables[node.place.table as usize].name
    }
}

/// The first half of a key: two of a million texts share it once in 37 million runs.
fn half(key: TextKey) -> u64 {
    u128::from(key) as u64
}

#[cfg(test)]
mod tests {
    use crate::table::Split;
    use crate::testing::{findings, held_out, queries, tickets};

    #[test]
    fn short_texts_are_compared_by_words() {
        let rows = tickets(&[
            ("my card was declined at the till this morning again", "a"),
            ("my card was declined at the shop this morning again", "a"),
            ("my card was lost", "a"),
        ]);
        // 9 of 11 words.
        assert_eq!(findings(&rows, "near_duplicate"), [(2, Some(1))]);
    }

    #[test]
    fn what_is_the_same_is_not_nearly_the_same() {
        let rows = tickets(&[
            ("My card was declined", "a"),
            ("my card was declined!", "a"),
            ("declined was my card", "a"),
            ("declined was my card", "a"),
        ]);
        assert_eq!(findings(&rows, "near_duplicate"), [(3, Some(1))]);
    }

    #[test]
    fn long_texts_are_compared_by_runs_of_five_words() {
        let text = |changed: usize| {
            let words = (0..100).map(|n| match n == changed {
                true => "changed".to_owned(),
                false => format!("word{n}"),
            });
            words.collect::<Vec<_>>().join(" ")
        };
        // 91 of 101 runs are shared with the first; 86 of 106 among the others.
        let shuffled: Vec<String> = (0..100).map(|n| format!("word{}", n * 7 % 100)).collect();
        let texts = [text(999), text(50), text(20), shuffled.join(" ")];
        let rows: Vec<(&str, &str)> = texts.iter().map(|text| (text.as_str(), "a")).collect();
        let found = findings(&tickets(&rows), "near_duplicate");
        assert_eq!(found, [(2, Some(1)), (3, Some(1)), (3, Some(2))]);
    }

    #[test]
    fn a_text_that_differs_in_punctuation_leaks_nearly() {
        let train = queries(&["How do I unblock it", "where is my card, please"]);
        let test = queries(&["how do i unblock it", "Where is my card please", "other"]);
        let tables = [train, held_out(test, Split::Test)].concat();
        assert_eq!(findings(&tables, "near_leakage"), [(2, Some(2))]);
        assert_eq!(findings(&tables, "leakage"), [(1, Some(1))]);
        assert_eq!(findings(&tables, "near_duplicate"), []);
    }
}
