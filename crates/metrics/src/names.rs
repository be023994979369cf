//! What the key of a figure says of it.

use crate::retrieval::RetrievalMetric;

/// Writes a key as people do: `ndcg@10` is `nDCG@10`, `spearman_cosine` is `Spearman cosine`.
pub fn metric_title(key: &str) -> String {
    if let Ok(metric) = key.parse::<RetrievalMetric>() {
        return metric.title();
    }
    let words = key.split('_').map(|word| match word {
        "mcc" => "MCC",
        "f1" => "F1",
        "ap" => "average precision",
        "knn" => "kNN",
        "spearman" => "Spearman",
        "pearson" => "Pearson",
        "euclidean" => "Euclidean",
        "manhattan" => "Manhattan",
        word => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns whether a model is the better the higher this figure is. It is not of thresholds, nor of
/// the share of results that nobody has judged.
pub fn higher_is_better(key: &str) -> bool {
    let of_retrieval = key.parse::<RetrievalMetric>();
    !key.ends_with("threshold") && of_retrieval.map_or(true, RetrievalMetric::higher_is_better)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_written_as_people_do() {
        let keys = [
            "ndcg@10",
            "mrr@10",
            "spearman_cosine",
            "knn_macro_f1",
            "ndcg_exp@10",
            "f1",
            "recall@100",
            "ap",
        ];
        assert_eq!(
            keys.map(metric_title),
            [
                "nDCG@10",
                "MRR@10",
                "Spearman cosine",
                "kNN macro F1",
                "nDCG exp@10",
                "F1",
                "recall@100",
                "average precision"
            ]
        );
    }
}
