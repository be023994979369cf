//! The tables of a training and its dev split, as they are before anything is merged or left out.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use datafusion::prelude::{DataFrame, SessionContext};
use pairmill_hygiene::{Batch, Role, Split, Table as Info, TableKind, TextOf, texts_of};
use pairmill_schema::TextKey;
use pairmill_tables::{ColumnNames, Table, column_names, open};

use crate::encoder::Recipe;
use crate::error::Result;
use crate::form::{Form, Input as FormInput, Kind, Wanted};
use crate::labels::Labels;
use crate::losses::encoder::{Data, Loss};

/// A table with its rows.
pub(super) struct Input {
    pub info: Info,
    texts: Vec<TextOf>,
    rows: Vec<RecordBatch>,
}

/// A training table with what its columns are.
pub(super) struct TrainingTable {
    /// Its place among all tables.
    pub table: usize,
    pub file: String,
    pub loss: Loss,
    pub columns: Columns,
}

/// What the columns of a training table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    /// Two texts that belong together.
    Pairs,
    /// The same with texts that do not.
    Triplets,
    /// Two texts with a label of 0 or 1.
    Binary,
    /// Two texts with a similarity.
    Graded,
    /// A text with its category.
    Categories,
    /// Candidates with the scores of a cross-encoder.
    Scored,
}

/// Everything that is read.
pub(super) struct Inputs {
    pub tables: Vec<Input>,
    pub training: Vec<TrainingTable>,
    /// Rows of each category, where texts have one.
    pub categories: BTreeMap<String, usize>,
    /// Whether there are queries to measure on at the end.
    pub has_test: bool,
}

/// Returns the tables of the dev folder that are read if they are there, by name.
pub(super) fn optional_files(folder: &Path) -> Vec<(&'static str, PathBuf)> {
    let names = ["queries_test", "tickets_train"];
    let files = names.map(|name| (name, folder.join(format!("{name}.parquet"))));
    let files = files.into_iter();
    files.filter(|(_, file)| file.is_file()).collect()
}

impl Inputs {
    /// Reads the training tables and those of the dev folder.
    ///
    /// # Errors
    /// If one is unsound.
    pub async fn read(session: &SessionContext, recipe: &Recipe, eval: &Path) -> Result<Self> {
        let mut inputs = Self {
            tables: Vec::new(),
            training: Vec::new(),
            categories: BTreeMap::new(),
            has_test: false,
        };
        for (loss, file) in recipe.tables() {
            let (input, columns) = training_table(session, recipe, loss, file).await?;
            inputs.training.push(TrainingTable {
                table: inputs.tables.len(),
                file: file.to_owned(),
                loss,
                columns,
            });
            inputs.tables.push(input);
        }
        let file = |name: &str| eval.join(format!("{name}.parquet")).display().to_string();
        let dev = [
            ("queries_dev", Table::Queries, Some(Split::Dev)),
            ("qrels_dev", Table::Qrels, None),
            ("corpus", Table::Corpus, None),
        ];
        for (name, table, split) in dev {
            let names = ColumnNames::default();
            let frame = open(session, &file(name), table, &names, &[]).await?;
            let input = Input::new(&file(name), table, texts_of(table), split, frame).await?;
            inputs.tables.push(input);
        }
        for (name, path) in optional_files(eval) {
            let path = path.display().to_string();
            let table = match name {
                "queries_test" => Table::Queries,
                _ => Table::Tickets,
            };
            let frame = open(session, &path, table, &ColumnNames::default(), &[]).await?;
            let split = Some(Split::Test);
            let input = Input::new(&path, table, texts_of(table), split, frame).await?;
            match table {
                Table::Queries => {
                    inputs.has_test = true;
                    inputs.tables.push(input);
                }
                _ => inputs.count_categories(&input),
            }
        }
        if inputs.categories.is_empty() {
            let tickets = inputs.training.iter();
            let tickets = tickets.filter(|table| table.columns == Columns::Categories);
            let tickets: Vec<usize> = tickets.map(|table| table.table).collect();
            let tables = std::mem::take(&mut inputs.tables);
            tickets
                .iter()
                .for_each(|&table| inputs.count_categories(&tables[table]));
            inputs.tables = tables;
        }
        Ok(inputs)
    }

    fn count_categories(&mut self, input: &Input) {
        for batch in input.batches() {
            for category in batch.category.iter().flatten() {
                *self.categories.entry((*category).to_owned()).or_default() += 1;
            }
        }
    }

    /// Returns the tables that are trained on.
    pub fn trained_on(&self) -> impl Iterator<Item = &Input> {
        self.training.iter().map(|table| &self.tables[table.table])
    }

    /// Returns the dev queries.
    pub fn dev_queries(&self) -> impl Iterator<Item = &Input> {
        let tables = self.tables.iter();
        tables.filter(|input| input.info.split == Some(Split::Dev))
    }

