//! Times as inputs write them.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use chrono::{DateTime, NaiveDate};

/// What a time is, in messages.
pub const TIME_EXPECTED: &str = "a time: an ISO date such as 2024-05-03 or 2024-05-03T10:02:00Z, \
                                   or seconds or milliseconds since 1970";

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;
/// Numbers up to this one are seconds, until the year 5138; above they are milliseconds, from 1973.
const LARGEST_SECONDS: f64 = 1e11;
/// Numbers above this one are neither: as milliseconds they would be in the year 5138.
const LARGEST_MILLISECONDS: f64 = 1e14;

/// Returns the time that a text says, in microseconds since 1970 in UTC: an ISO date, with a time
/// of the day or without; seconds or milliseconds since 1970, told apart by their size; or eight
/// digits that are a date.
pub fn time_of_text(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(date) = compact_date(text) {
        return Some(date);
    }
    match text.parse::<f64>() {
        Ok(number) => time_of_number(number),
        Err(_) => Some(string_to_timestamp_nanos(text).ok()?.div_euclid(1_000)),
    }
}

/// Returns a time of [`time_of_text`] as a date, with the time of the day where it has one.
pub fn time_as_text(time: i64) -> String {
    match DateTime::from_timestamp_micros(time) {
        None => time.to_string(),
        Some(time) => {
            let text = time.format("%Y-%m-%dT%H:%M:%SZ").to_string();
            text.strip_suffix("T00:00:00Z")
                .map_or(text.clone(), str::to_owned)
        }
    }
}

/// Reads `20240503`, which is a date rather than a day of 1970.
fn compact_date(text: &str) -> Option<i64> {
    if text.len() != 8 || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let [year, month, day] = [0..4, 4..6, 6..8].map(|digits| text[digits].parse().ok());
    let date = NaiveDate::from_ymd_opt(year? as i32, month?, day?)?;
    let midnight = date.and_hms_opt(0, 0, 0)?.and_utc();
    (year? >= 1900).then(|| midnight.timestamp_micros())
}

fn time_of_number(number: f64) -> Option<i64> {
    match number.abs() {
        size if size <= LARGEST_SECONDS => Some((number * SECOND as f64) as i64),
        size if size <= LARGEST_MILLISECONDS => Some((number * 1_000.0) as i64),
        _ => None,
    }
}

/// Returns the times of a column; none where there is none or a value is no time.
pub(crate) fn times(values: &ArrayRef) -> Result<Vec<Option<i64>>, ArrowError> {
    let kind = values.data_type();
    Ok(match kind {
        DataType::Timestamp(_, zone) => {
            let unit = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            let times = cast(values, &unit)?;
            let times = times.as_primitive::<TimestampMicrosecondType>().iter();
            times.collect()
        }
        DataType::Date32 | DataType::Date64 => {
            let times = cast(values, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            let times = times.as_primitive::<TimestampMicrosecondType>().iter();
            times.collect()
        }
        kind if kind.is_integer() => {
            let numbers = cast(values, &DataType::Int64)?;
            let numbers = numbers.as_primitive::<Int64Type>().iter();
            let time = |number: Option<i64>| time_of_text(&number?.to_string());
            numbers.map(time).collect()
        }
        kind if kind.is_numeric() => {
            let numbers = cast(values, &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>().iter();
            numbers.map(|number| time_of_number(number?)).collect()
        }
        _ => {
            let texts = cast(values, &DataType::Utf8)?;
            let texts = texts.as_string::<i32>().iter();
            texts.map(|text| time_of_text(text?)).collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_and_programs_write_them() {
        let day = 1_714_694_400 * SECOND;
        for text in [
            "2024-05-03",
            " 2024-05-03 ",
            "20240503",
            "2024-05-03T00:00:00Z",
            "2024-05-03 02:00:00+02:00",
            "1714694400",
            "1714694400.0",
            "1714694400000",
        ] {
            assert_eq!(time_of_text(text), Some(day), "{text}");
        }
        assert_eq!(time_as_text(day), "2024-05-03");
        assert_eq!(time_as_text(day + 62 * SECOND), "2024-05-03T00:01:02Z");
        assert_eq!(time_of_text("1969-12-31T23:59:59.5Z"), Some(-500_000));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "yesterday",
            "03/05/2024",
            "3.5.2024",
            "NaN",
            "inf",
            "1e20",
            "20241399T",
        ] {
            assert_eq!(time_of_text(text), None, "{text}");
        }
    }
}
