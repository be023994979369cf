//! Categories that differ in letter case, blanks or punctuation alone.

use std::collections::BTreeMap;

use pairmill_schema::{equivalent, identical};

use super::{Check, TableCheck, Watch};
use crate::finding::{Finding, Found};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Table};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&CATEGORY_SPELLING],
    start,
});

/// A category that is spelled otherwise elsewhere.
pub static CATEGORY_SPELLING: Kind = Kind {
    name: "category_spelling",
    title: "rows whose category is spelled otherwise in more rows",
    family: Family::Categories,
    severity: Severity::Warning,
    remedy: "`--fix category_spelling` writes the most frequent spelling everywhere",
    fix: Fix::ChangeSafely,
};

fn start(tables: &[Table], _: &Options) -> Option<Box<dyn Watch>> {
    let has = |table: &Table| table.is_checked && table.category.is_some();
    let any = tables.iter().any(has);
    any.then(|| Box::<Spellings>::default() as Box<dyn Watch>)
}

#[derive(Default)]
struct Spellings {
    rows: BTreeMap<String, Vec<Place>>,
}

impl Watch for Spellings {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        let (Some(categories), true) = (&batch.category, info.is_checked) else {
            return;
        };
        for (row, category) in categories.iter().enumerate() {
            let place = Place::new(table, batch.first + row);
            match self.rows.get_mut(*category) {
                Some(rows) => rows.push(place),
                None => {
                    self.rows.insert((*category).to_owned(), vec![place]);
                }
            }
        }
    }

    fn finish(self: Box<Self>, _: &[Table], found: &mut Found) {
        let mut forms: BTreeMap<String, Vec<(&String, &Vec<Place>)>> = BTreeMap::new();
        for (spelling, rows) in &self.rows {
            let form = forms.entry(equivalent(spelling)).or_default();
            form.push((spelling, rows));
        }
        for spellings in forms.into_values().filter(|spellings| spellings.len() > 1) {
            // Of two that are as frequent, the one without surplus blanks.
            let rank = |&(spelling, rows): &(&String, &Vec<Place>)| {
                let is_plain = identical(spelling) == spelling.as_str();
                (rows.len(), is_plain, std::cmp::Reverse(spelling.clone()))
            };
            let Some(&(name, most)) = spellings.iter().max_by_key(|spelling| rank(spelling)) else {
                continue;
            };
            let name = identical(name).into_owned();
            for (spelling, rows) in spellings.iter().filter(|(spelling, _)| **spelling != name) {
                found.spellings.push(((*spelling).clone(), name.clone()));
                for &place in *rows {
                    let detail =
                        format!("{spelling:?} is `{name}` in {} other rows", most.len());
                    found
                        .findings
                        .push(Finding::new(&CATEGORY_SPELLING, place, detail));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, tickets};

    #[test]
    fn rarer_spellings_are_found_row_by_row() {
        let rows = tickets(&[
            ("1", "Billing"),
            ("2", "billing "),
            ("3", "Billing"),
            ("4", "BILLING"),
            ("5", "C"),
            ("6", "C++"),
        ]);
        assert_eq!(findings(&rows, "category_spelling"), [(2, None), (4, None)]);
    }
}
