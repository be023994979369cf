//! The rows of an input.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use datafusion::logical_expr::{Cast, Expr, ident};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_tables::{TableError, open_any};
use tracing::info;

use super::columns::Columns;
use super::options::PairsOptions;
use crate::input::Kept;
use crate::{GenerateError, Result};

/// A row: an anchor, a text that is relevant to it or is not, and perhaps some that are not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub anchor: Text,
    pub second: Text,
    pub is_positive: bool,
    pub negatives: Vec<String>,
    pub kept: Kept,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text {
    pub text: String,
    pub id: Option<String>,
}

impl Row {
    /// Returns whether it says the same, whatever is kept beside it.
    pub fn says(&self, other: &Self) -> bool {
        fn said(row: &Row) -> (&Text, &Text, bool, &[String]) {
            (&row.anchor, &row.second, row.is_positive, &row.negatives)
        }
        said(self) == said(other)
    }
}

impl Text {
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

impl PairsOptions {
    /// Returns the rows, the names of the columns kept, and how many rows were read.
    pub(super) async fn rows(
        &self,
        session: &SessionContext,
        input: &str,
    ) -> Result<(Vec<Row>, Vec<String>, u64)> {
        let frame = open_any(session, input).await?;
        let names: Vec<String> = (frame.schema().fields().iter())
            .map(|field| field.name().clone())
            .collect();
        let columns = self.columns(input, &names)?;
        if columns.negatives.is_empty() && columns.label.is_none() {
            info!("every row is a positive pair: there is no column of labels or negatives");
        }
        let wanted = [
            Some(&columns.texts[0]),
            Some(&columns.texts[1]),
            columns.ids[0].as_ref(),
            columns.ids[1].as_ref(),
            columns.label.as_ref(),
        ];
        let others = columns.negatives.iter().chain(&columns.kept).map(Some);
        let selected: Vec<Expr> = (wanted.into_iter().chain(others).zip(0..))
            .filter_map(|(name, at)| {
                let column = Box::new(ident(name?.as_str()));
                Some(Expr::Cast(Cast::new(column, DataType::Utf8)).alias(format!("column {at}")))
            })
            .collect();
        let scan_error = |error| TableError::of_scan(input, error);
        let frame = frame.select(selected).map_err(scan_error)?;
        let mut stream = frame.execute_stream().await.map_err(scan_error)?;
        let progress = Progress::new("reading", "rows", None);
        let (mut rows, mut read) = (Vec::new(), 0);
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(scan_error)?;
            self.append(&mut rows, &batch, &columns, input, read)?;
            read += batch.num_rows() as u64;
            progress.inc(batch.num_rows() as u64);
        }
        Ok((rows, columns.kept, read))
    }

    fn append(
        &self,
        rows: &mut Vec<Row>,
        batch: &RecordBatch,
        columns: &Columns,
        input: &str,
        read: u64,
    ) -> Result<()> {
        let column = |at: usize| {
            let column = batch.column_by_name(&format!("column {at}"))?;
            column.as_string_opt::<i32>()
        };
        let cell = |at: usize, row: usize| {
            let column = column(at).filter(|column| column.is_valid(row))?;
            Some(column.value(row).to_owned())
        };
        for row in 0..batch.num_rows() {
            let text = |at: usize| Text {
                text: cell(at, row).unwrap_or_default(),
                id: cell(at + 2, row).filter(|id| !id.is_empty()),
            };
            let is_positive = match &columns.label {
                None => true,
                Some(name) => {
                    let label = cell(4, row).unwrap_or_default();
                    let number = number(&label).filter(|number| (0.0..=1.0).contains(number));
                    let number = number.ok_or_else(|| GenerateError::Label {
                        input: input.to_owned(),
                        column: name.clone(),
                        row: read + row as u64 + 1,
                        found: label,
                    })?;
                    number >= self.label_threshold
                }
            };
            let first_kept = 5 + columns.negatives.len();
            let negatives = (5..first_kept).filter_map(|at| cell(at, row));
            let negatives = negatives.filter(|text| !text.trim().is_empty());
            let kept = (0..columns.kept.len()).map(|at| cell(first_kept + at, row));
            rows.push(Row {
                anchor: text(0),
                second: text(1),
                is_positive,
                negatives: negatives.collect(),
                kept: kept.collect(),
            });
        }
        Ok(())
    }
}

/// Returns the number that a label is; true and false are 1 and 0, as pandas writes them.
fn number(label: &str) -> Option<f64> {
    match label.trim() {
        yes if yes.eq_ignore_ascii_case("true") => Some(1.0),
        no if no.eq_ignore_ascii_case("false") => Some(0.0),
        number => number.parse().ok(),
    }
}
