//! Texts of one split that stand in another.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{Check, TableCheck, Watch};
use crate::finding::{Finding, Found};
use crate::keys::letters_key;
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Role, Split, Table};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&LEAKAGE],
    start,
});

/// A text that stands in an earlier split too.
pub static LEAKAGE: Kind = Kind {
    name: "leakage",
    title: "rows whose text stands in an earlier split too",
    family: Family::Leakage,
    severity: Severity::Error,
    remedy: "keep each text in one split; `--fix leakage` drops them from the checked table",
    fix: Fix::Drop,
};

fn start(_: &[Table], _: &Options) -> Option<Box<dyn Watch>> {
    Some(Box::<Leakage>::default())
}

#[derive(Default)]
struct Leakage {
    texts: FxHashMap<u128, Vec<(Split, Place, u8)>>,
}

impl Watch for Leakage {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        let Some(split) = info.split else { return };
        for column in info.columns_of(Role::Query) {
            let keys: Vec<Option<u128>> = batch.texts[column]
                .par_iter()
                .map(|text| (!text.trim().is_empty()).then(|| letters_key(text).into()))
                .collect();
            for (row, key) in keys.into_iter().enumerate() {
                let Some(key) = key else { continue };
                let place = Place::new(table, batch.first + row);
                let seen = self.texts.entry(key).or_default();
                seen.push((split, place, column as u8));
            }
        }
    }

    fn finish(self: Box<Self>, tables: &[Table], found: &mut Found) {
        for seen in self.texts.into_values() {
            let Some(&(earliest, first, first_column)) = seen.iter().min() else {
                continue;
            };
            let later = seen.iter().filter(|(split, ..)| *split > earliest);
            for &(_, place, column) in later.clone() {
                let detail = format!(
                    "row {} of {} has the same text",
                    first.row + 1,
                    tables[first.table as usize].name
                );
                let finding = Finding::new(&LEAKAGE, place, detail)
                    .in_column(column.into())
                    .beside(first, first_column.into());
                found.findings.push(finding);
            }
            let Some((_, other, _)) = later.max() else {
                continue;
            };
            let name = &tables[other.table as usize].name;
            if tables[other.table as usize].is_checked {
                continue;
            }
            // The table that is checked is the one that can be mended.
            for (_, place, _) in seen.iter().filter(|(split, ..)| *split == earliest) {
                if tables[place.table as usize].is_checked {
                    let reason = format!("its text stands in {name} too");
                    found.also_dropped.push((*place, &LEAKAGE, reason));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::table::Split;
    use crate::testing::{findings, held_out, queries};

    #[test]
    fn each_row_of_the_later_split_is_found_once() {
        let train = queries(&["Cancel order", "No", "cancel  ORDER"]);
        let test = queries(&["cancel order", "no", "NO", "none"]);
        let tables = [train, held_out(test, Split::Test)].concat();
        let expected = [(1, Some(1)), (2, Some(2)), (3, Some(2))];
        assert_eq!(findings(&tables, "leakage"), expected);
    }

    #[test]
    fn texts_within_a_split_and_empty_ones_do_not_leak() {
        let train = queries(&["same", "same", ""]);
        let test = queries(&["other", ""]);
        let tables = [train, held_out(test, Split::Test)].concat();
        assert_eq!(findings(&tables, "leakage"), []);
    }
}
