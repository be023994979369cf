//! What a first stage hands to a cross-encoder.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pairmill_tables::{JudgedDocuments, Qrels};

use crate::ranked::answered::Answered;
use crate::ranked::ranking::Ranking;
use pairmill_retrieval::Hit;

/// Numbers the documents in the order in which they turn up.
pub(crate) fn ranking_of(answered: Answered<Vec<(String, f32)>>) -> Ranking {
    let mut documents = Vec::new();
    let mut keys: HashMap<String, u32> = HashMap::new();
    let mut hit = |(document, score): (String, f32)| {
        let key = *keys.entry(document).or_insert_with_key(|document| {
            documents.push(document.clone());
            documents.len() as u32 - 1
        });
        Hit { key, score }
    };
    let (queries, hits) = answered
        .queries
        .into_iter()
        .map(|(query, results)| {
            let results = results.into_iter().flatten();
            (query, results.map(&mut hit).collect())
        })
        .unzip();
    Ranking {
        documents: Arc::new(documents),
        queries,
        hits,
    }
}

/// Adds the relevant documents that the results of a query lack at their end: for every query, or
/// only where there is a relevant one among the results. sentence-transformers'
/// `CrossEncoderRerankingEvaluator` does the one for the model and the other for its baseline.
pub(crate) fn with_positives(ranking: &Ranking, qrels: &Qrels, every_query: bool) -> Ranking {
    let mut documents = ranking.documents.to_vec();
    let keys = documents.iter().cloned().zip(0..);
    let mut keys: HashMap<String, u32> = keys.collect();
    let mut hits = ranking.hits.clone();
    for (query, hits) in ranking.queries.iter().zip(&mut hits) {
        let judged = qrels.of(query).into_iter().flat_map(JudgedDocuments::iter);
        let relevant = judged.filter(|&(_, grade)| grade > 0);
        let found: HashSet<u32> = hits.iter().map(|hit| hit.key).collect();
        let mut missing = Vec::new();
        let mut has_relevant = every_query;
        for (document, _) in relevant {
            let key = *keys.entry(document.to_owned()).or_insert_with(|| {
                documents.push(document.to_owned());
                documents.len() as u32 - 1
            });
            match found.contains(&key) {
                true => has_relevant = true,
                false => missing.push(key),
            }
        }
        let lowest = hits.last().map_or(0.0, |hit| hit.score);
        if has_relevant {
            hits.extend(missing.into_iter().map(|key| Hit { key, score: lowest }));
        }
    }
    Ranking {
        documents: Arc::new(documents),
        queries: ranking.queries.clone(),
        hits,
    }
}
