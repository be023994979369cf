use rustc_hash::FxHashMap;
use tantivy::tokenizer::{TextAnalyzer, Token, TokenFilter, TokenStream, Tokenizer};

/// Words whose terms are remembered; the few that most of a text consists of are among them.
const MOST: usize = 1 << 16;

/// Turns each word into what an analyzer makes of it, a term or nothing, and remembers that: a
/// stemmer takes longer than all else in the building of an index.
#[derive(Clone)]
pub(crate) struct StemmerCache {
    analyzer: TextAnalyzer,
}

impl StemmerCache {
    /// Begins without a word, for an analyzer that makes at most one term of a word.
    pub(crate) fn new(analyzer: TextAnalyzer) -> Self {
        Self { analyzer }
    }
}

impl TokenFilter for StemmerCache {
    type Tokenizer<T: Tokenizer> = StemmerCacheTokenizer<T>;

    fn transform<T: Tokenizer>(self, words: T) -> StemmerCacheTokenizer<T> {
        let terms = Terms {
            analyzer: self.analyzer,
            known: FxHashMap::default(),
        };
        StemmerCacheTokenizer { words, terms }
    }
}

#[derive(Clone)]
pub(crate) struct StemmerCacheTokenizer<T> {
    words: T,
    terms: Terms,
}

impl<T: Tokenizer> Tokenizer for StemmerCacheTokenizer<T> {
    type TokenStream<'a> = StemmerCacheStream<'a, T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        StemmerCacheStream {
            words: self.words.token_stream(text),
            terms: &mut self.terms,
        }
    }
}

pub(crate) struct StemmerCacheStream<'a, S> {
    words: S,
    terms: &'a mut Terms,
}

impl<S: TokenStream> TokenStream for StemmerCacheStream<'_, S> {
    fn advance(&mut self) -> bool {
        while self.words.advance() {
            let token = self.words.token_mut();
            if self.terms.replace(&mut token.text) {
                return true;
            }
        }
        false
    }

    fn token(&self) -> &Token {
        self.words.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.words.token_mut()
    }
}

#[derive(Clone)]
struct Terms {
    analyzer: TextAnalyzer,
    known: FxHashMap<Box<str>, Option<Box<str>>>,
}

impl Terms {
    /// Replaces a word by its term; whether it has one.
    fn replace(&mut self, word: &mut String) -> bool {
        if let Some(term) = self.known.get(word.as_str()) {
            return replace(word, term.as_deref());
        }
        if self.known.len() == MOST {
            self.known.clear();
        }
        let mut stream = self.analyzer.token_stream(word);
        let term: Option<Box<str>> = match stream.advance() {
            true => Some(stream.token().text.as_str().into()),
            false => None,
        };
        drop(stream);
        let key = word.as_str().into();
        let has_term = replace(word, term.as_deref());
        self.known.insert(key, term);
        has_term
    }
}

fn replace(word: &mut String, term: Option<&str>) -> bool {
    let Some(term) = term else {
        return false;
    };
    word.clear();
    word.push_str(term);
    true
}
