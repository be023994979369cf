use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pairmill_tables::Lineage;
use serde::{Deserialize, Serialize};

use super::pairs::PairsSample;
use super::similarity::SimilaritySample;
use crate::compared::Compared;
use crate::evaluation::aligned;
use crate::item_table::ItemTable;
use crate::reader::Reader;
use crate::report::{Report, comparison_html, comparison_markdown};
use crate::reporting::{complete, scatter, short};
use crate::sample::{Means, Sample};
use crate::stage::{Frame, MARKDOWN, PAGE, kept, stored, write};
use crate::{EvaluateError, Evaluation, Result};

/// Result folders held against the first of them, item by item.
#[derive(Debug, Clone)]
pub struct Compare {
    /// Folders that an evaluation has written; the first is what the others are compared with.
    pub folders: Vec<PathBuf>,
    /// How to run.
    pub frame: Frame,
}

const METHOD: &str = "Both are taken over the items that both have. Differences have a bootstrap \
interval, drawing the items again, and where the metric is a mean of items a paired randomisation test; \
p is corrected by Holm's method over the metrics of a comparison.";

/// What [`Compare`] gives.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    /// The folder the others are compared with.
    pub reference: PathBuf,
    /// One for each other folder, with the reference as its baseline.
    pub comparisons: Vec<Contender>,
    /// Whether the figures are those of an earlier run.
    #[serde(skip)]
    pub up_to_date: bool,
}

/// A folder beside the reference.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Contender {
    /// The folder.
    pub folder: PathBuf,
    /// The figures over the items that both have.
    #[serde(flatten)]
    pub evaluation: Evaluation,
}

impl Compare {
    /// Compares, unless the output folder already holds the result.
    ///
    /// # Errors
    /// If a folder holds no result with a table of items, if the folders are of different tasks,
    /// or have no item or no metric in common, or if the output cannot be written.
    pub fn run(&self) -> Result<Comparison> {
        let Some(target) = &self.frame.output else {
            return self.compare();
        };
        let settings = self.frame.settings;
        let mut lineage = Lineage::new(
            "evaluate compare",
            &(&self.folders, settings),
            settings.seed,
        );
        for (number, folder) in self.folders.iter().enumerate() {
            lineage =
                lineage.with_input(&format!("results {number}"), &folder.display().to_string())?;
        }
        let (comparison, up_to_date) = kept(target, &lineage, self.frame.force, |results| {
            let comparison = self.compare()?;
            let reports = comparison.comparisons.iter();
            let reports: Vec<Report> = reports
                .map(|one| complete(one.evaluation.drawn.clone(), &one.evaluation, METHOD))
                .collect();
            write(results.folder, MARKDOWN, &comparison_markdown(&reports))?;
            write(results.folder, PAGE, &comparison_html(&reports))?;
            Ok(comparison)
        })?;
        Ok(Comparison {
            up_to_date,
            ..comparison
        })
    }

    fn compare(&self) -> Result<Comparison> {
        let reader = Reader::new(self.frame.threads)?;
        let (reference, others) =
            self.folders
                .split_first()
                .ok_or_else(|| EvaluateError::NoResult {
                    folder: PathBuf::new(),
                })?;
        let first = result(reference)?;
        if first.task == "paraphrases" {
            return Err(EvaluateError::NotPaired {
                folder: reference.clone(),
                task: first.task,
            });
        }
        let items = ItemTable::read(&reader, reference)?;
        let mut comparisons = Vec::new();
        for folder in others {
            let other = result(folder)?;
            if other.task != first.task {
                return Err(EvaluateError::OtherTask {
                    first: reference.clone(),
                    first_task: first.task.clone(),
                    second: folder.clone(),
                    second_task: other.task,
                });
            }
            warn_of_other_judgements(reference, folder);
            if other.conventions != first.conventions {
                tracing::warn!(
                    "{} and {} rest on other conventions ({:?} and {:?}); their figures may not be comparable",
                    reference.display(),
                    folder.display(),
                    first.conventions,
                    other.conventions
                );
            }
            let mut evaluation = self.pair(&first, &items, &ItemTable::read(&reader, folder)?)?;
            let (model, baseline) = names(folder, reference);
            let drawn = &mut evaluation.drawn;
            drawn.title = format!("{model} against {baseline}");
            (drawn.model, drawn.baseline) = (model, Some(baseline));
            comparisons.push(Contender {
                folder: folder.clone(),
                evaluation,
            });
        }
        Ok(Comparison {
            reference: reference.clone(),
            comparisons,
            up_to_date: false,
        })
    }

