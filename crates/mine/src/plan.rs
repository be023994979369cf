use arrow::array::RecordBatch;
use datafusion::logical_expr::{Expr, SortExpr};
use datafusion::prelude::{DataFrame, SessionContext, ident};
use pairmill_tables::string_column;

use crate::retriever::{HITS_PER_BATCH, Retriever};
use crate::stream_table::table_of;
use crate::{Result, RunOptions};

/// Adds to each row of `rows`, in ascending order of the columns `keys`, the passages that the
/// retriever finds for the text in its column `query`: one row per passage, best first, with the
/// columns `corpus_id`, `rank` and those of its scores. A row that finds nothing goes away. With
/// `of_pairs`, rows have a column `positive`, whose scores are added too, and passages their texts.
pub(crate) async fn with_hits(
    run: &RunOptions,
    session: &SessionContext,
    rows: DataFrame,
    keys: &[&str],
    retriever: &Retriever,
    top_k: usize,
    of_pairs: bool,
) -> Result<DataFrame> {
    let sort: Vec<SortExpr> = keys
        .iter()
        .map(|key| ident(*key).sort(true, false))
        .collect();
    let mut columns: Vec<Expr> = column_names(&rows).map(ident).collect();
    let ordered = rows.sort(sort)?.execute_stream().await?;
    // One partition keeps the order; the functions are parallel inside.
    let config = session.copied_config().with_target_partitions(1);
    let session = SessionContext::new_with_config_rt(config, session.runtime_env());
    let ordered = session.read_table(table_of(
        ordered,
        retriever.queries_at_once(top_k, of_pairs),
    )?)?;

    if of_pairs {
        columns.extend(retriever.positive_scores());
    }
    columns.push(retriever.hits(top_k, of_pairs).alias("hit"));
    // The search goes on while rows are made of what it has found.
    let found = run.ahead(ordered.select(columns)?.execute_stream().await?);
    let found = session.read_table(table_of(found, HITS_PER_BATCH / top_k.max(1))?)?;
    let rows = found.unnest_columns(&["hit"])?.unnest_columns(&["hit"])?;
    let plain: Vec<Expr> = column_names(&rows)
        .map(|name| match name.strip_prefix("hit.") {
            Some(field) => ident(&name).alias(field),
            None => ident(name),
        })
        .collect();
    let mut rows = rows.select(plain)?;
    for column in retriever.completed(of_pairs) {
        let name = column.schema_name().to_string();
        rows = rows.with_column(&name, column)?;
    }
    Ok(rows)
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

    /// Returns how many runs there were.
    pub(crate) fn total(&self) -> u64 {
        self.found
    }
}
