use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::compute::filter;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::error::DataFusionError;

use crate::any::blank_as_null;
use crate::checked::Checked;
use crate::intake::{Intake, Taken};
use crate::listing::FileColumns;
use crate::row_filter::BoundFilter;
use crate::source::DataFile;
use crate::{Format, Result};

/// A part of an input, a file or standard input, on its way to rows of the contract.
pub(crate) struct Part<'a> {
    checked: Checked<'a>,
    /// None for standard input.
    file: Option<&'a DataFile>,
    filter: Option<BoundFilter>,
    /// The columns to read from it, each once.
    pub own: Vec<String>,
}

impl<'a> Part<'a> {
    pub fn new(
        checked: Checked<'a>,
        file: Option<&'a DataFile>,
        found: &FileColumns,
        intake: Intake,
    ) -> Result<Self> {
        if let FileColumns::Text(_) = found {
            checked.refuse_numbers_for_text(found)?;
        }
        let bind = |filter: &crate::RowFilter| filter.bind(checked.path, &types(found, file));
        let filter = intake.filter.map(bind).transpose()?;
        let mut own: Vec<String> = Vec::new();
        let in_file = found.names();
        let wanted = checked.columns.iter().flat_map(|column| column.sources());
        let of_filter = filter.iter().flat_map(BoundFilter::columns);
        for name in wanted.map(String::as_str).chain(of_filter) {
            // The others stand in the file's path.
            if in_file.iter().any(|column| column == name) && !own.iter().any(|own| own == name) {
                own.push(name.to_owned());
            }
        }
        Ok(Self {
            checked,
            file,
            filter,
            own,
        })
    }

    /// Returns the places in the file of the columns to read.
    pub fn positions(&self, found: &FileColumns) -> Vec<usize> {
        self.own.iter().map(|name| found.position(name)).collect()
    }

    /// Returns rows of the contract, made of those that are not left out. `values` are those of
    /// the columns to read, and `place` names a row in messages.
    pub fn batch(
        &self,
        values: &[ArrayRef],
        rows: usize,
        place: impl Fn(usize) -> String,
        taken: &mut Taken,
    ) -> Result<RecordBatch> {
        let Some(condition) = &self.filter else {
            let value = |name: &str| self.value(name, values, rows);
            return self.checked.batch(rows, place, value, taken);
        };
        let read = condition.columns().map(|name| {
            let value = self.value(name, values, rows);
            self.comparable(&value.expect("the condition is bound to the columns of the file"))
        });
        let holds = condition.holds(&read.collect::<Vec<_>>(), rows, &place)?;
        let kept: Vec<usize> = (0..rows).filter(|&row| holds.value(row)).collect();
        taken.left_out += (rows - kept.len()) as u64;
        let values = values.iter().map(|values| filter(values, &holds));
        let values = values
            .collect::<Result<Vec<_>, _>>()
            .map_err(DataFusionError::from)?;
        let value = |name: &str| self.value(name, &values, kept.len());
        let place = |row: usize| place(kept[row]);
        self.checked.batch(kept.len(), place, value, taken)
    }

    /// Returns the values of a column in the file or in its path.
    fn value(&self, name: &str, values: &[ArrayRef], rows: usize) -> Option<ArrayRef> {
        if let Some(at) = self.own.iter().position(|own| own == name) {
            return Some(values[at].clone());
        }
        let (_, value) = self
            .file?
            .partition
            .iter()
            .find(|(column, _)| column == name)?;
        let mut constant = StringBuilder::new();
        for _ in 0..rows {
            constant.append_option(value.as_deref());
        }
        Some(Arc::new(constant.finish()))
    }

    /// Returns values as a condition sees them: a blank cell is none.
    fn comparable(&self, values: &ArrayRef) -> ArrayRef {
        match self.file {
            Some(file) if matches!(file.format, Format::Csv(_)) => blank_as_null(values, file),
            _ => values.clone(),
        }
    }
}

/// Returns the columns of a file and of its path with the types that a condition sees: numbers of
/// JSON are numbers.
fn types(found: &FileColumns, file: Option<&DataFile>) -> Schema {
    let schema = found.schema();
    let own = schema
        .fields()
        .iter()
        .map(|field| match found.holds_numbers_only(field.name()) {
            true => Arc::new(Field::new(field.name(), DataType::Float64, true)),
            false => Arc::clone(field),
        });
    let in_path = file.iter().flat_map(|file| &file.partition);
    let is_new = |column: &&(String, _)| schema.field_with_name(&column.0).is_err();
    let in_path = in_path.filter(is_new).map(|(column, _)| column);
    let in_path = in_path.map(|column| Arc::new(Field::new(column, DataType::Utf8, true)));
    Schema::new(own.chain(in_path).collect::<Vec<_>>())
}
