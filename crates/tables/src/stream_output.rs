use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use crate::{Lineage, Result, TableOutput};

/// Writes a stream of batches to a table, still to be [finished](TableOutput::finish). `on_batch`
/// sees each batch before it is written, for progress and counts.
///
/// # Errors
/// If the plan behind the stream or the writing fails; then no file appears.
pub async fn write_stream(
    target: &Path,
    mut stream: SendableRecordBatchStream,
    schema: SchemaRef,
    lineage: &Lineage,
    mut on_batch: impl FnMut(&RecordBatch),
) -> Result<TableOutput> {
    let mut output = TableOutput::create(target, schema, lineage)?;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        on_batch(&batch);
        // Checks that no column that a plan calls nullable without need holds a null.
        output.write(&batch)?;
    }
    Ok(output)
}
