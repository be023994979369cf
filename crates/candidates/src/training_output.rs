use std::path::Path;

use pairmill_tables::{Lineage, Result, TableError, TableOutput};
use serde::Serialize;

use crate::{Decided, TrainingRows};

/// A table of training rows under way.
pub struct TrainingOutput {
    rows: TrainingRows,
    output: TableOutput,
}

impl TrainingOutput {
    /// Prepares to write `output`.
    ///
    /// # Errors
    /// See [`TableOutput::create`].
    pub fn create(rows: TrainingRows, output: &Path, lineage: &Lineage) -> Result<Self> {
        let output = TableOutput::create(output, rows.schema(), lineage)?;
        Ok(Self { rows, output })
    }

    /// Writes the rows that decided candidates give and returns how many there were.
    ///
    /// # Errors
    /// If the disk is full or the candidates are not of their schema.
    pub fn write(&mut self, decided: &Decided) -> Result<u64> {
        let rows = self.rows.rows(decided);
        let rows = rows.map_err(|error| TableError::Query(Box::new(error.into())))?;
        self.output.write(&rows)?;
        Ok(rows.num_rows() as u64)
    }

    /// Gives the table its name.
    ///
    /// # Errors
    /// See [`TableOutput::finish`].
    pub fn finish(self) -> Result<()> {
        self.output.finish()?;
        Ok(())
    }

    /// The same, with the figures that the stage reports.
    ///
    /// # Errors
    /// See [`TableOutput::finish`].
    pub fn finish_with(self, figures: &impl Serialize) -> Result<()> {
        self.output.finish_with(figures)?;
        Ok(())
    }
}
