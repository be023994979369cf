use arrow::datatypes::DataType;

use crate::columns::{Column, TIME_COLUMN};
use crate::time::TIME_EXPECTED;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text or whole numbers.
    Id,
    Text,
    /// Text that may be missing, which reads as empty.
    Title,
    /// Whole numbers.
    Whole,
    /// Whole numbers that may be truth values.
    Grade,
    Number,
    /// Anything that can be written as a text.
    Extra,
    /// A time, however it is written.
    Time,
}

impl Kind {
    pub fn of(column: &Column) -> Self {
        let name = column.field.name();
        match column.field.data_type() {
            DataType::Int64 if name == TIME_COLUMN => Self::Time,
            DataType::Utf8 if column.is_extra => Self::Extra,
            DataType::Utf8 if name == "id" || name.ends_with("_id") || name == "category" => {
                Self::Id
            }
            DataType::Utf8 if column.may_be_empty() => Self::Title,
            DataType::Utf8 => Self::Text,
            DataType::Int32 if matches!(name.as_str(), "score" | "label") => Self::Grade,
            DataType::Int32 => Self::Whole,
            _ => Self::Number,
        }
    }

    pub fn expected(self) -> &'static str {
        match self {
            Self::Id => "text or a whole number",
            Self::Text | Self::Title => "text",
            Self::Whole | Self::Grade => "a whole number",
            Self::Number => "a number, with a point before its decimals",
            Self::Extra => "text or a number",
            Self::Time => TIME_EXPECTED,
        }
    }

    /// Returns whether a plan may cast the type without a look at the values; an error where no
    /// value of the type will do.
    pub fn takes(self, found: &DataType) -> Result<bool, &'static str> {
        let kind = match found {
            DataType::Dictionary(_, value) => value.as_ref(),
            other => other,
        };
        let is_decimal = matches!(kind, DataType::Decimal128(..) | DataType::Decimal256(..));
        let is_whole = kind.is_integer();
        let is_text = kind.is_string();
        let is_binary = matches!(
            kind,
            DataType::Binary
                | DataType::LargeBinary
                | DataType::BinaryView
                | DataType::FixedSizeBinary(_)
        );
        let is_plain = match self {
            Self::Id | Self::Extra => is_text || is_whole,
            Self::Text | Self::Title => is_text,
            Self::Whole | Self::Grade => is_whole,
            Self::Number => kind.is_numeric() && !is_decimal,
            Self::Time => false,
        };
        let is_convertible = kind.is_null()
            || match self {
                Self::Id => is_binary || is_decimal || kind.is_floating(),
                Self::Text | Self::Title => is_binary,
                Self::Whole => is_text || is_decimal || kind.is_floating(),
                Self::Grade | Self::Number => {
                    is_text || is_decimal || kind.is_floating() || *kind == DataType::Boolean
                }
                Self::Extra => is_binary || !kind.is_nested(),
                Self::Time => {
                    let is_date = matches!(
                        kind,
                        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64
                    );
                    is_text || is_date || kind.is_numeric()
                }
            };
        match (is_plain, is_convertible) {
            (true, _) => Ok(true),
            (false, true) => Ok(false),
            (false, false) => Err(self.expected()),
        }
    }
}
