use std::path::PathBuf;

use datafusion::error::DataFusionError;
use pairmill_hub::HubError;
use pairmill_inference::InferenceError;
use pairmill_tables::TableError;

/// The result of a filter run.
pub type Result<T, E = FilterError> = std::result::Result<T, E>;

/// Why candidates could not be filtered.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// An input or output is unsound.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The cross-encoder cannot be used.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// The cross-encoder cannot be had.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// Rules that ask for similarities, and candidates without.
    #[error(
        "{candidates}: --promote-dense-margin and --min-positive-dense ask for the columns dense and positive_dense, which are empty for query {query}; mine with --retriever dense or hybrid"
    )]
    NoSimilarity {
        /// The input as the user gave it.
        candidates: String,
        /// A query without.
        query: String,
    },
    /// The table to score has a column of the name of the one to add.
    #[error("{path}: has a column `{column}` already; name the one to add with --score-column")]
    ScoreColumn {
        /// The input as the user gave it.
        path: String,
        /// The column.
        column: String,
    },
    /// The table to score has none of the columns of text that are known.
    #[error(
        "{path}: has neither sentence1 and sentence2, nor anchor and positive, nor query and text; found {found}; name two columns with --columns A,B"
    )]
    NoTexts {
        /// The input as the user gave it.
        path: String,
        /// The columns that are there.
        found: String,
    },
    /// The table to score lacks a column that the user named.
    #[error("{path}: no column `{column}`; found {found}")]
    NoColumn {
        /// The input as the user gave it.
        path: String,
        /// The absent column.
        column: String,
        /// The columns that are there.
        found: String,
    },
    /// The model in int8 agrees too little with float32.
    #[error(
        "int8 agrees too little with float32: on a sample of {pairs} pairs {says}, below --min-agreement {least}; go on without --int8"
    )]
    Int8 {
        /// Pairs of texts in the sample.
        pairs: u64,
        /// How far they agree.
        says: String,
        /// How far they should.
        least: f64,
    },
    /// No row would be in the output.
    #[error(
        "{output}: not written, because {candidates} gives no {rows} (pairs: {pairs}; candidates: {reasons}); mine more candidates with a higher --top-k, loosen --relative-margin or another rule, lower --num-negatives, or go on without any by --allow-empty"
    )]
    NothingLeft {
        /// The output that was not written.
        output: PathBuf,
        /// What the rows are called.
        rows: &'static str,
        /// The input.
        candidates: String,
        /// Number of (query, positive) pairs in the input.
        pairs: u64,
        /// Each reason with its count.
        reasons: String,
    },
}

impl From<DataFusionError> for FilterError {
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<InferenceError>() {
                Ok(inference) => Self::Inference(*inference),
                Err(inner) => Self::Table(DataFusionError::External(inner).into()),
            },
            other => Self::Table(other.into()),
        }
    }
}

impl From<arrow::error::ArrowError> for FilterError {
    fn from(error: arrow::error::ArrowError) -> Self {
        DataFusionError::from(error).into()
    }
}
