//! Columns that hold personal data whatever stands in them: names, customer numbers.

use super::{Check, TableCheck, Watch};
use crate::finding::{Finding, Found};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Table};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&PERSONAL_COLUMN],
    start,
});

/// A cell of a column that was named as personal.
pub static PERSONAL_COLUMN: Kind = Kind {
    name: "personal_column",
    title: "cells of the columns named by --personal-columns",
    family: Family::PersonalData,
    severity: Severity::Warning,
    remedy: "leave the column out, or `--anonymise` puts placeholders in place of its values, also \
             where they stand in the texts of the row",
    fix: Fix::None,
};

fn start(tables: &[Table], _: &Options) -> Option<Box<dyn Watch>> {
    let any = tables.iter().any(|table| !table.personal.is_empty());
    any.then(|| Box::<PersonalColumns>::default() as Box<dyn Watch>)
}

#[derive(Default)]
struct PersonalColumns {
    found: Vec<(Place, usize)>,
}

impl Watch for PersonalColumns {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        if !info.is_checked {
            return;
        }
        for &column in &info.personal {
            for (row, text) in batch.texts[column].iter().enumerate() {
                if !text.trim().is_empty() {
                    self.found.push((Place::new(table, batch.first + row), column));
                }
            }
        }
    }

    fn finish(self: Box<Self>, tables: &[Table], found: &mut Found) {
        for (place, column) in self.found {
            let name = &tables[place.table as usize].texts[column].name;
            let detail = format!("a value of the personal column `{name}`");
            let finding = Finding::new(&PERSONAL_COLUMN, place, detail).in_column(column);
            found.findings.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, with_personal_column};

    #[test]
    fn each_filled_cell_is_found() {
        let rows = with_personal_column(&[("I am Ann Example", "Ann Example"), ("hello", "")]);
        assert_eq!(findings(&rows, "personal_column"), [(1, None)]);
    }
}
