//! Sheets: what a person, a spreadsheet or an annotation tool fills in.

mod argilla;
pub(crate) mod cells;
mod label_studio;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use pairmill_tables::{ColumnNames, Lineage, Table, TableError, open, string_column, write_text};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::write::write_whole;
use crate::{GenerateError, Result};
use cells::Cells;

/// What reads a sheet.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum SheetForm {
    /// A table with an empty column `category`; in CSV and TSV with cells that no spreadsheet takes
    /// for a formula.
    #[default]
    Table,
    /// Tasks to import into Label Studio.
    LabelStudio,
    /// Records to import into Argilla.
    Argilla,
}

/// A text to label.
#[derive(Debug, Clone, Copy)]
pub(super) struct SheetRow<'a> {
    pub id: &'a str,
    pub text: &'a str,
    /// What a classifier takes it for, and how likely that is.
    pub guess: Option<(&'a str, f32)>,
    pub round: u32,
}

/// A row that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub id: String,
    /// Nothing where it is still to be filled in.
    pub category: Option<String>,
    pub round: Option<u32>,
}

impl Answer {
    /// Returns an answer for each category of a row that is not blank, or an empty one.
    fn each<'a>(
        id: &str,
        categories: impl Iterator<Item = &'a str>,
        round: Option<u32>,
    ) -> Vec<Self> {
        let answer = |category: Option<&str>| Self {
            id: id.to_owned(),
            category: category.map(str::to_owned),
            round,
        };
        let categories = categories.map(str::trim);
        let categories = categories.filter(|category| !category.is_empty());
        let mut answers: Vec<Self> = categories.map(|category| answer(Some(category))).collect();
        if answers.is_empty() {
            answers.push(answer(None));
        }
        answers
    }
}

/// Writes a sheet, whole or not at all.
pub(super) fn write(
    target: &Path,
    form: SheetForm,
    rows: &[SheetRow],
    lineage: &Lineage,
    report: &impl Serialize,
) -> Result<()> {
    let tasks = match form {
        SheetForm::Table => return write_table(target, rows, lineage, report),
        SheetForm::LabelStudio => rows.iter().map(label_studio::task).collect::<Vec<Value>>(),
        SheetForm::Argilla => rows.iter().map(argilla::record).collect(),
    };
    let mut text = "[\n".to_owned();
    for (number, task) in tasks.iter().enumerate() {
        let end = if number + 1 < tasks.len() {
            ",\n"
        } else {
            "\n"
        };
        text += &format!("{task}{end}");
    }
    text += "]\n";
    Ok(write_text(target, &text, lineage, report)?)
}

fn write_table<'a>(
    target: &Path,
    rows: &[SheetRow<'a>],
    lineage: &Lineage,
    report: &impl Serialize,
) -> Result<()> {
    let cells = Cells::of(target);
    let texts = |of: fn(&SheetRow<'a>) -> &'a str| Arc::new(cells.column(rows.iter().map(of)));
    let fields = vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("text", DataType::Utf8, false),
        Field::new("category", DataType::Utf8, true),
        Field::new("suggested", DataType::Utf8, true),
        Field::new("confidence", DataType::Float32, true),
        Field::new("round", DataType::UInt32, false),
    ];
    let guesses = || rows.iter().map(|row| row.guess);
    let suggested: StringArray = guesses()
        .map(|guess| guess.map(|(name, _)| cells.cell(name)))
        .collect();
    let confidence: Float32Array = guesses()
        .map(|guess| guess.map(|(_, share)| share))
        .collect();
    let rounds = rows.iter().map(|row| row.round);
    let columns: Vec<ArrayRef> = vec![
        texts(|row| row.id),
        texts(|row| row.text),
        Arc::new(StringArray::new_null(rows.len())),
        Arc::new(suggested),
        Arc::new(confidence),
        Arc::new(UInt32Array::from_iter_values(rounds)),
    ];
    write_whole(target, fields, columns, lineage, report)
}

/// Reads a sheet in whatever form it comes back: a table, or what Label Studio or Argilla exports
/// as JSON.
pub(super) async fn read(
    session: &SessionContext,
    input: &str,
    names: &ColumnNames,
) -> Result<Vec<Answer>> {
    if let Some(tasks) = exported(input)? {
        let mut answers = Vec::with_capacity(tasks.len());
        for (at, task) in tasks.iter().enumerate() {
            let found = label_studio::answers(task).or_else(|| argilla::answers(task));
            answers.extend(found.ok_or_else(|| GenerateError::NoSheetRow {
                input: input.to_owned(),
                task: at + 1,
            })?);
        }
        return Ok(answers);
    }
    let failed = |error| TableError::of_scan(input, error);
    let columns = pairmill_tables::column_names(session, input).await?;
    let has_round = columns.iter().any(|name| name == super::rows::ROUND);
    let extra: &[&str] = if has_round {
        &[super::rows::ROUND]
    } else {
        &[]
    };
    let frame = open(session, input, Table::Tickets, names, extra).await?;
    let mut stream = frame.execute_stream().await.map_err(failed)?;
    let mut answers = Vec::new();
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(failed)?;
        let [ids, categories] = ["id", "category"].map(|name| string_column(&batch, name));
        let rounds = extra.first().map(|name| string_column(&batch, name));
        for at in 0..batch.num_rows() {
            let category = cells::original(categories.value(at)).trim();
            let round = rounds.and_then(|rounds| rounds.value(at).trim().parse().ok());
            answers.push(Answer {
                id: cells::original(ids.value(at)).to_owned(),
                category: (!category.is_empty()).then(|| category.to_owned()),
                round,
            });
        }
    }
    Ok(answers)
}

/// The tasks or records of an export in JSON; `None` for what is a table.
fn exported(input: &str) -> Result<Option<Vec<Value>>> {
    let path = Path::new(input);
    let is_json = path.extension().is_some_and(|ending| ending == "json");
    if !is_json || !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(path).map_err(|source| TableError::Unreadable {
        path: input.to_owned(),
        source,
    })?;
    let tasks: Vec<Value> = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Array(tasks)) => tasks,
        // Whatever is wrong with it is said by the reader of tables.
        _ => return Ok(None),
    };
    let is_export = |task: &Value| task.get("data").is_some() || task.get("fields").is_some();
    Ok(tasks.first().is_some_and(is_export).then_some(tasks))
}
