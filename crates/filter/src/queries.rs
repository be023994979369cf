use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::error::ArrowError;
use pairmill_tables::string_column;

/// Cuts a stream of batches that is sorted by `query_id` anew, so that no query is in two batches.
#[derive(Debug, Default)]
pub(crate) struct WholeQueries {
    /// The rows of the last query so far, which may go on.
    held: Option<RecordBatch>,
}

impl WholeQueries {
    /// Takes the next batch and returns the queries that are complete with it.
    pub fn push(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>, ArrowError> {
        let batch = match self.held.take() {
            Some(held) => concat_batches(&held.schema(), [&held, &batch])?,
            None => batch,
        };
        let end = last_query(&batch);
        self.held = Some(batch.slice(end, batch.num_rows() - end));
        Ok((end > 0).then(|| batch.slice(0, end)))
    }

    /// The last query.
    pub fn finish(self) -> Option<RecordBatch> {
        self.held.filter(|held| held.num_rows() > 0)
    }
}

/// The row where the last query begins.
fn last_query(batch: &RecordBatch) -> usize {
    let ids = string_column(batch, "query_id");
    let Some(last) = ids.len().checked_sub(1) else {
        return 0;
    };
    let same = |&row: &usize| ids.value(row) == ids.value(last);
    (0..last).rev().take_while(same).last().unwrap_or(last)
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
            found.extend(queries.push(batch(ids)).unwrap());
        }
        found.extend(queries.finish());
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
            ["aaa", "bbc", "d"]
        );
        assert_eq!(cut(&[&["a"], &["a"], &["a"]]), ["aaa"]);
        assert_eq!(cut(&[&["a"], &[], &["b"]]), ["a", "b"]);
        assert!(cut(&[]).is_empty() && cut(&[&[]]).is_empty());
    }
}
