//! Tables of the contract between stages, as the checks take them.

use arrow::array::{Array, RecordBatch, StringArray};
use pairmill_tables::{Table as Contract, f32_column, i32_column, string_column};

use crate::table::{Batch, Role, Split, Table, TableKind, TextColumn};

/// A column of texts: its name in the contract, what it is for, and the column of its ids.
pub type TextOf = (String, Role, Option<String>);

/// Returns the columns of texts of a table.
pub fn texts_of(table: Contract) -> Vec<TextOf> {
    let of = |name: &str, role, id: Option<&str>| (name.to_owned(), role, id.map(str::to_owned));
    match table {
        Contract::Tickets | Contract::Queries => vec![of("text", Role::Query, Some("id"))],
        Contract::Qa => vec![
            of("question", Role::Query, Some("id")),
            of("answer", Role::Passage, Some("id")),
        ],
        Contract::Pairs => vec![
            of("anchor", Role::Query, Some("anchor_id")),
            of("positive", Role::Passage, Some("positive_id")),
        ],
        Contract::LabeledPairs => vec![
            of("sentence1", Role::Query, Some("sentence1_id")),
            of("sentence2", Role::Passage, Some("sentence2_id")),
        ],
        Contract::Triplets => vec![
            of("anchor", Role::Query, Some("anchor_id")),
            of("positive", Role::Passage, Some("positive_id")),
            of("negative", Role::Negative, Some("negative_id")),
        ],
        Contract::NTuples(negatives) => {
            let mut texts = texts_of(Contract::Pairs);
            texts.extend((1..=negatives).map(|number| {
                let name = format!("negative_{number}");
                (name.clone(), Role::Negative, Some(format!("{name}_id")))
            }));
            texts
        }
        Contract::Corpus => vec![
            of("title", Role::Title, Some("id")),
            of("text", Role::Passage, Some("id")),
        ],
        Contract::Qrels => vec![
            of("query_id", Role::Id, None),
            of("corpus_id", Role::Id, None),
        ],
        // No kind of table to check is one of these.
        _ => Vec::new(),
    }
}

impl Table {
    /// Describes a table whose rows are of this kind, with these columns of texts.
    pub fn new(name: &str, kind: TableKind, texts: &[TextOf], is_checked: bool) -> Self {
        let column = |(name, role, _): &TextOf| TextColumn {
            name: name.clone(),
            role: *role,
        };
        Self {
            name: name.to_owned(),
            kind,
            texts: texts.iter().map(column).collect(),
            category: (kind == TableKind::Tickets).then(|| "category".to_owned()),
            split: None,
            is_checked,
            personal: Vec::new(),
        }
    }

    /// Says which part of the data it is.
    #[must_use]
    pub fn of_split(self, split: Split) -> Self {
        Self {
            split: Some(split),
            ..self
        }
    }
}

impl<'a> Batch<'a> {
    /// Takes in rows of a table that was opened by its contract, of which `first` is the number of
    /// the first one, from 0.
    ///
    /// # Panics
    /// If the rows lack a column.
    pub fn of_rows(rows: &'a RecordBatch, first: usize, table: &Table, texts: &[TextOf]) -> Self {
        let texts = texts.iter();
        Self {
            first,
            texts: texts.clone().map(|(name, ..)| cells(rows, name)).collect(),
            ids: texts.map(|(_, _, id)| ids(rows, id.as_deref())).collect(),
            category: table.category.as_deref().map(|name| cells(rows, name)),
            score: scores(rows, table.kind),
        }
    }
}

fn scores(rows: &RecordBatch, kind: TableKind) -> Option<Vec<f64>> {
    match kind {
        TableKind::Labeled => {
            let scores = f32_column(rows, "score").values().iter();
            Some(scores.map(|&score| f64::from(score)).collect())
        }
        TableKind::Qrels => {
            let grades = i32_column(rows, "score").values().iter();
            Some(grades.map(|&grade| f64::from(grade)).collect())
        }
        _ => None,
    }
}

/// The texts of a column; a null is an empty one.
fn cells<'a>(rows: &'a RecordBatch, name: &str) -> Vec<&'a str> {
    fn cell(column: &StringArray, row: usize) -> &str {
        match column.is_valid(row) {
            true => column.value(row),
            false => "",
        }
    }
    let column = string_column(rows, name);
    (0..rows.num_rows()).map(|row| cell(column, row)).collect()
}

/// The ids of a column of texts, if it has any: without a column of ids all of them are null.
fn ids<'a>(rows: &'a RecordBatch, name: Option<&str>) -> Option<Vec<&'a str>> {
    let column = string_column(rows, name?);
    (column.null_count() < rows.num_rows()).then(|| cells(rows, name.unwrap_or_default()))
}
