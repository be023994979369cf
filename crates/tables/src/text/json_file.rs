use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Read};

use super::cells::{Cells, CellsBuilder, Examined, Text, reading_error};
use super::json_scan::{Fault, Field, Kind, blank, object};
use crate::source::DataFile;
use crate::{Result, TableError};

/// Bytes read at a time, at first; more where one object is longer.
const BLOCK: usize = 256 << 10;

/// A file of JSON objects: one a line, parted otherwise, or in one array.
#[derive(Debug)]
pub(super) struct JsonFile {
    /// Keys in order of first sight.
    pub columns: Vec<String>,
    kinds: Vec<Kinds>,
    /// Whether each object has its line and no key has values of several kinds.
    pub is_plain: bool,
}

/// The kinds of values that a key has.
#[derive(Debug, Clone, Copy, Default)]
struct Kinds {
    text: bool,
    number: bool,
    nested: bool,
    other: bool,
}

impl Kinds {
    fn add(&mut self, kind: Option<Kind>) {
        match kind {
            Some(Kind::Null) => {}
            Some(Kind::Text) => self.text = true,
            Some(Kind::Integer | Kind::Float) => self.number = true,
            Some(Kind::Nested) => self.nested = true,
            Some(Kind::Bool) | None => self.other = true,
        }
    }

    fn are_several(self) -> bool {
        let kinds = [self.text, self.number, self.nested, self.other];
        kinds.into_iter().filter(|&has| has).count() > 1
    }
}

impl JsonFile {
    pub fn look_through(file: &DataFile, text: Text) -> Result<Self, Examined> {
        let mut objects = Objects::new(text);
        let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut found = Self {
            columns: Vec::new(),
            kinds: Vec::new(),
            is_plain: true,
        };
        let mut last_line = 0;
        while objects.advance().map_err(|error| error.examined(file))? {
            found.is_plain &= objects.line > last_line && objects.is_in_one_line();
            last_line = objects.line;
            for (key, value) in &objects.fields {
                let written = &objects.buffer[key.clone()];
                let column = match numbers.get(written) {
                    Some(&column) => column,
                    None => {
                        let name = text_of(written).map_err(|error| {
                            let line = objects.line;
                            file.malformed(format!("line {line}: {error} in the name of a column"))
                        })?;
                        let known = found.columns.iter().position(|column| *column == name);
                        let column = known.unwrap_or_else(|| {
                            found.columns.push(name.into_owned());
                            found.kinds.push(Kinds::default());
                            found.columns.len() - 1
                        });
                        numbers.insert(written.to_vec(), column);
                        column
                    }
                };
                found.kinds[column].add(Kind::of(&objects.buffer[value.clone()]));
            }
        }
        found.is_plain &= !objects.in_array && !found.kinds.iter().any(|kinds| kinds.are_several());
        Ok(found)
    }

    pub fn holds_numbers_only(&self, column: usize) -> bool {
        let kinds = self.kinds[column];
        kinds.number && !kinds.are_several()
    }
}

/// Returns the text that a JSON string stands for.
fn text_of(string: &[u8]) -> Result<Cow<'_, str>, serde_json::Error> {
    let inner = &string[1..string.len() - 1];
    if !inner.contains(&b'\\')
        && let Ok(text) = str::from_utf8(inner)
    {
        return Ok(text.into());
    }
    serde_json::from_slice(string).map(Cow::Owned)
}

/// The objects of a text, one after the other.
struct Objects {
    text: Text,
    buffer: Vec<u8>,
    /// The place behind the current object.
    end: usize,
    start: usize,
    fields: Vec<Field>,
    /// The line in which the current object begins.
    line: u64,
    /// What was counted in `line` so far.
    counted: usize,
    in_array: bool,
    begun: bool,
    at_end: bool,
    done: bool,
}

enum ScanError {
    Io(io::Error),
    Fault { line: u64, what: String },
}

impl ScanError {
    fn examined(self, file: &DataFile) -> Examined {
        match self {
            Self::Io(error) => Examined::of_reading(file, error),
            fault => Examined::Failed(fault.of(file)),
        }
    }

    fn of(self, file: &DataFile) -> TableError {
        match self {
            Self::Io(error) => reading_error(file, error),
            Self::Fault { line, what } => file.malformed(format!("line {line}: {what}")),
        }
    }
}

impl Objects {
    fn new(text: Text) -> Self {
        Self {
            text,
            buffer: Vec::new(),
            end: 0,
            start: 0,
            fields: Vec::new(),
            line: 1,
            counted: 0,
            in_array: false,
            begun: false,
            at_end: false,
            done: false,
        }
    }

    /// Goes to the next object; false at the end.
    fn advance(&mut self) -> Result<bool, ScanError> {
        self.done = self.done || !self.find_next()?;
        Ok(!self.done)
    }

