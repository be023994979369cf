use arrow::array::RecordBatch;
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_hygiene::Batch;
use pairmill_tables::TableError;

use super::sources::Source;
use crate::Result;

impl Source {
    /// Hands on the rows in batches, until `take` has enough.
    pub async fn read(
        &self,
        frame: &DataFrame,
        mut take: impl FnMut(&Batch) -> bool,
    ) -> Result<()> {
        let scan_error = |error| TableError::of_scan(&self.path, error);
        let mut stream = frame.clone().execute_stream().await.map_err(scan_error)?;
        let progress = Progress::new("reading", "rows", None);
        let mut first = 0;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(scan_error)?;
            let goes_on = take(&self.batch(&batch, first));
            first += batch.num_rows();
            progress.inc(batch.num_rows() as u64);
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// The rows as the checks take them.
    pub fn batch<'a>(&self, batch: &'a RecordBatch, first: usize) -> Batch<'a> {
        Batch::of_rows(batch, first, &self.info, &self.texts)
    }
}
