use std::collections::{HashMap, HashSet};

use tch::{Device, Tensor};

use crate::data::{Row, TrainingSet};

/// What is known about which documents belong to which anchors, so that a batch-mate's document
/// that is known to be right is never used as a negative.
#[derive(Debug)]
pub(crate) struct Judgements {
    /// Anchor text → texts of its known positives.
    by_text: HashMap<u32, HashSet<u32>>,
    /// Anchor id → ids of its known positives.
    by_id: HashMap<u32, HashSet<u32>>,
}

impl Judgements {
    pub fn new(set: &TrainingSet) -> Self {
        let mut by_text: HashMap<u32, HashSet<u32>> = HashMap::new();
        let mut by_id: HashMap<u32, HashSet<u32>> = HashMap::new();
        for row in &set.rows {
            let positives = by_text.entry(row.anchor.text).or_default();
            positives.insert(row.positive.text);
            if let (Some(anchor), Some(positive)) = (row.anchor.id, row.positive.id) {
                by_id.entry(anchor).or_default().insert(positive);
            }
        }
        Self { by_text, by_id }
    }

    /// `[batch, documents]`, true where a document is no negative of an anchor: a known positive
    /// by id or by text, the anchor's own text, or a document of the same group. The documents
    /// are the positives of the batch in order, then its negatives row by row. An anchor's own
    /// positive and own hard negatives are never marked.
    pub fn excluded(&self, set: &TrainingSet, batch: &[&Row]) -> Tensor {
        let documents: Vec<_> = batch
            .iter()
            .enumerate()
            .map(|(owner, row)| (owner, row.positive))
            .chain(batch.iter().enumerate().flat_map(|(owner, row)| {
                row.negatives.iter().map(move |&negative| (owner, negative))
            }))
            .collect();
        let mut marks = Vec::with_capacity(batch.len() * documents.len());
        for (i, row) in batch.iter().enumerate() {
            let texts = self.by_text.get(&row.anchor.text);
            let ids = row.anchor.id.and_then(|id| self.by_id.get(&id));
            let group = set.group_of(row.positive);
            for &(owner, document) in &documents {
                let known = document.text == row.anchor.text
                    || texts.is_some_and(|texts| texts.contains(&document.text))
                    || document
                        .id
                        .zip(ids)
                        .is_some_and(|(id, ids)| ids.contains(&id))
                    || group.is_some() && set.group_of(document) == group;
                marks.push(owner != i && known);
            }
        }
        Tensor::from_slice(&marks)
            .view([batch.len() as i64, documents.len() as i64])
            .to_device(Device::Cpu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Text;

    fn row(anchor: u32, positive: u32, negatives: &[u32]) -> Row {
        let text = |text| Text {
            text,
            id: Some(text),
        };
        Row {
            anchor: text(anchor),
            positive: text(positive),
            negatives: negatives.iter().map(|&n| text(n)).collect(),
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
}
