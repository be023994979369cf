//! Formulas over one ranked list. `ranked` holds the grade of each result in rank order, `None`
//! where nobody has judged it; `judged` the grades of all judged documents of the query in any
//! order, found or not. A grade above 0 means relevant. Every value lies in 0..=1, and is 0 where
//! nothing is relevant.

/// Returns the normalised discounted cumulative gain with linear gain:
/// DCG@k = Σ grade_i / log2(i + 1) over ranks i = 1..k, divided by the DCG@k of the judged grades
/// in their best order.
///
/// As `ndcg_cut` of trec_eval. For grades of 0 and 1 it equals `ndcg@k` of sentence-transformers.
/// Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, 2002.
pub fn ndcg(ranked: &[Option<i32>], judged: &[i32], k: usize) -> f64 {
    normalised(ranked, judged, k, f64::from)
}

/// Returns [`ndcg`] with exponential gain: 2^grade - 1 in place of the grade, which sets the best
/// documents further apart. Grades above 500 count as 500, so that sums stay finite.
///
/// As `ndcg_burges` of ranx. Burges et al., Learning to rank using gradient descent, 2005.
pub fn exponential_ndcg(ranked: &[Option<i32>], judged: &[i32], k: usize) -> f64 {
    normalised(ranked, judged, k, |grade| {
        f64::from(grade.min(500)).exp2() - 1.0
    })
}

fn normalised(ranked: &[Option<i32>], judged: &[i32], k: usize, gain: impl Fn(i32) -> f64) -> f64 {
    let dcg = |grades: &mut dyn Iterator<Item = i32>| -> f64 {
        grades
            .take(k)
            .enumerate()
            .filter(|&(_, grade)| grade > 0)
            .map(|(i, grade)| gain(grade) / (i as f64 + 2.0).log2())
            // A sum of nothing would be -0, which would be printed so.
            .fold(0.0, |sum, part| sum + part)
    };
    let mut ideal: Vec<i32> = judged.iter().copied().filter(|&grade| grade > 0).collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    match dcg(&mut ideal.into_iter()) {
        0.0 => 0.0,
        best => dcg(&mut ranked.iter().map(|grade| grade.unwrap_or(0))) / best,
    }
}

/// Returns 1 / rank of the first relevant result among the first `k`, or 0. As
/// sentence-transformers' `mrr@k`, and `recip_rank` of trec_eval over a run cut at `k`.
pub fn reciprocal_rank(ranked: &[Option<i32>], k: usize) -> f64 {
    let first = cut(ranked, k).iter().copied().position(is_relevant);
    first.map_or(0.0, |i| 1.0 / (i + 1) as f64)
}

/// Returns average precision: the precisions at the ranks of the relevant results among the first
/// `k`, summed and divided by min(k, number of relevant documents), so that 1 can be reached.
///
/// As sentence-transformers' `map@k`. It differs from [`average_precision_trec`] for queries with
/// more than `k` relevant documents only.
pub fn average_precision_at(ranked: &[Option<i32>], judged: &[i32], k: usize) -> f64 {
    match relevant(judged).min(k) {
        0 => 0.0,
        possible => sum_of_precisions(ranked, k) / possible as f64,
    }
}

/// Returns average precision divided by the number of relevant documents, even where that exceeds
/// `k`.
///
/// As `map_cut` of trec_eval, and its `map` for a `k` above the length of the run; as `map@k` of
/// ranx.
pub fn average_precision_trec(ranked: &[Option<i32>], judged: &[i32], k: usize) -> f64 {
    match relevant(judged) {
        0 => 0.0,
        relevant => sum_of_precisions(ranked, k) / relevant as f64,
    }
}

fn sum_of_precisions(ranked: &[Option<i32>], k: usize) -> f64 {
    let mut found = 0;
    let mut sum = 0.0;
    for (i, &grade) in cut(ranked, k).iter().enumerate() {
        if is_relevant(grade) {
            found += 1;
            sum += f64::from(found) / (i + 1) as f64;
        }
    }
    sum
}

/// Returns the share of the relevant documents that are among the first `k` results. As `recall_k`
/// of trec_eval and `recall@k` of sentence-transformers.
pub fn recall(ranked: &[Option<i32>], judged: &[i32], k: usize) -> f64 {
    match relevant(judged) {
        0 => 0.0,
        relevant => found(ranked, k) as f64 / relevant as f64,
    }
}

/// Returns the relevant results among the first `k` as a share of min(k, number of relevant
/// documents), so that 1 can be reached. As `R_cap@k` of BEIR.
pub fn capped_recall(ranked: &[Option<i32>], judged: &[i32], k: usize) -> f64 {
    match relevant(judged).min(k) {
        0 => 0.0,
        possible => found(ranked, k) as f64 / possible as f64,
    }
}

/// Returns the share of relevant results among the first `k`. The divisor is `k` even where fewer
/// results were found. As `P_k` of trec_eval and `precision@k` of sentence-transformers.
pub fn precision(ranked: &[Option<i32>], k: usize) -> f64 {
    found(ranked, k) as f64 / k as f64
}

