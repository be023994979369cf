//! Noise in the training rows, and what leaks into dev and test.

use std::collections::{BTreeMap, HashSet};

use pairmill_hygiene::{Hygiene, Kind, Options, Place, Severity, Split, TableKind, kind};

use super::inputs::Inputs;

/// What is looked for: what is cheap and bears on training and on the figures. The rest is for
/// `pairmill-generate check`.
const KINDS: [&str; 15] = [
    "exact_duplicate",
    "near_duplicate",
    "leakage",
    "near_leakage",
    "trailing_word",
    "conflicting_label",
    "positive_as_negative",
    "unjudged_duplicate",
    "unknown_id",
    "empty_text",
    "mojibake",
    "replacement_character",
    "control_character",
    "html_markup",
    "category_spelling",
];
/// A repeated row teaches nothing new, and nothing wrong.
const HARMLESS: [&str; 2] = ["exact_duplicate", "near_duplicate"];

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Quality {
    pub rows: usize,
    /// Training rows that teach what is wrong or damaged.
    pub noisy: usize,
    /// Training rows that say what an earlier one says.
    pub repeated: usize,
    pub dev: usize,
    /// Dev queries that stand in the training rows, and those that nearly do.
    pub leaked: usize,
    pub nearly_leaked: usize,
    /// Test queries that stand in the training rows or in dev.
    pub leaked_to_test: usize,
    /// Passages of the corpus that duplicate a relevant one and are not judged.
    pub unjudged: usize,
    /// Training rows of each kind that counts as noise, most first.
    pub noise: Vec<(&'static Kind, usize)>,
}

/// Looks through all tables.
pub(super) fn look_through(inputs: &Inputs) -> Quality {
    let tables: Vec<_> = inputs
        .tables
        .iter()
        .map(|input| input.info.clone())
        .collect();
    let kinds: Vec<&'static Kind> = KINDS.iter().filter_map(|name| kind(name)).collect();
    let mut hygiene = Hygiene::new(tables, &Options::default(), &kinds);
    for (number, input) in inputs.tables.iter().enumerate() {
        input
            .batches()
            .for_each(|batch| hygiene.add(number, &batch));
    }
    let rows_of = |hygiene: &Hygiene, split: Split| -> u64 {
        let tables = hygiene.tables().iter().zip(hygiene.rows());
        let of_split = tables.filter(|(table, _)| table.split == Some(split));
        of_split.map(|(_, rows)| rows).sum()
    };
    let mut quality = Quality {
        rows: rows_of(&hygiene, Split::Train) as usize,
        dev: rows_of(&hygiene, Split::Dev) as usize,
        ..Quality::default()
    };
    let tables = hygiene.tables().to_vec();
    let found = hygiene.finish();
    let mut places: BTreeMap<(&str, Option<Split>), HashSet<Place>> = BTreeMap::new();
    let (mut noisy, mut unjudged) = (HashSet::new(), HashSet::new());
    for finding in &found.findings {
        let table = &tables[finding.place.table as usize];
        let name = finding.kind.name;
        let of_kind = places.entry((name, table.split)).or_default();
        of_kind.insert(finding.place);
        let is_noise = finding.kind.severity >= Severity::Warning && !HARMLESS.contains(&name);
        if is_noise && table.split == Some(Split::Train) {
            noisy.insert(finding.place);
        }
        if name == "unjudged_duplicate" && table.kind == TableKind::Corpus {
            unjudged.insert(finding.place);
        }
    }
    let count = |name: &'static str, split| {
        let places = places.get(&(name, Some(split)));
        places.map_or(0, HashSet::len)
    };
    quality.noisy = noisy.len();
    quality.unjudged = unjudged.len();
    quality.repeated = count("exact_duplicate", Split::Train);
    quality.leaked = count("leakage", Split::Dev);
    quality.nearly_leaked = count("near_leakage", Split::Dev);
    quality.leaked_to_test = count("leakage", Split::Test);
    let of_noise = kinds
        .iter()
        .filter(|kind| kind.severity >= Severity::Warning && !HARMLESS.contains(&kind.name));
    quality.noise = of_noise
        .map(|&kind| (kind, count(kind.name, Split::Train)))
        .filter(|(_, rows)| *rows > 0)
        .collect();
    quality
        .noise
        .sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    quality
}
