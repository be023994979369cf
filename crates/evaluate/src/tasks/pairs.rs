use std::iter;

use pairmill_checkpoint::SimilarityFunction;
use pairmill_metrics::{PairRanking, PairScores};
use pairmill_report::{Distributions, Point};
use pairmill_tables::{ColumnNames, Table, TableError, TableReader, i32_column, string_column};

use super::figure::figure;
use crate::error::{EvaluateError, Result};
use crate::items::table::ItemTable;
use crate::items::write::{PER_ITEM, write_items};
use crate::models::options::Models;
use crate::paired::Paired;
use crate::report::Report;
use crate::results::evaluation::Evaluation;
use crate::results::names::data_name;
use crate::results::reporting::{curves as curves_of, of_models};
use crate::results::run_options::RunOptions;
use crate::statistics::sample::{Sample, counts};
use crate::tasks::sentence_pairs::{SentencePairs, columns, similarities};

const METHOD: &str = "\
    Pairs are accepted by a threshold on the cosine: `accuracy` and `f1` are the best that any \
    threshold reaches on these very pairs; precision, recall and `mcc` are those of the best F1; \
    `ap` is the average precision over all thresholds. `dot` is the same by the inner product, \
    `euclidean` and `manhattan` by these distances, of which the threshold is the longest that is \
    accepted; `max` is the highest of the four.";

/// Pairs of sentences of the same or another meaning.
#[derive(Debug, Clone)]
pub struct Pairs {
    /// The models.
    pub models: Models,
    /// A table of `sentence1`, `sentence2` and `label` (1 = same meaning, 0 = another). The
    /// labelled pairs of `pairmill-generate`, with 0 and 1 in a column `score`, serve as well.
    pub pairs: String,
    /// Column of which equal values make pairs one unit of the intervals and tests.
    pub cluster_column: Option<String>,
}

impl Pairs {
    pub(crate) fn run(&self, run_options: &RunOptions) -> Result<Evaluation> {
        run_options.run(
            "pairs",
            METHOD,
            &(self.models.options(), &self.cluster_column),
            |lineage| {
                self.models
                    .add_to(lineage.with_input("pairs", &self.pairs)?)
            },
            |results| {
                let (sentences, labels) = self.read(&TableReader::new(run_options.threads)?)?;
                let positives = labels.iter().filter(|&&label| label).count();
                if positives == 0 || positives == labels.len() {
                    return Err(EvaluateError::OneLabel {
                        path: self.pairs.clone(),
                        label: u8::from(positives > 0),
                    });
                }
                let encoders = self.models.load()?;
                let samples = encoders.try_map(|encoder| {
                    let similarities = sentences.similarities(encoder)?;
                    Ok(PairsSample::new(similarities, labels.clone()))
                })?;
                let counts = [("pairs", labels.len()), ("positive_pairs", positives)];
                let clustering = sentences.clustering(self.cluster_column.as_deref(), &labels);
                let clustering = clustering.as_ref();
                if let Some(results) = results {
                    let (target, names) = (results.folder.join(PER_ITEM), sentences.labels());
                    write_items(&target, &names, &samples, clustering, results.lineage)?;
                }
                let mut evaluation =
                    Evaluation::of("pairs", &samples, clustering, &run_options.settings, counts);
                evaluation.warn(encoders.warnings());
                evaluation.drawn = self.draw(&samples)?;
                Ok(evaluation)
            },
        )
    }

    /// The cosines of both kinds of pairs, and precision by recall over all thresholds.
    fn draw(&self, samples: &Paired<PairsSample>) -> Result<Report> {
        let mut drawn = of_models(&self.models, "pairs")?;
        drawn.data = data_name(&self.pairs);
        let cosines = samples.map(PairsSample::cosines);
        let baseline = drawn.baseline.as_deref().zip(cosines.baseline.as_ref());
        let models = baseline
            .into_iter()
            .chain([(drawn.model.as_str(), &cosines.model)]);
        let series: Vec<(&str, &str, &[f32])> = models
            .flat_map(|(name, [same, other])| {
                [
                    (name, "same meaning", same.as_slice()),
                    (name, "another meaning", other.as_slice()),
                ]
            })
            .collect();
        drawn.distributions = Distributions::of("cosine", &series);
        let curves =
            samples.map(|sample| precision_by_recall(&sample.similarities[0], &sample.labels));
        drawn.precision_recall = curves_of(&drawn, curves);
        drawn.precision_recall_note =
            "One point for each of some thresholds on the cosine.".to_owned();
        Ok(drawn)
    }

