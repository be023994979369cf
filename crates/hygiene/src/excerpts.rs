use std::collections::{BTreeMap, HashMap};

use crate::anonymise::{hidden, shown};
use crate::checks::chief_column;
use crate::finding::Found;
use crate::table::{Batch, Place, Table};

/// A row as a finding shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// Its id, or the number of its row where it has none.
    pub id: String,
    /// The beginning of its text.
    pub text: String,
}

/// The rows that findings name, gathered while the tables are read once more.
#[derive(Debug, Default)]
pub struct Excerpts {
    wanted: BTreeMap<Place, Vec<usize>>,
    gathered: HashMap<(Place, usize), Excerpt>,
}

impl Excerpts {
    /// Starts to gather what these findings need.
    pub fn new(found: &Found, tables: &[Table]) -> Self {
        let mut wanted: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        let mut want = |place: Place, column: usize| {
            let columns = wanted.entry(place).or_default();
            if !columns.contains(&column) {
                columns.push(column);
            }
        };
        for finding in &found.findings {
            let chief = chief_column(&tables[finding.place.table as usize]);
            want(finding.place, finding.column.unwrap_or(chief));
            if let Some((place, column)) = finding.other {
                want(place, column);
            }
        }
        Self {
            wanted,
            gathered: HashMap::new(),
        }
    }

    /// Whether no row of this table, from this one on, is wanted.
    pub fn is_done(&self, table: usize, row: usize) -> bool {
        let from = Place::new(table, row);
        let next = self.wanted.range(from..).next();
        next.is_none_or(|(place, _)| place.table as usize != table)
    }

    /// Takes what is wanted out of a batch.
    pub fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        let [from, to] =
            [batch.first, batch.first + batch.rows()].map(|row| Place::new(table, row));
        for (place, columns) in self.wanted.range(from..to) {
            let row = place.row as usize - batch.first;
            for &column in columns {
                let ids = batch.ids.get(column).and_then(Option::as_ref);
                let id = ids.map_or("", |ids| ids[row]);
                let excerpt = Excerpt {
                    id: match id {
                        "" => (place.row + 1).to_string(),
                        id => id.to_owned(),
                    },
                    text: match info.personal.contains(&column) {
                        true => hidden(&info.texts[column].name),
                        false => shown(batch.texts[column][row], &batch.names(info, row)),
                    },
                };
                self.gathered.insert((*place, column), excerpt);
            }
        }
    }

    /// Returns the row in a column, or in the chief one where none is named.
    pub fn get(&self, table: &Table, place: Place, column: Option<usize>) -> Option<&Excerpt> {
        let column = column.unwrap_or_else(|| chief_column(table));
        self.gathered.get(&(place, column))
    }
}
