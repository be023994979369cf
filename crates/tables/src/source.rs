use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::first_time::is_first_time;
use crate::folder_input::{self, Listed};
use crate::format::format_of;
use crate::{Format, Result, TableError, pipe};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;

/// One file of an input.
#[derive(Debug, Clone)]
pub(crate) struct DataFile {
    pub path: PathBuf,
    /// The path as it is said in messages.
    pub name: String,
    pub format: Format,
    pub compression: FileCompressionType,
    /// Columns that stand in the path, as `category=billing` does, with their value.
    pub partition: Vec<(String, Option<String>)>,
}

impl DataFile {
    /// Returns a path that can be opened again and again, also where the file is a pipe.
    pub fn readable(&self) -> Result<PathBuf> {
        pipe::readable(&self.path).map_err(|source| self.unreadable(source))
    }

    pub fn unreadable(&self, source: io::Error) -> TableError {
        TableError::Unreadable {
            path: self.name.clone(),
            source,
        }
    }

    pub fn malformed(&self, detail: String) -> TableError {
        TableError::Malformed {
            path: self.name.clone(),
            format: self.format.name(),
            detail,
        }
    }
}

/// The files behind one input: all of one format.
#[derive(Debug)]
pub(crate) struct Source {
    pub files: Vec<DataFile>,
    pub format: Format,
}

impl Source {
    /// Resolves a path, folder or glob to its files, in order of name.
    pub fn resolve(input: &str) -> Result<Self> {
        let listed = list(input)?;
        say_once(&listed, input);
        let mut files = Vec::with_capacity(listed.files.len());
        for path in listed.files {
            let kind = match format_of(&path) {
                Some(kind) => Some(kind),
                None if pipe::is_stream(&path) => format_of_content(&path, input)?,
                None => None,
            };
            // A folder's files are chosen by their names; a glob may match others.
            let Some((format, compression)) = kind else {
                if listed.chosen {
                    return Err(TableError::UnknownFormat { path });
                }
                continue;
            };
            files.push(DataFile {
                name: path.display().to_string(),
                partition: folder_input::partition(Path::new(input), &path),
                path,
                format,
                compression,
            });
        }
        let first = files.first().ok_or_else(|| TableError::NoFiles {
            path: input.to_owned(),
        })?;
        let format = first.format;
        if let Some(other) = files.iter().find(|file| file.format != format) {
            return Err(TableError::MixedFormats {
                path: input.to_owned(),
                first: format.name(),
                second: other.format.name(),
            });
        }
        Ok(Self { files, format })
    }
}

/// Says what of an input is read, the first time that it is.
fn say_once(listed: &Listed, input: &str) {
    if is_first_time(input) {
        listed.say(input);
    }
}

/// Returns the files that a path, folder or glob stands for, sorted. Of a folder these are the
/// tables in it and in its sub-folders, without hidden files.
pub(crate) fn list_files(input: &str) -> Result<Vec<PathBuf>> {
    Ok(list(input)?.files)
}

fn list(input: &str) -> Result<Listed> {
    let not_found = || TableError::NotFound {
        path: input.to_owned(),
    };
    if let Some((scheme, _)) = input.split_once("://") {
        return Err(TableError::UnsupportedScheme {
            path: input.to_owned(),
            scheme: scheme.to_owned(),
        });
    }
    let path = Path::new(input);
    if path.is_dir() {
        return folder_input::list(path, input);
    }
    if path.exists() {
        return Ok(Listed::chosen(vec![path.to_owned()]));
    }
    let matches = glob::glob(input).map_err(|_| not_found())?;
    let mut files: Vec<PathBuf> = matches
        .filter_map(|entry| entry.ok())
        .filter(|file| file.is_file() && !folder_input::is_hidden(file))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(not_found());
    }
    let (tables, others): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|file| format_of(file).is_some());
    if tables.is_empty() {
        return Ok(Listed::chosen(others));
    }
    let name = |file: &PathBuf| file.display().to_string();
    Ok(Listed {
        files: tables,
        chosen: false,
        below: 0,
        others: others.iter().map(name).collect(),
    })
}

/// Returns the format that the first bytes tell, for what comes through a pipe without a telling
/// name.
fn format_of_content(path: &Path, input: &str) -> Result<Option<(Format, FileCompressionType)>> {
    let unreadable = |source| TableError::Unreadable {
        path: input.to_owned(),
        source,
    };
    let mut head = Vec::new();
    let file = File::open(pipe::readable(path).map_err(unreadable)?).map_err(unreadable)?;
    file.take(4_096)
        .read_to_end(&mut head)
        .map_err(unreadable)?;
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head);
    let format = match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        _ if head.starts_with(b"PAR1") => Format::Parquet,
        _ if head.starts_with(b"ARROW1") || head.starts_with(&[0xFF; 4]) => Format::Arrow,
        Some(b'{' | b'[') => Format::JsonLines,
        Some(_) => Format::Csv(b','),
        None => return Ok(None),
    };
    Ok(Some((format, FileCompressionType::UNCOMPRESSED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_path_is_named() {
        let error = Source::resolve("nowhere/x.parquet").unwrap_err();
        assert!(error.to_string().starts_with("nowhere/x.parquet: no such"));
    }
}
