//! Rows that say the same.

use pairmill_schema::TextKey;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{Check, TableCheck, Watch};
use crate::finding::{Finding, Found};
use crate::keys::{Joint, text_key};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Role, Table, TableKind};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&EXACT_DUPLICATE],
    start,
});

/// A row that says what an earlier one says.
pub static EXACT_DUPLICATE: Kind = Kind {
    name: "exact_duplicate",
    title: "rows that say what an earlier row says",
    family: Family::Duplicates,
    severity: Severity::Warning,
    remedy: "keep one of them: `--fix exact_duplicate` drops the later ones",
    fix: Fix::DropSafely,
};

fn start(_: &[Table], _: &Options) -> Option<Box<dyn Watch>> {
    Some(Box::<ExactDuplicates>::default())
}

#[derive(Default)]
struct ExactDuplicates {
    /// The first row that says something, in the table that is read.
    first: FxHashMap<Joint, u32>,
    table: usize,
    found: Vec<(Place, Place)>,
}

impl Watch for ExactDuplicates {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        if !info.is_checked {
            return;
        }
        if self.table != table {
            self.table = table;
            self.first.clear();
        }
        let keys: Vec<Option<Joint>> = (0..batch.rows())
            .into_par_iter()
            .map(|row| row_key(info, batch, row))
            .collect();
        for (row, key) in keys.into_iter().enumerate() {
            let place = Place::new(table, batch.first + row);
            let Some(key) = key else { continue };
            let first = *self.first.entry(key).or_insert(place.row);
            if first != place.row {
                self.found.push((place, Place { row: first, ..place }));
            }
        }
    }

    fn finish(self: Box<Self>, tables: &[Table], found: &mut Found) {
        for (place, first) in self.found {
            let table = &tables[place.table as usize];
            let column = chief_column(table);
            let says = match table.kind {
                TableKind::Tickets => "the same text with the same category",
                TableKind::Qa => "the same question with the same answer",
                TableKind::Pairs | TableKind::Triplets => "the same texts",
                TableKind::Labeled => "the same two texts with the same label",
                TableKind::Corpus => "the same passage",
                TableKind::Queries => "the same query",
                TableKind::Qrels => "the same judgement",
            };
            let detail = format!("row {} has {says}", first.row + 1);
            let finding = Finding::new(&EXACT_DUPLICATE, place, detail);
            found
                .findings
                .push(finding.in_column(column).beside(first, column));
        }
    }
}

/// The column by which a row is shown.
pub(crate) fn chief_column(table: &Table) -> usize {
    let of = |role| table.columns_of(role).next();
    of(Role::Query).or_else(|| of(Role::Passage)).unwrap_or(0)
}

/// What rows share that say the same; nothing for a row without a text.
fn row_key(info: &Table, batch: &Batch, row: usize) -> Option<Joint> {
    let mut key = Joint::default();
    let mut is_blank = true;
    for (column, texts) in info.texts.iter().zip(&batch.texts) {
        let text = texts[row];
        match column.role {
            Role::Other => continue,
            Role::Id => key.push(text.as_bytes()),
            role => key.push(text_key(text, role).as_bytes()),
        }
        is_blank &= text.trim().is_empty();
    }
    // Judgements know these by their ids: one text under two of them is for another check.
    if let (Some(Some(ids)), TableKind::Corpus | TableKind::Queries) =
        (batch.ids.get(chief_column(info)), info.kind)
    {
        key.push(ids[row].as_bytes());
    }
    if let Some(categories) = &batch.category {
        key.push(TextKey::equivalent(categories[row]).as_bytes());
    }
    if let (Some(scores), TableKind::Labeled | TableKind::Qrels) = (&batch.score, info.kind) {
        key.push(&scores[row].to_bits().to_le_bytes());
    }
    (!is_blank).then_some(key)
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, qa, tickets};

    #[test]
    fn a_row_that_says_the_same_is_found_beside_the_first() {
        let rows = tickets(&[
            ("Printer is broken", "hardware"),
            ("printer is  broken!", "Hardware"),
            ("Printer is broken", "billing"),
            ("Printer is not broken", "hardware"),
            ("Printer is broken", "hardware"),
        ]);
        let found = findings(&rows, "exact_duplicate");
        assert_eq!(found, [(2, Some(1)), (5, Some(1))]);
    }

    #[test]
    fn answers_count_as_they_stand() {
        let rows = qa(&[
            ("List files?", "ls -R"),
            ("list files", "ls -r"),
            ("list  files", "ls  -R"),
        ]);
        assert_eq!(findings(&rows, "exact_duplicate"), [(3, Some(1))]);
    }

    #[test]
    fn empty_rows_are_no_duplicates() {
        let rows = tickets(&[("", "a"), (" ", "a")]);
        assert_eq!(findings(&rows, "exact_duplicate"), []);
    }
}
