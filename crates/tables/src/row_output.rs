use std::io::{self, BufWriter, Stdout, Write};
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use datafusion::error::DataFusionError;

use crate::{Lineage, ParquetOutput, Result, TableError};

/// Where the rows of a stage between two others go: a Parquet file, which appears whole or not at
/// all, or an Arrow IPC stream on standard output.
pub enum RowOutput {
    /// A file.
    File(Box<ParquetOutput>),
    /// A stream, with the schema it was announced with.
    Stdout(Box<StreamWriter<BufWriter<Stdout>>>, SchemaRef),
}

impl RowOutput {
    /// Prepares to write the file `target`, or standard output where there is none.
    ///
    /// # Errors
    /// If the output cannot be written to.
    pub fn create(target: Option<&Path>, schema: SchemaRef, lineage: &Lineage) -> Result<Self> {
        Ok(match target {
            Some(target) => Self::File(Box::new(ParquetOutput::create(target, schema, lineage)?)),
            None => {
                let writer = StreamWriter::try_new(BufWriter::new(io::stdout()), &schema);
                Self::Stdout(Box::new(writer.map_err(stdout)?), schema)
            }
        })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// If the rows do not fit the schema, the disk is full or the reader has gone.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::File(output) => output.write(batch),
            Self::Stdout(writer, schema) => {
                let batch = RecordBatch::try_new(schema.clone(), batch.columns().to_vec());
                writer.write(&batch.map_err(stdout)?).map_err(stdout)?;
                // Whoever reads is not to wait for the next batch.
                writer.get_mut().flush().map_err(TableError::Stdout)
            }
        }
    }

    /// Ends the output.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn finish(self) -> Result<()> {
        match self {
            Self::File(output) => output.finish().map(drop),
            Self::Stdout(mut writer, _) => {
                writer.finish().map_err(stdout)?;
                writer.get_mut().flush().map_err(TableError::Stdout)
            }
        }
    }
}

/// A closed pipe is told from other failures by its kind.
fn stdout(error: ArrowError) -> TableError {
    match error {
        ArrowError::IoError(_, source) => TableError::Stdout(source),
        other => DataFusionError::from(other).into(),
    }
}
