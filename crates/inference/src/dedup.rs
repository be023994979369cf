use std::collections::HashMap;
use std::hash::Hash;

/// The values of a column of which each needs work only once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dedup<T> {
    /// Each value, in the order in which they first came.
    pub values: Vec<T>,
    /// The index in `values` of each row's value, none where it is null.
    pub of_row: Vec<Option<usize>>,
    counts: Vec<u64>,
}

impl<T: Copy + Eq + Hash> Dedup<T> {
    pub fn of(rows: impl Iterator<Item = Option<T>>) -> Self {
        let (mut values, mut counts) = (Vec::new(), Vec::new());
        let mut seen = HashMap::new();
        let of_row = rows.map(|row| {
            let value = row?;
            let index = *seen.entry(value).or_insert_with(|| {
                values.push(value);
                counts.push(0);
                values.len() - 1
            });
            counts[index] += 1;
            Some(index)
        });
        Self {
            of_row: of_row.collect(),
            values,
            counts,
        }
    }

    /// Returns how many rows have one of these values.
    pub fn rows(&self, values: &[usize]) -> u64 {
        values.iter().map(|&value| self.counts[value]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_once_in_the_order_of_the_rows() {
        let rows = [Some("b"), None, Some("a"), Some("b")];
        let distinct = Dedup::of(rows.into_iter());
        assert_eq!(distinct.values, ["b", "a"]);
        assert_eq!(distinct.of_row, [Some(0), None, Some(1), Some(0)]);
        assert_eq!((distinct.rows(&[0]), distinct.rows(&[0, 1])), (2, 3));
    }
}
