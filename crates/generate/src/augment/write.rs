use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use pairmill_tables::{Lineage, TableError, TableOutput};

use super::config::{AugmentConfig, Named, OWN_COLUMNS};
use super::report::AugmentReport;
use super::rows::{Row, Sources};
use super::wordings::Wording;
use crate::{GenerateError, Result};

/// Rows handed to a writer at a time.
const BATCH_ROWS: usize = 4_096;
/// Bytes of text after which they are handed on early.
const BATCH_BYTES: usize = 16 << 20;

/// A row to write.
struct OutRow<'a> {
    cells: Vec<Cow<'a, str>>,
    row: &'a Row,
    source: Option<&'a str>,
    method: Option<&'a str>,
    similarity: Option<f32>,
}

/// Writes the table: the sources, unless they are to be left out, and the wordings that passed.
pub(super) fn write_table(
    config: &AugmentConfig,
    sources: &Sources,
    methods: &[Named],
    wordings: &[Wording],
    lineage: &Lineage,
    report: &mut AugmentReport,
) -> Result<()> {
    let mut rows: Vec<OutRow> = Vec::new();
    if !config.variants_only {
        rows.extend(sources.rows.iter().map(|row| OutRow {
            cells: row.cells.iter().map(|cell| cell.as_str().into()).collect(),
            row,
            source: None,
            method: None,
            similarity: None,
        }));
    }
    for wording in wordings.iter().filter(|wording| wording.is_left()) {
        let method = methods[wording.method].name;
        let id = variant_id(sources, wording, method, &config.input)?;
        for row in &sources.rows[sources.sources[wording.source].rows.clone()] {
            let mut cells: Vec<Cow<str>> =
                row.cells.iter().map(|cell| cell.as_str().into()).collect();
            cells[0] = id.clone().into();
            cells[1] = wording.text.as_str().into();
            rows.push(OutRow {
                cells,
                row,
                source: Some(row.id()),
                method: Some(method),
                similarity: wording.similarity,
            });
        }
    }
    rows.sort_by(|a, b| (&a.cells, &a.row.kept).cmp(&(&b.cells, &b.row.kept)));

    let of_table = sources.kind.table().schema();
    let own = [DataType::Utf8, DataType::Utf8, DataType::Float32];
    let own = OWN_COLUMNS.iter().zip(own);
    let own = own.map(|(name, kind)| Arc::new(Field::new(*name, kind, true)));
    let kept = sources.kept.fields().into_iter().map(Arc::new);
    let fields: Vec<_> = of_table
        .fields()
        .iter()
        .cloned()
        .chain(kept)
        .chain(own)
        .collect();
    let mut output = Texts::create(&config.output, Arc::new(Schema::new(fields)), lineage)?;
    for row in &rows {
        let cells = row.cells.iter().map(|cell| Some(&**cell));
        let kept = row.row.kept.iter().map(Option::as_deref);
        output.push(
            cells.chain(kept).chain([row.source, row.method]),
            row.similarity,
        )?;
    }
    report.rows = rows.len() as u64;
    output.flush()?;
    output.output.finish_with(&*report)?;
    Ok(())
}

/// The id of a wording, which no row of the table may have.
fn variant_id(sources: &Sources, wording: &Wording, method: &str, input: &str) -> Result<String> {
    let id = format!("{}~{method}-{}", sources.id(wording.source), wording.number);
    let ids = &sources.sources;
    let found = ids.binary_search_by(|source| sources.rows[source.rows.start].id().cmp(&id));
    match found {
        Err(_) => Ok(id),
        Ok(_) => Err(GenerateError::IdOfVariant {
            input: input.to_owned(),
            id,
        }),
    }
}

/// Writes what was refused, with the reason.
pub(super) fn write_audit(
    path: &Path,
    sources: &Sources,
    methods: &[Named],
    wordings: &[Wording],
    lineage: &Lineage,
) -> Result<()> {
    let required = |name: &str| Field::new(name, DataType::Utf8, false);
    let optional = |name: &str, kind: DataType| Field::new(name, kind, true);
    let fields = vec![
        required("source_id"),
        required("method"),
        required("source"),
        required("text"),
        required("reason"),
        optional("other", DataType::Utf8),
        optional("similarity", DataType::Float32),
    ];
    let mut output = Texts::create(path, Arc::new(Schema::new(fields)), lineage)?;
    for wording in wordings {
        let Some(refusal) = wording.refusal else {
            continue;
        };
        let cells = [
            Some(sources.id(wording.source)),
            Some(methods[wording.method].name),
            Some(sources.text(wording.source)),
            Some(wording.text.as_str()),
            Some(refusal.name()),
            wording.other.as_deref(),
        ];
        output.push(cells, wording.similarity)?;
    }
    output.flush()?;
    output.output.finish()?;
    Ok(())
}

/// A table of texts and, behind them, a number.
struct Texts {
    output: TableOutput,
    schema: SchemaRef,
    texts: Vec<StringBuilder>,
    numbers: Float32Builder,
    rows: usize,
    bytes: usize,
}

impl Texts {
    fn create(path: &Path, schema: SchemaRef, lineage: &Lineage) -> Result<Self> {
        Ok(Self {
            output: TableOutput::create(path, schema.clone(), lineage)?,
            texts: (1..schema.fields().len())
                .map(|_| StringBuilder::new())
                .collect(),
            numbers: Float32Builder::new(),
            schema,
            rows: 0,
            bytes: 0,
        })
    }

    fn push<'a>(
        &mut self,
        cells: impl IntoIterator<Item = Option<&'a str>>,
        number: Option<f32>,
    ) -> Result<()> {
        for (column, cell) in self.texts.iter_mut().zip(cells) {
            column.append_option(cell);
            self.bytes += cell.map_or(0, str::len);
        }
        self.numbers.append_option(number);
        self.rows += 1;
        if self.rows == BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let texts = self
            .texts
            .iter_mut()
            .map(|column| Arc::new(column.finish()) as ArrayRef);
        let numbers: ArrayRef = Arc::new(self.numbers.finish());
        let columns = texts.chain([numbers]).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|error| TableError::Query(Box::new(error.into())))?;
        (self.rows, self.bytes) = (0, 0);
        Ok(self.output.write(&batch)?)
    }
}
