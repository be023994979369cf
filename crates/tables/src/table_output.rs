use std::fs::File;
use std::io::{self, BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use arrow_csv::{Writer as CsvWriter, WriterBuilder as CsvBuilder};
use arrow_json::writer::{LineDelimited, Writer as JsonWriter, WriterBuilder as JsonBuilder};
use datafusion::error::DataFusionError;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Serialize;

use crate::atomic_file::AtomicFile;
use crate::place::{Place, is_stream};
use crate::sidecar::{Sidecar, encode};
use crate::{Format, Lineage, ParquetOutput, Result, TableError, join_parquet};

/// What the name of a table may end in.
const ENDINGS: &str = ".parquet, .csv, .tsv, .jsonl, .ndjson, .json or .arrow";

/// Takes the path of a table that a stage writes, for a parser of arguments.
///
/// # Errors
/// A sentence that says which names are taken.
pub fn table_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match format_of(&path) {
        Ok(_) => Ok(path),
        Err(error) => Err(error.to_string()),
    }
}

/// Does the same for a ranked run or judgements, which may be in TREC's form too.
///
/// # Errors
/// As [`table_path`].
pub fn run_path(text: &str) -> Result<PathBuf, String> {
    match Format::of_name(Path::new(text)) {
        Some(Format::Trec) if !text.contains("://") => Ok(PathBuf::from(text)),
        _ => table_path(text),
    }
}

fn format_of(path: &Path) -> Result<Option<Format>> {
    if is_stream(path) {
        // What it is called says nothing of a pipe.
        return Ok(Format::of_name(path).filter(|format| *format != Format::Trec));
    }
    // What is wrong with the place is said when it is looked at.
    if path.to_str().is_some_and(|text| text.contains("://")) {
        Place::of(path)?;
    }
    match Format::of_name(path) {
        None | Some(Format::Trec) => Err(TableError::UnknownOutput {
            path: path.to_owned(),
            expected: ENDINGS,
        }),
        format => Ok(format),
    }
}

/// A table as its name says: Parquet, CSV, TSV, JSON Lines or Arrow IPC; `-` is an Arrow IPC stream
/// on standard output, and so is a pipe whose name says nothing. A file appears whole or not at
/// all.
pub struct TableOutput {
    schema: SchemaRef,
    writer: Writer,
    rows: u64,
}

enum Writer {
    Parquet(Box<ParquetOutput>),
    Csv(Box<CsvWriter<BufWriter<File>>>, File, Sidecar),
    Json(
        Box<JsonWriter<BufWriter<File>, LineDelimited>>,
        File,
        Sidecar,
    ),
    Arrow(Box<FileWriter<BufWriter<File>>>, File, Sidecar),
    /// Into a pipe.
    Stream(Box<StreamWriter<BufWriter<File>>>, PathBuf),
    Stdout(Box<StreamWriter<BufWriter<Stdout>>>),
}

