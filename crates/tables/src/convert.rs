//! Values as the contract wants them, from values as inputs have them.

use std::fmt::Display;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float32Builder, Int32Builder, Int64Array, StringBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::kind::Kind;
use crate::time::times;

/// A value that a column cannot hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadValue {
    pub row: usize,
    /// None for a null.
    pub found: Option<String>,
    pub expected: &'static str,
}

impl Kind {
    /// Returns the values as the contract wants them. `empty_is_null` says whether an empty text is
    /// a missing value, as in the cells of a CSV file, where the column may lack one.
    pub fn convert(self, values: &ArrayRef, empty_is_null: bool) -> Result<ArrayRef, BadValue> {
        let values = unpacked(values);
        match self {
            Self::Whole | Self::Grade => self.whole_numbers(&values, empty_is_null),
            Self::Number => self.numbers(&values, empty_is_null),
            Self::Time => self.times(&values),
            _ => self.texts(&values, empty_is_null),
        }
    }

    fn bad(self, row: usize, found: impl Display) -> BadValue {
        BadValue {
            row,
            found: Some(found.to_string()),
            expected: self.expected(),
        }
    }

    fn texts(self, values: &ArrayRef, empty_is_null: bool) -> Result<ArrayRef, BadValue> {
        let kind = values.data_type();
        let mut texts = StringBuilder::new();
        if kind.is_string() || kind.is_null() {
            let read = cast(values, &DataType::Utf8).map_err(|error| self.bad(0, error))?;
            let read = read.as_string::<i32>().clone();
            let is_as_wanted = match self {
                Self::Title => read.null_count() == 0,
                Self::Extra => !empty_is_null,
                _ => true,
            };
            if is_as_wanted {
                return Ok(Arc::new(read));
            }
            for text in &read {
                match (text, self) {
                    (None, Self::Title) => texts.append_value(""),
                    (Some(""), Self::Extra) if empty_is_null => texts.append_null(),
                    (text, _) => texts.append_option(text),
                }
            }
            return Ok(Arc::new(texts.finish()));
        }
        if is_binary(kind) {
            let bytes = cast(values, &DataType::Binary).map_err(|error| self.bad(0, error))?;
            for (row, bytes) in bytes.as_binary::<i32>().iter().enumerate() {
                let text = bytes.map(str::from_utf8).transpose();
                texts.append_option(text.map_err(|_| BadValue {
                    row,
                    found: Some("bytes that are not UTF-8".to_owned()),
                    expected: self.expected(),
                })?);
            }
        } else if self == Self::Id && !kind.is_integer() {
            // Whole numbers become floats where a column had nulls.
            for row in 0..values.len() {
                texts.append_option(
                    self.whole_number(values, row)?
                        .map(|number| number.to_string()),
                );
            }
        } else {
            let options = FormatOptions::default();
            let written =
                ArrayFormatter::try_new(values, &options).map_err(|error| self.bad(0, error))?;
            for row in 0..values.len() {
                match values.is_null(row) {
                    true => texts.append_null(),
                    false => texts.append_value(written.value(row).to_string()),
                }
            }
        }
        Ok(Arc::new(texts.finish()))
    }

    fn whole_numbers(self, values: &ArrayRef, empty_is_null: bool) -> Result<ArrayRef, BadValue> {
        let mut numbers = Int32Builder::with_capacity(values.len());
        for row in 0..values.len() {
            let number = match text_at(values, row) {
                Some("") if empty_is_null => None,
                Some(text) => Some(self.parsed(row, text)?),
                None => self.whole_number(values, row)?,
            };
            let number = number.map(|number| {
                i32::try_from(number).map_err(|_| BadValue {
                    row,
                    found: Some(number.to_string()),
                    expected: "a whole number of 32 bits",
                })
            });
            numbers.append_option(number.transpose()?);
        }
        Ok(Arc::new(numbers.finish()))
    }

    /// Returns the whole number that a text says, also as `1.0` or as a truth value.
    fn parsed(self, row: usize, text: &str) -> Result<i64, BadValue> {
        let trimmed = text.trim();
        if let Ok(number) = trimmed.parse() {
            return Ok(number);
        }
        match trimmed {
            "true" | "True" | "TRUE" if self == Self::Grade => return Ok(1),
            "false" | "False" | "FALSE" if self == Self::Grade => return Ok(0),
            _ => {}
        }
        let number: Option<f64> = trimmed.parse().ok();
        whole(number.unwrap_or(f64::NAN)).ok_or_else(|| self.bad(row, text))
    }

