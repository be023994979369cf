use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array,
};
use arrow::compute::{cast, prep_null_mask_filter};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::logical_expr::ExprSchemable;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;
use serde::Serialize;

use crate::condition::{condition, first_line};
use crate::{Result, TableError};

/// A condition on the rows of an input, in SQL over the columns as the input names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RowFilter {
    sql: String,
}

impl FromStr for RowFilter {
    type Err = String;

    fn from_str(sql: &str) -> Result<Self, String> {
        match sql.trim() {
            "" => Err("expected a condition, such as \"language = 'en'\"".to_owned()),
            sql => Ok(Self {
                sql: sql.to_owned(),
            }),
        }
    }
}

impl std::fmt::Display for RowFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sql)
    }
}

/// A [`RowFilter`] over the columns of a file.
#[derive(Debug)]
pub struct BoundFilter {
    path: String,
    sql: String,
    condition: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
}

impl RowFilter {
    /// Binds the condition to the columns of a file.
    ///
    /// # Errors
    /// If it is no condition over these columns.
    pub fn bind(&self, path: &str, columns: &Schema) -> Result<BoundFilter> {
        let failed = |detail: String| self.unusable(path, detail, found(columns));
        let plain = |error: DataFusionError| failed(first_line(&error));
        let session = SessionContext::new();
        let all = unambiguous(columns);
        let condition = condition(&self.sql, &all, &session.state()).map_err(failed)?;
        let names = condition.column_refs();
        let is_read = |field: &&Arc<Field>| names.iter().any(|name| name.name == *field.name());
        let read: Vec<Arc<Field>> = all.fields().iter().filter(is_read).cloned().collect();
        let read = Arc::new(Schema::new(read));
        let schema = DFSchema::try_from(read.as_ref().clone()).map_err(plain)?;
        match condition.get_type(&schema).map_err(plain)? {
            DataType::Boolean | DataType::Null => {}
            other => {
                return Err(failed(format!(
                    "it gives {other}, and is to say true or false"
                )));
            }
        }
        Ok(BoundFilter {
            path: path.to_owned(),
            sql: self.sql.clone(),
            condition: session
                .create_physical_expr(condition, &schema)
                .map_err(plain)?,
            schema: read,
        })
    }
}

impl RowFilter {
    /// Returns what to say where an input has no columns with names.
    pub(crate) fn refused(&self, path: &str) -> TableError {
        let detail =
            "TREC's form names no columns; `pairmill-generate convert` makes a table of it";
        self.unusable(path, detail.to_owned(), "none".to_owned())
    }

    fn unusable(&self, path: &str, detail: String, found: String) -> TableError {
        TableError::Filter {
            path: path.to_owned(),
            filter: self.sql.clone(),
            detail,
            found,
        }
    }
}

impl BoundFilter {
    /// Returns the columns that the condition reads, in the order of the file.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
    }

    /// Says of each row whether the condition holds; where it is null, it does not. `values` are
    /// those of the [`columns`](Self::columns), and `place` names a row in messages.
    ///
    /// # Errors
    /// If it cannot be told of a row, as where a text is compared with a number and is none.
    pub fn holds(
        &self,
        values: &[ArrayRef],
        rows: usize,
        place: impl Fn(usize) -> String,
    ) -> Result<BooleanArray> {
        let batch = self.batch(values, rows)?;
        self.evaluate(&batch).map_err(|error| {
            // The error does not say which row it is.
            let fails = |row: &usize| self.evaluate(&batch.slice(*row, 1)).is_err();
            let row = (0..rows).find(fails).unwrap_or(0);
            TableError::FilterOfRow {
                path: self.path.clone(),
                filter: self.sql.clone(),
                place: place(row),
                detail: first_line(&error),
            }
        })
    }

    fn batch(&self, values: &[ArrayRef], rows: usize) -> Result<RecordBatch> {
        let values = values.iter().zip(self.schema.fields());
        // Numbers of a text file are read as text.
        let values = values.map(|(values, field)| match values.data_type() {
            kind if kind == field.data_type() => Ok(values.clone()),
            DataType::Null => Ok(new_null_array(field.data_type(), rows)),
            _ => cast(values, field.data_type()),
        });
        let values = values
            .collect::<Result<Vec<_>, _>>()
            .map_err(DataFusionError::from)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), values, &options);
        Ok(batch.map_err(DataFusionError::from)?)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, DataFusionError> {
        let rows = batch.num_rows();
        let holds = self.condition.evaluate(batch)?.into_array(rows)?;
        Ok(match holds.as_boolean_opt() {
            Some(holds) if holds.null_count() > 0 => prep_null_mask_filter(holds),
            Some(holds) => holds.clone(),
            None => BooleanArray::from(vec![false; rows]),
        })
    }
}

