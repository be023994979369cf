use arrow::array::{Array, RecordBatch, StringArray};
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_hygiene::{Batch, TableKind};
use pairmill_tables::{TableError, f32_column, i32_column, string_column};

use super::sources::Source;
use crate::Result;

impl Source {
    /// Hands on the rows in batches, until `take` has enough.
    pub async fn read(
        &self,
        frame: &DataFrame,
        mut take: impl FnMut(&Batch) -> bool,
    ) -> Result<()> {
        let scan_error = |error| TableError::of_scan(&self.path, error);
        let mut stream = frame.clone().execute_stream().await.map_err(scan_error)?;
        let progress = Progress::new("reading", "rows", None);
        let mut first = 0;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(scan_error)?;
            let goes_on = take(&self.batch(&batch, first));
            first += batch.num_rows();
            progress.inc(batch.num_rows() as u64);
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// The rows as the checks take them.
    pub fn batch<'a>(&self, batch: &'a RecordBatch, first: usize) -> Batch<'a> {
        let texts = self.texts.iter();
        Batch {
            first,
            texts: texts.clone().map(|(name, ..)| cells(batch, name)).collect(),
            ids: texts.map(|(_, _, id)| ids(batch, id.as_deref())).collect(),
            category: self.info.category.as_deref().map(|name| cells(batch, name)),
            score: self.scores(batch),
        }
    }

    fn scores(&self, batch: &RecordBatch) -> Option<Vec<f64>> {
        match self.info.kind {
            TableKind::Labeled => {
                let scores = f32_column(batch, "score").values().iter();
                Some(scores.map(|&score| f64::from(score)).collect())
            }
            TableKind::Qrels => {
                let grades = i32_column(batch, "score").values().iter();
                Some(grades.map(|&grade| f64::from(grade)).collect())
            }
            _ => None,
        }
    }
}

/// The texts of a column; a null is an empty one.
fn cells<'a>(batch: &'a RecordBatch, name: &str) -> Vec<&'a str> {
    fn cell(column: &StringArray, row: usize) -> &str {
        match column.is_valid(row) {
            true => column.value(row),
            false => "",
        }
    }
    let column = string_column(batch, name);
    (0..batch.num_rows()).map(|row| cell(column, row)).collect()
}

/// The ids of a column of texts, if it has any: without a column of ids all of them are null.
fn ids<'a>(batch: &'a RecordBatch, name: Option<&str>) -> Option<Vec<&'a str>> {
    let column = string_column(batch, name?);
    (column.null_count() < batch.num_rows()).then(|| cells(batch, name.unwrap_or_default()))
}
