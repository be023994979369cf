//! The sheet: a row for each passage to judge.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float32Array, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use pairmill_tables::{ColumnNames, Lineage, Table, TableError, column_names, open, string_column};
use serde::Serialize;

use crate::labelling::ROUND;
use crate::labelling::cells::{self, Cells};
use crate::write::write_whole;
use crate::{GenerateError, Result};

/// A passage to judge.
pub(super) struct SheetRow<'a> {
    pub query: (&'a str, &'a str),
    pub passage: (&'a str, &'a str),
    pub similarity: f32,
    pub round: u32,
}

/// A row that came back.
pub(super) struct Answer {
    pub query_id: String,
    pub corpus_id: String,
    /// Nothing where it is still to be filled in.
    pub is_relevant: Option<bool>,
    pub round: Option<u32>,
}

/// The column to fill in.
const RELEVANT: &str = "relevant";
/// The column of judgements, which may come in place of a sheet.
const SCORE: &str = "score";

/// Writes a sheet, whole or not at all.
pub(super) fn write<'a>(
    target: &Path,
    rows: &[SheetRow<'a>],
    lineage: &Lineage,
    report: &impl Serialize,
) -> Result<()> {
    let cells = Cells::of(target);
    let texts = |of: fn(&SheetRow<'a>) -> &'a str| Arc::new(cells.column(rows.iter().map(of)));
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let fields = vec![
        text("query_id"),
        text("corpus_id"),
        text("query"),
        text("passage"),
        Field::new(RELEVANT, DataType::Utf8, true),
        Field::new("similarity", DataType::Float32, false),
        Field::new(ROUND, DataType::UInt32, false),
    ];
    let similarities = rows.iter().map(|row| row.similarity);
    let rounds = rows.iter().map(|row| row.round);
    let columns: Vec<ArrayRef> = vec![
        texts(|row| row.query.0),
        texts(|row| row.passage.0),
        texts(|row| row.query.1),
        texts(|row| row.passage.1),
        Arc::new(StringArray::new_null(rows.len())),
        Arc::new(Float32Array::from_iter_values(similarities)),
        Arc::new(UInt32Array::from_iter_values(rounds)),
    ];
    write_whole(target, fields, columns, lineage, report)
}

/// Reads a sheet that came back, in any order and with other columns beside those needed.
///
/// # Errors
/// If a cell to fill in holds something else than yes or no.
pub(super) async fn read(session: &SessionContext, input: &str) -> Result<Vec<Answer>> {
    let failed = |error| TableError::of_scan(input, error);
    let columns = column_names(session, input).await?;
    let has = |wanted: &str| columns.iter().any(|name| name == wanted);
    let relevant = if !has(RELEVANT) && has(SCORE) {
        SCORE
    } else {
        RELEVANT
    };
    let extra = [relevant, ROUND];
    let extra = if has(ROUND) { &extra[..] } else { &extra[..1] };
    // Two texts, under names that no other column of the sheet is taken for.
    let names = [("id", Some("query_id")), ("text", Some("corpus_id"))];
    let names = ColumnNames::new(names);
    let frame = open(session, input, Table::Queries, &names, extra).await?;
    let mut stream = frame.execute_stream().await.map_err(failed)?;
    let mut answers = Vec::new();
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(failed)?;
        let [queries, passages, cells] =
            ["id", "text", relevant].map(|name| string_column(&batch, name));
        let rounds = extra.get(1).map(|name| string_column(&batch, name));
        for at in 0..batch.num_rows() {
            let cell = cells.is_valid(at).then(|| cells.value(at));
            let id = |ids: &StringArray| cells::original(ids.value(at)).to_owned();
            let is_relevant =
                told(cell.unwrap_or_default()).ok_or_else(|| GenerateError::NotYesOrNo {
                    sheet: input.to_owned(),
                    query: id(queries),
                    passage: id(passages),
                    column: relevant,
                    found: cell.unwrap_or_default().to_owned(),
                })?;
            answers.push(Answer {
                query_id: id(queries),
                corpus_id: id(passages),
                is_relevant,
                round: rounds.and_then(|rounds| rounds.value(at).trim().parse().ok()),
            });
        }
    }
    Ok(answers)
}

/// What a cell says; `None` where that is neither yes nor no, no grade and not nothing.
fn told(cell: &str) -> Option<Option<bool>> {
    match cell.trim().to_lowercase().as_str() {
        "" => Some(None),
        "yes" | "y" | "true" | "relevant" | "x" => Some(Some(true)),
        "no" | "n" | "false" | "irrelevant" | "not relevant" => Some(Some(false)),
        grade => {
            let grade: u32 = grade.trim_end_matches(".0").parse().ok()?;
            Some(Some(grade > 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_say_yes_and_no_in_many_ways() {
        for (cell, expected) in [
            ("", Some(None)),
            (" ", Some(None)),
            ("Yes", Some(Some(true))),
            (" 1", Some(Some(true))),
            ("TRUE", Some(Some(true))),
            ("0", Some(Some(false))),
            ("No ", Some(Some(false))),
            ("maybe", None),
            ("1.0", Some(Some(true))),
            ("2", Some(Some(true))),
            ("0.5", None),
            ("-1", None),
        ] {
            assert_eq!(told(cell), expected, "{cell}");
        }
    }
}
