use std::path::{Path, PathBuf};

use pairmill_schema::counted;
use pairmill_tables::TableError;

/// The result of asking.
pub type Result<T, E = LanguageModelError> = std::result::Result<T, E>;

/// Why a model cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum LanguageModelError {
    /// An address that cannot be used.
    #[error("--endpoint {url}: {detail}; expected an address such as http://localhost:8080/v1")]
    Address {
        /// As given, without what may be secret.
        url: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A file with a key that cannot be used.
    #[error("{path}: {detail}; expected a file with the key of the endpoint in one line")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Nobody answers there.
    #[error("{url} cannot be reached: {detail}; is the server running, and is that its address?")]
    Unreachable {
        /// The address.
        url: String,
        /// What the system says.
        detail: String,
    },
    /// The key is missing or wrong.
    #[error(
        "{url} refuses the key (status {status}): {detail}; set the variable {variable}, or name a file with --api-key-file"
    )]
    Denied {
        /// The address.
        url: String,
        /// 401 or 403.
        status: u16,
        /// What the endpoint says.
        detail: String,
        /// Where the key was looked for.
        variable: String,
    },
    /// The address or the model is not there.
    #[error(
        "{url} knows neither that address nor the model `{model}` (status 404): {detail}; see what it has with: curl {models}"
    )]
    NotFound {
        /// The address.
        url: String,
        /// The model asked for.
        model: String,
        /// What the endpoint says.
        detail: String,
        /// The address that lists models.
        models: String,
    },
    /// One request after the other failed.
    #[error(
        "{url}: {failed} prompts in a row have no answer, the last one because of: {detail}; {}",
        kept(*answered, answers)
    )]
    GaveUp {
        /// The address.
        url: String,
        /// Prompts without an answer in a row, each after its retries.
        failed: u32,
        /// What went wrong.
        detail: String,
        /// Answers in the file.
        answered: u64,
        /// The file of the answers.
        answers: PathBuf,
    },
    /// The file of answers holds something else.
    #[error(
        "{path}: line {line} is no answer of a language model ({detail}); remove the line, or name another file with --answers"
    )]
    AnswersFile {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// A file that cannot be read.
    #[error("{path}: cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file of answers is in use, or cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Returns what there is to go on with.
fn kept(answered: u64, answers: &Path) -> String {
    match answered {
        0 => "see the log of the server".to_owned(),
        _ => format!(
            "{} in {}, and the same command asks for the others",
            counted(answered, "answer is kept", "answers are kept"),
            answers.display()
        ),
    }
}
