use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float32Array, ListArray, RecordBatch, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use clap::ValueEnum;
use serde::Serialize;

use crate::{Table, string_column};

/// What to make of the judged candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainingFormat {
    /// One row for each negative: anchor, positive, negative
    Triplet,
    /// One row for each pair that has all its negatives: anchor, positive, negative_1, negative_2 …
    NTuple,
    /// One row for each pair (score 1) and each negative (score 0): sentence1, sentence2, score
    LabeledPair,
    /// One row for each pair: anchor, documents (the positive first) and their labels (1 or 0)
    LabeledList,
    /// All candidates with their scores, decisions and reasons
    Candidates,
}

/// A (query, positive) pair of judged candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The rows of the pair's candidates.
    pub rows: Range<usize>,
    /// The rows kept, in order of rank.
    pub negatives: Vec<usize>,
    /// The rows that may be positives of the query themselves, so that they are no negatives
    /// beside another of its positives either.
    pub doubtful: Vec<usize>,
    /// Whether the positive itself may be used.
    pub positive_is_sound: bool,
}

/// A batch of the candidates table with decision and reason filled in.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The candidates, sorted by `query_id`, `positive_id` and `rank`, no pair of them cut.
    pub batch: RecordBatch,
    /// Its pairs, in order.
    pub pairs: Vec<Pair>,
}

/// The rows of each (query, positive) pair of candidates that are sorted by them.
pub fn pairs_of(batch: &RecordBatch) -> Vec<Range<usize>> {
    let queries = string_column(batch, "query_id");
    let positives = string_column(batch, "positive_id");
    let pair = |row: usize| (queries.value(row), positives.value(row));
    let mut pairs = Vec::new();
    let mut start = 0;
    for end in 1..=batch.num_rows() {
        if end == batch.num_rows() || pair(end) != pair(start) {
            pairs.push(start..end);
            start = end;
        }
    }
    pairs
}

impl TrainingFormat {
    /// What the rows are called in messages.
    pub fn rows_name(self) -> &'static str {
        match self {
            Self::Triplet => "triplets",
            Self::NTuple => "n-tuples",
            Self::LabeledPair => "labeled pairs",
            Self::LabeledList => "labeled lists",
            Self::Candidates => "candidates",
        }
    }

    /// The columns, with `negatives` of them in an n-tuple.
    pub fn schema(self, negatives: usize) -> SchemaRef {
        match self {
            Self::Triplet => Table::Triplets.schema(),
            Self::NTuple => Table::NTuples(negatives).schema(),
            Self::LabeledPair => Table::LabeledPairs.schema(),
            Self::LabeledList => labeled_lists(),
            Self::Candidates => Table::Candidates.schema(),
        }
    }

    /// Whether a pair gives at least one row.
    pub fn uses(self, pair: &Pair, negatives: usize) -> bool {
        match self {
            Self::Triplet | Self::LabeledList => !pair.negatives.is_empty(),
            Self::NTuple => pair.negatives.len() == negatives,
            Self::LabeledPair => pair.positive_is_sound,
            Self::Candidates => true,
        }
    }

    /// The rows that a judged batch of whole queries gives.
    ///
    /// # Errors
    /// If the batch is no candidates table, or its texts exceed Arrow's 2 GiB.
    pub fn rows(self, judged: &Judged, negatives: usize) -> Result<RecordBatch, ArrowError> {
        let pairs = || {
            judged
                .pairs
                .iter()
                .filter(|pair| self.uses(pair, negatives))
        };
        let columns = match self {
            Self::Triplet => {
                let rows = pairs()
                    .flat_map(|pair| pair.negatives.iter().copied())
                    .collect();
                let names = [
                    "query_id",
                    "query",
                    "positive_id",
                    "positive",
                    "corpus_id",
                    "text",
                ];
                gather(&judged.batch, rows, &names)?
            }
            Self::NTuple => {
                let firsts = pairs().map(|pair| pair.rows.start).collect();
                let names = ["query_id", "query", "positive_id", "positive"];
                let mut columns = gather(&judged.batch, firsts, &names)?;
                for n in 0..negatives {
                    let rows = pairs().map(|pair| pair.negatives[n]).collect();
                    columns.extend(gather(&judged.batch, rows, &["corpus_id", "text"])?);
                }
                columns
            }
            Self::LabeledPair => labeled_pairs(judged)?,
            Self::LabeledList => {
                let pairs: Vec<&Pair> = pairs().collect();
                labeled_list_columns(&judged.batch, &pairs)?
            }
            Self::Candidates => judged.batch.columns().to_vec(),
        };
        RecordBatch::try_new(self.schema(negatives), columns)
    }
}

