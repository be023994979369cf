use std::path::PathBuf;

use pairmill_tables::TableError;
use tantivy::TantivyError;

/// The result of an operation on an index.
pub type Result<T, E = LexicalError> = std::result::Result<T, E>;

/// What can go wrong with an index.
#[derive(Debug, thiserror::Error)]
pub enum LexicalError {
    /// Two rows of the corpus share an id.
    #[error("id `{id}` occurs more than once; ids of a corpus must be unique")]
    DuplicateId {
        /// The id.
        id: String,
    },
    /// An id that the index would cut.
    #[error(
        "the id that begins with `{start}` has {bytes} bytes; expected at most {most}: is it the column of the ids?"
    )]
    LongId {
        /// The beginning of the id.
        start: String,
        /// Its length.
        bytes: usize,
        /// The greatest length.
        most: usize,
    },
    /// The corpus cannot be read, or the index folder cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No folder for a temporary index.
    #[error("no temporary folder for the index; set TMPDIR or name a folder with --index")]
    Temporary(#[source] std::io::Error),
    /// The index folder holds files that are not what was written.
    #[error("{path}: the index is damaged ({file})")]
    Damaged {
        /// The index folder.
        path: PathBuf,
        /// A file that does not match its checksum.
        file: String,
    },
    /// The search engine failed on the index folder.
    #[error("{path}: the index cannot be used")]
    Engine {
        /// The index folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<TantivyError>,
    },
}
