use std::path::Path;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use datafusion::prelude::{SessionContext, ident};
use pairmill_cli::Progress;
use pairmill_dense::{
    Builder, Model, dense_passage_score, dense_score, dense_search, passage_text,
};
use pairmill_inference::SentenceEncoder;
use pairmill_lexical::{TermFinder, bm25_passages, bm25_score, bm25_search};
use pairmill_schema::{agreeing, counted};
use pairmill_tables::Lineage;
use tracing::{info, warn};

use crate::fusion::ReciprocalRankFusion;
use crate::{Corpus, Encoder, MineError, Result, Retrieval};

/// Passages that one batch of queries may find together, with texts, which bounds its memory.
pub(crate) const HITS_PER_BATCH: usize = 1 << 14;
/// The same without texts.
const BARE_HITS_PER_BATCH: usize = 1 << 16;
/// Queries that are compared with all embeddings together: the more, the less often these are read.
const DENSE_QUERIES: usize = 1_024;
/// Passages that they may find together, before texts are looked up.
const DENSE_HITS: usize = 1 << 20;

/// What finds passages: indexes, as functions in a plan.
#[derive(Debug, Clone)]
pub(crate) enum Retriever {
    Bm25(Arc<pairmill_lexical::Index>),
    Dense(Arc<pairmill_dense::Index>),
    Hybrid {
        bm25: Arc<pairmill_lexical::Index>,
        dense: Arc<pairmill_dense::Index>,
        rrf_k: u32,
    },
}

impl Retriever {
    /// Opens the indexes of a corpus, built or completed where they are not there yet. Where the
    /// user named no folder for them, embeddings lie in `beside`.
    pub async fn open(
        corpus: &Corpus,
        session: &SessionContext,
        lineage: &Lineage,
        threads: usize,
        beside: &Path,
    ) -> Result<Self> {
        let folder = corpus.index.as_deref().unwrap_or(beside).join("dense");
        Ok(match &corpus.retrieval {
            Retrieval::Bm25 => Self::Bm25(corpus.index(session, lineage, threads, beside).await?),
            Retrieval::Dense(encoder) => {
                let model = load(encoder, lineage, threads)?;
                Self::Dense(embed(corpus, session, model, &folder).await?)
            }
            Retrieval::Hybrid { encoder, rrf_k } => {
                // First, as what is wrong with a model shows at once.
                let model = load(encoder, lineage, threads)?;
                Self::Hybrid {
                    bm25: corpus.index(session, lineage, threads, beside).await?,
                    dense: embed(corpus, session, model, &folder).await?,
                    rrf_k: *rrf_k,
                }
            }
        })
    }

    /// Returns the number of passages.
    pub fn passages(&self) -> u64 {
        match self {
            Self::Bm25(index) => index.len(),
            Self::Dense(index) | Self::Hybrid { dense: index, .. } => index.len() as u64,
        }
    }

    /// Looks whether a query can find anything; by embeddings any can.
    pub fn term_finder(&self) -> Option<TermFinder> {
        match self {
            Self::Bm25(index) => Some(index.term_finder()),
            _ => None,
        }
    }

    /// Returns how many queries to search for at a time.
    pub fn queries_at_once(&self, top_k: usize, with_texts: bool) -> usize {
        match self {
            Self::Bm25(_) if with_texts => HITS_PER_BATCH / top_k.max(1),
            Self::Bm25(_) => BARE_HITS_PER_BATCH / top_k.max(1),
            _ => (DENSE_HITS / top_k.max(1)).min(DENSE_QUERIES),
        }
    }

    /// Returns the list of structs that a search for the column `query` gives.
    pub fn hits(&self, top_k: usize, with_texts: bool) -> Expr {
        let arguments = || vec![ident("query"), lit(top_k as i64)];
        let bm25 = |index: &Arc<_>| bm25_search(Arc::clone(index)).call(arguments());
        let dense = |index: &Arc<_>| dense_search(Arc::clone(index)).call(arguments());
        match self {
            Self::Bm25(index) if with_texts => bm25_passages(Arc::clone(index)).call(arguments()),
            Self::Bm25(index) => bm25(index),
            Self::Dense(index) => dense(index),
            Self::Hybrid {
                bm25: lexical,
                dense: index,
                rrf_k,
            } => {
                let lists = vec![bm25(lexical), dense(index)];
                ScalarUDF::from(ReciprocalRankFusion::new(*rrf_k, top_k)).call(lists)
            }
        }
    }

