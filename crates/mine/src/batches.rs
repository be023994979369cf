use arrow::array::RecordBatch;
use datafusion::prelude::DataFrame;
use futures::StreamExt;

use crate::Result;

/// Reads a table to its end.
pub(crate) async fn for_each_batch(
    frame: DataFrame,
    mut read: impl FnMut(&RecordBatch),
) -> Result<()> {
    let mut stream = frame.execute_stream().await?;
    while let Some(batch) = stream.next().await {
        read(&batch?);
    }
    Ok(())
}
