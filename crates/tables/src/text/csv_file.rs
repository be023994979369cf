use std::io::{self, Read};

use csv::{Reader, ReaderBuilder, StringRecord};
use pairmill_schema::counted;
use tracing::{info, warn};

use super::cells::{Cells, CellsBuilder, Examined, Text, reading_error};
use super::dialect::{self, Dialect, Found};
use super::options::ReadOptions;
use crate::first_time::is_first_time;
use crate::source::DataFile;
use crate::{Result, TableError};

/// A file of separated values: how it is written and its header.
#[derive(Debug)]
pub(super) struct CsvFile {
    dialect: Dialect,
    pub columns: Vec<String>,
}

/// Finds out how a file is written and says what is not as its name tells.
pub(super) fn dialect(
    file: &DataFile,
    text: Text,
    usual: u8,
    options: &ReadOptions,
) -> Result<Dialect, Examined> {
    let found = dialect::find(text, usual, options);
    let found = found.map_err(|error| Examined::of_reading(file, error))?;
    let Found {
        dialect,
        unsound_quote,
    } = found.map_err(|unsound| {
        file.malformed(format!(
            "a field in line {} begins with a quotation mark that does not end it; double the \
             marks within quoted fields, or say --quote none where they are text like any other",
            unsound.line
        ))
    })?;
    let name = &file.name;
    if dialect.delimiter != usual && options.delimiter.is_none() {
        let separator = separator_name(dialect.delimiter);
        info!("{name} has {separator} between its columns; name another one with --delimiter");
    }
    if let Some(line) = unsound_quote {
        warn!(
            "{name}: the quotation marks (the first in line {line}) do not enclose fields and are \
             read as text; if they do, mend them or say --quote '\"'"
        );
    }
    Ok(dialect)
}

fn separator_name(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "a tab".to_owned(),
        b';' => "a semicolon".to_owned(),
        b',' => "a comma".to_owned(),
        b'|' => "a bar".to_owned(),
        other => format!("`{}`", char::from(other)),
    }
}

impl CsvFile {
    pub fn open(file: &DataFile, text: Text, dialect: Dialect) -> Result<Self, Examined> {
        let mut reader = reader(text, dialect);
        let mut header = StringRecord::new();
        let mut read = reader.read_record(&mut header);
        if read.is_ok() && dialect::is_declaration(&header) {
            read = reader.read_record(&mut header);
        }
        read.map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => Examined::of_reading(file, error),
            other => Examined::Failed(file.malformed(format!("{other:?}"))),
        })?;
        let columns = header.iter().map(|name| name.trim().to_owned());
        Ok(Self {
            dialect,
            columns: columns.collect(),
        })
    }
}

fn reader<R: Read>(text: R, dialect: Dialect) -> Reader<R> {
    ReaderBuilder::new()
        .delimiter(dialect.delimiter)
        .quoting(dialect.quote.is_some())
        .quote(dialect.quote.unwrap_or(b'"'))
        .double_quote(dialect.escape.is_none())
        .escape(dialect.escape)
        .flexible(true)
        .has_headers(false)
        .buffer_capacity(256 << 10)
        .from_reader(text)
}

/// The rows below the header.
pub(crate) struct CsvRows {
    file: DataFile,
    reader: Reader<Text>,
    record: StringRecord,
    /// Columns in the file, and which of them are wanted.
    width: usize,
    wanted: Vec<usize>,
    cells: CellsBuilder,
    /// Rows without a value in any column, and the line of the first one.
    blank: u64,
    first_blank: u64,
}

impl CsvRows {
    pub(super) fn new(file: DataFile, text: Text, csv: &CsvFile, wanted: &[usize]) -> Result<Self> {
        let mut rows = Self {
            file,
            reader: reader(text, csv.dialect),
            record: StringRecord::new(),
            width: csv.columns.len(),
            wanted: wanted.to_vec(),
            cells: CellsBuilder::new(wanted.len()),
            blank: 0,
            first_blank: 0,
        };
        rows.read()?;
        if dialect::is_declaration(&rows.record) {
            rows.read()?;
        }
        Ok(rows)
    }

    /// Reads a record; false at the end.
    fn read(&mut self) -> Result<bool> {
        let read = self.reader.read_record(&mut self.record);
        read.map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => reading_error(&self.file, error),
            other => reading_error(&self.file, io::Error::other(format!("{other:?}"))),
        })
    }

    pub fn next(&mut self) -> Result<Option<Cells>> {
        while !self.cells.is_full() && self.read()? {
            let line = self.record.position().map_or(0, csv::Position::line);
            let fields = self.record.len();
            // What stands beyond the header's columns is of no account where it is empty.
            let has_more = self
                .record
                .iter()
                .skip(self.width)
                .any(|field| !field.is_empty());
            if fields < self.width || has_more {
                return Err(self.wrong_width(line, fields));
            }
            // Spreadsheets save the rows that only have a format too. Of a single column a blank
            // one may be a value.
            if self.width > 1 && self.record.iter().all(|field| field.trim().is_empty()) {
                if self.blank == 0 {
                    self.first_blank = line;
                }
                self.blank += 1;
                continue;
            }
            for (column, &wanted) in self.wanted.iter().enumerate() {
                self.cells.push(column, Some(&self.record[wanted]));
            }
            self.cells.end_row(line);
        }
        let cells = self.cells.take();
        if cells.is_none() && self.blank > 0 {
            self.say_blank();
        }
        Ok(cells)
    }

    fn say_blank(&self) {
        let rows = counted(self.blank, "row is", "rows are");
        let message = format!(
            "{}: {rows} blank in every column and left out (the first in line {}); rows are \
             counted without them",
            self.file.name, self.first_blank
        );
        if is_first_time(&message) {
            warn!("{message}");
        }
    }

    fn wrong_width(&self, line: u64, fields: usize) -> TableError {
        let width = self.width;
        let [fields, width] =
            [fields, width].map(|number| counted(number as u64, "field", "fields"));
        self.file.malformed(format!(
            "the row in line {line} has {fields} and the header has {width}; quote fields that \
             hold the separator, or name another one with --delimiter"
        ))
    }
}
