//! Metrics of one ranked list against graded judgements.
//!
//! `ranked` holds the grade of each result in rank order, 0 where a result is not judged.
//! `judged` holds the grades of all judged documents of the query in any order, found or not.
//! A grade above 0 means relevant. Every value lies in 0..=1, and is 0 where nothing is relevant.

use std::fmt;
use std::str::FromStr;

/// A metric of a ranked list with its cut-off; `ndcg@10` as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetrievalMetric {
    /// [`ndcg`]
    Ndcg(usize),
    /// [`reciprocal_rank`]; its mean is the MRR.
    Mrr(usize),
    /// [`average_precision_at`]; its mean is the MAP.
    Map(usize),
    /// [`recall`]
    Recall(usize),
    /// [`precision`]
    Precision(usize),
    /// [`hit`]; its mean is the accuracy.
    Accuracy(usize),
}

impl RetrievalMetric {
    /// The metrics that are reported where nobody asks for others, chief figure first.
    pub const DEFAULTS: [Self; 9] = [
        Self::Ndcg(10),
        Self::Mrr(10),
        Self::Map(100),
        Self::Recall(1),
        Self::Recall(10),
        Self::Recall(100),
        Self::Precision(1),
        Self::Precision(10),
        Self::Accuracy(1),
    ];

    /// The value for one query.
    pub fn score(self, ranked: &[i32], judged: &[i32]) -> f64 {
        match self {
            Self::Ndcg(k) => ndcg(ranked, judged, k),
            Self::Mrr(k) => reciprocal_rank(ranked, k),
            Self::Map(k) => average_precision_at(ranked, judged, k),
            Self::Recall(k) => recall(ranked, judged, k),
            Self::Precision(k) => precision(ranked, k),
            Self::Accuracy(k) => hit(ranked, k),
        }
    }
}

impl fmt::Display for RetrievalMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, k) = match self {
            Self::Ndcg(k) => ("ndcg", k),
            Self::Mrr(k) => ("mrr", k),
            Self::Map(k) => ("map", k),
            Self::Recall(k) => ("recall", k),
            Self::Precision(k) => ("precision", k),
            Self::Accuracy(k) => ("accuracy", k),
        };
        write!(f, "{name}@{k}")
    }
}

impl FromStr for RetrievalMetric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no retrieval metric; expected ndcg, mrr, map, recall, precision or accuracy with a cut-off, such as ndcg@10"
            )
        };
        let (name, k) = text.split_once('@').ok_or_else(wrong)?;
        let k = k.parse().ok().filter(|&k| k > 0).ok_or_else(wrong)?;
        match name {
            "ndcg" => Ok(Self::Ndcg(k)),
            "mrr" => Ok(Self::Mrr(k)),
            "map" => Ok(Self::Map(k)),
            "recall" => Ok(Self::Recall(k)),
            "precision" => Ok(Self::Precision(k)),
            "accuracy" => Ok(Self::Accuracy(k)),
            _ => Err(wrong()),
        }
    }
}

/// Normalised discounted cumulative gain with linear gain:
/// DCG@k = Σ grade_i / log2(i + 1) over ranks i = 1..k, divided by the DCG@k of the judged grades
/// in their best order.
///
/// As `ndcg_cut` of trec_eval. For grades of 0 and 1 it equals `ndcg@k` of sentence-transformers.
/// Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, 2002.
pub fn ndcg(ranked: &[i32], judged: &[i32], k: usize) -> f64 {
    let mut ideal: Vec<i32> = judged.iter().copied().filter(|&grade| grade > 0).collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    match dcg(&ideal, k) {
        0.0 => 0.0,
        best => dcg(ranked, k) / best,
    }
}

fn dcg(grades: &[i32], k: usize) -> f64 {
    grades
        .iter()
        .take(k)
        .enumerate()
        .filter(|&(_, &grade)| grade > 0)
        .map(|(i, &grade)| f64::from(grade) / (i as f64 + 2.0).log2())
        .sum()
}

/// 1 / rank of the first relevant result among the first `k`, or 0. As sentence-transformers'
/// `mrr@k`, and `recip_rank` of trec_eval over a run cut at `k`.
pub fn reciprocal_rank(ranked: &[i32], k: usize) -> f64 {
    let first = ranked.iter().take(k).position(|&grade| grade > 0);
    first.map_or(0.0, |i| 1.0 / (i + 1) as f64)
}

/// Average precision: the precisions at the ranks of the relevant results among the first `k`,
/// summed and divided by min(k, number of relevant documents).
///
/// As sentence-transformers' `map@k`. `map_cut` of trec_eval divides by the number of relevant
/// documents even where that exceeds `k`, so the two differ for such queries only.
pub fn average_precision_at(ranked: &[i32], judged: &[i32], k: usize) -> f64 {
    let possible = count_relevant(judged).min(k);
    if possible == 0 {
        return 0.0;
    }
    let mut found = 0;
    let mut sum = 0.0;
    for (i, &grade) in ranked.iter().take(k).enumerate() {
        if grade > 0 {
            found += 1;
            sum += f64::from(found) / (i + 1) as f64;
        }
    }
    sum / possible as f64
}

