use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use arrow::array::RecordBatch;
use serde::Serialize;

use crate::atomic_file::AtomicFile;
use crate::sidecar::Sidecar;
use crate::{Lineage, Result, Table, TableError, f32_column, i32_column, string_column};

/// What stands where TREC's runs name the system that made them.
const TAG: &str = "pairmill";

/// A table as lines of text, in the form that other tools of the field read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// A [`Table::Run`] as `query Q0 document rank score tag`.
    TrecRun,
    /// [`Table::Qrels`] as `query 0 document grade`.
    TrecQrels,
    /// A [`Table::Corpus`] as BEIR's `corpus.jsonl`.
    BeirCorpus,
    /// [`Table::Queries`] as BEIR's `queries.jsonl`.
    BeirQueries,
    /// [`Table::Qrels`] as BEIR's `qrels/*.tsv`.
    BeirQrels,
}

impl Lines {
    /// Returns the table whose rows are written.
    pub fn table(self) -> Table {
        match self {
            Self::TrecRun => Table::Run,
            Self::TrecQrels | Self::BeirQrels => Table::Qrels,
            Self::BeirCorpus => Table::Corpus,
            Self::BeirQueries => Table::Queries,
        }
    }
}

/// A text file that appears whole or not at all.
pub struct LineOutput {
    sidecar: Sidecar,
    file: File,
    writer: BufWriter<File>,
    lines: Lines,
    rows: u64,
}

impl LineOutput {
    /// Prepares to write `target`. Its lineage goes into a hidden file beside it, unless it is a
    /// part of a folder that has one.
    ///
    /// # Errors
    /// If the folder cannot be made or written to, or another process is writing this output.
    pub fn create(target: &Path, lines: Lines, lineage: Option<&Lineage>) -> Result<Self> {
        let (staged, file) = AtomicFile::create(target)?;
        let writer = file.try_clone().map_err(|source| TableError::Unwritable {
            path: target.to_owned(),
            source,
        })?;
        let mut output = Self {
            sidecar: Sidecar::new(staged, lineage),
            file,
            writer: BufWriter::new(writer),
            lines,
            rows: 0,
        };
        if lines == Lines::BeirQrels {
            writeln!(output.writer, "query-id\tcorpus-id\tscore")
                .map_err(|source| output.unwritable(source))?;
        }
        Ok(output)
    }

    /// Appends rows of the [table](Lines::table).
    ///
    /// # Errors
    /// If TREC's form cannot hold an id, which white space would part in two, or the disk is full.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if matches!(self.lines, Lines::TrecRun | Lines::TrecQrels) {
            self.check_ids(batch)?;
        }
        self.rows += batch.num_rows() as u64;
        write_rows(&mut self.writer, self.lines, batch).map_err(|source| self.unwritable(source))
    }

    fn check_ids(&self, batch: &RecordBatch) -> Result<()> {
        let ids = ["query_id", "corpus_id"].map(|name| string_column(batch, name).iter().flatten());
        let parted = |id: &&str| id.is_empty() || id.contains(char::is_whitespace);
        match ids.into_iter().flatten().find(parted) {
            None => Ok(()),
            Some(id) => Err(TableError::NotForTrec {
                path: self.sidecar.target().to_owned(),
                id: id.to_owned(),
            }),
        }
    }

    /// Closes the file and gives it its name. Returns the number of rows.
    ///
    /// # Errors
    /// If the disk is full or the rename fails.
    pub fn finish(self) -> Result<u64> {
        self.sidecar.finish(self.writer, &self.file, None)?;
        Ok(self.rows)
    }

    /// Does the same, with the figures that the stage reports, for [`Lineage::figures`].
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_with(self, figures: &impl Serialize) -> Result<u64> {
        let figures = serde_json::to_value(figures).ok();
        self.sidecar.finish(self.writer, &self.file, figures)?;
        Ok(self.rows)
    }

    /// Returns how many rows were written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    fn unwritable(&self, source: io::Error) -> TableError {
        TableError::Unwritable {
            path: self.sidecar.target().to_owned(),
            source,
        }
    }
}

/// A line of `corpus.jsonl` or `queries.jsonl`.
#[derive(Serialize)]
struct BeirText<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    text: &'a str,
    metadata: serde_json::Map<String, serde_json::Value>,
}

