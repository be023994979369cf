//! One text under two ids.

use pairmill_schema::{TextKey, hash_key};
use rustc_hash::FxHashSet;

use super::{Check, TableCheck, Watch};
use crate::finding::{Finding, Found};
use crate::firsts::Firsts;
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Role, Table, TableKind};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&TWO_IDS],
    start,
});

/// A positive that stands under two ids.
pub static TWO_IDS: Kind = Kind {
    name: "two_ids",
    title: "positives, passages and queries that stand under another id elsewhere",
    family: Family::Contradictions,
    severity: Severity::Error,
    remedy: "give a text one id: the other one counts as wrong where it is found",
    fix: Fix::None,
};

fn start(tables: &[Table], _: &Options) -> Option<Box<dyn Watch>> {
    let any = tables.iter().any(|table| table.is_checked);
    any.then(|| Box::<TwoIds>::default() as Box<dyn Watch>)
}

#[derive(Default)]
struct TwoIds {
    ids: Firsts<TextKey, [u8; 16]>,
    /// Each other id of a text is told of once in a table.
    told: FxHashSet<(u32, TextKey, [u8; 16])>,
    found: Vec<Finding>,
}

impl Watch for TwoIds {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        if !info.is_checked {
            return;
        }
        let of_role = |role| info.columns_of(role);
        // Elsewhere the id of a query is that of its row.
        let queries = of_role(Role::Query).filter(|_| info.kind == TableKind::Queries);
        let passages = of_role(Role::Passage).filter(|_| info.kind != TableKind::Qa);
        for column in queries.chain(passages).chain(of_role(Role::Negative)) {
            let Some(ids) = &batch.ids[column] else {
                continue;
            };
            let title = match info.kind {
                TableKind::Corpus => of_role(Role::Title).next(),
                _ => None,
            };
            for (row, id) in ids.iter().enumerate() {
                let text = batch.texts[column][row];
                if id.is_empty() || text.trim().is_empty() {
                    continue;
                }
                let text = match title {
                    Some(title) => {
                        TextKey::identical(&format!("{} {text}", batch.texts[title][row]))
                    }
                    None => TextKey::identical(text),
                };
                let id = hash_key(id.as_bytes());
                let place = Place::new(table, batch.first + row);
                let first = self.ids.other(text, id, place, column);
                let first = first.filter(|_| self.told.insert((place.table, text, id)));
                if let Some(first) = first {
                    let row = first.place.row + 1;
                    let detail = format!("row {row} has the same text under another id");
                    let finding = first.finding(&TWO_IDS, (place, column), detail);
                    self.found.push(finding);
                }
            }
        }
    }

    fn finish(self: Box<Self>, _: &[Table], found: &mut Found) {
        found.findings.extend(self.found);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{corpus, findings, pairs};

    #[test]
    fn a_positive_has_one_id() {
        let rows = pairs(&[
            ("q1", "p1", "Hold the button"),
            ("q2", "p1", "Hold the button"),
            ("q3", "p2", "Hold  the button"),
            ("q4", "p2", "Hold  the button"),
            ("q5", "p3", "hold the button"),
        ]);
        assert_eq!(findings(&rows, "two_ids"), [(3, Some(1))]);
    }

    #[test]
    fn a_passage_is_its_title_and_its_text() {
        let rows = corpus(&[("1", "A", "same"), ("2", "B", "same"), ("3", "A", "same")]);
        assert_eq!(findings(&rows, "two_ids"), [(3, Some(1))]);
    }
}
