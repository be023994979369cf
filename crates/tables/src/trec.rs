use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Builder, Int32Builder, RecordBatch, StringBuilder};
use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use rayon::prelude::*;

use crate::source::DataFile;
use crate::{Result, Table, TableError};

/// Bytes that are parsed at once.
const BLOCK_BYTES: u64 = 8 << 20;
/// Bytes that make a batch.
const PART_BYTES: usize = 256 << 10;

/// Returns a table over judgements (`query iteration document grade`) or a run (`query Q0 document
/// rank score tag`) in TREC's form: fields parted by white space, no header. Every line is checked
/// before this returns.
pub(crate) fn table_of(
    files: Vec<DataFile>,
    table: Table,
    input: &str,
) -> Result<Arc<dyn TableProvider>> {
    let mut rows = 0;
    for batch in Batches::new(files.clone(), table) {
        rows += batch?.num_rows();
    }
    if rows == 0 {
        return Err(TableError::Empty {
            path: input.to_owned(),
            table: table.name(),
        });
    }
    let schema = table.schema();
    let stream = TrecFiles {
        files,
        table,
        schema: schema.clone(),
    };
    Ok(Arc::new(StreamingTable::try_new(
        schema,
        vec![Arc::new(stream)],
    )?))
}

/// Returns whether the first line of the files is one of a run.
pub(crate) fn is_run(files: &[DataFile]) -> Result<bool> {
    for file in files {
        let unreadable = |source| file.unreadable(source);
        let lines = BufReader::new(File::open(file.readable()?).map_err(unreadable)?).lines();
        for line in lines {
            let fields = line.map_err(unreadable)?.split_ascii_whitespace().count();
            if fields > 0 {
                return Ok(fields > 4);
            }
        }
    }
    Ok(false)
}

#[derive(Debug)]
struct TrecFiles {
    files: Vec<DataFile>,
    table: Table,
    schema: SchemaRef,
}

impl PartitionStream for TrecFiles {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches = Batches::new(self.files.clone(), self.table)
            .map(|batch| batch.map_err(|error| DataFusionError::External(Box::new(error))));
        let batches = futures::stream::iter(batches);
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches))
    }
}

/// The rows of files in order. A block of lines is parsed at once, its parts in parallel.
struct Batches {
    files: std::vec::IntoIter<DataFile>,
    lines: Option<LineBlocks>,
    parsed: std::vec::IntoIter<RecordBatch>,
    table: Table,
}

impl Batches {
    fn new(files: Vec<DataFile>, table: Table) -> Self {
        Self {
            files: files.into_iter(),
            lines: None,
            parsed: Vec::new().into_iter(),
            table,
        }
    }

    fn read(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.parsed.next() {
                return Ok(Some(batch));
            }
            let lines = match &mut self.lines {
                Some(lines) => lines,
                None => match self.files.next() {
                    Some(file) => self.lines.insert(LineBlocks::open(&file)?),
                    None => return Ok(None),
                },
            };
            let block = lines.next()?;
            if block.is_empty() {
                self.lines = None;
                continue;
            }
            let parts: Vec<_> = parts(block)
                .into_par_iter()
                .map(|(start, part)| parse(part, self.table).map_err(|at| start + at))
                .collect();
            let mut parsed = Vec::with_capacity(parts.len());
            for part in parts {
                let rows = part.map_err(|start| lines.malformed(start, self.table))?;
                parsed.push(rows.finish(self.table)?);
            }
            self.parsed = parsed.into_iter();
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// A file in blocks that end with a line.
struct LineBlocks {
    path: String,
    file: File,
    /// The block, and behind it the beginning of the next.
    buffer: Vec<u8>,
    block: usize,
    lines_before: usize,
}

impl LineBlocks {
    fn open(file: &DataFile) -> Result<Self> {
        let opened = File::open(file.readable()?).map_err(|source| file.unreadable(source))?;
        Ok(Self {
            path: file.name.clone(),
            file: opened,
            buffer: Vec::new(),
            block: 0,
            lines_before: 0,
        })
    }

    /// Reads the next block, which may be empty at the end of the file.
    fn next(&mut self) -> Result<&[u8]> {
        self.lines_before += line_ends(&self.buffer[..self.block]);
        self.buffer.drain(..self.block);
        loop {
            let start = self.buffer.len();
            let mut more = (&self.file).take(BLOCK_BYTES);
            let read = more.read_to_end(&mut self.buffer);
            read.map_err(|source| TableError::Unreadable {
                path: self.path.clone(),
                source,
            })?;
            let added = &self.buffer[start..];
            self.block = match added.iter().rposition(|&byte| byte == b'\n') {
                _ if added.is_empty() => start,
                Some(last) => start + last + 1,
                None => continue,
            };
            return Ok(&self.buffer[..self.block]);
        }
    }

    /// Returns what is wrong with the line that begins at this place of the block.
    fn malformed(&self, start: usize, table: Table) -> TableError {
        let expected = match table {
            Table::Run => "query Q0 document rank score tag",
            _ => "query iteration document grade",
        };
        let block = &self.buffer[..self.block];
        let line = String::from_utf8_lossy(first_line(&block[start..]));
        let number = self.lines_before + line_ends(&block[..start]) + 1;
        TableError::Malformed {
            path: self.path.clone(),
            format: "TREC",
            detail: format!("line {number} is `{line}`; expected `{expected}`"),
        }
    }
}

fn line_ends(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte == b'\n').count()
}

fn first_line(text: &[u8]) -> &[u8] {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or(text);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Returns the parts of a block, each of whole lines, with the place where it begins.
fn parts(block: &[u8]) -> Vec<(usize, &[u8])> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < block.len() {
        let least = block.len().min(start + PART_BYTES);
        let rest = block[least..].iter().position(|&byte| byte == b'\n');
        let end = rest.map_or(block.len(), |rest| least + rest + 1);
        parts.push((start, &block[start..end]));
        start = end;
    }
    parts
}

/// Returns the rows of some lines; the place of a line that is of another kind is an error.
fn parse(part: &[u8], table: Table) -> Result<Rows, usize> {
    let text = std::str::from_utf8(part).map_err(|error| {
        let before = &part[..error.valid_up_to()];
        let end = before.iter().rposition(|&byte| byte == b'\n');
        end.map_or(0, |end| end + 1)
    })?;
    let mut rows = Rows::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        rows.add(table, line).ok_or(start)?;
        start += line.len();
    }
    Ok(rows)
}

