use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder, new_null_array,
};
use arrow::datatypes::SchemaRef;

use crate::columns::Column;
use crate::convert::{BadValue, Kind};
use crate::listing::FileColumns;
use crate::source::DataFile;
use crate::{Result, TableError};

/// Turns the values of a file into those of the contract.
pub(crate) struct Checked<'a> {
    pub path: &'a str,
    pub columns: &'a [Column],
    pub schema: SchemaRef,
    pub empty_is_null: bool,
}

impl<'a> Checked<'a> {
    /// Returns the columns to read from the file itself, each once; the others stand in its path.
    pub fn own_columns(&self, found: &FileColumns) -> Vec<&'a str> {
        let in_file = found.names();
        let mut own: Vec<&str> = Vec::new();
        for name in self.columns.iter().filter_map(Column::source) {
            if in_file.iter().any(|column| column == name) && !own.contains(&name) {
                own.push(name);
            }
        }
        own
    }

    /// Refuses a column of numbers, which is hardly one of texts.
    pub fn refuse_numbers_for_text(&self, found: &FileColumns) -> Result<()> {
        for column in self.columns {
            if let (Kind::Text | Kind::Title, Some(name)) = (Kind::of(column), column.source())
                && found.holds_numbers_only(name)
            {
                return Err(TableError::WrongType {
                    path: self.path.to_owned(),
                    column: name.to_owned(),
                    found: "of numbers".to_owned(),
                    expected: "text",
                });
            }
        }
        Ok(())
    }

    pub fn batch(
        &self,
        file: &DataFile,
        own: &[&str],
        values: &[ArrayRef],
        rows: usize,
        place: impl Fn(usize) -> String,
    ) -> Result<RecordBatch> {
        self.typed_batch(own, values, rows, place, |name| {
            let value = file.partition.iter().find(|(column, _)| column == name);
            let mut constant = StringBuilder::new();
            for _ in 0..rows {
                constant.append_option(value?.1.as_deref());
            }
            Some(Arc::new(constant.finish()) as ArrayRef)
        })
    }

    /// Converts a batch. `own` names the columns of `values`; `other` gives the values of those
    /// that are not among them.
    pub fn typed_batch(
        &self,
        own: &[&str],
        values: &[ArrayRef],
        rows: usize,
        place: impl Fn(usize) -> String,
        other: impl Fn(&str) -> Option<ArrayRef>,
    ) -> Result<RecordBatch> {
        let mut converted: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        for column in self.columns {
            let array = match column.source() {
                None if column.may_be_empty() => {
                    Arc::new(StringArray::from_iter_values(std::iter::repeat_n("", rows)))
                }
                None => new_null_array(column.field.data_type(), rows),
                Some(name) => {
                    let at = own.iter().position(|own| *own == name);
                    let array = at.map(|at| values[at].clone()).or_else(|| other(name));
                    let array = array.expect("each column was found in the file or in its path");
                    self.convert(column, name, &array, &place)?
                }
            };
            converted.push(array);
        }
        RecordBatch::try_new(self.schema.clone(), converted)
            .map_err(|error| TableError::Query(Box::new(error.into())))
    }

    fn convert(
        &self,
        column: &Column,
        name: &str,
        array: &ArrayRef,
        place: impl Fn(usize) -> String,
    ) -> Result<ArrayRef> {
        let kind = Kind::of(column);
        let empty_is_null = self.empty_is_null && column.field.is_nullable();
        let wrong = |bad: BadValue| TableError::WrongValue {
            path: self.path.to_owned(),
            place: place(bad.row),
            column: name.to_owned(),
            found: format!("`{}`", bad.found.unwrap_or_default()),
            expected: bad.expected,
        };
        let converted = kind.convert(array, empty_is_null).map_err(wrong)?;
        if column.must_not_be_null()
            && let Some(row) = first_null(&converted)
        {
            return Err(TableError::Null {
                path: self.path.to_owned(),
                column: name.to_owned(),
                place: place(row),
            });
        }
        let is_id = kind == Kind::Id && column.field.name() != "category";
        if is_id && let Some(row) = first_blank(&converted) {
            return Err(wrong(BadValue {
                row,
                found: Some(String::new()),
                expected: "an id; give each text one, or leave the column out",
            }));
        }
        Ok(converted)
    }
}

fn first_null(values: &ArrayRef) -> Option<usize> {
    match values.null_count() {
        0 => None,
        _ => (0..values.len()).find(|&row| values.is_null(row)),
    }
}

fn first_blank(values: &ArrayRef) -> Option<usize> {
    let texts = values.as_string_opt::<i32>()?;
    texts.iter().position(|text| text == Some(""))
}
