use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::{ScalarUDF, lit, when};
use datafusion::prelude::{DataFrame, SessionContext, ident};
use datafusion::scalar::ScalarValue;
use pairmill_cli::Progress;
use pairmill_lexical::{Bm25Search, passage};
use pairmill_tables::{ColumnNames, Lineage, Table, i32_column, open, session, string_column};
use serde::Serialize;
use tracing::{info, warn};

use crate::plan::{Runs, for_each_batch, with_hits};
use crate::{Corpus, Evidence, ExclusionReason, Frame, Known, Reason, Report, Result};

/// What to mine, from where, to where.
#[derive(Debug, Clone, Serialize)]
pub struct MineConfig {
    /// The training pairs: a path, folder or glob in any supported format.
    #[serde(skip)]
    pub pairs: String,
    /// The passages to search.
    #[serde(flatten)]
    pub corpus: Corpus,
    /// Judgements that name further positives.
    #[serde(skip)]
    pub qrels: Option<String>,
    /// Passages looked at for each query.
    pub top_k: usize,
    /// Column of the corpus whose value a negative must not share with the positive.
    pub group_column: Option<String>,
    /// Where to write the candidates, and how to run.
    #[serde(skip)]
    pub frame: Frame,
}

/// What was mined.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MineSummary {
    /// Passages in the corpus.
    pub passages: u64,
    /// Distinct anchors.
    pub queries: u64,
    /// Anchors that share no term with any passage, or have none left after the analysis.
    pub queries_without_hits: u64,
    /// Distinct pairs of an anchor and a positive.
    pub pairs: u64,
    /// Passages that the judgements name and the corpus lacks.
    pub judged_outside_corpus: u64,
    /// Rows written.
    pub candidates: u64,
    /// Rows written for each reason.
    pub reasons: BTreeMap<String, u64>,
}

impl MineSummary {
    fn log(&self, output: &Path) {
        let kept = self.reasons.get(Reason::Negative.name()).unwrap_or(&0);
        info!(
            "wrote {}: {} candidates for {} pairs, {kept} kept",
            output.display(),
            self.candidates,
            self.pairs
        );
        if self.queries_without_hits > 0 {
            warn!("{} queries found nothing", self.queries_without_hits);
        }
    }
}

/// Writes the candidates of every pair, unless they are up to date: the `top_k` passages of its
/// anchor by BM25, each with a [`Reason`]. Ordered by `query_id`, `positive_id`, `rank`.
///
/// # Errors
/// If an input is unsound (see [`pairmill_tables::open`]), two passages share an id, or the index
/// or the output cannot be written.
pub fn mine(config: &MineConfig) -> Result<Report<MineSummary>> {
    let mut lineage = Lineage::new("mine", config, config.frame.seed)
        .with_input("pairs", &config.pairs)?
        .with_input("corpus", &config.corpus.path)?;
    if let Some(qrels) = &config.qrels {
        lineage = lineage.with_input("qrels", qrels)?;
    }
    config
        .frame
        .run(&lineage, write_candidates(config, &lineage))
}

async fn write_candidates(config: &MineConfig, lineage: &Lineage) -> Result<MineSummary> {
    let frame = &config.frame;
    let session = session(frame.threads)?;
    let names = ColumnNames::default();
    let pairs = open(&session, &config.pairs, Table::Pairs, &names, &[]).await?;
    let qrels = match &config.qrels {
        Some(qrels) => Some(open(&session, qrels, Table::Qrels, &names, &[]).await?),
        None => None,
    };
    // Opened before the index is built, so that a wrong group column is found at once.
    let passages = passages(config, &session).await?;
    let index = config
        .corpus
        .index(&session, lineage, frame.threads)
        .await?;

    let mut summary = MineSummary {
        passages: index.len(),
        ..Default::default()
    };
    let known = learn(pairs.clone(), qrels, passages, &mut summary).await?;
    if summary.judged_outside_corpus > 0 {
        let (missing, corpus) = (summary.judged_outside_corpus, &config.corpus.path);
        warn!("{missing} passages named in the judgements are not in {corpus}");
    }

    let hits = with_hits(
        &session,
        distinct(pairs)?,
        &["query_id", "positive_id"],
        Bm25Search::new(index).with_texts(),
        config.top_k,
    )
    .await?;
    let (pairs, queries) = (summary.pairs, summary.queries);
    info!(
        "mining {pairs} pairs of {queries} queries, {} passages each",
        config.top_k
    );
    let progress = Progress::new("mining", "pairs", Some(pairs));
    let mut queries_found = Runs::default();
    let mut pairs_found = Runs::default();
    let on_batch = |batch: &RecordBatch| {
        queries_found.count(batch, &["query_id"]);
        progress.inc(pairs_found.count(batch, &["query_id", "positive_id"]));
        for reason in string_column(batch, "reason").iter().flatten() {
            match summary.reasons.get_mut(reason) {
                Some(count) => *count += 1,
                None => _ = summary.reasons.insert(reason.to_owned(), 1),
            }
        }
    };
    let rows = judged(hits, known)?;
    summary.candidates = frame
        .write(rows, Table::Candidates, lineage, on_batch)
        .await?;
    summary.queries_without_hits = queries - queries_found.total();
    summary.log(&frame.output);
    Ok(summary)
}

