use std::collections::HashMap;

use arrow::array::{Array, RecordBatch, StringArray};
use datafusion::dataframe::DataFrame;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_schema::{Sameness, TextKey, excerpt};
use pairmill_tables::{
    ColumnNames, KeptColumns, Table, TableError, column_names, open, string_column,
};
use tracing::info;

use super::config::{AugmentConfig, AugmentKind, OWN_COLUMNS};
use crate::categories::Categories;
use crate::input::{EXCERPT, Kept};
use crate::{GenerateError, Result};

impl AugmentKind {
    pub(super) fn table(self) -> Table {
        match self {
            Self::Tickets => Table::Tickets,
            Self::Pairs => Table::Pairs,
        }
    }

    /// The number of the column that says what a text must stay nearest to: the category or the
    /// positive. The id is column 0 and the text column 1.
    fn target(self) -> usize {
        match self {
            Self::Tickets => 2,
            Self::Pairs => 3,
        }
    }
}

/// A row as it was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    /// The columns of the table: the id, the text and what belongs to it.
    pub cells: Box<[String]>,
    pub kept: Kept,
}

impl Row {
    pub fn id(&self) -> &str {
        &self.cells[0]
    }

    pub fn text(&self) -> &str {
        &self.cells[1]
    }
}

/// A text that gets other wordings, with the rows that it stands in.
#[derive(Debug)]
pub(super) struct Source {
    pub rows: std::ops::Range<usize>,
    /// Its categories or positives, among those of the table.
    pub targets: Vec<usize>,
}

/// A table in memory, ordered by id.
#[derive(Debug)]
pub(super) struct Sources {
    pub kind: AugmentKind,
    pub rows: Vec<Row>,
    pub sources: Vec<Source>,
    /// The names of the categories, or the texts of the positives.
    pub targets: Vec<String>,
    /// The columns that go along.
    pub kept: KeptColumns,
}

impl Sources {
    pub async fn read(session: &SessionContext, config: &AugmentConfig) -> Result<Self> {
        let input = &config.input;
        info!("reading {input}");
        if input != "-" {
            let found = column_names(session, input).await?;
            if OWN_COLUMNS
                .iter()
                .all(|own| found.iter().any(|name| name == own))
            {
                return Err(GenerateError::Augmented {
                    input: input.clone(),
                });
            }
        }
        let kind = match config.kind {
            Some(kind) => kind,
            None => told_by_columns(session, config).await?,
        };
        let schema = kind.table().schema();
        let is_foreign = |column: &str| schema.field_with_name(column).is_err();
        if let Some((column, _)) = config.columns.iter().find(|(column, _)| is_foreign(column)) {
            return Err(GenerateError::ColumnOfOtherKind {
                input: input.clone(),
                kind: kind.table().name(),
                column,
            });
        }
        let (frame, kept) = opened(session, config, kind).await?;
        let failed = |error| TableError::of_scan(input, error);
        let mut stream = frame.execute_stream().await.map_err(failed)?;
        let progress = Progress::new("reading", "rows", None);
        let mut rows = Vec::new();
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(failed)?;
            append(&mut rows, &batch, kind, &kept.names());
            progress.inc(batch.num_rows() as u64);
        }
        rows.sort_unstable();
        Self::new(kind, rows, kept, input)
    }

    fn new(kind: AugmentKind, rows: Vec<Row>, kept: KeptColumns, input: &str) -> Result<Self> {
        let (targets, of_row) = targets(kind, &rows);
        let mut sources: Vec<Source> = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            match sources.last_mut() {
                Some(last) if rows[last.rows.start].id() == row.id() => {
                    same_source(kind, &rows[last.rows.start], row, input)?;
                    last.rows.end = number + 1;
                    if !last.targets.contains(&of_row[number]) {
                        last.targets.push(of_row[number]);
                    }
                }
                _ => sources.push(Source {
                    rows: number..number + 1,
                    targets: vec![of_row[number]],
                }),
            }
        }
        Ok(Self {
            kind,
            rows,
            sources,
            targets,
            kept,
        })
    }

    pub fn id(&self, source: usize) -> &str {
        self.rows[self.sources[source].rows.start].id()
    }

    pub fn text(&self, source: usize) -> &str {
        self.rows[self.sources[source].rows.start].text()
    }
}

/// Reads the texts that are held out: the table of each by what its texts have in common.
pub(super) async fn held_out(
    session: &SessionContext,
    inputs: &[String],
) -> Result<HashMap<TextKey, String>> {
    let names = ColumnNames::default().with_optional("id");
    let mut texts = HashMap::new();
    for input in inputs {
        let failed = |error| TableError::of_scan(input, error);
        let frame = open(session, input, Table::Queries, &names, &[]).await?;
        let mut stream = frame.execute_stream().await.map_err(failed)?;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(failed)?;
            for text in string_column(&batch, "text").iter().flatten() {
                texts
                    .entry(TextKey::equivalent(text))
                    .or_insert_with(|| input.clone());
            }
        }
    }
    Ok(texts)
}

