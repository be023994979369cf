mod reading;

use std::collections::HashMap;

use pairmill_schema::Sameness;

use crate::odd_rows::OddRows;
use crate::texts::{Classes, Ids, Interner};

/// A text of the training data: the number of its content, and of its id where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text {
    pub text: u32,
    pub id: Option<u32>,
}

/// One training example.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub anchor: Text,
    pub positive: Text,
    pub negatives: Vec<Text>,
    pub place: Place,
}

/// Where a row comes from: the number of the table, and of the row in it from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    table: u32,
    row: u32,
}

/// Rows for the ranking loss: one for each distinct pair, with all hard negatives that were given
/// for it, which may be none. Each distinct text is held once.
#[derive(Debug, Default)]
pub(crate) struct TrainingSet {
    pub rows: Vec<Row>,
    /// Texts of anchor and positive → row.
    pairs: HashMap<(u32, u32), usize>,
    texts: Interner,
    /// When two anchors are the same.
    same_text: Sameness,
    /// Which texts are the same as which, when all are read.
    classes: Classes,
    anchor_ids: Ids,
    document_ids: Ids,
    groups: HashMap<u32, u32>,
    tables: Vec<String>,
    odd: OddRows,
}

impl TrainingSet {
    /// Returns table and row, for messages.
    pub fn at(&self, place: Place) -> String {
        let table = self.tables.get(place.table as usize);
        let table = table.map_or("row", |table| table.as_str());
        format!("{table} row {}", place.row)
    }

    /// Returns how many negatives were taken out because they contradict a positive or the anchor.
    pub fn contradictions(&self) -> usize {
        self.odd.contradictions()
    }

    /// Returns the group of a document, if it is known.
    pub fn group_of(&self, document: Text) -> Option<u32> {
        self.groups.get(&document.id?).copied()
    }

    /// Returns the id of an anchor, if it stands for one text alone.
    pub fn anchor_id(&self, anchor: Text) -> Option<u32> {
        self.anchor_ids.sound(anchor.id)
    }

    /// Returns the id of a document, if it stands for one text alone.
    pub fn document_id(&self, document: Text) -> Option<u32> {
        self.document_ids.sound(document.id)
    }

    /// Returns when two anchors are the same.
    pub fn same_text(&self) -> Sameness {
        self.same_text
    }

    /// Returns which texts are the same.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// Counts the hard negatives of all rows.
    pub fn negatives(&self) -> usize {
        self.rows.iter().map(|row| row.negatives.len()).sum()
    }

    /// Returns the content of a text.
    pub fn text(&self, text: Text) -> &str {
        &self.texts.values[text.text as usize]
    }

    #[cfg(test)]
    pub fn from_rows(rows: Vec<Row>) -> Self {
        Self {
            rows,
            ..Self::default()
        }
    }

    #[cfg(test)]
    pub fn set_groups(&mut self, groups: HashMap<u32, u32>) {
        self.groups = groups;
    }
}
