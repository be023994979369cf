use std::io::{self, Read};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};

use super::decode::{DecodeError, Decoded, decode_error};
use crate::TableError;
use crate::source::DataFile;

/// Rows of a batch.
const BATCH_ROWS: usize = 4_096;
/// Bytes of text after which a batch is ended early.
const BATCH_BYTES: usize = 8 << 20;

/// Some rows: the columns that were asked for as text, null where a value is, and where each row
/// stands.
pub(crate) struct Cells {
    pub columns: Vec<ArrayRef>,
    pub lines: Vec<u64>,
}

pub(super) type Raw = Box<dyn Read + Send>;
pub(super) type Text = Decoded<Raw>;

/// Why a file was not understood as it was looked through.
pub(super) enum Examined {
    /// It is not of the encoding that it was taken for.
    NotUtf8(io::Error),
    Failed(TableError),
}

impl From<TableError> for Examined {
    fn from(error: TableError) -> Self {
        Self::Failed(error)
    }
}

impl Examined {
    /// Tells a text of another encoding from a file that cannot be read.
    pub fn of_reading(file: &DataFile, error: io::Error) -> Self {
        match decode_error(&error) {
            Some(DecodeError::NotUtf8 { .. }) => Self::NotUtf8(error),
            _ => Self::Failed(reading_error(file, error)),
        }
    }

    /// Returns the error to say of the file.
    pub fn of(self, file: &DataFile) -> TableError {
        match self {
            Self::NotUtf8(error) => reading_error(file, error),
            Self::Failed(error) => error,
        }
    }
}

/// Returns what to say of a file whose bytes cannot be read, decompressed or decoded.
pub(super) fn reading_error(file: &DataFile, error: io::Error) -> TableError {
    let detail = match decode_error(&error) {
        Some(decode) => {
            format!("{decode}; write it anew as UTF-8, or name its encoding with --encoding")
        }
        None if file.compression.is_compressed() => {
            format!("it cannot be decompressed: {error}; write it again")
        }
        None => return file.unreadable(error),
    };
    file.malformed(detail)
}

/// Columns of text under construction.
pub(super) struct CellsBuilder {
    columns: Vec<StringBuilder>,
    lines: Vec<u64>,
    bytes: usize,
}

impl CellsBuilder {
    pub fn new(columns: usize) -> Self {
        Self {
            columns: (0..columns).map(|_| StringBuilder::new()).collect(),
            lines: Vec::new(),
            bytes: 0,
        }
    }

    /// Adds the value of a column.
    pub fn push(&mut self, column: usize, value: Option<&str>) {
        self.bytes += value.map_or(0, str::len);
        self.columns[column].append_option(value);
    }

    /// Ends a row, which began in this line. Each column has been given a value.
    pub fn end_row(&mut self, line: u64) {
        self.lines.push(line);
    }

    pub fn is_full(&self) -> bool {
        self.lines.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    pub fn take(&mut self) -> Option<Cells> {
        let lines = std::mem::take(&mut self.lines);
        self.bytes = 0;
        let columns = self.columns.iter_mut();
        let columns = columns.map(|column| Arc::new(column.finish()) as ArrayRef);
        (!lines.is_empty()).then(|| Cells {
            columns: columns.collect(),
            lines,
        })
    }
}
