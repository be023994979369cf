//! The rows of an input.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use datafusion::logical_expr::{Cast, Expr, ident};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_tables::{
    BoundFilter, TIME_EXPECTED, TableError, Taken, TextEdit, joined, open_any, time_of_text,
};
use tracing::info;

use super::columns::Columns;
use super::options::PairsOptions;
use crate::input::Kept;
use crate::{GenerateError, Result};

/// A row: an anchor, a text that is relevant to it or is not, and perhaps some that are not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub anchor: Text,
    pub second: Text,
    pub is_positive: bool,
    pub negatives: Vec<String>,
    pub kept: Kept,
    /// In microseconds since 1970, where rows are split by time.
    pub time: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text {
    pub text: String,
    pub id: Option<String>,
}

impl Row {
    /// Returns whether it says the same, whatever is kept beside it.
    pub fn says(&self, other: &Self) -> bool {
        fn said(row: &Row) -> (&Text, &Text, bool, &[String]) {
            (&row.anchor, &row.second, row.is_positive, &row.negatives)
        }
        said(self) == said(other)
    }
}

impl Text {
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// What an input of pairs holds.
pub(super) struct Read {
    pub rows: Vec<Row>,
    /// The names of the columns kept.
    pub kept: Vec<String>,
    pub read: u64,
    pub taken: Taken,
}

impl PairsOptions {
    /// Reads the rows that are used.
    pub(super) async fn rows(
        &self,
        session: &SessionContext,
        input: &str,
        edit: Option<&dyn TextEdit>,
    ) -> Result<Read> {
        let frame = open_any(session, input).await?;
        let schema = frame.schema().as_arrow().clone();
        let names = schema.fields().iter().map(|field| field.name().clone());
        let columns = self.columns(input, &names.collect::<Vec<_>>())?;
        if columns.negatives.is_empty() && columns.label.is_none() {
            info!("every row is a positive pair: there is no column of labels or negatives");
        }
        let filter = self.intake.filter.as_ref();
        let filter = filter
            .map(|filter| filter.bind(input, &schema))
            .transpose()?;
        let scan_error = |error| TableError::of_scan(input, error);
        let frame = frame
            .select(selected(&columns, filter.as_ref()))
            .map_err(scan_error)?;
        let mut stream = frame.execute_stream().await.map_err(scan_error)?;
        let progress = Progress::new("reading", "rows", None);
        let mut reader = Reader {
            options: self,
            input,
            columns: &columns,
            filter,
            edit,
            rows: Vec::new(),
            read: 0,
            taken: Taken::default(),
        };
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(scan_error)?;
            reader.add(&batch)?;
            progress.inc(batch.num_rows() as u64);
        }
        let Reader {
            rows, read, taken, ..
        } = reader;
        taken.say(input, rows.len() as u64, self.intake.filter.as_ref())?;
        Ok(Read {
            rows,
            kept: columns.kept,
            read,
            taken,
        })
    }
}

/// Returns the columns to read: as text, and as they are for the filter.
fn selected(columns: &Columns, filter: Option<&BoundFilter>) -> Vec<Expr> {
    let column = |name: &str, place: String, kind: Option<DataType>| {
        let column = ident(name);
        let column = match kind {
            Some(kind) => Expr::Cast(Cast::new(Box::new(column), kind)),
            None => column,
        };
        column.alias(place)
    };
    let text = |name: &str, place: String| column(name, place, Some(DataType::Utf8));
    let mut selected = Vec::new();
    for (side, parts) in columns.texts.iter().enumerate() {
        let parts = parts.iter().enumerate();
        selected.extend(parts.map(|(part, name)| text(name, format!("text {side} {part}"))));
        let id = columns.ids[side].iter();
        selected.extend(id.map(|name| text(name, format!("id {side}"))));
    }
    let label = columns.label.iter();
    selected.extend(label.map(|name| text(name, "label".to_owned())));
    let time = columns.time.iter();
    selected.extend(time.map(|name| text(name, "time".to_owned())));
    let negatives = columns.negatives.iter().enumerate();
    selected.extend(negatives.map(|(at, name)| text(name, format!("negative {at}"))));
    let kept = columns.kept.iter().enumerate();
    selected.extend(kept.map(|(at, name)| text(name, format!("kept {at}"))));
    let of_filter = filter
        .iter()
        .flat_map(|filter| filter.columns())
        .enumerate();
    selected.extend(of_filter.map(|(at, name)| column(name, format!("where {at}"), None)));
    selected
}