/// Opens the input as what it holds, with the columns that go along.
async fn opened(
    session: &SessionContext,
    config: &AugmentConfig,
    kind: AugmentKind,
) -> Result<(DataFrame, KeptColumns)> {
    let (input, table) = (&config.input, kind.table());
    let names = config.names(table);
    let read = (table, &names);
    let kept = config
        .kept
        .of_input(session, input, read, &OWN_COLUMNS, table)
        .await?;
    let frame = open(session, input, table, &names, &kept.names()).await?;
    Ok((frame, kept))
}

/// Tells what an input holds: pairs if it has an anchor and a positive, else tickets.
async fn told_by_columns(session: &SessionContext, config: &AugmentConfig) -> Result<AugmentKind> {
    let has = |wanted: &[&str]| {
        config
            .columns
            .iter()
            .any(|(column, _)| wanted.contains(column))
    };
    if has(&["category", "text"]) {
        return Ok(AugmentKind::Tickets);
    }
    if has(&["anchor", "positive"]) {
        return Ok(AugmentKind::Pairs);
    }
    let mut missing = Vec::new();
    for kind in [AugmentKind::Pairs, AugmentKind::Tickets] {
        let table = kind.table();
        match open(session, &config.input, table, &config.names(table), &[]).await {
            Ok(_) => return Ok(kind),
            Err(TableError::MissingColumn { column, found, .. }) => missing.push((column, found)),
            Err(error) => return Err(error.into()),
        }
    }
    let (pairs, tickets) = (&missing[0], &missing[1]);
    Err(GenerateError::NeitherPairsNorTickets {
        input: config.input.clone(),
        pairs: pairs.0.clone(),
        tickets: tickets.0.clone(),
        found: tickets.1.clone(),
    })
}

fn append(rows: &mut Vec<Row>, batch: &RecordBatch, kind: AugmentKind, kept: &[&str]) {
    let schema = kind.table().schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| string_column(batch, field.name()));
    let columns: Vec<&StringArray> = columns.collect();
    let kept: Vec<_> = kept.iter().map(|name| string_column(batch, name)).collect();
    for at in 0..batch.num_rows() {
        let cell = |column: &&StringArray| column.is_valid(at).then(|| column.value(at).to_owned());
        let cells = columns.iter().enumerate().map(|(number, column)| {
            // Without a column of ids all of them are null.
            let text = || columns.get(number + 1).map_or("", |text| text.value(at));
            cell(column).unwrap_or_else(|| crate::input::text_id(text()))
        });
        rows.push(Row {
            cells: cells.collect(),
            kept: kept.iter().map(cell).collect(),
        });
    }
}

/// The targets of a table, and the number of each row's.
fn targets(kind: AugmentKind, rows: &[Row]) -> (Vec<String>, Vec<usize>) {
    let given = rows.iter().map(|row| row.cells[kind.target()].as_str());
    match kind {
        AugmentKind::Tickets => {
            let categories = Categories::new(given.clone(), Sameness::default());
            categories.warn();
            let numbers = given.map(|category| categories.number(category) as usize);
            let numbers = numbers.collect();
            (categories.names, numbers)
        }
        AugmentKind::Pairs => {
            let mut texts: Vec<String> = Vec::new();
            let mut numbers: HashMap<TextKey, usize> = HashMap::new();
            let number = |text: &str| {
                *numbers.entry(TextKey::identical(text)).or_insert_with(|| {
                    texts.push(text.to_owned());
                    texts.len() - 1
                })
            };
            let of_row = given.map(number).collect();
            (texts, of_row)
        }
    }
}

/// Refuses two texts or two categories of one id.
fn same_source(kind: AugmentKind, first: &Row, second: &Row, input: &str) -> Result<()> {
    let schema = kind.table().schema();
    let columns: &[(usize, &'static str)] = match kind {
        AugmentKind::Tickets => &[(1, "text"), (2, "category")],
        AugmentKind::Pairs => &[(1, "anchor")],
    };
    debug_assert!(
        columns
            .iter()
            .all(|(at, name)| schema.field(*at).name() == name)
    );
    match columns
        .iter()
        .find(|(at, _)| first.cells[*at] != second.cells[*at])
    {
        None => Ok(()),
        Some(&(at, column)) => Err(GenerateError::DuplicateId {
            input: input.to_owned(),
            id: first.id().to_owned(),
            column,
            first: excerpt(&first.cells[at], EXCERPT),
            second: excerpt(&second.cells[at], EXCERPT),
        }),
    }
}
