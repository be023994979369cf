//! Judgements that miss a passage, or name one that is not there.

use pairmill_schema::{TextKey, hash_key};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Check, TableCheck, Watch};
use crate::finding::{Finding, Found};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Role, Table, TableKind};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&UNJUDGED_DUPLICATE, &UNKNOWN_ID],
    start,
});

/// A passage that duplicates a relevant one and is not judged itself.
pub static UNJUDGED_DUPLICATE: Kind = Kind {
    name: "unjudged_duplicate",
    title: "passages that duplicate a relevant one and are not judged themselves",
    family: Family::Contradictions,
    severity: Severity::Error,
    remedy: "judge it alike, or take it out of the corpus: found in its place, it counts as wrong",
    fix: Fix::None,
};

/// An id of the judgements that no table has.
pub static UNKNOWN_ID: Kind = Kind {
    name: "unknown_id",
    title: "judgements of a query or passage that is not there",
    family: Family::Contradictions,
    severity: Severity::Error,
    remedy: "bring the missing rows, or `--fix unknown_id` drops such judgements",
    fix: Fix::Drop,
};

type Id = [u8; 16];

fn start(tables: &[Table], _: &Options) -> Option<Box<dyn Watch>> {
    let has = |kind| tables.iter().any(|table| table.kind == kind);
    let is_judged = has(TableKind::Qrels) && (has(TableKind::Corpus) || has(TableKind::Queries));
    is_judged.then(|| {
        Box::new(Judgements {
            has_corpus: has(TableKind::Corpus),
            has_queries: has(TableKind::Queries),
            ..Judgements::default()
        }) as Box<dyn Watch>
    })
}

#[derive(Default)]
struct Judgements {
    has_corpus: bool,
    has_queries: bool,
    judgements: Vec<Judgement>,
    queries: FxHashSet<Id>,
    /// The passages of each text.
    passages: FxHashMap<TextKey, Vec<(Id, Place, u8)>>,
    texts: FxHashMap<Id, TextKey>,
}

struct Judgement {
    query: Id,
    passage: Id,
    query_name: String,
    is_relevant: bool,
    place: Place,
    is_checked: bool,
}

impl Watch for Judgements {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        match info.kind {
            TableKind::Qrels => self.add_judgements(table, info, batch),
            TableKind::Queries => {
                let ids = batch.ids.iter().flatten().flatten();
                self.queries.extend(ids.map(|id| hash_key(id.as_bytes())));
            }
            TableKind::Corpus => self.add_passages(table, info, batch),
            _ => {}
        }
    }

    fn finish(self: Box<Self>, tables: &[Table], found: &mut Found) {
        self.unknown(tables, found);
        self.unjudged(found);
    }
}

impl Judgements {
    fn add_judgements(&mut self, table: usize, info: &Table, batch: &Batch) {
        let mut columns = info.columns_of(Role::Id);
        let (Some(query), Some(passage)) = (columns.next(), columns.next()) else {
            return;
        };
        for row in 0..batch.rows() {
            let [query, passage] = [query, passage].map(|column| batch.texts[column][row]);
            let score = batch.score.as_ref().map_or(1.0, |scores| scores[row]);
            self.judgements.push(Judgement {
                query: hash_key(query.as_bytes()),
                passage: hash_key(passage.as_bytes()),
                query_name: query.to_owned(),
                is_relevant: score > 0.0,
                place: Place::new(table, batch.first + row),
                is_checked: info.is_checked,
            });
        }
    }

    fn add_passages(&mut self, table: usize, info: &Table, batch: &Batch) {
        let Some(column) = info.columns_of(Role::Passage).next() else {
            return;
        };
        let title = info.columns_of(Role::Title).next();
        let Some(ids) = &batch.ids[column] else {
            return;
        };
        for (row, id) in ids.iter().enumerate() {
            let title = title.map_or("", |title| batch.texts[title][row]);
            let text = TextKey::identical(&format!("{title} {}", batch.texts[column][row]));
            let id = hash_key(id.as_bytes());
            let place = Place::new(table, batch.first + row);
            self.texts.insert(id, text);
            let same = self.passages.entry(text).or_default();
            same.push((id, place, column as u8));
        }
    }

