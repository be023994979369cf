use std::fmt;
use std::str::FromStr;

use crate::ranked::{
    average_precision_at, average_precision_trec, capped_recall, exponential_ndcg, hit, hole, ndcg,
    precision, recall, reciprocal_rank,
};

/// What there is to know of a metric of a ranked list.
struct Row {
    /// Its name in keys, before the cut-off.
    key: &'static str,
    /// The same as people write it.
    title: &'static str,
    /// What sets it apart in a list of all; may be empty.
    note: &'static str,
    /// What it says, for people who do not know it; `{k}` stands for the cut-off.
    meaning: &'static str,
    /// Its value for the results of a query, the judged grades and the cut-off.
    formula: fn(&[Option<i32>], &[i32], usize) -> f64,
    /// What a relevant document counts, where that depends on its grade.
    gain: Option<&'static str>,
    /// Whether a ranking is the better the higher the value is.
    higher_is_better: bool,
    /// Whether it tells what nobody has judged from what is judged not to be relevant.
    needs_unjudged: bool,
    /// The cut-offs that are reported where nobody asks for others.
    reported_at: &'static [usize],
}

/// What most rows have.
const ROW: Row = Row {
    key: "",
    title: "",
    note: "",
    meaning: "",
    formula: |_, _, _| f64::NAN,
    gain: None,
    higher_is_better: true,
    needs_unjudged: false,
    reported_at: &[],
};

/// All metrics, chief figure first. Everything that lists, reads or explains them follows from
/// here.
static TABLE: &[Row] = &[
    Row {
        key: "ndcg",
        title: "nDCG",
        note: "linear gain",
        meaning: "how far up the right answers stand among the first {k} results: 1 with all of them on top, \
                  0 with none of them there",
        formula: ndcg,
        gain: Some("linear gain"),
        reported_at: &[10],
        ..ROW
    },
    Row {
        key: "ndcg_exp",
        title: "nDCG exp",
        note: "exponential gain",
        meaning: "nDCG with 2^grade - 1 in place of the grade, which sets the best answers further apart",
        formula: exponential_ndcg,
        gain: Some("exponential gain, 2^grade - 1"),
        ..ROW
    },
    Row {
        key: "mrr",
        title: "MRR",
        meaning: "the mean of 1 / (rank of the first right answer), 0 where it is not among the first {k}",
        formula: |ranked, _, k| reciprocal_rank(ranked, k),
        reported_at: &[10],
        ..ROW
    },
    Row {
        key: "map",
        title: "MAP",
        meaning: "the mean of the precisions at the ranks of the right answers among the first {k}",
        formula: average_precision_at,
        reported_at: &[100],
        ..ROW
    },
    Row {
        key: "map_trec",
        title: "MAP trec",
        note: "as trec_eval divides",
        meaning: "as MAP, but divided by all right answers, also where there are more than {k}",
        formula: average_precision_trec,
        ..ROW
    },
    Row {
        key: "recall",
        title: "recall",
        meaning: "the share of the right answers that are among the first {k}",
        formula: recall,
        reported_at: &[1, 10, 100],
        ..ROW
    },
    Row {
        key: "recall_cap",
        title: "recall cap",
        note: "capped",
        meaning: "the share of the right answers among the first {k}, of which no more than {k} count",
        formula: capped_recall,
        ..ROW
    },
    Row {
        key: "precision",
        title: "precision",
        meaning: "the share of the first {k} results that are right answers",
        formula: |ranked, _, k| precision(ranked, k),
        reported_at: &[1, 10],
        ..ROW
    },
    Row {
        key: "accuracy",
        title: "accuracy",
        meaning: "the share of queries with a right answer among the first {k}",
        formula: |ranked, _, k| hit(ranked, k),
        reported_at: &[1],
        ..ROW
    },
    Row {
        key: "hole",
        title: "hole",
        note: "unjudged results",
        meaning: "the share of the first {k} results that nobody has judged",
        formula: |ranked, _, k| hole(ranked, k),
        // More of what nobody has judged is neither better nor worse, only less well known.
        higher_is_better: false,
        needs_unjudged: true,
        ..ROW
    },
];

/// A metric of a ranked list with its cut-off; `ndcg@10` as text. Every value lies in 0..=1. The
/// order is that in which metrics are listed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetrievalMetric {
    /// Its place in [`TABLE`].
    row: usize,
    cut_off: usize,
}

