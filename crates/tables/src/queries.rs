use std::mem;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::error::ArrowError;

use crate::string_column;

/// Cuts a stream of batches that is sorted by `query_id` anew, so that no query is in two batches.
#[derive(Debug, Default)]
pub struct WholeQueries {
    /// The rows of the last query so far, which may go on.
    held: Vec<RecordBatch>,
}

impl WholeQueries {
    /// Takes the next batch and returns the queries that are complete with it.
    ///
    /// # Errors
    /// If the texts of one query exceed Arrow's 2 GiB.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut whole = Vec::new();
        if batch.num_rows() == 0 {
            return Ok(whole);
        }
        let ids = string_column(batch, "query_id");
        let rows = ids.len();
        let mut start = 0;
        if let Some(held) = self.held.first() {
            let held = string_column(held, "query_id").value(0);
            start = (0..rows)
                .find(|&row| ids.value(row) != held)
                .unwrap_or(rows);
            self.held.push(batch.slice(0, start));
            if start == rows {
                return Ok(whole);
            }
            whole.extend(mem::take(self).finish()?);
        }
        let is_last = |&row: &usize| ids.value(row) == ids.value(rows - 1);
        let last = (start..rows).rev().take_while(is_last).last();
        let last = last.unwrap_or(start);
        if last > start {
            whole.push(batch.slice(start, last - start));
        }
        self.held.push(batch.slice(last, rows - last));
        Ok(whole)
    }

    /// Returns the last query, if there was any.
    ///
    /// # Errors
    /// If its texts exceed Arrow's 2 GiB.
    pub fn finish(self) -> Result<Option<RecordBatch>, ArrowError> {
        match self.held.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            [first, ..] => concat_batches(&first.schema(), &self.held).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow::array::StringArray;
    use arrow::record_batch::RecordBatch;

    fn batch(ids: &[&str]) -> RecordBatch {
        let ids = StringArray::from_iter_values(ids);
        RecordBatch::try_from_iter([("query_id", Arc::new(ids) as _)]).unwrap()
    }

    fn cut(batches: &[&[&str]]) -> Vec<String> {
        let mut queries = WholeQueries::default();
        let mut found = Vec::new();
        for ids in batches {
            found.extend(queries.push(&batch(ids)).unwrap());
        }
        found.extend(queries.finish().unwrap());
        let join = |batch: &RecordBatch| {
            let ids: Vec<_> = string_column(batch, "query_id").iter().flatten().collect();
            ids.concat()
        };
        found.iter().map(join).collect()
    }

    #[test]
    fn a_query_is_never_in_two_batches() {
        assert_eq!(
            cut(&[&["a", "a"], &["a", "b"], &["b", "c", "d"]]),
            ["aaa", "bb", "c", "d"]
        );
        assert_eq!(cut(&[&["a"], &["a"], &["a"]]), ["aaa"]);
        assert_eq!(cut(&[&["a"], &[], &["b"]]), ["a", "b"]);
        assert!(cut(&[]).is_empty() && cut(&[&[]]).is_empty());
    }
}