/// The positions of the columns that are no ids.
pub(crate) fn without_ids(schema: &Schema) -> Vec<usize> {
    let is_id = |name: &str| name.ends_with("_id") || name.ends_with("_ids");
    (0..schema.fields().len())
        .filter(|&column| !is_id(schema.field(column).name()))
        .collect()
}

/// The rows of some columns; a row may be taken several times.
fn gather(
    batch: &RecordBatch,
    rows: Vec<usize>,
    names: &[&str],
) -> Result<Vec<ArrayRef>, ArrowError> {
    let rows = UInt32Array::from_iter_values(rows.into_iter().map(|row| row as u32));
    let column = |name: &&str| take(string_column(batch, name), &rows, None);
    names.iter().map(column).collect()
}

/// A document of a training row: the positive or the candidate of a row of the batch.
type Document = (usize, usize);
const POSITIVE: usize = 0;
const CANDIDATE: usize = 1;
/// How the reasons of candidates that are known positives begin.
const POSITIVE_REASONS: &str = "positive_";

/// The ids and the texts of some documents.
fn documents(batch: &RecordBatch, documents: &[Document]) -> Result<[ArrayRef; 2], ArrowError> {
    let either = |positive: &str, candidate: &str| {
        let columns = [positive, candidate].map(|name| string_column(batch, name) as &dyn Array);
        interleave(&columns, documents)
    };
    Ok([
        either("positive_id", "corpus_id")?,
        either("positive", "text")?,
    ])
}

/// 1 for each positive, also one that was kept among the candidates; 0 for each negative.
fn labels(batch: &RecordBatch, documents: &[Document]) -> ArrayRef {
    let reasons = string_column(batch, "reason");
    let is_positive = documents
        .iter()
        .map(|&(kind, row)| kind == POSITIVE || reasons.value(row).starts_with(POSITIVE_REASONS));
    Arc::new(Float32Array::from_iter_values(is_positive.map(f32::from)))
}

/// Per query its sound positives with score 1, then its negatives with score 0, each once. What is
/// a likely false negative beside one positive is no negative beside another.
fn labeled_pairs(judged: &Judged) -> Result<Vec<ArrayRef>, ArrowError> {
    let batch = &judged.batch;
    let query_ids = string_column(batch, "query_id");
    let corpus_ids = string_column(batch, "corpus_id");
    let positive_ids = string_column(batch, "positive_id");
    let mut sources: Vec<Document> = Vec::new();
    let same_query =
        |a: &Pair, b: &Pair| query_ids.value(a.rows.start) == query_ids.value(b.rows.start);
    for pairs in judged.pairs.chunk_by(same_query) {
        let positives = pairs.iter().filter(|pair| pair.positive_is_sound);
        sources.extend(positives.map(|pair| (POSITIVE, pair.rows.start)));
        let doubtful = pairs.iter().flat_map(|pair| &pair.doubtful);
        let mut unwanted: HashSet<&str> = doubtful.map(|&row| corpus_ids.value(row)).collect();
        unwanted.extend(pairs.iter().map(|pair| positive_ids.value(pair.rows.start)));
        for &row in pairs.iter().flat_map(|pair| &pair.negatives) {
            if unwanted.insert(corpus_ids.value(row)) {
                sources.push((CANDIDATE, row));
            }
        }
    }
    let rows = sources.iter().map(|&(_, row)| row).collect();
    let mut columns = gather(batch, rows, &["query_id", "query"])?;
    columns.extend(documents(batch, &sources)?);
    columns.push(labels(batch, &sources));
    Ok(columns)
}

