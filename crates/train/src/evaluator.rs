use std::collections::{HashMap, HashSet};
use std::path::Path;

use datafusion::prelude::SessionContext;
use pairmill_metrics::{Clusters, connected, ndcg, reciprocal_rank};
use pairmill_modeling::{SentenceEncoder, Side, TokenIds};
use pairmill_retrieval::TopK;
use pairmill_schema::{agreeing, counted};
use pairmill_tables::{ColumnNames, Qrels, Table, open, string_column};
use rayon::prelude::*;

use crate::error::{Context, Result, TrainError};
use crate::findings::excerpt;

/// Tokens in a batch of the evaluation.
const BATCH_TOKENS: usize = 8_192;
/// Results ranked for each query.
pub(crate) const DEPTH: usize = 10;

/// What a query gets of the ten best results.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct QueryScore {
    /// nDCG@10.
    pub ndcg: f64,
    /// One divided by the place of the first relevant one; 0 where there is none.
    pub reciprocal_rank: f64,
}

/// Retrieval on a split, dev during training: nDCG@10 of its queries over the corpus, counted as
/// `pairmill-evaluate retrieval` counts it.
#[derive(Debug)]
pub(crate) struct RetrievalEvaluator {
    documents: Vec<TokenIds>,
    queries: Vec<TokenIds>,
    judgements: Vec<Judged>,
    /// The queries that share an answer, of which none is news beside the others.
    clusters: Clusters,
}

/// What is known of a query.
#[derive(Debug)]
struct Judged {
    /// Document number → grade, of the documents that are in the corpus.
    of_document: HashMap<usize, i32>,
    /// All grades, also of documents that the corpus does not hold: what the best ranking would
    /// have.
    grades: Vec<i32>,
}

impl RetrievalEvaluator {
    /// Reads `corpus`, `queries_SPLIT` and `qrels_SPLIT` of a folder that `pairmill-generate`
    /// wrote, and tokenises the texts as the encoder wants them.
    /// Of a corpus above `corpus_size` documents, the judged ones and an evenly spread sample of
    /// the others are used, which is enough to choose the best step by.
    pub async fn read(
        session: &SessionContext,
        folder: &Path,
        split: &str,
        corpus_size: usize,
        encoder: &SentenceEncoder,
    ) -> Result<Self> {
        let file = |name: &str| folder.join(name).display().to_string();
        let names = ColumnNames::default();
        let qrels = file(&format!("qrels_{split}.parquet"));
        let known = Qrels::read(session, &qrels).await?;
        let judged: HashSet<&str> = known.pairs().map(|(_, document)| document).collect();
        let mut corpus: Vec<(String, String)> = Vec::new();
        let frame = open(session, &file("corpus.parquet"), Table::Corpus, &names, &[]).await?;
        for batch in frame.collect().await? {
            let (ids, titles, texts) = (
                string_column(&batch, "id"),
                string_column(&batch, "title"),
                string_column(&batch, "text"),
            );
            for row in 0..batch.num_rows() {
                let text = match titles.value(row) {
                    "" => texts.value(row).to_owned(),
                    title => format!("{title} {}", texts.value(row)),
                };
                corpus.push((ids.value(row).to_owned(), text));
            }
        }
        corpus.sort();
        corpus.dedup();
        if let Some([(id, first), (_, second)]) = corpus.windows(2).find(|two| two[0].0 == two[1].0)
        {
            return Err(TrainError::IdOfTwoTexts {
                corpus: file("corpus.parquet"),
                id: id.clone(),
                first: excerpt(first),
                second: excerpt(second),
            });
        }
        let all = corpus.len();
        corpus = sample(corpus, &judged, corpus_size);
        if corpus.len() < all {
            tracing::info!(
                "{split} evaluation searches {} of {}: the judged ones and a sample",
                corpus.len(),
                counted(all, "document", "documents")
            );
        }
        let numbers: HashMap<&str, usize> = corpus
            .iter()
            .enumerate()
            .map(|(number, (id, _))| (id.as_str(), number))
            .collect();
        let mut queries = Vec::new();
        let mut judgements = Vec::new();
        let mut answers = Vec::new();
        let (mut all, mut absent) = (0, 0);
        let path = file(&format!("queries_{split}.parquet"));
        let frame = open(session, &path, Table::Queries, &names, &[]).await?;
        for batch in frame.collect().await? {
            let (ids, texts) = (string_column(&batch, "id"), string_column(&batch, "text"));
            for row in 0..batch.num_rows() {
                all += 1;
                // As the evaluator has it: a query without a relevant document is not judged.
                let Some(judged) = known.of(ids.value(row)) else {
                    continue;
                };
                let grades = judged.grades();
                let found = judged.iter();
                let found = found.filter_map(|(id, grade)| Some((*numbers.get(id)?, grade)));
                let of_document: HashMap<usize, i32> = found.collect();
                absent += grades.len() - of_document.len();
                queries.push(texts.value(row).to_owned());
                answers.push(known.answers(ids.value(row)));
                judgements.push(Judged {
                    of_document,
                    grades,
                });
            }
        }
        if judgements
            .iter()
            .all(|judged| judged.of_document.is_empty())
        {
            return Err(TrainError::NoJudgedQuery {
                queries: path,
                all,
                qrels,
            });
        }
        if queries.len() < all {
            tracing::warn!(
                "{} of {} left out, without a relevant document in {qrels}",
                all - queries.len(),
                counted(all, &format!("{split} query"), &format!("{split} queries"))
            );
        }
        if absent > 0 {
            tracing::warn!(
                "{} of {split} {} not in the corpus: what cannot be found lowers the score",
                counted(absent, "judged document", "judged documents"),
                agreeing(absent, "is", "are")
            );
        }
        let documents: Vec<&str> = corpus.iter().map(|(_, text)| text.as_str()).collect();
        let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
        Ok(Self {
            documents: encoder.tokenize(&documents, Side::Document)?,
            queries: encoder.tokenize(&queries, Side::Query)?,
            judgements,
            clusters: Clusters::new(&connected(answers)),
        })
    }

