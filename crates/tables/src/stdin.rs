use std::io::{BufReader, Stdin};
use std::sync::{Arc, Mutex};

use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::StreamExt;

use crate::{Result, TableError};

type Reader = StreamReader<BufReader<Stdin>>;

/// A table over the Arrow IPC stream on standard input; it can be read once.
pub(crate) fn stdin_table(name: &str) -> Result<Arc<dyn TableProvider>> {
    let reader =
        StreamReader::try_new(BufReader::new(std::io::stdin()), None).map_err(|error| {
            TableError::Malformed {
                path: name.to_owned(),
                format: "Arrow IPC stream",
                detail: error.to_string(),
            }
        })?;
    let stream = StdinStream {
        schema: reader.schema(),
        reader: Mutex::new(Some(reader)),
    };
    Ok(Arc::new(StreamingTable::try_new(
        stream.schema.clone(),
        vec![Arc::new(stream)],
    )?))
}

struct StdinStream {
    schema: SchemaRef,
    reader: Mutex<Option<Reader>>,
}

impl std::fmt::Debug for StdinStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StdinStream")
            .field("schema", &self.schema)
            .finish()
    }
}

impl PartitionStream for StdinStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let reader = self.reader.lock().ok().and_then(|mut reader| reader.take());
        let batches = match reader {
            Some(reader) => {
                futures::stream::iter(reader.map(|batch| batch.map_err(Into::into))).left_stream()
            }
            None => futures::stream::iter([Err(DataFusionError::Execution(
                "standard input can be read only once".to_owned(),
            ))])
            .right_stream(),
        };
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches))
    }
}
