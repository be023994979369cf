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

/// Rows handed on at a time, whatever the sender thinks of.
const BATCH_ROWS: usize = 4_096;

/// A table over the stream, which can be read once. It fails at a null in one of the columns
/// `required`, and, where it is to be a table of the contract, if it ends without a row.
pub(crate) fn stdin_table(
    reader: Reader,
    path: &str,
    table: Option<Table>,
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
            rest: None,
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
    table: Option<Table>,
    required: Vec<String>,
    /// Rows read so far.
    rows: u64,
    /// What is left of the last batch.
    rest: Option<RecordBatch>,
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

    /// The next batch of the sender.
    fn receive(&mut self) -> Result<Option<RecordBatch>> {
        match (self.reader.next(), self.table) {
            (Some(batch), _) => {
                let batch = batch.map_err(|error| malformed(&self.path, error))?;
                self.check(&batch)?;
                Ok(Some(batch))
            }
            (None, Some(table)) if self.rows == 0 => Err(TableError::Empty {
                path: self.path.clone(),
                table: table.name(),
            }),
            (None, _) => Ok(None),
        }
    }

    fn read(&mut self) -> Result<Option<RecordBatch>> {
        let batch = match self.rest.take() {
            None => self.receive()?,
            rest => rest,
        };
        let Some(batch) = batch else { return Ok(None) };
        let rows = batch.num_rows();
        if rows > BATCH_ROWS {
            self.rest = Some(batch.slice(BATCH_ROWS, rows - BATCH_ROWS));
        }
        Ok(Some(batch.slice(0, rows.min(BATCH_ROWS))))
    }
}

impl Iterator for Checked {
    type Item = Result<RecordBatch, DataFusionError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.read().transpose()?;
        Some(batch.map_err(|error| DataFusionError::External(Box::new(error))))
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
