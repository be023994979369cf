use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use pairmill_metrics::Scores;
use serde::{Deserialize, Serialize};

use crate::compared::Compared;

/// The figures of one evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The command that made it, such as `retrieval`.
    pub task: String,
    /// What the model scores.
    pub model: Scores,
    /// What the baseline scores, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Scores>,
    /// Model less baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Scores>,
    /// How much was evaluated, and what was left out.
    pub counts: BTreeMap<String, u64>,
    /// Whether the figures are those of an earlier run.
    #[serde(skip)]
    pub up_to_date: bool,
}

impl Evaluation {
    pub(crate) fn new<'a>(
        task: &str,
        scores: Compared<Scores>,
        counts: impl IntoIterator<Item = (&'a str, usize)>,
    ) -> Self {
        let difference = scores
            .baseline
            .as_ref()
            .map(|baseline| scores.model.minus(baseline));
        Self {
            task: task.to_owned(),
            model: scores.model,
            baseline: scores.baseline,
            difference,
            counts: counts
                .into_iter()
                .map(|(name, count)| (name.to_owned(), count as u64))
                .collect(),
            up_to_date: false,
        }
    }

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
                evaluation: &'a Evaluation,
            }
            let line = Line {
                up_to_date: self.up_to_date,
                evaluation: self,
            };
            serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
            writeln!(out)
        } else {
            out.write_all(self.table().as_bytes())
        }
    }

    /// One line on how much was evaluated.
    pub(crate) fn summary(&self) -> String {
        let counts: Vec<String> = self
            .counts
            .iter()
            .filter(|&(_, &count)| count > 0)
            .map(|(name, count)| format!("{count} {}", name.replace('_', " ")))
            .collect();
        format!("evaluated {}: {}", self.task, counts.join(", "))
    }

    fn header(&self) -> Vec<&'static str> {
        match self.baseline {
            Some(_) => vec!["metric", "baseline", "model", "difference"],
            None => vec!["metric", "model"],
        }
    }

    fn cells(&self) -> impl Iterator<Item = Vec<String>> {
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
            row
        })
    }

    fn table(&self) -> String {
        let header = self.header().into_iter().map(str::to_owned).collect();
        let rows: Vec<Vec<String>> = std::iter::once(header).chain(self.cells()).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
        let mut table = String::new();
        for row in &rows {
            let _ = write!(table, "{:<1$}", row[0], widths[0]);
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                let _ = write!(table, "  {cell:>width$}");
            }
            table.push('\n');
        }
        table
    }

    /// The figures as a Markdown page; `method` says how they are made.
    pub(crate) fn markdown(&self, method: &str) -> String {
        let header = self.header();
        let mut page = format!("# Evaluation: {}\n\n", self.task);
        let _ = writeln!(page, "| {} |", header.join(" | "));
        let _ = writeln!(page, "| --- |{}", " ---: |".repeat(header.len() - 1));
        for row in self.cells() {
            let _ = writeln!(page, "| {} |", row.join(" | "));
        }
        let _ = write!(page, "\n{method}\n\n| counted | |\n| --- | ---: |\n");
        for (name, count) in &self.counts {
            let _ = writeln!(page, "| {} | {count} |", name.replace('_', " "));
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation() -> Evaluation {
        let scores = Compared {
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

    #[test]
    fn the_page_holds_figures_method_and_counts() {
        let expected = "\
# Evaluation: retrieval

| metric | baseline | model | difference |
| --- | ---: | ---: | ---: |
| ndcg@10 | 0.8125 | 0.7500 | -0.0625 |
| recall@100 | 0.5000 | 1.0000 | +0.5000 |

As usual.

| counted | |
| --- | ---: |
| queries | 3 |
";
        assert_eq!(evaluation().markdown("As usual."), expected);
    }
}
