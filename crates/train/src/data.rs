use std::collections::HashMap;

use anyhow::{Result, bail, ensure};
use arrow::array::{Array, RecordBatch, StringArray};
use datafusion::prelude::SessionContext;
use pairmill_tables::{ColumnNames, Table, TableError, column_names, open, string_column};

use crate::window::Window;

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
}

/// Rows for the ranking loss: one for each distinct pair, with all hard negatives that were given
/// for it, which may be none. Each distinct text is held once.
#[derive(Debug, Default)]
pub(crate) struct TrainingSet {
    pub rows: Vec<Row>,
    /// Texts of anchor and positive → row.
    pairs: HashMap<(u32, u32), usize>,
    texts: Interner,
    ids: Interner,
    groups: HashMap<u32, u32>,
}

impl TrainingSet {
    /// Reads training tables, at least one of which must have rows if they are read whole.
    ///
    /// # Errors
    /// If a table is unsound, or none has a row.
    pub async fn read_all(
        session: &SessionContext,
        files: &[&str],
        window: Window,
    ) -> Result<Self> {
        let mut set = Self::default();
        for file in files {
            match set.read(session, file, window).await {
                // Hard negatives are an extra: a filter may have left none.
                Err(TableError::Empty { path, .. }) if files.len() > 1 => {
                    tracing::warn!("{path} has no rows and adds nothing");
                }
                read => read?,
            }
        }
        ensure!(
            !set.rows.is_empty() || !window.is_whole(),
            "none of the training tables has a row"
        );
        Ok(set)
    }

    /// Adds pairs, triplets or n-tuples, with or without id columns, told apart by the columns.
    async fn read(
        &mut self,
        session: &SessionContext,
        input: &str,
        window: Window,
    ) -> Result<(), TableError> {
        let columns = column_names(session, input).await?;
        let has = |name: &str| columns.iter().any(|column| column == name);
        let negatives = (1..).take_while(|n| has(&format!("negative_{n}"))).count();
        let (table, negative_columns) = if negatives > 0 {
            let names = (1..=negatives).map(|n| format!("negative_{n}")).collect();
            (Table::NTuples(negatives), names)
        } else if has("negative") {
            (Table::Triplets, vec!["negative".to_owned()])
        } else {
            (Table::Pairs, Vec::new())
        };
        let names = table
            .schema()
            .fields()
            .iter()
            .filter(|field| field.name().ends_with("_id"))
            .fold(ColumnNames::default(), |names, field| {
                names.with_optional(field.name())
            });
        let frame = open(session, input, table, &names, &[]).await?;
        for batch in &window.read(frame).await? {
            self.add(batch, &negative_columns);
        }
        Ok(())
    }

    fn add(&mut self, batch: &RecordBatch, negative_columns: &[String]) {
        let column = |name: &str| {
            let ids = string_column(batch, &format!("{name}_id"));
            (string_column(batch, name), ids)
        };
        let anchors = column("anchor");
        let positives = column("positive");
        let negatives: Vec<_> = negative_columns.iter().map(|name| column(name)).collect();
        for i in 0..batch.num_rows() {
            let anchor = self.intern(anchors, i);
            let positive = self.intern(positives, i);
            let at = *self
                .pairs
                .entry((anchor.text, positive.text))
                .or_insert(self.rows.len());
            if at == self.rows.len() {
                self.rows.push(Row {
                    anchor,
                    positive,
                    negatives: Vec::new(),
                });
            }
            for &column in &negatives {
                let negative = self.intern(column, i);
                let known = &mut self.rows[at].negatives;
                if known.iter().all(|other| other.text != negative.text) {
                    known.push(negative);
                }
            }
        }
    }

    fn intern(&mut self, (texts, ids): (&StringArray, &StringArray), row: usize) -> Text {
        Text {
            text: self.texts.number(texts.value(row)),
            id: ids.is_valid(row).then(|| self.ids.number(ids.value(row))),
        }
    }

    /// Reads which group each document belongs to, from a table with an `id` and a group column.
    pub async fn read_groups(
        &mut self,
        session: &SessionContext,
        input: &str,
        column: &str,
        window: Window,
    ) -> Result<()> {
        let names = ColumnNames::new([("text", Some("id"))]);
        let batches = open(session, input, Table::Queries, &names, &[column])
            .await?
            .collect()
            .await?;
        let mut groups = Interner::default();
        for batch in &batches {
            let ids = string_column(batch, "id");
            let values = string_column(batch, column);
            for (id, value) in ids.iter().zip(values).filter_map(|(a, b)| a.zip(b)) {
                if let Some(&id) = self.ids.numbers.get(id) {
                    self.groups.insert(id, groups.number(value));
                }
            }
        }
        let mut rows = self.rows.iter();
        if window.is_whole() && !rows.any(|row| self.group_of(row.positive).is_some()) {
            bail!(
                "{input}: none of its ids is a `positive_id` of the training rows, so no group is known; give the table that the positives come from"
            );
        }
        Ok(())
    }

    /// The group of a document, if it is known.
    pub fn group_of(&self, document: Text) -> Option<u32> {
        self.groups.get(&document.id?).copied()
    }

    /// Hard negatives of all rows.
    pub fn negatives(&self) -> usize {
        self.rows.iter().map(|row| row.negatives.len()).sum()
    }

    /// The content of a text.
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

/// Numbers for strings, in order of first sight.
#[derive(Debug, Default)]
struct Interner {
    numbers: HashMap<String, u32>,
    values: Vec<String>,
}

impl Interner {
    fn number(&mut self, value: &str) -> u32 {
        if let Some(&number) = self.numbers.get(value) {
            return number;
        }
        let number = self.values.len() as u32;
        self.numbers.insert(value.to_owned(), number);
        self.values.push(value.to_owned());
        number
    }
}