impl TableOutput {
    /// Prepares to write `target` with this schema.
    ///
    /// # Errors
    /// If the name tells no format, the output cannot be written to, or another process is writing
    /// it.
    pub fn create(target: &Path, schema: SchemaRef, lineage: &Lineage) -> Result<Self> {
        let writer = match format_of(target)? {
            _ if target == Path::new("-") => {
                let writer = StreamWriter::try_new(BufWriter::new(io::stdout()), &schema);
                Writer::Stdout(Box::new(writer.map_err(stdout)?))
            }
            Some(Format::Parquet) => {
                let output = ParquetOutput::create(target, schema.clone(), lineage)?;
                Writer::Parquet(Box::new(output))
            }
            format => {
                let (staged, file) = AtomicFile::create(target)?;
                let failed = |error| encode(target, error);
                let out = file.try_clone().map_err(ArrowError::from).map_err(failed)?;
                let out = BufWriter::new(out);
                let sidecar = Sidecar::new(staged, Some(lineage));
                match format {
                    Some(Format::Csv(separator)) => {
                        let builder = CsvBuilder::new().with_delimiter(separator);
                        let mut writer = builder.build(out);
                        // So that a table without rows has its header.
                        let header = RecordBatch::new_empty(schema.clone());
                        writer.write(&header).map_err(failed)?;
                        Writer::Csv(Box::new(writer), file, sidecar)
                    }
                    Some(Format::JsonLines) => {
                        // A column that is null throughout is a column too.
                        let builder = JsonBuilder::new().with_explicit_nulls(true);
                        Writer::Json(Box::new(builder.build(out)), file, sidecar)
                    }
                    Some(_) => {
                        let writer = FileWriter::try_new(out, &schema).map_err(failed)?;
                        Writer::Arrow(Box::new(writer), file, sidecar)
                    }
                    None => {
                        let writer = StreamWriter::try_new(out, &schema).map_err(failed)?;
                        Writer::Stream(Box::new(writer), target.to_owned())
                    }
                }
            }
        };
        Ok(Self {
            schema,
            writer,
            rows: 0,
        })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// If the rows do not fit the schema, the disk is full or whoever reads has gone.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        let columns = batch.columns().to_vec();
        let batch = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|error| TableError::Query(Box::new(error.into())))?;
        match &mut self.writer {
            Writer::Parquet(output) => output.write(&batch),
            Writer::Csv(writer, _, sidecar) => writer.write(&batch).map_err(|e| sidecar.encode(e)),
            Writer::Json(writer, _, sidecar) => writer.write(&batch).map_err(|e| sidecar.encode(e)),
            Writer::Arrow(writer, _, sidecar) => {
                writer.write(&batch).map_err(|e| sidecar.encode(e))
            }
            Writer::Stream(writer, path) => writer
                .write(&batch)
                .and_then(|()| Ok(writer.get_mut().flush()?))
                .map_err(|error| encode(path, error)),
            Writer::Stdout(writer) => {
                writer.write(&batch).map_err(stdout)?;
                // Whoever reads is not to wait for the next batch.
                writer.get_mut().flush().map_err(TableError::Stdout)
            }
        }
    }

    /// Returns how many rows were written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the output and gives it its name. Returns the number of rows.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn finish(self) -> Result<u64> {
        self.end(None)
    }

    /// Does the same, with the figures that the stage reports, for [`Lineage::figures`].
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn finish_with(self, figures: &impl Serialize) -> Result<u64> {
        self.end(serde_json::to_value(figures).ok())
    }

    fn end(self, figures: Option<serde_json::Value>) -> Result<u64> {
        match self.writer {
            Writer::Parquet(output) => {
                return match figures {
                    Some(figures) => output.finish_with(&figures),
                    None => output.finish(),
                };
            }
            Writer::Csv(writer, file, sidecar) => {
                sidecar.finish(writer.into_inner(), &file, figures)?;
            }
            Writer::Json(mut writer, file, sidecar) => {
                writer.finish().map_err(|error| sidecar.encode(error))?;
                sidecar.finish(writer.into_inner(), &file, figures)?;
            }
            Writer::Arrow(mut writer, file, sidecar) => {
                writer.finish().map_err(|error| sidecar.encode(error))?;
                let out = writer.into_inner().map_err(|error| sidecar.encode(error))?;
                sidecar.finish(out, &file, figures)?;
            }
            Writer::Stream(mut writer, path) => writer
                .finish()
                .and_then(|()| Ok(writer.get_mut().flush()?))
                .map_err(|error| encode(&path, error))?,
            Writer::Stdout(mut writer) => {
                writer.finish().map_err(stdout)?;
                writer.get_mut().flush().map_err(TableError::Stdout)?;
            }
        }
        Ok(self.rows)
    }
}

/// Makes one table of Parquet files of one schema. Where that is Parquet too, their row groups are
/// copied as they are.
///
/// # Errors
/// As [`join_parquet`] and [`TableOutput::create`].
pub fn join_tables(
    parts: &[PathBuf],
    target: &Path,
    lineage: &Lineage,
    figures: &impl Serialize,
) -> Result<()> {
    if format_of(target)? == Some(Format::Parquet) {
        return join_parquet(parts, target, figures);
    }
    let mut output = None;
    for part in parts {
        let unreadable = |source: parquet::errors::ParquetError| TableError::Encode {
            path: part.clone(),
            source,
        };
        let file = File::open(part).map_err(|error| unreadable(error.into()))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unreadable)?;
        // What the part's schema says besides is the lineage.
        let fields = reader.schema().fields().clone();
        let schema = std::sync::Arc::new(arrow::datatypes::Schema::new(fields));
        let output = match &mut output {
            Some(output) => output,
            None => output.insert(TableOutput::create(target, schema, lineage)?),
        };
        for batch in reader.build().map_err(unreadable)? {
            output.write(&batch.map_err(|error| unreadable(error.into()))?)?;
        }
    }
    match output {
        Some(output) => output.finish_with(figures).map(drop),
        None => Ok(()),
    }
}

