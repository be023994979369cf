use std::path::PathBuf;

use pairmill_inference::InferenceError;
use pairmill_tables::TableError;

/// The result of an operation on an index of embeddings.
pub type Result<T, E = DenseError> = std::result::Result<T, E>;

/// What can go wrong with an index of embeddings.
#[derive(Debug, thiserror::Error)]
pub enum DenseError {
    /// Two rows of the corpus share an id.
    #[error("id `{id}` occurs more than once; ids of a corpus must be unique")]
    DuplicateId {
        /// The id.
        id: String,
    },
    /// More passages than can be numbered.
    #[error("the corpus has more than {most} passages; split it")]
    TooLarge {
        /// The greatest number.
        most: u32,
    },
    /// The corpus cannot be read, or the folder of the embeddings cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A text cannot be embedded.
    #[error(transparent)]
    Encoder(#[from] InferenceError),
    /// The folder holds embeddings of something else than its name says.
    #[error(
        "{path}: the embeddings are not described as those of this model and these options; delete the folder"
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// A file of embeddings or texts cannot be read.
    #[error("{path}: cannot be read; if this stays, delete the folder and embed again")]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An id that the corpus does not have.
    #[error("`{id}` is no id of the corpus that was embedded")]
    UnknownId {
        /// The id.
        id: String,
    },
}
