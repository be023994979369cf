use std::iter;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use pairmill_classification::{LogisticRegression, nearest_centroid, nearest_neighbours};
use pairmill_metrics::{Confusion, accuracy, macro_f1};
use pairmill_report::ConfusionTable;
use pairmill_tables::{Lineage, ParquetOutput};

use crate::error::Result;
use crate::items::table::ItemTable;
use crate::items::write::batch;
use crate::paired::Paired;
use crate::statistics::sample::Sample;
use pairmill_retrieval::Embeddings;

/// The default of scikit-learn, so that figures are those of MTEB.
const C: f64 = 1.0;

/// How classes are told from embeddings.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Method {
    Knn,
    Centroid,
    Logistic,
}

impl Method {
    pub const ALL: [Self; 3] = [Self::Knn, Self::Centroid, Self::Logistic];

    fn name(self) -> &'static str {
        match self {
            Self::Knn => "knn",
            Self::Centroid => "centroid",
            Self::Logistic => "logistic",
        }
    }

    /// Returns the class of each test row. Embeddings are as the model gives them.
    pub fn predict(
        self,
        train: &Embeddings,
        classes: &[usize],
        test: &Embeddings,
        neighbours: usize,
    ) -> Vec<usize> {
        match self {
            Self::Knn => {
                let (train, test) = (train.clone().scaled(), test.clone().scaled());
                nearest_neighbours(&train, classes, &test, neighbours)
            }
            Self::Centroid => {
                let (train, test) = (train.clone().scaled(), test.clone().scaled());
                nearest_centroid(&train, classes, &test)
            }
            Self::Logistic => LogisticRegression::fit(train, classes, C).predict(test),
        }
    }
}

/// The figures, chief one first.
pub(crate) fn metrics() -> Vec<String> {
    Method::ALL
        .iter()
        .flat_map(|method| ["accuracy", "macro_f1"].map(|name| format!("{}_{name}", method.name())))
        .collect()
}

/// The true class of each ticket, and what each method has taken it for.
pub(crate) struct Predictions {
    truth: Vec<usize>,
    classes: usize,
    /// By method and experiment.
    predicted: [Vec<Vec<usize>>; 3],
}

impl Predictions {
    /// Takes tickets whose classes are numbers below `classes`.
    pub fn new(truth: Vec<usize>, classes: usize) -> Self {
        Self {
            truth,
            classes,
            predicted: Default::default(),
        }
    }

    /// Takes some of the items that an evaluation has written. Classes have the numbers that they
    /// have there.
    pub fn of_items(items: &ItemTable, rows: &[usize]) -> Result<Self> {
        let column = |name: &str| -> Result<Vec<usize>> {
            let numbers = items.column(name, rows)?;
            Ok(numbers.into_iter().map(|class| class as usize).collect())
        };
        let mut predictions = Self::new(column("category")?, 0);
        for method in Method::ALL {
            let numbered = (1..).map(|number| experiment(method, number));
            let mut names: Vec<String> = numbered.take_while(|name| items.has(name)).collect();
            if names.is_empty() {
                names.push(method.name().to_owned());
            }
            for name in names {
                predictions.add(method, column(&name)?);
            }
        }
        let predicted = predictions.predicted.iter().flatten().flatten();
        let last = predictions.truth.iter().chain(predicted).max();
        predictions.classes = last.map_or(0, |last| last + 1);
        Ok(predictions)
    }

    /// Adds an experiment.
    pub fn add(&mut self, method: Method, predicted: Vec<usize>) {
        self.predicted[method as usize].push(predicted);
    }

    /// Returns what the report shows of [`Method::Logistic`]'s confusions.
    pub fn table(&self, categories: &[&str]) -> ConfusionTable {
        let rows = self.confusion(Method::Logistic).rows();
        let cell = |(truth, predicted, count): (usize, usize, usize)| {
            (truth as u32, predicted as u32, count as u64)
        };
        ConfusionTable {
            classifier: "logistic regression".to_owned(),
            classes: categories.iter().map(|&name| name.to_owned()).collect(),
            cells: rows.into_iter().map(cell).collect(),
        }
    }

    /// How often each class was taken for each other one, over all experiments.
    fn confusion(&self, method: Method) -> Confusion {
        let experiments = self.predicted[method as usize].iter();
        let rows = experiments.flat_map(|predicted| iter::zip(&self.truth, predicted));
        rows.map(|(&truth, &predicted)| (truth, predicted))
            .collect()
    }
}

impl Sample for Predictions {
    fn metrics(&self) -> Vec<String> {
        metrics()
    }

    fn len(&self) -> usize {
        self.truth.len()
    }

    fn figures(&self, items: &[u32]) -> Vec<f64> {
        let mean_over = |experiments: &[Vec<usize>], figure: &dyn Fn(&[usize]) -> f64| {
            let figures = experiments.iter().map(|predicted| figure(predicted));
            figures.sum::<f64>() / experiments.len() as f64
        };
        let of_method = |experiments: &Vec<Vec<usize>>| {
            let rows = |predicted: &[usize]| -> Vec<(usize, usize)> {
                let items = items.iter().map(|&item| item as usize);
                items
                    .map(|item| (self.truth[item], predicted[item]))
                    .collect()
            };
            [
                mean_over(experiments, &|predicted| accuracy(rows(predicted))),
                mean_over(experiments, &|predicted| {
                    macro_f1(rows(predicted), self.classes)
                }),
            ]
        };
        self.predicted.iter().flat_map(of_method).collect()
    }

