//! The figures of an evaluation on a terminal.

use std::fmt::Write as _;
use std::io::{self, Write};

use pairmill_metrics::Scores;
use pairmill_report::format::{aligned, chance, interval_name};
use serde::Serialize;

use crate::report::P_CORRECTED;
use crate::results::answer::Answer;
use crate::results::evaluation::Evaluation;

impl Evaluation {
    /// Prints the figures: as an aligned table, or as one JSON object.
    ///
    /// # Errors
    /// If writing fails.
    pub fn print(&self, out: &mut impl Write, json: bool) -> io::Result<()> {
        if json {
            #[derive(Serialize)]
            struct Line<'a> {
                up_to_date: bool,
                #[serde(flatten)]
                answer: Option<Answer>,
                #[serde(flatten)]
                evaluation: &'a Evaluation,
            }
            let line = Line {
                up_to_date: self.up_to_date,
                answer: self.answer(),
                evaluation: self,
            };
            serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
            writeln!(out)
        } else {
            out.write_all(self.table().as_bytes())
        }
    }

    pub(crate) fn header(&self) -> Vec<String> {
        let mut header = vec!["metric"];
        match self.baseline {
            Some(_) => header.extend(["baseline", "model", "difference"]),
            None => header.push("model"),
        }
        let mut header: Vec<String> = header.into_iter().map(str::to_owned).collect();
        if let Some(evidence) = &self.evidence {
            header.push(interval_name(evidence.confidence));
            if self.baseline.is_some() {
                header.push(P_CORRECTED.to_owned());
            }
        }
        header
    }

    pub(crate) fn cells(&self) -> impl Iterator<Item = Vec<String>> {
        self.model.iter().map(|(name, value)| {
            let mut row = vec![name.to_owned()];
            if let Some(baseline) = &self.baseline {
                let baseline = baseline.get(name).unwrap_or(f64::NAN);
                row.push(format!("{baseline:.4}"));
                row.push(format!("{value:.4}"));
                row.push(format!("{:+.4}", value - baseline));
            } else {
                row.push(format!("{value:.4}"));
            }
            if let Some(evidence) = &self.evidence {
                let of_metric = evidence.get(name);
                if self.baseline.is_some() {
                    let difference = of_metric.and_then(|one| one.difference.as_ref());
                    let interval = difference.and_then(|difference| difference.interval);
                    row.push(interval.map_or_else(String::new, |of| {
                        format!("{:+.4} to {:+.4}", of.low, of.high)
                    }));
                    let p = difference.and_then(|difference| difference.p_corrected);
                    row.push(p.map_or_else(String::new, chance));
                } else {
                    let interval = of_metric.and_then(|one| one.model);
                    row.push(
                        interval.map_or_else(String::new, |of| {
                            format!("{:.4} to {:.4}", of.low, of.high)
                        }),
                    );
                }
            }
            row
        })
    }

    fn table(&self) -> String {
        let rows: Vec<Vec<String>> = std::iter::once(self.header()).chain(self.cells()).collect();
        let mut text = aligned(&rows);
        for rows in [self.group_rows(), self.variant_rows()] {
            if rows.len() > 1 {
                text.push('\n');
                text.push_str(&aligned(&rows));
            }
        }
        if let Some(answer) = self.answer() {
            let _ = write!(text, "\n{answer}");
        }
        text
    }

    /// The chief figure of each group, under a header.
    pub(crate) fn group_rows(&self) -> Vec<Vec<String>> {
        let mut header = vec!["group".to_owned(), "items".to_owned()];
        header.extend(self.chief_header());
        let mut rows = vec![header];
        rows.extend(self.groups.iter().map(|group| {
            let mut row = vec![
                format!("{}: {}", group.column, group.value),
                group.items.to_string(),
            ];
            row.extend(self.chief_cells(&group.model, group.baseline.as_ref()));
            row
        }));
        rows
    }

    /// The chief figure of each smaller form of the embeddings, under a header.
    pub(crate) fn variant_rows(&self) -> Vec<Vec<String>> {
        let mut header: Vec<String> = ["embeddings", "bytes", "of full quality"]
            .map(str::to_owned)
            .to_vec();
        header.extend(self.chief_header());
        let mut rows = vec![header];
        rows.extend(self.variants.iter().map(|variant| {
            let chief = |scores: &Scores| scores.iter().next().map_or(f64::NAN, |(_, value)| value);
            let share = 100.0 * chief(&variant.model) / chief(&self.model);
            let mut row = vec![
                format!("{} × {}", variant.dimension, variant.precision),
                variant.bytes.to_string(),
                match share.is_finite() {
                    true => format!("{share:.1} %"),
                    false => "-".to_owned(),
                },
            ];
            row.extend(self.chief_cells(&variant.model, variant.baseline.as_ref()));
            row
        }));
        rows
    }

    fn chief_header(&self) -> Vec<String> {
        let metric = self.model.iter().next().map_or("", |(name, _)| name);
        match self.baseline {
            Some(_) => ["baseline ", "model ", "difference "]
                .map(|of| format!("{of}{metric}"))
                .to_vec(),
            None => vec![metric.to_owned()],
        }
    }

    fn chief_cells(&self, model: &Scores, baseline: Option<&Scores>) -> Vec<String> {
        let Some((metric, value)) = model.iter().next() else {
            return Vec::new();
        };
        match (
            &self.baseline,
            baseline.and_then(|scores| scores.get(metric)),
        ) {
            (Some(_), Some(baseline)) => vec![
                format!("{baseline:.4}"),
                format!("{value:.4}"),
                format!("{:+.4}", value - baseline),
            ],
            (Some(_), None) => vec![String::new(), format!("{value:.4}"), String::new()],
            (None, _) => vec![format!("{value:.4}")],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paired::Paired;
    use crate::vectors::variants::{Precision, VariantScores};

    fn evaluation() -> Evaluation {
        let scores = Paired {
            model: [("ndcg@10", 0.75), ("recall@100", 1.0)]
                .into_iter()
                .collect(),
            baseline: Some(
                [("ndcg@10", 0.8125), ("recall@100", 0.5)]
                    .into_iter()
                    .collect(),
            ),
        };
        Evaluation::new("retrieval", scores, [("queries", 3)])
    }

    fn printed(evaluation: &Evaluation, json: bool) -> String {
        let mut out = Vec::new();
        evaluation.print(&mut out, json).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_table_is_aligned() {
        let expected = "\
metric      baseline   model  difference
ndcg@10       0.8125  0.7500     -0.0625
recall@100    0.5000  1.0000     +0.5000
";
        assert_eq!(printed(&evaluation(), false), expected);
    }

    #[test]
    fn a_share_of_nothing_is_a_dash() {
        let mut evaluation = Evaluation::new(
            "retrieval",
            Paired {
                model: [("ndcg@10", 0.0)].into_iter().collect(),
                baseline: None,
            },
            [("queries", 3)],
        );
        evaluation.variants = vec![VariantScores {
            dimension: 64,
            precision: Precision::Float32,
            bytes: 256,
            model: [("ndcg@10", 0.0)].into_iter().collect(),
            baseline: None,
        }];
        let table = printed(&evaluation, false);
        let expected = "64 × float32    256                -   0.0000\n";
        assert!(table.ends_with(expected), "{table}");
    }

    #[test]
    fn json_keeps_the_order_and_reads_back() {
        let evaluation = evaluation();
        let line = printed(&evaluation, true);
        assert_eq!(
            line,
            "{\"up_to_date\":false,\"task\":\"retrieval\",\
             \"model\":{\"ndcg@10\":0.75,\"recall@100\":1.0},\
             \"baseline\":{\"ndcg@10\":0.8125,\"recall@100\":0.5},\
             \"difference\":{\"ndcg@10\":-0.0625,\"recall@100\":0.5},\
             \"counts\":{\"queries\":3}}\n"
        );
        assert_eq!(
            serde_json::from_str::<Evaluation>(&line).unwrap(),
            evaluation
        );
    }
}
