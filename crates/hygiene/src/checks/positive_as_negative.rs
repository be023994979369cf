//! Texts that are called right and wrong for the same query.

use rustc_hash::FxHashMap;

use super::{Check, TableCheck, Watch};
use crate::finding::{Finding, Found};
use crate::keys::{Joint, text_key};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Role, Table, TableKind};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&POSITIVE_AS_NEGATIVE],
    start,
});

/// A negative that is a positive of the same query.
pub static POSITIVE_AS_NEGATIVE: Kind = Kind {
    name: "positive_as_negative",
    title: "negatives that are a positive of the same query elsewhere",
    family: Family::Contradictions,
    severity: Severity::Error,
    remedy: "`--fix positive_as_negative` drops these rows",
    fix: Fix::Drop,
};

fn start(tables: &[Table], _: &Options) -> Option<Box<dyn Watch>> {
    let any = tables
        .iter()
        .any(|table| table.is_checked && table.kind == TableKind::Triplets);
    any.then(|| Box::<PositiveAsNegative>::default() as Box<dyn Watch>)
}

#[derive(Default)]
struct PositiveAsNegative {
    positives: FxHashMap<Joint, (Place, usize)>,
    negatives: Vec<(Joint, Place, usize)>,
}

impl Watch for PositiveAsNegative {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        if !info.is_checked || info.kind != TableKind::Triplets {
            return;
        }
        let Some(query) = info.columns_of(Role::Query).next() else {
            return;
        };
        for row in 0..batch.rows() {
            let place = Place::new(table, batch.first + row);
            let anchor = text_key(batch.texts[query][row], Role::Query);
            let pair = |column: usize| {
                let text = batch.texts[column][row];
                Joint::of(anchor.as_bytes(), text_key(text, Role::Passage).as_bytes())
            };
            for column in info.columns_of(Role::Passage) {
                let first = (place, column);
                self.positives.entry(pair(column)).or_insert(first);
            }
            for column in info.columns_of(Role::Negative) {
                if !batch.texts[column][row].trim().is_empty() {
                    self.negatives.push((pair(column), place, column));
                }
            }
        }
    }

    fn finish(self: Box<Self>, _: &[Table], found: &mut Found) {
        for (key, place, column) in self.negatives {
            if let Some(&(other, of_positive)) = self.positives.get(&key) {
                let detail = format!("a positive of the same query in row {}", other.row + 1);
                let finding = Finding::new(&POSITIVE_AS_NEGATIVE, place, detail);
                found
                    .findings
                    .push(finding.in_column(column).beside(other, of_positive));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, triplets};

    #[test]
    fn a_positive_of_another_row_is_no_negative_of_its_query() {
        let rows = triplets(&[
            ("q", "right", "wrong"),
            ("Q?", "also right", "right"),
            ("other", "wrong", "right"),
            ("q", "right", ""),
        ]);
        assert_eq!(findings(&rows, "positive_as_negative"), [(2, Some(1))]);
    }
}
