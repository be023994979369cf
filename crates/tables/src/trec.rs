use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Builder, Int32Builder, RecordBatch, StringBuilder};

use crate::staged::StagedFile;
use crate::{Result, Table, TableError, f32_column, i32_column, string_column};

/// What stands where TREC's files have a field that nobody reads.
const UNREAD: &str = "Q0";

/// Reads judgements (`query iteration document grade`) or a run (`query Q0 document rank score
/// tag`) in TREC's form: fields parted by white space, no header.
pub(crate) fn read(files: &[PathBuf], table: Table) -> Result<RecordBatch> {
    let mut rows = Rows::default();
    for file in files {
        let name = file.display().to_string();
        let unreadable = |source| TableError::Unreadable {
            path: name.clone(),
            source,
        };
        let lines = BufReader::new(File::open(file).map_err(unreadable)?).lines();
        for (line, number) in lines.zip(1..) {
            let line = line.map_err(unreadable)?;
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields.is_empty() {
                continue;
            }
            rows.add(table, &fields)
                .ok_or_else(|| TableError::Malformed {
                    path: name.clone(),
                    format: "TREC",
                    detail: format!(
                        "line {number} is `{line}`; expected `{}`",
                        match table {
                            Table::Run => "query Q0 document rank score tag",
                            _ => "query iteration document grade",
                        }
                    ),
                })?;
        }
    }
    rows.finish(table)
}

#[derive(Default)]
struct Rows {
    queries: StringBuilder,
    documents: StringBuilder,
    whole: Int32Builder,
    scores: Float32Builder,
}

impl Rows {
    fn add(&mut self, table: Table, fields: &[&str]) -> Option<()> {
        match (table, fields) {
            (Table::Run, [query, _, document, rank, score, ..]) => {
                self.whole.append_value(rank.parse().ok()?);
                self.scores.append_value(score.parse().ok()?);
                self.queries.append_value(query);
                self.documents.append_value(document);
            }
            (Table::Qrels, [query, _, document, grade]) => {
                self.whole.append_value(grade.parse().ok()?);
                self.queries.append_value(query);
                self.documents.append_value(document);
            }
            _ => return None,
        }
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

/// A run in TREC's form that appears whole or not at all.
pub struct TrecRunOutput {
    staged: StagedFile,
    writer: BufWriter<File>,
    tag: String,
}

impl TrecRunOutput {
    /// Prepares to write `target`; `tag` names the system in each line.
    ///
    /// # Errors
    /// If the folder cannot be made or written to, or another process is writing this output.
    pub fn create(target: &Path, tag: &str) -> Result<Self> {
        let (staged, file) = StagedFile::create(target)?;
        Ok(Self {
            staged,
            writer: BufWriter::new(file),
            tag: tag.to_owned(),
        })
    }

    /// Appends rows of a [`Table::Run`].
    ///
    /// # Errors
    /// If an id holds white space, which would part it in two, or the disk is full.
    pub fn write(&mut self, run: &RecordBatch) -> Result<()> {
        let [queries, documents] = ["query_id", "corpus_id"].map(|name| string_column(run, name));
        let (ranks, scores) = (i32_column(run, "rank"), f32_column(run, "score"));
        for row in 0..run.num_rows() {
            let (query, document) = (queries.value(row), documents.value(row));
            if let Some(id) = [query, document]
                .into_iter()
                .find(|id| id.is_empty() || id.contains(char::is_whitespace))
            {
                return Err(TableError::NotForTrec {
                    path: self.staged.target().to_owned(),
                    id: id.to_owned(),
                });
            }
            let (rank, score) = (ranks.value(row), scores.value(row));
            writeln!(
                self.writer,
                "{query} {UNREAD} {document} {rank} {score} {}",
                self.tag
            )
            .map_err(|source| self.unwritable(source))?;
        }
        Ok(())
    }

    /// Closes the file and gives it its name.
    ///
    /// # Errors
    /// If the disk is full or the rename fails.
    pub fn finish(mut self) -> Result<()> {
        if let Err(source) = self.writer.flush() {
            return Err(self.unwritable(source));
        }
        self.staged.publish(self.writer.get_ref())
    }

    fn unwritable(&self, source: std::io::Error) -> TableError {
        TableError::Unwritable {
            path: self.staged.target().to_owned(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;

    use arrow::array::{Float32Array, Int32Array, StringArray};

    fn parsed(text: &str, table: Table) -> Result<RecordBatch> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file.trec");
        fs::write(&file, text).unwrap();
        read(&[file], table)
    }

    #[test]
    fn judgements_are_read_whatever_parts_their_fields() {
        let qrels = parsed("q1 0 d1 2\n\nq1\t0\td2  0\n", Table::Qrels).unwrap();
        let ids: Vec<_> = string_column(&qrels, "corpus_id")
            .iter()
            .flatten()
            .collect();
        assert_eq!(ids, ["d1", "d2"]);
        assert_eq!(i32_column(&qrels, "score").values(), &[2, 0]);
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
    fn a_run_that_was_written_is_read_alike() {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec!["q1", "q1"])),
            Arc::new(StringArray::from(vec!["d2", "d1"])),
            Arc::new(Int32Array::from(vec![1, 2])),
            Arc::new(Float32Array::from(vec![0.1, 1e-7])),
        ];
        let run = RecordBatch::try_new(Table::Run.schema(), columns).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("run.trec");
        let mut output = TrecRunOutput::create(&file, "tag").unwrap();
        output.write(&run).unwrap();
        output.finish().unwrap();
        assert!(
            fs::read_to_string(&file)
                .unwrap()
                .starts_with("q1 Q0 d2 1 0.1 tag\n")
        );
        assert_eq!(read(&[file], Table::Run).unwrap(), run);
    }
}
