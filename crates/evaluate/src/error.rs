use std::path::PathBuf;

use pairmill_dense::DenseError;
use pairmill_hub::HubError;
use pairmill_inference::InferenceError;
use pairmill_modeling::ModelError;
use pairmill_tables::TableError;

/// The result of an evaluation.
pub type Result<T, E = EvaluateError> = std::result::Result<T, E>;

/// What can go wrong in an evaluation. Every message names the input and what to do.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// An input table or an output is at fault.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A model is not where it should be.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// A model cannot be loaded or cannot run.
    #[error("the model {model} cannot be used")]
    Model {
        /// The model as the user gave it.
        model: String,
        /// Why.
        #[source]
        source: ModelError,
    },
    /// An ONNX model cannot be loaded or cannot run.
    #[error("the model {model} cannot be used by ONNX Runtime")]
    Onnx {
        /// The model as the user gave it.
        model: String,
        /// Why.
        #[source]
        source: InferenceError,
    },
    /// More dimensions to keep than there are.
    #[error(
        "the model {model} has {found} dimensions, so {wanted} cannot be kept; give --truncate-dim \
         at most {found}"
    )]
    TooFewDimensions {
        /// The model as the user gave it.
        model: String,
        /// What is to be kept.
        wanted: usize,
        /// What there is.
        found: usize,
    },
    /// The cache of embeddings is at fault.
    #[error(transparent)]
    Cache(#[from] DenseError),
    /// A cross-encoder cannot be loaded or cannot run.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// The device cannot be used.
    #[error(transparent)]
    Device(ModelError),
    /// A model that gives infinities or no numbers at all.
    #[error(
        "the model {model} gives no finite embedding for the text `{text}`; its weights are \
         damaged or its training diverged"
    )]
    NotFinite {
        /// The model as the user gave it.
        model: String,
        /// The beginning of the text.
        text: String,
    },
    /// An id that stands for two texts.
    #[error(
        "{path}: the id `{id}` stands for two texts, `{first}` and `{second}`; give each text an \
         id of its own"
    )]
    DuplicateId {
        /// The table.
        path: String,
        /// The id.
        id: String,
        /// The beginning of one text, with its title where it has one.
        first: String,
        /// That of the other.
        second: String,
    },
    /// A table that is written to while it is read.
    #[error("{path}: changed while it was read; run again when it is complete")]
    Changed {
        /// The table.
        path: String,
    },
    /// A run that lists a document twice for one query.
    #[error(
        "{path}: document `{document}` occurs more than once in the results of query `{query}`; a \
         run ranks each document once"
    )]
    DuplicateResult {
        /// The run.
        path: String,
        /// The query.
        query: String,
        /// The document.
        document: String,
    },
    /// A run with a result that cannot be ranked.
    #[error(
        "{path}: the score of document `{document}` for query `{query}` is NaN; expected a number, \
         so correct or remove the row"
    )]
    NanScore {
        /// The run.
        path: String,
        /// The query.
        query: String,
        /// The document.
        document: String,
    },
    /// A query or document of a run without a text.
    #[error(
        "{path}: lacks the id `{id}`, which {run} or its judgements name; give the table that the \
         run was made from"
    )]
    NoText {
        /// The queries or corpus table.
        path: String,
        /// The id.
        id: String,
        /// The run.
        run: String,
    },
    /// No judged query to evaluate.
    #[error(
        "{qrels}: judges no document relevant (score above 0) for any query of {queries}; check \
         that both use the same query ids"
    )]
    NothingJudged {
        /// The qrels table.
        qrels: String,
        /// The queries or the run.
        queries: String,
    },
    /// A label other than 0 and 1.
    #[error(
        "{path}: column `{column}` is {found} in row {row} (counted from 1); expected 1 for the \
         same meaning, 0 for another"
    )]
    WrongLabel {
        /// The pairs table.
        path: String,
        /// `label` or `score`.
        column: &'static str,
        /// Row number, from 1.
        row: usize,
        /// What was found.
        found: f32,
    },
    /// All labels alike.
    #[error("{path}: every row has the label {label}; both 0 and 1 are needed to find a threshold")]
    OneLabel {
        /// The pairs table.
        path: String,
        /// The label.
        label: u8,
    },
    /// No pair of sentences that mean the same.
    #[error(
        "{path}: names no two sentences of {sentences} as duplicates; check that both use the same \
         ids"
    )]
    NoDuplicates {
        /// The table of duplicates.
        path: String,
        /// The sentences.
        sentences: String,
    },
    /// A score that is no finite number.
    #[error(
        "{path}: column `score` is {found} in row {row} (counted from 1); expected a finite number"
    )]
    WrongScore {
        /// The table.
        path: String,
        /// Row number, from 1.
        row: usize,
        /// What was found.
        found: f32,
    },
    /// A correlation that is undefined.
    #[error(
        "{path}: {what} the same for every row, so there is no correlation; give pairs of \
         different similarity"
    )]
    NoCorrelation {
        /// The pairs table.
        path: String,
        /// What does not vary.
        what: &'static str,
    },
    /// A folder without figures.
    #[error(
        "{}: no result of an evaluation; expected a folder that `pairmill-evaluate … --output` has \
         written", folder.display()
    )]
    NoResult {
        /// The folder.
        folder: PathBuf,
    },
    /// A result folder without a table of items.
    #[error(
        "{}: has no table of items, such as {expected}, to compare; evaluate again with \
         --output", folder.display()
    )]
    NoItems {
        /// The folder.
        folder: PathBuf,
        /// A file that would do.
        expected: &'static str,
    },
    /// Results of different tasks.
    #[error(
        "{} is a result of `{first_task}` and {} of `{second_task}`; compare results of one \
         task", first.display(), second.display()
    )]
    OtherTask {
        /// One folder.
        first: PathBuf,
        /// Its task.
        first_task: String,
        /// The other.
        second: PathBuf,
        /// Its task.
        second_task: String,
    },
    /// A table of items without a column that its task writes.
    #[error(
        "{}: has no column `{column}`; it was written by another version or for another task, so \
         evaluate again", path.display()
    )]
    NoItemColumn {
        /// The table of items.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A table of items without the column that is to group them.
    #[error("{}: has no column `{column}` of text to group by; found {found}", path.display())]
    NoTextColumn {
        /// The table of items.
        path: PathBuf,
        /// The column.
        column: String,
        /// Those that it has.
        found: String,
    },
    /// Mined pairs, of which each result has its own.
    #[error("{}: mined pairs have no groups; leave out --group-by", path.display())]
    NoGroups {
        /// The table of items.
        path: PathBuf,
    },
    /// Runs without a common query.
    #[error(
        "{run} and {baseline} have no query of {qrels} in common; give two runs for the same \
         queries"
    )]
    NoCommonQuery {
        /// A run.
        run: String,
        /// The other.
        baseline: String,
        /// The judgements.
        qrels: String,
    },
    /// Results without a common metric.
    #[error(
        "{} and {} have no metric in common; evaluate both for the same \
         metrics", first.display(), second.display()
    )]
    NoCommonMetric {
        /// One table of items.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// Results of different items.
    #[error(
        "{} and {} have no item in common; compare results on the same \
         data", first.display(), second.display()
    )]
    NothingInCommon {
        /// One table of items.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A file beside a model that cannot be read.
    #[error("{path}: cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A training log that the trainer did not write so.
    #[error(
        "{path}: line {line} is not as pairmill-train writes it: {reason}; train again or remove \
         the file"
    )]
    DamagedLog {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// What was found.
        reason: String,
    },
}
