use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int32Array, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use pairmill_tables::{KeptColumns, Lineage, ParquetOutput, Table, TableError, TableOutput};
use serde::Serialize;

use crate::Result;

/// Rows handed to the Parquet writer at a time.
const BATCH_ROWS: usize = 4_096;
/// Bytes of text after which a batch is handed on early.
const BATCH_BYTES: usize = 16 << 20;

/// The folder that tables are written into.
pub(crate) struct Tables<'a> {
    pub folder: &'a Path,
    pub lineage: &'a Lineage,
}

impl Tables<'_> {
    /// Starts `name`.parquet with this schema: columns of text, then at most one number.
    pub fn create(&self, name: &str, schema: SchemaRef) -> Result<TableWriter> {
        let path = self.folder.join(name).with_extension("parquet");
        let is_text = |field: &&Arc<Field>| field.data_type() == &DataType::Utf8;
        let texts = schema.fields().iter().filter(is_text).count();
        Ok(TableWriter {
            output: ParquetOutput::create(&path, schema.clone(), self.lineage)?,
            texts: (0..texts).map(|_| StringBuilder::new()).collect(),
            numbers: Vec::new(),
            schema,
            rows: 0,
            bytes: 0,
        })
    }
}

/// Writes a table that fits in one batch, whole or not at all, with the figures of the run.
pub(crate) fn write_whole(
    target: &Path,
    fields: Vec<Field>,
    columns: Vec<ArrayRef>,
    lineage: &Lineage,
    figures: &impl Serialize,
) -> Result<()> {
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), columns);
    let batch = batch.map_err(|error| TableError::Query(Box::new(error.into())))?;
    let mut output = TableOutput::create(target, schema, lineage)?;
    output.write(&batch)?;
    output.finish_with(figures)?;
    Ok(())
}

/// Returns the schema of pairs with the columns that are kept.
pub(crate) fn pairs_schema(kept: &KeptColumns) -> SchemaRef {
    let own = Table::Pairs.schema();
    let kept = kept.fields().into_iter().map(Arc::new);
    let fields: Vec<_> = own.fields().iter().cloned().chain(kept).collect();
    Arc::new(Schema::new(fields))
}

/// Writes a table row by row.
pub(crate) struct TableWriter {
    output: ParquetOutput,
    schema: SchemaRef,
    texts: Vec<StringBuilder>,
    numbers: Vec<u8>,
    rows: usize,
    bytes: usize,
}

impl TableWriter {
    /// Appends a row of a table of texts.
    pub fn push(&mut self, texts: &[&str]) -> Result<()> {
        self.push_kept(texts, &[])
    }

    /// Appends a row of a table of texts with what is kept of the input's row.
    pub fn push_kept(&mut self, texts: &[&str], kept: &[Option<String>]) -> Result<()> {
        debug_assert_eq!(texts.len() + kept.len(), self.texts.len());
        let texts = texts.iter().map(|text| Some(*text));
        let cells = texts.chain(kept.iter().map(Option::as_deref));
        for (column, cell) in self.texts.iter_mut().zip(cells) {
            column.append_option(cell);
            self.bytes += cell.map_or(0, str::len);
        }
        self.rows += 1;
        if self.rows == BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Appends a row of a table that ends in a grade or label.
    pub fn push_scored(&mut self, texts: &[&str], score: u8) -> Result<()> {
        self.numbers.push(score);
        self.push(texts)
    }

    fn flush(&mut self) -> Result<()> {
        let mut columns: Vec<ArrayRef> = self
            .texts
            .iter_mut()
            .map(|column| Arc::new(column.finish()) as ArrayRef)
            .collect();
        let numbers = self.numbers.drain(..);
        match self.schema.fields().last().map(|field| field.data_type()) {
            Some(DataType::Int32) => {
                columns.push(Arc::new(Int32Array::from_iter_values(
                    numbers.map(i32::from),
                )));
            }
            Some(DataType::Float32) => {
                columns.push(Arc::new(Float32Array::from_iter_values(
                    numbers.map(f32::from),
                )));
            }
            _ => drop(numbers),
        }
        let batch = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|error| TableError::Query(Box::new(error.into())))?;
        self.output.write(&batch)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    /// Closes the file. Returns the number of rows.
    pub fn finish(mut self) -> Result<u64> {
        if self.rows > 0 {
            self.flush()?;
        }
        Ok(self.output.finish()?)
    }
}