    fn pair(
        &self,
        reference: &Evaluation,
        first: &ItemTable,
        second: &ItemTable,
    ) -> Result<Evaluation> {
        let rows = first.common(second)?;
        let (rows_of_first, rows_of_second): (Vec<usize>, Vec<usize>) =
            rows.iter().copied().unzip();
        let metrics: Vec<String> = reference
            .model
            .iter()
            .filter(|(name, _)| first.has(name) && second.has(name))
            .map(|(name, _)| name.to_owned())
            .collect();
        let sample = |table: &ItemTable, rows: &[usize]| -> Result<Box<dyn Sample>> {
            Ok(match reference.task.as_str() {
                "similarity" => Box::new(SimilaritySample::of_items(table, rows)?),
                "pairs" => Box::new(PairsSample::of_items(table, rows)?),
                _ if metrics.is_empty() => {
                    return Err(EvaluateError::NoCommonMetric {
                        first: first.path().to_owned(),
                        second: second.path().to_owned(),
                    });
                }
                _ => Box::new(means(table, rows, &metrics)?),
            })
        };
        let samples = Compared {
            model: sample(second, &rows_of_second)?,
            baseline: Some(sample(first, &rows_of_first)?),
        };
        let (only_first, only_second) = (first.len() - rows.len(), second.len() - rows.len());
        if only_first + only_second > 0 {
            tracing::warn!(
                "{only_first} items are in the reference alone and {only_second} in the other alone; {} are compared",
                rows.len()
            );
        }
        let counts = [
            ("items", rows.len()),
            ("items_of_the_reference_alone", only_first),
            ("items_of_the_other_alone", only_second),
        ];
        let mut evaluation =
            Evaluation::of(&reference.task, &samples, &self.frame.settings, counts);
        evaluation.drawn = Report {
            items: first.items().to_owned(),
            scatter: scatter(&samples, rows_of_first.iter().map(|&row| first.label(row))),
            ..Report::default()
        };
        Ok(evaluation)
    }
}

/// What the page calls a folder and the reference: no more of their paths than tells them apart.
fn names(folder: &Path, reference: &Path) -> (String, String) {
    let [folder, reference] = [folder, reference].map(|path| path.display().to_string());
    match short(&folder) == short(&reference) {
        true => (folder, reference),
        false => (short(&folder), short(&reference)),
    }
}

/// Metrics that are means over items.
fn means(table: &ItemTable, rows: &[usize], metrics: &[String]) -> Result<Means> {
    let columns = metrics.iter().map(|metric| table.column(metric, rows));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let row = |row: usize| columns.iter().map(|values| values[row]).collect();
    Ok(Means {
        metrics: metrics.to_vec(),
        rows: (0..rows.len()).map(row).collect(),
    })
}

/// The figures of a folder.
fn result(folder: &Path) -> Result<Evaluation> {
    stored(folder).ok_or_else(|| EvaluateError::NoResult {
        folder: folder.to_owned(),
    })
}

fn warn_of_other_judgements(first: &Path, second: &Path) {
    let [a, b] = [first, second].map(Lineage::of_folder);
    let (Some(a), Some(b)) = (a, b) else { return };
    for role in ["qrels", "corpus", "queries", "pairs", "triplets", "test"] {
        if let (Some(one), Some(other)) = (a.inputs.get(role), b.inputs.get(role))
            && one != other
        {
            tracing::warn!(
                "{} and {} rest on different content of `{role}`; their figures may not be comparable",
                first.display(),
                second.display()
            );
        }
    }
}

impl Comparison {
    /// Prints a table for each folder beside the reference, or one JSON object.
    ///
    /// # Errors
    /// If writing fails.
    pub fn print(&self, out: &mut impl Write, json: bool) -> io::Result<()> {
        if json {
            #[derive(Serialize)]
            struct Line<'a> {
                up_to_date: bool,
                #[serde(flatten)]
                comparison: &'a Comparison,
            }
            let line = Line {
                up_to_date: self.up_to_date,
                comparison: self,
            };
            serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
            return writeln!(out);
        }
        let mut text = String::new();
        for (i, contender) in self.comparisons.iter().enumerate() {
            let _ = writeln!(
                text,
                "{}{} (model) against {} (baseline), {} items",
                if i > 0 { "\n" } else { "" },
                contender.folder.display(),
                self.reference.display(),
                contender.evaluation.counts["items"]
            );
            let header = std::iter::once(contender.evaluation.header());
            let rows: Vec<Vec<String>> = header.chain(contender.evaluation.cells()).collect();
            text.push_str(&aligned(&rows));
        }
        out.write_all(text.as_bytes())
    }
}
