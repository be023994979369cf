use std::collections::HashMap;
use std::hash::Hash;

/// Items of which each value needs work only once, so that equal ones get equal results.
pub(crate) struct Distinct<'a, T> {
    /// Each value, in the order in which they first come.
    pub values: Vec<&'a T>,
    /// The place in `values` of each item's value.
    places: Vec<usize>,
}

impl<'a, T: Eq + Hash> Distinct<'a, T> {
    pub fn of(items: &'a [T]) -> Self {
        let mut known = HashMap::with_capacity(items.len());
        let mut values = Vec::new();
        let place = |item: &'a T| {
            *known.entry(item).or_insert_with(|| {
                values.push(item);
                values.len() - 1
            })
        };
        let places = items.iter().map(place).collect();
        Self { values, places }
    }

    /// Returns the result of each item, from those of the values: `width` numbers each.
    pub fn rows(&self, of_values: Vec<f32>, width: usize) -> Vec<f32> {
        if self.values.len() == self.places.len() {
            return of_values;
        }
        let places = self.places.iter();
        let rows = places.flat_map(|place| &of_values[place * width..][..width]);
        rows.copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_items_share_a_result() {
        let items = ["b", "a", "b"];
        let distinct = Distinct::of(&items);
        assert_eq!(distinct.values, [&"b", &"a"]);
        assert_eq!(
            distinct.rows(vec![1.0, 2.0, 3.0, 4.0], 2),
            [1.0, 2.0, 3.0, 4.0, 1.0, 2.0]
        );
    }
}