/// The share of the relevant documents that are among the first `k` results. As `recall_k` of
/// trec_eval and `recall@k` of sentence-transformers.
pub fn recall(ranked: &[i32], judged: &[i32], k: usize) -> f64 {
    match count_relevant(judged) {
        0 => 0.0,
        relevant => count_relevant(&ranked[..k.min(ranked.len())]) as f64 / relevant as f64,
    }
}

/// The share of relevant results among the first `k`. The divisor is `k` even where fewer results
/// were found. As `P_k` of trec_eval and `precision@k` of sentence-transformers.
pub fn precision(ranked: &[i32], k: usize) -> f64 {
    count_relevant(&ranked[..k.min(ranked.len())]) as f64 / k as f64
}

/// 1 if any of the first `k` results is relevant, else 0. As `success_k` of trec_eval and
/// `accuracy@k` of sentence-transformers.
pub fn hit(ranked: &[i32], k: usize) -> f64 {
    f64::from(u8::from(ranked.iter().take(k).any(|&grade| grade > 0)))
}

fn count_relevant(grades: &[i32]) -> usize {
    grades.iter().filter(|&&grade| grade > 0).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four relevant documents, of which the results hold three: grades 1, 3 and 2.
    const RANKED: [i32; 6] = [0, 1, 0, 3, 2, 0];
    const JUDGED: [i32; 5] = [1, 0, 2, 3, 1];

    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn ndcg_has_linear_gain_and_logarithmic_discount() {
        let dcg = 1.0 / 3f64.log2() + 3.0 / 5f64.log2() + 2.0 / 6f64.log2();
        let best = 3.0 + 2.0 / 3f64.log2() + 1.0 / 2.0 + 1.0 / 5f64.log2();
        close(ndcg(&RANKED, &JUDGED, 10), dcg / best);
        close(
            ndcg(&RANKED, &JUDGED, 2),
            (1.0 / 3f64.log2()) / (3.0 + 2.0 / 3f64.log2()),
        );
        close(ndcg(&[3, 2, 1, 1, 0], &JUDGED, 10), 1.0);
    }

    #[test]
    fn figures_of_trec_eval() {
        let ranked = [0, 2, 0, 1, 3, 0, 0, 1, 0, 0, 1, 0];
        let judged = [2, 1, 3, 1, 1, 2, 1, 0];
        close(ndcg(&ranked, &judged, 3), 0.23981246656813146);
        close(ndcg(&ranked, &judged, 10), 0.4681034739456502);
        close(reciprocal_rank(&ranked, 100), 0.5);
        close(
            average_precision_at(&ranked, &judged, 100),
            0.36493506493506495,
        );
        close(recall(&ranked, &judged, 5), 0.42857142857142855);
        close(precision(&ranked, 5), 0.6);
        close(hit(&ranked, 1), 0.0);
    }

    #[test]
    fn mrr_looks_at_the_first_relevant_result_within_the_cut() {
        close(reciprocal_rank(&RANKED, 10), 0.5);
        close(reciprocal_rank(&RANKED, 1), 0.0);
    }

    #[test]
    fn map_divides_by_what_could_be_found() {
        let sum = 1.0 / 2.0 + 2.0 / 4.0 + 3.0 / 5.0;
        close(average_precision_at(&RANKED, &JUDGED, 100), sum / 4.0);
        close(average_precision_at(&RANKED, &JUDGED, 2), 0.5 / 2.0);
    }

    #[test]
    fn recall_precision_and_accuracy_count_relevant_results() {
        close(recall(&RANKED, &JUDGED, 4), 0.5);
        close(recall(&RANKED, &JUDGED, 100), 0.75);
        close(precision(&RANKED, 1), 0.0);
        close(precision(&RANKED, 5), 0.6);
        close(precision(&RANKED, 10), 0.3);
        close(hit(&RANKED, 1), 0.0);
        close(hit(&RANKED, 2), 1.0);
    }

    #[test]
    fn a_query_with_no_result_or_nothing_relevant_scores_zero() {
        for metric in RetrievalMetric::DEFAULTS {
            close(metric.score(&[], &JUDGED), 0.0);
            close(metric.score(&[0, 0], &[0]), 0.0);
            close(metric.score(&[-1, 0], &[-1]), 0.0);
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for metric in RetrievalMetric::DEFAULTS {
            assert_eq!(metric.to_string().parse(), Ok(metric));
        }
        for wrong in ["ndcg", "ndcg@0", "ndcg@x", "speed@10"] {
            assert!(wrong.parse::<RetrievalMetric>().is_err(), "{wrong}");
        }
    }
}
