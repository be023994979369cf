use pairmill_checkpoint::TokenIds;
use tch::{Device, Kind, Tensor};

/// Sequences of equal length that lie next to each other in a packed batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group {
    pub sequences: i64,
    pub length: i64,
}

/// A batch of token sequences without padding: all tokens one after another, shortest sequences
/// first.
#[derive(Debug)]
pub struct PackedBatch {
    /// Vocabulary ids, `[tokens]`.
    pub(crate) ids: Tensor,
    /// Position of each token in its sequence, `[tokens]`.
    pub(crate) positions: Tensor,
    /// Segment of each token, `[tokens]`.
    pub(crate) types: Tensor,
    pub(crate) groups: Vec<Group>,
    /// For each sequence in packed order, the tokens at its start that the pooling leaves out; none
    /// where there are none.
    pub(crate) prompts: Option<Vec<i64>>,
    /// For each input sequence, its row in packed order, `[sequences]`.
    pub(crate) rows: Tensor,
    /// For each sequence in packed order, where it starts, `[sequences]`.
    pub(crate) starts: Tensor,
}

impl PackedBatch {
    /// Packs sequences; none may be empty.
    pub fn new(sequences: &[&TokenIds], device: Device) -> Self {
        let mut order: Vec<usize> = (0..sequences.len()).collect();
        order.sort_by_key(|&i| sequences[i].ids.len());
        let tokens: usize = sequences.iter().map(|s| s.ids.len()).sum();
        let mut ids = Vec::with_capacity(tokens);
        let mut positions = Vec::with_capacity(tokens);
        let mut types = Vec::with_capacity(tokens);
        let mut starts = Vec::with_capacity(sequences.len());
        let mut rows = vec![0i64; sequences.len()];
        let mut groups: Vec<Group> = Vec::new();
        for (row, &i) in order.iter().enumerate() {
            let sequence = sequences[i];
            let length = sequence.ids.len() as i64;
            rows[i] = row as i64;
            starts.push(ids.len() as i64);
            ids.extend(sequence.ids.iter().map(|&id| i64::from(id)));
            types.extend(sequence.types.iter().map(|&kind| i64::from(kind)));
            positions.extend(0..length);
            match groups.last_mut() {
                Some(group) if group.length == length => group.sequences += 1,
                _ => groups.push(Group {
                    sequences: 1,
                    length,
                }),
            }
        }
        let prompts: Vec<i64> = order.iter().map(|&i| sequences[i].prompt as i64).collect();
        let tensor = |values: &[i64]| Tensor::from_slice(values).to_device(device);
        Self {
            ids: tensor(&ids),
            positions: tensor(&positions),
            types: tensor(&types),
            groups,
            prompts: prompts.iter().any(|&prompt| prompt > 0).then_some(prompts),
            rows: tensor(&rows),
            starts: tensor(&starts),
        }
    }

    /// Returns the number of tokens, special ones included.
    pub fn tokens(&self) -> i64 {
        self.ids.size()[0]
    }

    /// Returns the positions as RoBERTa and MPNet count them, `[tokens]`: from `padding_idx + 1`,
    /// while a padding token inside a text has position `padding_idx` and is not counted.
    pub(crate) fn positions_behind(&self, padding_idx: i64) -> Tensor {
        let counted = self.ids.ne(padding_idx).to_kind(Kind::Int64);
        let count = counted.cumsum(0, Kind::Int64);
        let before = (&count - &counted).index_select(0, &self.starts);
        let sequence = self.positions.eq(0).cumsum(0, Kind::Int64) - 1;
        (count - before.index_select(0, &sequence)) * counted + padding_idx
    }

    /// Counts the tokens of each group, the sizes to split a `[tokens, …]` tensor by.
    pub(crate) fn group_tokens(&self) -> Vec<i64> {
        self.groups
            .iter()
            .map(|group| group.sequences * group.length)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(ids: &[u32]) -> TokenIds {
        TokenIds {
            ids: ids.to_vec(),
            types: vec![0; ids.len()],
            ..TokenIds::default()
        }
    }

    #[test]
    fn equal_lengths_become_neighbours_and_rows_lead_back() {
        let texts = [
            sequence(&[1, 2, 3]),
            sequence(&[4, 5]),
            sequence(&[6, 7, 8]),
        ];
        let batch = PackedBatch::new(&texts.iter().collect::<Vec<_>>(), Device::Cpu);
        assert_eq!(
            Vec::<i64>::try_from(&batch.ids).unwrap(),
            [4, 5, 1, 2, 3, 6, 7, 8]
        );
        assert_eq!(Vec::<i64>::try_from(&batch.rows).unwrap(), [1, 0, 2]);
        assert_eq!(Vec::<i64>::try_from(&batch.starts).unwrap(), [0, 2, 5]);
        assert_eq!(
            batch.groups,
            [
                Group {
                    sequences: 1,
                    length: 2
                },
                Group {
                    sequences: 2,
                    length: 3
                }
            ]
        );
    }

    #[test]
    fn positions_behind_padding_leave_padding_tokens_out() {
        let texts = [sequence(&[5, 1, 6, 7]), sequence(&[5, 6])];
        let batch = PackedBatch::new(&texts.iter().collect::<Vec<_>>(), Device::Cpu);
        let positions = Vec::<i64>::try_from(&batch.positions_behind(1)).unwrap();
        assert_eq!(positions, [2, 3, 2, 1, 3, 4]);
    }
}
