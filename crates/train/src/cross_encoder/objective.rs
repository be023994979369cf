use std::collections::{BTreeMap, HashMap, HashSet};

use pairmill_schema::{Sameness, TextKey, counted};
use tch::Tensor;

use crate::data::TrainingSet;
use crate::error::{Result, TrainError};
use crate::labeled::LabeledSet;
use crate::losses::cross_encoder::{LabelLoss, ListLoss, Loss};
use crate::objective::ScoredPair;
use crate::sampler::shuffled_batches;
use crate::shuffle_buffer::ShuffleBuffer;

/// A query and its documents with their labels or teacher scores, positives first.
#[derive(Debug, Clone)]
pub(super) struct List {
    query: String,
    documents: Vec<(String, f32)>,
    /// What the query and each document are compared by.
    query_key: TextKey,
    keys: Vec<TextKey>,
}

impl List {
    fn new(query: String, documents: Vec<(String, f32)>, same_text: Sameness) -> Self {
        Self {
            query_key: TextKey::new(&query, same_text),
            keys: documents
                .iter()
                .map(|(text, _)| TextKey::identical(text))
                .collect(),
            query,
            documents,
        }
    }

    /// Returns the first document, with its key.
    fn positive(&self) -> (TextKey, &str) {
        (self.keys[0], &self.documents[0].0)
    }
}

/// Training rows with their loss.
pub(super) enum Objective {
    Labeled(LabeledSet, LabelLoss),
    Lists(Lists, ListLoss),
}

/// Lists, of which several may be of one query.
#[derive(Debug)]
pub(super) struct Lists {
    lists: Vec<List>,
    /// Positives of other queries of a batch that join each list as negatives.
    in_batch: usize,
    /// The places of the lists of each query, where negatives come from other queries.
    of_query: HashMap<TextKey, Vec<usize>>,
}

impl Lists {
    fn new(lists: Vec<List>, in_batch: usize) -> Self {
        let mut of_query: HashMap<TextKey, Vec<usize>> = HashMap::new();
        if in_batch > 0 {
            for (place, list) in lists.iter().enumerate() {
                of_query.entry(list.query_key).or_default().push(place);
            }
        }
        Self {
            lists,
            in_batch,
            of_query,
        }
    }

    /// Returns the first positive of each list of a query.
    fn positives(&self, query: TextKey) -> impl Iterator<Item = TextKey> {
        let places = self.of_query.get(&query).into_iter().flatten();
        places.map(|&place| self.lists[place].positive().0)
    }
}

impl Objective {
    /// Lists of one positive and its hard negatives, with `in_batch` positives of other queries of
    /// the batch.
    pub fn of_pairs(set: &TrainingSet, in_batch: usize, loss: ListLoss) -> Self {
        Self::Lists(Lists::new(lists_of_pairs(set), in_batch), loss)
    }

    /// Lists of all positives and hard negatives of a query.
    ///
    /// # Errors
    /// If there is no hard negative in the whole data.
    pub fn of_queries(
        set: &TrainingSet,
        loss: Loss,
        list_loss: ListLoss,
        buffer: ShuffleBuffer,
    ) -> Result<Self> {
        let lists = lists_of_queries(set);
        if lists.is_empty() && buffer.is_whole() {
            return Err(TrainError::NoHardNegative { loss: loss.name });
        }
        Ok(Self::Lists(Lists::new(lists, 0), list_loss))
    }

    /// Lists scored by a teacher.
    pub fn of_scored(pairs: Vec<ScoredPair>, loss: ListLoss) -> Self {
        let lists = pairs.into_iter();
        let lists = lists.map(|pair| List::new(pair.query, pair.documents, Sameness::default()));
        Self::Lists(Lists::new(lists.collect(), 0), loss)
    }