    fn unknown(&self, tables: &[Table], found: &mut Found) {
        for judgement in self.judgements.iter().filter(|one| one.is_checked) {
            let table = &tables[judgement.place.table as usize];
            let mut columns = table.columns_of(Role::Id);
            let mut say = |is_unknown: bool, what: &str| {
                let column = columns.next();
                if let (true, Some(column)) = (is_unknown, column) {
                    let detail = format!("there is no {what} of this id");
                    let finding = Finding::new(&UNKNOWN_ID, judgement.place, detail);
                    found.findings.push(finding.in_column(column));
                }
            };
            let has_query = self.queries.contains(&judgement.query);
            say(self.has_queries && !has_query, "query");
            let has_passage = self.texts.contains_key(&judgement.passage);
            say(self.has_corpus && !has_passage, "passage");
        }
    }

    fn unjudged(&self, found: &mut Found) {
        let pairs = self.judgements.iter().map(|one| (one.query, one.passage));
        let judged: FxHashSet<(Id, Id)> = pairs.collect();
        // By place, each passage with the relevant one, the first query and how many there are.
        let mut missing: FxHashMap<Place, (u8, Id, &str, usize)> = FxHashMap::default();
        for judgement in self.judgements.iter().filter(|one| one.is_relevant) {
            let Some(text) = self.texts.get(&judgement.passage) else {
                continue;
            };
            for (id, place, column) in &self.passages[text] {
                if !judged.contains(&(judgement.query, *id)) {
                    let name = judgement.query_name.as_str();
                    let entry = (*column, judgement.passage, name, 0);
                    missing.entry(*place).or_insert(entry).3 += 1;
                }
            }
        }
        for (place, (column, relevant, query, queries)) in missing {
            let text = self.texts[&relevant];
            let beside = self.passages[&text].iter().find(|(id, ..)| *id == relevant);
            let Some((_, beside, other_column)) = beside else {
                continue;
            };
            let more = match queries {
                1 => String::new(),
                more => format!(" and {} others", more - 1),
            };
            let detail = format!(
                "row {} has the same text and is relevant to query `{query}`{more}",
                beside.row + 1
            );
            let finding = Finding::new(&UNJUDGED_DUPLICATE, place, detail);
            let finding = finding.in_column(column.into());
            found
                .findings
                .push(finding.beside(*beside, (*other_column).into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{compared, corpus, findings, qrels, queries};

    #[test]
    fn a_double_of_a_relevant_passage_has_to_be_judged() {
        let passages = corpus(&[("a", "", "same"), ("b", "", "same"), ("c", "", "other")]);
        let judged = qrels(&[("q1", "a", 1), ("q2", "c", 1), ("q3", "b", 0)]);
        let tables = [passages.clone(), compared(judged)].concat();
        assert_eq!(findings(&tables, "unjudged_duplicate"), [(2, Some(1))]);
        let judged = qrels(&[("q1", "a", 1), ("q1", "b", 0)]);
        let tables = [passages, compared(judged)].concat();
        assert_eq!(findings(&tables, "unjudged_duplicate"), []);
    }

    #[test]
    fn a_judgement_names_what_is_there() {
        let judged = qrels(&[("1", "a", 1), ("9", "a", 1), ("1", "z", 1)]);
        let passages = compared(corpus(&[("a", "", "text")]));
        let tables = [judged.clone(), passages.clone()].concat();
        assert_eq!(findings(&tables, "unknown_id"), [(3, None)]);
        let tables = [judged, passages, compared(queries(&["text of query 1"]))].concat();
        assert_eq!(findings(&tables, "unknown_id"), [(2, None), (3, None)]);
    }
}
