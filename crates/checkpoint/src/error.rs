use std::path::PathBuf;

/// The result of reading a model folder.
pub type Result<T, E = CheckpointError> = std::result::Result<T, E>;

/// What can be wrong with a model folder or a text for it.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
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
    /// A module or setting that is not supported.
    #[error("{path}: {what} is not supported; supported: {supported}")]
    Unsupported {
        /// The file that names it.
        path: PathBuf,
        /// What it names.
        what: String,
        /// What is supported.
        supported: &'static str,
    },
    /// A file cannot be written.
    #[error("{path}: cannot be written")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A text or pair that the tokenizer cannot handle.
    #[error("the tokenizer failed ({detail}) on {text}")]
    Tokenize {
        /// What the tokenizer said.
        detail: String,
        /// The beginning of the text, or of both.
        text: String,
    },
    /// A text of which the tokenizer makes nothing.
    #[error(
        "{path}: makes no token of {text}{}, and adds none to mark its ends, so that there is nothing to compute; leave the row out, or add a post_processor to the file",
        match number { Some(number) => format!(" (number {number} of those read together)"), None => String::new() }
    )]
    NoTokens {
        /// The tokenizer's file.
        path: PathBuf,
        /// The beginning of the text, or of both.
        text: String,
        /// The number of the text among those given, from 1.
        number: Option<usize>,
    },
}

/// Returns the beginning of a text, for a message.
pub fn excerpt(text: &str) -> String {
    format!("{:?}", pairmill_schema::excerpt(text, 60))
}

/// Returns the beginning of a pair of texts, for a message.
pub fn excerpt_of_pair(first: &str, second: &str) -> String {
    format!("({}, {})", excerpt(first), excerpt(second))
}
