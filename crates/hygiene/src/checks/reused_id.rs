//! One id for two texts.

use pairmill_schema::{hash_key, TextKey};

use super::{Check, TableCheck, Watch};
use crate::finding::{Finding, Found};
use crate::firsts::Firsts;
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Table};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&REUSED_ID],
    start,
});

/// An id that stands for two texts.
pub static REUSED_ID: Kind = Kind {
    name: "reused_id",
    title: "rows whose id stands for another text elsewhere",
    family: Family::Contradictions,
    severity: Severity::Error,
    remedy: "give each text its own id",
    fix: Fix::None,
};

fn start(tables: &[Table], _: &Options) -> Option<Box<dyn Watch>> {
    let any = tables.iter().any(|table| table.is_checked);
    any.then(|| Box::<ReusedIds>::default() as Box<dyn Watch>)
}

#[derive(Default)]
struct ReusedIds {
    /// The texts of ids, by column.
    texts: Firsts<(u8, [u8; 16]), TextKey>,
    found: Vec<Finding>,
}

impl Watch for ReusedIds {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        if !info.is_checked {
            return;
        }
        for (column, (ids, texts)) in batch.ids.iter().zip(&batch.texts).enumerate() {
            let Some(ids) = ids else { continue };
            if !info.texts[column].role.is_read() {
                continue;
            }
            for (row, (id, text)) in ids.iter().zip(texts).enumerate() {
                if id.is_empty() {
                    continue;
                }
                let place = Place::new(table, batch.first + row);
                let key = (column as u8, hash_key(id.as_bytes()));
                let text = TextKey::identical(text);
                if let Some(first) = self.texts.other(key, text, place, column) {
                    let row = first.place.row + 1;
                    let detail = format!("the id `{id}` has another text in row {row}");
                    let finding = first.finding(&REUSED_ID, (place, column), detail);
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
    use crate::testing::{findings, with_ids};

    #[test]
    fn an_id_has_one_text() {
        let rows = with_ids(&[("1", "a"), ("2", "b"), ("1", " a "), ("1", "c"), ("", "d"), ("", "e")]);
        assert_eq!(findings(&rows, "reused_id"), [(4, Some(1))]);
    }
}
