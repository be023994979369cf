use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::{ScalarUDF, lit};
use datafusion::prelude::{DataFrame, SessionContext, ident};
use datafusion::scalar::ScalarValue;
use futures::StreamExt;
use pairmill_candidates::{Evidence, ExclusionReason, Known, TrainingFormat};
use pairmill_cli::Progress;
use pairmill_schema::{agreeing, counted};
use pairmill_tables::{Lineage, Qrels, Table, WholeQueries, session};
use tracing::{info, warn};

use crate::learning::Learning;
use crate::parts::{Parts, Tally};
use crate::plan::with_hits;
use crate::retriever::Retriever;
use crate::{Corpus, MineConfig, MineError, MineSummary, Report, Result};

impl MineSummary {
    fn add(&mut self, tally: &Tally) {
        let found_nothing = self.queries - tally.queries;
        self.queries_without_hits = found_nothing.saturating_sub(self.queries_without_terms);
        self.pairs_without_negatives = self.pairs - tally.pairs_with_negatives;
        self.candidates = tally.candidates;
        self.rows = tally.rows;
        self.reasons = tally.reasons.clone();
    }

    /// Returns each reason with its count.
    fn reasons(&self) -> String {
        let counts = self.reasons.iter();
        let counts = counts.map(|(reason, count)| format!("{count} {reason}"));
        counts.collect::<Vec<_>>().join(", ")
    }

    fn log(&self, config: &MineConfig) {
        info!("decided: {}", self.reasons());
        warn_of_queries(
            self.queries,
            self.queries_without_terms,
            self.queries_without_hits,
        );
        if self.pairs_without_negatives > 0 {
            let none = self.pairs_without_negatives;
            let pairs = counted(self.pairs, "pair", "pairs");
            warn!("{none} of {pairs} kept no negative");
        }
        info!(
            "wrote {}: {} from {}",
            config.run.output.display(),
            config.format.counted(self.rows),
            counted(self.pairs, "pair", "pairs")
        );
    }
}

/// Says how many queries found nothing and why.
pub(crate) fn warn_of_queries(queries: u64, without_terms: u64, without_hits: u64) {
    let queries = counted(queries, "query", "queries");
    if without_terms > 0 {
        let have = agreeing(without_terms, "has", "have");
        warn!("{without_terms} of {queries} {have} no words or only stop words and found nothing");
    }
    if without_hits > 0 {
        let share = agreeing(without_hits, "shares", "share");
        warn!("{without_hits} of {queries} {share} no term with any passage");
    }
}

/// Writes the candidates of every pair, or the training rows made of them, unless they are up to
/// date: the `top_k` passages of its anchor, each with a [`Reason`](pairmill_schema::Reason).
/// Ordered by `query_id`, `positive_id`, `rank`.
///
/// # Errors
/// If an input is unsound (see [`pairmill_tables::open`]), two passages share an id, no training
/// row results, or the index or an output cannot be written.
pub async fn mine(config: &MineConfig) -> Result<Report<MineSummary>> {
    let (lineage, audit_lineage) = config.lineages()?;
    let mut is_done = lineage.is_done(&config.run.output, config.run.force)?;
    if let Some(audit) = &config.audit {
        is_done &= audit_lineage.is_done(audit, config.run.force)?;
    }
    let work = write_candidates(config, &lineage, &audit_lineage);
    config.run.run(is_done, work).await
}

