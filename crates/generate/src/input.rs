use arrow::array::{Array, RecordBatch, StringArray};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_schema::{counted, excerpt};
use pairmill_tables::{
    ColumnNames, KeptColumns, TIME_COLUMN, Table, TableError, Taken, i64_column, open_with,
    string_column,
};
use tracing::{info, warn};

use crate::intake::{IntakeOptions, Stripping};
use crate::summary::Rows;
use crate::{GenerateError, Result, draw};

/// Letters of a text that a message shows.
pub(crate) const EXCERPT: usize = 40;

/// A row of either input: a question and its answer, or a ticket's text and its category.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub id: String,
    pub texts: [String; 2],
    pub kept: Kept,
    /// In microseconds since 1970, where rows are split by time.
    pub time: i64,
}

/// What stands in the columns that are kept, in their order.
pub(crate) type Kept = Box<[Option<String>]>;

/// An input with `id` and two columns of text.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    pub path: &'a str,
    pub table: Table,
    pub columns: [&'static str; 2],
    pub names: ColumnNames,
    pub kept: &'a KeptColumns,
    pub intake: &'a IntakeOptions,
}

/// What an input holds.
#[derive(Debug)]
pub(crate) struct Found {
    /// Ordered by id.
    pub rows: Vec<Row>,
    pub counts: Rows,
    /// The columns that are kept, by their names.
    pub kept: KeptColumns,
}

impl Input<'_> {
    /// Returns the rows to work on, ordered by id: read, made unique, without empty texts, and no
    /// more than `limit`.
    pub async fn rows(
        self,
        session: &SessionContext,
        limit: Option<usize>,
        seed: u64,
    ) -> Result<Found> {
        let stripping = self.intake.stripping();
        let (mut rows, kept, taken) = self.read(session, &stripping).await?;
        let stripped = stripping.counts();
        let given = rows.len() as u64;
        rows.sort_unstable();
        let mut lost = 0;
        rows.dedup_by(|row, first| {
            let is_same = (&row.id, &row.texts) == (&first.id, &first.texts);
            lost += u64::from(is_same && row.kept != first.kept);
            if is_same {
                first.time = first.time.max(row.time);
            }
            is_same
        });
        warn_of_lost(lost);
        let folded = given - rows.len() as u64;
        self.refuse_shared_ids(&rows)?;
        let distinct = rows.len();
        rows.retain(|row| self.needed(row).iter().all(|text| !text.trim().is_empty()));
        let dropped = (distinct - rows.len()) as u64;
        if rows.is_empty() {
            return Err(GenerateError::AllEmpty {
                input: self.path.to_owned(),
                rows: given,
                columns: self.columns,
            });
        }
        sample(&mut rows, limit, seed);
        let counts = Rows {
            read: given + taken.left_out,
            left_out: taken.left_out,
            folded,
            dropped,
            used: rows.len() as u64,
            stripped,
            blank: taken.blank,
        };
        Ok(Found { rows, counts, kept })
    }

    /// Returns the texts of a row that may not be empty: a document needs no title.
    fn needed<'r>(&self, row: &'r Row) -> &'r [String] {
        match self.table {
            Table::Corpus => &row.texts[1..],
            _ => &row.texts,
        }
    }

    async fn read(
        &self,
        session: &SessionContext,
        stripping: &Stripping,
    ) -> Result<(Vec<Row>, KeptColumns, Taken)> {
        info!("reading {}", self.path);
        let scan_error = |error| TableError::of_scan(self.path, error);
        let names = self.names.clone().with_optional("id");
        let kept = self
            .kept
            .of_input(session, self.path, (self.table, &names), &[], Table::Pairs)
            .await?;
        let kept_names = kept.names();
        let names = names.with_time(self.intake.split_by_time.as_deref());
        let intake = self.intake.of_tables(stripping);
        let opened = open_with(session, self.path, self.table, &names, &kept_names, intake);
        let (frame, taken) = opened.await?;
        let mut stream = frame.execute_stream().await.map_err(scan_error)?;
        let progress = Progress::new("reading", "rows", None);
        let mut rows = Vec::new();
        let mut has_ids = true;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(scan_error)?;
            has_ids &= string_column(&batch, "id").null_count() == 0;
            self.append(&mut rows, &batch, &kept_names);
            progress.inc(batch.num_rows() as u64);
        }
        if !has_ids {
            info!(
                "{}: no column of ids, so they are made from the texts; --id-column names yours",
                self.path
            );
        }
        Ok((rows, kept, taken))
    }

    fn append(&self, rows: &mut Vec<Row>, batch: &RecordBatch, kept: &[&str]) {
        let ids = string_column(batch, "id");
        let texts = self.columns.map(|column| string_column(batch, column));
        let kept: Vec<_> = (kept.iter().map(|name| string_column(batch, name))).collect();
        let has_times = self.intake.split_by_time.is_some();
        let times = has_times.then(|| i64_column(batch, TIME_COLUMN));
        for at in 0..batch.num_rows() {
            let texts = texts.map(|column| column.value(at).to_owned());
            // Without a column of ids all of them are null.
            let id = if ids.is_null(at) {
                content_id(&texts)
            } else {
                ids.value(at).to_owned()
            };
            let cell = |column: &&StringArray| {
                let is_valid = column.is_valid(at);
                is_valid.then(|| column.value(at).to_owned())
            };
            let kept = kept.iter().map(cell).collect();
            let time = times.map_or(0, |times| times.value(at));
            rows.push(Row {
                id,
                texts,
                kept,
                time,
            });
        }
    }

    fn refuse_shared_ids(&self, rows: &[Row]) -> Result<()> {
        let Some(pair) = rows.windows(2).find(|pair| pair[0].id == pair[1].id) else {
            return Ok(());
        };
        let [first, second] = [&pair[0].texts, &pair[1].texts];
        let column = usize::from(first[0] == second[0]);
        Err(GenerateError::DuplicateId {
            input: self.path.to_owned(),
            id: pair[0].id.clone(),
            column: self.columns[column],
            first: excerpt(&first[column], EXCERPT),
            second: excerpt(&second[column], EXCERPT),
        })
    }
}