    pub fn rows(&self) -> usize {
        match self {
            Self::Labeled(set, _) => set.pairs.len(),
            Self::Lists(set, _) => set.lists.len(),
        }
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Labeled(set, _) => {
                let pairs = counted(set.pairs.len(), "pair", "pairs");
                format!("{pairs} ({} positive)", set.positives())
            }
            Self::Lists(Lists { lists, .. }, _) => {
                let documents = lists.iter().map(|list| list.documents.len());
                format!(
                    "{} with {}",
                    counted(lists.len(), "query", "queries"),
                    counted(documents.sum::<usize>(), "document", "documents")
                )
            }
        }
    }

    pub fn batches(&self, batch_size: usize, seed: u64, epoch: u32) -> Vec<Vec<usize>> {
        shuffled_batches(self.rows(), batch_size, seed, epoch)
    }

    /// Returns how many rows of a batch have nothing that their positive is told apart from.
    pub fn without_signal(&self, rows: &[usize]) -> usize {
        match self {
            Self::Lists(lists, _) if lists.in_batch > 0 => {
                let lists = layout(lists, rows);
                lists
                    .iter()
                    .filter(|(_, documents)| documents.len() < 2)
                    .count()
            }
            _ => 0,
        }
    }

    /// Returns the pairs of texts of a batch, in the order in which the loss takes their logits.
    pub fn pairs(&self, rows: &[usize]) -> Vec<(&str, &str)> {
        match self {
            Self::Labeled(set, _) => rows.iter().map(|&row| set.pairs[row].texts()).collect(),
            Self::Lists(lists, _) => {
                let lists = layout(lists, rows).into_iter();
                lists
                    .flat_map(|(query, documents)| {
                        documents.into_iter().map(move |(text, _)| (query, text))
                    })
                    .collect()
            }
        }
    }

    /// Returns the loss of the logits of these pairs.
    pub fn loss(&self, rows: &[usize], logits: &Tensor) -> Tensor {
        match self {
            Self::Labeled(set, loss) => {
                let labels: Vec<f32> = rows.iter().map(|&row| set.pairs[row].label).collect();
                let labels = Tensor::from_slice(&labels).to_device(logits.device());
                loss(logits, &labels)
            }
            Self::Lists(lists, loss) => {
                let lists = layout(lists, rows);
                let labels: Vec<Vec<f32>> = lists
                    .iter()
                    .map(|(_, documents)| documents.iter().map(|(_, label)| *label).collect())
                    .collect();
                let Padded {
                    logits,
                    labels,
                    padding,
                } = Padded::new(logits, &labels);
                loss(&logits, &labels, &padding)
            }
        }
    }
}

fn lists_of_pairs(set: &TrainingSet) -> Vec<List> {
    let rows = set.rows.iter();
    rows.map(|row| {
        let negatives = row.negatives.iter().map(|&negative| (negative, 0.0));
        let documents = [(row.positive, 1.0)].into_iter().chain(negatives);
        let documents = documents.map(|(text, label)| (set.text(text).to_owned(), label));
        List::new(
            set.text(row.anchor).to_owned(),
            documents.collect(),
            set.same_text(),
        )
    })
    .collect()
}

/// Makes one list for each anchor that has a hard negative; a text that is a positive of one row
/// and a negative of another is a positive.
fn lists_of_queries(set: &TrainingSet) -> Vec<List> {
    let mut positives: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut negatives: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in &set.rows {
        let query = set.text(row.anchor);
        positives
            .entry(query)
            .or_default()
            .push(set.text(row.positive));
        let texts = row.negatives.iter().map(|&negative| set.text(negative));
        negatives.entry(query).or_default().extend(texts);
    }
    positives
        .into_iter()
        .filter_map(|(query, relevant)| {
            let mut known: HashSet<&str> = relevant.iter().copied().collect();
            let others = negatives[query].iter().copied();
            let others: Vec<&str> = others.filter(|text| known.insert(text)).collect();
            let documents = relevant.into_iter().map(|text| (text.to_owned(), 1.0));
            let none = others.is_empty();
            let documents = documents.chain(others.into_iter().map(|text| (text.to_owned(), 0.0)));
            let list = List::new(query.to_owned(), documents.collect(), set.same_text());
            (!none).then_some(list)
        })
        .collect()
}

