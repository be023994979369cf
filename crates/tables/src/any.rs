use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::error::DataFusionError;
use datafusion::prelude::{DataFrame, SessionContext};
use futures::StreamExt;

use crate::read::{listing, parquet_footers};
use crate::source::{Format, Source};
use crate::stdin::{stdin_reader, stdin_table};
use crate::{Result, Table, TableError, trec};

/// Opens an input of any columns as it is: a path, folder or glob in any format of columns, or `-`
/// for an Arrow IPC stream on standard input. The columns of CSV are text.
///
/// # Errors
/// If the input is missing, unreadable or malformed.
pub async fn open_any(session: &SessionContext, input: &str) -> Result<DataFrame> {
    if input == "-" {
        let provider = stdin_table(stdin_reader(input)?, input, None, Vec::new())?;
        return Ok(session.read_table(provider)?);
    }
    open_files(session, input).await
}

async fn open_files(session: &SessionContext, input: &str) -> Result<DataFrame> {
    let source = Source::resolve(input)?;
    parquet_footers(&source)?;
    let provider = listing(session, &source, input).await?;
    Ok(session.read_table(Arc::new(provider))?)
}

/// Whether an input that is one of both is a [`Table::Run`], which has ranks, or [`Table::Qrels`].
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

/// A run without ranks would pass for judgements, were it not that grades are whole.
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

/// The names of an input's columns, for a stage that takes several kinds of tables.
///
/// # Errors
/// If the input is missing, unreadable or malformed.
pub async fn column_names(session: &SessionContext, input: &str) -> Result<Vec<String>> {
    let frame = open_files(session, input).await?;
    let fields = frame.schema().fields().iter();
    Ok(fields.map(|field| field.name().clone()).collect())
}

/// The number of rows of an input that is no stream.
///
/// # Errors
/// If the input is missing, unreadable or malformed.
pub async fn row_count(session: &SessionContext, input: &str) -> Result<usize> {
    Ok(open_files(session, input).await?.count().await?)
}