/// Tells a closed pipe from other failures by its kind.
fn stdout(error: ArrowError) -> TableError {
    match error {
        ArrowError::IoError(_, source) => TableError::Stdout(source),
        other => DataFusionError::from(other).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Float32Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};

    use crate::{open_any, session};

    fn batch() -> RecordBatch {
        let fields = vec![
            Field::new("id", DataType::Utf8, false),
            Field::new("text", DataType::Utf8, false),
            Field::new("score", DataType::Float32, true),
        ];
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec!["1", "2"])),
            Arc::new(StringArray::from(vec!["one, \"two\"\nthree\tfour", ""])),
            Arc::new(Float32Array::from(vec![Some(0.1), None])),
        ];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    /// Returns the texts; a null is an empty one.
    fn texts(array: &ArrayRef) -> Vec<String> {
        let array = arrow::compute::cast(array, &DataType::Utf8).unwrap();
        let texts = array.as_string::<i32>().iter();
        texts
            .map(|text| text.unwrap_or_default().to_owned())
            .collect()
    }

    fn write(target: &Path, seed: u64) -> Result<u64> {
        let lineage = Lineage::new("test", &(), seed);
        lineage.is_done(target, false)?;
        let mut output = TableOutput::create(target, batch().schema(), &lineage)?;
        output.write(&batch())?;
        output.finish_with(&serde_json::json!({ "rows": 2 }))
    }

    #[test]
    fn a_table_is_what_its_name_says_and_knows_whether_it_is_up_to_date() {
        let dir = tempfile::tempdir().unwrap();
        let lineage = |seed| Lineage::new("test", &(), seed);
        for ending in ["parquet", "csv", "tsv", "jsonl", "arrow"] {
            let file = dir.path().join(format!("t.{ending}"));
            assert_eq!(write(&file, 1).unwrap(), 2);
            assert!(lineage(1).is_done(&file, false).unwrap(), "{ending}");
            assert_eq!(Lineage::figures(&file).unwrap()["rows"], 2, "{ending}");
            assert!(!lineage(2).is_done(&file, false).unwrap(), "{ending}");
            write(&file, 2).unwrap();
            let session = session(1).unwrap();
            let path = file.to_str().unwrap();
            let read = tokio::runtime::Runtime::new().unwrap().block_on(async {
                let read = open_any(&session, path).await.unwrap();
                read.collect().await.unwrap()
            });
            let read = arrow::compute::concat_batches(&read[0].schema(), &read).unwrap();
            for (name, expected) in ["id", "text", "score"].iter().zip(batch().columns()) {
                let found = texts(read.column_by_name(name).unwrap());
                assert_eq!(found, texts(expected), "{ending} {name}");
            }
            fs::write(&file, "a user's own").unwrap();
            let error = write(&file, 2).unwrap_err();
            assert!(matches!(error, TableError::ForeignOutput { .. }), "{error}");
        }
        assert_eq!(fs::read(dir.path().join("t.csv")).unwrap(), b"a user's own");
    }

    #[test]
    fn a_record_put_in_place_before_its_file_spoils_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.csv");
        write(&file, 1).unwrap();
        let before = fs::read(&file).unwrap();
        write(&file, 2).unwrap();
        let lineage = Lineage::new("test", &(), 2);
        // As a kill between the two leaves it, where the tables differ.
        let record = dir.path().join(".t.csv.lineage.json");
        let text = fs::read_to_string(&record).unwrap();
        let hash = blake3::hash(&before).to_hex().to_string();
        let text = text.replacen(&hash, &"0".repeat(64), 1);
        fs::write(&record, text).unwrap();
        assert!(!lineage.is_done(&file, false).unwrap());
        write(&file, 2).unwrap();
        assert!(lineage.is_done(&file, false).unwrap());
    }

    #[test]
    fn a_name_that_tells_no_format_is_refused() {
        for name in [
            "out",
            "out.txt",
            "out.csv.gz",
            "run.trec",
            "s3://b/x.parquet",
        ] {
            assert!(table_path(name).is_err(), "{name}");
        }
        for name in ["-", "a/b.parquet", "X.CSV"] {
            assert!(table_path(name).is_ok(), "{name}");
        }
    }
}
