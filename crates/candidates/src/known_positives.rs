use std::collections::{HashMap, HashSet};

use pairmill_schema::Sameness;
use pairmill_tables::passage;

use crate::keys::{Key, id_key, passage_key, question_key};

/// What is known about which passages answer which query.
///
/// A positive is known by its id and by its text, for a query known by its id and by its text: so
/// the same question under another id shares its answers, and a copy of an answer is an answer.
/// Questions are compared as the user wants it, passages are the same if they are
/// [identical](Sameness::Identical).
#[derive(Debug, Default)]
pub struct Known {
    /// (query's id or text, passage's id or text).
    answers: HashSet<(Key, Key)>,
    /// Text of the passages, with and without their titles, that have the text of a positive.
    texts: HashMap<Key, [Key; 2]>,
    /// Group of each passage, where groups count.
    groups: HashMap<Key, Key>,
    pub(crate) sameness: Sameness,
    /// Whether a passage with a query's id is the query whatever it says.
    pub(crate) identical_ids: bool,
}

impl Known {
    /// Whether the query is known to be answered by this passage, given by id or text.
    pub(crate) fn answers(&self, query: [Key; 2], passage: Key) -> bool {
        let [id, text] = query;
        self.answers.contains(&(id, passage)) || self.answers.contains(&(text, passage))
    }

    /// The texts of a passage of the corpus, if one is that of some positive.
    pub(crate) fn texts(&self, passage: Key) -> Option<[Key; 2]> {
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
    /// Text of each query id.
    queries: HashMap<Key, Key>,
    /// Text of each positive's id.
    positives: HashMap<Key, Key>,
    /// Passage ids whose text is still to be learnt, with the queries they answer.
    awaited: HashMap<Key, Vec<Key>>,
    /// Passage ids named in judgements and not yet seen in the corpus.
    unseen: HashSet<Key>,
    /// Texts of positives.
    telling: HashSet<Key>,
    /// Those of them seen in the corpus.
    found: HashSet<Key>,
    /// Ids and texts of the passages seen.
    passages: Vec<(Key, [Key; 2])>,
    absence: Absence,
}

/// What a pair brought that was not known before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct New {
    /// Its anchor's id.
    pub anchor: bool,
    /// The pair of its ids.
    pub pair: bool,
    /// The id, if there is one, that another pair gave another text.
    pub ambiguous: Option<Side>,
}

/// A side of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The anchor.
    Anchor,
    /// The positive.
    Positive,
}

/// How far the positives of the pairs are in the corpus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Absence {
    /// Positives of the pairs, by id.
    pub positives: u64,
    /// Those that the corpus has neither by id nor by text.
    pub absent: u64,
    /// Those whose id has another text in the corpus.
    pub differing: u64,
    /// The least of their ids.
    pub example: Option<String>,
    /// Passages with a title of which a positive is the text without it.
    pub untitled: u64,
}

impl Evidence {
    /// Nothing known yet. `identical_ids` says whether a passage with a query's id is the query
    /// whatever it says.
    pub fn new(sameness: Sameness, identical_ids: bool) -> Self {
        Self {
            known: Known {
                sameness,
                identical_ids,
                ..Known::default()
            },
            ..Self::default()
        }
    }

    /// Adds a training pair.
    pub fn add_pair(
        &mut self,
        anchor_id: &str,
        anchor: &str,
        positive_id: &str,
        positive: &str,
    ) -> New {
        let query_id = id_key(anchor_id);
        let query = question_key(anchor, self.known.sameness);
        let (passage_id, passage) = (id_key(positive_id), passage_key(positive));
        let anchors = self.queries.len();
        let known_query = *self.queries.entry(query_id).or_insert(query);
        let known_passage = *self.positives.entry(passage_id).or_insert(passage);
        let new = New {
            anchor: self.queries.len() > anchors,
            pair: !self.known.answers.contains(&(query_id, passage_id)),
            ambiguous: match (known_query == query, known_passage == passage) {
                (false, _) => Some(Side::Anchor),
                (_, false) => Some(Side::Positive),
                _ => None,
            },
        };
        for asker in [query_id, query] {
            self.known.answers.insert((asker, passage));
            self.add_answer(asker, passage_id);
        }
        self.telling.insert(passage);
        new
    }

    /// Whether a pair said that the passage answers the query, both given by text.
    pub fn knows(&self, query: Key, passage: Key) -> bool {
        self.known.answers.contains(&(query, passage))
    }

    /// Adds a judgement that the passage answers the query.
    pub fn add_judgement(&mut self, query_id: &str, corpus_id: &str) {
        let (query_id, passage_id) = (id_key(query_id), id_key(corpus_id));
        self.unseen.insert(passage_id);
        if let Some(&query) = self.queries.get(&query_id) {
            self.add_answer(query, passage_id);
            self.add_answer(query_id, passage_id);
        }
    }

    fn add_answer(&mut self, asker: Key, passage_id: Key) {
        if self.known.answers.insert((asker, passage_id)) {
            self.awaited.entry(passage_id).or_default().push(asker);
        }
    }

    /// Adds a passage of the corpus, with its group where groups count.
    pub fn add_passage(&mut self, id: &str, title: &str, text: &str, group: Option<&str>) {
        let passage_id = id_key(id);
        let whole = passage_key(&passage(title, text));
        let bare = match title {
            "" => whole,
            _ => passage_key(text),
        };
        self.unseen.remove(&passage_id);
        if let Some(askers) = self.awaited.remove(&passage_id) {
            let answers = askers.into_iter().map(|asker| (asker, whole));
            self.known.answers.extend(answers);
            self.telling.insert(whole);
        }
        if let Some(positive) = self.positives.get(&passage_id) {
            self.found.insert(*positive);
            if ![whole, bare].contains(positive) {
                self.absence.differing += 1;
                let least = self.absence.example.get_or_insert_with(|| id.to_owned());
                if id < least.as_str() {
                    id.clone_into(least);
                }
            }
        }
        self.absence.untitled += u64::from(bare != whole && self.telling.contains(&bare));
        for key in [whole, bare] {
            if self.telling.contains(&key) {
                self.found.insert(key);
            }
        }
        self.passages.push((passage_id, [whole, bare]));
        if let Some(group) = group {
            self.known.groups.insert(passage_id, id_key(group));
        }
    }

    /// How many passages the judgements name that were not in the corpus.
    pub fn judged_but_unseen(&self) -> usize {
        self.unseen.len()
    }

    /// How far the positives are in the corpus.
    pub fn absence(&self) -> Absence {
        let absent = |text: &&Key| !self.found.contains(*text);
        Absence {
            positives: self.positives.len() as u64,
            absent: self.positives.values().filter(absent).count() as u64,
            ..self.absence.clone()
        }
    }

    /// What is known now that all was said.
    pub fn finish(mut self) -> Known {
        let telling = self.telling;
        self.passages
            .retain(|(_, texts)| texts.iter().any(|text| telling.contains(text)));
        self.known.texts = self.passages.into_iter().collect();
        self.known
    }
}