    fn whole_number(self, values: &ArrayRef, row: usize) -> Result<Option<i64>, BadValue> {
        if values.is_null(row) {
            return Ok(None);
        }
        let one = values.slice(row, 1);
        let number = match one.data_type() {
            DataType::Boolean => Some(i64::from(one.as_boolean().value(0))),
            kind if kind.is_floating() => {
                let float = cast(&one, &DataType::Float64).map_err(|error| self.bad(row, error))?;
                let float = float.as_primitive::<Float64Type>().value(0);
                return whole(float).map(Some).ok_or_else(|| self.bad(row, float));
            }
            DataType::Decimal128(_, scale) => {
                let digits = one.as_primitive::<Decimal128Type>().value(0);
                let unit = 10i128.checked_pow(u32::from(scale.unsigned_abs()));
                let number = match (unit, *scale >= 0) {
                    (Some(unit), true) if digits % unit == 0 => Some(digits / unit),
                    (Some(unit), false) => digits.checked_mul(unit),
                    _ => None,
                };
                number.and_then(|number| i64::try_from(number).ok())
            }
            // A cast would drop its decimals.
            DataType::Decimal256(..) => {
                let text = written(&one).map_err(|error| self.bad(row, error))?;
                return self.parsed(row, &text).map(Some);
            }
            _ => {
                let whole = cast(&one, &DataType::Int64).map_err(|error| self.bad(row, error))?;
                whole
                    .is_valid(0)
                    .then(|| whole.as_primitive::<Int64Type>().value(0))
            }
        };
        number.map(Some).ok_or_else(|| {
            let found = written(&one).unwrap_or_else(|error| error.to_string());
            self.bad(row, found)
        })
    }

    fn times(self, values: &ArrayRef) -> Result<ArrayRef, BadValue> {
        let times = times(values).map_err(|error| self.bad(0, error))?;
        let mut rows = times.iter().enumerate();
        let wrong = rows.find(|(row, time)| time.is_none() && values.is_valid(*row));
        if let Some((row, _)) = wrong {
            let found = written(&values.slice(row, 1)).unwrap_or_else(|error| error.to_string());
            return Err(self.bad(row, found));
        }
        Ok(Arc::new(Int64Array::from(times)))
    }

    fn numbers(self, values: &ArrayRef, empty_is_null: bool) -> Result<ArrayRef, BadValue> {
        let mut numbers = Float32Builder::with_capacity(values.len());
        if !values.data_type().is_string() {
            return cast(values, &DataType::Float32).map_err(|error| self.bad(0, error));
        }
        for row in 0..values.len() {
            match text_at(values, row) {
                None => numbers.append_null(),
                Some("") if empty_is_null => numbers.append_null(),
                Some(text) => match text.trim() {
                    "true" | "True" | "TRUE" => numbers.append_value(1.0),
                    "false" | "False" | "FALSE" => numbers.append_value(0.0),
                    trimmed => {
                        let number = trimmed.parse().map_err(|_| self.bad(row, text))?;
                        numbers.append_value(number);
                    }
                },
            }
        }
        Ok(Arc::new(numbers.finish()))
    }
}

