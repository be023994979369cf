use std::str::FromStr;

use serde::{Serialize, Serializer};
use tantivy::tokenizer::{
    Language, RawTokenizer, Stemmer, StopWordFilter, TextAnalyzer, TokenStream,
};

use crate::lower::Lower;
use crate::stemmer_cache::StemmerCache;
use crate::words::Words;

pub(crate) const LANGUAGES: [(&str, Language); 18] = [
    ("arabic", Language::Arabic),
    ("danish", Language::Danish),
    ("dutch", Language::Dutch),
    ("english", Language::English),
    ("finnish", Language::Finnish),
    ("french", Language::French),
    ("german", Language::German),
    ("greek", Language::Greek),
    ("hungarian", Language::Hungarian),
    ("italian", Language::Italian),
    ("norwegian", Language::Norwegian),
    ("portuguese", Language::Portuguese),
    ("romanian", Language::Romanian),
    ("russian", Language::Russian),
    ("spanish", Language::Spanish),
    ("swedish", Language::Swedish),
    ("tamil", Language::Tamil),
    ("turkish", Language::Turkish),
];

/// How text becomes terms: words, lower-cased, and in a language without its stop words and
/// stemmed by its Snowball stemmer.
///
/// English has Lucene's 33 stop words and Porter2; Arabic, Greek, Romanian, Tamil and Turkish are
/// stemmed only. Words are runs of letters and digits with their combining marks; text of scripts
/// that put no blanks between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) is cut into
/// overlapping pairs of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Analysis {
    language: Choice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    None,
    Auto,
    Of(Language),
}

impl Analysis {
    /// Words as they are.
    pub const NONE: Self = Self {
        language: Choice::None,
    };
    /// English words.
    pub const ENGLISH: Self = Self {
        language: Choice::Of(Language::English),
    };
    /// That of the language that a corpus turns out to be written in. Until that is
    /// [told](crate::Sample), words as they are.
    pub const AUTO: Self = Self {
        language: Choice::Auto,
    };

    /// Returns the names that [`FromStr`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let names = LANGUAGES.map(|(name, _)| name);
        ["none", "auto"].into_iter().chain(names)
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self.language {
            Choice::None => "none",
            Choice::Auto => "auto",
            Choice::Of(language) => {
                let known = LANGUAGES.iter().find(|(_, known)| *known == language);
                known.map_or("none", |(name, _)| name)
            }
        }
    }

    fn language(self) -> Option<Language> {
        match self.language {
            Choice::Of(language) => Some(language),
            Choice::None | Choice::Auto => None,
        }
    }

    pub(crate) fn analyzer(self) -> TextAnalyzer {
        TextAnalyzer::builder(Words::default())
            .filter(StemmerCache::new(self.word_analyzer()))
            .build()
    }

    /// Returns what makes the term of a word.
    fn word_analyzer(self) -> TextAnalyzer {
        let turkish = self.language() == Some(Language::Turkish);
        let word = TextAnalyzer::builder(RawTokenizer::default()).filter(Lower { turkish });
        let Some(language) = self.language() else {
            return word.build();
        };
        let stemmer = Stemmer::new(language);
        match StopWordFilter::new(language) {
            Some(stop_words) => word.filter(stop_words).filter(stemmer).build(),
            None => word.filter(stemmer).build(),
        }
    }

    /// Looks whether texts have terms.
    pub fn term_finder(self) -> TermFinder {
        TermFinder(self.analyzer())
    }

    /// Returns the terms of a text, in order.
    pub fn terms(self, text: &str) -> Vec<String> {
        let mut terms = Vec::new();
        self.analyzer()
            .token_stream(text)
            .process(&mut |token| terms.push(token.text.clone()));
        terms
    }
}

/// Tells texts that the analysis leaves a term of from those, such as one of stop words only, that
/// no passage can be found by.
pub struct TermFinder(TextAnalyzer);

impl TermFinder {
    /// Returns whether the text has a term.
    pub fn finds(&mut self, text: &str) -> bool {
        self.0.token_stream(text).advance()
    }
}

impl Default for Analysis {
    fn default() -> Self {
        Self::ENGLISH
    }
}

impl FromStr for Analysis {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "none" => return Ok(Self::NONE),
            "auto" => return Ok(Self::AUTO),
            _ => {}
        }
        let known = LANGUAGES.iter().find(|(known, _)| *known == name);
        known
            .map(|&(_, language)| Self {
                language: Choice::Of(language),
            })
            .ok_or_else(|| {
                format!(
                    "expected one of {}",
                    Self::names().collect::<Vec<_>>().join(", ")
                )
            })
    }
}

impl Serialize for Analysis {
    /// Returns the language or null, as ever; what is still to be told by its name.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.language {
            Choice::Auto => serializer.serialize_str(self.name()),
            _ => self.language().serialize(serializer),
        }
    }
}

impl From<Language> for Analysis {
    fn from(language: Language) -> Self {
        Self {
            language: Choice::Of(language),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        Analysis::ENGLISH.terms(text)
    }

    #[test]
    fn english_words_are_lower_cased_and_stemmed_without_stop_words() {
        assert_eq!(
            terms("The printers were NOT printing, e-mail ID 42!"),
            ["printer", "were", "print", "e", "mail", "id", "42"]
        );
    }

    #[test]
    fn without_a_language_words_are_only_lower_cased() {
        assert_eq!(
            Analysis::NONE.terms("The printers were NOT printing"),
            ["the", "printers", "were", "not", "printing"]
        );
    }

    #[test]
    fn every_language_is_known_by_its_name_and_has_an_analyzer() {
        for name in Analysis::names() {
            let analysis: Analysis = name.parse().unwrap();
            assert!(!analysis.terms("Telefon 42").is_empty(), "{name}");
            let again = analysis.terms("Telefon 42 TELEFON");
            assert_eq!(again[0], again[2], "{name}");
        }
        let german: Analysis = "german".parse().unwrap();
        assert_eq!(german.terms("Die Häuser und Drucker"), ["haus", "druck"]);
        assert!("klingon".parse::<Analysis>().unwrap_err().contains("tamil"));
    }

    #[test]
    fn turkish_words_are_lower_cased_as_turkish() {
        let turkish: Analysis = "turkish".parse().unwrap();
        assert_eq!(turkish.terms("IŞIK ISI"), turkish.terms("ışık ısı"));
        assert_ne!(turkish.terms("ISI"), turkish.terms("isi"));
    }

    #[test]
    fn only_overlong_tokens_are_left_out() {
        let (longest, too_long) = ("x".repeat(40), "x".repeat(41));
        assert_eq!(terms(&format!("{longest} {too_long}")), [longest]);
    }

    #[test]
    fn stop_words_and_punctuation_alone_leave_nothing() {
        assert!(terms("It is the, of a … ?!").is_empty());
        let mut finder = Analysis::ENGLISH.term_finder();
        assert!(!finder.finds("It is the, of a … ?!") && !finder.finds(""));
        assert!(finder.finds("It is the printer") && Analysis::NONE.term_finder().finds("the"));
    }
}
