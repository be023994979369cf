use std::sync::{Arc, Mutex};

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::{StreamExt, TryStreamExt, stream};

/// Returns a table over a stream, in its order and in batches of at most `rows`. It can be read
/// once.
///
/// An operator that does not promise to keep the order of its input, such as unnest, makes the
/// planner drop a sort below it. A sort that has become a table cannot be dropped.
pub(crate) fn table_of(
    stream: SendableRecordBatchStream,
    rows: usize,
) -> Result<Arc<dyn TableProvider>> {
    let table = StreamTable {
        schema: stream.schema(),
        rows: rows.max(1),
        stream: Mutex::new(Some(stream)),
    };
    let schema = table.schema.clone();
    Ok(Arc::new(StreamingTable::try_new(
        schema,
        vec![Arc::new(table)],
    )?))
}

struct StreamTable {
    schema: SchemaRef,
    rows: usize,
    stream: Mutex<Option<SendableRecordBatchStream>>,
}

impl std::fmt::Debug for StreamTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamTable")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl PartitionStream for StreamTable {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.rows;
        let taken = self.stream.lock().ok().and_then(|mut stream| stream.take());
        let batches = match taken {
            Some(batches) => batches
                .map_ok(move |batch| {
                    let starts = (0..batch.num_rows()).step_by(rows);
                    stream::iter(starts.map(move |start| {
                        Ok(batch.slice(start, rows.min(batch.num_rows() - start)))
                    }))
                })
                .try_flatten()
                .left_stream(),
            None => stream::once(async {
                Err(DataFusionError::Internal(
                    "the stream was read twice".to_owned(),
                ))
            })
            .right_stream(),
        };
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches))
    }
}
