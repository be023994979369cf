use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Schema};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::lit;
use datafusion::prelude::{DataFrame, SessionContext};
use futures::StreamExt;

use crate::listing::{columns_of, inferred, listing, parquet_footers};
use crate::source::{DataFile, Source};
use crate::spool::SpoolWriter;
use crate::stdin::{stdin_reader, stdin_table};
use crate::text::TextFile;
use crate::{Format, Result, Table, TableError, trec};

/// Opens an input of any columns as it is: a path, folder or glob in any format of columns, or `-`
/// for an Arrow IPC stream on standard input. The columns of CSV are text, and their blank cells
/// null.
///
/// # Errors
/// If the input is missing, unreadable or malformed.
pub async fn open_any(session: &SessionContext, input: &str) -> Result<DataFrame> {
    if input == "-" {
        let provider = stdin_table(stdin_reader(input)?, input)?;
        return Ok(session.read_table(provider)?);
    }
    open_files(session, input).await
}

async fn open_files(session: &SessionContext, input: &str) -> Result<DataFrame> {
    let source = Source::resolve(input)?;
    if source.format == Format::Trec {
        return Err(TableError::NotOfTrec {
            path: input.to_owned(),
            table: "columnar",
        });
    }
    parquet_footers(&source)?;
    if source.format.is_text() {
        let mut texts = Vec::new();
        for file in &source.files {
            texts.push(TextFile::look_through(file)?);
        }
        if source.format != Format::JsonLines || !texts.iter().all(|text| text.is_plain_json()) {
            return spool(session, &source, &texts);
        }
    }
    let mut schemas = Vec::with_capacity(source.files.len());
    for file in &source.files {
        schemas.push(inferred(session, file).await?.as_ref().clone());
    }
    let merged = Schema::try_merge(schemas.clone());
    let is_partitioned = source.files.iter().any(|file| !file.partition.is_empty());
    if let (Ok(schema), false) = (merged, is_partitioned) {
        let provider = listing(&source, Arc::new(schema))?;
        return Ok(session.read_table(Arc::new(provider))?);
    }
    let mut all: Option<DataFrame> = None;
    for (file, schema) in source.files.iter().zip(schemas) {
        let one = Source {
            files: vec![file.clone()],
            format: file.format,
        };
        let mut frame = session.read_table(Arc::new(listing(&one, Arc::new(schema))?))?;
        for (column, value) in &file.partition {
            if !frame.schema().has_column_with_unqualified_name(column) {
                frame = frame.with_column(column, lit(ScalarValue::Utf8(value.clone())))?;
            }
        }
        all = Some(match all {
            None => frame,
            Some(all) => all
                .union_by_name(frame)
                .map_err(|error| differs(file, error))?,
        });
    }
    all.ok_or_else(|| TableError::NoFiles {
        path: input.to_owned(),
    })
}

fn differs(file: &DataFile, error: DataFusionError) -> TableError {
    let error = error.strip_backtrace();
    file.malformed(format!(
        "its columns are not those of the files before it: {error}"
    ))
}

/// Returns the rows of text files, with every column that one of them has.
fn spool(session: &SessionContext, source: &Source, texts: &[Arc<TextFile>]) -> Result<DataFrame> {
    let mut names: Vec<&str> = Vec::new();
    for (file, text) in source.files.iter().zip(texts) {
        let in_path = file.partition.iter().map(|(column, _)| column);
        for name in text.columns().iter().chain(in_path) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let fields = names
        .iter()
        .map(|&name| Field::new(name, DataType::Utf8, true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let mut spool = SpoolWriter::new(schema.clone());
    for (file, text) in source.files.iter().zip(texts) {
        let own: Vec<usize> = (0..text.columns().len()).collect();
        let mut rows = text.rows(&own, true)?;
        while let Some(cells) = rows.next()? {
            let columns = names.iter().map(|&name| -> ArrayRef {
                if let Some(at) = text.columns().iter().position(|column| column == name) {
                    return blank_as_null(&cells.columns[at], file);
                }
                let in_path = file.partition.iter().find(|(column, _)| column == name);
                let value = in_path.and_then(|(_, value)| value.as_deref());
                let values = std::iter::repeat_n(value, cells.lines.len());
                Arc::new(values.collect::<StringArray>())
            });
            let batch = RecordBatch::try_new(schema.clone(), columns.collect());
            spool.write(batch.map_err(DataFusionError::from)?)?;
        }
    }
    Ok(session.read_table(spool.finish()?)?)
}

pub(crate) fn blank_as_null(values: &ArrayRef, file: &DataFile) -> ArrayRef {
    if file.format == Format::JsonLines {
        return values.clone();
    }
    let values = values.as_string::<i32>().iter();
    let values = values.map(|value| value.filter(|value| !value.is_empty()));
    Arc::new(values.collect::<StringArray>())
}

/// Returns whether an input that is one of both is a [`Table::Run`], which has ranks, or
/// [`Table::Qrels`].
///
/// # Errors
/// If the input is missing, unreadable or malformed, or has no ranks and yet scores that are no
/// grades.
pub async fn run_or_qrels(session: &SessionContext, input: &str) -> Result<Table> {
    let source = Source::resolve(input)?;
    let is_run = match source.format {
        Format::Trec => trec::is_run(&source.files)?,
        _ => {
            let has_ranks = column_names(session, input)
                .await?
                .contains(&"rank".to_owned());
            if !has_ranks {
                refuse_scores(session, input).await?;
            }
            has_ranks
        }
    };
    Ok(if is_run { Table::Run } else { Table::Qrels })
}

/// Refuses scores: a run without ranks would pass for judgements, were it not that grades are
/// whole.
async fn refuse_scores(session: &SessionContext, input: &str) -> Result<()> {
    let frame = open_files(session, input).await?;
    let Ok(scores) = frame.select_columns(&["score"]) else {
        return Ok(());
    };
    let mut batches = scores.execute_stream().await?;
    let mut rows = 0;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        // What is no number is for the reader of the table to refuse.
        let numbers = cast(batch.column(0), &DataType::Float64).map_err(DataFusionError::from)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        let is_score = |number: Option<f64>| number.is_some_and(|number| number.fract() != 0.0);
        if let Some(row) = numbers.iter().position(is_score) {
            return Err(TableError::NeitherRunNorQrels {
                path: input.to_owned(),
                row: rows + row + 1,
                found: numbers.value(row),
            });
        }
        rows += numbers.len();
    }
    Ok(())
}

/// Returns the names of an input's columns, for a stage that takes several kinds of tables.
///
/// # Errors
/// If the input is missing, unreadable or malformed.
pub async fn column_names(session: &SessionContext, input: &str) -> Result<Vec<String>> {
    let source = Source::resolve(input)?;
    let mut names: Vec<String> = Vec::new();
    for file in &source.files {
        let found = columns_of(session, file).await?;
        for name in found.names_with(&file.partition) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// Returns the number of rows of an input that is no stream.
///
/// # Errors
/// If the input is missing, unreadable or malformed.
pub async fn row_count(session: &SessionContext, input: &str) -> Result<usize> {
    Ok(open_files(session, input).await?.count().await?)
}
