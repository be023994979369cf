//! A dictionary in WordNet's format, read from the folder that a user has: which words mean the
//! same, as which part of speech, and how often each sense was met in the texts that were tagged.

mod exceptions;
mod places;
mod pos;
mod read;

use rustc_hash::FxHashMap;

pub use places::usual_folders;

pub(crate) use exceptions::Exceptions;
pub(crate) use pos::Pos;

/// A sense of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sense {
    /// The set of words that share it, among those of the part of speech.
    pub synset: u32,
    /// How often it was met in the tagged texts.
    pub uses: u32,
}

/// The words of one part of speech. Only those of one word in small letters are held.
#[derive(Debug, Default)]
struct Part {
    /// The senses of each word, the most frequent first.
    senses: FxHashMap<Box<str>, Box<[Sense]>>,
    synsets: Vec<Box<[Box<str>]>>,
    exceptions: Exceptions,
}

/// A dictionary in memory.
#[derive(Debug)]
pub struct WordNet {
    parts: [Part; 4],
    has_counts: bool,
    has_exceptions: bool,
}

impl WordNet {
    /// How many words it has, as each part of speech.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.senses.len()).sum()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it says how often each sense was met (`cntlist.rev` or `index.sense`).
    pub fn has_counts(&self) -> bool {
        self.has_counts
    }

    /// Whether it lists irregular forms (`noun.exc` and the like).
    pub fn has_exceptions(&self) -> bool {
        self.has_exceptions
    }

    pub(crate) fn has(&self, word: &str, pos: Pos) -> bool {
        self.part(pos).senses.contains_key(word)
    }

    /// The senses of a word, the most frequent first.
    pub(crate) fn senses(&self, word: &str, pos: Pos) -> &[Sense] {
        self.part(pos).senses.get(word).map_or(&[], |senses| senses)
    }

    /// How often a word was met as this part of speech.
    pub(crate) fn uses(&self, word: &str, pos: Pos) -> u32 {
        self.senses(word, pos).iter().map(|sense| sense.uses).sum()
    }

    /// The words that share a sense.
    pub(crate) fn synset(&self, pos: Pos, synset: u32) -> &[Box<str>] {
        &self.part(pos).synsets[synset as usize]
    }

    pub(crate) fn exceptions(&self, pos: Pos) -> &Exceptions {
        &self.part(pos).exceptions
    }

    fn part(&self, pos: Pos) -> &Part {
        &self.parts[pos as usize]
    }
}
