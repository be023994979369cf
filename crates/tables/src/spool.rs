//! Rows that were read once, to be gone through as often as a plan wants.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::StreamExt;

use crate::{Result, TableError};

/// Bytes that are held in memory; what is more goes to a file.
const IN_MEMORY: usize = 64 << 20;

/// Rows under collection. Past a limit they lie in a temporary file that has no name, so that it
/// goes with the process however that ends.
pub(crate) struct SpoolWriter {
    schema: SchemaRef,
    held: Vec<RecordBatch>,
    bytes: usize,
    rows: u64,
    file: Option<(File, FileWriter<BufWriter<File>>)>,
}

impl SpoolWriter {
    pub fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            held: Vec::new(),
            bytes: 0,
            rows: 0,
            file: None,
        }
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        self.bytes += batch.get_array_memory_size();
        if let Some((_, writer)) = &mut self.file {
            return writer.write(&batch).map_err(unwritable);
        }
        self.held.push(batch);
        if self.bytes > IN_MEMORY {
            let file = tempfile::tempfile().map_err(|error| unwritable(error.into()))?;
            let copy = file.try_clone().map_err(|error| unwritable(error.into()))?;
            let options = IpcWriteOptions::default()
                .try_with_compression(Some(CompressionType::LZ4_FRAME))
                .map_err(unwritable)?;
            let writer = BufWriter::new(copy);
            let mut writer = FileWriter::try_new_with_options(writer, &self.schema, options)
                .map_err(unwritable)?;
            for batch in self.held.drain(..) {
                writer.write(&batch).map_err(unwritable)?;
            }
            self.file = Some((file, writer));
        }
        Ok(())
    }

    /// Returns the rows as a table.
    pub fn finish(self) -> Result<Arc<dyn TableProvider>> {
        let rows = match self.file {
            None => Rows::Held(self.held),
            Some((file, mut writer)) => {
                writer.finish().map_err(unwritable)?;
                Rows::InFile(Arc::new(file))
            }
        };
        let spool = Spool {
            schema: self.schema.clone(),
            rows,
        };
        Ok(Arc::new(StreamingTable::try_new(
            self.schema,
            vec![Arc::new(spool)],
        )?))
    }
}

fn unwritable(error: ArrowError) -> TableError {
    let source = match error {
        ArrowError::IoError(_, source) => source,
        other => io::Error::other(other),
    };
    TableError::Unwritable {
        path: std::env::temp_dir(),
        source,
    }
}

enum Rows {
    Held(Vec<RecordBatch>),
    InFile(Arc<File>),
}

struct Spool {
    schema: SchemaRef,
    rows: Rows,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool")
            .field("schema", &self.schema)
            .finish()
    }
}

impl PartitionStream for Spool {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let failed = |error: ArrowError| futures::stream::iter([Err(DataFusionError::from(error))]);
        let batches = match &self.rows {
            Rows::Held(batches) => {
                futures::stream::iter(batches.clone().into_iter().map(Ok)).left_stream()
            }
            Rows::InFile(file) => {
                let reader = PlacedReader {
                    file: file.clone(),
                    at: 0,
                };
                let read = FileReader::try_new_buffered(reader, None);
                match read {
                    Ok(reader) => {
                        let batches = reader.map(|batch| batch.map_err(DataFusionError::from));
                        futures::stream::iter(batches).left_stream().right_stream()
                    }
                    Err(error) => failed(error).right_stream().right_stream(),
                }
            }
        };
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches))
    }
}

/// Reads a file from a place of its own, so that several can read at once.
struct PlacedReader {
    file: Arc<File>,
    at: u64,
}

impl Read for PlacedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for PlacedReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use arrow::array::StringArray;

    #[test]
    fn rows_come_back_in_order_and_again_from_memory_and_from_disk() {
        let text = "x".repeat(1 << 20);
        for batches in [3usize, 100] {
            let batch = |at: usize| {
                let values = StringArray::from(vec![format!("{at} {text}")]);
                RecordBatch::try_from_iter([("text", Arc::new(values) as _)]).unwrap()
            };
            let mut spool = SpoolWriter::new(batch(0).schema());
            for at in 0..batches {
                spool.write(batch(at)).unwrap();
            }
            assert_eq!(spool.file.is_some(), batches == 100);
            let table = spool.finish().unwrap();
            let session = crate::session(1).unwrap();
            let runtime = tokio::runtime::Runtime::new().unwrap();
            for _ in 0..2 {
                let read = session.read_table(table.clone()).unwrap().collect();
                let read = runtime.block_on(read).unwrap();
                let starts = read.iter().flat_map(|batch| {
                    let texts = crate::string_column(batch, "text").iter().flatten();
                    texts.map(|text| text.split(' ').next().unwrap().parse::<usize>().unwrap())
                });
                assert!(starts.eq(0..batches));
            }
        }
    }
}