    /// Returns the columns that a search does not give, from those that it gives.
    pub fn completed(&self, with_texts: bool) -> Vec<Expr> {
        let mut columns = Vec::new();
        if let Self::Hybrid { dense, .. } = self {
            let score = dense_passage_score(Arc::clone(dense));
            let arguments = ["query", "corpus_id", "dense"].map(ident);
            columns.push(score.call(arguments.into()).alias("dense"));
        }
        if let (true, Self::Dense(dense) | Self::Hybrid { dense, .. }) = (with_texts, self) {
            let text = passage_text(Arc::clone(dense));
            columns.push(text.call(vec![ident("corpus_id")]).alias("text"));
        }
        columns
    }

    /// Returns the scores of the columns `query` and `positive`, by BM25 of the passage
    /// `positive_id`.
    pub fn positive_scores(&self) -> Vec<Expr> {
        let arguments = || ["query", "positive"].map(ident).into();
        let bm25 = |index: &Arc<_>| {
            let score = bm25_score(Arc::clone(index));
            let mut arguments: Vec<Expr> = arguments();
            arguments.push(ident("positive_id"));
            score.call(arguments).alias("positive_bm25")
        };
        let dense = |index: &Arc<_>| {
            let score = dense_score(Arc::clone(index));
            score.call(arguments()).alias("positive_dense")
        };
        match self {
            Self::Bm25(index) => vec![bm25(index)],
            Self::Dense(index) => vec![dense(index)],
            Self::Hybrid {
                bm25: lexical,
                dense: index,
                ..
            } => vec![bm25(lexical), dense(index)],
        }
    }

    /// Returns the column of the score by which a run is ranked.
    pub fn score_column(&self) -> &'static str {
        match self {
            Self::Bm25(_) => "bm25",
            Self::Dense(_) => "dense",
            Self::Hybrid { .. } => "rrf",
        }
    }
}

fn load(encoder: &Encoder, lineage: &Lineage, threads: usize) -> Result<Model> {
    let folder = encoder.model.folder()?;
    let loaded = SentenceEncoder::load(folder, &encoder.options(threads))?;
    let prompts = loaded.prompts().clone();
    let chosen = |prompt: &Option<String>, own| prompt.clone().unwrap_or(own);
    Ok(Model {
        hash: lineage.inputs.get("model").cloned().unwrap_or_default(),
        query_prompt: chosen(&encoder.query_prompt, prompts.query),
        document_prompt: chosen(&encoder.document_prompt, prompts.document),
        encoder: Arc::new(loaded),
    })
}

async fn embed(
    corpus: &Corpus,
    session: &SessionContext,
    model: Model,
    folder: &Path,
) -> Result<Arc<pairmill_dense::Index>> {
    let failed = |source| MineError::Embeddings {
        corpus: corpus.path.clone(),
        source,
    };
    let encoder = Arc::clone(&model.encoder);
    let passages = corpus.open(session, &[]).await?;
    let builder = Builder::open(folder, model, passages)
        .await
        .map_err(failed)?;
    let (texts, missing) = (builder.texts(), builder.missing() as u64);
    if texts as u64 > missing {
        let reused = counted(texts as u64 - missing, "text", "texts");
        info!("reusing the embeddings of {reused}");
    }
    if missing > 0 {
        info!(
            "embedding {} of the corpus, of up to {} tokens",
            counted(missing, "text", "texts"),
            encoder.max_length()
        );
    }
    let progress = Progress::new("embedding", "texts", Some(missing));
    let index = builder.build(|texts| progress.inc(texts)).map_err(failed)?;
    let seconds = progress.elapsed().as_secs_f64();
    drop(progress);
    if missing > 0 {
        let rate = missing as f64 / seconds.max(1e-3);
        let texts = counted(missing, "text", "texts");
        info!("embedded {texts} in {seconds:.1} s ({rate:.0} a second)");
    }
    let truncated = encoder.tally().truncated;
    if truncated > 0 {
        let texts = counted(missing, "text", "texts");
        let were = agreeing(truncated, "was", "were");
        warn!("{truncated} of {texts} {were} longer than the model reads and {were} cut");
    }
    Ok(Arc::new(index))
}
