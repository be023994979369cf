use std::iter;
use std::str::FromStr;

use pairmill_checkpoint::SimilarityFunction;
use pairmill_modeling::Side;
use pairmill_report::Distributions;
use pairmill_tables::{ColumnNames, Table, TableReader, string_column};
use serde::Serialize;

use super::figure::figure;
use crate::error::Result;
use crate::items::table::ItemTable;
use crate::items::write::{Label, PER_ITEM, write_items};
use crate::models::encoder::Encoder;
use crate::models::options::Models;
use crate::paired::Paired;
use crate::report::Report;
use crate::results::evaluation::Evaluation;
use crate::results::names::data_name;
use crate::results::reporting::of_models;
use crate::results::run_options::RunOptions;
use crate::statistics::clusters::Clustering;
use crate::statistics::sample::Sample;

const METHOD: &str = "`accuracy` is the share of triplets whose anchor has a higher cosine with \
the positive than with the negative, by more than the margin if one is set; `dot`, `euclidean` and \
`manhattan` are the same by inner product and by these distances, and `max` is the highest of the \
four. An anchor is embedded as a query, the others as documents.";

/// Triplets of an anchor, a text that belongs to it and one that does not.
#[derive(Debug, Clone)]
pub struct Triplets {
    /// The models.
    pub models: Models,
    /// The triplets table.
    pub triplets: String,
    /// By how much a positive has to be more alike to its anchor than the negative; of margins of
    /// one function the last counts.
    pub margins: Vec<Margin>,
    /// Column of which equal values make triplets one unit of the intervals and tests.
    pub cluster_column: Option<String>,
}

/// By how much a positive has to be more alike than a negative; `[FUNCTION:]BY` as text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margin {
    /// The similarity function; all of them if there is none.
    pub function: Option<SimilarityFunction>,
    /// The margin, in units of the function.
    pub by: f64,
}

impl FromStr for Margin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (function, by) = match text.split_once(':') {
            Some((function, by)) => (Some(function.parse()?), by),
            None => (None, text),
        };
        let by: f64 = by
            .parse()
            .ok()
            .filter(|by: &f64| by.is_finite())
            .ok_or_else(|| {
                format!(
                    "`{by}` is no finite number; expected BY or FUNCTION:BY, such \
                as 0.1 or manhattan:2"
                )
            })?;
        Ok(Self { function, by })
    }
}

