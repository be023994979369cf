use pairmill_cli::Progress;
use pairmill_inference::CrossEncoder;

use super::texts::Texts;
use crate::error::Result;
use crate::ranked::ranking::Ranking;
use pairmill_retrieval::Hit;

/// Pairs scored at a time: enough to sort by length, few enough to hold.
const BLOCK: usize = 8_192;

/// Scores each query with its results and sorts these by falling score.
pub(super) fn ranked_anew(
    model: &CrossEncoder,
    mut ranking: Ranking,
    texts: &Texts,
) -> Result<Ranking> {
    let documents = ranking.documents.clone();
    let rows = ranking.queries.iter().zip(&mut ranking.hits);
    let mut rows: Vec<(&str, &mut Hit)> = rows
        .filter(|(_, hits)| !hits.is_empty())
        .flat_map(|(query, hits)| {
            let query = texts.queries[query].as_str();
            hits.iter_mut().map(move |hit| (query, hit))
        })
        .collect();
    let progress = Progress::new("scoring", "pairs", Some(rows.len() as u64));
    for block in rows.chunks_mut(BLOCK) {
        let text = |hit: &Hit| texts.documents[&documents[hit.key as usize]].as_str();
        let pairs: Vec<(&str, &str)> = block
            .iter()
            .map(|(query, hit)| (*query, text(hit)))
            .collect();
        let scores = model.scores_with(&pairs, |done| progress.inc(done.len() as u64))?;
        for ((_, hit), score) in block.iter_mut().zip(scores) {
            hit.score = score;
        }
    }
    for hits in &mut ranking.hits {
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    }
    Ok(ranking)
}
