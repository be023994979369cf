//! Texts of one split that say in other words what a text of an earlier split says. It needs a
//! model, so others run it: see [`Hygiene::paraphrase`](crate::Hygiene::paraphrase).

use std::collections::HashSet;

use super::{Check, Elsewhere, TableCheck, Watch, leakage::LEAKAGE, near_duplicates::NEAR_LEAKAGE};
use crate::finding::{Finding, Found};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Place, Table};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&PARAPHRASE_LEAKAGE],
    start,
});

/// A text of a later split that says what one of an earlier split says.
pub static PARAPHRASE_LEAKAGE: Kind = Kind {
    name: "paraphrase_leakage",
    title: "rows that say in other words what an earlier split says",
    family: Family::Leakage,
    severity: Severity::Note,
    remedy: "see whether they were made of each other, by translation or by a template; \
             `--fix paraphrase_leakage` drops them from the checked table",
    fix: Fix::Drop,
};

fn start(_: &[Table], options: &Options) -> Option<Box<dyn Watch>> {
    options
        .has_paraphrases
        .then(|| Box::new(Elsewhere) as Box<dyn Watch>)
}

/// A text in a table: its row and the column that it stands in.
pub type TextPlace = (Place, usize);

/// A text that says what texts of earlier splits say, the nearest first, each with its similarity.
pub(crate) struct Paraphrase {
    pub late: TextPlace,
    pub earlier: Vec<(TextPlace, f64)>,
}

/// Says of each text what it says again, but of those that leak by their letters or their words.
pub(crate) fn add_all(paraphrases: Vec<Paraphrase>, tables: &[Table], found: &mut Found) {
    let by_letters = |finding: &&Finding| [&LEAKAGE, &NEAR_LEAKAGE].contains(&finding.kind);
    let at = |finding: &Finding| Some((finding.place, finding.column?));
    let told = found.findings.iter().filter(by_letters).filter_map(at);
    let told: HashSet<TextPlace> = told.collect();
    for paraphrase in paraphrases {
        if !told.contains(&paraphrase.late) {
            add(&paraphrase, tables, found);
        }
    }
}

fn add(paraphrase: &Paraphrase, tables: &[Table], found: &mut Found) {
    let (place, column) = paraphrase.late;
    let Some(&((nearest, its_column), similarity)) = paraphrase.earlier.first() else {
        return;
    };
    let table = |place: Place| &tables[place.table as usize];
    let detail = format!(
        "a similarity of {similarity:.2} to row {} of {}",
        nearest.row + 1,
        table(nearest).name
    );
    let finding = Finding::new(&PARAPHRASE_LEAKAGE, place, detail).in_column(column);
    found.findings.push(Finding {
        similarity: Some(similarity),
        ..finding.beside(nearest, its_column)
    });
    if table(place).is_checked {
        return;
    }
    // The table that is checked is the one that can be mended.
    for &((other, _), _) in &paraphrase.earlier {
        if table(other).is_checked {
            let reason = format!("{} says it in other words", table(place).name);
            found
                .also_dropped
                .push((other, &PARAPHRASE_LEAKAGE, reason));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Split;
    use crate::testing::{held_out, queries};

    #[test]
    fn what_leaks_by_its_letters_is_said_once() {
        let train = queries(&["a", "b"]);
        let test = held_out(queries(&["c", "d"]), Split::Test);
        let tables: Vec<Table> = [train, test]
            .concat()
            .into_iter()
            .map(|rows| rows.table)
            .collect();
        let mut found = Found::default();
        let early = |row| ((Place::new(0, row), 0), 0.95);
        let paraphrases = [(0, vec![early(1), early(0)]), (1, vec![early(0)])];
        let paraphrases = paraphrases.map(|(row, earlier)| Paraphrase {
            late: (Place::new(1, row), 0),
            earlier,
        });
        let leaked = Finding::new(&NEAR_LEAKAGE, Place::new(1, 1), "").in_column(0);
        found.findings.push(leaked);
        add_all(paraphrases.into(), &tables, &mut found);
        let left: Vec<_> = found
            .findings
            .iter()
            .map(|one| (one.kind.name, one.place.row))
            .collect();
        assert_eq!(left, [("near_leakage", 1), ("paraphrase_leakage", 0)]);
        assert_eq!(
            found.findings[1].detail,
            "a similarity of 0.95 to row 2 of queries"
        );
        // Both rows of the table that is checked.
        let dropped: Vec<u32> = found.also_dropped.iter().map(|one| one.0.row).collect();
        assert_eq!(dropped, [1, 0]);
    }
}
