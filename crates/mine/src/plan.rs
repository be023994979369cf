use arrow::array::RecordBatch;
use datafusion::logical_expr::{Expr, ScalarUDF, SortExpr, lit};
use datafusion::prelude::{DataFrame, SessionContext, ident};
use futures::StreamExt;
use pairmill_lexical::Bm25Search;
use pairmill_tables::string_column;

use crate::once::table_of;
use crate::{Frame, Result};

/// Adds to each row of `rows`, in ascending order of the columns `keys`, the passages that the
/// `search` function finds for the text in its column `query`: one row per passage, best first,
/// with the columns `corpus_id`, `rank`, `bm25` and whatever else the function returns. A row that
/// finds nothing goes away. As many queries are searched for at a time as may find
/// `hits_per_batch` passages together, which bounds memory.
pub(crate) async fn with_hits(
    frame: &Frame,
    session: &SessionContext,
    rows: DataFrame,
    keys: &[&str],
    search: Bm25Search,
    top_k: usize,
    hits_per_batch: usize,
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
    let ordered = session.read_table(table_of(ordered, hits_per_batch / top_k.max(1))?)?;

    let search = ScalarUDF::from(search);
    let hits = search.call(vec![ident("query"), lit(top_k as i64)]);
    let columns = columns.into_iter().chain([hits.alias("hit")]);
    let searched = ordered.select(columns.collect::<Vec<_>>())?;
    // The search goes on while rows are made of what it has found.
    let searched = frame.ahead(searched.execute_stream().await?);
    let rows = session
        .read_table(table_of(searched, usize::MAX)?)?
        .unnest_columns(&["hit"])?
        .unnest_columns(&["hit"])?;
    let plain: Vec<Expr> = column_names(&rows)
        .map(|name| match name.strip_prefix("hit.") {
            Some(field) => ident(&name).alias(field),
            None => ident(name),
        })
        .collect();
    Ok(rows.select(plain)?)
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
