use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::SystemTime;

use encoding_rs::{Encoding, UTF_8};
use tracing::info;

use super::cells::{Cells, Examined, Raw, Text, reading_error};
use super::csv_file::{self, CsvFile, CsvRows};
use super::decode::{decoded, guess, of_bytes};
use super::json_file::{JsonFile, JsonRows};
use super::not_text::not_text;
use super::options::ReadOptions;
use crate::source::DataFile;
use crate::{Format, Result};

/// Bytes at the beginning of a file that its kind and encoding are told from.
const HEAD: usize = 4_096;
/// Letters of a word that a message shows.
const WORD: usize = 20;

/// A text file that has been looked through: how it is written and what columns it has.
#[derive(Debug)]
pub(crate) struct TextFile {
    file: DataFile,
    encoding: &'static Encoding,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Csv(CsvFile),
    Json(JsonFile),
}

type Key = (PathBuf, u64, Option<SystemTime>);
static LOOKED_THROUGH: LazyLock<Mutex<HashMap<Key, Arc<TextFile>>>> = LazyLock::new(Mutex::default);

impl TextFile {
    /// Looks a file through, unless that was done before and it is the same.
    pub fn look_through(file: &DataFile) -> Result<Arc<Self>> {
        let path = file.readable()?;
        let metadata = std::fs::metadata(&path).map_err(|source| file.unreadable(source))?;
        let key = (path, metadata.len(), metadata.modified().ok());
        let known = |map: &mut HashMap<Key, Arc<Self>>| map.get(&key).cloned();
        if let Some(known) = LOOKED_THROUGH
            .lock()
            .ok()
            .and_then(|mut map| known(&mut map))
        {
            return Ok(known);
        }
        let found = Arc::new(Self::examine(file)?);
        if let Ok(mut map) = LOOKED_THROUGH.lock() {
            map.insert(key, found.clone());
        }
        Ok(found)
    }

    fn examine(file: &DataFile) -> Result<Self> {
        let options = ReadOptions::get();
        let head = head(file)?;
        if let Some(what) = not_text(&head) {
            return Err(file.malformed(what));
        }
        let encoding = options.encoding();
        let encoding = encoding.unwrap_or_else(|| of_bytes(&head).unwrap_or(UTF_8));
        match Self::examine_as(file, encoding, options) {
            Err(Examined::NotUtf8(error)) if options.encoding.is_none() => {
                match guess(raw(file)?).map_err(|source| file.unreadable(source))? {
                    Some(encoding) if encoding != UTF_8 => {
                        Self::examine_as(file, encoding, options).map_err(|error| error.of(file))
                    }
                    _ => Err(Examined::NotUtf8(error).of(file)),
                }
            }
            other => other.map_err(|error| error.of(file)),
        }
    }

    fn examine_as(
        file: &DataFile,
        encoding: &'static Encoding,
        options: &ReadOptions,
    ) -> Result<Self, Examined> {
        let open = || Ok::<_, Examined>(decoded(raw(file)?, encoding));
        let form = match file.format {
            Format::Csv(usual) => {
                let found = csv_file::dialect(file, open()?, usual, options)?;
                Form::Csv(CsvFile::open(file, open()?, found)?)
            }
            _ => Form::Json(JsonFile::look_through(file, open()?)?),
        };
        if encoding != UTF_8 && options.encoding.is_none() {
            say_encoding(file, encoding, open()?);
        }
        Ok(Self {
            file: file.clone(),
            encoding,
            form,
        })
    }

    /// Returns the names of the columns, in order.
    pub fn columns(&self) -> &[String] {
        match &self.form {
            Form::Csv(csv) => &csv.columns,
            Form::Json(json) => &json.columns,
        }
    }

    /// Returns whether every value of the column is a number, which only JSON Lines can tell.
    pub fn holds_numbers_only(&self, column: usize) -> bool {
        matches!(&self.form, Form::Json(json) if json.holds_numbers_only(column))
    }

    /// Returns whether DataFusion reads the file alike: JSON objects, one a line, each key of one
    /// kind.
    pub fn is_plain_json(&self) -> bool {
        self.encoding == UTF_8 && matches!(&self.form, Form::Json(json) if json.is_plain)
    }

    /// Returns the rows, of the columns with these numbers. Lists and objects of JSON are refused
    /// unless they are taken as they are written (`takes_nested`).
    pub fn rows(&self, columns: &[usize], takes_nested: bool) -> Result<TextRows> {
        let reader = decoded(raw(&self.file)?, self.encoding);
        let file = self.file.clone();
        Ok(match &self.form {
            Form::Csv(csv) => TextRows::Csv(Box::new(CsvRows::new(file, reader, csv, columns)?)),
            Form::Json(json) => {
                let rows = JsonRows::new(file, reader, json, columns, takes_nested);
                TextRows::Json(Box::new(rows))
            }
        })
    }
}

/// The first bytes of a file, decompressed.
fn head(file: &DataFile) -> Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    let mut reader = raw(file)?.take(HEAD as u64);
    let read = reader.read_to_end(&mut head);
    read.map_err(|error| reading_error(file, error))?;
    Ok(head)
}

/// Says in what encoding a file is read, with the first word that would show a wrong guess.
fn say_encoding(file: &DataFile, encoding: &'static Encoding, text: Text) {
    let (file, encoding) = (&file.name, encoding.name());
    let word = first_foreign_word(BufReader::new(text));
    let example = word.map_or(String::new(), |word| format!(" (`{word}`)"));
    info!(
        "{file} is written in {encoding} and read so{example}; if that is wrong, name another \
         encoding with --encoding"
    );
}

/// The first word with a letter that is not ASCII's.
fn first_foreign_word(text: impl BufRead) -> Option<String> {
    let mut lines = text.lines().map_while(Result::ok);
    lines.find_map(|line| {
        let mut words = line.split(|c: char| !c.is_alphanumeric());
        let word = words.find(|word| !word.is_ascii())?;
        Some(word.chars().take(WORD).collect())
    })
}

/// The bytes of a file, decompressed.
fn raw(file: &DataFile) -> Result<Raw> {
    let path = file.readable()?;
    let opened = File::open(path).map_err(|source| file.unreadable(source))?;
    Ok(file.compression.convert_read(opened)?)
}

/// The rows of a text file, batch by batch.
pub(crate) enum TextRows {
    Csv(Box<CsvRows>),
    Json(Box<JsonRows>),
}

impl TextRows {
    /// Returns the next rows; none at the end.
    pub fn next(&mut self) -> Result<Option<Cells>> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Json(rows) => rows.next(),
        }
    }
}
