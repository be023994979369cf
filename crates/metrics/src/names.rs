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

/// What figures of no ranked list say. The last words of a key tell it, or the only ones.
const MEANINGS: [(&str, &str); 8] = [
    (
        "macro_f1",
        "the mean of the F1 of all categories, each with the same weight",
    ),
    (
        "threshold",
        "the similarity from which on two texts are taken for the same",
    ),
    ("accuracy", "the share of the answers that are right"),
    (
        "f1",
        "the balance of precision and recall, at the threshold where it is best",
    ),
    (
        "precision",
        "the share of what is taken for the same that is the same",
    ),
    (
        "recall",
        "the share of what is the same that is taken for the same",
    ),
    ("ap", "precision averaged over all thresholds"),
    (
        "mcc",
        "how well answers and truth agree, from -1 to 1, with 0 for chance",
    ),
];

/// Returns what a figure says, for people who do not know it; `None` where nothing is known of the
/// key.
pub fn metric_meaning(key: &str) -> Option<String> {
    if let Ok(metric) = key.parse::<RetrievalMetric>() {
        return Some(metric.meaning());
    }
    let meaning = match key.split_once('_') {
        Some(("spearman", _)) => {
            "how alike the orders by similarity and by people's scores are, from -1 to 1"
        }
        Some(("pearson", _)) => {
            "how well similarity and people's scores lie on a line, from -1 to 1"
        }
        _ => {
            let is_of = |end: &str| key == end || key.ends_with(&format!("_{end}"));
            MEANINGS.iter().find(|(end, _)| is_of(end))?.1
        }
    };
    Some(meaning.to_owned())
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
    fn figures_say_what_they_mean() {
        let of = |key: &str| metric_meaning(key).unwrap_or_default();
        assert!(of("knn_accuracy").starts_with("the share of the answers"));
        assert_eq!(of("max_ap"), of("ap"));
        assert!(of("knn_macro_f1").contains("categories"));
        assert!(of("spearman_cosine").contains("orders"));
        assert!(of("recall@10").contains("first 10"));
        assert_eq!((of("map"), of("speed")), (String::new(), String::new()));
    }

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
