use std::path::Path;

use datafusion::datasource::file_format::file_compression_type::FileCompressionType;

/// A supported file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Separated values with a header line; the byte is the separator that the file's name tells.
    Csv(u8),
    /// JSON objects, one a line or in an array.
    JsonLines,
    /// Arrow IPC, as a file or a stream.
    Arrow,
    /// A run or judgements in TREC's form.
    Trec,
}

impl Format {
    /// Returns the format that a file's name tells, for one that is not compressed.
    pub fn of_name(file: &Path) -> Option<Self> {
        let (format, compression) = format_of(file)?;
        (!compression.is_compressed()).then_some(format)
    }

    /// Returns the format's name in messages.
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

    /// Returns whether a reader has to find out how the file is written.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Csv(_) | Self::JsonLines)
    }
}

/// Returns whether the name of a file or glob is one of tables: not of runs and judgements in TREC's
/// form, which many a text file's name could be.
pub fn is_table_name(file: &Path) -> bool {
    format_of(file).is_some_and(|(format, _)| format != Format::Trec)
}

/// Returns the format and the compression that a file's name tells.
pub(crate) fn format_of(file: &Path) -> Option<(Format, FileCompressionType)> {
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
        "tsv" | "tab" => Format::Csv(b'\t'),
        "jsonl" | "ndjson" | "json" => Format::JsonLines,
        "arrow" | "arrows" | "ipc" | "feather" => Format::Arrow,
        "trec" | "run" | "qrels" | "qrel" | "txt" => Format::Trec,
        _ => return None,
    };
    (format.is_text() || !compression.is_compressed()).then_some((format, compression))
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
        assert_eq!(kind("part-0.csv.bak"), None);
    }
}
