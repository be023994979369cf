//! Texts that are nearly the same, in one table or in two splits.

mod report;

use pairmill_schema::{Sameness, TextKey};
use rayon::prelude::*;

use super::{Check, TableCheck, Watch};
use crate::finding::Found;
use crate::keys::{letters_key, sameness};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::set_join::{Sets, join};
use crate::table::{Batch, Place, Role, Table, TableKind};
use crate::word_sets::{SHORT, WordSets};
use report::{Classes, Reporter, Unit};

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
        // As others report it: queries that are one but for letter case and signs have ids each.
        let sameness = match info.kind {
            TableKind::Queries => Sameness::Identical,
            _ => sameness(self.role),
        };
        let sets: Vec<(WordSets, Node)> = batch.texts[column]
            .par_iter()
            .enumerate()
            .map(|(row, text)| {
                let sets = WordSets::new(text, self.threshold);
                let node = Node {
                    place: Place::new(table, batch.first + row),
                    column: u8::try_from(column).expect("texts have few columns"),
                    is_short: sets.distinct < SHORT,
                    same: half(TextKey::new(text, sameness)),
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
    fn texts_that_differ_in_signs_that_count_are_two_of_the_same_words() {
        let rows = tickets(&[
            ("how do I sort a list in C++ here", "a"),
            ("how do I sort a list in C# here", "a"),
        ]);
        assert_eq!(findings(&rows, "exact_duplicate"), []);
        assert_eq!(findings(&rows, "near_duplicate"), [(2, Some(1))]);
    }

    #[test]
    fn queries_that_differ_in_case_and_signs_are_two_of_the_same_words() {
        let rows = queries(&["My card was lost", "my card was lost!", "my card was lost!"]);
        assert_eq!(findings(&rows, "near_duplicate"), [(2, Some(1))]);
        assert_eq!(findings(&rows, "two_ids"), [(3, Some(2))]);
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
    fn a_short_text_is_held_against_each_long_one_of_the_same_words() {
        let text = |words: &mut dyn Iterator<Item = usize>| -> String {
            let words = words.map(|n| format!("word{n}"));
            words.collect::<Vec<_>>().join(" ")
        };
        // By their runs the long ones have nothing in common.
        let long = [text(&mut (0..51)), text(&mut (0..51).rev())];
        let short = text(&mut (0..48));
        let rows = [(&*long[0], "a"), (&*long[1], "a"), (&*short, "a")];
        let found = findings(&tickets(&rows), "near_duplicate");
        assert_eq!(found, [(3, Some(1)), (3, Some(2))]);
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
