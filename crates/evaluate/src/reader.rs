use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use datafusion::dataframe::DataFrame;
use datafusion::prelude::{SessionContext, ident};
use futures::StreamExt;
use pairmill_tables::{ColumnNames, Table, TableError, open, open_any, session};
use tokio::runtime::Runtime;

use crate::{EvaluateError, Result};

/// Reads tables in the order of their rows.
pub(crate) struct Reader {
    runtime: Runtime,
    session: SessionContext,
}

impl Reader {
    pub fn new(threads: usize) -> Result<Self> {
        Ok(Self {
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(threads)
                .build()
                .map_err(EvaluateError::Runtime)?,
            // One partition keeps the order, so that figures never depend on the thread count.
            session: session(1)?,
        })
    }

    /// Calls `each` with one batch after the other of the wanted columns; those that are not of
    /// the table are read as text.
    pub fn for_each(
        &self,
        input: &str,
        table: Table,
        names: &ColumnNames,
        columns: &[&str],
        each: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        self.for_each_by(None, input, table, names, columns, each)
    }

    /// As [`for_each`](Self::for_each), sorted by the column `order` where there is one.
    pub fn for_each_by(
        &self,
        order: Option<&str>,
        input: &str,
        table: Table,
        names: &ColumnNames,
        columns: &[&str],
        each: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let scan_error = |error| TableError::of_scan(input, error);
        let schema = table.schema();
        let is_extra = |name: &&&str| schema.field_with_name(name).is_err();
        let extra: Vec<&str> = columns.iter().filter(is_extra).copied().collect();
        self.runtime.block_on(async {
            let frame = open(&self.session, input, table, names, &extra).await?;
            let mut frame = frame.select_columns(columns).map_err(scan_error)?;
            if let Some(order) = order {
                let sorted = frame.sort(vec![ident(order).sort(true, false)]);
                frame = sorted.map_err(scan_error)?;
            }
            each_batch(input, frame, each).await
        })
    }

    /// As [`for_each`](Self::for_each), with all columns that the input has.
    pub fn for_each_of_any(
        &self,
        input: &str,
        each: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        self.runtime.block_on(async {
            let frame = open_any(&self.session, input).await?;
            each_batch(input, frame, each).await
        })
    }

    /// Begins with what the input's columns are, then takes in one batch of all of them after the
    /// other.
    pub fn fold_any<T>(
        &self,
        input: &str,
        begin: impl FnOnce(&Schema) -> Result<T>,
        mut each: impl FnMut(&mut T, &RecordBatch) -> Result<()>,
    ) -> Result<T> {
        self.runtime.block_on(async {
            let frame = open_any(&self.session, input).await?;
            let mut state = begin(frame.schema().as_arrow())?;
            each_batch(input, frame, |batch| each(&mut state, batch)).await?;
            Ok(state)
        })
    }
}

async fn each_batch(
    input: &str,
    frame: DataFrame,
    mut each: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let scan_error = |error| TableError::of_scan(input, error);
    let mut stream = frame.execute_stream().await.map_err(scan_error)?;
    while let Some(batch) = stream.next().await {
        each(&batch.map_err(scan_error)?)?;
    }
    Ok(())
}