fn write_rows(out: &mut impl Write, lines: Lines, batch: &RecordBatch) -> io::Result<()> {
    let text = |name| string_column(batch, name);
    let rows = 0..batch.num_rows();
    match lines {
        Lines::TrecRun => {
            let (queries, documents) = (text("query_id"), text("corpus_id"));
            let (ranks, scores) = (i32_column(batch, "rank"), f32_column(batch, "score"));
            for row in rows {
                let (query, document) = (queries.value(row), documents.value(row));
                let (rank, score) = (ranks.value(row), scores.value(row));
                writeln!(out, "{query} Q0 {document} {rank} {score} {TAG}")?;
            }
        }
        Lines::TrecQrels | Lines::BeirQrels => {
            let (queries, documents) = (text("query_id"), text("corpus_id"));
            let grades = i32_column(batch, "score");
            for row in rows {
                let (query, document) = (queries.value(row), documents.value(row));
                let grade = grades.value(row);
                if lines == Lines::TrecQrels {
                    writeln!(out, "{query} 0 {document} {grade}")?;
                } else {
                    writeln!(out, "{}\t{}\t{grade}", quoted(query), quoted(document))?;
                }
            }
        }
        Lines::BeirCorpus | Lines::BeirQueries => {
            let (ids, texts) = (text("id"), text("text"));
            let titles = (lines == Lines::BeirCorpus).then(|| text("title"));
            for row in rows {
                let line = BeirText {
                    id: ids.value(row),
                    title: titles.map(|titles| titles.value(row)),
                    text: texts.value(row),
                    metadata: serde_json::Map::new(),
                };
                serde_json::to_writer(&mut *out, &line)?;
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(())
}

/// Returns a field of a TSV file, in quotation marks where it would be read as something else
/// without.
fn quoted(field: &str) -> Cow<'_, str> {
    match field.contains(['\t', '\n', '\r', '"']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")).into(),
        false => field.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float32Array, Int32Array, StringArray};

    use crate::{ColumnNames, open, session};

    fn texts(values: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    fn batch(table: Table, columns: Vec<ArrayRef>) -> RecordBatch {
        RecordBatch::try_new(table.schema(), columns).unwrap()
    }

    fn qrels(queries: &[&str]) -> RecordBatch {
        let documents = texts(&["d1", "d 2"][..queries.len()]);
        let grades = Int32Array::from_iter_values(1..=queries.len() as i32);
        batch(
            Table::Qrels,
            vec![texts(queries), documents, Arc::new(grades)],
        )
    }

    /// Writes rows, and returns the text and the rows as they are read again.
    fn exchange(rows: &RecordBatch, lines: Lines, name: &str) -> (String, RecordBatch) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name);
        let mut output = LineOutput::create(&file, lines, None).unwrap();
        output.write(rows).unwrap();
        assert_eq!(output.finish().unwrap(), rows.num_rows() as u64);
        let path = file.to_str().unwrap();
        let names = ColumnNames::default();
        let session = session(1).unwrap();
        let batches = tokio::runtime::Runtime::new().unwrap().block_on(async {
            let read = open(&session, path, lines.table(), &names, &[]).await;
            read.unwrap().collect().await.unwrap()
        });
        let schema = rows.schema();
        let read = arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap();
        let read = RecordBatch::try_new(schema, read.columns().to_vec()).unwrap();
        (fs::read_to_string(file).unwrap(), read)
    }

    #[test]
    fn what_is_written_is_read_alike() {
        let run = batch(
            Table::Run,
            vec![
                texts(&["q1", "q1"]),
                texts(&["d2", "d1"]),
                Arc::new(Int32Array::from(vec![1, 2])),
                Arc::new(Float32Array::from(vec![0.1, 1e-7])),
            ],
        );
        let (text, read) = exchange(&run, Lines::TrecRun, "run.trec");
        assert_eq!(
            text,
            "q1 Q0 d2 1 0.1 pairmill\nq1 Q0 d1 2 0.0000001 pairmill\n"
        );
        assert_eq!(read, run);

        let (text, read) = exchange(&qrels(&["q1"]), Lines::TrecQrels, "qrels.txt");
        assert_eq!((&*text, read), ("q1 0 d1 1\n", qrels(&["q1"])));

        let odd = qrels(&["q\t1", "\"q\" 2"]);
        let (text, read) = exchange(&odd, Lines::BeirQrels, "test.tsv");
        assert_eq!(
            text,
            "query-id\tcorpus-id\tscore\n\"q\t1\"\td1\t1\n\"\"\"q\"\" 2\"\td 2\t2\n"
        );
        assert_eq!(read, odd);

        let corpus = batch(
            Table::Corpus,
            vec![texts(&["a"]), texts(&[""]), texts(&["two\nlines, \"é\""])],
        );
        let (text, read) = exchange(&corpus, Lines::BeirCorpus, "corpus.jsonl");
        assert_eq!(
            text,
            "{\"_id\":\"a\",\"title\":\"\",\"text\":\"two\\nlines, \\\"é\\\"\",\"metadata\":{}}\n"
        );
        assert_eq!(read, corpus);

        let queries = batch(Table::Queries, vec![texts(&["7"]), texts(&["why?"])]);
        let (text, read) = exchange(&queries, Lines::BeirQueries, "queries.jsonl");
        assert_eq!(text, "{\"_id\":\"7\",\"text\":\"why?\",\"metadata\":{}}\n");
        assert_eq!(read, queries);
    }

    #[test]
    fn an_id_with_a_blank_cannot_stand_in_trecs_form() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("qrels.trec");
        let mut output = LineOutput::create(&file, Lines::TrecQrels, None).unwrap();
        let error = output.write(&qrels(&["q1", "q2"])).unwrap_err().to_string();
        assert!(
            error.contains("`d 2` is empty or holds white space"),
            "{error}"
        );
        drop(output);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
