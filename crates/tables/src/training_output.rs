use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::training::without_ids;
use crate::{Judged, Lineage, ParquetOutput, Result, Table, TableError, TrainingFormat};

/// What a table of training rows looks like.
#[derive(Debug, Clone, Copy)]
pub struct TrainingRows {
    /// What a row is.
    pub format: TrainingFormat,
    /// Negatives in an n-tuple.
    pub negatives: usize,
    /// Whether the id columns are left out.
    pub drop_ids: bool,
}

/// A table of training rows under way, with the candidates that it is made of in a table of their
/// own where that is wanted.
pub struct TrainingOutput {
    rows: TrainingRows,
    columns: Vec<usize>,
    output: ParquetOutput,
    audit: Option<ParquetOutput>,
}

impl TrainingOutput {
    /// Prepares to write `output`, and the judged candidates to `audit`.
    ///
    /// # Errors
    /// See [`ParquetOutput::create`].
    pub fn create(
        rows: TrainingRows,
        (output, lineage): (&Path, &Lineage),
        audit: Option<(&Path, &Lineage)>,
    ) -> Result<Self> {
        let schema = rows.format.schema(rows.negatives);
        let columns = match rows.drop_ids {
            true => without_ids(&schema),
            false => (0..schema.fields().len()).collect(),
        };
        let audit = match audit {
            Some((path, lineage)) => {
                let schema = Table::Candidates.schema();
                Some(ParquetOutput::create(path, schema, lineage)?)
            }
            None => None,
        };
        let schema = Arc::new(schema.project(&columns).map_err(query)?);
        Ok(Self {
            output: ParquetOutput::create(output, schema, lineage)?,
            rows,
            columns,
            audit,
        })
    }

    /// Writes the rows that judged candidates give and returns how many there were.
    ///
    /// # Errors
    /// If the disk is full or the candidates are not of their schema.
    pub fn write(&mut self, judged: &Judged) -> Result<u64> {
        if let Some(audit) = &mut self.audit {
            audit.write(&judged.batch)?;
        }
        let rows: RecordBatch = self
            .rows
            .format
            .rows(judged, self.rows.negatives)
            .and_then(|rows| rows.project(&self.columns))
            .map_err(query)?;
        self.output.write(&rows)?;
        Ok(rows.num_rows() as u64)
    }

    /// Gives both tables their names.
    ///
    /// # Errors
    /// See [`ParquetOutput::finish`].
    pub fn finish(self) -> Result<()> {
        self.finish_audit()?.finish()?;
        Ok(())
    }

    /// Gives the judged candidates their name and returns the training rows, which are to get
    /// theirs next: so that where the rows are new the candidates are.
    ///
    /// # Errors
    /// See [`ParquetOutput::finish`].
    pub fn finish_audit(self) -> Result<ParquetOutput> {
        if let Some(audit) = self.audit {
            audit.finish()?;
        }
        Ok(self.output)
    }
}

fn query(error: arrow::error::ArrowError) -> TableError {
    TableError::Query(Box::new(error.into()))
}
