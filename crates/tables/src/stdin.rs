use std::io::{BufReader, Stdin};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, RecordBatch};
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

use crate::{Result, Table, TableError};

pub(crate) type Reader = StreamReader<BufReader<Stdin>>;

/// The Arrow IPC stream on standard input, read up to its schema.
pub(crate) fn stdin_reader(path: &str) -> Result<Reader> {
    StreamReader::try_new(BufReader::new(std::io::stdin()), None)
        .map_err(|error| malformed(path, error))
}

fn malformed(path: &str, error: ArrowError) -> TableError {
    TableError::Malformed {
        path: path.to_owned(),
        format: "Arrow IPC stream",
        detail: error.to_string(),
    }
}

/// A table over the stream, which can be read once. It fails if it comes to its end without a row,
/// or at a null in one of the columns `required`.
pub(crate) fn stdin_table(
    reader: Reader,
    path: &str,
    table: Table,
    required: Vec<String>,
) -> Result<Arc<dyn TableProvider>> {
    let stream = StdinStream {
        schema: reader.schema(),
        batches: Mutex::new(Some(Checked {
            reader,
            path: path.to_owned(),
            table,
            required,
            rows: 0,
        })),
    };
    Ok(Arc::new(StreamingTable::try_new(
        stream.schema.clone(),
        vec![Arc::new(stream)],
    )?))
}

struct StdinStream {
    schema: SchemaRef,
    batches: Mutex<Option<Checked>>,
}

struct Checked {
    reader: Reader,
    path: String,
    table: Table,
    required: Vec<String>,
    /// Rows read so far.
    rows: u64,
}

impl Checked {
    fn check(&mut self, batch: &RecordBatch) -> Result<()> {
        for name in &self.required {
            let nulls = batch.column_by_name(name).and_then(Array::logical_nulls);
            if let Some(at) = nulls.and_then(|nulls| nulls.iter().position(|valid| !valid)) {
                return Err(TableError::Null {
                    path: self.path.clone(),
                    column: name.clone(),
                    row: self.rows + at as u64 + 1,
                });
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }
}

impl Iterator for Checked {
    type Item = Result<RecordBatch, DataFusionError>;

    fn next(&mut self) -> Option<Self::Item> {
        let refused = |error| Err(DataFusionError::External(Box::new(error)));
        match self.reader.next() {
            Some(Ok(batch)) => Some(self.check(&batch).map_or_else(refused, |()| Ok(batch))),
            Some(Err(error)) => Some(refused(malformed(&self.path, error))),
            None if self.rows == 0 => Some(refused(TableError::Empty {
                path: self.path.clone(),
                table: self.table.name(),
            })),
            None => None,
        }
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
            Some(batches) => futures::stream::iter(batches).left_stream(),
            None => futures::stream::iter([Err(DataFusionError::Execution(
                "standard input can be read only once".to_owned(),
            ))])
            .right_stream(),
        };
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches))
    }
}