type ListOfTexts<'a> = (&'a str, Vec<(&'a str, f32)>);

/// Returns the documents of each query of a batch, with the in-batch negatives: the positives of
/// the rows that follow in the batch, unless they are the query's own in this or another row.
fn layout<'a>(set: &'a Lists, rows: &[usize]) -> Vec<ListOfTexts<'a>> {
    let lists = &set.lists;
    let own = |list: &'a List| {
        list.documents
            .iter()
            .map(|(text, label)| (text.as_str(), *label))
    };
    (0..rows.len())
        .map(|place| {
            let list = &lists[rows[place]];
            let own_keys = list.keys.iter().copied();
            let mut known: HashSet<TextKey> =
                own_keys.chain(set.positives(list.query_key)).collect();
            let mates = (1..rows.len()).map(|ahead| &lists[rows[(place + ahead) % rows.len()]]);
            let negatives: Vec<(&str, f32)> = mates
                .filter(|mate| mate.query_key != list.query_key)
                .map(|mate| mate.positive())
                .filter(|(key, _)| known.insert(*key))
                .take(set.in_batch)
                .map(|(_, text)| (text, 0.0))
                .collect();
            (list.query.as_str(), own(list).chain(negatives).collect())
        })
        .collect()
}

/// Ragged lists as matrices `[lists, most documents]`.
struct Padded {
    logits: Tensor,
    labels: Tensor,
    padding: Tensor,
}

impl Padded {
    /// Begins with the logits of a batch: `logits` is `[documents of all lists]`.
    fn new(logits: &Tensor, labels: &[Vec<f32>]) -> Self {
        let width = labels.iter().map(Vec::len).max().unwrap_or(0);
        let (mut places, mut values, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        let mut start = 0;
        for list in labels {
            for column in 0..width {
                let there = column < list.len();
                places.push(if there { start + column as i64 } else { 0 });
                values.push(if there { list[column] } else { 0.0 });
                missing.push(!there);
            }
            start += list.len() as i64;
        }
        let shape = [labels.len() as i64, width as i64];
        let device = logits.device();
        let places = Tensor::from_slice(&places).to_device(device);
        Self {
            logits: logits.index_select(0, &places).view(shape),
            labels: Tensor::from_slice(&values).view(shape).to_device(device),
            padding: Tensor::from_slice(&missing).view(shape).to_device(device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(query: &str, documents: &[&str]) -> List {
        let labels = [1.0].into_iter().chain(std::iter::repeat(0.0));
        let documents = documents.iter().map(|text| (*text).to_owned()).zip(labels);
        List::new(query.to_owned(), documents.collect(), Sameness::default())
    }

    #[test]
    fn batch_mates_lend_their_positives_but_not_a_querys_own() {
        let lists = Lists::new(
            vec![
                list("a", &["1", "n"]),
                list("b", &["2"]),
                list("a", &["3"]),
                list("c", &["1"]),
                list("b", &["1"]),
            ],
            2,
        );
        let texts: Vec<Vec<&str>> = layout(&lists, &[0, 1, 2, 3])
            .into_iter()
            .map(|(_, documents)| documents.into_iter().map(|(text, _)| text).collect())
            .collect();
        assert_eq!(texts[0], ["1", "n", "2"]);
        // The first is a positive of this query too, in a row that is not in the batch.
        assert_eq!(texts[1], ["2", "3"]);
        assert_eq!(texts[3], ["1", "2", "3"]);
    }

    #[test]
    fn ragged_lists_are_padded() {
        let logits = Tensor::from_slice(&[1.0f32, 2.0, 3.0]);
        let padded = Padded::new(&logits, &[vec![1.0], vec![1.0, 0.0]]);
        let missing = Vec::<Vec<bool>>::try_from(&padded.padding).unwrap();
        assert_eq!(missing, [[false, true], [false, false]]);
        let logits = Vec::<Vec<f32>>::try_from(&padded.logits).unwrap();
        assert_eq!(logits[1], [2.0, 3.0]);
    }
}