    fn read(&self, reader: &TableReader) -> Result<(SentencePairs, Vec<bool>)> {
        match self.read_labels(reader) {
            Err(EvaluateError::Table(TableError::MissingColumn { column, found, .. }))
                if column == "label" && found.split(", ").any(|name| name == "score") =>
            {
                let cluster = self.cluster_column.as_deref();
                SentencePairs::read_scored(reader, &self.pairs, cluster, |row, score| {
                    self.label("score", row, score)
                })
            }
            read => read,
        }
    }

    fn read_labels(&self, reader: &TableReader) -> Result<(SentencePairs, Vec<bool>)> {
        let mut pairs = Vec::new();
        let cluster = self.cluster_column.as_deref();
        let columns = ["sentence1", "sentence2", "label"];
        let columns: Vec<&str> = columns.into_iter().chain(cluster).collect();
        let names = ColumnNames::default();
        reader.for_each(
            &self.pairs,
            Table::BinaryPairs,
            &names,
            &columns,
            |batch| -> Result<()> {
                let first = string_column(batch, "sentence1");
                let second = string_column(batch, "sentence2");
                let found = i32_column(batch, "label");
                let clusters = cluster.map(|name| string_column(batch, name));
                for row in 0..batch.num_rows() {
                    let label = found.value(row) as f32;
                    let label = self.label("label", pairs.len() + 1, label)?;
                    let [first, second] = [first, second].map(|side| side.value(row).to_owned());
                    let cluster = clusters.map(|clusters| clusters.value(row).to_owned());
                    pairs.push((first, second, label, cluster));
                }
                Ok(())
            },
        )?;
        Ok(SentencePairs::sorted(pairs))
    }

    fn label(&self, column: &'static str, row: usize, found: f32) -> Result<bool> {
        match found {
            0.0 => Ok(false),
            1.0 => Ok(true),
            _ => Err(EvaluateError::WrongLabel {
                path: self.pairs.clone(),
                column,
                row,
                found,
            }),
        }
    }
}

/// The figures of one similarity function.
const METRICS: [&str; 8] = [
    "ap",
    "accuracy",
    "accuracy_threshold",
    "f1",
    "f1_threshold",
    "precision",
    "recall",
    "mcc",
];

fn is_threshold(metric: &str) -> bool {
    metric.ends_with("_threshold")
}

/// The figures that are the better the higher they are, chief one first.
pub(super) fn metrics() -> Vec<String> {
    let mut names = names();
    names.retain(|name| !is_threshold(name));
    names
}

fn names() -> Vec<String> {
    let of_functions = SimilarityFunction::ALL
        .iter()
        .flat_map(|function| METRICS.iter().map(|metric| figure(*function, metric)));
    let highest = METRICS.iter().filter(|metric| !is_threshold(metric));
    iter::chain(of_functions, highest.map(|metric| format!("max_{metric}"))).collect()
}

/// How alike the sentences of each pair are to a model, and whether they mean the same.
pub(crate) struct PairsSample {
    similarities: [Vec<f64>; 4],
    labels: Vec<bool>,
    rankings: [PairRanking; 4],
}

impl PairsSample {
    pub fn new(similarities: [Vec<f64>; 4], labels: Vec<bool>) -> Self {
        Self {
            rankings: similarities
                .each_ref()
                .map(|values| PairRanking::new(values, &labels)),
            similarities,
            labels,
        }
    }
}

impl PairsSample {
    /// The cosines of pairs of the same meaning and of the others.
    fn cosines(&self) -> [Vec<f32>; 2] {
        let of = |wanted: bool| {
            let pairs = self.similarities[0].iter().zip(&self.labels);
            let pairs = pairs.filter(|&(_, &label)| label == wanted);
            pairs.map(|(&cosine, _)| cosine as f32).collect()
        };
        [of(true), of(false)]
    }

