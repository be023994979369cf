use std::path::{Path, PathBuf};

use datafusion::datasource::file_format::file_compression_type::FileCompressionType;

use crate::{Result, TableError};

/// A supported file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Separated values with a header line; the byte is the separator.
    Csv(u8),
    /// One JSON object a line.
    JsonLines,
    /// Arrow IPC file.
    Arrow,
    /// A run or judgements in TREC's form.
    Trec,
}

impl Format {
    /// The format that a file's name tells, for one that is not compressed.
    pub fn of_name(file: &Path) -> Option<Self> {
        let (format, compression) = format_of(file)?;
        (!compression.is_compressed()).then_some(format)
    }

    /// The format's name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::Csv(b'\t') => "TSV",
            Self::Csv(_) => "CSV",
            Self::JsonLines => "JSON Lines",
            Self::Arrow => "Arrow IPC",
            Self::Trec => "TREC",
        }
    }
}

/// The files behind one input: all of one format and one compression.
#[derive(Debug)]
pub(crate) struct Source {
    pub files: Vec<PathBuf>,
    pub format: Format,
    pub compression: FileCompressionType,
}

impl Source {
    /// Resolves a path, folder or glob to its files, in order of name.
    pub fn resolve(input: &str) -> Result<Self> {
        let files = list_files(input)?;
        let mut kinds = files.iter().map(|file| format_of(file));
        let first = kinds.next().ok_or_else(|| TableError::NoFiles {
            path: input.to_owned(),
        })?;
        let (format, compression) = first.ok_or_else(|| TableError::UnknownFormat {
            path: files[0].clone(),
        })?;
        for kind in kinds.flatten() {
            if kind != (format, compression) {
                return Err(TableError::MixedFormats {
                    path: input.to_owned(),
                    first: format.name(),
                    second: kind.0.name(),
                });
            }
        }
        Ok(Self {
            files,
            format,
            compression,
        })
    }
}

/// The files a path, folder (not searched deeper) or glob stands for, sorted. Hidden files are left out.
pub(crate) fn list_files(input: &str) -> Result<Vec<PathBuf>> {
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
    let unreadable = |source| TableError::Unreadable {
        path: input.to_owned(),
        source,
    };
    if path.is_dir() {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            let is_table = format_of(&file).is_some() && !is_plain_text(&file);
            if file.is_file() && is_table && !is_hidden(&file) {
                files.push(file);
            }
        }
        files.sort();
        return Ok(files);
    }
    if path.exists() {
        return Ok(vec![path.to_owned()]);
    }
    let matches = glob::glob(input).map_err(|_| not_found())?;
    let mut files: Vec<PathBuf> = matches
        .filter_map(|entry| entry.ok())
        .filter(|file| file.is_file() && !is_hidden(file))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(not_found());
    }
    Ok(files)
}

fn is_hidden(file: &Path) -> bool {
    file.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// A run is often called so, but so is anything else in a folder.
fn is_plain_text(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "txt")
}

fn format_of(file: &Path) -> Option<(Format, FileCompressionType)> {
    let name = file.file_name()?.to_string_lossy().to_ascii_lowercase();
    let (stem, compression) = match name.rsplit_once('.')? {
        (stem, "gz") => (stem, FileCompressionType::GZIP),
        (stem, "bz2") => (stem, FileCompressionType::BZIP2),
        (stem, "xz") => (stem, FileCompressionType::XZ),
        (stem, "zst") => (stem, FileCompressionType::ZSTD),
        _ => (name.as_str(), FileCompressionType::UNCOMPRESSED),
    };
    let format = match stem.rsplit_once('.')?.1 {
        "parquet" | "pq" => Format::Parquet,
        "csv" => Format::Csv(b','),
        "tsv" => Format::Csv(b'\t'),
        "jsonl" | "ndjson" | "json" => Format::JsonLines,
        "arrow" | "ipc" | "feather" => Format::Arrow,
        "trec" | "run" | "qrels" | "qrel" | "txt" => Format::Trec,
        _ => return None,
    };
    let compressible = matches!(format, Format::Csv(_) | Format::JsonLines);
    (compressible || !compression.is_compressed()).then_some((format, compression))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_format_and_compression() {
        let kind = |name: &str| format_of(Path::new(name));
        assert_eq!(
            kind("a/b.parquet"),
            Some((Format::Parquet, FileCompressionType::UNCOMPRESSED))
        );
        assert_eq!(
            kind("B.JSONL.gz"),
            Some((Format::JsonLines, FileCompressionType::GZIP))
        );
        assert_eq!(Format::of_name(Path::new("x.csv.gz")), None);
        assert_eq!(Format::of_name(Path::new("r.txt")), Some(Format::Trec));
        assert_eq!(kind("notes.md"), None);
        assert_eq!(kind("x.parquet.gz"), None);
    }

    #[test]
    fn a_text_file_is_a_run_only_by_its_own_name() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.parquet", "README.txt"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let source = |path: &Path| Source::resolve(path.to_str().unwrap()).unwrap();
        assert_eq!(source(dir.path()).files.len(), 1);
        let text = source(&dir.path().join("README.txt"));
        assert_eq!(text.format, Format::Trec);
    }

    #[test]
    fn a_missing_path_is_named() {
        let error = Source::resolve("nowhere/x.parquet").unwrap_err();
        assert!(error.to_string().starts_with("nowhere/x.parquet: no such"));
    }
}
