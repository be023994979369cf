use std::collections::HashSet;

use arrow::array::RecordBatch;
use datafusion::prelude::{DataFrame, ident};
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_lexical::TermFinder;
use pairmill_schema::counted;
use pairmill_tables::{
    ColumnNames, Format, LineOutput, Lineage, Lines, Table, TableOutput, check_output, open,
    session, string_column,
};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::batches::for_each_batch;
use crate::beside::Beside;
use crate::candidates::warn_of_queries;
use crate::plan::{Runs, with_hits};
use crate::{Corpus, MineError, Report, Result, RunOptions};
use pairmill_candidates::id_key;

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
    pub run: RunOptions,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchSummary {
    /// Passages in the corpus.
    pub passages: u64,
    /// Queries searched for.
    pub queries: u64,
    /// Queries that BM25 finds nothing by as they have no term: no words, or only stop words.
    pub queries_without_terms: u64,
    /// Queries that find nothing though they have terms.
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
pub async fn search(config: &SearchConfig) -> Result<Report<SearchSummary>> {
    let lineage =
        Lineage::new("search", config, config.run.seed).with_input("queries", &config.queries)?;
    let lineage = config.corpus.add_to(lineage)?;
    let is_done = lineage.is_done(&config.run.output, config.run.force)?;
    config.run.run(is_done, write_run(config, &lineage)).await
}

async fn write_run(config: &SearchConfig, lineage: &Lineage) -> Result<SearchSummary> {
    let run = &config.run;
    let session = session(run.threads)?;
    let names = ColumnNames::default();
    let queries = open(&session, &config.queries, Table::Queries, &names, &[]).await?;
    check_output(&run.output)?;
    let (corpus, threads) = (&config.corpus.resolved(&session).await?, run.threads);
    refuse_shared_ids(queries.clone(), &config.queries).await?;
    let beside = Beside::open(corpus, &session, lineage, threads, &run.output).await?;
    let retriever = &beside.retriever;

    let (count, without_terms) = count(queries.clone(), retriever.term_finder()).await?;
    let hits = with_hits(
        run,
        &session,
        queries.select(vec![
            ident("id").alias("query_id"),
            ident("text").alias("query"),
        ])?,
        &["query_id"],
        retriever,
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
    let output = match Format::of_name(&run.output) {
        Some(Format::Trec) => Output::Lines(write_trec(run, hits, lineage, on_batch).await?),
        _ => Output::Table(run.write(hits, Table::Run, lineage, on_batch).await?),
    };
    let hits = output.rows();
    let without_hits = count - found.total() - without_terms;
    let seconds = progress.elapsed().as_secs_f64();
    drop(progress);
    info!(
        "searched {} in {seconds:.1} s ({:.0} a second)",
        counted(count, "query", "queries"),
        count as f64 / seconds.max(1e-3)
    );
    let summary = SearchSummary {
        passages: retriever.passages(),
        queries: count,
        queries_without_terms: without_terms,
        queries_without_hits: without_hits,
        hits,
    };
    output.finish(&summary)?;
    let hits = counted(hits, "hit", "hits");
    info!("wrote {}: {hits}", run.output.display());
    beside.remove();
    warn_of_queries(count, without_terms, without_hits);
    Ok(summary)
}

/// A run in either form.
enum Output {
    Table(TableOutput),
    Lines(LineOutput),
}

impl Output {
    fn rows(&self) -> u64 {
        match self {
            Self::Table(output) => output.rows(),
            Self::Lines(output) => output.rows(),
        }
    }

    fn finish(self, summary: &SearchSummary) -> Result<()> {
        match self {
            Self::Table(output) => output.finish_with(summary)?,
            Self::Lines(output) => output.finish_with(summary)?,
        };
        Ok(())
    }
}

async fn write_trec(
    run: &RunOptions,
    hits: DataFrame,
    lineage: &Lineage,
    mut on_batch: impl FnMut(&RecordBatch),
) -> Result<LineOutput> {
    let mut output = LineOutput::create(&run.output, Lines::TrecRun, Some(lineage))?;
    let mut hits = run.ahead(hits.execute_stream().await?);
    while let Some(batch) = hits.next().await {
        let batch = batch?;
        on_batch(&batch);
        output.write(&batch)?;
    }
    Ok(output)
}

/// Refuses queries that share an id.
async fn refuse_shared_ids(queries: DataFrame, path: &str) -> Result<()> {
    let mut seen = HashSet::new();
    let mut duplicate = None;
    for_each_batch(queries, |batch| {
        for id in string_column(batch, "id").iter().flatten() {
            if !seen.insert(id_key(id)) && duplicate.is_none() {
                duplicate = Some(id.to_owned());
            }
        }
    })
    .await?;
    match duplicate {
        None => Ok(()),
        Some(id) => Err(MineError::DuplicateQuery {
            path: path.to_owned(),
            id,
        }),
    }
}

/// Returns how many queries there are, and how many among them have no term.
async fn count(queries: DataFrame, mut terms: Option<TermFinder>) -> Result<(u64, u64)> {
    let (mut count, mut without_terms) = (0, 0);
    for_each_batch(queries, |batch| {
        for text in string_column(batch, "text").iter().flatten() {
            count += 1;
            let is_empty = terms.as_mut().is_some_and(|terms| !terms.finds(text));
            without_terms += u64::from(is_empty);
        }
    })
    .await?;
    Ok((count, without_terms))
}
