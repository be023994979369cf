use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Int64Builder, RecordBatch, StringArray, StringBuilder,
};
use arrow::compute::filter;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use pairmill_hygiene::{Found, Mended, MendedCard, Mender};
use pairmill_tables::{Lineage, TableError, TableOutput, string_column};

use super::sources::Source;
use super::{CheckConfig, name_of};
use crate::Result;

/// Writes the mended table, and what was dropped and changed.
pub(super) async fn write(
    config: &CheckConfig,
    source: &Source,
    frame: &DataFrame,
    found: &Found,
    lineage: &Lineage,
    folder: &Path,
) -> Result<MendedCard> {
    let options = &config.options;
    let ending = options.format.ending();
    let [file, audit_file] = ["mended", "dropped"].map(|name| format!("{name}.{ending}"));
    let mender = Mender::new(&source.info, 0, found, &options.fix, options.anonymise);
    let mut writer = MendedWriter {
        source,
        mender: match options.relabel {
            true => mender.with_relabelling(found),
            false => mender,
        },
        schema: None,
        audit: Audit::new(&folder.join(&audit_file), lineage)?,
        dropped: 0,
        changed: 0,
    };
    let scan_error = |error| TableError::of_scan(&source.path, error);
    let mut stream = frame.clone().execute_stream().await.map_err(scan_error)?;
    let mut output: Option<TableOutput> = None;
    let (mut first, mut rows) = (0, 0);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(scan_error)?;
        if batch.num_rows() == 0 {
            continue;
        }
        let mended = writer.mend(&batch, first)?;
        first += batch.num_rows();
        rows += mended.num_rows() as u64;
        let output = match &mut output {
            Some(output) => output,
            None => {
                let created = TableOutput::create(&folder.join(&file), mended.schema(), lineage)?;
                output.insert(created)
            }
        };
        output.write(&mended)?;
    }
    if let Some(output) = output {
        output.finish()?;
    }
    writer.audit.finish()?;
    if rows == 0 {
        tracing::warn!("{}: the fixes leave no row of it", name_of(&config.input));
    }
    let by_kind = writer.mender.counts().iter();
    let placeholders = writer.mender.anonymiser().map(|it| it.counts());
    Ok(MendedCard {
        file,
        audit_file,
        rows,
        dropped: writer.dropped,
        changed: writer.changed,
        by_kind: by_kind
            .map(|(kind, count)| ((*kind).to_owned(), *count))
            .collect(),
        placeholders: placeholders.unwrap_or_default(),
    })
}

struct MendedWriter<'a> {
    source: &'a Source,
    mender: Mender,
    schema: Option<SchemaRef>,
    audit: Audit,
    dropped: u64,
    changed: u64,
}

