use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema, TimeUnit};

use crate::error::{ExperimentError, Result};

/// The place of a column that must be there; `flag` names another one.
pub(crate) fn find(path: &str, schema: &Schema, name: &str, flag: &'static str) -> Result<usize> {
    schema.index_of(name).map_err(|_| {
        let columns: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        ExperimentError::NoColumn {
            path: path.to_owned(),
            column: name.to_owned(),
            found: match columns.is_empty() {
                true => "none".to_owned(),
                false => columns.join(", "),
            },
            flag,
        }
    })
}

/// A column of a batch with what a message about one of its values needs.
pub(crate) struct Column<'a> {
    path: &'a str,
    name: String,
    kind: DataType,
    values: ArrayRef,
    /// Rows before the batch.
    before: u64,
}

impl<'a> Column<'a> {
    pub fn read(path: &'a str, batch: &RecordBatch, index: usize, before: u64) -> Result<Self> {
        let schema = batch.schema();
        let field = schema.field(index);
        let values = batch.column(index).clone();
        let (kind, values) = match field.data_type() {
            DataType::Dictionary(_, value) => (
                value.as_ref().clone(),
                cast(&values, value).map_err(ExperimentError::Arrow)?,
            ),
            kind => (kind.clone(), values),
        };
        Ok(Self {
            path,
            name: field.name().clone(),
            kind,
            values,
            before,
        })
    }

    /// Returns text or integers, as text; none of them null or empty.
    pub fn ids(&self, expected: &'static str) -> Result<StringArray> {
        if !self.kind.is_string() && !self.kind.is_integer() {
            return Err(self.wrong_type("text or an integer"));
        }
        let ids = cast(&self.values, &DataType::Utf8).map_err(ExperimentError::Arrow)?;
        let ids = ids.as_string::<i32>().clone();
        match ids.iter().position(|id| id.is_none_or(str::is_empty)) {
            Some(row) => Err(self.wrong(row, expected)),
            None => Ok(ids),
        }
    }

    /// Numbers from -1e100 to 1e100, whose squares can be summed up, or texts that hold such, or
    /// truth values as 0 and 1. A null or an empty text is no number.
    pub fn numbers(&self, expected: &'static str) -> Result<Vec<Option<f64>>> {
        let numbers: Vec<Option<f64>> = if self.kind.is_string() {
            let texts = cast(&self.values, &DataType::Utf8).map_err(ExperimentError::Arrow)?;
            let parse = |(row, text): (usize, Option<&str>)| match text.map(str::trim) {
                None | Some("") => Ok(None),
                Some(text) => number(text)
                    .ok_or_else(|| self.wrong(row, expected))
                    .map(Some),
            };
            let texts = texts.as_string::<i32>();
            texts.iter().enumerate().map(parse).collect::<Result<_>>()?
        } else if self.kind.is_numeric() || matches!(self.kind, DataType::Boolean | DataType::Null)
        {
            let numbers = cast(&self.values, &DataType::Float64).map_err(ExperimentError::Arrow)?;
            numbers.as_primitive::<Float64Type>().iter().collect()
        } else {
            return Err(self.wrong_type("a number"));
        };
        const MOST: f64 = 1e100;
        let is_wrong =
            |number: &Option<f64>| number.is_some_and(|number| !(-MOST..=MOST).contains(&number));
        match numbers.iter().position(is_wrong) {
            Some(row) => Err(self.wrong(row, expected)),
            None => Ok(numbers),
        }
    }

    /// Returns whole numbers of 0 or more, none of them null.
    pub fn counts(&self) -> Result<Vec<u64>> {
        const EXPECTED: &str = "a whole number of 0 or more";
        // Beyond this a double no longer tells one number from the next.
        const MOST: f64 = (1u64 << 53) as f64;
        let count = |(row, number): (usize, Option<f64>)| {
            number
                .filter(|number| (0.0..=MOST).contains(number) && number.fract() == 0.0)
                .map(|number| number as u64)
                .ok_or_else(|| self.wrong(row, EXPECTED))
        };
        let numbers = self.numbers(EXPECTED)?;
        numbers.into_iter().enumerate().map(count).collect()
    }

    /// Times in microseconds, null where there is none or it is none: what a type of time says, a
    /// text in ISO 8601, or a number of seconds, milliseconds, microseconds or nanoseconds since
    /// 1970, whichever puts it nearest to now.
    pub fn times(&self) -> Result<Vec<Option<i64>>> {
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        let since_1970 = |number: f64| {
            let unit = match number.abs() {
                below if below < 1e11 => 1e6,
                below if below < 1e14 => 1e3,
                below if below < 1e17 => 1.0,
                _ => 1e-3,
            };
            (number * unit) as i64
        };
        let is_time = matches!(
            self.kind,
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64
        );
        if is_time || self.kind.is_string() {
            // A text that is no time becomes null.
            let times = cast(&self.values, &micros).map_err(ExperimentError::Arrow)?;
            let times = cast(&times, &DataType::Int64).map_err(ExperimentError::Arrow)?;
            let times = times.as_primitive::<Int64Type>();
            if is_time || times.null_count() < times.len() {
                return Ok(times.iter().collect());
            }
            let texts = cast(&self.values, &DataType::Utf8).map_err(ExperimentError::Arrow)?;
            let texts = texts.as_string::<i32>();
            let number = |text: Option<&str>| text?.trim().parse().ok().map(since_1970);
            return Ok(texts.iter().map(number).collect());
        }
        if self.kind.is_numeric() {
            let numbers = cast(&self.values, &DataType::Float64).map_err(ExperimentError::Arrow)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            return Ok(numbers
                .iter()
                .map(|number| number.map(since_1970))
                .collect());
        }
        Ok(vec![None; self.values.len()])
    }

    /// Returns what is wrong with the value in this row of the batch.
    pub fn wrong(&self, row: usize, expected: &'static str) -> ExperimentError {
        let found = match arrow::util::display::array_value_to_string(&self.values, row) {
            _ if self.values.is_null(row) => "null".to_owned(),
            Ok(text) if text.is_empty() => "empty".to_owned(),
            Ok(text) => format!("`{text}`"),
            Err(_) => "unreadable".to_owned(),
        };
        ExperimentError::WrongValue {
            path: self.path.to_owned(),
            column: self.name.clone(),
            row: self.before + row as u64 + 1,
            found,
            expected,
        }
    }

    fn wrong_type(&self, expected: &'static str) -> ExperimentError {
        ExperimentError::WrongType {
            path: self.path.to_owned(),
            column: self.name.clone(),
            found: self.kind.to_string(),
            expected,
        }
    }
}

fn number(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        other => other.parse().ok(),
    }
}
