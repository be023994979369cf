use std::ops::Range;

/// Lengths are padded up to a multiple of this, and only equal padded lengths share a batch. So a
/// row is always computed at the same length, whatever else there is, and its result is the same
/// to the last bit for any batch size, thread count and order of input; padding stays under 8
/// tokens.
const STEP: usize = 8;

/// A batch: a range of positions in an [`Order`], and the length to pad to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub rows: Range<usize>,
    pub tokens: usize,
}

/// Items by length, longest first.
#[derive(Debug)]
pub(crate) struct Order {
    /// Position → item.
    pub items: Vec<usize>,
    /// Position → padded length.
    padded: Vec<usize>,
}

impl Order {
    /// Sorts items; no padding exceeds the length `most`.
    pub fn by_length(lengths: &[usize], most: usize) -> Self {
        let padded = |item: usize| {
            lengths[item]
                .next_multiple_of(STEP)
                .min(most)
                .max(lengths[item])
                .max(1)
        };
        let mut items: Vec<usize> = (0..lengths.len()).collect();
        items.sort_by_key(|&item| std::cmp::Reverse(padded(item)));
        let padded = items.iter().map(|&item| padded(item)).collect();
        Self { items, padded }
    }

    /// Counts the tokens of the items from a position on, padding counted.
    pub fn tokens_from(&self, start: usize) -> usize {
        self.padded[start..].iter().sum()
    }

    /// Returns where the items from a position on end that have at least so many tokens, if there
    /// are.
    pub fn end_of(&self, start: usize, tokens: usize) -> usize {
        let mut sum = 0;
        let reached = self.padded[start..].iter().position(|padded| {
            sum += padded;
            sum >= tokens
        });
        reached.map_or(self.items.len(), |reached| start + reached + 1)
    }

    /// Cuts positions into batches of at most `budget` tokens, padding counted; an item longer than
    /// that is a batch of its own.
    pub fn batches(&self, positions: Range<usize>, budget: usize) -> Vec<Batch> {
        let mut batches = Vec::new();
        let mut start = positions.start;
        for bucket in self.padded[positions].chunk_by(|a, b| a == b) {
            let tokens = bucket[0];
            let end = start + bucket.len();
            while start < end {
                let stop = end.min(start + (budget / tokens).max(1));
                batches.push(Batch {
                    rows: start..stop,
                    tokens,
                });
                start = stop;
            }
        }
        batches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(rows: Range<usize>, tokens: usize) -> Batch {
        Batch { rows, tokens }
    }

    #[test]
    fn longest_first_within_the_budget() {
        let order = Order::by_length(&[5, 20, 8, 3, 24], 512);
        assert_eq!(order.items, [1, 4, 0, 2, 3]);
        let batches = [
            batch(0..1, 24),
            batch(1..2, 24),
            batch(2..4, 8),
            batch(4..5, 8),
        ];
        assert_eq!(order.batches(0..5, 16), batches);
        assert_eq!(order.batches(1..4, 16), batches[1..3]);
        assert_eq!(order.tokens_from(1), 48);
        assert_eq!(
            [1, 24, 25, 48, 49, 72, 73].map(|tokens| order.end_of(0, tokens)),
            [1, 1, 2, 2, 3, 5, 5]
        );
    }

    #[test]
    fn no_padding_past_the_models_positions() {
        let order = Order::by_length(&[14, 13, 2], 14);
        assert_eq!(order.batches(0..3, 1000), [batch(0..2, 14), batch(2..3, 8)]);
    }

    #[test]
    fn a_row_without_tokens_is_all_padding() {
        let order = Order::by_length(&[0], 512);
        assert_eq!(order.batches(0..1, 16), [batch(0..1, 1)]);
    }

    #[test]
    fn nothing_to_do() {
        assert_eq!(Order::by_length(&[], 512).batches(0..0, 16), []);
    }
}
