use rayon::prelude::*;

use crate::anonymise::shown_around;
use crate::checks::{
    CHECKS, Check, Paraphrase, TextCheck, TextPlace, Watch, add_paraphrases, label_finding,
};
use crate::finding::{Finding, Found, Suggestion};
use crate::kind::{Family, Kind};
use crate::options::Options;
use crate::table::{Batch, Place, Role, Table};

/// Looks through tables: takes in their rows batch by batch, then says what it found.
pub struct Hygiene {
    tables: Vec<Table>,
    rows: Vec<u64>,
    kinds: Vec<&'static Kind>,
    texts: Vec<&'static TextCheck>,
    watches: Vec<Box<dyn Watch>>,
    found: Found,
    /// Held back until it is known what leaks by its letters.
    paraphrases: Vec<Paraphrase>,
    /// Ids that are e-mail addresses.
    personal_ids: u64,
}

impl Hygiene {
    /// Starts to look for these kinds; those that the tables give no reason to look for are left
    /// out.
    pub fn new(tables: Vec<Table>, options: &Options, wanted: &[&'static Kind]) -> Self {
        let mut kinds = Vec::new();
        let mut texts = Vec::new();
        let mut watches = Vec::new();
        let splits = || tables.iter().filter_map(|table| table.split);
        let has_splits = splits().min() < splits().max();
        let is_wanted = |kind: &&'static Kind| {
            wanted.contains(kind) && (has_splits || kind.family != Family::Leakage)
        };
        for check in CHECKS {
            let its: Vec<&'static Kind> = check.kinds().iter().copied().filter(is_wanted).collect();
            if its.is_empty() {
                continue;
            }
            match check {
                Check::Text(check) => texts.push(*check),
                Check::Table(check) => match (check.start)(&tables, options) {
                    Some(watch) => watches.push(watch),
                    None => continue,
                },
            }
            kinds.extend(its);
        }
        Self {
            rows: vec![0; tables.len()],
            tables,
            kinds,
            texts,
            watches,
            found: Found::default(),
            paraphrases: Vec::new(),
            personal_ids: 0,
        }
    }

    /// Returns the tables.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Returns the kinds that are looked for, in the order of the card.
    pub fn kinds(&self) -> &[&'static Kind] {
        &self.kinds
    }

    /// Returns the number of rows of each table so far.
    pub fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// Takes in rows of a table. Batches come table by table and in order.
    pub fn add(&mut self, table: usize, batch: &Batch) {
        let info = &self.tables[table];
        self.rows[table] += batch.rows() as u64;
        for watch in &mut self.watches {
            watch.add(table, info, batch);
        }
        if !info.is_checked || self.texts.is_empty() {
            return;
        }
        for (column, texts) in batch.texts.iter().enumerate() {
            let role = info.texts[column].role;
            if role == Role::Id {
                continue;
            }
            let is_wanted = |check: &&&'static TextCheck| {
                role != Role::Other || check.kind.family == Family::PersonalData
            };
            let checks: Vec<&'static TextCheck> =
                self.texts.iter().filter(is_wanted).copied().collect();
            let found: Vec<Vec<Finding>> = texts
                .par_iter()
                .enumerate()
                .map(|(row, text)| {
                    let place = Place::new(table, batch.first + row);
                    let names = batch.names(info, row);
                    let checks = checks.iter();
                    checks
                        .filter_map(|check| look(check, text, (place, column), &names))
                        .collect()
                })
                .collect();
            self.found.findings.extend(found.into_iter().flatten());
        }
        if self.texts.iter().any(|check| check.kind.name == "email") {
            let ids = batch.ids.iter().flatten().flatten();
            self.personal_ids += ids.filter(|id| id.contains('@')).count() as u64;
        }
    }

    /// Takes in that a row's category, `given` with its probability, is likely another one.
    pub fn suggest(&mut self, place: Place, given: (&str, f64), suggestion: Suggestion) {
        self.found
            .findings
            .push(label_finding(place, given, suggestion));
    }

    /// Takes in that a text says in other words what texts of earlier splits say, the nearest
    /// first, each with its similarity.
    pub fn paraphrase(&mut self, late: TextPlace, earlier: Vec<(TextPlace, f64)>) {
        self.paraphrases.push(Paraphrase { late, earlier });
    }

    /// Says what was found, ordered by kind and row.
    pub fn finish(self) -> Found {
        let mut found = self.found;
        for watch in self.watches {
            watch.finish(&self.tables, &mut found);
        }
        if self.personal_ids > 0 {
            found.remarks.push(format!(
                "{} ids have an @ and may be e-mail addresses; ids are kept as they are, because \
                 other tables name them",
                self.personal_ids
            ));
        }
        let order = |kind: &Kind| self.kinds.iter().position(|known| *known == kind);
        // A check of two kinds may have been started for one of them.
        found
            .findings
            .retain(|finding| order(finding.kind).is_some());
        found
            .also_dropped
            .retain(|(_, kind, _)| order(kind).is_some());
        add_paraphrases(self.paraphrases, &self.tables, &mut found);
        found.also_dropped.sort_by(|one, other| {
            (one.0, one.1.name, &one.2).cmp(&(other.0, other.1.name, &other.2))
        });
        found
            .also_dropped
            .dedup_by(|one, other| one.0 == other.0 && one.1 == other.1);
        found.findings.par_sort_by(|one, other| {
            let key = |finding: &Finding| {
                let Finding {
                    place,
                    column,
                    other,
                    ..
                } = finding;
                (order(finding.kind), *place, *column, *other)
            };
            let by_text = || one.detail.cmp(&other.detail);
            key(one).cmp(&key(other)).then_with(by_text)
        });
        found
    }
}

/// One finding for a text, whatever the number of places.
fn look(
    check: &TextCheck,
    text: &str,
    (place, column): (Place, usize),
    names: &[(&str, &str)],
) -> Option<Finding> {
    let spans = (check.find)(text);
    let first = spans.first()?;
    let detail = match spans.len() {
        1 => first.detail.to_string(),
        more => format!("{}, and {} more", first.detail, more - 1),
    };
    let finding = Finding::new(check.kind, place, detail).in_column(column);
    Some(Finding {
        excerpt: shown_around(text, &first.range, names),
        ..finding
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{found, tickets};

    #[test]
    fn a_text_has_one_finding_of_a_kind_that_shows_no_personal_data() {
        let rows = tickets(&[(
            "Write to ann@example.org or bob@example.org <b>now</b>",
            "a",
        )]);
        let found = found(&rows);
        let of = |name: &str| {
            let mut its = found.findings.iter().filter(|one| one.kind.name == name);
            let first = its.next().unwrap();
            assert!(its.next().is_none());
            (first.detail.clone(), first.excerpt.clone())
        };
        let (detail, excerpt) = of("email");
        assert_eq!(detail, "an e-mail address, and 1 more");
        assert_eq!(excerpt, "Write to <EMAIL> or <EMAIL> <b>now</b>");
        assert_eq!(
            of("html_markup").1,
            "Write to <EMAIL> or <EMAIL> <b>now</b>"
        );
    }
}
