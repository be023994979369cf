use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::lineage::FOOTER_KEY;
use crate::{Lineage, Result, TableError};

/// Rows per row group: small enough to stream, large enough to compress.
const ROW_GROUP_ROWS: usize = 32_768;
/// Bytes buffered before a row group is closed early, for tables of very long texts.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// A Parquet file that appears whole or not at all: written beside its name, synced, renamed.
/// Dropped without [`finish`](Self::finish), it leaves nothing behind.
pub struct ParquetOutput {
    target: PathBuf,
    partial: PathBuf,
    /// Until `finish` takes it.
    writer: Option<ArrowWriter<File>>,
}

impl ParquetOutput {
    /// Prepares to write `target` with this schema; the lineage goes into the footer.
    ///
    /// # Errors
    /// If the folder cannot be made or written to, or another process is writing this output.
    pub fn create(target: &Path, schema: SchemaRef, lineage: &Lineage) -> Result<Self> {
        let unwritable = |source| TableError::Unwritable {
            path: target.to_owned(),
            source,
        };
        let name = target
            .file_name()
            // A device such as /dev/null would be replaced for everyone.
            .filter(|_| target.is_file() || !target.exists())
            .ok_or_else(|| {
                unwritable(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "expected a file name such as `candidates.parquet`",
                ))
            })?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".partial");
        let partial = target.with_file_name(hidden);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(unwritable)?;
        }
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&partial)
            .map_err(unwritable)?;
        lock_exclusively(&file, target)?;
        file.set_len(0).map_err(unwritable)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_key_value_metadata(Some(vec![KeyValue::new(
                FOOTER_KEY.to_owned(),
                lineage.to_json(),
            )]))
            .build();
        let writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(|source| {
            TableError::Encode {
                path: target.to_owned(),
                source,
            }
        })?;
        Ok(Self {
            target: target.to_owned(),
            partial,
            writer: Some(writer),
        })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// If the rows do not fit the schema or the disk is full.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let writer = self.writer.as_mut().expect("only finish takes it");
        let mut result = writer.write(batch);
        if result.is_ok() && writer.in_progress_size() > ROW_GROUP_BYTES {
            result = writer.flush();
        }
        result.map_err(|source| self.encode_error(source))
    }

    /// Closes the file and gives it its name. Returns the number of rows.
    ///
    /// # Errors
    /// If the disk is full or the rename fails.
    pub fn finish(mut self) -> Result<u64> {
        let mut writer = self.writer.take().expect("only finish takes it");
        let metadata = writer
            .finish()
            .map_err(|source| self.encode_error(source))?;
        writer
            .inner()
            .sync_all()
            .and_then(|()| fs::rename(&self.partial, &self.target))
            .and_then(|()| sync_parent(&self.target))
            .map_err(|source| TableError::Unwritable {
                path: self.target.clone(),
                source,
            })?;
        self.partial.clear();
        Ok(metadata.file_metadata().num_rows() as u64)
    }

    fn encode_error(&self, source: parquet::errors::ParquetError) -> TableError {
        TableError::Encode {
            path: self.target.clone(),
            source,
        }
    }
}

impl Drop for ParquetOutput {
    fn drop(&mut self) {
        if !self.partial.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Writes a stream of batches to a Parquet file. `on_batch` sees each batch before it is written,
/// for progress and counts. Returns the number of rows.
///
/// # Errors
/// If the plan behind the stream or the writing fails; then no file appears.
pub async fn write_stream(
    target: &Path,
    mut stream: SendableRecordBatchStream,
    schema: SchemaRef,
    lineage: &Lineage,
    mut on_batch: impl FnMut(&RecordBatch),
) -> Result<u64> {
    let mut output = ParquetOutput::create(target, schema.clone(), lineage)?;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        on_batch(&batch);
        // A plan often calls a column nullable that holds no null; this checks that it holds none.
        let batch = RecordBatch::try_new(schema.clone(), batch.columns().to_vec())
            .map_err(|error| TableError::Query(Box::new(error.into())))?;
        output.write(&batch)?;
    }
    output.finish()
}

pub(crate) fn lock_exclusively(file: &File, target: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(TableError::Busy {
            path: target.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(TableError::Unwritable {
            path: target.to_owned(),
            source,
        }),
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
