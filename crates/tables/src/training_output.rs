use std::path::Path;

use crate::{Judged, Lineage, ParquetOutput, Result, TableError, TrainingRows};

/// A table of training rows under way.
pub struct TrainingOutput {
    rows: TrainingRows,
    output: ParquetOutput,
}

impl TrainingOutput {
    /// Prepares to write `output`.
    ///
    /// # Errors
    /// See [`ParquetOutput::create`].
    pub fn create(rows: TrainingRows, output: &Path, lineage: &Lineage) -> Result<Self> {
        let output = ParquetOutput::create(output, rows.schema(), lineage)?;
        Ok(Self { rows, output })
    }

    /// Writes the rows that judged candidates give and returns how many there were.
    ///
    /// # Errors
    /// If the disk is full or the candidates are not of their schema.
    pub fn write(&mut self, judged: &Judged) -> Result<u64> {
        let rows = self.rows.rows(judged);
        let rows = rows.map_err(|error| TableError::Query(Box::new(error.into())))?;
        self.output.write(&rows)?;
        Ok(rows.num_rows() as u64)
    }

    /// Gives the table its name.
    ///
    /// # Errors
    /// See [`ParquetOutput::finish`].
    pub fn finish(self) -> Result<()> {
        self.output.finish()?;
        Ok(())
    }
}
