use std::path::PathBuf;

use pairmill_dense::DenseError;
use pairmill_hub::HubError;
use pairmill_inference::InferenceError;
use pairmill_lexical::LexicalError;
use pairmill_tables::TableError;

/// The result of mining or searching.
pub type Result<T, E = MineError> = std::result::Result<T, E>;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum MineError {
    /// An input is unsound or the output cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The corpus cannot be indexed, or its index not be opened.
    #[error("{corpus}: cannot be indexed")]
    Index {
        /// The corpus as the user gave it.
        corpus: String,
        /// Why.
        #[source]
        source: LexicalError,
    },
    /// The corpus cannot be embedded, or its embeddings not be opened.
    #[error("{corpus}: cannot be embedded")]
    Embeddings {
        /// The corpus as the user gave it.
        corpus: String,
        /// Why.
        #[source]
        source: DenseError,
    },
    /// The sentence encoder cannot be had.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The sentence encoder cannot be used.
    #[error(transparent)]
    Encoder(#[from] InferenceError),
    /// Two queries share an id.
    #[error("{path}: id `{id}` occurs more than once; ids of queries must be unique")]
    DuplicateQuery {
        /// The queries as the user gave them.
        path: String,
        /// The id.
        id: String,
    },
    /// An id of the pairs stands for two texts.
    #[error(
        "{path}: the `{column}` `{id}` stands for two texts ({first:?} and {second:?}); give each text its own id, or have ids made from the texts with --content-ids"
    )]
    AmbiguousId {
        /// The pairs as the user gave them.
        path: String,
        /// The column of the ids.
        column: &'static str,
        /// The id.
        id: String,
        /// One text, shortened.
        first: String,
        /// The other, shortened.
        second: String,
    },
    /// A label that is none.
    #[error(
        "{path}: the `{column}` of the pair of the anchor {anchor:?} is `{found}`; expected a label or similarity from 0 to 1; name another column with --label-column, or none with --label-column none"
    )]
    BadLabel {
        /// The pairs as the user gave them.
        path: String,
        /// The column.
        column: String,
        /// The anchor, shortened.
        anchor: String,
        /// What stands there.
        found: String,
    },
    /// No pair is labelled a positive.
    #[error(
        "{path}: by the column `{column}` no pair of {rows} is a positive; name another column with --label-column, or none with --label-column none"
    )]
    NoPositive {
        /// The pairs as the user gave them.
        path: String,
        /// The column of the labels.
        column: String,
        /// Rows read.
        rows: u64,
    },
    /// No row would be in the output.
    #[error(
        "{output}: not written, because no {rows} result (pairs: {pairs}; candidates: {reasons}); look at more passages with a higher --top-k, or loosen the margins and ranges"
    )]
    NothingLeft {
        /// The output that was not written.
        output: PathBuf,
        /// What the rows are called.
        rows: &'static str,
        /// Number of (query, positive) pairs.
        pairs: u64,
        /// Each reason with its count.
        reasons: String,
    },
    /// No pair came back.
    #[error(
        "{path}: the anchor of no pair of {pairs} finds its positive among the first {within} passages, so nothing is written; is it the corpus of these pairs? Otherwise raise --within"
    )]
    NothingFound {
        /// The pairs as the user gave them.
        path: String,
        /// Pairs looked at.
        pairs: u64,
        /// Passages among which the positive had to be.
        within: usize,
    },
    /// No candidate is of this query.
    #[error("{path}: no candidate is of the query `{query_id}`; it has queries such as {some}")]
    NoSuchQuery {
        /// The candidates as the user gave them.
        path: String,
        /// The query.
        query_id: String,
        /// Some queries that are there.
        some: String,
    },
    /// No folder for what goes with an output that is a stream.
    #[error("no temporary folder; set TMPDIR to a folder that is there")]
    Temporary(#[source] std::io::Error),
}

impl From<datafusion::error::DataFusionError> for MineError {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Self::Table(error.into())
    }
}

impl From<arrow::error::ArrowError> for MineError {
    fn from(error: arrow::error::ArrowError) -> Self {
        datafusion::error::DataFusionError::from(error).into()
    }
}