/// The corpus with the column `group`, null where groups do not count.
async fn passages(config: &MineConfig, session: &SessionContext) -> Result<DataFrame> {
    let group = config.group_column.as_deref();
    let extra = group.filter(|name| !["id", "title", "text"].contains(name));
    let passages = config.corpus.open(session, extra.as_slice()).await?;
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

/// Gathers the known positives from the pairs, the judgements and the corpus.
async fn learn(
    pairs: DataFrame,
    qrels: Option<DataFrame>,
    passages: DataFrame,
    summary: &mut MineSummary,
) -> Result<Known> {
    let mut evidence = Evidence::default();
    for_each_batch(pairs, |batch| {
        let [anchor_id, anchor, positive_id, positive] =
            ["anchor_id", "anchor", "positive_id", "positive"]
                .map(|name| string_column(batch, name));
        for row in 0..batch.num_rows() {
            let new = evidence.add_pair(
                anchor_id.value(row),
                anchor.value(row),
                positive_id.value(row),
                positive.value(row),
            );
            summary.queries += u64::from(new.anchor);
            summary.pairs += u64::from(new.pair);
        }
    })
    .await?;
    if let Some(qrels) = qrels {
        for_each_batch(qrels, |batch| {
            let [query_id, corpus_id] =
                ["query_id", "corpus_id"].map(|name| string_column(batch, name));
            let grades = i32_column(batch, "score");
            for row in (0..batch.num_rows()).filter(|&row| grades.value(row) > 0) {
                evidence.add_judgement(query_id.value(row), corpus_id.value(row));
            }
        })
        .await?;
    }
    for_each_batch(passages, |batch| {
        let [id, title, text, group] =
            ["id", "title", "text", "group"].map(|name| string_column(batch, name));
        for row in 0..batch.num_rows() {
            let text = passage(title.value(row), text.value(row));
            let group = group.is_valid(row).then(|| group.value(row));
            let group = group.filter(|group| !group.is_empty());
            evidence.add_passage(id.value(row), &text, group);
        }
    })
    .await?;
    summary.judged_outside_corpus = evidence.judged_but_unseen() as u64;
    Ok(evidence.finish())
}

/// One row per pair of ids, under the names of the candidates table.
fn distinct(pairs: DataFrame) -> Result<DataFrame> {
    let ids = vec![ident("anchor_id").alias("query_id"), ident("positive_id")];
    let texts = vec![
        min(ident("anchor")).alias("query"),
        min(ident("positive")).alias("positive"),
    ];
    Ok(pairs.aggregate(ids, texts)?)
}

/// The candidates table of pairs with their hits.
fn judged(hits: DataFrame, known: Known) -> Result<DataFrame> {
    let arguments = ["query_id", "query", "positive_id", "corpus_id"].map(ident);
    let reason = ScalarUDF::from(ExclusionReason::new(Arc::new(known))).call(arguments.into());
    let is_negative = ident("reason").eq(lit(Reason::Negative.name()));
    let unscored = || lit(ScalarValue::Float32(None));
    let columns = Table::Candidates.schema();
    let columns: Vec<_> = columns
        .fields()
        .iter()
        .map(|field| ident(field.name()))
        .collect();
    Ok(hits
        .with_column("reason", reason)?
        .with_column(
            "decision",
            when(is_negative, lit("keep")).otherwise(lit("drop"))?,
        )?
        .with_column("score", unscored())?
        .with_column("positive_score", unscored())?
        .select(columns)?)
}
