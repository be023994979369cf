//! Small tables, and what the checks find in them.

use crate::checks::{CHECKS, Check, kinds};
use crate::finding::Found;
use crate::hygiene::Hygiene;
use crate::options::Options;
use crate::table::{Batch, Role, Split, Table, TableKind, TextColumn};

/// A table with its rows.
#[derive(Debug, Clone)]
pub struct Rows {
    pub table: Table,
    pub texts: Vec<Vec<String>>,
    pub ids: Vec<Option<Vec<String>>>,
    pub category: Option<Vec<String>>,
    pub score: Option<Vec<f64>>,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.texts[0].len()
    }

    fn new(kind: TableKind, columns: &[(&str, Role)], texts: Vec<Vec<String>>) -> Self {
        let texts_of = |&(name, role): &(&str, Role)| TextColumn {
            name: name.to_owned(),
            role,
        };
        Self {
            table: Table {
                name: format!("{kind:?}").to_lowercase(),
                kind,
                texts: columns.iter().map(texts_of).collect(),
                category: None,
                split: Some(Split::Train),
                is_checked: true,
                personal: Vec::new(),
            },
            ids: vec![None; texts.len()],
            texts,
            category: None,
            score: None,
        }
    }
}

fn column<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<String> {
    cells.map(str::to_owned).collect()
}

/// Tickets: text and category.
pub fn tickets(rows: &[(&str, &str)]) -> Vec<Rows> {
    let texts = vec![column(rows.iter().map(|row| row.0))];
    let mut table = Rows::new(TableKind::Tickets, &[("text", Role::Query)], texts);
    table.table.category = Some("category".to_owned());
    table.category = Some(column(rows.iter().map(|row| row.1)));
    vec![table]
}

/// Questions and answers.
pub fn qa(rows: &[(&str, &str)]) -> Vec<Rows> {
    let texts = vec![
        column(rows.iter().map(|row| row.0)),
        column(rows.iter().map(|row| row.1)),
    ];
    let columns = [("question", Role::Query), ("answer", Role::Passage)];
    vec![Rows::new(TableKind::Qa, &columns, texts)]
}

/// Two texts with a label.
pub fn labeled(rows: &[(&str, &str, f64)]) -> Vec<Rows> {
    let texts = vec![
        column(rows.iter().map(|row| row.0)),
        column(rows.iter().map(|row| row.1)),
    ];
    let columns = [("sentence1", Role::Query), ("sentence2", Role::Passage)];
    let mut table = Rows::new(TableKind::Labeled, &columns, texts);
    table.score = Some(rows.iter().map(|row| row.2).collect());
    vec![table]
}

/// Anchor, id of the positive, positive.
pub fn pairs(rows: &[(&str, &str, &str)]) -> Vec<Rows> {
    let texts = vec![
        column(rows.iter().map(|row| row.0)),
        column(rows.iter().map(|row| row.2)),
    ];
    let columns = [("anchor", Role::Query), ("positive", Role::Passage)];
    let mut table = Rows::new(TableKind::Pairs, &columns, texts);
    table.ids[1] = Some(column(rows.iter().map(|row| row.1)));
    vec![table]
}

/// Anchor, positive, negative.
pub fn triplets(rows: &[(&str, &str, &str)]) -> Vec<Rows> {
    let texts = vec![
        column(rows.iter().map(|row| row.0)),
        column(rows.iter().map(|row| row.1)),
        column(rows.iter().map(|row| row.2)),
    ];
    let columns = [
        ("anchor", Role::Query),
        ("positive", Role::Passage),
        ("negative", Role::Negative),
    ];
    vec![Rows::new(TableKind::Triplets, &columns, texts)]
}

/// Id, title, text.
pub fn corpus(rows: &[(&str, &str, &str)]) -> Vec<Rows> {
    let texts = vec![
        column(rows.iter().map(|row| row.1)),
        column(rows.iter().map(|row| row.2)),
    ];
    let columns = [("title", Role::Title), ("text", Role::Passage)];
    let mut table = Rows::new(TableKind::Corpus, &columns, texts);
    table.ids[1] = Some(column(rows.iter().map(|row| row.0)));
    table.table.split = None;
    vec![table]
}

/// Queries with the ids 1, 2 and so on.
pub fn queries(texts: &[&str]) -> Vec<Rows> {
    let columns = [("text", Role::Query)];
    let cells = vec![column(texts.iter().copied())];
    let mut table = Rows::new(TableKind::Queries, &columns, cells);
    table.ids[0] = Some((1..=texts.len()).map(|id| id.to_string()).collect());
    vec![table]
}

