use serde::Serialize;
use tantivy::tokenizer::{
    Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter, TextAnalyzer,
};

/// Longest token that is indexed, in bytes: what is longer is no word but encoded data.
const MAX_TOKEN_BYTES: usize = 40;

/// How text becomes terms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Analysis {
    /// Runs of letters and digits, lower-cased, without Lucene's 33 English stop words, stemmed
    /// by Snowball's English stemmer (Porter2).
    #[default]
    English,
}

impl Analysis {
    pub(crate) fn analyzer(self) -> TextAnalyzer {
        let Self::English = self;
        let stop_words = StopWordFilter::new(Language::English).expect("tantivy has English");
        TextAnalyzer::builder(SimpleTokenizer::default())
            .filter(RemoveLongFilter::limit(MAX_TOKEN_BYTES + 1))
            .filter(LowerCaser)
            .filter(stop_words)
            .filter(Stemmer::new(Language::English))
            .build()
    }

    /// The terms of a text, in order.
    pub fn terms(self, text: &str) -> Vec<String> {
        let mut terms = Vec::new();
        self.analyzer()
            .token_stream(text)
            .process(&mut |token| terms.push(token.text.clone()));
        terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        Analysis::English.terms(text)
    }

    #[test]
    fn english_words_are_lower_cased_and_stemmed_without_stop_words() {
        assert_eq!(
            terms("The printers were NOT printing, e-mail ID 42!"),
            ["printer", "were", "print", "e", "mail", "id", "42"]
        );
    }

    #[test]
    fn only_overlong_tokens_are_left_out() {
        let (longest, too_long) = ("x".repeat(40), "x".repeat(41));
        assert_eq!(terms(&format!("{longest} {too_long}")), [longest]);
    }

    #[test]
    fn stop_words_and_punctuation_alone_leave_nothing() {
        assert!(terms("It is the, of a … ?!").is_empty());
    }
}
