use std::fmt;
use std::str::FromStr;

use crate::ranked::{
    average_precision_at, average_precision_trec, capped_recall, exponential_ndcg, hit, hole, ndcg,
    precision, recall, reciprocal_rank,
};

/// A metric of a ranked list with its cut-off; `ndcg@10` as text. Every value lies in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetrievalMetric {
    /// [`ndcg`]
    Ndcg(usize),
    /// [`exponential_ndcg`]
    NdcgExp(usize),
    /// [`reciprocal_rank`]; its mean is the MRR.
    Mrr(usize),
    /// [`average_precision_at`]; its mean is the MAP.
    Map(usize),
    /// [`average_precision_trec`]; its mean is trec_eval's MAP.
    MapTrec(usize),
    /// [`recall`]
    Recall(usize),
    /// [`capped_recall`]
    RecallCap(usize),
    /// [`precision`]
    Precision(usize),
    /// [`hit`]; its mean is the accuracy.
    Accuracy(usize),
    /// [`hole`]
    Hole(usize),
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

    /// The value for one query. `ranked` holds the grade of each result in rank order, `None`
    /// where nobody has judged it; `judged` holds the grades of all judged documents of the
    /// query in any order, found or not. A grade above 0 means relevant.
    pub fn score(self, ranked: &[Option<i32>], judged: &[i32]) -> f64 {
        match self {
            Self::Ndcg(k) => ndcg(ranked, judged, k),
            Self::NdcgExp(k) => exponential_ndcg(ranked, judged, k),
            Self::Mrr(k) => reciprocal_rank(ranked, k),
            Self::Map(k) => average_precision_at(ranked, judged, k),
            Self::MapTrec(k) => average_precision_trec(ranked, judged, k),
            Self::Recall(k) => recall(ranked, judged, k),
            Self::RecallCap(k) => capped_recall(ranked, judged, k),
            Self::Precision(k) => precision(ranked, k),
            Self::Accuracy(k) => hit(ranked, k),
            Self::Hole(k) => hole(ranked, k),
        }
    }

    /// How many results it looks at.
    pub fn cut_off(self) -> usize {
        self.parts().1
    }

    /// Whether a ranking is the better the higher the value is. Of [`hole`] it is neither better
    /// nor worse, only less well known.
    pub fn higher_is_better(self) -> bool {
        !matches!(self, Self::Hole(_))
    }

    fn parts(self) -> (&'static str, usize) {
        match self {
            Self::Ndcg(k) => ("ndcg", k),
            Self::NdcgExp(k) => ("ndcg_exp", k),
            Self::Mrr(k) => ("mrr", k),
            Self::Map(k) => ("map", k),
            Self::MapTrec(k) => ("map_trec", k),
            Self::Recall(k) => ("recall", k),
            Self::RecallCap(k) => ("recall_cap", k),
            Self::Precision(k) => ("precision", k),
            Self::Accuracy(k) => ("accuracy", k),
            Self::Hole(k) => ("hole", k),
        }
    }
}

impl fmt::Display for RetrievalMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, k) = self.parts();
        write!(f, "{name}@{k}")
    }
}

impl FromStr for RetrievalMetric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no retrieval metric; expected ndcg, ndcg_exp, mrr, map, map_trec, recall, recall_cap, precision, accuracy or hole with a cut-off, such as ndcg@10"
            )
        };
        let (name, k) = text.split_once('@').ok_or_else(wrong)?;
        let k = k.parse().ok().filter(|&k| k > 0).ok_or_else(wrong)?;
        match name {
            "ndcg" => Ok(Self::Ndcg(k)),
            "ndcg_exp" => Ok(Self::NdcgExp(k)),
            "mrr" => Ok(Self::Mrr(k)),
            "map" => Ok(Self::Map(k)),
            "map_trec" => Ok(Self::MapTrec(k)),
            "recall" => Ok(Self::Recall(k)),
            "recall_cap" => Ok(Self::RecallCap(k)),
            "precision" => Ok(Self::Precision(k)),
            "accuracy" => Ok(Self::Accuracy(k)),
            "hole" => Ok(Self::Hole(k)),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHERS: [RetrievalMetric; 4] = [
        RetrievalMetric::NdcgExp(7),
        RetrievalMetric::MapTrec(1000),
        RetrievalMetric::RecallCap(20),
        RetrievalMetric::Hole(5),
    ];

    #[test]
    fn names_are_read_as_they_are_written() {
        for metric in RetrievalMetric::DEFAULTS.into_iter().chain(OTHERS) {
            assert_eq!(metric.to_string().parse(), Ok(metric));
        }
        assert_eq!(RetrievalMetric::Hole(5).to_string(), "hole@5");
        for wrong in ["ndcg", "ndcg@0", "ndcg@x", "ndcg@-1", "speed@10", "@10"] {
            assert!(wrong.parse::<RetrievalMetric>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_query_with_no_result_or_nothing_relevant_scores_zero() {
        for metric in RetrievalMetric::DEFAULTS.into_iter().chain(OTHERS) {
            for (ranked, judged) in [
                (&[][..], &[1, 0, 2][..]),
                (&[Some(0), Some(0)], &[0]),
                (&[Some(-1), Some(0)], &[-1]),
                (&[], &[]),
            ] {
                assert_eq!(metric.score(ranked, judged), 0.0, "{metric}");
            }
        }
    }

    #[test]
    fn results_below_the_cut_off_change_nothing() {
        let judged = [3, 1, 1, 0, 2];
        let ranked = [Some(1), None, Some(3), Some(0), Some(2)];
        let longer = [&ranked[..], &[Some(1), None, Some(0)]].concat();
        for metric in OTHERS.into_iter().chain(RetrievalMetric::DEFAULTS) {
            let metric = metric.parts().0;
            let metric: RetrievalMetric = format!("{metric}@5").parse().unwrap();
            assert_eq!(
                metric.score(&ranked, &judged),
                metric.score(&longer, &judged),
                "{metric}"
            );
        }
    }
}