impl RetrievalMetric {
    /// Returns the metrics that are reported where nobody asks for others, chief figure first.
    pub fn defaults() -> Vec<Self> {
        let rows = TABLE.iter().enumerate();
        rows.flat_map(|(row, of)| {
            let cut_offs = of.reported_at.iter();
            cut_offs.map(move |&cut_off| Self { row, cut_off })
        })
        .collect()
    }

    /// Lists the names of all metrics with what sets each apart.
    pub fn described() -> String {
        let names = TABLE.iter().map(|row| match row.note {
            "" => row.key.to_owned(),
            note => format!("{} ({note})", row.key),
        });
        names.collect::<Vec<_>>().join(", ")
    }

    fn row(self) -> &'static Row {
        &TABLE[self.row]
    }

    /// Returns the value for one query. `ranked` holds the grade of each result in rank order,
    /// `None` where nobody has judged it; `judged` holds the grades of all judged documents of the
    /// query in any order, found or not. A grade above 0 means relevant.
    pub fn score(self, ranked: &[Option<i32>], judged: &[i32]) -> f64 {
        (self.row().formula)(ranked, judged, self.cut_off)
    }

    /// Returns how many results it looks at.
    pub fn cut_off(self) -> usize {
        self.cut_off
    }

    /// Returns its name without the cut-off, such as `ndcg`.
    pub fn key(self) -> &'static str {
        self.row().key
    }

    /// Returns the name as people write it, such as `nDCG@10`.
    pub fn title(self) -> String {
        format!("{}@{}", self.row().title, self.cut_off)
    }

    /// Returns what it says, for people who do not know it.
    pub fn meaning(self) -> String {
        let cut_off = self.cut_off.to_string();
        self.row().meaning.replace("{k}", &cut_off)
    }

    /// Returns what a relevant document counts, where that depends on its grade, such as `linear
    /// gain`.
    pub fn gain(self) -> Option<&'static str> {
        self.row().gain
    }

    /// Returns whether a ranking is the better the higher the value is.
    pub fn higher_is_better(self) -> bool {
        self.row().higher_is_better
    }

    /// Returns whether it tells what nobody has judged from what is judged not to be relevant.
    pub fn needs_unjudged(self) -> bool {
        self.row().needs_unjudged
    }
}

impl fmt::Display for RetrievalMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.key(), self.cut_off)
    }
}

impl fmt::Debug for RetrievalMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RetrievalMetric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (name, cut_off) = text.split_once('@')?;
            let cut_off = cut_off.parse().ok().filter(|&cut_off| cut_off > 0)?;
            let row = TABLE.iter().position(|row| row.key == name)?;
            Some(Self { row, cut_off })
        };
        read().ok_or_else(|| {
            let keys: Vec<&str> = TABLE.iter().map(|row| row.key).collect();
            let (last, others) = keys.split_last().unwrap_or((&"", &[]));
            format!(
                "`{text}` is no retrieval metric; expected {} or {last} with a cut-off, such as \
                 ndcg@10",
                others.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns each metric at several depths.
    fn all() -> Vec<RetrievalMetric> {
        let of_row = |row| [1, 7, 1_000].map(|cut_off| RetrievalMetric { row, cut_off });
        (0..TABLE.len()).flat_map(of_row).collect()
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for metric in all() {
            assert_eq!(metric.to_string().parse(), Ok(metric));
        }
        for wrong in ["ndcg", "ndcg@0", "ndcg@x", "ndcg@-1", "speed@10", "@10"] {
            assert!(wrong.parse::<RetrievalMetric>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_are_unique_and_the_defaults_are_those_of_the_table() {
        let mut keys: Vec<&str> = TABLE.iter().map(|row| row.key).collect();
        keys.sort_unstable();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{keys:?}");
        let defaults: Vec<String> = RetrievalMetric::defaults()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            defaults.join(","),
            "ndcg@10,mrr@10,map@100,recall@1,recall@10,recall@100,precision@1,precision@10,accuracy@1"
        );
    }

    #[test]
    fn every_metric_says_what_it_means() {
        for metric in all() {
            let meaning = metric.meaning();
            assert!(!meaning.is_empty() && !meaning.contains('{'), "{metric}");
        }
        let [first, ..] = RetrievalMetric::defaults()[..] else {
            panic!("there are defaults");
        };
        assert!(first.meaning().contains("among the first 10 results"));
    }

    #[test]
    fn a_query_with_no_result_or_nothing_relevant_scores_zero() {
        for metric in all() {
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
        for metric in all() {
            let metric = RetrievalMetric {
                cut_off: 5,
                ..metric
            };
            assert_eq!(
                metric.score(&ranked, &judged),
                metric.score(&longer, &judged),
                "{metric}"
            );
        }
    }
}