fn is_binary(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

/// Returns the first value as it is shown.
fn written(values: &ArrayRef) -> Result<String, ArrowError> {
    let options = FormatOptions::default();
    Ok(ArrayFormatter::try_new(values, &options)?
        .value(0)
        .to_string())
}

fn whole(number: f64) -> Option<i64> {
    // Beyond 2^53 not every whole number is a float.
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

/// Returns the values without a dictionary.
fn unpacked(values: &ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Dictionary(_, value) => cast(values, value).unwrap_or_else(|_| values.clone()),
        _ => values.clone(),
    }
}

/// Returns the text of a row, where the column is one of texts.
fn text_at(values: &ArrayRef, row: usize) -> Option<&str> {
    if values.is_null(row) {
        return None;
    }
    match values.data_type() {
        DataType::Utf8 => Some(values.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(values.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(values.as_string_view().value(row)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use arrow::array::{
        BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float64Array,
        StringArray, TimestampNanosecondArray, TimestampSecondArray,
    };
    use arrow::datatypes::i256;

    fn texts(kind: Kind, values: ArrayRef) -> Result<Vec<Option<String>>, BadValue> {
        let converted = kind.convert(&values, false)?;
        let texts = converted.as_string::<i32>().iter();
        Ok(texts.map(|text| text.map(str::to_owned)).collect())
    }

    fn owned(values: &[&str]) -> Vec<Option<String>> {
        values.iter().map(|&value| Some(value.to_owned())).collect()
    }

    #[test]
    fn ids_may_be_whole_numbers_of_any_type() {
        let floats = Arc::new(Float64Array::from(vec![7.0, 12.0]));
        assert_eq!(texts(Kind::Id, floats).unwrap(), owned(&["7", "12"]));
        let decimals = Decimal128Array::from(vec![700, 1200]);
        let decimals = decimals.with_precision_and_scale(10, 2).unwrap();
        assert_eq!(
            texts(Kind::Id, Arc::new(decimals)).unwrap(),
            owned(&["7", "12"])
        );
        let wide = Decimal256Array::from(vec![i256::from(700), i256::from(750)]);
        let wide = wide.with_precision_and_scale(50, 2).unwrap();
        let error = texts(Kind::Id, Arc::new(wide)).unwrap_err();
        assert_eq!((error.row, error.found.as_deref()), (1, Some("7.50")));
        let bytes = BinaryArray::from(vec![b"a1".as_slice(), b"b"]);
        assert_eq!(
            texts(Kind::Id, Arc::new(bytes)).unwrap(),
            owned(&["a1", "b"])
        );
        let halves = Arc::new(Float64Array::from(vec![7.0, 7.5]));
        let error = texts(Kind::Id, halves).unwrap_err();
        assert_eq!((error.row, error.found.as_deref()), (1, Some("7.5")));
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        let bytes = BinaryArray::from(vec![b"fine".as_slice(), b"\xFF"]);
        assert_eq!(texts(Kind::Text, Arc::new(bytes)).unwrap_err().row, 1);
    }

    #[test]
    fn grades_are_whole_however_they_are_written() {
        let grades = |values: ArrayRef| {
            let converted = Kind::Grade.convert(&values, false)?;
            let numbers = converted.as_primitive::<arrow::datatypes::Int32Type>();
            Ok::<_, BadValue>(numbers.values().to_vec())
        };
        let written = StringArray::from(vec!["1", "1.0", " 2 ", "true", "-1"]);
        assert_eq!(grades(Arc::new(written)).unwrap(), [1, 1, 2, 1, -1]);
        assert_eq!(
            grades(Arc::new(Float64Array::from(vec![1.0]))).unwrap(),
            [1]
        );
        assert_eq!(
            grades(Arc::new(BooleanArray::from(vec![true]))).unwrap(),
            [1]
        );
        let half = grades(Arc::new(StringArray::from(vec!["1", "0.5"]))).unwrap_err();
        assert_eq!((half.row, half.found.as_deref()), (1, Some("0.5")));
        let large = grades(Arc::new(Int64Array::from(vec![5_000_000_000]))).unwrap_err();
        assert_eq!(large.expected, "a whole number of 32 bits");
    }

    #[test]
    fn times_may_be_of_any_type() {
        let times = |values: ArrayRef| {
            let converted = Kind::Time.convert(&values, false)?;
            Ok::<_, BadValue>(converted.as_primitive::<Int64Type>().value(0))
        };
        let day = 1_714_694_400_000_000;
        let columns: [ArrayRef; 6] = [
            Arc::new(StringArray::from(vec!["2024-05-03"])),
            Arc::new(Int64Array::from(vec![day / 1_000])),
            Arc::new(Float64Array::from(vec![(day / 1_000_000) as f64])),
            Arc::new(TimestampNanosecondArray::from(vec![day * 1_000])),
            Arc::new(TimestampSecondArray::from(vec![day / 1_000_000]).with_timezone("+02:00")),
            Arc::new(Date32Array::from(vec![(day / 86_400_000_000) as i32])),
        ];
        for column in columns {
            assert_eq!(times(column).unwrap(), day);
        }
        let wrong = StringArray::from(vec!["2024-05-03", "soon"]);
        let error = times(Arc::new(wrong)).unwrap_err();
        assert_eq!((error.row, error.found.as_deref()), (1, Some("soon")));
        let null = StringArray::from(vec![Some("2024-05-03"), None]);
        let null: ArrayRef = Arc::new(null);
        assert_eq!(Kind::Time.convert(&null, false).unwrap().null_count(), 1);
    }

    #[test]
    fn a_missing_title_is_empty_and_another_text_is_not() {
        let values: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
        let title = Kind::Title.convert(&values, false).unwrap();
        assert_eq!(title.as_string::<i32>().value(1), "");
        assert_eq!(Kind::Text.convert(&values, false).unwrap().null_count(), 1);
    }
}
