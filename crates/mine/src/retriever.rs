use std::path::Path;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use datafusion::prelude::{SessionContext, ident};
use pairmill_cli::Progress;
use pairmill_dense::{Builder, DensePassageScore, DenseScore, DenseSearch, Model, PassageText};
use pairmill_inference::SentenceEncoder;
use pairmill_lexical::{Bm25Score, Bm25Search, TermFinder};
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
        // First, as what is wrong with a model shows at once.
        let model = match corpus.retrieval.encoder() {
            Some(encoder) => Some(load(encoder, lineage, threads)?),
            None => None,
        };
        let bm25 = match corpus.retrieval.has_bm25() {
            true => Some(corpus.index(session, lineage, threads, beside).await?),
            false => None,
        };
        let dense = match model {
            Some(model) => {
                let folder = corpus.index.as_deref().unwrap_or(beside).join("dense");
                Some(embed(corpus, session, model, &folder).await?)
            }
            None => None,
        };
        Ok(match (bm25, dense, &corpus.retrieval) {
            (Some(bm25), Some(dense), Retrieval::Hybrid { rrf_k, .. }) => Self::Hybrid {
                bm25,
                dense,
                rrf_k: *rrf_k,
            },
            (Some(bm25), ..) => Self::Bm25(bm25),
            (None, Some(dense), _) => Self::Dense(dense),
            (None, None, _) => unreachable!("every retrieval has an index"),
        })
    }

    /// Number of passages.
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

    /// Queries to search for at a time.
    pub fn queries_at_once(&self, top_k: usize, with_texts: bool) -> usize {
        match self {
            Self::Bm25(_) if with_texts => HITS_PER_BATCH / top_k.max(1),
            Self::Bm25(_) => BARE_HITS_PER_BATCH / top_k.max(1),
            _ => (DENSE_HITS / top_k.max(1)).min(DENSE_QUERIES),
        }
    }

    /// The list of structs that a search for the column `query` gives.
    pub fn hits(&self, top_k: usize, with_texts: bool) -> Expr {
        let arguments = || vec![ident("query"), lit(top_k as i64)];
        let bm25 = |index: &Arc<_>| Bm25Search::new(Arc::clone(index));
        let dense = |index: &Arc<_>| ScalarUDF::from(DenseSearch::new(Arc::clone(index)));
        match self {
            Self::Bm25(index) if with_texts => {
                ScalarUDF::from(bm25(index).with_texts()).call(arguments())
            }
            Self::Bm25(index) => ScalarUDF::from(bm25(index)).call(arguments()),
            Self::Dense(index) => dense(index).call(arguments()),
            Self::Hybrid {
                bm25: lexical,
                dense: index,
                rrf_k,
            } => {
                let lists = vec![
                    ScalarUDF::from(bm25(lexical)).call(arguments()),
                    dense(index).call(arguments()),
                ];
                ScalarUDF::from(ReciprocalRankFusion::new(*rrf_k, top_k)).call(lists)
            }
        }
    }

    /// The columns that a search does not give, from those that it gives.
    pub fn completed(&self, with_texts: bool) -> Vec<Expr> {
        let mut columns = Vec::new();
        if let Self::Hybrid { dense, .. } = self {
            let score = ScalarUDF::from(DensePassageScore::new(Arc::clone(dense)));
            let arguments = ["query", "corpus_id", "dense"].map(ident);
            columns.push(score.call(arguments.into()).alias("dense"));
        }
        if let (true, Self::Dense(dense) | Self::Hybrid { dense, .. }) = (with_texts, self) {
            let text = ScalarUDF::from(PassageText::new(Arc::clone(dense)));
            columns.push(text.call(vec![ident("corpus_id")]).alias("text"));
        }
        columns
    }

    /// The scores of the columns `query` and `positive`, by BM25 of the passage `positive_id`.
    pub fn positive_scores(&self) -> Vec<Expr> {
        let arguments = || ["query", "positive"].map(ident).into();
        let bm25 = |index: &Arc<_>| {
            let score = ScalarUDF::from(Bm25Score::new(Arc::clone(index)));
            let mut arguments: Vec<Expr> = arguments();
            arguments.push(ident("positive_id"));
            score.call(arguments).alias("positive_bm25")
        };
        let dense = |index: &Arc<_>| {
            let score = ScalarUDF::from(DenseScore::new(Arc::clone(index)));
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

    /// The column of the score by which a run is ranked.
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
