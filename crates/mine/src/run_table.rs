use std::collections::HashSet;
use std::fs;

use arrow::array::RecordBatch;
use datafusion::prelude::{DataFrame, ident};
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_tables::{
    ColumnNames, Lineage, Table, TrecRunOutput, check_output, open, session, sibling, string_column,
};
use serde::Serialize;
use tracing::{info, warn};

use crate::key::id_key;
use crate::plan::{Runs, for_each_batch, with_hits};
use crate::retriever::Retriever;
use crate::{Corpus, Frame, MineError, Report, Result};

/// What to search, with which queries, to where.
#[derive(Debug, Clone, Serialize)]
pub struct SearchConfig {
    /// The passages to search.
    #[serde(flatten)]
    pub corpus: Corpus,
    /// The queries: a path, folder or glob in any supported format.
    #[serde(skip)]
    pub queries: String,
    /// Passages written for each query.
    pub top_k: usize,
    /// Where to write the ranked run, and how to run.
    #[serde(skip)]
    pub frame: Frame,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SearchSummary {
    /// Passages in the corpus.
    pub passages: u64,
    /// Queries searched for.
    pub queries: u64,
    /// Queries that find nothing: by BM25 those that share no term with any passage.
    pub queries_without_hits: u64,
    /// Rows written.
    pub hits: u64,
}

/// Writes the ranked run of every query, unless it is up to date: the `top_k` best passages.
/// Ordered by `query_id`, `rank`.
///
/// # Errors
/// If an input is unsound (see [`pairmill_tables::open`]), two passages or two queries share an
/// id, or the index or the output cannot be written.
pub fn search(config: &SearchConfig) -> Result<Report<SearchSummary>> {
    let lineage =
        Lineage::new("search", config, config.frame.seed).with_input("queries", &config.queries)?;
    let lineage = config.corpus.add_to(lineage)?;
    let is_done = lineage.is_carried_by(&config.frame.output);
    config.frame.run(is_done, write_run(config, &lineage))
}

async fn write_run(config: &SearchConfig, lineage: &Lineage) -> Result<SearchSummary> {
    let frame = &config.frame;
    let session = session(frame.threads)?;
    let names = ColumnNames::default();
    let queries = open(&session, &config.queries, Table::Queries, &names, &[]).await?;
    let count = count_distinct(queries.clone(), &config.queries).await?;
    check_output(&frame.output)?;
    let (corpus, threads) = (&config.corpus, frame.threads);
    let beside = sibling(&frame.output, ".parts")?;
    let retriever = match Retriever::open(corpus, &session, lineage, threads, &beside).await {
        Ok(retriever) => retriever,
        Err(error) => {
            // Unless there are embeddings in it, which the next run can use.
            let _ = fs::remove_dir(&beside);
            return Err(error);
        }
    };

    let hits = with_hits(
        frame,
        &session,
        queries.select(vec![
            ident("id").alias("query_id"),
            ident("text").alias("query"),
        ])?,
        &["query_id"],
        &retriever,
        config.top_k,
        false,
    )
    .await?
    .select(vec![
        ident("query_id"),
        ident("corpus_id"),
        ident("rank"),
        ident(retriever.score_column()).alias("score"),
    ])?;
    let progress = Progress::new("searching", "queries", Some(count));
    let mut found = Runs::default();
    let on_batch = |batch: &RecordBatch| progress.inc(found.count(batch, &["query_id"]));
    let hits = match frame.output.extension() {
        Some(extension) if extension == "trec" => write_trec(frame, hits, on_batch).await?,
        _ => frame.write(hits, Table::Run, lineage, on_batch).await?,
    };
    let queries_without_hits = count - found.total();
    let seconds = progress.elapsed().as_secs_f64();
    drop(progress);
    info!(
        "searched {count} queries in {seconds:.1} s ({:.0} a second)",
        count as f64 / seconds.max(1e-3)
    );
    info!("wrote {}: {hits} hits", frame.output.display());
    if queries_without_hits > 0 {
        warn!("{queries_without_hits} queries found nothing");
    }
    let _ = fs::remove_dir_all(beside);
    Ok(SearchSummary {
        passages: retriever.passages(),
        queries: count,
        queries_without_hits,
        hits,
    })
}

async fn write_trec(
    frame: &Frame,
    hits: DataFrame,
    mut on_batch: impl FnMut(&RecordBatch),
) -> Result<u64> {
    let mut output = TrecRunOutput::create(&frame.output, "pairmill")?;
    let mut hits = frame.ahead(hits.execute_stream().await?);
    let mut rows = 0;
    while let Some(batch) = hits.next().await {
        let batch = batch?;
        on_batch(&batch);
        output.write(&batch)?;
        rows += batch.num_rows() as u64;
    }
    output.finish()?;
    Ok(rows)
}

/// The number of queries, no two of which may share an id.
async fn count_distinct(queries: DataFrame, path: &str) -> Result<u64> {
    let mut seen = HashSet::new();
    let mut duplicate = None;
    for_each_batch(queries.select(vec![ident("id")])?, |batch| {
        for id in string_column(batch, "id").iter().flatten() {
            if !seen.insert(id_key(id)) && duplicate.is_none() {
                duplicate = Some(id.to_owned());
            }
        }
    })
    .await?;
    match duplicate {
        None => Ok(seen.len() as u64),
        Some(id) => Err(MineError::DuplicateQuery {
            path: path.to_owned(),
            id,
        }),
    }
}
