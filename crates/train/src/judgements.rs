use std::collections::{HashMap, HashSet};

use tch::{Device, Tensor};

use crate::data::{Row, Text, TrainingSet};

/// What is known about which documents belong to which anchors, so that a batch-mate's document
/// that is known to be right is never used as a negative. Anchors that are equivalent share their
/// positives.
#[derive(Debug)]
pub(crate) struct Judgements {
    /// Class of the anchor's text → classes of its known positives.
    by_text: HashMap<u32, HashSet<u32>>,
    /// Anchor id → ids of its known positives.
    by_id: HashMap<u32, HashSet<u32>>,
}

impl Judgements {
    pub fn new(set: &TrainingSet) -> Self {
        let mut by_text: HashMap<u32, HashSet<u32>> = HashMap::new();
        let mut by_id: HashMap<u32, HashSet<u32>> = HashMap::new();
        let classes = set.classes();
        for row in &set.rows {
            let anchor = classes.equivalent(row.anchor.text);
            let positives = by_text.entry(anchor).or_default();
            positives.insert(classes.identical(row.positive.text));
            let ids = (set.anchor_id(row.anchor), set.document_id(row.positive));
            if let (Some(anchor), Some(positive)) = ids {
                by_id.entry(anchor).or_default().insert(positive);
            }
        }
        Self { by_text, by_id }
    }

    /// Returns `[batch, documents]`, true where a document is no negative of an anchor: a known
    /// positive by id or by text, the anchor's own text, or a document of the same group. The
    /// documents are the positives of the batch in order, then its negatives row by row. An
    /// anchor's own positive and own hard negatives are never marked.
    pub fn excluded(&self, set: &TrainingSet, batch: &[&Row]) -> Tensor {
        let documents: Vec<_> = documents(batch).collect();
        let mut marks = Vec::with_capacity(batch.len() * documents.len());
        for (i, row) in batch.iter().enumerate() {
            let known = self.known_to(set, row);
            let marked = documents
                .iter()
                .map(|&(owner, document)| owner != i && known.has(document));
            marks.extend(marked);
        }
        Tensor::from_slice(&marks)
            .view([batch.len() as i64, documents.len() as i64])
            .to_device(Device::Cpu)
    }

    /// Returns how many rows of a batch have no negative: neither a hard one nor another row's
    /// document.
    pub fn without_negative(&self, set: &TrainingSet, batch: &[&Row]) -> usize {
        let alone = batch.iter().enumerate().filter(|&(i, row)| {
            let known = self.known_to(set, row);
            row.negatives.is_empty()
                && documents(batch).all(|(owner, document)| owner == i || known.has(document))
        });
        alone.count()
    }

    fn known_to<'a>(&'a self, set: &'a TrainingSet, row: &Row) -> Known<'a> {
        let anchor = set.classes().equivalent(row.anchor.text);
        Known {
            set,
            anchor,
            texts: self.by_text.get(&anchor),
            ids: set.anchor_id(row.anchor).and_then(|id| self.by_id.get(&id)),
            group: set.group_of(row.positive),
        }
    }
}

/// Returns the documents of a batch, each with the place of its row.
fn documents<'a>(batch: &'a [&Row]) -> impl Iterator<Item = (usize, Text)> + 'a {
    let positives = batch.iter().map(|row| row.positive).enumerate();
    positives.chain(
        batch
            .iter()
            .enumerate()
            .flat_map(|(owner, row)| row.negatives.iter().map(move |&negative| (owner, negative))),
    )
}

/// What is no negative of an anchor.
struct Known<'a> {
    set: &'a TrainingSet,
    anchor: u32,
    texts: Option<&'a HashSet<u32>>,
    ids: Option<&'a HashSet<u32>>,
    group: Option<u32>,
}

impl Known<'_> {
    fn has(&self, document: Text) -> bool {
        let Self { set, texts, .. } = self;
        let id = set.document_id(document);
        set.classes().equivalent(document.text) == self.anchor
            || texts.is_some_and(|texts| texts.contains(&set.classes().identical(document.text)))
            || id.zip(self.ids).is_some_and(|(id, ids)| ids.contains(&id))
            || self.group.is_some() && set.group_of(document) == self.group
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Place;

    fn row(anchor: u32, positive: u32, negatives: &[u32]) -> Row {
        let text = |text| Text {
            text,
            id: Some(text),
        };
        Row {
            anchor: text(anchor),
            positive: text(positive),
            negatives: negatives.iter().map(|&n| text(n)).collect(),
            place: Place::default(),
        }
    }

    fn excluded(set: &TrainingSet) -> Vec<Vec<bool>> {
        let batch: Vec<&Row> = set.rows.iter().collect();
        let marks = Judgements::new(set).excluded(set, &batch);
        Vec::<Vec<bool>>::try_from(marks).unwrap()
    }

    #[test]
    fn a_batch_mates_document_that_is_a_known_positive_is_no_negative() {
        let set = TrainingSet::from_rows(vec![row(1, 10, &[]), row(1, 11, &[]), row(2, 12, &[])]);
        assert_eq!(
            excluded(&set),
            [
                [false, true, false],
                [true, false, false],
                [false, false, false]
            ]
        );
    }

    #[test]
    fn the_anchors_own_text_is_no_negative() {
        let set = TrainingSet::from_rows(vec![row(1, 2, &[]), row(3, 1, &[])]);
        assert_eq!(excluded(&set), [[false, true], [false, false]]);
    }

    #[test]
    fn documents_of_the_same_group_are_no_negatives() {
        let mut set = TrainingSet::from_rows(vec![row(1, 10, &[]), row(2, 11, &[12])]);
        set.set_groups([(10, 0), (11, 1), (12, 0)].into());
        assert_eq!(
            excluded(&set),
            [[false, false, true], [false, false, false]]
        );
    }

    #[test]
    fn a_row_whose_batch_mates_are_all_right_has_no_negative() {
        let set = TrainingSet::from_rows(vec![row(1, 10, &[]), row(2, 10, &[]), row(3, 10, &[12])]);
        let judgements = Judgements::new(&set);
        let batch: Vec<&Row> = set.rows.iter().collect();
        assert_eq!(judgements.without_negative(&set, &batch), 0);
        assert_eq!(judgements.without_negative(&set, &batch[..2]), 2);
        assert_eq!(judgements.without_negative(&set, &batch[2..]), 0);
    }
}
