//! The same text under two labels.

use pairmill_schema::TextKey;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{Check, TableCheck, Watch};
use crate::finding::Found;
use crate::firsts::{First, Firsts};
use crate::keys::{Joint, text_key};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Role, Table, TableKind};

use super::exact_duplicates::chief_column;

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&CONFLICTING_LABEL],
    start,
});

/// A text that stands under two labels.
pub static CONFLICTING_LABEL: Kind = Kind {
    name: "conflicting_label",
    title: "rows whose text stands under another label elsewhere",
    family: Family::Contradictions,
    severity: Severity::Error,
    remedy: "decide for one label, or see whether the labels overlap",
    fix: Fix::None,
};

/// The label from which on two texts count as the same, as in `generate pairs`.
const POSITIVE: f64 = 0.5;

fn start(tables: &[Table], _: &Options) -> Option<Box<dyn Watch>> {
    let any = tables.iter().any(is_labelled);
    any.then(|| Box::<ConflictingLabels>::default() as Box<dyn Watch>)
}

fn is_labelled(table: &Table) -> bool {
    let has_labels = matches!(table.kind, TableKind::Labeled | TableKind::Qrels);
    table.is_checked && (table.category.is_some() || has_labels)
}

#[derive(Default)]
struct ConflictingLabels {
    /// The labels of texts.
    of_texts: Firsts<Joint, u32>,
    /// The labels as they stand, by their forms.
    labels: FxHashMap<TextKey, u32>,
    names: Vec<String>,
    found: Vec<(Place, First<u32>, u32)>,
}

impl ConflictingLabels {
    fn label(&mut self, name: &str) -> u32 {
        let names = &mut self.names;
        *self
            .labels
            .entry(TextKey::equivalent(name))
            .or_insert_with(|| {
                names.push(name.trim().to_owned());
                names.len() as u32 - 1
            })
    }
}

impl Watch for ConflictingLabels {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        if !is_labelled(info) {
            return;
        }
        let keys: Vec<Option<Joint>> = (0..batch.rows())
            .into_par_iter()
            .map(|row| key(info, batch, row))
            .collect();
        for (row, key) in keys.into_iter().enumerate() {
            let Some(key) = key else { continue };
            let label = match (&batch.category, &batch.score) {
                (Some(categories), _) => self.label(categories[row]),
                (None, Some(scores)) if info.kind == TableKind::Labeled => {
                    self.label(match scores[row] >= POSITIVE {
                        true => "the same",
                        false => "not the same",
                    })
                }
                (None, Some(scores)) => self.label(&scores[row].to_string()),
                (None, None) => continue,
            };
            let place = Place::new(table, batch.first + row);
            let column = chief_column(info);
            if let Some(first) = self.of_texts.other(key, label, place, column) {
                self.found.push((place, first, label));
            }
        }
    }

    fn finish(self: Box<Self>, _: &[Table], found: &mut Found) {
        for (place, first, label) in self.found {
            let [label, of_first] = [label, first.value].map(|label| &self.names[label as usize]);
            let row = first.place.row + 1;
            let detail = format!("labelled `{label}` here and `{of_first}` in row {row}");
            let column = usize::from(first.column);
            let finding = first.finding(&CONFLICTING_LABEL, (place, column), detail);
            found.findings.push(finding);
        }
    }
}

fn key(info: &Table, batch: &Batch, row: usize) -> Option<Joint> {
    let mut parts = Vec::new();
    let mut is_blank = true;
    for (column, texts) in info.texts.iter().zip(&batch.texts) {
        let text = texts[row];
        match column.role {
            Role::Other => continue,
            Role::Id => parts.push(TextKey::identical(text)),
            role => parts.push(text_key(text, role)),
        }
        is_blank &= text.trim().is_empty();
    }
    let mut key = Joint::default();
    for part in &parts {
        key.push(part.as_bytes());
    }
    (!is_blank).then_some(key)
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, labeled, tickets};

    #[test]
    fn a_text_under_two_categories_is_found() {
        let rows = tickets(&[
            ("Cancel order", "orders"),
            ("cancel order!", "Orders"),
            ("cancel order", "refunds"),
            ("other", "refunds"),
        ]);
        assert_eq!(findings(&rows, "conflicting_label"), [(3, Some(1))]);
    }

    #[test]
    fn a_pair_labelled_both_ways_is_found_and_grades_of_similarity_are_none() {
        let rows = labeled(&[("a", "b", 1.0), ("A", "b", 0.0), ("a", "c", 0.6), ("a", "c", 0.9)]);
        assert_eq!(findings(&rows, "conflicting_label"), [(2, Some(1))]);
    }
}
