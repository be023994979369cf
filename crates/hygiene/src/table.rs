//! What is looked at: tables, their columns, and their rows in batches.

use serde::Serialize;

/// What the rows of a table say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TableKind {
    /// A text with its category.
    Tickets,
    /// A question with its answer.
    Qa,
    /// A text and one that is relevant to it.
    Pairs,
    /// Two texts with a label or a similarity.
    Labeled,
    /// A text, one that is relevant to it, and others that are not.
    Triplets,
    /// Passages.
    Corpus,
    /// Queries.
    Queries,
    /// Which passage is relevant to which query.
    Qrels,
}

/// What a column of texts is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It asks: a question, a ticket, an anchor. Letter case and punctuation do not count where
    /// such texts are compared.
    Query,
    /// It answers: an answer, a passage, a positive. It is compared as it stands.
    Passage,
    /// It is not relevant to the query of its row.
    Negative,
    /// The title of a passage.
    Title,
    /// An id that the table is about: those of judgements.
    Id,
    /// It goes along with the row and is looked through for personal data alone.
    Other,
}

impl Role {
    /// Whether it holds a text that a model reads.
    pub fn is_read(self) -> bool {
        !matches!(self, Self::Id | Self::Other)
    }
}

/// A column of texts.
#[derive(Debug, Clone)]
pub struct TextColumn {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Role,
}

/// Which part of the data a table is. A text of a later part should be in no earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What is learned from.
    Train,
    /// What decides between settings.
    Dev,
    /// What is measured on.
    Test,
}

/// A table as the checks know it.
#[derive(Debug, Clone)]
pub struct Table {
    /// What to call it: its path as the user gave it.
    pub name: String,
    /// What its rows say.
    pub kind: TableKind,
    /// Its columns of texts.
    pub texts: Vec<TextColumn>,
    /// The column of categories.
    pub category: Option<String>,
    /// The part of the data that it is, where it is known or assumed.
    pub split: Option<Split>,
    /// Whether its own rows are looked through; else others are only compared with them.
    pub is_checked: bool,
    /// Columns of texts, by their number, that hold personal data whatever stands in them.
    pub personal: Vec<usize>,
}

impl Table {
    /// Returns the numbers of the columns with this role.
    pub fn columns_of(&self, role: Role) -> impl Iterator<Item = usize> {
        let columns = self.texts.iter().enumerate();
        columns
            .filter(move |(_, column)| column.role == role)
            .map(|(at, _)| at)
    }
}

/// Rows of a table, column by column.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    /// The number of the first row, from 0.
    pub first: usize,
    /// The texts, in the order of [`Table::texts`]; a null is an empty text.
    pub texts: Vec<Vec<&'a str>>,
    /// The id of each text, for the columns whose texts have one.
    pub ids: Vec<Option<Vec<&'a str>>>,
    /// The category of each row.
    pub category: Option<Vec<&'a str>>,
    /// The label, similarity or grade of each row.
    pub score: Option<Vec<f64>>,
}

impl Batch<'_> {
    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.texts.first().map_or(0, Vec::len)
    }

    /// Returns what stands in the personal columns of a row, each with its column's name.
    pub fn names<'t>(&'t self, table: &'t Table, row: usize) -> Vec<(&'t str, &'t str)> {
        let columns = table.personal.iter();
        let name = |&column: &usize| (table.texts[column].name.as_str(), self.texts[column][row]);
        columns.map(name).collect()
    }
}

/// A row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The number of the table.
    pub table: u32,
    /// The number of the row, from 0.
    pub row: u32,
}

impl Place {
    /// Returns the place of a row.
    ///
    /// # Panics
    /// If a table has four billion rows, whose texts no machine of today would hold in time.
    pub fn new(table: usize, row: usize) -> Self {
        Self {
            table: u32::try_from(table).expect("tables are few"),
            row: u32::try_from(row).expect("a table has fewer than four billion rows"),
        }
    }
}
