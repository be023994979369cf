//! From training tables to rows.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, RecordBatch, StringArray};
use datafusion::prelude::SessionContext;
use pairmill_schema::counted;
use pairmill_tables::{ColumnNames, Table, TableError, f32_column, open, string_column};

use super::{Place, Row, Text, TrainingSet};
use crate::error::{Result, TrainError};
use crate::form::{Form, Input, Kind, TableArgs};
use crate::labels::Labels;
use crate::shuffle_buffer::ShuffleBuffer;
use crate::texts::{Classes, Interner, are_identical};

/// A pair that was labelled 0.
#[derive(Debug)]
struct Negative {
    anchor: Text,
    text: Text,
    place: Place,
}

impl TrainingSet {
    /// Reads training tables, at least one of which must have rows if they are read whole.
    ///
    /// # Errors
    /// If a table is unsound, or none has a row.
    pub async fn read_all(
        session: &SessionContext,
        files: &[&str],
        columns: &TableArgs,
        buffer: ShuffleBuffer,
    ) -> Result<Self> {
        let mut set = Self {
            same_text: columns.same_text,
            ..Self::default()
        };
        let mut negatives = Vec::new();
        for file in files {
            let input = Input {
                file,
                columns,
                is_only: files.len() == 1,
            };
            if let Err(error) = set.read(session, input, buffer, &mut negatives).await {
                match error {
                    // Hard negatives are an extra: a filter may have left none.
                    TrainError::Table(TableError::Empty { path, .. }) if files.len() > 1 => {
                        tracing::warn!("{path} has no rows and adds nothing");
                    }
                    error => return Err(error),
                }
            }
        }
        let labeled_negatives = negatives.len();
        set.settle(negatives);
        if buffer.is_whole() && set.rows.is_empty() {
            return Err(match labeled_negatives {
                0 => TrainError::NoPairs,
                negatives => TrainError::NoPositive {
                    files: files.join(", "),
                    negatives,
                },
            });
        }
        Ok(set)
    }

    /// Adds pairs, triplets, n-tuples or labelled pairs, with or without id columns, told apart by
    /// the columns.
    async fn read(
        &mut self,
        session: &SessionContext,
        input: Input<'_>,
        buffer: ShuffleBuffer,
        labeled_negatives: &mut Vec<Negative>,
    ) -> Result<()> {
        let form = Form::of_positives(session, input).await?;
        let input = input.file;
        if let Some(unread) = &form.unread
            && buffer.is_first()
        {
            tracing::warn!(
                "{input}: the column `{unread}` is not read: the loss takes each positive for right and each negative for wrong, whatever it says"
            );
        }
        self.tables.push(input.to_owned());
        let frame = form.open(session, input).await?;
        for (first, batch) in buffer.read(frame).await?.numbered() {
            match &form.kind {
                Kind::Positives { negatives } => self.add(batch, negatives, first),
                Kind::Labeled { label } => {
                    self.add_labeled(batch, label, first, labeled_negatives)?;
                }
            }
        }
        Ok(())
    }

    fn place(&self, row: usize) -> Place {
        Place {
            table: self.tables.len().saturating_sub(1) as u32,
            row: row as u32,
        }
    }

    fn add(&mut self, batch: &RecordBatch, negative_columns: &[String], first: usize) {
        let anchors = Column::of(batch, "anchor");
        let positives = Column::of(batch, "positive");
        let negatives = negative_columns.iter();
        let negatives: Vec<_> = negatives.map(|name| Column::of(batch, name)).collect();
        for i in 0..batch.num_rows() {
            let place = self.place(first + i);
            if anchors.is_blank(i) || positives.is_blank(i) {
                self.odd.empty.add(self.at(place));
                continue;
            }
            let anchor = self.anchor(anchors, i, place);
            let positive = self.document(positives, i, place);
            let at = self.row_of(anchor, positive, place);
            for &column in &negatives {
                if column.is_blank(i) {
                    self.odd.empty.add(self.at(place));
                    continue;
                }
                let negative = self.document(column, i, place);
                if self.are_identical(negative, positive) {
                    self.odd.own_positive.add(self.at(place));
                } else if self.are_identical(negative, anchor) {
                    self.odd.own_anchor.add(self.at(place));
                } else {
                    let known = &mut self.rows[at].negatives;
                    if known.iter().all(|other| other.text != negative.text) {
                        known.push(negative);
                    }
                }
            }
        }
    }

    fn add_labeled(
        &mut self,
        batch: &RecordBatch,
        column: &str,
        first: usize,
        negatives: &mut Vec<Negative>,
    ) -> Result<()> {
        let firsts = Column::of(batch, "sentence1");
        let seconds = Column::of(batch, "sentence2");
        let labels = f32_column(batch, "score");
        for i in 0..batch.num_rows() {
            let place = self.place(first + i);
            let label = labels.value(i);
            Labels::Binary.check(label, column, || self.at(place))?;
            if firsts.is_blank(i) || seconds.is_blank(i) {
                self.odd.empty.add(self.at(place));
                continue;
            }
            let anchor = self.anchor(firsts, i, place);
            let text = self.document(seconds, i, place);
            if label == 1.0 {
                self.row_of(anchor, text, place);
            } else {
                negatives.push(Negative {
                    anchor,
                    text,
                    place,
                });
            }
        }
        Ok(())
    }

    /// Returns the row of a pair, which is there or comes to be.
    fn row_of(&mut self, anchor: Text, positive: Text, place: Place) -> usize {
        let next = self.rows.len();
        let at = *self
            .pairs
            .entry((anchor.text, positive.text))
            .or_insert(next);
        if at == next {
            self.rows.push(Row {
                anchor,
                positive,
                negatives: Vec::new(),
                place,
            });
        }
        at
    }