fn list_of(kind: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(kind, false))
}

fn labeled_lists() -> SchemaRef {
    let list = |name: &str, kind| Field::new(name, DataType::List(list_of(kind)), false);
    Arc::new(Schema::new(vec![
        Field::new("anchor_id", DataType::Utf8, false),
        Field::new("anchor", DataType::Utf8, false),
        list("document_ids", DataType::Utf8),
        list("documents", DataType::Utf8),
        list("labels", DataType::Float32),
    ]))
}

fn labeled_list_columns(batch: &RecordBatch, pairs: &[&Pair]) -> Result<Vec<ArrayRef>, ArrowError> {
    let corpus_ids = string_column(batch, "corpus_id");
    let positive_ids = string_column(batch, "positive_id");
    let mut sources: Vec<Document> = Vec::new();
    let mut lengths = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let before = sources.len();
        sources.push((POSITIVE, pair.rows.start));
        let others = pair.negatives.iter().copied();
        let others = others.filter(|&row| corpus_ids.value(row) != positive_ids.value(row));
        sources.extend(others.map(|row| (CANDIDATE, row)));
        lengths.push(sources.len() - before);
    }
    let offsets = OffsetBuffer::from_lengths(lengths);
    let list = |values: ArrayRef| -> Result<ArrayRef, ArrowError> {
        let item = list_of(values.data_type().clone());
        let list = ListArray::try_new(item, offsets.clone(), values, None)?;
        Ok(Arc::new(list))
    };
    let firsts = pairs.iter().map(|pair| pair.rows.start).collect();
    let mut columns = gather(batch, firsts, &["query_id", "query"])?;
    for values in documents(batch, &sources)? {
        columns.push(list(values)?);
    }
    columns.push(list(labels(batch, &sources))?);
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    use arrow::array::{Int32Array, StringArray};
    use arrow::util::pretty::pretty_format_batches;

    /// Query, positive, candidate, and what it is: kept, doubtful or dropped otherwise.
    type Row = (&'static str, &'static str, &'static str, &'static str);

    /// q1 has three negatives, one of them too near its second positive; q2 has one; q3 none.
    const ROWS: [Row; 8] = [
        ("q1", "p1", "a", "keep"),
        ("q1", "p1", "b", "keep"),
        ("q1", "p1", "c", "keep"),
        ("q1", "p2", "a", "keep"),
        ("q1", "p2", "b", "doubtful"),
        ("q2", "p3", "a", "keep"),
        ("q2", "p3", "b", "drop"),
        ("q3", "p4", "a", "doubtful"),
    ];

    fn judged(negatives: usize) -> Judged {
        let text = |value: fn(&Row) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(ROWS.iter().map(value)))
        };
        let nothing = || -> ArrayRef { Arc::new(Float32Array::new_null(ROWS.len())) };
        let no_rank = || -> ArrayRef { Arc::new(Int32Array::new_null(ROWS.len())) };
        let columns: Vec<ArrayRef> = vec![
            text(|row| row.0.to_owned()),
            text(|row| format!("query {}", row.0)),
            text(|row| row.1.to_owned()),
            text(|row| format!("text {}", row.1)),
            text(|row| row.2.to_owned()),
            text(|row| format!("text {}", row.2)),
            Arc::new(Int32Array::from_iter_values(1..=ROWS.len() as i32)),
            Arc::new(Float32Array::from(vec![1.0; ROWS.len()])),
            nothing(),
            nothing(),
            nothing(),
            no_rank(),
            no_rank(),
            nothing(),
            nothing(),
            text(|row| row.3.to_owned()),
            text(|row| row.3.to_owned()),
        ];
        let batch = RecordBatch::try_new(Table::Candidates.schema(), columns).unwrap();
        let pairs = pairs_of(&batch).into_iter().map(|rows| {
            let of_kind = |kind: &str| rows.clone().filter(|&row| ROWS[row].3 == kind).collect();
            let mut kept: Vec<usize> = of_kind("keep");
            kept.truncate(negatives);
            Pair {
                doubtful: of_kind("doubtful"),
                rows,
                negatives: kept,
                positive_is_sound: true,
            }
        });
        Judged {
            pairs: pairs.collect(),
            batch,
        }
    }

    fn table(format: TrainingFormat, num_negatives: usize, columns: &[&str]) -> Vec<String> {
        let batch = format.rows(&judged(num_negatives), num_negatives).unwrap();
        let indices: Vec<usize> = columns
            .iter()
            .map(|name| batch.schema().index_of(name).unwrap())
            .collect();
        let text = pretty_format_batches(&[batch.project(&indices).unwrap()])
            .unwrap()
            .to_string();
        let lines = text.lines().skip(3).filter(|line| line.starts_with('|'));
        lines
            .map(|line| {
                line.split('|')
                    .map(str::trim)
                    .collect::<Vec<_>>()
                    .join(" ")
                    .trim()
                    .to_owned()
            })
            .collect()
    }

    #[test]
    fn triplets_are_the_kept_rows() {
        assert_eq!(
            table(
                TrainingFormat::Triplet,
                2,
                &["anchor_id", "positive_id", "negative_id", "negative"]
            ),
            [
                "q1 p1 a text a",
                "q1 p1 b text b",
                "q1 p2 a text a",
                "q2 p3 a text a",
            ]
        );
    }

    #[test]
    fn n_tuples_leave_out_pairs_with_too_few_negatives() {
        assert_eq!(
            table(
                TrainingFormat::NTuple,
                2,
                &["anchor_id", "positive", "negative_1_id", "negative_2"]
            ),
            ["q1 text p1 a text b"]
        );
    }

    #[test]
    fn labeled_pairs_hold_each_pair_once_and_no_doubtful_negative() {
        assert_eq!(
            table(
                TrainingFormat::LabeledPair,
                3,
                &["sentence1_id", "sentence2", "score"]
            ),
            [
                "q1 text p1 1.0",
                "q1 text p2 1.0",
                "q1 text a 0.0",
                "q1 text c 0.0",
                "q2 text p3 1.0",
                "q2 text a 0.0",
                "q3 text p4 1.0",
            ]
        );
    }

    #[test]
    fn labeled_lists_begin_with_the_positive() {
        assert_eq!(
            table(
                TrainingFormat::LabeledList,
                2,
                &["anchor_id", "document_ids", "labels"]
            ),
            [
                "q1 [p1, a, b] [1.0, 0.0, 0.0]",
                "q1 [p2, a] [1.0, 0.0]",
                "q2 [p3, a] [1.0, 0.0]",
            ]
        );
    }

    #[test]
    fn every_format_loses_its_ids_and_nothing_else() {
        let left = |format: TrainingFormat| {
            let schema = format.schema(2);
            let columns = without_ids(&schema);
            columns
                .iter()
                .map(|&n| schema.field(n).name().clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            left(TrainingFormat::Triplet),
            ["anchor", "positive", "negative"]
        );
        assert_eq!(
            left(TrainingFormat::NTuple),
            ["anchor", "positive", "negative_1", "negative_2"]
        );
        assert_eq!(
            left(TrainingFormat::LabeledPair),
            ["sentence1", "sentence2", "score"]
        );
        assert_eq!(
            left(TrainingFormat::LabeledList),
            ["anchor", "documents", "labels"]
        );
    }
}
