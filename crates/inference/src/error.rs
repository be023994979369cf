use std::path::PathBuf;

use pairmill_checkpoint::CheckpointError;

/// The result of an operation on a model.
pub type Result<T, E = InferenceError> = std::result::Result<T, E>;

/// What can be wrong with the runtime, a model folder or a score. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// What the model's folder says cannot be read or is not supported.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// No usable ONNX Runtime library was found.
    #[error(
        "ONNX Runtime cannot be loaded; run `make setup`, or set ORT_DYLIB_PATH to the file {library} of ONNX Runtime 1.17 or newer{tried}"
    )]
    Runtime {
        /// The library's file name on this system.
        library: String,
        /// Each place looked at and what was wrong there, one a line.
        tried: String,
    },
    /// The model path is not a folder.
    #[error(
        "{path}: not a folder; expected a model folder with model.onnx (or onnx/model.onnx), tokenizer.json and config.json"
    )]
    NotAFolder {
        /// The path as given.
        path: PathBuf,
    },
    /// The model folder has no model in int8.
    #[error(
        "{folder}: has no model_quantized.onnx (or onnx/model_quantized.onnx); `pairmill-train cross-encoder --int8` writes one, and `pairmill-train export --int8` of a model that is there"
    )]
    NoInt8 {
        /// The model folder.
        folder: PathBuf,
    },
    /// A file of the model folder is absent.
    #[error(
        "{folder}: has no {file}; expected a model folder with model.onnx (or onnx/model.onnx), tokenizer.json and config.json{made_by}"
    )]
    MissingFile {
        /// The model folder.
        folder: PathBuf,
        /// The absent file.
        file: &'static str,
        /// What makes such a folder.
        made_by: &'static str,
    },
    /// A file of the model folder cannot be read or is not what its name says.
    #[error(
        "{path}: cannot be used ({detail}); it may be damaged, write or download the model again"
    )]
    BadFile {
        /// The offending file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The model fails on a token of the tokenizer, although not on others.
    #[error(
        "{path}: the tokenizer does not fit the model, which fails on its last token, {id}; put the tokenizer.json there that the model was trained with"
    )]
    UnknownToken {
        /// The model file.
        path: PathBuf,
        /// The token's id.
        id: u32,
        /// What ONNX Runtime said.
        #[source]
        source: Box<InferenceError>,
    },
    /// A maximum length outside what the model can take.
    #[error(
        "{folder}: a maximum length of {max_length} tokens does not fit this model; choose {least} to {most}"
    )]
    MaxLength {
        /// The model folder.
        folder: PathBuf,
        /// What was asked for.
        max_length: usize,
        /// The shortest sensible length.
        least: usize,
        /// The number of positions that the model has, as text.
        most: String,
    },
    /// A model whose inputs are not those of a BERT-like model.
    #[error(
        "{path}: takes the inputs {found}; expected input_ids and, as the model needs them, attention_mask and token_type_ids"
    )]
    UnexpectedInputs {
        /// The model file.
        path: PathBuf,
        /// The names of the inputs.
        found: String,
    },
    /// An input or output of numbers that we cannot give or read.
    #[error(
        "{path}: `{name}` is of type {found}; expected {expected}; export the model with such a type"
    )]
    UnexpectedType {
        /// The model file.
        path: PathBuf,
        /// The input or output.
        name: String,
        /// Its type.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A model that does not score pairs of texts.
    #[error("{path}: not a cross-encoder: {detail}")]
    NotACrossEncoder {
        /// The model file.
        path: PathBuf,
        /// What is there and what was expected.
        detail: String,
    },
    /// A model that does not embed texts.
    #[error("{path}: not a sentence encoder: {detail}")]
    NotASentenceEncoder {
        /// The model file.
        path: PathBuf,
        /// What is there and what was expected.
        detail: String,
    },
    /// ONNX Runtime failed on a batch.
    #[error("{path}: ONNX Runtime failed on a batch of {rows} rows of {tokens} tokens each")]
    Run {
        /// The model file.
        path: PathBuf,
        /// Number of texts or pairs in the batch.
        rows: usize,
        /// Padded length of each.
        tokens: usize,
        /// What it said.
        #[source]
        source: ort::Error,
    },
    /// Scores that another process keeps.
    #[error(
        "{path}: another run keeps its scores here now; wait for it or give this one another folder by --cache"
    )]
    CacheBusy {
        /// The file of the scores.
        path: PathBuf,
    },
    /// Scores that cannot be kept.
    #[error("{path}: scores cannot be kept here; make room or give another folder by --cache")]
    Cache {
        /// The folder, or the file in it.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A score that is not a number.
    #[error(
        "{path}: the score is not a number for the pair {pair}; the model's weights are broken (a diverged training?), use another model"
    )]
    NotANumber {
        /// The model file.
        path: PathBuf,
        /// The beginning of both texts.
        pair: String,
    },
    /// An embedding with a component that is not a finite number.
    #[error(
        "{path}: the embedding is not finite for the text {text}; the model's weights are broken (a diverged training?), use another model"
    )]
    NotFinite {
        /// The model file.
        path: PathBuf,
        /// The beginning of the text.
        text: String,
    },
}