    /// Counts the training rows and the different queries among them.
    pub fn rows_and_queries(&self) -> (usize, usize) {
        let (mut rows, mut queries) = (0, HashSet::new());
        for input in self.trained_on() {
            for batch in input.batches() {
                rows += batch.rows();
                for column in input.info.columns_of(Role::Query) {
                    let texts = batch.texts[column].iter();
                    queries.extend(texts.map(|text| TextKey::equivalent(text)));
                }
            }
        }
        (rows, queries.len())
    }

    /// Counts the labelled rows that belong together and those that do not.
    pub fn positives_and_negatives(&self) -> (usize, usize) {
        let (mut positives, mut negatives) = (0, 0);
        for input in self.trained_on() {
            for score in input.batches().filter_map(|batch| batch.score).flatten() {
                match score >= 0.5 {
                    true => positives += 1,
                    false => negatives += 1,
                }
            }
        }
        (positives, negatives)
    }
}

impl Input {
    async fn new(
        name: &str,
        table: Table,
        texts: Vec<TextOf>,
        split: Option<Split>,
        frame: DataFrame,
    ) -> Result<Self> {
        let kind = match table {
            Table::Tickets => TableKind::Tickets,
            Table::LabeledPairs => TableKind::Labeled,
            Table::Pairs => TableKind::Pairs,
            Table::Corpus => TableKind::Corpus,
            Table::Queries => TableKind::Queries,
            Table::Qrels => TableKind::Qrels,
            _ => TableKind::Triplets,
        };
        let info = Info::new(name, kind, &texts, true);
        Ok(Self {
            info: Info { split, ..info },
            texts,
            rows: frame.collect().await?,
        })
    }

    /// Returns the rows as the checks take them.
    pub fn batches(&self) -> impl Iterator<Item = Batch<'_>> {
        let mut first = 0;
        self.rows.iter().map(move |rows| {
            let batch = Batch::of_rows(rows, first, &self.info, &self.texts);
            first += rows.num_rows();
            batch
        })
    }
}

async fn training_table(
    session: &SessionContext,
    recipe: &Recipe,
    loss: Loss,
    file: &str,
) -> Result<(Input, Columns)> {
    let split = Some(Split::Train);
    let form_input = FormInput {
        file,
        columns: &recipe.data.columns,
        is_only: recipe.data.train.len() == 1,
    };
    let form = match loss.data {
        Data::LabeledTexts(_) => {
            let table = Table::Tickets;
            let frame = open(session, file, table, &ColumnNames::default(), &[]).await?;
            let input = Input::new(file, table, texts_of(table), split, frame).await?;
            return Ok((input, Columns::Categories));
        }
        Data::ScoredCandidates(_) => {
            let table = Table::Candidates;
            let frame = open(session, file, table, &ColumnNames::default(), &[]).await?;
            let input = Input::new(file, table, texts_of_candidates(), split, frame).await?;
            return Ok((input, Columns::Scored));
        }
        Data::LabeledPairs(Labels::Binary, _) => {
            Form::of_labeled(session, form_input, Wanted::Labels).await?
        }
        Data::LabeledPairs(..) => {
            Form::of_labeled(session, form_input, Wanted::Similarities).await?
        }
        Data::Pairs(_) | Data::Triplets(_) => Form::of_positives(session, form_input).await?,
    };
    let frame = form.open(session, file).await?;
    let table = form.table();
    let input = Input::new(file, table, texts_of(table), split, frame).await?;
    let columns = match form.kind {
        Kind::Positives { negatives } if negatives.is_empty() => Columns::Pairs,
        Kind::Positives { .. } => Columns::Triplets,
        Kind::Labeled { .. } if is_binary(&input) => Columns::Binary,
        Kind::Labeled { .. } => Columns::Graded,
    };
    Ok((input, columns))
}

fn is_binary(input: &Input) -> bool {
    let mut scores = input.batches().filter_map(|batch| batch.score).flatten();
    scores.all(|score| score == 0.0 || score == 1.0)
}

fn texts_of_candidates() -> Vec<TextOf> {
    let of = |name: &str, role, id: &str| (name.to_owned(), role, Some(id.to_owned()));
    vec![
        of("query", Role::Query, "query_id"),
        of("positive", Role::Passage, "positive_id"),
        of("text", Role::Negative, "corpus_id"),
    ]
}

/// Returns whether a table is one of tickets, by its columns.
///
/// # Errors
/// If it cannot be read.
pub(super) async fn is_of_tickets(session: &SessionContext, file: &str) -> Result<bool> {
    let columns = column_names(session, file).await?;
    let has = |name: &str| {
        columns
            .iter()
            .any(|column| column.trim().to_lowercase() == name)
    };
    Ok(has("text") && has("category"))
}
