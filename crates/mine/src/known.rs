use std::collections::{HashMap, HashSet};

use crate::key::{Key, id_key, text_key};

/// What is known about which passages answer which query.
///
/// A positive is known by its id and by its text, for a query known by its id and by its text: so
/// an equal question under another id shares its answers, and a copy of an answer is an answer.
/// Texts are equal if they are so after normalisation to NFC, in lower case, with every run of
/// white space taken for one blank.
#[derive(Debug, Default)]
pub struct Known {
    /// (query's id or text, passage's id or text).
    answers: HashSet<(Key, Key)>,
    /// Text of the passages that have the text of a query or of a positive.
    texts: HashMap<Key, Key>,
    /// Group of each passage, where groups count.
    groups: HashMap<Key, Key>,
}

impl Known {
    /// Whether the query is known to be answered by this passage, given by id or text.
    pub(crate) fn answers(&self, query: [Key; 2], passage: Key) -> bool {
        let [id, text] = query;
        self.answers.contains(&(id, passage)) || self.answers.contains(&(text, passage))
    }

    /// The text of a passage of the corpus, if it is that of some query or positive.
    pub(crate) fn text(&self, passage: Key) -> Option<Key> {
        self.texts.get(&passage).copied()
    }

    /// Whether both passages are of one group.
    pub(crate) fn same_group(&self, a: Key, b: Key) -> bool {
        match (self.groups.get(&a), self.groups.get(&b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        }
    }
}

/// Gathers what is known: first all training pairs, then all judgements, then the whole corpus.
#[derive(Debug, Default)]
pub struct Evidence {
    known: Known,
    /// Texts of each query id.
    texts_of: HashMap<Key, Vec<Key>>,
    /// Passage ids whose text is still to be learnt, with the queries they answer.
    awaited: HashMap<Key, Vec<Key>>,
    /// Passage ids named in judgements and not yet seen in the corpus.
    unseen: HashSet<Key>,
    /// Texts of queries and positives.
    telling: HashSet<Key>,
    /// Ids and texts of the passages seen.
    passages: Vec<(Key, Key)>,
}

/// What a pair brought that was not known before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct New {
    /// Its anchor's id.
    pub anchor: bool,
    /// The pair of its ids.
    pub pair: bool,
}

impl Evidence {
    /// Adds a training pair.
    pub fn add_pair(
        &mut self,
        anchor_id: &str,
        anchor: &str,
        positive_id: &str,
        positive: &str,
    ) -> New {
        let (query_id, query) = (id_key(anchor_id), text_key(anchor));
        let (passage_id, passage) = (id_key(positive_id), text_key(positive));
        let texts = self.texts_of.entry(query_id).or_default();
        let new = New {
            anchor: texts.is_empty(),
            pair: !self.known.answers.contains(&(query_id, passage_id)),
        };
        if !texts.contains(&query) {
            texts.push(query);
        }
        for asker in [query_id, query] {
            self.known.answers.insert((asker, passage));
            self.add_answer(asker, passage_id);
        }
        self.telling.extend([query, passage]);
        new
    }

    /// Adds a judgement that the passage answers the query.
    pub fn add_judgement(&mut self, query_id: &str, corpus_id: &str) {
        let (query_id, passage_id) = (id_key(query_id), id_key(corpus_id));
        self.unseen.insert(passage_id);
        for asker in self.texts_of.get(&query_id).cloned().unwrap_or_default() {
            self.add_answer(asker, passage_id);
            self.add_answer(query_id, passage_id);
        }
    }

    fn add_answer(&mut self, asker: Key, passage_id: Key) {
        if self.known.answers.insert((asker, passage_id)) {
            self.awaited.entry(passage_id).or_default().push(asker);
        }
    }

    /// Adds a passage of the corpus, with its group where groups count.
    pub fn add_passage(&mut self, id: &str, text: &str, group: Option<&str>) {
        let (passage_id, passage) = (id_key(id), text_key(text));
        self.unseen.remove(&passage_id);
        if let Some(askers) = self.awaited.remove(&passage_id) {
            let answers = askers.into_iter().map(|asker| (asker, passage));
            self.known.answers.extend(answers);
            self.telling.insert(passage);
        }
        self.passages.push((passage_id, passage));
        if let Some(group) = group {
            self.known.groups.insert(passage_id, id_key(group));
        }
    }

    /// How many passages the judgements name that were not in the corpus.
    pub fn judged_but_unseen(&self) -> usize {
        self.unseen.len()
    }

    /// What is known now that all was said.
    pub fn finish(mut self) -> Known {
        let telling = self.telling;
        self.passages.retain(|(_, text)| telling.contains(text));
        self.known.texts = self.passages.into_iter().collect();
        self.known
    }
}
