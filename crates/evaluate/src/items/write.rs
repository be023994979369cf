use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use pairmill_tables::{Lineage, ParquetOutput, TableError};

use crate::error::Result;
use crate::paired::Paired;
use crate::statistics::clusters::Clustering;
use crate::statistics::sample::Sample;

/// Rows handed to the Parquet writer at a time.
const WRITE_ROWS: usize = 32_768;

/// What stands before the columns of a baseline.
pub(crate) const BASELINE: &str = "baseline_";

/// A column of text beside what is kept of each item, such as its id.
pub(crate) struct Label<'a> {
    pub name: &'a str,
    pub values: Vec<&'a str>,
}

/// The table of what was seen of each item, for tasks whose items are no queries.
pub(crate) const PER_ITEM: &str = "per_item.parquet";
/// The same for tasks whose items are queries.
pub(crate) const PER_QUERY: &str = "per_query.parquet";

/// The column that tells which items are alike.
pub(crate) const CLUSTER: &str = "resampled_with";

/// Writes a row for each item: the labels, where some are alike what tells those from others, the
/// columns of the model and, where there is a baseline, its columns under the prefix `baseline_`.
/// What is NaN becomes null.
pub(crate) fn write_items(
    target: &Path,
    labels: &[Label<'_>],
    samples: &Paired<impl Sample>,
    clustering: Option<&Clustering>,
    lineage: &Lineage,
) -> Result<()> {
    let clusters = clustering.map(Clustering::labels);
    let cluster = clusters.as_ref().map(|clusters| Label {
        name: CLUSTER,
        values: clusters.iter().map(String::as_str).collect(),
    });
    let labels: Vec<&Label<'_>> = labels.iter().chain(&cluster).collect();
    let baseline = samples.baseline.iter().flat_map(|sample| {
        let prefixed = |(name, values)| (format!("{BASELINE}{name}"), values);
        sample.columns().into_iter().map(prefixed)
    });
    let columns: Vec<(String, Vec<f64>)> = samples
        .model
        .columns()
        .into_iter()
        .chain(baseline)
        .collect();
    let texts = labels.iter();
    let texts = texts.map(|label| Field::new(label.name, DataType::Utf8, false));
    let numbers = columns.iter().map(|(name, values)| {
        let has_null = values.iter().any(|value| value.is_nan());
        Field::new(name, DataType::Float64, has_null)
    });
    let schema = Arc::new(Schema::new(texts.chain(numbers).collect::<Vec<_>>()));
    let mut output = ParquetOutput::create(target, schema.clone(), lineage)?;
    let items = samples.model.len();
    for start in (0..items).step_by(WRITE_ROWS) {
        let rows = start..items.min(start + WRITE_ROWS);
        let texts = labels.iter().map(|label| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(&label.values[rows.clone()]))
        });
        let numbers = columns.iter().map(|(_, values)| -> ArrayRef {
            let values = values[rows.clone()].iter();
            let values = values.map(|value| (!value.is_nan()).then_some(*value));
            Arc::new(Float64Array::from_iter(values))
        });
        output.write(&batch(&schema, texts.chain(numbers).collect())?)?;
    }
    output.finish()?;
    Ok(())
}

/// Columns as a batch of a table.
pub(crate) fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(schema.clone(), columns)
        .map_err(|error| TableError::Query(Box::new(error.into())).into())
}
