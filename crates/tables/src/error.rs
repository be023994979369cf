use std::path::PathBuf;

use datafusion::error::DataFusionError;

use crate::WantedFor;

/// The result of an operation on a table.
pub type Result<T, E = TableError> = std::result::Result<T, E>;

/// What can be wrong with an input or an output. Every message names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// No file, folder or glob match at this path.
    #[error("{path}: no such file or folder; check the path")]
    NotFound {
        /// The input as the user gave it.
        path: String,
    },
    /// A folder or glob that holds no file of a supported format.
    #[error(
        "{path}: holds no table; expected files ending in .parquet, .csv, .tsv, .jsonl, .ndjson, .json, .arrow or .trec"
    )]
    NoFiles {
        /// The input as the user gave it.
        path: String,
    },
    /// A file ending that names no supported format.
    #[error(
        "{path}: cannot tell the format from the name; expected .parquet, .csv, .tsv, .jsonl, .ndjson, .json, .arrow or .trec (text may be compressed: .gz, .bz2, .xz, .zst; runs and judgements in TREC's form may also end in .run, .qrels or .txt)"
    )]
    UnknownFormat {
        /// The offending file.
        path: PathBuf,
    },
    /// Several formats under one path.
    #[error("{path}: mixes {first} and {second} files; give each format its own path")]
    MixedFormats {
        /// The input as the user gave it.
        path: String,
        /// One of the formats found.
        first: &'static str,
        /// Another one.
        second: &'static str,
    },
    /// An address whose scheme is not supported.
    #[error("{path}: addresses of the kind `{scheme}://` cannot be read; copy the file here first")]
    UnsupportedScheme {
        /// The input as the user gave it.
        path: String,
        /// The scheme of the address.
        scheme: String,
    },
    /// An output that is an input.
    #[error("{}: writing it would replace the input {input} or a part of it; write elsewhere", output.display())]
    ReplacesInput {
        /// The output.
        output: PathBuf,
        /// The input as the user gave it.
        input: String,
    },
    /// An output that another stage has written.
    #[error("{}: holds what `{stage}` has written, which would be deleted; name another {}", output.display(), if output.is_dir() { "folder" } else { "file" })]
    ReplacesStage {
        /// The output.
        output: PathBuf,
        /// The stage that wrote it.
        stage: String,
    },
    /// A file that cannot be opened or read.
    #[error("{path}: cannot be read")]
    Unreadable {
        /// The offending file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file whose content is not of its format.
    #[error("{path}: not a sound {format} file: {detail}")]
    Malformed {
        /// The offending file.
        path: String,
        /// The format the name promises.
        format: &'static str,
        /// What the reader found, where, and what to do.
        detail: String,
    },
    /// Scores that are no grades, without ranks.
    #[error(
        "{path}: column `score` is {found} in row {row} (counted from 1), which is no grade of a judgement, and a run has a column `rank`; add the ranks, or make the grades whole numbers"
    )]
    NeitherRunNorQrels {
        /// The table.
        path: String,
        /// Row number, from 1.
        row: usize,
        /// What was found.
        found: f64,
    },
    /// A column of the contract is absent.
    #[error("{path}: no column `{column}` ({wanted}); found {found}{hint}")]
    MissingColumn {
        /// The input as the user gave it.
        path: String,
        /// What it is wanted for.
        wanted: WantedFor,
        /// The absent column.
        column: String,
        /// The columns that are there.
        found: String,
        /// How to name another column, or nothing.
        hint: String,
    },
    /// A column of the wrong type.
    #[error("{path}: column `{column}` is {found}; expected {expected}")]
    WrongType {
        /// The input as the user gave it.
        path: String,
        /// The offending column.
        column: String,
        /// Its type in the file.
        found: String,
        /// What the contract asks for.
        expected: &'static str,
    },
    /// Several columns of one name, or of names that differ in case alone.
    #[error(
        "{path}: there are several columns `{column}`, in the same or another case; leave one of them"
    )]
    AmbiguousColumn {
        /// The offending file.
        path: String,
        /// The name.
        column: String,
    },
    /// A null where none is allowed.
    #[error("{path}: column `{column}` is null in {place}; fill it or remove the row")]
    Null {
        /// The offending file.
        path: String,
        /// The offending column.
        column: String,
        /// The row, from 1 without the header, or the line.
        place: String,
    },
    /// A value that its column cannot hold.
    #[error("{path}: column `{column}` holds {found} in {place}; expected {expected}")]
    WrongValue {
        /// The offending file.
        path: String,
        /// The row, from 1 without the header, or the line.
        place: String,
        /// The offending column.
        column: String,
        /// The value.
        found: String,
        /// What the contract asks for.
        expected: &'static str,
    },
    /// A condition on rows that is none.
    #[error(
        "{path}: --where cannot be used: {detail}; it says `{filter}`, and the columns are {found} (names with blanks or marks stand in double quotes, texts in single ones)"
    )]
    Filter {
        /// The input as the user gave it.
        path: String,
        /// The condition.
        filter: String,
        /// What is wrong with it.
        detail: String,
        /// The columns that are there.
        found: String,
    },
    /// A row of which a condition says nothing.
    #[error(
        "{path}: --where `{filter}` cannot be told in {place}: {detail}; TRY_CAST(… AS DOUBLE) makes nothing of what is no number, and leaves such rows out"
    )]
    FilterOfRow {
        /// The offending file.
        path: String,
        /// The condition.
        filter: String,
        /// The row, from 1 without the header, or the line.
        place: String,
        /// What is wrong there.
        detail: String,
    },
    /// A condition that no row meets.
    #[error("{path}: --where leaves none of {rows} rows; it says `{filter}`")]
    AllFiltered {
        /// The input as the user gave it.
        path: String,
        /// The condition.
        filter: String,
        /// Rows read.
        rows: u64,
    },
    /// A column to keep that the output has itself.
    #[error(
        "{path}: the column `{column}` cannot be kept, as a {table} table has one of this name; rename it in the input"
    )]
    KeptTwice {
        /// The input as the user gave it.
        path: String,
        /// The column.
        column: String,
        /// The table that is written.
        table: &'static str,
    },
    /// All columns of a stream are to be kept.
    #[error(
        "--keep-columns all: the columns of standard input are not known beforehand; name those to keep"
    )]
    KeptOfStream,
    /// A folder whose files are a table only by an index of their own.
    #[error("{path}: is {form}, which is not read; {remedy}")]
    ForeignForm {
        /// The input as the user gave it.
        path: String,
        /// What the folder is.
        form: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// An input without rows.
    #[error("{path}: has no rows; expected a {table} table with at least one")]
    Empty {
        /// The input as the user gave it.
        path: String,
        /// The table that was expected.
        table: &'static str,
    },
    /// Two judgements of one pair that differ.
    #[error(
        "{path}: document `{document}` is judged {first} and {second} for query `{query}`; keep one of the rows"
    )]
    ConflictingJudgements {
        /// The qrels table.
        path: String,
        /// The query.
        query: String,
        /// The document.
        document: String,
        /// One grade.
        first: i32,
        /// The other.
        second: i32,
    },
    /// The threads that read tables cannot start.
    #[error("cannot start the threads that read tables")]
    Runtime(#[source] std::io::Error),
    /// An output that cannot be written.
    #[error("{path}: cannot be written")]
    Unwritable {
        /// The output.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An id that cannot stand in a file of TREC's form.
    #[error(
        "{path}: the id `{id}` is empty or holds white space, which parts the fields of TREC's files; write Parquet instead"
    )]
    NotForTrec {
        /// The output.
        path: PathBuf,
        /// The id.
        id: String,
    },
    /// A file of TREC's form where another table than a run or judgements is expected.
    #[error("{path}: TREC's form is that of runs and judgements; expected a {table} table")]
    NotOfTrec {
        /// The input as the user gave it.
        path: String,
        /// The table that was expected.
        table: &'static str,
    },
    /// An output that another process is writing.
    #[error("{path}: another process is writing it now; wait for it or choose another output")]
    Busy {
        /// The output.
        path: PathBuf,
    },
    /// An output folder that holds files this program did not write.
    #[error(
        "{path}: holds `{file}`, which Pairmill did not write, so the folder is not replaced; choose another output or move the file"
    )]
    ForeignFile {
        /// The output folder.
        path: PathBuf,
        /// The first file that is not ours.
        file: String,
    },
    /// An output file that no stage wrote, or not as it is now.
    #[error(
        "{path}: was not written by Pairmill, or was changed since; --force replaces it, or name another output"
    )]
    ForeignOutput {
        /// The output.
        path: PathBuf,
    },
    /// A file of an output folder that was changed after it was written.
    #[error(
        "{path}: `{file}` was changed after it was written, so the folder is not replaced; move it away, or --force replaces it"
    )]
    ChangedFile {
        /// The output folder.
        path: PathBuf,
        /// The first file that is not as it was.
        file: String,
    },
    /// An output that was written by somebody else since the run began.
    #[error("{path}: was changed since this run began; nothing was replaced")]
    Changed {
        /// The output.
        path: PathBuf,
    },
    /// An output that was changed by somebody else while the new one was made.
    #[error("{path}: {}was changed while this run was at work, so it is not replaced; what was made lies in {}", entry.as_ref().map_or(String::new(), |entry| format!("`{}` ", entry.display())), kept.display())]
    ChangedMeanwhile {
        /// The output.
        path: PathBuf,
        /// The entry of a folder that was added, changed or removed.
        entry: Option<PathBuf>,
        /// Where the new output lies instead.
        kept: PathBuf,
    },
    /// No folder for what sorts and joins write while they run.
    #[error("{path}: no such folder for temporary files; set TMPDIR to one that is there")]
    NoTemporaryFolder {
        /// What TMPDIR names.
        path: PathBuf,
    },
    /// An address that cannot be written to.
    #[error(
        "{path}: addresses of the kind `{scheme}://` cannot be written; write a file here and copy it"
    )]
    UnsupportedOutput {
        /// The output.
        path: PathBuf,
        /// The scheme of the address.
        scheme: String,
    },
    /// An output whose name tells no format that can be written.
    #[error(
        "{path}: cannot tell the format from the name; expected one that ends in {expected}, or `-` for an Arrow IPC stream on standard output"
    )]
    UnknownOutput {
        /// The output.
        path: PathBuf,
        /// The endings that may be written here.
        expected: &'static str,
    },
    /// What a folder of models says about its folds is damaged.
    #[error("{path}: does not say how queries are dealt out to folds: {detail}")]
    BadFolds {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// Parquet encoding failed.
    #[error("{path}: cannot be written as Parquet")]
    Encode {
        /// The output.
        path: PathBuf,
        /// Why.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// Standard output cannot be written to.
    #[error("standard output cannot be written to")]
    Stdout(#[source] std::io::Error),
    /// A plan failed while it ran over an input.
    #[error("{path}: cannot be read to the end")]
    Scan {
        /// The input as the user gave it.
        path: String,
        /// Why.
        #[source]
        source: Box<DataFusionError>,
    },
    /// A plan over several inputs failed.
    #[error("the query failed")]
    Query(#[source] Box<DataFusionError>),
}

impl TableError {
    /// Returns what failed while an input was read to its end.
    pub fn of_scan(path: &str, error: DataFusionError) -> Self {
        match Self::from(error) {
            Self::Query(source) => Self::Scan {
                path: path.to_owned(),
                source,
            },
            error => error,
        }
    }
}

impl From<DataFusionError> for TableError {
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<TableError>() {
                Ok(table_error) => *table_error,
                Err(inner) => Self::Query(Box::new(DataFusionError::External(inner))),
            },
            other => Self::Query(Box::new(other)),
        }
    }
}
