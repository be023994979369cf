use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde::Serialize;

use crate::atomic_file::AtomicFile;
use crate::lineage::{FIGURES_KEY, FOOTER_KEY};
use crate::{Lineage, Result, TableError};

/// Rows per row group: small enough to stream, large enough to compress.
const ROW_GROUP_ROWS: usize = 32_768;
/// Bytes buffered before a row group is closed early, for tables of very long texts.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// A Parquet file that appears whole or not at all: written beside its name, synced, renamed.
/// Dropped without [`finish`](Self::finish), it leaves nothing behind.
pub struct ParquetOutput {
    staged: AtomicFile,
    writer: ArrowWriter<File>,
}

impl ParquetOutput {
    /// Prepares to write `target` with this schema; the lineage goes into the footer.
    ///
    /// # Errors
    /// If the folder cannot be made or written to, or another process is writing this output.
    pub fn create(target: &Path, schema: SchemaRef, lineage: &Lineage) -> Result<Self> {
        let (staged, file) = AtomicFile::create(target)?;
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
        Ok(Self { staged, writer })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// If the rows do not fit the schema or the disk is full.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut result = self.writer.write(batch);
        if result.is_ok() && self.writer.in_progress_size() > ROW_GROUP_BYTES {
            result = self.writer.flush();
        }
        result.map_err(|source| encode_error(&self.staged, source))
    }

    /// Closes the file and gives it its name. Returns the number of rows.
    ///
    /// # Errors
    /// If the disk is full or the rename fails.
    pub fn finish(mut self) -> Result<u64> {
        let metadata = self
            .writer
            .finish()
            .map_err(|source| encode_error(&self.staged, source))?;
        self.staged.publish(self.writer.inner())?;
        Ok(metadata.file_metadata().num_rows() as u64)
    }

    /// Does the same, with the figures that the stage reports, for [`Lineage::figures`].
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_with(mut self, figures: &impl Serialize) -> Result<u64> {
        self.writer
            .append_key_value_metadata(figures_entry(figures));
        self.finish()
    }
}

/// Returns what the footer says of the figures.
pub(crate) fn figures_entry(figures: &impl Serialize) -> KeyValue {
    let figures = serde_json::to_string(figures).expect("figures are plain data");
    KeyValue::new(FIGURES_KEY.to_owned(), figures)
}

fn encode_error(staged: &AtomicFile, source: ParquetError) -> TableError {
    TableError::Encode {
        path: staged.target().to_owned(),
        source,
    }
}
