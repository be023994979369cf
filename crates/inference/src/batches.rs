use std::ops::Range;

/// Lengths are padded up to a multiple of this, and only equal padded lengths share a batch. So a
/// row is always computed at the same length, whatever else there is, and its result is the same
/// to the last bit for any batch size, thread count and order of input; padding stays under 8 tokens.
const STEP: usize = 8;

/// A batch: a range of the sorted order, and the length to pad to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub rows: Range<usize>,
    pub tokens: usize,
}

/// Sorts items by length, longest first, and cuts the order into batches of at most `budget`
/// tokens, padding counted; an item longer than that is a batch of its own. `most` is the length
/// that no padding exceeds. Returns the order (position → item) and the batches over it.
pub(crate) fn by_length(lengths: &[usize], budget: usize, most: usize) -> (Vec<usize>, Vec<Batch>) {
    let padded = |item: usize| {
        lengths[item]
            .next_multiple_of(STEP)
            .min(most)
            .max(lengths[item])
            .max(1)
    };
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&item| std::cmp::Reverse(padded(item)));
    let mut batches = Vec::new();
    let mut start = 0;
    for bucket in order.chunk_by(|&a, &b| padded(a) == padded(b)) {
        let tokens = padded(bucket[0]);
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
    (order, batches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(rows: Range<usize>, tokens: usize) -> Batch {
        Batch { rows, tokens }
    }

    #[test]
    fn longest_first_within_the_budget() {
        let (order, batches) = by_length(&[5, 20, 8, 3, 24], 16, 512);
        assert_eq!(order, [1, 4, 0, 2, 3]);
        assert_eq!(
            batches,
            [
                batch(0..1, 24),
                batch(1..2, 24),
                batch(2..4, 8),
                batch(4..5, 8)
            ]
        );
    }

    #[test]
    fn no_padding_past_the_models_positions() {
        let (_, batches) = by_length(&[14, 13, 2], 1000, 14);
        assert_eq!(batches, [batch(0..2, 14), batch(2..3, 8)]);
    }

    #[test]
    fn a_row_without_tokens_is_all_padding() {
        assert_eq!(by_length(&[0], 16, 512).1, [batch(0..1, 1)]);
    }

    #[test]
    fn nothing_to_do() {
        assert_eq!(by_length(&[], 16, 512), (vec![], vec![]));
    }
}