    fn anchor(&mut self, column: Column<'_>, row: usize, place: Place) -> Text {
        let text = self.texts.number(column.texts.value(row));
        let id = column.id(row);
        let id = id.map(|id| self.anchor_ids.number(id, text, place.row, &self.texts));
        Text { text, id }
    }

    fn document(&mut self, column: Column<'_>, row: usize, place: Place) -> Text {
        let text = self.texts.number(column.texts.value(row));
        let id = column.id(row);
        let id = id.map(|id| self.document_ids.number(id, text, place.row, &self.texts));
        Text { text, id }
    }

    fn are_identical(&self, a: Text, b: Text) -> bool {
        a.text == b.text || {
            let (a, b) = (self.text(a), self.text(b));
            are_identical(a, b)
        }
    }

    /// Gives the pairs of label 0 to the rows of their anchors, takes negatives out that are known
    /// to be right, and says what was odd.
    fn settle(&mut self, labeled_negatives: Vec<Negative>) {
        let anchors = self.rows.iter().map(|row| row.anchor);
        let anchors = anchors.chain(labeled_negatives.iter().map(|row| row.anchor));
        let letters = anchors.map(|anchor| self.text(anchor).chars().count());
        let letters = letters.max().unwrap_or(0);
        self.classes = Classes::of(&self.texts.values, self.same_text, letters);
        let mut of_anchor: HashMap<u32, (HashSet<u32>, Vec<usize>)> = HashMap::new();
        for (at, row) in self.rows.iter().enumerate() {
            let anchor = self.classes.equivalent(row.anchor.text);
            let (positives, rows) = of_anchor.entry(anchor).or_default();
            positives.insert(self.classes.identical(row.positive.text));
            rows.push(at);
        }
        let mut dealt: HashMap<u32, Vec<Text>> = HashMap::new();
        for Negative {
            anchor,
            text,
            place,
        } in labeled_negatives
        {
            let class = self.classes.equivalent(anchor.text);
            match of_anchor.get(&class) {
                None => self.odd.without_positive.add(self.at(place)),
                Some((positives, _)) if positives.contains(&self.classes.identical(text.text)) => {
                    self.odd.both_labels.add(self.at(place));
                }
                Some(_) => {
                    let known = dealt.entry(class).or_default();
                    if known.iter().all(|other| other.text != text.text) {
                        known.push(text);
                    }
                }
            }
        }
        for (class, negatives) in dealt {
            // Each negative goes to one of the anchor's rows, and no row goes without.
            let rows = &of_anchor[&class].1;
            for turn in 0..rows.len().max(negatives.len()) {
                let negative = negatives[turn % negatives.len()];
                let known = &mut self.rows[rows[turn % rows.len()]].negatives;
                if known.iter().all(|other| other.text != negative.text) {
                    known.push(negative);
                }
            }
        }
        for at in 0..self.rows.len() {
            let row = &self.rows[at];
            let anchor = self.classes.equivalent(row.anchor.text);
            let known = &of_anchor[&anchor].0;
            let is_right = |text: &Text| known.contains(&self.classes.identical(text.text));
            let wrong = row.negatives.iter().filter(|text| is_right(text)).count();
            if wrong > 0 {
                let sound = row.negatives.iter().copied();
                let sound = sound.filter(|text| !is_right(text)).collect();
                let place = self.at(row.place);
                (0..wrong).for_each(|_| self.odd.known_positive.add(&place));
                self.rows[at].negatives = sound;
            }
        }
        self.odd.warn();
        for (ids, what) in [
            (&self.anchor_ids, "anchor"),
            (&self.document_ids, "document"),
        ] {
            ids.two_texts.warn(|n| {
                let ids = counted(n, "id stands", "ids stand");
                format!(
                    "{ids} for two {what}s each, so known positives of these go by their text alone"
                )
            });
        }
    }

    /// Reads which group each document belongs to, from a table with an `id` and a group column.
    pub async fn read_groups(
        &mut self,
        session: &SessionContext,
        input: &str,
        column: &str,
        buffer: ShuffleBuffer,
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
                if let Some(&id) = self.document_ids.ids.numbers.get(id) {
                    self.groups.insert(id, groups.number(value));
                }
            }
        }
        let without = self.rows.iter();
        let without = without.filter(|row| self.group_of(row.positive).is_none());
        match without.count() {
            0 => {}
            all if all == self.rows.len() && buffer.is_whole() => {
                return Err(TrainError::NoGroup {
                    input: input.to_owned(),
                });
            }
            some => tracing::warn!(
                "{input}: has no group for the positives of {some} of {}; these are kept apart by known positives alone",
                counted(self.rows.len(), "row", "rows")
            ),
        }
        Ok(())
    }
}
/// A column of texts with its ids.
#[derive(Clone, Copy)]
struct Column<'a> {
    texts: &'a StringArray,
    ids: &'a StringArray,
}

impl<'a> Column<'a> {
    fn of(batch: &'a RecordBatch, name: &str) -> Self {
        Self {
            texts: string_column(batch, name),
            ids: string_column(batch, &format!("{name}_id")),
        }
    }

    fn is_blank(self, row: usize) -> bool {
        self.texts.value(row).trim().is_empty()
    }

    fn id(self, row: usize) -> Option<&'a str> {
        let id = self.ids.is_valid(row).then(|| self.ids.value(row));
        id.filter(|id| !id.is_empty())
    }
}
