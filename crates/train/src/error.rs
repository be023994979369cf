use std::error::Error;
use std::path::PathBuf;

use datafusion::error::DataFusionError;
use pairmill_cli::UsageError;
use pairmill_hub::HubError;
use pairmill_inference::InferenceError;
use pairmill_modeling::ModelError;
use pairmill_tables::TableError;

/// The result of training.
pub type Result<T, E = TrainError> = std::result::Result<T, E>;

/// Why a model was not trained, exported or compared. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Options that contradict each other or their inputs.
    // Not transparent: the exit code goes by the cause.
    #[error("{0}")]
    Usage(#[from] UsageError),
    /// An input that cannot be read or an output that cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A plan over an input failed.
    #[error(transparent)]
    Query(#[from] DataFusionError),
    /// A model that cannot be had.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// A model that is not sound, or a failure of libtorch.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A failure of ONNX Runtime.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// A file or stream that cannot be read or written.
    // Not transparent: a closed pipe is told by the cause.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A value that cannot be written as JSON or read from it.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A step that failed, with why.
    #[error("{step}")]
    Step {
        /// What was being done.
        step: String,
        /// Why it failed.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A table of candidates where pairs are wanted.
    #[error(
        "{file}: is a table of candidates, not of pairs; write training rows of it with `pairmill-filter --format triplet` (or n-tuple)"
    )]
    Candidates {
        /// The table as the user gave it.
        file: String,
    },
    /// A column that the user has named and the table lacks.
    #[error("{file}: no column `{name}`; found {found}")]
    NoColumn {
        /// The table as the user gave it.
        file: String,
        /// The column.
        name: String,
        /// The columns that there are.
        found: String,
    },
    /// A table without labels for a loss that needs them.
    #[error(
        "{file}: has no column `label` or `score`, and this loss needs one (found {found}); name the column with --label-column, or use --loss mnrl for pairs that belong together"
    )]
    NoLabelColumn {
        /// The table as the user gave it.
        file: String,
        /// The columns that there are.
        found: String,
    },
    /// A label that the loss cannot take.
    #[error(
        "{place}: `{column}` is {label}; expected {expected}: {remedy} (--label-column names another column, --label-column= none)"
    )]
    Label {
        /// Table and row.
        place: String,
        /// The column of labels.
        column: String,
        /// What stands there.
        label: f32,
        /// What the loss takes.
        expected: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Labelled pairs of which none belongs together.
    #[error(
        "{files}: no row of {negatives} has label 1, so no anchor has a positive; a ranking loss needs pairs that belong together"
    )]
    NoPositive {
        /// The tables as the user gave them.
        files: String,
        /// Rows of label 0.
        negatives: usize,
    },
    /// Tables without a pair.
    #[error("none of the training tables has a row with an anchor and a positive")]
    NoPairs,
    /// Pairs without hard negatives for a triplet loss.
    #[error(
        "no training row has a hard negative, which the triplet loss needs{}; give {}, or use --loss mnrl",
        match contradictions { 0 => String::new(), all => format!(": all {all} are the anchor or a positive of it") },
        match contradictions { 0 => "triplets or n-tuples", _ => "negatives that are wrong" },
    )]
    NoTriplet {
        /// Negatives that were left out because they are right.
        contradictions: usize,
    },
    /// Pairs without hard negatives for a loss over lists of documents.
    #[error(
        "no training row has a hard negative, which --loss {loss} needs; give triplets or n-tuples"
    )]
    NoHardNegative {
        /// The loss.
        loss: &'static str,
    },
    /// Groups of none of the documents.
    #[error(
        "{input}: none of its ids is a `positive_id` of the training rows, so no group is known; give the table that the positives come from"
    )]
    NoGroup {
        /// The table as the user gave it.
        input: String,
    },
    /// One label for all pairs.
    #[error(
        "{files}: every label of {pairs} is {label}, from which nothing can be learnt; give pairs that differ in their label, or, if all belong together, use --loss mnrl"
    )]
    OneLabel {
        /// The tables as the user gave them.
        files: String,
        /// Pairs in all.
        pairs: usize,
        /// Their label.
        label: f32,
    },
    /// One class for all pairs of a cross-encoder.
    #[error(
        "positives among the training pairs: {positives} of {pairs}; a cross-encoder needs both positive and negative pairs"
    )]
    OneClass {
        /// Pairs that belong together.
        positives: usize,
        /// Pairs in all.
        pairs: usize,
    },
    /// Too few categories for triplets.
    #[error(
        "{files}: triplets need at least two categories with two texts each; categories found: {categories}"
    )]
    TooFewCategories {
        /// The tables as the user gave them.
        files: String,
        /// Categories found.
        categories: usize,
    },
    /// Too few scored candidates to distil from.
    #[error(
        "{files}: no pair has {negatives} scored candidates (with at least one: {pairs}); score them with `pairmill-filter --format candidates`, or lower --num-negatives"
    )]
    TooFewCandidates {
        /// The tables as the user gave them.
        files: String,
        /// Candidates that each pair should have.
        negatives: usize,
        /// Pairs with a scored candidate.
        pairs: usize,
    },
    /// A dev split without a pair that belongs together.
    #[error(
        "{input}: no dev pair of {pairs} has a label of at least 0.5, so average precision on dev is undefined; add pairs that belong together, or leave out --eval"
    )]
    NoPositiveOnDev {
        /// The table.
        input: String,
        /// Pairs in all.
        pairs: usize,
    },
    /// A learning curve without a point.
    #[error("no score on dev is a number, so there is no curve to draw")]
    NoCurve,
    /// Two documents of one id.
    #[error(
        "{corpus}: the id `{id}` stands for two texts, {first} and {second}; give each document an id of its own"
    )]
    IdOfTwoTexts {
        /// The table.
        corpus: String,
        /// The id.
        id: String,
        /// The beginning of one text.
        first: String,
        /// The beginning of the other.
        second: String,
    },
    /// A dev split that nothing can be measured on.
    #[error(
        "{queries}: no query of {all} has a relevant document in {qrels} that the corpus holds, so dev cannot be evaluated; give a dev split with judgements, or leave out --eval"
    )]
    NoJudgedQuery {
        /// The table of queries.
        queries: String,
        /// Queries in all.
        all: usize,
        /// The table of judgements.
        qrels: String,
    },
    /// Rows from which the loss learns nothing.
    #[error(
        "all {rows} rows of the first epoch {reason}, so the loss would be 0 at each step and nothing learnt; {remedy}"
    )]
    NoSignal {
        /// Rows looked at.
        rows: usize,
        /// Why.
        reason: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// No batch in an epoch.
    #[error(
        "the training data makes no batch: a table that takes its turn with others may be empty, no category of a table of tickets has two rows, or no row has the hard negatives that the loss needs"
    )]
    NoBatch,
    /// A batch of rows that were not read.
    #[error("no rows are in memory")]
    NoRows,
    /// A loss or gradient that is no number.
    #[error(
        "the {what} became {value} at step {step}; try a lower --learning-rate (now {rate}){kept}"
    )]
    NotFinite {
        /// Loss or gradient.
        what: &'static str,
        /// What it became.
        value: f64,
        /// The step.
        step: u64,
        /// The highest learning rate.
        rate: f64,
        /// Which checkpoint is kept.
        kept: String,
    },
    /// More layers to freeze than there are.
    #[error("--freeze-layers {asked}: the model has {layers} layers")]
    FreezeLayers {
        /// Layers to freeze.
        asked: usize,
        /// Layers of the model.
        layers: usize,
    },
    /// Nothing to train.
    #[error("all parameters are frozen: nothing is left to train")]
    AllFrozen,
    /// A checkpoint that cannot be gone on from.
    #[error(
        "{}: the checkpoint is damaged ({why}); delete this folder and run again to continue from the one before it",
        folder.display()
    )]
    DamagedCheckpoint {
        /// Its folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A checkpoint of another run.
    #[error(
        "{}: the checkpoint is of a run with {difference}; run with what it was made with, or without --resume to start over",
        folder.display()
    )]
    OtherRun {
        /// Its folder.
        folder: PathBuf,
        /// What that run had otherwise.
        difference: &'static str,
    },
    /// Embeddings in int8 that are too far from those in single precision.
    #[error(
        "int8 embeddings agree too little with the float32 ones: mean cosine {mean:.4}, below --min-agreement {least}; export without --int8, or compare on --texts of your own"
    )]
    Int8 {
        /// Mean cosine of the embeddings.
        mean: f64,
        /// What it should be at least.
        least: f64,
    },
}

impl From<tch::TchError> for TrainError {
    /// Tells it in the words of the models' own errors.
    fn from(error: tch::TchError) -> Self {
        Self::Model(error.into())
    }
}

/// Says what was being done when something failed.
pub(crate) trait Context<T> {
    fn context(self, step: &str) -> Result<T>;
    fn with_context(self, step: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Context<T> for Result<T, E> {
    fn context(self, step: &str) -> Result<T> {
        self.with_context(|| step.to_owned())
    }

    fn with_context(self, step: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| TrainError::Step {
            step: step(),
            source: error.into(),
        })
    }
}