impl MendedWriter<'_> {
    fn mend(&mut self, batch: &RecordBatch, first: usize) -> Result<RecordBatch> {
        let rows = self.source.batch(batch, first);
        let columns = self.source.texts.len();
        let mut texts: Vec<StringBuilder> = (0..columns).map(|_| StringBuilder::new()).collect();
        let mut categories = StringBuilder::new();
        let mut is_kept = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let own: Vec<&str> = rows.texts.iter().map(|column| column[row]).collect();
            let category = rows.category.as_ref().map(|column| column[row]);
            let id = self.id(&rows, row, first);
            match self.mender.row(first + row, &own, category) {
                Mended::Dropped { kind, reason } => {
                    self.dropped += 1;
                    is_kept.push(false);
                    let whole = self.whole_row(&own, category);
                    let whole = self.mender.shown(&whole);
                    self.audit.add(&AuditRow {
                        row: first + row,
                        id: &id,
                        action: "dropped",
                        kind,
                        detail: &reason,
                        before: Some(&whole),
                        ..AuditRow::default()
                    })?;
                }
                Mended::Kept {
                    texts: mended,
                    category,
                    changes,
                } => {
                    is_kept.push(true);
                    for (at, (builder, text)) in texts.iter_mut().zip(&mended).enumerate() {
                        let name = &self.source.texts[at].0;
                        let is_null = string_column(batch, name).is_null(row);
                        builder.append_option((!is_null).then_some(text));
                    }
                    if let Some(category) = category {
                        categories.append_value(category);
                    }
                    self.changed += changes.len() as u64;
                    for change in changes {
                        self.audit.add(&AuditRow {
                            row: first + row,
                            id: &id,
                            action: "changed",
                            kind: change.kind,
                            column: Some(&change.column),
                            before: change.before.as_deref(),
                            after: Some(&change.after),
                            ..AuditRow::default()
                        })?;
                    }
                }
            }
        }
        let mut texts: Vec<ArrayRef> = texts
            .iter_mut()
            .map(|column| Arc::new(column.finish()) as ArrayRef)
            .collect();
        let categories: ArrayRef = Arc::new(categories.finish());
        let schema = self.schema(batch);
        let is_kept = BooleanArray::from(is_kept);
        let mut columns: Vec<ArrayRef> = Vec::new();
        for field in schema.fields() {
            let at = self
                .source
                .texts
                .iter()
                .position(|(name, ..)| name == field.name());
            columns.push(match at {
                Some(at) => std::mem::replace(&mut texts[at], Arc::new(StringArray::new_null(0))),
                None if self.source.info.category.as_ref() == Some(field.name()) => {
                    categories.clone()
                }
                None => {
                    let column = batch.column_by_name(field.name());
                    let column = column.expect("the schema was made of the batch's columns");
                    filter(column, &is_kept).map_err(query)?
                }
            });
        }
        Ok(RecordBatch::try_new(schema, columns).map_err(query)?)
    }

    /// The columns of the contract that the input has, and those that are kept.
    fn schema(&mut self, batch: &RecordBatch) -> SchemaRef {
        let source = self.source;
        let schema = self.schema.get_or_insert_with(|| {
            let contract = source.table.schema();
            let is_there = |field: &&Arc<Field>| {
                let column = batch.column_by_name(field.name());
                column.is_some_and(|column| column.null_count() < column.len())
            };
            let own = contract.fields().iter().filter(is_there).cloned();
            let kept = source
                .kept
                .iter()
                .map(|name| Field::new(name, DataType::Utf8, true));
            let fields: Vec<Arc<Field>> = own.chain(kept.map(Arc::new)).collect();
            Arc::new(Schema::new(fields))
        });
        schema.clone()
    }

    fn id(&self, rows: &pairmill_hygiene::Batch, row: usize, first: usize) -> String {
        let id = rows.ids.iter().flatten().next().map_or("", |ids| ids[row]);
        match id {
            "" => (first + row + 1).to_string(),
            id => id.to_owned(),
        }
    }

    /// A row as one JSON object, so that nothing of it is lost.
    fn whole_row(&self, texts: &[&str], category: Option<&str>) -> String {
        let mut row = serde_json::Map::new();
        for ((name, ..), text) in self.source.texts.iter().zip(texts) {
            row.insert(name.clone(), (*text).into());
        }
        if let (Some(name), Some(category)) = (&self.source.info.category, category) {
            row.insert(name.clone(), category.into());
        }
        serde_json::Value::Object(row).to_string()
    }
}

/// What was dropped and changed, a row for each.
struct Audit {
    output: TableOutput,
    rows: Int64Builder,
    texts: [StringBuilder; 7],
    /// Bytes of the rows that are not written yet.
    bytes: usize,
}

/// A row that was dropped, or a text that was changed.
#[derive(Default)]
struct AuditRow<'a> {
    row: usize,
    id: &'a str,
    action: &'a str,
    kind: &'a str,
    column: Option<&'a str>,
    detail: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

/// Bytes handed to the writer at a time.
const BATCH_BYTES: usize = 4 << 20;

impl Audit {
    fn schema() -> SchemaRef {
        let text = |name: &str, may_be_null| Field::new(name, DataType::Utf8, may_be_null);
        Arc::new(Schema::new(vec![
            Field::new("row", DataType::Int64, false),
            text("id", false),
            text("action", false),
            text("kind", false),
            text("column", true),
            text("detail", false),
            text("before", true),
            text("after", true),
        ]))
    }

    fn new(path: &Path, lineage: &Lineage) -> Result<Self> {
        Ok(Self {
            output: TableOutput::create(path, Self::schema(), lineage)?,
            rows: Int64Builder::new(),
            texts: std::array::from_fn(|_| StringBuilder::new()),
            bytes: 0,
        })
    }

    fn add(&mut self, row: &AuditRow) -> Result<()> {
        self.rows.append_value(row.row as i64 + 1);
        let cells = [
            Some(row.id),
            Some(row.action),
            Some(row.kind),
            row.column,
            Some(row.detail),
            row.before,
            row.after,
        ];
        for (builder, cell) in self.texts.iter_mut().zip(cells) {
            builder.append_option(cell);
            self.bytes += cell.map_or(0, str::len);
        }
        match self.bytes > BATCH_BYTES {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        let rows: ArrayRef = Arc::new(self.rows.finish());
        let texts = self
            .texts
            .iter_mut()
            .map(|column| Arc::new(column.finish()) as ArrayRef);
        let columns: Vec<ArrayRef> = std::iter::once(rows).chain(texts).collect();
        let batch = RecordBatch::try_new(Self::schema(), columns).map_err(query)?;
        self.bytes = 0;
        Ok(self.output.write(&batch)?)
    }

    fn finish(mut self) -> Result<()> {
        self.flush()?;
        self.output.finish()?;
        Ok(())
    }
}

fn query(error: ArrowError) -> TableError {
    TableError::Query(Box::new(error.into()))
}