async fn write_candidates(
    config: &MineConfig,
    lineage: &Lineage,
    audit_lineage: &Lineage,
) -> Result<MineSummary> {
    let session = session(config.run.threads)?;
    let config = &MineConfig {
        pairs: config.pairs.resolved(&session).await?,
        ..config.clone()
    };
    let run = &config.run;
    let pairs = config.pairs.open(&session).await?;
    let qrels = match &config.qrels {
        Some(qrels) => Some(Qrels::read(&session, qrels).await?),
        None => None,
    };
    // Opened before the index is built, so that a wrong group column is found at once.
    let passages = passages(&config.corpus, config.group_column.as_deref(), &session).await?;
    let mut parts = Parts::open(config, lineage, audit_lineage)?;
    let (corpus, threads) = (&config.corpus.resolved(&session).await?, run.threads);
    let retriever = Retriever::open(corpus, &session, lineage, threads, parts.folder()).await?;

    let mut summary = MineSummary {
        passages: retriever.passages(),
        ..Default::default()
    };
    let known = Learning {
        corpus: &config.corpus,
        path: &config.pairs.path,
        pairs: &pairs,
        same_text: config.same_text,
        summary: &mut summary,
        evidence: Evidence::new(config.same_text, config.ignore_identical_ids),
    };
    let known = known
        .learn(&session, retriever.term_finder(), qrels, passages)
        .await?;
    info!(
        "mining {} of {}, {} each",
        counted(summary.pairs, "pair", "pairs"),
        counted(summary.queries, "query", "queries"),
        counted(config.top_k, "passage", "passages")
    );
    let progress = Progress::new("mining", "pairs", Some(summary.pairs));
    progress.inc(parts.tally().pairs);
    let pairs = match parts.last_query() {
        Some(last) => pairs.positives.filter(ident("anchor_id").gt(lit(last)))?,
        None => pairs.positives,
    };
    let candidates = candidates(config, &session, pairs, &retriever, known).await?;
    let mut candidates = run.ahead(candidates.execute_stream().await?);
    let mut queries = WholeQueries::default();
    let mut select = |batch: RecordBatch| {
        let decided = config.select().select(&batch)?;
        progress.inc(decided.pairs.len() as u64);
        parts.write(&decided)
    };
    while let Some(batch) = candidates.next().await {
        queries
            .push(&batch?)?
            .into_iter()
            .try_for_each(&mut select)?;
    }
    queries.finish()?.into_iter().try_for_each(&mut select)?;
    drop(progress);
    let is_training = config.format != TrainingFormat::CANDIDATES;
    let is_empty = is_training && parts.tally().rows == 0;
    summary.add(parts.tally());
    parts.finish(!is_empty, &summary)?;
    if is_empty {
        return Err(MineError::NothingLeft {
            output: run.output.clone(),
            rows: config.format.rows_name(),
            pairs: summary.pairs,
            reasons: summary.reasons(),
        });
    }
    summary.log(config);
    Ok(summary)
}

/// Returns the corpus with the column `group`, null where groups do not count.
pub(crate) async fn passages(
    corpus: &Corpus,
    group: Option<&str>,
    session: &SessionContext,
) -> Result<DataFrame> {
    let extra = group.filter(|name| !["id", "title", "text"].contains(name));
    let passages = corpus.open(session, extra.as_slice()).await?;
    let group = match group {
        Some(name) => ident(name),
        None => lit(ScalarValue::Utf8(None)),
    };
    Ok(passages.select(vec![
        ident("id"),
        ident("title"),
        ident("text"),
        group.alias("group"),
    ])?)
}

/// Returns one row per pair of ids, under the names of the candidates table.
pub(crate) fn distinct(pairs: DataFrame, kept: &[&str]) -> Result<DataFrame> {
    let ids = vec![ident("anchor_id").alias("query_id"), ident("positive_id")];
    let mut texts = vec![
        min(ident("anchor")).alias("query"),
        min(ident("positive")).alias("positive"),
    ];
    texts.extend(kept.iter().map(|&name| min(ident(name)).alias(name)));
    Ok(pairs.aggregate(ids, texts)?)
}

/// Returns the candidates table of all pairs, with what the exclusions say.
async fn candidates(
    config: &MineConfig,
    session: &SessionContext,
    pairs: DataFrame,
    retriever: &Retriever,
    known: Known,
) -> Result<DataFrame> {
    let keys = ["query_id", "positive_id"];
    let (run, top_k) = (&config.run, config.top_k);
    let kept = config.pairs.kept.names();
    let pairs = distinct(pairs, &kept)?;
    let hits = with_hits(run, session, pairs, &keys, retriever, top_k, true).await?;
    let arguments = ["query_id", "query", "positive_id", "corpus_id", "text"].map(ident);
    let reason = ScalarUDF::from(ExclusionReason::new(Arc::new(known))).call(arguments.into());
    let mut candidates = hits
        .with_column("reason", reason)?
        .with_column("decision", lit(""))?;
    let schema = Table::Candidates.schema();
    for field in schema.fields() {
        // Scores that this retriever does not have, or that are still to be made.
        if !candidates
            .schema()
            .has_column_with_unqualified_name(field.name())
        {
            let null = lit(ScalarValue::try_from(field.data_type())?);
            candidates = candidates.with_column(field.name(), null)?;
        }
    }
    let columns = schema.fields().iter().map(|field| field.name().as_str());
    let columns = columns.chain(kept).map(ident);
    Ok(candidates.select(columns.collect::<Vec<_>>())?)
}
