use std::fmt;
use std::sync::Arc;

/// Counts the tokens of a text as a model does.
pub type CountTokens = Arc<dyn Fn(&str) -> usize + Send + Sync>;

/// What the checks need to know.
#[derive(Clone)]
pub struct Options {
    /// The Jaccard similarity from which on two texts are near-duplicates.
    pub near_duplicates: f64,
    /// The most of a text that is read, in tokens, or in words where there is no model.
    pub max_length: usize,
    /// How tokens are counted; words where nothing is said.
    pub count_tokens: Option<CountTokens>,
    /// The languages that are expected, by their ISO 639-1 codes; those that 5 % of the texts are
    /// in where nothing is said.
    pub languages: Vec<String>,
    /// The share of the rows that a line must be in to be boilerplate.
    pub boilerplate_share: f64,
    /// Whether somebody suggests categories, see [`Hygiene::suggest`](crate::Hygiene::suggest).
    pub has_suggestions: bool,
    /// Whether somebody names paraphrases, see [`Hygiene::paraphrase`](crate::Hygiene::paraphrase).
    pub has_paraphrases: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            near_duplicates: 0.8,
            max_length: WORDS,
            count_tokens: None,
            languages: Vec::new(),
            boilerplate_share: 0.05,
            has_suggestions: false,
            has_paraphrases: false,
        }
    }
}

/// Words that are about the 256 tokens that the models of the sentence-transformers page read,
/// at 1.3 tokens a word of English.
const WORDS: usize = 200;

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("near_duplicates", &self.near_duplicates)
            .field("max_length", &self.max_length)
            .field("has_model", &self.count_tokens.is_some())
            .field("languages", &self.languages)
            .field("boilerplate_share", &self.boilerplate_share)
            .field("has_suggestions", &self.has_suggestions)
            .field("has_paraphrases", &self.has_paraphrases)
            .finish()
    }
}
