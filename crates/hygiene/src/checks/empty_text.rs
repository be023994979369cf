//! Texts in which nothing stands.

use super::{Check, TableCheck, Watch};
use crate::finding::{Finding, Found};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Role, Table};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&EMPTY_TEXT],
    start,
});

/// A text without a letter.
pub static EMPTY_TEXT: Kind = Kind {
    name: "empty_text",
    title: "rows with an empty text",
    family: Family::Texts,
    severity: Severity::Warning,
    remedy: "fill it in; `--fix empty_text` drops the row, as the stages do",
    fix: Fix::DropSafely,
};

fn start(_: &[Table], _: &Options) -> Option<Box<dyn Watch>> {
    Some(Box::<EmptyTexts>::default())
}

#[derive(Default)]
struct EmptyTexts {
    found: Vec<(Place, usize)>,
}

impl Watch for EmptyTexts {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        if !info.is_checked {
            return;
        }
        for (column, texts) in batch.texts.iter().enumerate() {
            let role = info.texts[column].role;
            // A row may have fewer negatives than others, and a passage no title.
            if !role.is_read() || matches!(role, Role::Title | Role::Negative) {
                continue;
            }
            for (row, text) in texts.iter().enumerate() {
                if text.trim().is_empty() {
                    self.found.push((Place::new(table, batch.first + row), column));
                }
            }
        }
    }

    fn finish(self: Box<Self>, _: &[Table], found: &mut Found) {
        let findings = self.found.into_iter().map(|(place, column)| {
            Finding::new(&EMPTY_TEXT, place, "nothing stands here").in_column(column)
        });
        found.findings.extend(findings);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{corpus, findings, qa};

    #[test]
    fn a_text_without_a_letter_is_empty() {
        let rows = qa(&[("how?", "so"), (" \t", "so"), ("why?", "")]);
        assert_eq!(findings(&rows, "empty_text"), [(2, None), (3, None)]);
        assert_eq!(findings(&corpus(&[("1", "", "text")]), "empty_text"), []);
    }
}