/// Returns 1 if any of the first `k` results is relevant, else 0. As `success_k` of trec_eval and
/// `accuracy@k` of sentence-transformers.
pub fn hit(ranked: &[Option<i32>], k: usize) -> f64 {
    f64::from(u8::from(cut(ranked, k).iter().copied().any(is_relevant)))
}

/// Returns the share of the first `k` results that nobody has judged: how much of a ranking the
/// other metrics take on trust to be irrelevant. The divisor is `k` even where fewer results were
/// found.
///
/// As `Hole@k` of BEIR, where `ranked` has `None` for documents that are judged for no query at
/// all and `Some(0)` for those that are judged for other queries only.
pub fn hole(ranked: &[Option<i32>], k: usize) -> f64 {
    let unjudged = cut(ranked, k).iter().filter(|grade| grade.is_none());
    unjudged.count() as f64 / k as f64
}

fn cut(ranked: &[Option<i32>], k: usize) -> &[Option<i32>] {
    &ranked[..k.min(ranked.len())]
}

fn is_relevant(grade: Option<i32>) -> bool {
    grade.is_some_and(|grade| grade > 0)
}

fn found(ranked: &[Option<i32>], k: usize) -> usize {
    let results = cut(ranked, k).iter();
    results.filter(|&&grade| is_relevant(grade)).count()
}

fn relevant(judged: &[i32]) -> usize {
    judged.iter().filter(|&&grade| grade > 0).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four relevant documents, of which the results hold three: grades 1, 3 and 2.
    const RANKED: [Option<i32>; 6] = [None, Some(1), Some(0), Some(3), Some(2), None];
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
        close(ndcg(&[3, 2, 1, 1, 0].map(Some), &JUDGED, 10), 1.0);
    }

    #[test]
    fn nothing_found_is_a_plain_zero() {
        for found in [ndcg(&[None], &[1], 10), exponential_ndcg(&[], &[1], 10)] {
            assert_eq!(found.to_string(), "0");
        }
    }

    #[test]
    fn exponential_gain_sets_grades_further_apart() {
        let dcg = 1.0 / 3f64.log2() + 7.0 / 5f64.log2() + 3.0 / 6f64.log2();
        let best = 7.0 + 3.0 / 3f64.log2() + 1.0 / 2.0 + 1.0 / 5f64.log2();
        close(exponential_ndcg(&RANKED, &JUDGED, 10), dcg / best);
        let binary = [0, 1, 1, 0].map(Some);
        close(
            exponential_ndcg(&binary, &[1, 1, 1], 3),
            ndcg(&binary, &[1, 1, 1], 3),
        );
        let huge = exponential_ndcg(&[Some(1), Some(i32::MAX)], &[i32::MAX, 1], 10);
        close(huge, 1.0 / 3f64.log2());
    }

    #[test]
    fn figures_of_trec_eval() {
        let ranked = [0, 2, 0, 1, 3, 0, 0, 1, 0, 0, 1, 0].map(Some);
        let judged = [2, 1, 3, 1, 1, 2, 1, 0];
        close(ndcg(&ranked, &judged, 3), 0.23981246656813146);
        close(ndcg(&ranked, &judged, 10), 0.4681034739456502);
        close(reciprocal_rank(&ranked, 100), 0.5);
        close(
            average_precision_trec(&ranked, &judged, 100),
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
    fn map_divides_by_what_could_be_found_or_by_what_is_relevant() {
        let sum = 1.0 / 2.0 + 2.0 / 4.0 + 3.0 / 5.0;
        close(average_precision_at(&RANKED, &JUDGED, 100), sum / 4.0);
        close(average_precision_trec(&RANKED, &JUDGED, 100), sum / 4.0);
        close(average_precision_at(&RANKED, &JUDGED, 2), 0.5 / 2.0);
        close(average_precision_trec(&RANKED, &JUDGED, 2), 0.5 / 4.0);
    }

    #[test]
    fn recall_precision_and_accuracy_count_relevant_results() {
        close(recall(&RANKED, &JUDGED, 4), 0.5);
        close(recall(&RANKED, &JUDGED, 100), 0.75);
        close(capped_recall(&RANKED, &JUDGED, 2), 0.5);
        close(capped_recall(&RANKED, &JUDGED, 100), 0.75);
        close(precision(&RANKED, 1), 0.0);
        close(precision(&RANKED, 5), 0.6);
        close(precision(&RANKED, 10), 0.3);
        close(hit(&RANKED, 1), 0.0);
        close(hit(&RANKED, 2), 1.0);
    }

    #[test]
    fn a_hole_is_a_result_that_nobody_has_judged() {
        close(hole(&RANKED, 1), 1.0);
        close(hole(&RANKED, 4), 0.25);
        close(hole(&RANKED, 10), 0.2);
    }
}