    fn values(&self, metric: usize) -> Option<Vec<f64>> {
        if metric % 2 == 1 {
            return None;
        }
        let experiments = self.predicted.get(metric / 2)?;
        let share = |ticket: usize| {
            let right = experiments
                .iter()
                .filter(|predicted| predicted[ticket] == self.truth[ticket]);
            right.count() as f64 / experiments.len() as f64
        };
        Some((0..self.len()).map(share).collect())
    }

    fn columns(&self) -> Vec<(String, Vec<f64>)> {
        let numbers = |classes: &[usize]| classes.iter().map(|&class| class as f64).collect();
        let mut columns = vec![("category".to_owned(), numbers(&self.truth))];
        for method in Method::ALL {
            let experiments = &self.predicted[method as usize];
            for (number, predicted) in (1..).zip(experiments) {
                let name = match experiments.len() {
                    1 => method.name().to_owned(),
                    _ => experiment(method, number),
                };
                columns.push((name, numbers(predicted)));
            }
        }
        let right = metrics().into_iter().enumerate();
        columns.extend(right.filter_map(|(i, name)| Some((name, self.values(i)?))));
        columns
    }
}

/// The column of one of several experiments, counted from 1.
fn experiment(method: Method, number: usize) -> String {
    format!("{}_{number}", method.name())
}

/// Writes how often each category was taken for each other one, over all experiments: `model`
/// (`model` or `baseline`), `method`, `truth`, `predicted`, `count`. Of each model and method the
/// categories that were confused most often come first, what is right at the end.
pub(crate) fn write_confusions(
    target: &Path,
    predictions: &Paired<Predictions>,
    categories: &[&str],
    lineage: &Lineage,
) -> Result<()> {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let schema = Arc::new(Schema::new(vec![
        text("model"),
        text("method"),
        text("truth"),
        text("predicted"),
        Field::new("count", DataType::Int32, false),
    ]));
    let mut output = ParquetOutput::create(target, schema.clone(), lineage)?;
    let models = iter::once(("model", &predictions.model));
    let baseline = predictions.baseline.as_ref();
    for (model, predictions) in models.chain(baseline.map(|of| ("baseline", of))) {
        for method in Method::ALL {
            let rows = predictions.confusion(method).rows();
            let constant =
                |value: &str| StringArray::from_iter_values(rows.iter().map(|_| value.to_owned()));
            let names = |of: &dyn Fn(&(usize, usize, usize)) -> usize| {
                StringArray::from_iter_values(rows.iter().map(|row| categories[of(row)]))
            };
            output.write(&batch(
                &schema,
                vec![
                    Arc::new(constant(model)),
                    Arc::new(constant(method.name())),
                    Arc::new(names(&|row| row.0)),
                    Arc::new(names(&|row| row.1)),
                    Arc::new(Int32Array::from_iter_values(
                        rows.iter().map(|row| row.2 as i32),
                    )),
                ],
            )?)?;
        }
    }
    output.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_means_over_the_experiments() {
        let mut predictions = Predictions::new(vec![0, 0, 1, 2], 3);
        for method in Method::ALL {
            predictions.add(method, vec![0, 1, 1, 2]);
            predictions.add(method, vec![0, 0, 1, 2]);
        }
        let figures = predictions.figures(&[0, 1, 2, 3]);
        assert_eq!(figures.len(), predictions.metrics().len());
        let first_f1 = (2.0 / 3.0 + 2.0 / 3.0 + 1.0) / 3.0;
        assert_eq!(figures[0], (0.75 + 1.0) / 2.0);
        assert!((figures[1] - (first_f1 + 1.0) / 2.0).abs() < 1e-12);
        assert_eq!(predictions.figures(&[1, 1])[0], 0.5);
        assert_eq!(predictions.values(0), Some(vec![1.0, 0.5, 1.0, 1.0]));
        assert_eq!(predictions.values(1), None);
        assert_eq!(predictions.columns().len(), 1 + 3 * 2 + 3);
        assert_eq!(predictions.confusion(Method::Knn).rows()[0], (0, 1, 1));
    }

    #[test]
    fn every_method_tells_clear_classes_apart() {
        let rows = |angles: &[f32]| {
            let values = angles.iter().flat_map(|x| [3.0 * x.cos(), 3.0 * x.sin()]);
            Embeddings::new(values.collect(), 2).unwrap()
        };
        let train = rows(&[0.0, 0.1, 0.2, 1.4, 1.5, 1.6]);
        for method in Method::ALL {
            let found = method.predict(&train, &[1, 1, 1, 4, 4, 4], &rows(&[0.15, 1.45]), 3);
            assert_eq!(found, [1, 4], "{method:?}");
        }
    }
}