/// Returns the columns whose names stand for one of them.
fn unambiguous(columns: &Schema) -> Schema {
    let is_one = |field: &&Arc<Field>| {
        let alike = columns
            .fields()
            .iter()
            .filter(|other| other.name() == field.name());
        alike.count() == 1
    };
    Schema::new(
        columns
            .fields()
            .iter()
            .filter(is_one)
            .cloned()
            .collect::<Vec<_>>(),
    )
}

fn found(columns: &Schema) -> String {
    let names = columns.fields().iter().map(|field| field.name().as_str());
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    use arrow::array::{Int64Array, StringArray};

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("Priority", DataType::Utf8, true),
            Field::new("created at", DataType::Utf8, true),
            Field::new("size", DataType::Int64, true),
        ])
    }

    fn bound(sql: &str) -> Result<BoundFilter> {
        sql.parse::<RowFilter>().unwrap().bind("x.csv", &schema())
    }

    fn kept(sql: &str) -> Result<Vec<bool>> {
        let filter = bound(sql)?;
        let columns: [(&str, ArrayRef); 3] = [
            (
                "Priority",
                Arc::new(StringArray::from(vec![Some("10"), Some("9"), None])),
            ),
            (
                "created at",
                Arc::new(StringArray::from(vec![
                    "2024-01-05",
                    "2023-12-31",
                    "2024-02-01",
                ])),
            ),
            ("size", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ];
        let values = filter.columns().map(|name| {
            let column = columns.iter().find(|(found, _)| *found == name);
            column.unwrap().1.clone()
        });
        let values: Vec<ArrayRef> = values.collect();
        let holds = filter.holds(&values, 3, |row| format!("row {row}"))?;
        Ok(holds.iter().map(Option::unwrap).collect())
    }

    #[test]
    fn rows_are_kept_where_the_condition_is_true() {
        for (sql, rows) in [
            // As a number, not letter by letter.
            ("Priority > 9", [true, false, false]),
            ("Priority IS NULL OR size = 2", [false, true, true]),
            ("\"created at\" >= '2024-01-01'", [true, false, true]),
            (
                "CAST(\"created at\" AS DATE) < DATE '2024-01-01'",
                [false, true, false],
            ),
            (
                "Priority LIKE '1%' AND size IN (1, 3)",
                [true, false, false],
            ),
            ("1 = 1", [true, true, true]),
            ("NULL", [false, false, false]),
            ("length(priority) = 2", [true, false, false]),
            (
                "date_part('month', \"created at\"::DATE) > 1",
                [false, true, true],
            ),
            ("CASE size WHEN 2 THEN true END", [false, true, false]),
        ] {
            assert_eq!(kept(sql).unwrap(), rows, "{sql}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused_with_the_columns() {
        for (sql, part) in [
            ("prio > 9", "there is no column prio"),
            ("\"priority\" > 9", "there is no column \"priority\""),
            ("size", "it gives Int64"),
            ("size >", "sql parser error"),
            ("count(size) > 1", "`count(size)` is of many rows"),
            ("size = 1; size = 2", "Expected: end of expression"),
            ("\"created at\" < now()", "`now()` differs from run to run"),
            ("size IN (SELECT 1)", "a query within a condition"),
            ("size = twice(1)", "twice"),
            ("t.size = 1", "t.size"),
        ] {
            let error = bound(sql).unwrap_err().to_string();
            assert!(error.contains(part), "{sql}: {error}");
            assert!(
                error.contains("Priority, created at, size"),
                "{sql}: {error}"
            );
            assert!(!error.contains('\n'), "{sql}: {error}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_compared_is_named_with_its_row() {
        let error = kept("\"created at\" > 3").unwrap_err().to_string();
        assert!(
            error.contains("row 0") && error.contains("2024-01-05"),
            "{error}"
        );
        assert!(error.contains("TRY_CAST"), "{error}");
    }
}
