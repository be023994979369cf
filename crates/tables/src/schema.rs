use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

/// The tables that stages exchange. Their columns are fixed; inputs may name them otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Support tickets: `id`, `text`, `category`.
    Tickets,
    /// Questions with their answers: `id`, `question`, `answer`.
    Qa,
    /// Documents to search: `id`, `title` (may be empty), `text`.
    Corpus,
    /// Queries: `id`, `text`.
    Queries,
    /// Relevance judgements: `query_id`, `corpus_id`, `score` (integer grade; unlisted = 0).
    Qrels,
    /// A ranked run: `query_id`, `corpus_id`, `rank` (from 1), `score`.
    Run,
    /// Positive pairs: `anchor_id`, `anchor`, `positive_id`, `positive`.
    Pairs,
    /// Labelled pairs: two texts with ids and a `score` (0/1 label or 0..1 similarity).
    LabeledPairs,
    /// Sentence similarity: `sentence1`, `sentence2`, `score` (0..1), without ids.
    Similarity,
    /// Sentence pairs: `sentence1`, `sentence2`, `label` (1 = same meaning), without ids.
    BinaryPairs,
    /// Mined candidates for negatives, one row per (query, candidate).
    Candidates,
    /// Training triplets with ids.
    Triplets,
    /// Training rows with this many hard negatives each: `anchor_id`, `anchor`, `positive_id`,
    /// `positive`, `negative_1_id`, `negative_1` and so on.
    NTuples(usize),
}

/// What a column of an input is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedFor {
    /// It is of the table's contract.
    Table(Table),
    /// It was named beside the table's own.
    Extra(Table),
}

impl fmt::Display for WantedFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => write!(f, "needed for a {} table", table.name()),
            Self::Extra(table) => write!(f, "wanted beside those of a {} table", table.name()),
        }
    }
}

/// Columns that candidates of earlier versions do not have.
const NOT_ALWAYS_THERE: [&str; 5] = [
    "positive_bm25",
    "dense",
    "positive_dense",
    "bm25_rank",
    "dense_rank",
];

const ID: DataType = DataType::Utf8;
const TEXT: DataType = DataType::Utf8;

impl Table {
    /// Returns the table's name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tickets => "tickets",
            Self::Qa => "qa",
            Self::Corpus => "corpus",
            Self::Queries => "queries",
            Self::Qrels => "qrels",
            Self::Run => "run",
            Self::Pairs => "pairs",
            Self::LabeledPairs => "labeled pairs",
            Self::Similarity => "similarity",
            Self::BinaryPairs => "sentence pairs",
            Self::Candidates => "candidates",
            Self::Triplets => "triplets",
            Self::NTuples(_) => "n-tuples",
        }
    }

    /// Returns whether an input may do without this column, which then reads as null, a title as
    /// empty.
    pub(crate) fn may_lack(self, column: &str) -> bool {
        column == "title" || (self == Self::Candidates && NOT_ALWAYS_THERE.contains(&column))
    }

    /// Returns the columns, in order. A nullable field is one that may be null in a sound table.
    pub fn schema(self) -> SchemaRef {
        let required = |name: &str, kind: DataType| Field::new(name, kind, false);
        let optional = |name: &str, kind: DataType| Field::new(name, kind, true);
        let fields = match self {
            Self::Tickets => vec![
                required("id", ID),
                required("text", TEXT),
                required("category", TEXT),
            ],
            Self::Qa => vec![
                required("id", ID),
                required("question", TEXT),
                required("answer", TEXT),
            ],
            Self::Corpus => vec![
                required("id", ID),
                required("title", TEXT),
                required("text", TEXT),
            ],
            Self::Queries => vec![required("id", ID), required("text", TEXT)],
            Self::Qrels => vec![
                required("query_id", ID),
                required("corpus_id", ID),
                required("score", DataType::Int32),
            ],
            Self::Run => vec![
                required("query_id", ID),
                required("corpus_id", ID),
                required("rank", DataType::Int32),
                required("score", DataType::Float32),
            ],
            Self::Pairs => vec![
                required("anchor_id", ID),
                required("anchor", TEXT),
                required("positive_id", ID),
                required("positive", TEXT),
            ],
            Self::LabeledPairs => vec![
                required("sentence1_id", ID),
                required("sentence1", TEXT),
                required("sentence2_id", ID),
                required("sentence2", TEXT),
                required("score", DataType::Float32),
            ],
            Self::Similarity => vec![
                required("sentence1", TEXT),
                required("sentence2", TEXT),
                required("score", DataType::Float32),
            ],
            Self::BinaryPairs => vec![
                required("sentence1", TEXT),
                required("sentence2", TEXT),
                required("label", DataType::Int32),
            ],
            Self::Candidates => vec![
                required("query_id", ID),
                required("query", TEXT),
                required("positive_id", ID),
                required("positive", TEXT),
                required("corpus_id", ID),
                required("text", TEXT),
                required("rank", DataType::Int32),
                optional("bm25", DataType::Float32),
                optional("positive_bm25", DataType::Float32),
                optional("dense", DataType::Float32),
                optional("positive_dense", DataType::Float32),
                optional("bm25_rank", DataType::Int32),
                optional("dense_rank", DataType::Int32),
                optional("score", DataType::Float32),
                optional("positive_score", DataType::Float32),
                required("decision", TEXT),
                required("reason", TEXT),
            ],
            Self::Triplets => vec![
                required("anchor_id", ID),
                required("anchor", TEXT),
                required("positive_id", ID),
                required("positive", TEXT),
                required("negative_id", ID),
                required("negative", TEXT),
            ],
            Self::NTuples(negatives) => {
                let mut fields = vec![
                    required("anchor_id", ID),
                    required("anchor", TEXT),
                    required("positive_id", ID),
                    required("positive", TEXT),
                ];
                for n in 1..=negatives {
                    fields.push(required(&format!("negative_{n}_id"), ID));
                    fields.push(required(&format!("negative_{n}"), TEXT));
                }
                fields
            }
        };
        Arc::new(Schema::new(fields))
    }
}
