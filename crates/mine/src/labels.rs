use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// The columns of a pairs table that say whether a pair is a positive, the first that is there.
pub(crate) const NAMES: [&str; 2] = ["label", "score"];
/// The label from which on a pair is a positive.
const POSITIVE: f64 = 0.5;

/// Returns whether a label, as text, is that of a positive; none if it is no label.
pub(crate) fn is_positive(label: &str) -> Option<bool> {
    match label.trim() {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        number => {
            let number: f64 = number.parse().ok()?;
            (0.0..=1.0).contains(&number).then_some(number >= POSITIVE)
        }
    }
}

/// Makes `is_positive(label)`: `Utf8 → Boolean`, null for what is no label.
pub(crate) fn function() -> ScalarUDF {
    let invoke = |arguments: &[ColumnarValue]| {
        let columns = ColumnarValue::values_to_arrays(arguments)?;
        let labels = columns[0].as_string::<i32>().iter();
        let positive: BooleanArray = labels.map(|label| is_positive(label?)).collect();
        Ok::<_, DataFusionError>(ColumnarValue::Array(Arc::new(positive) as ArrayRef))
    };
    create_udf(
        "is_positive",
        vec![DataType::Utf8],
        DataType::Boolean,
        Volatility::Immutable,
        Arc::new(invoke),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_numbers_from_0_to_1_or_truths() {
        for label in ["1", "1.0", " 1 ", "true", "0.5", "True"] {
            assert_eq!(is_positive(label), Some(true), "{label}");
        }
        for label in ["0", "0.0", "false", "0.49", "-0"] {
            assert_eq!(is_positive(label), Some(false), "{label}");
        }
        for label in ["", "2", "-1", "yes", "NaN", "4.8"] {
            assert_eq!(is_positive(label), None, "{label}");
        }
    }
}
