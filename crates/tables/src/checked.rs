use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::SchemaRef;

use crate::columns::Column;
use crate::convert::BadValue;
use crate::intake::{Intake, Taken, joined};
use crate::kind::Kind;
use crate::listing::FileColumns;
use crate::{Result, TableError};

/// Turns the values of a file into those of the contract.
pub(crate) struct Checked<'a> {
    pub path: &'a str,
    pub columns: &'a [Column],
    pub schema: SchemaRef,
    pub empty_is_null: bool,
    pub intake: Intake<'a>,
}

impl Checked<'_> {
    /// Refuses a column of numbers, which is hardly one of texts.
    pub fn refuse_numbers_for_text(&self, found: &FileColumns) -> Result<()> {
        for column in self.columns {
            if !matches!(Kind::of(column), Kind::Text | Kind::Title) {
                continue;
            }
            let mut names = column.sources().iter();
            if let Some(name) = names.find(|name| found.holds_numbers_only(name)) {
                return Err(TableError::WrongType {
                    path: self.path.to_owned(),
                    column: name.clone(),
                    found: "of numbers".to_owned(),
                    expected: "text",
                });
            }
        }
        Ok(())
    }

    /// Converts a batch: `value` gives the values of a column of the input, and `place` names a
    /// row in messages.
    pub fn batch(
        &self,
        rows: usize,
        place: impl Fn(usize) -> String,
        value: impl Fn(&str) -> Option<ArrayRef>,
        taken: &mut Taken,
    ) -> Result<RecordBatch> {
        let value =
            |name: &str| value(name).expect("each column was found in the file or in its path");
        let mut converted: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        for column in self.columns {
            converted.push(match column.sources() {
                [] if column.may_be_empty() => {
                    Arc::new(StringArray::from_iter_values(std::iter::repeat_n("", rows)))
                }
                [] => new_null_array(column.field.data_type(), rows),
                [name] => {
                    let converted = self.convert(column, name, &value(name), &place)?;
                    self.edited(column, converted)
                }
                names => {
                    let parts = names.iter().map(|name| {
                        let part = Kind::Title.convert(&value(name), false);
                        let part = part.map_err(|bad| self.wrong(name, &place, bad))?;
                        Ok(self.edited(column, part))
                    });
                    joined_columns(names, &parts.collect::<Result<Vec<_>>>()?, rows, taken)
                }
            });
        }
        RecordBatch::try_new(self.schema.clone(), converted)
            .map_err(|error| TableError::Query(Box::new(error.into())))
    }

    /// Returns texts as they are to be read.
    fn edited(&self, column: &Column, texts: ArrayRef) -> ArrayRef {
        let is_text = matches!(Kind::of(column), Kind::Text | Kind::Title);
        let Some(edit) = self.intake.edit.filter(|_| is_text) else {
            return texts;
        };
        let texts = texts.as_string::<i32>().iter();
        let edited = texts.map(|text| text.map(|text| edit.edit(text)));
        Arc::new(edited.collect::<StringArray>())
    }

    fn wrong(&self, name: &str, place: impl Fn(usize) -> String, bad: BadValue) -> TableError {
        TableError::WrongValue {
            path: self.path.to_owned(),
            place: place(bad.row),
            column: name.to_owned(),
            found: format!("`{}`", bad.found.unwrap_or_default()),
            expected: bad.expected,
        }
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
        let wrong = |bad: BadValue| self.wrong(name, &place, bad);
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

/// Returns the texts of several columns as one, and counts where one is blank.
fn joined_columns(
    names: &[String],
    parts: &[ArrayRef],
    rows: usize,
    taken: &mut Taken,
) -> ArrayRef {
    let parts: Vec<&StringArray> = parts.iter().map(|part| part.as_string::<i32>()).collect();
    for (name, part) in names.iter().zip(&parts) {
        let blank = part.iter().flatten().filter(|text| text.trim().is_empty());
        let blank = blank.count() as u64;
        if blank > 0 {
            *taken.blank.entry(name.clone()).or_default() += blank;
        }
    }
    let row = |row: usize| joined(parts.iter().map(|part| part.value(row)));
    Arc::new(StringArray::from_iter_values((0..rows).map(row)))
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
