use arrow::array::RecordBatch;
use datafusion::logical_expr::{Expr, ScalarUDF, SortExpr, lit};
use datafusion::prelude::{DataFrame, SessionContext, ident};
use futures::StreamExt;
use pairmill_lexical::Bm25Search;
use pairmill_tables::string_column;

use crate::Result;
use crate::once::table_of;

/// Passages that one batch of queries may find together, which bounds the memory of a batch.
const HITS_PER_BATCH: usize = 16_384;

/// Adds to each row of `rows`, in ascending order of the columns `keys`, the passages that the
/// `search` function finds for the text in its column `query`: one row per passage, best first,
/// with the columns `corpus_id`, `rank`, `bm25` and whatever else the function returns. A row that
/// finds nothing goes away.
pub(crate) async fn with_hits(
    session: &SessionContext,
    rows: DataFrame,
    keys: &[&str],
    search: Bm25Search,
    top_k: usize,
) -> Result<DataFrame> {
    let sort: Vec<SortExpr> = keys
        .iter()
        .map(|key| ident(*key).sort(true, false))
        .collect();
    let columns: Vec<Expr> = column_names(&rows).map(ident).collect();
    let ordered = rows.sort(sort)?.execute_stream().await?;
    // One partition keeps the order; the functions are parallel inside.
    let config = session.copied_config().with_target_partitions(1);
    let session = SessionContext::new_with_config_rt(config, session.runtime_env());
    let ordered = session.read_table(table_of(ordered, HITS_PER_BATCH / top_k.max(1))?)?;

    let search = ScalarUDF::from(search);
    let hits = search.call(vec![ident("query"), lit(top_k as i64)]);
    let frame = ordered
        .select(
            columns
                .into_iter()
                .chain([hits.alias("hit")])
                .collect::<Vec<_>>(),
        )?
        .unnest_columns(&["hit"])?
        .unnest_columns(&["hit"])?;
    let plain: Vec<Expr> = column_names(&frame)
        .map(|name| match name.strip_prefix("hit.") {
            Some(field) => ident(&name).alias(field),
            None => ident(name),
        })
        .collect();
    Ok(frame.select(plain)?)
}

fn column_names(frame: &DataFrame) -> impl Iterator<Item = String> + use<> {
    let names: Vec<String> = frame
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    names.into_iter()
}

/// Reads a table to its end.
pub(crate) async fn for_each_batch(
    frame: DataFrame,
    mut read: impl FnMut(&RecordBatch),
) -> Result<()> {
    let mut stream = frame.execute_stream().await?;
    while let Some(batch) = stream.next().await {
        read(&batch?);
    }
    Ok(())
}

/// Counts the runs of equal values in columns that are sorted by them, across batches.
#[derive(Default)]
pub(crate) struct Runs {
    last: Option<Vec<String>>,
    found: u64,
}

impl Runs {
    /// Returns how many runs begin in this batch.
    pub(crate) fn count(&mut self, batch: &RecordBatch, columns: &[&str]) -> u64 {
        let before = self.found;
        let columns: Vec<_> = columns
            .iter()
            .map(|name| string_column(batch, name))
            .collect();
        for row in 0..batch.num_rows() {
            let values = columns.iter().map(|column| column.value(row));
            let same = self
                .last
                .as_ref()
                .is_some_and(|last| values.clone().eq(last.iter()));
            if !same {
                self.last = Some(values.map(str::to_owned).collect());
                self.found += 1;
            }
        }
        self.found - before
    }

    /// How many runs there were.
    pub(crate) fn total(&self) -> u64 {
        self.found
    }
}
