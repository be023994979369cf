use std::collections::HashSet;
use std::fs;

use arrow::array::RecordBatch;
use datafusion::prelude::{DataFrame, ident};
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_lexical::TermFinder;
use pairmill_tables::{
    ColumnNames, Format, LineOutput, Lineage, Lines, Table, TableOutput, check_output, is_stream,
    keep_when_interrupted, open, session, sibling, string_column,
};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::candidates::warn_of_queries;
use crate::key::id_key;
use crate::parts::{KEPT, temporary_folder};
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
pub fn search(config: &SearchConfig) -> Result<Report<SearchSummary>> {
    let lineage =
        Lineage::new("search", config, config.frame.seed).with_input("queries", &config.queries)?;
    let lineage = config.corpus.add_to(lineage)?;
    let is_done = lineage.is_done(&config.frame.output, config.frame.force)?;
    config.frame.run(is_done, write_run(config, &lineage))
}

async fn write_run(config: &SearchConfig, lineage: &Lineage) -> Result<SearchSummary> {
    let frame = &config.frame;
    let session = session(frame.threads)?;
    let names = ColumnNames::default();
    let queries = open(&session, &config.queries, Table::Queries, &names, &[]).await?;
    let Queries {
        count,
        without_terms,
    } = Queries::count(
        queries.clone(),
        &config.queries,
        config.corpus.term_finder(),
    )
    .await?;
    check_output(&frame.output)?;
    let (corpus, threads) = (&config.corpus, frame.threads);
    let temporary = match is_stream(&frame.output) {
        true => Some(temporary_folder()?),
        false => None,
    };
    let beside = match &temporary {
        Some(temporary) => temporary.path().to_owned(),
        None => {
            let folder = sibling(&frame.output, ".parts")?;
            keep_when_interrupted(&folder, KEPT);
            folder
        }
    };
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
    let output = match Format::of_name(&frame.output) {
        Some(Format::Trec) => Output::Lines(write_trec(frame, hits, lineage, on_batch).await?),
        _ => Output::Table(frame.write(hits, Table::Run, lineage, on_batch).await?),
    };
    let hits = output.rows();
    let without_hits = count - found.total() - without_terms;
    let seconds = progress.elapsed().as_secs_f64();
    drop(progress);
    info!(
        "searched {count} queries in {seconds:.1} s ({:.0} a second)",
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
    info!("wrote {}: {hits} hits", frame.output.display());
    let _ = fs::remove_dir_all(beside);
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
    frame: &Frame,
    hits: DataFrame,
    lineage: &Lineage,
    mut on_batch: impl FnMut(&RecordBatch),
) -> Result<LineOutput> {
    let mut output = LineOutput::create(&frame.output, Lines::TrecRun, Some(lineage))?;
    let mut hits = frame.ahead(hits.execute_stream().await?);
    while let Some(batch) = hits.next().await {
        let batch = batch?;
        on_batch(&batch);
        output.write(&batch)?;
    }
    Ok(output)
}

/// How many queries there are.
struct Queries {
    count: u64,
    /// Those among them that have no term.
    without_terms: u64,
}

impl Queries {
    /// Counts queries, no two of which may share an id.
    async fn count(queries: DataFrame, path: &str, mut terms: Option<TermFinder>) -> Result<Self> {
        let mut seen = HashSet::new();
        let mut duplicate = None;
        let mut without_terms = 0;
        for_each_batch(queries, |batch| {
            let [ids, texts] = ["id", "text"].map(|name| string_column(batch, name).iter());
            for (id, text) in ids.flatten().zip(texts.flatten()) {
                if !seen.insert(id_key(id)) && duplicate.is_none() {
                    duplicate = Some(id.to_owned());
                }
                let is_empty = terms.as_mut().is_some_and(|terms| !terms.finds(text));
                without_terms += u64::from(is_empty);
            }
        })
        .await?;
        match duplicate {
            None => Ok(Self {
                count: seen.len() as u64,
                without_terms,
            }),
            Some(id) => Err(MineError::DuplicateQuery {
                path: path.to_owned(),
                id,
            }),
        }
    }
}
