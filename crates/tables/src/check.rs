use arrow::array::Array;
use arrow::datatypes::SchemaRef;
use datafusion::prelude::{DataFrame, SessionContext};
use futures::StreamExt;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::ParquetMetaData;

use crate::columns::{Column, expression};
use crate::{Result, Table, TableError};

/// Proves that an input has rows and no nulls: from Parquet statistics where they say so, else by
/// one pass over the columns.
pub(crate) struct RowCheck {
    /// What each Parquet file says of itself, with all its columns in order.
    pub files: Vec<(ParquetMetaData, SchemaRef)>,
}

impl RowCheck {
    pub async fn run(
        &self,
        session: &SessionContext,
        frame: &DataFrame,
        input: &str,
        table: Table,
        columns: &[Column],
    ) -> Result<()> {
        let suspects: Vec<&Column> = columns
            .iter()
            .filter(|column| column.must_not_be_null())
            .filter(|column| {
                let source = column.source().unwrap_or_default();
                !self.proven_without_nulls(source)
            })
            .collect();
        let known_rows: i64 = self
            .files
            .iter()
            .map(|(file, _)| file.file_metadata().num_rows())
            .sum();
        let rows = if suspects.is_empty() && !self.files.is_empty() {
            known_rows as u64
        } else {
            scan_for_nulls(session, frame, input, columns, &suspects).await?
        };
        if rows == 0 {
            return Err(TableError::Empty {
                path: input.to_owned(),
                table: table.name(),
            });
        }
        Ok(())
    }

    fn proven_without_nulls(&self, column: &str) -> bool {
        !self.files.is_empty()
            && self.files.iter().all(|(file, schema)| {
                let descriptor = file.file_metadata().schema_descr();
                let Ok(converter) = StatisticsConverter::try_new(column, schema, descriptor) else {
                    return false;
                };
                converter
                    .with_missing_null_counts_as_zero(false)
                    .row_group_null_counts(file.row_groups())
                    .is_ok_and(|counts| {
                        counts.null_count() == 0 && counts.values().iter().all(|&n| n == 0)
                    })
            })
    }
}

/// Counts the rows and reports the first null, in file order.
async fn scan_for_nulls(
    session: &SessionContext,
    frame: &DataFrame,
    input: &str,
    columns: &[Column],
    suspects: &[&Column],
) -> Result<u64> {
    let scan_error = |error| TableError::of_scan(input, error);
    let one_partition = session.copied_config().with_target_partitions(1);
    let in_order = SessionContext::new_with_config_rt(one_partition, session.runtime_env());
    let plan = frame.clone().into_parts().1;
    let mut stream = in_order
        .execute_logical_plan(plan)
        .await?
        .select(columns.iter().map(expression).collect::<Vec<_>>())?
        .execute_stream()
        .await
        .map_err(scan_error)?;
    let mut rows = 0u64;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(scan_error)?;
        for column in suspects {
            let array = batch
                .column_by_name(column.field.name())
                .expect("the plan selects it");
            if let Some(at) = (0..array.len()).find(|&row| array.is_null(row)) {
                return Err(TableError::Null {
                    path: input.to_owned(),
                    column: column.source().unwrap_or_default().to_owned(),
                    place: format!(
                        "row {} (counted from 1, header not counted)",
                        rows + at as u64 + 1
                    ),
                });
            }
        }
        rows += batch.num_rows() as u64;
    }
    Ok(rows)
}