/// Queries with these ids.
pub fn with_ids(rows: &[(&str, &str)]) -> Vec<Rows> {
    let texts: Vec<&str> = rows.iter().map(|row| row.1).collect();
    let mut tables = queries(&texts);
    tables[0].ids[0] = Some(column(rows.iter().map(|row| row.0)));
    tables
}

/// Query id, passage id, grade.
pub fn qrels(rows: &[(&str, &str, i32)]) -> Vec<Rows> {
    let texts = vec![
        column(rows.iter().map(|row| row.0)),
        column(rows.iter().map(|row| row.1)),
    ];
    let columns = [("query_id", Role::Id), ("corpus_id", Role::Id)];
    let mut table = Rows::new(TableKind::Qrels, &columns, texts);
    table.score = Some(rows.iter().map(|row| f64::from(row.2)).collect());
    table.table.split = None;
    vec![table]
}

/// Tickets without categories, with a personal column `customer`.
pub fn with_personal_column(rows: &[(&str, &str)]) -> Vec<Rows> {
    let texts = vec![
        column(rows.iter().map(|row| row.0)),
        column(rows.iter().map(|row| row.1)),
    ];
    let columns = [("text", Role::Query), ("customer", Role::Other)];
    let mut table = Rows::new(TableKind::Queries, &columns, texts);
    table.table.personal = vec![1];
    vec![table]
}

/// The same tables as another split that is compared with.
pub fn held_out(tables: Vec<Rows>, split: Split) -> Vec<Rows> {
    let of = |mut rows: Rows| {
        rows.table.split = Some(split);
        rows.table.is_checked = false;
        rows.table.name = "held out".to_owned();
        rows
    };
    tables.into_iter().map(of).collect()
}

/// The same tables as ones that are compared with.
pub fn compared(tables: Vec<Rows>) -> Vec<Rows> {
    let of = |mut rows: Rows| {
        rows.table.split = None;
        rows.table.is_checked = false;
        rows
    };
    tables.into_iter().map(of).collect()
}

/// Everything that is found.
pub fn found(tables: &[Rows]) -> Found {
    let infos = tables.iter().map(|rows| rows.table.clone()).collect();
    let all: Vec<_> = kinds().collect();
    let mut hygiene = Hygiene::new(infos, &Options::default(), &all);
    for (number, rows) in tables.iter().enumerate() {
        // In batches, so that what is between them is seen.
        for first in (0..rows.len()).step_by(3) {
            let range = first..rows.len().min(first + 3);
            let cut = |cells: &Vec<String>| -> Vec<String> { cells[range.clone()].to_vec() };
            let texts: Vec<Vec<String>> = rows.texts.iter().map(cut).collect();
            let ids: Vec<Option<Vec<String>>> =
                rows.ids.iter().map(|ids| ids.as_ref().map(cut)).collect();
            let category = rows.category.as_ref().map(cut);
            fn borrow(cells: &[String]) -> Vec<&str> {
                cells.iter().map(String::as_str).collect()
            }
            hygiene.add(
                number,
                &Batch {
                    first,
                    texts: texts.iter().map(|cells| borrow(cells)).collect(),
                    ids: ids.iter().map(|ids| ids.as_deref().map(borrow)).collect(),
                    category: category.as_deref().map(borrow),
                    score: rows
                        .score
                        .as_ref()
                        .map(|scores| scores[range.clone()].to_vec()),
                },
            );
        }
    }
    hygiene.finish()
}

/// The rows with a finding of this kind and those beside them, counted from 1.
pub fn findings(tables: &[Rows], kind: &str) -> Vec<(u32, Option<u32>)> {
    let found = found(tables).findings;
    let of_kind = found
        .into_iter()
        .filter(|finding| finding.kind.name == kind);
    of_kind
        .map(|finding| {
            let other = finding.other.map(|(place, _)| place.row + 1);
            (finding.place.row + 1, other)
        })
        .collect()
}

/// What the check of a kind finds in a text.
pub fn spans<'a>(kind: &str, text: &'a str) -> Vec<&'a str> {
    let spans = (text_check(kind).find)(text);
    spans.into_iter().map(|span| &text[span.range]).collect()
}

/// The text as the check of a kind mends it.
pub fn mended(kind: &str, text: &str) -> String {
    let check = text_check(kind);
    let mend = check.mend.expect("it can be mended");
    let mut mended = String::new();
    let mut end = 0;
    for span in (check.find)(text) {
        mended.push_str(&text[end..span.range.start]);
        mended.push_str(&mend(text, &span));
        end = span.range.end;
    }
    mended + &text[end..]
}

fn text_check(kind: &str) -> &'static crate::checks::TextCheck {
    let check = CHECKS.iter().find_map(|check| match check {
        Check::Text(check) if check.kind.name == kind => Some(*check),
        _ => None,
    });
    check.expect("there is such a check")
}