/// Warns of rows that give a pair which an earlier row gave, with other values in the columns kept.
pub(crate) fn warn_of_lost(rows: u64) {
    if rows > 0 {
        warn!(
            "{} a pair of an earlier row with other values in the columns that are kept; the first \
             row's are taken",
            counted(rows, "row repeats", "rows repeat")
        );
    }
}

/// Returns the id of a row that came without one: a hash of what it says.
fn content_id(texts: &[String; 2]) -> String {
    let [first, second] = texts;
    let number = draw::number(0, "row id", &[first.as_bytes(), second.as_bytes()]);
    format!("r-{number:016x}")
}

/// Returns the id of a text that came without one: a hash of it.
pub(crate) fn text_id(text: &str) -> String {
    let number = draw::number(0, "text id", &[text.as_bytes()]);
    format!("t-{number:016x}")
}

/// Keeps `limit` rows by the hash of their id: a larger limit adds rows and removes none.
fn sample(rows: &mut Vec<Row>, limit: Option<usize>, seed: u64) {
    let Some(limit) = limit.filter(|&limit| limit < rows.len()) else {
        return;
    };
    rows.sort_by_cached_key(|row| draw::number(seed, "limit", &[row.id.as_bytes()]));
    rows.truncate(limit);
    rows.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, first: &str) -> Row {
        Row {
            id: id.to_owned(),
            texts: [first.to_owned(), "answer".to_owned()],
            kept: Kept::default(),
            time: 0,
        }
    }

    #[test]
    fn a_smaller_limit_takes_a_part_of_a_larger_one() {
        let rows: Vec<_> = (0..100).map(|n| row(&format!("{n:03}"), "text")).collect();
        let take = |limit, seed| {
            let mut rows = rows.clone();
            sample(&mut rows, Some(limit), seed);
            rows
        };
        assert_eq!(take(10, 1).len(), 10);
        assert!(take(10, 1).iter().all(|row| take(30, 1).contains(row)));
        assert_ne!(take(10, 1), take(10, 2));
        assert_eq!(take(500, 1), rows);
    }

    #[test]
    fn a_content_id_depends_on_each_text() {
        let id = |first: &str, second: &str| content_id(&[first.to_owned(), second.to_owned()]);
        assert_eq!(id("a", "bc"), id("a", "bc"));
        assert_ne!(id("a", "bc"), id("ab", "c"));
    }
}
