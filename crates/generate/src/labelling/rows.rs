use std::collections::HashSet;

use arrow::array::{Array, StringArray};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use pairmill_schema::{Sameness, TextKey};
use pairmill_tables::{
    ColumnNames, Intake, RowFilter, Table, TableError, Taken, open_with, string_column,
};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::categories::Categories;
use crate::{GenerateError, Result};

/// A text and its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TextRow {
    pub id: String,
    pub text: String,
}

/// A text whose category is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LabelledRow {
    pub row: TextRow,
    pub category: String,
    /// The round in which it was labelled, where its table says so.
    pub round: Option<u32>,
}

/// What became of the rows of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolCounts {
    /// Rows read.
    pub rows: u64,
    /// Rows beside them that `--where` left out.
    #[serde(default)]
    pub left_out: u64,
    /// Rows without text.
    pub empty: u64,
    /// Rows whose text an earlier one has too, but for case, punctuation and white space.
    pub repeated: u64,
    /// Rows whose text is labelled already.
    pub labelled: u64,
    /// Rows left to choose from.
    pub left: u64,
}

/// Reads texts and, of tickets, their categories and an extra column.
async fn read(
    session: &SessionContext,
    input: &str,
    (table, extra): (Table, &[&str]),
    names: &ColumnNames,
    filter: Option<&RowFilter>,
    mut each: impl FnMut(TextRow, Option<String>, Option<String>),
) -> Result<Taken> {
    let failed = |error| TableError::of_scan(input, error);
    let intake = Intake { filter, edit: None };
    let (frame, taken) = open_with(session, input, table, names, extra, intake).await?;
    let mut stream = frame.execute_stream().await.map_err(failed)?;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(failed)?;
        let [ids, texts] = ["id", "text"].map(|name| string_column(&batch, name));
        let has_category = table == Table::Tickets;
        let categories = has_category.then(|| string_column(&batch, "category"));
        let rounds = extra.first().map(|name| string_column(&batch, name));
        for at in 0..batch.num_rows() {
            let cell =
                |column: &StringArray| column.is_valid(at).then(|| column.value(at).to_owned());
            let text = texts.value(at).to_owned();
            let id = cell(ids).unwrap_or_else(|| crate::input::text_id(&text));
            let row = TextRow { id, text };
            each(row, categories.and_then(cell), rounds.and_then(cell));
        }
    }
    Ok(taken)
}

/// Reads the texts to choose from: not empty, each once, and none that is labelled.
pub(crate) async fn pool(
    session: &SessionContext,
    input: &str,
    names: &ColumnNames,
    filter: Option<&RowFilter>,
    labelled: &[LabelledRow],
) -> Result<(Vec<TextRow>, PoolCounts)> {
    let (mut rows, taken) = filtered(session, input, names, filter).await?;
    let mut counts = PoolCounts {
        rows: rows.len() as u64,
        left_out: taken.left_out,
        empty: 0,
        repeated: 0,
        labelled: 0,
        left: 0,
    };
    let known = labelled
        .iter()
        .map(|known| TextKey::equivalent(&known.row.text));
    let known: HashSet<TextKey> = known.collect();
    let mut seen = HashSet::new();
    rows.retain(|row| {
        let key = TextKey::equivalent(&row.text);
        let reason = if row.text.trim().is_empty() {
            &mut counts.empty
        } else if known.contains(&key) {
            &mut counts.labelled
        } else if !seen.insert(key) {
            &mut counts.repeated
        } else {
            return true;
        };
        *reason += 1;
        false
    });
    counts.left = rows.len() as u64;
    Ok((rows, counts))
}

/// Reads all texts, ordered by id.
pub(crate) async fn texts(
    session: &SessionContext,
    input: &str,
    names: &ColumnNames,
) -> Result<Vec<TextRow>> {
    let (rows, _) = filtered(session, input, names, None).await?;
    Ok(rows)
}

async fn filtered(
    session: &SessionContext,
    input: &str,
    names: &ColumnNames,
    filter: Option<&RowFilter>,
) -> Result<(Vec<TextRow>, Taken)> {
    let mut rows = Vec::new();
    let table = (Table::Queries, &[][..]);
    let each = |row, _, _| rows.push(row);
    let taken = read(session, input, table, names, filter, each).await?;
    taken.say(input, rows.len() as u64, filter)?;
    rows.sort_unstable();
    refuse_two_texts(rows.iter(), input)?;
    Ok((rows, taken))
}

/// The column that says in which round a text was labelled.
pub(crate) const ROUND: &str = "round";

/// Reads labelled texts of several tables, ordered by id. Spellings of one category become the most
/// frequent one; rows without text or category are left out with a warning.
pub(super) async fn labelled(
    session: &SessionContext,
    inputs: &[String],
    names: &ColumnNames,
) -> Result<Vec<LabelledRow>> {
    let mut rows: Vec<LabelledRow> = Vec::new();
    for input in inputs {
        let (mut read_rows, mut blank) = (0u64, 0u64);
        let columns = pairmill_tables::column_names(session, input).await?;
        let has_round = columns.iter().any(|name| name == ROUND);
        let extra: &[&str] = if has_round { &[ROUND] } else { &[] };
        let table = (Table::Tickets, extra);
        let each = |row: TextRow, category: Option<String>, round: Option<String>| {
            read_rows += 1;
            match category.filter(|category| !category.trim().is_empty()) {
                Some(category) if !row.text.trim().is_empty() => rows.push(LabelledRow {
                    row,
                    category,
                    round: round.and_then(|round| round.trim().parse().ok()),
                }),
                _ => blank += 1,
            }
        };
        read(session, input, table, names, None, each).await?;
        if blank > 0 {
            warn!("{input}: {blank} of {read_rows} rows have no text or no category; left out");
        }
    }
    let given = rows.iter().map(|row| row.category.as_str());
    let categories = Categories::new(given, Sameness::default());
    categories.warn();
    let found = rows
        .iter()
        .map(|row| categories.number(&row.category) as usize);
    let found: Vec<String> = found
        .map(|number| categories.names[number].clone())
        .collect();
    for (row, category) in rows.iter_mut().zip(found) {
        row.category = category;
    }
    rows.sort_unstable();
    rows.dedup();
    refuse_two_texts(rows.iter().map(|row| &row.row), &inputs.join(", "))?;
    Ok(rows)
}

/// Refuses an id that stands for two texts. Rows are ordered by id.
fn refuse_two_texts<'a>(rows: impl Iterator<Item = &'a TextRow>, input: &str) -> Result<()> {
    let mut last: Option<&TextRow> = None;
    for row in rows {
        if let Some(last) = last.filter(|last| last.id == row.id && last.text != row.text) {
            return Err(GenerateError::DuplicateId {
                input: input.to_owned(),
                id: row.id.clone(),
                column: "text",
                first: pairmill_schema::excerpt(&last.text, crate::input::EXCERPT),
                second: pairmill_schema::excerpt(&row.text, crate::input::EXCERPT),
            });
        }
        last = Some(row);
    }
    Ok(())
}

/// The categories of labelled texts, in order, and the place of each text's among them.
pub(super) fn numbered(rows: &[LabelledRow]) -> (Vec<String>, Vec<usize>) {
    let mut names: Vec<String> = rows.iter().map(|row| row.category.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let place = |row: &LabelledRow| names.partition_point(|name| *name < row.category);
    let numbers = rows.iter().map(place).collect();
    (names, numbers)
}