#[derive(Default)]
struct Rows {
    queries: StringBuilder,
    documents: StringBuilder,
    whole: Int32Builder,
    scores: Float32Builder,
}

impl Rows {
    /// Adds the row of a line, if it has one; `None` where it is of another kind.
    fn add(&mut self, table: Table, line: &str) -> Option<()> {
        let mut fields = line.split_ascii_whitespace();
        let Some(query) = fields.next() else {
            return Some(());
        };
        let (_, document, whole) = (fields.next()?, fields.next()?, fields.next()?);
        let score = fields.next();
        match (table, score) {
            (Table::Run, Some(score)) => self.scores.append_value(score.parse().ok()?),
            (Table::Qrels, None) => {}
            _ => return None,
        }
        self.whole.append_value(whole.parse().ok()?);
        self.queries.append_value(query);
        self.documents.append_value(document);
        Some(())
    }

    fn finish(mut self, table: Table) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.queries.finish()),
            Arc::new(self.documents.finish()),
            Arc::new(self.whole.finish()),
        ];
        if table == Table::Run {
            columns.push(Arc::new(self.scores.finish()));
        }
        RecordBatch::try_new(table.schema(), columns)
            .map_err(|error| TableError::Query(Box::new(error.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;

    use datafusion::datasource::file_format::file_compression_type::FileCompressionType;

    use crate::{i32_column, string_column};

    fn data_file(path: std::path::PathBuf) -> DataFile {
        DataFile {
            name: path.display().to_string(),
            path,
            format: crate::Format::Trec,
            compression: FileCompressionType::UNCOMPRESSED,
            partition: Vec::new(),
        }
    }

    fn parsed(text: &str, table: Table) -> Result<Vec<RecordBatch>> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file.trec");
        fs::write(&file, text).unwrap();
        Batches::new(vec![data_file(file)], table).collect()
    }

    #[test]
    fn judgements_are_read_whatever_parts_their_fields() {
        let qrels = parsed("q1 0 d1 2\n\nq1\t0\td2  0\n", Table::Qrels).unwrap();
        let ids: Vec<_> = string_column(&qrels[0], "corpus_id")
            .iter()
            .flatten()
            .collect();
        assert_eq!(ids, ["d1", "d2"]);
        assert_eq!(i32_column(&qrels[0], "score").values(), &[2, 0]);
    }

    #[test]
    fn a_line_of_another_kind_is_named() {
        let error = parsed("q1 0 d1 2\nq1 d2 1\n", Table::Qrels).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("line 2 is `q1 d2 1`; expected `query iteration document grade`"),
            "{error}"
        );
        assert!(parsed("q1 Q0 d1 first 2.0 me\n", Table::Run).is_err());
    }

    #[test]
    fn bytes_that_are_no_text_are_named_by_their_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file.trec");
        fs::write(&file, b"q1 0 d1 2\nq1 0 d\xff 1\n").unwrap();
        let error = Batches::new(vec![data_file(file)], Table::Qrels)
            .next()
            .unwrap();
        let error = error.unwrap_err().to_string();
        assert!(error.contains("line 2 is `q1 0 d\u{fffd} 1`"), "{error}");
    }

    #[test]
    fn a_long_file_comes_in_batches_in_the_order_of_its_lines() {
        let rows = 800_000;
        let line = |n: usize| format!("q 0 d{n} {n}\n");
        let text: String = (0..rows).map(line).collect();
        assert!(text.len() > BLOCK_BYTES as usize);
        let batches = parsed(&text, Table::Qrels).unwrap();
        assert!(batches.len() > 10);
        let grades = batches
            .iter()
            .flat_map(|batch| i32_column(batch, "score").values());
        assert!(grades.copied().eq(0..rows as i32));

        let error = parsed(&(text + "q 0 d high\n"), Table::Qrels).unwrap_err();
        let place = format!("line {} is `q 0 d high`", rows + 1);
        assert!(error.to_string().contains(&place), "{error}");
    }

    #[test]
    fn the_last_line_needs_no_end_and_lines_may_end_as_on_windows() {
        let qrels = parsed("q1 0 d1 2\r\n\r\nq1 0 d2 1", Table::Qrels).unwrap();
        let grades = qrels
            .iter()
            .flat_map(|batch| i32_column(batch, "score").values());
        assert!(grades.copied().eq([2, 1]));
    }
}
