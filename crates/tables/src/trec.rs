use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Builder, Int32Builder, RecordBatch, StringBuilder};
use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;

use crate::{Result, Table, TableError};

const BATCH_ROWS: usize = 4_096;

/// A table over judgements (`query iteration document grade`) or a run (`query Q0 document rank
/// score tag`) in TREC's form: fields parted by white space, no header. Every line is checked
/// before this returns.
pub(crate) fn table_of(
    files: Vec<PathBuf>,
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

/// Whether the first line of the files is one of a run.
pub(crate) fn is_run(files: &[PathBuf]) -> Result<bool> {
    for file in files {
        let mut lines = NumberedLines::open(file)?;
        while let Some(line) = lines.next()? {
            let fields = line.split_whitespace().count();
            if fields > 0 {
                return Ok(fields > 4);
            }
        }
    }
    Ok(false)
}

#[derive(Debug)]
struct TrecFiles {
    files: Vec<PathBuf>,
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

/// The rows of files, some thousand at a time.
struct Batches {
    files: std::vec::IntoIter<PathBuf>,
    lines: Option<NumberedLines>,
    table: Table,
}

impl Batches {
    fn new(files: Vec<PathBuf>, table: Table) -> Self {
        Self {
            files: files.into_iter(),
            lines: None,
            table,
        }
    }

    fn read(&mut self) -> Result<Option<RecordBatch>> {
        let mut rows = Rows::default();
        while rows.count < BATCH_ROWS {
            let lines = match &mut self.lines {
                Some(lines) => lines,
                None => match self.files.next() {
                    Some(file) => self.lines.insert(NumberedLines::open(&file)?),
                    None => break,
                },
            };
            match lines.next()? {
                None => self.lines = None,
                Some(line) => {
                    let added = rows.add(self.table, &line);
                    added.ok_or_else(|| lines.malformed(&line, self.table))?;
                }
            }
        }
        match rows.count {
            0 => Ok(None),
            _ => rows.finish(self.table).map(Some),
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

struct NumberedLines {
    path: String,
    lines: Lines<BufReader<File>>,
    number: u64,
}

impl NumberedLines {
    fn open(file: &PathBuf) -> Result<Self> {
        let path = file.display().to_string();
        match File::open(file) {
            Ok(file) => Ok(Self {
                path,
                lines: BufReader::new(file).lines(),
                number: 0,
            }),
            Err(source) => Err(TableError::Unreadable { path, source }),
        }
    }

    fn next(&mut self) -> Result<Option<String>> {
        self.number += 1;
        let line = self.lines.next().transpose();
        line.map_err(|source| TableError::Unreadable {
            path: self.path.clone(),
            source,
        })
    }

    fn malformed(&self, line: &str, table: Table) -> TableError {
        let expected = match table {
            Table::Run => "query Q0 document rank score tag",
            _ => "query iteration document grade",
        };
        TableError::Malformed {
            path: self.path.clone(),
            format: "TREC",
            detail: format!("line {} is `{line}`; expected `{expected}`", self.number),
        }
    }
}

#[derive(Default)]
struct Rows {
    queries: StringBuilder,
    documents: StringBuilder,
    whole: Int32Builder,
    scores: Float32Builder,
    count: usize,
}

impl Rows {
    /// Adds the row of a line, if it has one; `None` where it is of another kind.
    fn add(&mut self, table: Table, line: &str) -> Option<()> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (query, document, whole) = match (table, fields.as_slice()) {
            (_, []) => return Some(()),
            (Table::Run, [query, _, document, rank, score, ..]) => {
                self.scores.append_value(score.parse().ok()?);
                (query, document, rank)
            }
            (Table::Qrels, [query, _, document, grade]) => (query, document, grade),
            _ => return None,
        };
        self.whole.append_value(whole.parse().ok()?);
        self.queries.append_value(query);
        self.documents.append_value(document);
        self.count += 1;
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

    use crate::{i32_column, string_column};

    fn parsed(text: &str, table: Table) -> Result<Vec<RecordBatch>> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file.trec");
        fs::write(&file, text).unwrap();
        Batches::new(vec![file], table).collect()
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
    fn a_long_file_comes_in_batches() {
        let rows = 2 * BATCH_ROWS + 1;
        let text: String = (0..rows).map(|n| format!("q 0 d{n} 1\n")).collect();
        let sizes: Vec<_> = parsed(&text, Table::Qrels)
            .unwrap()
            .iter()
            .map(RecordBatch::num_rows)
            .collect();
        assert_eq!(sizes, [BATCH_ROWS, BATCH_ROWS, 1]);
    }
}
