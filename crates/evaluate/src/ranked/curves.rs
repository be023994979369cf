//! What a ranked run shows beside its figures.

use pairmill_report::{Distributions, Point};
use pairmill_tables::{JudgedDocuments, Qrels};

use crate::paired::Paired;
use crate::ranked::ranking::Ranking;
use crate::report::Report;

/// Levels of recall at which precision is given.
const LEVELS: usize = 11;

/// The precision of a query at each level of recall.
pub(crate) type Levels = [f64; LEVELS];

/// What a point of these curves is.
pub(crate) const INTERPOLATED: &str = "Mean over the queries of the highest precision at each of \
eleven levels of recall or beyond it.";

/// The highest precision at each of eleven levels of recall from 0 to 1, or beyond it: the
/// interpolated curve of TREC. `documents` are the results of a judged query, best first.
pub(crate) fn interpolated<'a>(
    judged: &JudgedDocuments,
    documents: impl IntoIterator<Item = &'a str>,
) -> Levels {
    let relevant = judged.iter().filter(|&(_, grade)| grade > 0).count();
    let mut found = 0;
    let mut best = [0f64; LEVELS];
    for (rank, document) in (1..).zip(documents) {
        if judged.get(document).is_some_and(|grade| grade > 0) {
            found += 1u32;
            let precision = f64::from(found) / f64::from(rank);
            let reached = (LEVELS - 1) * found as usize / relevant;
            for level in &mut best[..=reached] {
                *level = level.max(precision);
            }
        }
    }
    best
}

/// The mean over some queries of what each has by [`interpolated`].
pub(crate) fn mean_curve(queries: impl IntoIterator<Item = Levels>) -> Vec<Point> {
    let mut sums = [0.0; LEVELS];
    let mut count = 0.0;
    for levels in queries {
        count += 1.0;
        for (sum, level) in sums.iter_mut().zip(levels) {
            *sum += level;
        }
    }
    let point = |(level, sum): (usize, f64)| Point {
        x: level as f64 / (LEVELS - 1) as f64,
        y: sum / count,
    };
    sums.into_iter().enumerate().map(point).collect()
}

/// The curve of a run, over all its queries.
pub(crate) fn precision_by_recall(run: &Ranking, qrels: &Qrels) -> Vec<Point> {
    let queries = run.queries.iter().zip(&run.hits);
    mean_curve(queries.map(|(query, hits)| {
        let documents = hits.iter();
        let documents = documents.map(|hit| run.documents[hit.key as usize].as_str());
        let judged = qrels.of(query);
        judged.map_or_else(Levels::default, |judged| interpolated(judged, documents))
    }))
}

/// The scores of the results by whether they are judged relevant; `report` has the names of the
/// models.
pub(crate) fn score_distributions(
    report: &Report,
    runs: &Paired<Ranking>,
    qrels: &Qrels,
) -> Option<Distributions> {
    let split = runs.map(|run| split(run, qrels));
    let mut series: Vec<(&str, &str, &[f32])> = Vec::new();
    let baseline = report.baseline.as_deref().zip(split.baseline.as_ref());
    for (name, [relevant, others]) in baseline
        .into_iter()
        .chain([(report.model.as_str(), &split.model)])
    {
        series.push((name, "relevant", relevant));
        series.push((name, "not judged relevant", others));
    }
    Distributions::of("score of the results", &series)
}

/// The scores of relevant results and of the others.
fn split(run: &Ranking, qrels: &Qrels) -> [Vec<f32>; 2] {
    let mut scores = [Vec::new(), Vec::new()];
    for (query, hits) in run.queries.iter().zip(&run.hits) {
        let judged = qrels.of(query);
        for hit in hits {
            let grade = judged.and_then(|judged| judged.get(&run.documents[hit.key as usize]));
            let relevant = grade.is_some_and(|grade| grade > 0);
            scores[usize::from(!relevant)].push(hit.score);
        }
    }
    scores
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ranked::judgements::tests::qrels;
    use pairmill_retrieval::Hit;

    #[test]
    fn precision_is_the_highest_from_a_level_of_recall_on() {
        let qrels = qrels([("q", "a", 1), ("q", "b", 2)]);
        let run = Ranking {
            documents: Arc::new(["a", "b", "c"].map(str::to_owned).to_vec()),
            queries: vec!["q".to_owned()],
            hits: vec![
                [2, 0, 1]
                    .map(|key| Hit {
                        key,
                        score: 1.0 - key as f32,
                    })
                    .to_vec(),
            ],
        };
        // Relevant at ranks 2 and 3: precisions 1/2 and 2/3, the latter at any recall.
        let curve = precision_by_recall(&run, &qrels);
        assert_eq!(curve.len(), 11);
        for point in curve {
            assert!((point.y - 2.0 / 3.0).abs() < 1e-12);
        }
        assert_eq!(split(&run, &qrels), [vec![1.0, 0.0], vec![-1.0]]);
    }
}