    fn find_next(&mut self) -> Result<bool, ScanError> {
        let mut wanted = BLOCK;
        loop {
            let mut at = blank(&self.buffer, self.end);
            if !self.begun && self.buffer.get(at) == Some(&b'[') {
                self.in_array = true;
                at = blank(&self.buffer, at + 1);
            } else if self.begun && self.in_array && self.buffer.get(at) == Some(&b',') {
                at = blank(&self.buffer, at + 1);
            }
            let rest = &self.buffer[at..];
            match rest.first() {
                None if self.at_end && !self.in_array => return Ok(false),
                None if self.at_end => {
                    return self.fault(at, "the array does not end".to_owned());
                }
                Some(b']') if self.in_array => {
                    self.begun = true;
                    self.end = at + 1;
                    return match self.only_blanks_follow()? {
                        true => Ok(false),
                        false => self.fault(self.end, "something follows the array".to_owned()),
                    };
                }
                None => {}
                Some(_) => match object(&self.buffer, at, &mut self.fields) {
                    Ok(end) => {
                        self.begun = true;
                        self.count_lines(at);
                        (self.start, self.end) = (at, end);
                        return Ok(true);
                    }
                    Err(Fault::Unexpected { at, what }) => return self.fault(at, what),
                    Err(Fault::NeedsMore) if self.at_end => {
                        return self
                            .fault(at, "the object that begins here does not end".to_owned());
                    }
                    Err(Fault::NeedsMore) => {}
                },
            }
            self.read_more(wanted)?;
            wanted *= 2;
        }
    }

    fn only_blanks_follow(&mut self) -> Result<bool, ScanError> {
        loop {
            self.end = blank(&self.buffer, self.end);
            if self.end < self.buffer.len() {
                return Ok(false);
            }
            if self.at_end {
                return Ok(true);
            }
            self.read_more(BLOCK)?;
        }
    }

    /// Reads about so many bytes more, and forgets what lies before the current place.
    fn read_more(&mut self, wanted: usize) -> Result<(), ScanError> {
        self.count_lines(self.end);
        self.buffer.drain(..self.end);
        self.counted -= self.end;
        self.end = 0;
        let filled = self.buffer.len();
        let mut more = self.text.by_ref().take(wanted as u64);
        let read = more.read_to_end(&mut self.buffer);
        read.map_err(ScanError::Io)?;
        self.at_end = self.buffer.len() == filled;
        Ok(())
    }

    /// Counts the line ends before a place.
    fn count_lines(&mut self, at: usize) {
        if at > self.counted {
            let passed = &self.buffer[self.counted..at];
            self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
            self.counted = at;
        }
    }

    fn is_in_one_line(&self) -> bool {
        memchr::memchr(b'\n', &self.buffer[self.start..self.end]).is_none()
    }

    fn fault<T>(&mut self, at: usize, what: String) -> Result<T, ScanError> {
        self.count_lines(at);
        Err(ScanError::Fault {
            line: self.line,
            what,
        })
    }
}

/// The rows of a file of JSON objects.
pub(crate) struct JsonRows {
    file: DataFile,
    objects: Objects,
    columns: Vec<String>,
    /// Which column a key is as it is written; none for one that nobody asked for.
    known: HashMap<Vec<u8>, Option<usize>>,
    cells: CellsBuilder,
    values: Vec<Option<std::ops::Range<usize>>>,
    /// Whether lists and objects are read as they are written.
    takes_nested: bool,
}

impl JsonRows {
    pub(super) fn new(
        file: DataFile,
        text: Text,
        json: &JsonFile,
        wanted: &[usize],
        takes_nested: bool,
    ) -> Self {
        Self {
            file,
            takes_nested,
            objects: Objects::new(text),
            columns: wanted.iter().map(|&at| json.columns[at].clone()).collect(),
            known: HashMap::new(),
            cells: CellsBuilder::new(wanted.len()),
            values: vec![None; wanted.len()],
        }
    }

    pub fn next(&mut self) -> Result<Option<Cells>> {
        while !self.cells.is_full() {
            let advanced = self.objects.advance();
            if !advanced.map_err(|error| error.of(&self.file))? {
                break;
            }
            self.add()?;
        }
        Ok(self.cells.take())
    }

    fn add(&mut self) -> Result<()> {
        let Objects {
            buffer,
            fields,
            line,
            ..
        } = &self.objects;
        self.values.fill(None);
        for (key, value) in fields {
            let written = &buffer[key.clone()];
            let column = match self.known.get(written) {
                Some(&column) => column,
                None => {
                    let name = text_of(written).unwrap_or_default();
                    let column = self.columns.iter().position(|column| *column == name);
                    self.known.insert(written.to_vec(), column);
                    column
                }
            };
            if let Some(column) = column {
                self.values[column] = Some(value.clone());
            }
        }
        for (column, value) in self.values.iter().enumerate() {
            let value = value.clone().map(|value| &buffer[value]);
            let wrong = |expected| TableError::WrongValue {
                path: self.file.name.clone(),
                place: format!("line {line}"),
                column: self.columns[column].clone(),
                found: shown(value.unwrap_or_default()),
                expected,
            };
            let text = match value.map(|value| (value, Kind::of(value))) {
                None | Some((_, Some(Kind::Null))) => None,
                Some((value, Some(Kind::Text))) => {
                    Some(text_of(value).map_err(|_| wrong("a sound JSON text; write it again"))?)
                }
                Some((value, Some(Kind::Integer | Kind::Float | Kind::Bool))) => {
                    Some(String::from_utf8_lossy(value))
                }
                Some((value, Some(Kind::Nested))) if self.takes_nested => {
                    Some(String::from_utf8_lossy(value))
                }
                Some((_, Some(Kind::Nested))) => {
                    return Err(wrong(
                        "one text or number; take it out of the list or object",
                    ));
                }
                Some((_, None)) => return Err(wrong("a JSON value")),
            };
            self.cells.push(column, text.as_deref());
        }
        self.cells.end_row(*line);
        Ok(())
    }
}

/// Returns the beginning of a value.
fn shown(value: &[u8]) -> String {
    const LETTERS: usize = 40;
    let text = String::from_utf8_lossy(&value[..value.len().min(4 * LETTERS)]);
    let mut shown: String = text.chars().take(LETTERS).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    shown
}
