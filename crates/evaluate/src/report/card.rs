use pairmill_checkpoint::{CardFigure, CardHeader, CardResult, SimilarityFunction};

use super::data::Report;
use super::markdown::{answer, summary};

/// The card of a model that was evaluated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Card {
    /// Its `README.md`.
    pub text: String,
    /// How its embeddings are compared.
    pub similarity: SimilarityFunction,
}

impl Card {
    /// Puts the figures of a search into the card: into its header for the Hub, and at its end for
    /// people.
    pub fn with_figures(&self, report: &Report) -> String {
        let (header, text) = CardHeader::split(&self.text);
        let similarity = self.similarity.name();
        let figures = report.summary.iter().map(|row| {
            let key = format!("{similarity}_{}", row.metric);
            CardFigure::new(key, row.model.value)
        });
        let result = CardResult {
            task: "information-retrieval",
            task_name: "Information Retrieval",
            dataset: &report.data,
            figures: figures.collect(),
        };
        let mut text = format!("{}\n\n## On {}\n", text.trim_end(), plain_data(report));
        answer(&mut text, report);
        summary(&mut text, report);
        header.with_result(&report.model, &result).card(&text)
    }
}

fn plain_data(report: &Report) -> String {
    let data = pairmill_report::markdown::plain(&report.data);
    match report.date.as_str() {
        "" => data,
        date => format!("{data}, {date}"),
    }
}
