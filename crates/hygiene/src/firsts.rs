use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::finding::Finding;
use crate::kind::Kind;
use crate::table::Place;

/// The first row of each key of a table with what it says, for those that find a key that says
/// something else further down.
#[derive(Debug)]
pub struct Firsts<K, V> {
    rows: FxHashMap<K, First<V>>,
    table: u32,
}

/// The first row of a key.
#[derive(Debug, Clone, Copy)]
pub struct First<V> {
    pub value: V,
    pub place: Place,
    pub column: u8,
}

impl<K, V> Default for Firsts<K, V> {
    fn default() -> Self {
        Self {
            rows: FxHashMap::default(),
            table: 0,
        }
    }
}

impl<K: Eq + Hash, V: Copy + PartialEq> Firsts<K, V> {
    /// Takes in a row and returns the first one of its key, if that says something else. Rows come
    /// table by table.
    pub fn other(&mut self, key: K, value: V, place: Place, column: usize) -> Option<First<V>> {
        if self.table != place.table {
            self.table = place.table;
            self.rows.clear();
        }
        let column = column as u8;
        let row = First {
            value,
            place,
            column,
        };
        let first = *self.rows.entry(key).or_insert(row);
        (first.value != value).then_some(first)
    }
}

impl<V> First<V> {
    /// Returns what is to be said of a row beside this one.
    pub fn finding(
        &self,
        kind: &'static Kind,
        (place, column): (Place, usize),
        detail: impl Into<String>,
    ) -> Finding {
        let finding = Finding::new(kind, place, detail).in_column(column);
        finding.beside(self.place, self.column.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_of_a_key_is_that_of_its_table() {
        let mut firsts = Firsts::default();
        let mut other = |table, row, value| {
            let first = firsts.other("key", value, Place::new(table, row), 0);
            first.map(|first| (first.value, first.place.row))
        };
        assert_eq!(other(0, 0, 'a'), None);
        assert_eq!(other(0, 1, 'a'), None);
        assert_eq!(other(0, 2, 'b'), Some(('a', 0)));
        assert_eq!(other(1, 0, 'b'), None);
    }
}
