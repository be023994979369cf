use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use pairmill_hygiene::{Excerpt, Excerpts, Finding, Found, Table};
use pairmill_tables::{Lineage, TableError, TableOutput};

use crate::Result;

/// Rows handed to the writer at a time.
const BATCH_ROWS: usize = 4_096;

fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let maybe = |name: &str, kind: DataType| Field::new(name, kind, true);
    Arc::new(Schema::new(vec![
        text("kind"),
        text("severity"),
        text("table"),
        Field::new("row", DataType::Int64, false),
        text("id"),
        maybe("column", DataType::Utf8),
        maybe("other_table", DataType::Utf8),
        maybe("other_row", DataType::Int64),
        maybe("other_id", DataType::Utf8),
        maybe("similarity", DataType::Float32),
        maybe("suggestion", DataType::Utf8),
        maybe("probability", DataType::Float32),
        text("detail"),
        text("excerpt"),
        maybe("other_excerpt", DataType::Utf8),
        text("remedy"),
    ]))
}

/// Writes a row for each finding; rows of the input are counted from 1.
pub(super) fn write(
    path: &Path,
    found: &Found,
    tables: &[Table],
    excerpts: &Excerpts,
    lineage: &Lineage,
) -> Result<()> {
    let mut output = TableOutput::create(path, schema(), lineage)?;
    for findings in found.findings.chunks(BATCH_ROWS) {
        output.write(&batch(findings, tables, excerpts)?)?;
    }
    output.finish()?;
    Ok(())
}

fn batch(findings: &[Finding], tables: &[Table], excerpts: &Excerpts) -> Result<RecordBatch> {
    let nothing = Excerpt::default();
    let table = |finding: &Finding| &tables[finding.place.table as usize];
    let own = |finding: &Finding| {
        let row = excerpts.get(table(finding), finding.place, finding.column);
        row.unwrap_or(&nothing).clone()
    };
    let other = |finding: &Finding| {
        let (place, column) = finding.other?;
        let table = &tables[place.table as usize];
        let row = excerpts.get(table, place, Some(column));
        Some((table, place, row.unwrap_or(&nothing).clone()))
    };
    let column = |finding: &Finding| {
        let column = finding.column?;
        Some(table(finding).texts[column].name.clone())
    };
    let excerpt = |finding: &Finding| match finding.excerpt.is_empty() {
        true => own(finding).text,
        false => finding.excerpt.clone(),
    };
    let texts = |cell: &dyn Fn(&Finding) -> Option<String>| -> ArrayRef {
        Arc::new(findings.iter().map(cell).collect::<StringArray>())
    };
    let numbers = |cell: &dyn Fn(&Finding) -> Option<i64>| -> ArrayRef {
        Arc::new(findings.iter().map(cell).collect::<Int64Array>())
    };
    let similarity = |finding: &Finding| finding.similarity.map(|similarity| similarity as f32);
    let suggestion = |finding: &Finding| Some(finding.suggestion.as_ref()?.category.clone());
    let probability = |finding: &Finding| Some(finding.suggestion.as_ref()?.probability as f32);
    let columns: Vec<ArrayRef> = vec![
        texts(&|finding| Some(finding.kind.name.to_owned())),
        texts(&|finding| Some(finding.kind.severity.name().to_owned())),
        texts(&|finding| Some(table(finding).name.clone())),
        numbers(&|finding| Some(i64::from(finding.place.row) + 1)),
        texts(&|finding| Some(own(finding).id)),
        texts(&column),
        texts(&|finding| Some(other(finding)?.0.name.clone())),
        numbers(&|finding| Some(i64::from(other(finding)?.1.row) + 1)),
        texts(&|finding| Some(other(finding)?.2.id)),
        Arc::new(findings.iter().map(similarity).collect::<Float32Array>()),
        texts(&suggestion),
        Arc::new(findings.iter().map(probability).collect::<Float32Array>()),
        texts(&|finding| Some(finding.detail.clone())),
        texts(&|finding| Some(excerpt(finding))),
        texts(&|finding| Some(other(finding)?.2.text)),
        texts(&|finding| Some(finding.kind.remedy.to_owned())),
    ];
    let batch = RecordBatch::try_new(schema(), columns);
    Ok(batch.map_err(|error| TableError::Query(Box::new(error.into())))?)
}
