use std::borrow::Cow;

use arrow::array::{
    AsArray, Float32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{Float32Type, Float64Type, Int32Type, Int64Type};

fn column<'a, A: 'a>(
    batch: &'a RecordBatch,
    name: &str,
    downcast: impl Fn(&'a dyn arrow::array::Array) -> Option<&'a A>,
) -> &'a A {
    batch
        .column_by_name(name)
        .and_then(|array| downcast(array.as_ref()))
        .unwrap_or_else(|| panic!("column `{name}` was promised by the table's schema"))
}

/// Returns a text column of a batch read through [`open`](crate::open).
///
/// # Panics
/// If the batch has no such column of this type: a mistake in the program, not in its input.
pub fn string_column<'a>(batch: &'a RecordBatch, name: &str) -> &'a StringArray {
    column(batch, name, |array| array.as_string_opt::<i32>())
}

/// Returns an integer column of a batch read through [`open`](crate::open).
///
/// # Panics
/// As [`string_column`].
pub fn i32_column<'a>(batch: &'a RecordBatch, name: &str) -> &'a Int32Array {
    column(batch, name, |array| array.as_primitive_opt::<Int32Type>())
}

/// Returns a column of 64-bit integers of a batch read through [`open`](crate::open): that of
/// [`TIME_COLUMN`](crate::TIME_COLUMN).
///
/// # Panics
/// As [`string_column`].
pub fn i64_column<'a>(batch: &'a RecordBatch, name: &str) -> &'a Int64Array {
    column(batch, name, |array| array.as_primitive_opt::<Int64Type>())
}

/// Returns a single-precision column of a batch read through [`open`](crate::open).
///
/// # Panics
/// As [`string_column`].
pub fn f32_column<'a>(batch: &'a RecordBatch, name: &str) -> &'a Float32Array {
    column(batch, name, |array| array.as_primitive_opt::<Float32Type>())
}

/// Returns a double-precision column of a batch read through [`open`](crate::open).
///
/// # Panics
/// As [`string_column`].
pub fn f64_column<'a>(batch: &'a RecordBatch, name: &str) -> &'a Float64Array {
    column(batch, name, |array| array.as_primitive_opt::<Float64Type>())
}

/// Returns the text of a passage as it is searched, scored and trained on: title and text joined by
/// a blank, or the one that is not empty.
pub fn passage<'a>(title: &'a str, text: &'a str) -> Cow<'a, str> {
    match (title, text) {
        ("", text) => text.into(),
        (title, "") => title.into(),
        (title, text) => format!("{title} {text}").into(),
    }
}
