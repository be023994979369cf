use std::io::{BufReader, Stdin};
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::StreamExt;

use crate::{Result, TableError};

pub(crate) type Reader = StreamReader<BufReader<Stdin>>;

/// Returns the Arrow IPC stream on standard input, read up to its schema.
pub(crate) fn stdin_reader(path: &str) -> Result<Reader> {
    StreamReader::try_new(BufReader::new(std::io::stdin()), None)
        .map_err(|error| malformed(path, error))
}

fn malformed(path: &str, error: ArrowError) -> TableError {
    TableError::Malformed {
        path: path.to_owned(),
        format: "Arrow IPC stream",
        detail: format!("{error}; `-` takes what another stage writes with `--output -`"),
    }
}

/// Rows handed on at a time, whatever the sender thinks of.
const BATCH_ROWS: usize = 4_096;

/// Returns the rows of the stream.
pub(crate) fn stdin_batches(reader: Reader, path: &str) -> Batches {
    Batches {
        reader,
        path: path.to_owned(),
        rest: None,
    }
}

/// Returns a table over the stream, which can be read once, as it comes.
pub(crate) fn stdin_table(reader: Reader, path: &str) -> Result<Arc<dyn TableProvider>> {
    let stream = StdinStream {
        schema: reader.schema(),
        batches: Mutex::new(Some(stdin_batches(reader, path))),
    };
    Ok(Arc::new(StreamingTable::try_new(
        stream.schema.clone(),
        vec![Arc::new(stream)],
    )?))
}

struct StdinStream {
    schema: SchemaRef,
    batches: Mutex<Option<Batches>>,
}

/// See [`stdin_batches`].
pub(crate) struct Batches {
    reader: Reader,
    path: String,
    /// What is left of the last batch.
    rest: Option<RecordBatch>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => match self.reader.next()? {
                Ok(batch) => batch,
                Err(error) => return Some(Err(malformed(&self.path, error))),
            },
        };
        let rows = batch.num_rows();
        if rows > BATCH_ROWS {
            self.rest = Some(batch.slice(BATCH_ROWS, rows - BATCH_ROWS));
        }
        Some(Ok(batch.slice(0, rows.min(BATCH_ROWS))))
    }
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
        let batches = self
            .batches
            .lock()
            .ok()
            .and_then(|mut batches| batches.take());
        let batches = match batches {
            Some(batches) => {
                let failed = |error| DataFusionError::External(Box::new(error));
                let batches = batches.map(move |batch| batch.map_err(failed));
                futures::stream::iter(batches).left_stream()
            }
            None => futures::stream::iter([Err(DataFusionError::Execution(
                "standard input can be read only once".to_owned(),
            ))])
            .right_stream(),
        };
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches))
    }
}
