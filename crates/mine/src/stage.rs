use std::path::PathBuf;

use arrow::array::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use pairmill_tables::{Lineage, Table, TableOutput, write_stream};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::info;

use crate::Result;

/// How to run, whatever is searched for.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The table to write: Parquet, CSV, JSON Lines or Arrow IPC by its name, or `-`.
    pub output: PathBuf,
    /// Seed of random samples.
    pub seed: u64,
    /// Threads to work with.
    pub threads: usize,
    /// Whether to do the work again when the output is up to date.
    pub force: bool,
}

/// What a run did; `S` is its summary.
#[derive(Debug, Clone, Serialize)]
pub struct Report<S> {
    /// Whether there was nothing to do.
    pub up_to_date: bool,
    /// The table.
    pub output: PathBuf,
    /// What was done, now or by the run that wrote the output.
    #[serde(flatten)]
    pub summary: Option<S>,
}

impl RunOptions {
    /// Does the `work` that writes the output, unless it is done already.
    pub(crate) async fn run<S: DeserializeOwned>(
        &self,
        is_done: bool,
        work: impl Future<Output = Result<S>>,
    ) -> Result<Report<S>> {
        let summary = if is_done {
            info!("{} is up to date", self.output.display());
            let figures = Lineage::figures(&self.output);
            figures.and_then(|figures| serde_json::from_value(figures).ok())
        } else {
            Some(work.await?)
        };
        Ok(Report {
            up_to_date: is_done,
            output: self.output.clone(),
            summary,
        })
    }

    /// Writes the rows of a plan of one partition, in their order; the output is still to be
    /// finished.
    pub(crate) async fn write(
        &self,
        rows: DataFrame,
        table: Table,
        lineage: &Lineage,
        on_batch: impl FnMut(&RecordBatch),
    ) -> Result<TableOutput> {
        let rows = rows.execute_stream().await?;
        Ok(write_stream(
            &self.output,
            self.ahead(rows),
            table.schema(),
            lineage,
            on_batch,
        )
        .await?)
    }

    /// Lets a plan run a few batches ahead of whoever reads it, unless there is but one thread.
    pub(crate) fn ahead(&self, mut stream: SendableRecordBatchStream) -> SendableRecordBatchStream {
        if self.threads == 1 {
            return stream;
        }
        let mut ahead = RecordBatchReceiverStream::builder(stream.schema(), 2);
        let reader = ahead.tx();
        ahead.spawn(async move {
            while let Some(batch) = stream.next().await {
                if reader.send(batch).await.is_err() {
                    break;
                }
            }
            Ok(())
        });
        ahead.build()
    }
}