impl Triplets {
    pub(crate) fn run(&self, run_options: &RunOptions) -> Result<Evaluation> {
        #[derive(Serialize)]
        struct Options<'a, T> {
            #[serde(flatten)]
            models: T,
            margins: [f64; 4],
            cluster_column: &'a Option<String>,
        }
        let options = Options {
            models: self.models.options(),
            margins: self.margins(),
            cluster_column: &self.cluster_column,
        };
        run_options.run(
            "triplets",
            METHOD,
            &options,
            |lineage| {
                self.models
                    .add_to(lineage.with_input("triplets", &self.triplets)?)
            },
            |results| {
                let (texts, clustering) = self.read(&TableReader::new(run_options.threads)?)?;
                let clustering = clustering.as_ref();
                let encoders = self.models.load()?;
                let samples = encoders
                    .try_map(|encoder| TripletsSample::embed(&texts, encoder, self.margins()))?;
                let counts = [("triplets", texts[0].len())];
                if let Some(results) = results {
                    let names = ["anchor", "positive", "negative"];
                    let labels = iter::zip(names, &texts).map(|(name, texts)| Label {
                        name,
                        values: texts.iter().map(String::as_str).collect(),
                    });
                    let labels: Vec<Label<'_>> = labels.collect();
                    let target = results.folder.join(PER_ITEM);
                    write_items(&target, &labels, &samples, clustering, results.lineage)?;
                }
                let mut evaluation = Evaluation::of(
                    "triplets",
                    &samples,
                    clustering,
                    &run_options.settings,
                    counts,
                );
                evaluation.warn(encoders.warnings());
                let mut drawn = of_models(&self.models, "triplets")?;
                drawn.data = data_name(&self.triplets);
                drawn.distributions = distributions(&drawn, &samples);
                evaluation.drawn = drawn;
                Ok(evaluation)
            },
        )
    }

    /// In the order of [`SimilarityFunction::ALL`].
    fn margins(&self) -> [f64; 4] {
        SimilarityFunction::ALL.map(|function| {
            let of_function = |margin: &&Margin| margin.function.is_none_or(|of| of == function);
            let last = self.margins.iter().rfind(of_function);
            last.map_or(0.0, |margin| margin.by)
        })
    }

    /// The anchors, the positives and the negatives, in ascending order of the triplets, so that
    /// nothing that is drawn from them depends on the order of the input; and which triplets are
    /// alike: those that have the same in the column asked for, else the same anchor or positive.
    fn read(&self, reader: &TableReader) -> Result<([Vec<String>; 3], Option<Clustering>)> {
        let mut triplets: Vec<([String; 3], Option<String>)> = Vec::new();
        let texts = ["anchor", "positive", "negative"];
        let cluster = self.cluster_column.as_deref();
        let columns: Vec<&str> = texts.into_iter().chain(cluster).collect();
        let names = ["anchor_id", "positive_id", "negative_id"]
            .into_iter()
            .fold(ColumnNames::default(), ColumnNames::with_optional);
        reader.for_each(
            &self.triplets,
            Table::Triplets,
            &names,
            &columns,
            |batch| -> Result<()> {
                let columns = texts.map(|name| string_column(batch, name));
                let clusters = cluster.map(|name| string_column(batch, name));
                let rows = 0..batch.num_rows();
                triplets.extend(rows.map(|row| {
                    let cluster = clusters.map(|clusters| clusters.value(row).to_owned());
                    (columns.map(|column| column.value(row).to_owned()), cluster)
                }));
                Ok(())
            },
        )?;
        triplets.sort_unstable();
        let clustering = match cluster {
            Some(column) => {
                let values: Vec<_> = triplets.iter().map(|(_, cluster)| cluster).collect();
                Clustering::of_values(&values, format!("have the same `{column}`"))
            }
            None => {
                let keys = triplets.iter().map(|([anchor, positive, _], _)| {
                    [(0, anchor.as_str()), (1, positive.as_str())]
                });
                Clustering::of_shared(keys, "share an anchor or a positive")
            }
        };
        let mut texts = [const { Vec::new() }; 3];
        for (triplet, _) in triplets {
            for (texts, text) in texts.iter_mut().zip(triplet) {
                texts.push(text);
            }
        }
        Ok((texts, clustering))
    }
}

/// The figures, chief one first.
pub(super) fn metrics() -> Vec<String> {
    let names = SimilarityFunction::ALL.map(|function| figure(function, "accuracy"));
    iter::chain(names, ["max_accuracy".to_owned()]).collect()
}

/// How alike each anchor is to its positive and to its negative, by each function.
pub(crate) struct TripletsSample {
    positives: [Vec<f64>; 4],
    negatives: [Vec<f64>; 4],
    /// 1 where the positive is more alike by more than the margin, else 0.
    right: [Vec<f64>; 4],
}

impl TripletsSample {
    fn new(positives: [Vec<f64>; 4], negatives: [Vec<f64>; 4], margins: [f64; 4]) -> Self {
        let right = |function: usize| {
            let sides = iter::zip(&positives[function], &negatives[function]);
            let is_right = |(positive, negative): (&f64, &f64)| {
                f64::from(u8::from(*positive > negative + margins[function]))
            };
            sides.map(is_right).collect()
        };
        Self {
            right: [0, 1, 2, 3].map(right),
            positives,
            negatives,
        }
    }

    /// Takes some of the items that an evaluation has written.
    pub fn of_items(items: &ItemTable, rows: &[usize]) -> Result<Self> {
        let columns = |name: &dyn Fn(SimilarityFunction) -> String| -> Result<[Vec<f64>; 4]> {
            let mut columns = [const { Vec::new() }; 4];
            for (values, function) in columns.iter_mut().zip(SimilarityFunction::ALL) {
                *values = items.column(&name(function), rows)?;
            }
            Ok(columns)
        };
        Ok(Self {
            positives: columns(&|function| format!("positive_{function}"))?,
            negatives: columns(&|function| format!("negative_{function}"))?,
            right: columns(&|function| figure(function, "accuracy"))?,
        })
    }

