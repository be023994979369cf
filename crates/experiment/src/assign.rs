use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use pairmill_tables::{Lineage, TableOutput, TableReader};
use serde::Serialize;

use crate::arms::Assigner;
use crate::columns::{Column, find};
use crate::error::{ExperimentError, Result};

/// Adds a column with the arm of each row's user to a table.
#[derive(Debug, Clone)]
pub struct Assign {
    /// Any table with a column of user ids, or `-` for an Arrow IPC stream on standard input.
    pub input: String,
    /// The table to write, in the format of its name, or `-` for an Arrow IPC stream on standard
    /// output.
    pub output: PathBuf,
    /// The experiment, whose splits are independent of those of others.
    pub experiment: String,
    /// Who gets which arm.
    pub assigner: Assigner,
    /// The column of user ids: text or integers.
    pub id_column: String,
    /// Name of the column to add.
    pub arm_column: String,
    /// Seed, for the lineage: nothing here is drawn at random.
    pub seed: u64,
    /// Threads to use.
    pub threads: usize,
    /// Work even where the output is up to date.
    pub force: bool,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AssignReport {
    /// Whether there was nothing to do.
    pub up_to_date: bool,
    /// The output.
    pub output: PathBuf,
    /// Rows of each arm, now or by the run that wrote the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arms: Option<BTreeMap<String, u64>>,
}

impl AssignReport {
    /// Prints it as one JSON object.
    ///
    /// # Errors
    /// If writing fails.
    pub fn print_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self).map_err(io::Error::from)?;
        writeln!(out)
    }
}

impl Assign {
    /// Adds the column, unless the output is up to date. All other columns and the order of the
    /// rows stay.
    ///
    /// # Errors
    /// If the table cannot be read, lacks the column of ids or has one of arms already, an id is
    /// null or empty, or the output cannot be written.
    pub fn run(&self) -> Result<AssignReport> {
        let options = (
            &self.experiment,
            self.assigner.arms(),
            &self.id_column,
            &self.arm_column,
        );
        let lineage =
            Lineage::new("assign", &options, self.seed).with_input("users", &self.input)?;
        let up_to_date = lineage.is_done(&self.output, self.force)?;
        let arms = match up_to_date {
            true => Lineage::figures(&self.output)
                .and_then(|figures| serde_json::from_value(figures).ok()),
            false => Some(self.write(&lineage)?),
        };
        match up_to_date {
            true => tracing::info!("{} is up to date", self.output.display()),
            false if self.output == Path::new("-") => {}
            false => tracing::info!("wrote {}", self.output.display()),
        }
        Ok(AssignReport {
            up_to_date,
            output: self.output.clone(),
            arms,
        })
    }

    fn write(&self, lineage: &Lineage) -> Result<BTreeMap<String, u64>> {
        let arms = self.assigner.arms().iter();
        let mut counts: BTreeMap<&str, u64> = arms.map(|(arm, _)| (arm, 0)).collect();
        let mut rows = 0;
        let (_, output) = TableReader::new(self.threads)?.fold_any(
            &self.input,
            |schema| -> Result<_> {
                let id = find(&self.input, schema, &self.id_column, "--id-column")?;
                let schema = self.with_arm(schema)?;
                Ok((id, TableOutput::create(&self.output, schema, lineage)?))
            },
            |(id, output), batch| -> Result<()> {
                let ids = Column::read(&self.input, batch, *id, rows)?.ids("an id")?;
                rows += batch.num_rows() as u64;
                let ids = ids.iter().flatten();
                let arms: Vec<&str> = ids.map(|id| self.assigner.arm(id)).collect();
                for arm in &arms {
                    *counts.entry(arm).or_default() += 1;
                }
                let mut columns = batch.columns().to_vec();
                columns.push(Arc::new(StringArray::from(arms)) as ArrayRef);
                let schema = self.with_arm(&batch.schema())?;
                let batch =
                    RecordBatch::try_new(schema, columns).map_err(ExperimentError::Arrow)?;
                Ok(output.write(&batch)?)
            },
        )?;
        output.finish_with(&counts)?;
        if rows == 0 {
            tracing::warn!("{} has no rows, and nor has the output", self.input);
        }
        Ok(counts
            .into_iter()
            .map(|(arm, count)| (arm.to_owned(), count))
            .collect())
    }

    fn with_arm(&self, schema: &Schema) -> Result<SchemaRef> {
        if schema.field_with_name(&self.arm_column).is_ok() {
            return Err(ExperimentError::ColumnThere {
                path: self.input.clone(),
                column: self.arm_column.clone(),
            });
        }
        let mut fields = schema.fields().to_vec();
        fields.push(Arc::new(Field::new(
            &self.arm_column,
            DataType::Utf8,
            false,
        )));
        Ok(Arc::new(Schema::new(fields)))
    }
}
