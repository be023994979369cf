use std::path::PathBuf;

/// The result of an operation on a model.
pub type Result<T, E = ModelError> = std::result::Result<T, E>;

/// What can be wrong with a model folder or with running a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The folder does not exist.
    #[error("{path}: no such model folder; check the path")]
    NoFolder {
        /// The folder as given.
        path: PathBuf,
    },
    /// A file of the folder is absent or unreadable.
    #[error("{path}: cannot be read; a model folder needs {needs}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the folder should hold.
        needs: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file whose content is not what it should be.
    #[error("{path}: {detail}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        detail: String,
    },
    /// An architecture or module that is not supported.
    #[error("{path}: {what} is not supported; supported: {supported}")]
    Unsupported {
        /// The file that names it.
        path: PathBuf,
        /// What it names.
        what: String,
        /// What is supported.
        supported: &'static str,
    },
    /// The weights lack a tensor.
    #[error("{path}: no tensor `{name}`; the weights do not fit config.json")]
    MissingWeight {
        /// The weights file.
        path: String,
        /// The tensor.
        name: String,
    },
    /// A text could not be tokenised.
    #[error("cannot tokenise a text: {detail}")]
    Tokenize {
        /// The tokenizer's message.
        detail: String,
    },
    /// The ONNX file cannot be written.
    #[error("{path}: cannot be written as ONNX: {detail}")]
    Export {
        /// The file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// A model file cannot be written.
    #[error("{path}: cannot be written")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An operation in libtorch failed.
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
}
