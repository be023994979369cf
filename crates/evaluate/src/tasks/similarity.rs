use std::iter;

use pairmill_checkpoint::SimilarityFunction;
use pairmill_metrics::{Order, counted_pearson};
use pairmill_tables::TableReader;

use crate::error::{EvaluateError, Result};
use crate::items::table::ItemTable;
use crate::items::write::{PER_ITEM, write_items};
use crate::models::options::Models;
use crate::results::evaluation::Evaluation;
use crate::results::names::data_name;
use crate::results::reporting::of_models;
use crate::results::run_options::RunOptions;
use crate::statistics::sample::{Sample, counts};
use crate::tasks::sentence_pairs::{SentencePairs, columns, similarities};

const METHOD: &str = "Correlation of the similarity of two sentences with their score, by cosine, \
inner product, negative Euclidean and negative Manhattan distance of the embeddings as the model \
gives them; Spearman's with average ranks for ties. `max` is the highest of the four.";

/// Similarity of sentences against human scores.
#[derive(Debug, Clone)]
pub struct Similarity {
    /// The models.
    pub models: Models,
    /// A table of `sentence1`, `sentence2` and `score`, where higher means more alike.
    pub pairs: String,
    /// Column of which equal values make pairs one unit of the intervals and tests.
    pub cluster_column: Option<String>,
}

impl Similarity {
    pub(crate) fn run(&self, run_options: &RunOptions) -> Result<Evaluation> {
        run_options.run(
            "similarity",
            METHOD,
            &(self.models.options(), &self.cluster_column),
            |lineage| {
                self.models
                    .add_to(lineage.with_input("pairs", &self.pairs)?)
            },
            |results| {
                let reader = TableReader::new(run_options.threads)?;
                let cluster = self.cluster_column.as_deref();
                let (sentences, people) =
                    SentencePairs::read_scored(&reader, &self.pairs, cluster, |_, score| {
                        Ok(f64::from(score))
                    })?;
                if people.iter().all(|score| *score == people[0]) {
                    return Err(self.no_correlation("column `score` is"));
                }
                let encoders = self.models.load()?;
                let samples = encoders.try_map(|encoder| {
                    let similarities = sentences.similarities(encoder)?;
                    Ok(SimilaritySample::new(similarities, people.clone()))
                })?;
                let scores = samples.map(Sample::all);
                let defined = |scores: &pairmill_metrics::Scores| {
                    scores.iter().all(|(_, value)| value.is_finite())
                };
                if !iter::once(&scores.model)
                    .chain(&scores.baseline)
                    .all(defined)
                {
                    return Err(self.no_correlation("the model's similarity is"));
                }
                let highest = people.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let belongs: Vec<bool> = people.iter().map(|&score| score >= highest).collect();
                let clustering = sentences.clustering(cluster, &belongs);
                let clustering = clustering.as_ref();
                if let Some(results) = results {
                    let labels = sentences.labels();
                    let target = results.folder.join(PER_ITEM);
                    write_items(&target, &labels, &samples, clustering, results.lineage)?;
                }
                let counts = [("pairs", people.len())];
                let mut evaluation = Evaluation::of(
                    "similarity",
                    &samples,
                    clustering,
                    &run_options.settings,
                    counts,
                );
                evaluation.warn(encoders.warnings());
                evaluation.drawn = of_models(&self.models, "pairs")?;
                evaluation.drawn.data = data_name(&self.pairs);
                Ok(evaluation)
            },
        )
    }

    fn no_correlation(&self, what: &'static str) -> EvaluateError {
        EvaluateError::NoCorrelation {
            path: self.pairs.clone(),
            what,
        }
    }
}

/// The figures, chief one first.
pub(super) fn metrics() -> Vec<String> {
    let names = SimilarityFunction::ALL.map(SimilarityFunction::name);
    iter::chain(names, ["max"])
        .flat_map(|name| [format!("spearman_{name}"), format!("pearson_{name}")])
        .collect()
}

/// How alike the sentences of each pair are to people and to a model.
pub(crate) struct SimilaritySample {
    similarities: [Vec<f64>; 4],
    scores: Vec<f64>,
    orders: [Order; 4],
    order_of_scores: Order,
}

impl SimilaritySample {
    pub fn new(similarities: [Vec<f64>; 4], scores: Vec<f64>) -> Self {
        Self {
            orders: similarities.each_ref().map(|values| Order::new(values)),
            order_of_scores: Order::new(&scores),
            similarities,
            scores,
        }
    }
}

impl SimilaritySample {
    /// Takes some of the items that an evaluation has written.
    pub fn of_items(items: &ItemTable, rows: &[usize]) -> Result<Self> {
        let scores = items.column("score", rows)?;
        Ok(Self::new(similarities(items, rows)?, scores))
    }
}

impl Sample for SimilaritySample {
    fn metrics(&self) -> Vec<String> {
        metrics()
    }

    fn len(&self) -> usize {
        self.scores.len()
    }

    fn figures(&self, items: &[u32]) -> Vec<f64> {
        let counts = counts(items, self.len());
        let ranks_of_scores = self.order_of_scores.ranks(&counts);
        let correlation = |x: &[f64], y: &[f64]| counted_pearson(x, y, &counts).unwrap_or(f64::NAN);
        let mut figures = Vec::with_capacity(10);
        let mut highest = [f64::NAN; 2];
        for (values, order) in self.similarities.iter().zip(&self.orders) {
            let both = [
                correlation(&order.ranks(&counts), &ranks_of_scores),
                correlation(values, &self.scores),
            ];
            figures.extend(both);
            highest = [highest[0].max(both[0]), highest[1].max(both[1])];
        }
        figures.extend(highest);
        figures
    }

    fn values(&self, _: usize) -> Option<Vec<f64>> {
        None
    }

    fn columns(&self) -> Vec<(String, Vec<f64>)> {
        let mut columns = columns(&self.similarities);
        columns.push(("score".to_owned(), self.scores.clone()));
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_has_the_figures_of_the_pairs_in_it() {
        let cosines = [0.9, 0.1, 0.5, 0.7, 0.3];
        let scores = [1.0, 0.0, 0.4, 0.4, 0.6];
        let sample = |pairs: &[usize]| {
            let of = |values: &[f64; 5]| -> Vec<f64> { pairs.iter().map(|&i| values[i]).collect() };
            let cosines = of(&cosines);
            let others = cosines.iter().map(|value| -value * value).collect();
            SimilaritySample::new(
                [cosines.clone(), cosines.clone(), others, cosines],
                of(&scores),
            )
        };
        let all = sample(&[0, 1, 2, 3, 4]);
        let drawn = all.figures(&[4, 0, 0, 2, 1, 4]);
        let expected = sample(&[4, 0, 0, 2, 1, 4]).figures(&[0, 1, 2, 3, 4, 5]);
        for (found, expected) in drawn.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert_eq!(drawn.len(), all.metrics().len());
        assert_eq!(drawn[4], -drawn[0], "Spearman sees only the order");
        assert_eq!(drawn[8], drawn[0]);
        assert!(all.figures(&[2, 2]).iter().all(|figure| figure.is_nan()));
    }
}
