use arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use pairmill_tables::{ColumnNames, Table, TableError, open, session};
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

    /// Calls `each` with one batch after the other of the wanted columns.
    pub fn for_each(
        &self,
        input: &str,
        table: Table,
        names: &ColumnNames,
        columns: &[&str],
        mut each: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let scan_error = |error| TableError::of_scan(input, error);
        self.runtime.block_on(async {
            let frame = open(&self.session, input, table, names, &[]).await?;
            let mut stream = frame
                .select_columns(columns)
                .map_err(scan_error)?
                .execute_stream()
                .await
                .map_err(scan_error)?;
            while let Some(batch) = stream.next().await {
                each(&batch.map_err(scan_error)?)?;
            }
            Ok(())
        })
    }
}