    /// Returns which queries share an answer, as `pairmill-evaluate retrieval` tells it.
    pub fn clusters(&self) -> &Clusters {
        &self.clusters
    }

    /// Computes what each query gets from the encoder as it is now, in the order of the table.
    pub fn scores(&self, encoder: &SentenceEncoder) -> Result<Vec<QueryScore>> {
        let similarity = encoder.similarity();
        let embed = |sequences: &[TokenIds]| -> Result<Vec<f32>> {
            let mut values = encoder.embed(sequences, BATCH_TOKENS, &|_| {})?;
            similarity.prepare(&mut values, encoder.dimension());
            Ok(values)
        };
        let documents = embed(&self.documents).context("embedding the corpus")?;
        let queries = embed(&self.queries).context("embedding the queries")?;
        let dimension = encoder.dimension();
        let scores = queries
            .par_chunks_exact(dimension)
            .zip(&self.judgements)
            .map(|(query, judged)| {
                let documents = documents.chunks_exact(dimension);
                // Adding zero turns -0 into 0, which must tie with it.
                let scores = documents.map(|document| similarity.of(query, document) + 0.0);
                // Of equal scores the lower number, as documents are in order of their ids.
                let mut best = TopK::new(DEPTH, f32::NEG_INFINITY, usize::cmp);
                best.take(&scores.collect::<Vec<_>>(), Some);
                let ranked = best.finish().into_iter();
                let grades: Vec<Option<i32>> = ranked
                    .map(|(_, number)| judged.of_document.get(&number).copied())
                    .collect();
                QueryScore {
                    ndcg: ndcg(&grades, &judged.grades, DEPTH),
                    reciprocal_rank: reciprocal_rank(&grades, DEPTH),
                }
            });
        Ok(scores.collect())
    }
}

/// Returns the mean nDCG@10.
pub(crate) fn mean_ndcg(scores: &[QueryScore]) -> f64 {
    scores.iter().map(|score| score.ndcg).sum::<f64>() / scores.len() as f64
}

fn sample(
    corpus: Vec<(String, String)>,
    judged: &HashSet<&str>,
    size: usize,
) -> Vec<(String, String)> {
    let others = corpus
        .iter()
        .filter(|(id, _)| !judged.contains(id.as_str()))
        .count();
    let wanted = size.saturating_sub(corpus.len() - others);
    if others <= wanted {
        return corpus;
    }
    let mut seen = 0;
    corpus
        .into_iter()
        .filter(|(id, _)| {
            if judged.contains(id.as_str()) {
                return true;
            }
            // Keeps `wanted` of `others`, evenly spread over the ids in order.
            let (before, after) = (seen * wanted / others, (seen + 1) * wanted / others);
            seen += 1;
            after > before
        })
        .collect()
}
