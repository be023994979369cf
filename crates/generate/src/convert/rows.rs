use std::path::Path;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::prelude::{DataFrame, SessionContext};
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_tables::{
    ColumnNames, LineOutput, Lineage, Lines, Table, TableError, TableOutput, open,
};
use serde::Serialize;

use crate::Result;

/// Returns an input as a table.
pub(super) async fn table(
    session: &SessionContext,
    input: &str,
    table: Table,
) -> Result<DataFrame> {
    let names = ColumnNames::default().with_optional("title");
    Ok(open(session, input, table, &names, &[]).await?)
}

/// The rows of an input in their order.
pub(super) struct Rows {
    input: String,
    table: Table,
    stream: SendableRecordBatchStream,
}

impl Rows {
    pub async fn open(session: &SessionContext, input: &str, kind: Table) -> Result<Self> {
        Self::of(table(session, input, kind).await?, input, kind).await
    }

    pub async fn of(frame: DataFrame, input: &str, table: Table) -> Result<Self> {
        let stream = frame.execute_stream().await;
        Ok(Self {
            input: input.to_owned(),
            table,
            stream: stream.map_err(|error| TableError::of_scan(input, error))?,
        })
    }

    pub async fn next(&mut self, progress: &Progress) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.stream.next().await else {
            return Ok(None);
        };
        let batch = batch.map_err(|error| TableError::of_scan(&self.input, error))?;
        progress.inc(batch.num_rows() as u64);
        // A plan often calls a column nullable that holds no null; this checks that it holds none.
        let batch = RecordBatch::try_new(self.table.schema(), batch.columns().to_vec());
        Ok(Some(batch.map_err(query)?))
    }
}

/// A file of either form.
pub(super) enum Output {
    Table(Box<TableOutput>),
    Lines(Box<LineOutput>),
}

impl Output {
    pub fn table(path: &Path, table: Table, lineage: &Lineage) -> Result<Self> {
        let output = TableOutput::create(path, table.schema(), lineage)?;
        Ok(Self::Table(Box::new(output)))
    }

    /// Begins lines of a folder, or with their own lineage.
    pub fn lines(path: &Path, lines: Lines, lineage: Option<&Lineage>) -> Result<Self> {
        Ok(Self::Lines(Box::new(LineOutput::create(
            path, lines, lineage,
        )?)))
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::Table(output) => output.write(batch)?,
            Self::Lines(output) => output.write(batch)?,
        }
        Ok(())
    }

    /// Returns how many rows were written so far.
    pub fn rows(&self) -> u64 {
        match self {
            Self::Table(output) => output.rows(),
            Self::Lines(output) => output.rows(),
        }
    }

    /// Does the same as [`finish`](Self::finish), with figures for the next run to report.
    pub fn finish_with(self, figures: &impl Serialize) -> Result<u64> {
        Ok(match self {
            Self::Table(output) => output.finish_with(figures)?,
            Self::Lines(output) => output.finish_with(figures)?,
        })
    }

    /// Gives the file its name and returns the number of its rows.
    pub fn finish(self) -> Result<u64> {
        Ok(match self {
            Self::Table(output) => output.finish()?,
            Self::Lines(output) => output.finish()?,
        })
    }
}

pub(super) fn filtered(batch: &RecordBatch, wanted: Vec<bool>) -> Result<RecordBatch> {
    Ok(filter_record_batch(batch, &BooleanArray::from(wanted)).map_err(query)?)
}

/// Returns the anchors of pairs as queries.
pub(super) fn anchors(pairs: &RecordBatch) -> Result<RecordBatch> {
    let columns = ["anchor_id", "anchor"].map(|name| pairs.column_by_name(name).map(Arc::clone));
    let columns = columns.into_iter().flatten().collect();
    Ok(RecordBatch::try_new(Table::Queries.schema(), columns).map_err(query)?)
}

fn query(error: ArrowError) -> TableError {
    TableError::Query(Box::new(error.into()))
}