    /// Takes some of the items that an evaluation has written.
    pub fn of_items(items: &ItemTable, rows: &[usize]) -> Result<Self> {
        let labels = items.column("label", rows)?;
        let labels = labels.into_iter().map(|label| label > 0.0).collect();
        Ok(Self::new(similarities(items, rows)?, labels))
    }
}

impl Sample for PairsSample {
    fn metrics(&self) -> Vec<String> {
        names()
    }

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn figures(&self, items: &[u32]) -> Vec<f64> {
        let counts = counts(items, self.len());
        let functions = SimilarityFunction::ALL.iter().zip(&self.rankings);
        let of_functions: Vec<[f64; 8]> = functions
            .map(|(function, ranking)| match ranking.figures(&counts) {
                Some(figures) => values_of(figures, function.is_distance()),
                None => [f64::NAN; 8],
            })
            .collect();
        let highest = (0..METRICS.len())
            .filter(|&metric| !is_threshold(METRICS[metric]))
            .map(|metric| {
                let figures = of_functions.iter().map(|figures| figures[metric]);
                figures.fold(f64::NAN, f64::max)
            });
        iter::chain(of_functions.iter().flatten().copied(), highest).collect()
    }

    fn values(&self, _: usize) -> Option<Vec<f64>> {
        None
    }

    fn columns(&self) -> Vec<(String, Vec<f64>)> {
        let mut columns = columns(&self.similarities);
        let labels = self.labels.iter().map(|&label| f64::from(u8::from(label)));
        columns.push(("label".to_owned(), labels.collect()));
        columns
    }
}

/// In the order of [`METRICS`]. A threshold on a negative distance is given as the distance.
fn values_of(figures: PairScores, is_distance: bool) -> [f64; 8] {
    let sign = if is_distance { -1.0 } else { 1.0 };
    [
        figures.ap,
        figures.accuracy,
        sign * figures.accuracy_threshold,
        figures.f1,
        sign * figures.f1_threshold,
        figures.precision,
        figures.recall,
        figures.mcc,
    ]
}

/// Precision at the recall that each threshold gives, thinned to some hundred points.
fn precision_by_recall(similarities: &[f64], labels: &[bool]) -> Vec<Point> {
    const POINTS: usize = 200;
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&a, &b| similarities[b].total_cmp(&similarities[a]));
    let positives = labels.iter().filter(|&&label| label).count() as f64;
    let step = labels.len().div_ceil(POINTS);
    let mut found = 0.0;
    let mut points = Vec::new();
    for (accepted, &pair) in (1..).zip(&order) {
        found += f64::from(u8::from(labels[pair]));
        // Pairs of equal similarity are accepted together.
        let tied = order
            .get(accepted)
            .is_some_and(|&next| similarities[next] == similarities[pair]);
        if !tied && (accepted % step == 0 || accepted == labels.len() || accepted < 10) {
            points.push(Point {
                x: found / positives,
                y: found / accepted as f64,
            });
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_has_its_figures_and_the_highest_stand_at_the_end() {
        let cosines = vec![0.9, 0.8, 0.7, 0.2];
        let distances = vec![-1.0, -3.0, -2.0, -4.0];
        let labels = vec![true, true, false, false];
        let similarities = [
            cosines.clone(),
            cosines.clone(),
            distances.clone(),
            distances,
        ];
        let sample = PairsSample::new(similarities, labels);
        let figures = sample.all();
        let figure = |name: &str| figures.get(name).expect(name);
        assert_eq!(figure("ap"), 1.0);
        assert_eq!(figure("accuracy_threshold"), 0.75);
        assert!((figure("euclidean_ap") - 5.0 / 6.0).abs() < 1e-12);
        assert_eq!(figure("euclidean_accuracy"), 0.75);
        assert_eq!(figure("euclidean_f1_threshold"), 3.5);
        assert_eq!(figure("max_ap"), 1.0);
        assert_eq!(figures.get("max_f1_threshold"), None);
        assert_eq!(sample.metrics().len(), 4 * 8 + 6);

        let one_label = sample.figures(&[0, 1, 1]);
        assert!(one_label.iter().all(|figure| figure.is_nan()));
    }
}
