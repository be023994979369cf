use std::path::PathBuf;

use pairmill_checkpoint::CheckpointError;

/// The result of an operation on a model.
pub type Result<T, E = ModelError> = std::result::Result<T, E>;

/// What can be wrong with a model folder or with running a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// What the model's folder says cannot be read or is not supported.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file whose content is not what it should be.
    #[error("{path}: {detail}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        detail: String,
    },
    /// A file of the folder is absent or unreadable.
    #[error(
        "{path}: cannot be read; a model folder needs config.json, tokenizer.json and model.safetensors"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An architecture or setting that is not supported.
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
    /// Memory does not suffice.
    #[error(
        "libtorch has not enough memory: {detail}; choose smaller batches (--batch-size or --mini-batch-size) or shorter texts (--max-length), or free memory that others use"
    )]
    OutOfMemory {
        /// What libtorch said.
        detail: String,
    },
    /// No GPU.
    #[error(
        "--device cuda: this libtorch sees no CUDA device; build with `make build DEVICE=cuda` on a machine with a GPU, or use --device cpu"
    )]
    NoCuda,
    /// An operation in libtorch failed.
    #[error("libtorch: {0}")]
    Torch(tch::TchError),
}