/// Rows under way.
struct Reader<'a> {
    options: &'a PairsOptions,
    input: &'a str,
    columns: &'a Columns,
    filter: Option<BoundFilter>,
    edit: Option<&'a dyn TextEdit>,
    rows: Vec<Row>,
    read: u64,
    taken: Taken,
}

impl Reader<'_> {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let read = self.read;
        let place = |row: usize| {
            let row = read + row as u64 + 1;
            format!("row {row} (counted from 1, header not counted)")
        };
        let holds = match &self.filter {
            None => None,
            Some(filter) => {
                let values = (0..filter.columns().count()).map(|at| {
                    let values = batch.column_by_name(&format!("where {at}"));
                    values.expect("the plan selects it").clone()
                });
                let values: Vec<ArrayRef> = values.collect();
                Some(filter.holds(&values, batch.num_rows(), place)?)
            }
        };
        for row in 0..batch.num_rows() {
            match holds.as_ref().is_none_or(|holds| holds.value(row)) {
                true => self.push(batch, row)?,
                false => self.taken.left_out += 1,
            }
        }
        self.read += batch.num_rows() as u64;
        Ok(())
    }

    fn push(&mut self, batch: &RecordBatch, row: usize) -> Result<()> {
        let number = self.read + row as u64 + 1;
        let cell = |name: &str| cell(batch, name, row).map(str::to_owned);
        let id = |side: usize| cell(&format!("id {side}")).filter(|id| !id.is_empty());
        let is_positive = match &self.columns.label {
            None => true,
            Some(name) => {
                let label = cell("label").unwrap_or_default();
                let share = share(&label).filter(|share| (0.0..=1.0).contains(share));
                let share = share.ok_or_else(|| GenerateError::Label {
                    input: self.input.to_owned(),
                    column: name.clone(),
                    row: number,
                    found: label,
                })?;
                share >= self.options.label_threshold
            }
        };
        let time = match &self.columns.time {
            None => 0,
            Some(name) => {
                let text = cell("time").unwrap_or_default();
                time_of_text(&text).ok_or_else(|| TableError::WrongValue {
                    path: self.input.to_owned(),
                    place: format!("row {number} (counted from 1, header not counted)"),
                    column: name.clone(),
                    found: format!("`{text}`"),
                    expected: TIME_EXPECTED,
                })?
            }
        };
        let negatives = (0..self.columns.negatives.len()).filter_map(|at| {
            let text = cell(&format!("negative {at}"))?;
            Some(self.edited(&text)).filter(|text| !text.trim().is_empty())
        });
        let negatives = negatives.collect();
        let kept = (0..self.columns.kept.len()).map(|at| cell(&format!("kept {at}")));
        let kept = kept.collect();
        let [anchor, second] = [0, 1].map(|side| Text {
            text: self.text(batch, side, row),
            id: id(side),
        });
        self.rows.push(Row {
            anchor,
            second,
            is_positive,
            negatives,
            kept,
            time,
        });
        Ok(())
    }

    fn edited(&self, text: &str) -> String {
        let edited = self.edit.map(|edit| edit.edit(text).into_owned());
        edited.unwrap_or_else(|| text.to_owned())
    }

    /// Returns the anchor or the other text of a row.
    fn text(&mut self, batch: &RecordBatch, side: usize, row: usize) -> String {
        let columns = self.columns;
        let names = &columns.texts[side];
        let parts = names.iter().enumerate().map(|(part, _)| {
            let text = cell(batch, &format!("text {side} {part}"), row);
            self.edited(text.unwrap_or_default())
        });
        let mut parts: Vec<String> = parts.collect();
        if let [_] = parts.as_slice() {
            return parts.remove(0);
        }
        for (name, _) in names
            .iter()
            .zip(&parts)
            .filter(|(_, part)| part.trim().is_empty())
        {
            *self.taken.blank.entry(name.clone()).or_default() += 1;
        }
        joined(parts.iter().map(String::as_str))
    }
}

fn cell<'b>(batch: &'b RecordBatch, name: &str, row: usize) -> Option<&'b str> {
    let column: &StringArray = batch.column_by_name(name)?.as_string_opt()?;
    column.is_valid(row).then(|| column.value(row))
}

/// Returns the number that a label is; true and false are 1 and 0, as pandas writes them.
fn share(label: &str) -> Option<f64> {
    match label.trim() {
        yes if yes.eq_ignore_ascii_case("true") => Some(1.0),
        no if no.eq_ignore_ascii_case("false") => Some(0.0),
        number => number.parse().ok(),
    }
}