    fn embed(texts: &[Vec<String>; 3], encoder: &Encoder, margins: [f64; 4]) -> Result<Self> {
        let [anchors, positives, negatives] = texts;
        let queries: Vec<&str> = anchors.iter().map(String::as_str).collect();
        let documents = positives.iter().chain(negatives);
        let documents: Vec<&str> = documents.map(String::as_str).collect();
        let queries = encoder.embed_raw(&queries, Side::Query, &encoder.progress(&queries))?;
        let documents =
            encoder.embed_raw(&documents, Side::Document, &encoder.progress(&documents))?;
        let triplets = anchors.len();
        let alike = |first: usize| {
            SimilarityFunction::ALL.map(|function| {
                let of = |row| function.exact(queries.row(row), documents.row(first + row));
                (0..triplets).map(of).collect()
            })
        };
        Ok(Self::new(alike(0), alike(triplets), margins))
    }
}

impl Sample for TripletsSample {
    fn metrics(&self) -> Vec<String> {
        metrics()
    }

    fn len(&self) -> usize {
        self.positives[0].len()
    }

    fn figures(&self, items: &[u32]) -> Vec<f64> {
        let accuracy = |right: &Vec<f64>| {
            let right = items.iter().map(|&item| right[item as usize]);
            right.sum::<f64>() / items.len() as f64
        };
        let mut figures: Vec<f64> = self.right.iter().map(accuracy).collect();
        figures.push(figures.iter().copied().fold(f64::NAN, f64::max));
        figures
    }

    fn values(&self, metric: usize) -> Option<Vec<f64>> {
        self.right.get(metric).cloned()
    }

    fn columns(&self) -> Vec<(String, Vec<f64>)> {
        let sides = [("positive", &self.positives), ("negative", &self.negatives)];
        let columns = sides.into_iter().flat_map(|(side, similarities)| {
            let functions = SimilarityFunction::ALL.iter().zip(similarities);
            functions.map(move |(function, values)| (format!("{side}_{function}"), values.clone()))
        });
        let right = metrics().into_iter().enumerate();
        let right = right.filter_map(|(i, name)| Some((name, self.values(i)?)));
        columns.chain(right).collect()
    }
}

/// The cosines of anchors with their positives and with their negatives.
fn distributions(report: &Report, samples: &Paired<TripletsSample>) -> Option<Distributions> {
    let cosines = samples.map(|sample| {
        [&sample.positives[0], &sample.negatives[0]].map(|values| {
            values
                .iter()
                .map(|&value| value as f32)
                .collect::<Vec<f32>>()
        })
    });
    let baseline = report.baseline.as_deref().zip(cosines.baseline.as_ref());
    let models = baseline
        .into_iter()
        .chain([(report.model.as_str(), &cosines.model)]);
    let series: Vec<(&str, &str, &[f32])> = models
        .flat_map(|(name, [positives, negatives])| {
            [
                (name, "positives", positives.as_slice()),
                (name, "negatives", negatives.as_slice()),
            ]
        })
        .collect();
    Distributions::of("cosine with the anchor", &series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_for_all_functions_or_one() {
        assert_eq!(
            "0.1".parse(),
            Ok(Margin {
                function: None,
                by: 0.1
            })
        );
        let function = Some(SimilarityFunction::Manhattan);
        assert_eq!("manhattan:2".parse(), Ok(Margin { function, by: 2.0 }));
        for wrong in ["", "x", "dot:", "l2:1", "inf", "dot:NaN"] {
            assert!(wrong.parse::<Margin>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_positive_has_to_be_more_alike_by_more_than_the_margin() {
        let positives = [[0.75, 0.5], [3.0, 1.0], [-1.0, -2.0], [-1.0, -1.0]];
        let negatives = [[0.5, 0.5], [1.0, 0.0], [-2.0, -1.0], [-9.0, -9.0]];
        let [positives, negatives] = [positives, negatives].map(|all| all.map(Vec::from));
        let sample = TripletsSample::new(positives, negatives, [0.25, 0.5, 0.0, 0.0]);
        assert_eq!(sample.figures(&[0, 1]), [0.0, 1.0, 0.5, 1.0, 1.0]);
        assert_eq!(sample.figures(&[0, 0, 0, 1])[2], 0.75);
        assert_eq!(sample.values(2), Some(vec![1.0, 0.0]));
        assert_eq!(sample.values(4), None);
    }
}
