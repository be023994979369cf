use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pairmill_report::format::aligned;
use pairmill_report::{MARKDOWN_FILE, PAGE_FILE, today};
use pairmill_schema::counted;
use pairmill_tables::{Lineage, TableReader, kept_results, stored_figures};
use serde::{Deserialize, Serialize};

use super::pairs::PairsSample;
use super::similarity::SimilaritySample;
use super::triplets::TripletsSample;
use crate::error::{EvaluateError, Result};
use crate::items::table::ItemTable;
use crate::paired::Paired;
use crate::ranked::examples::most_changed;
use crate::report::{Example, Examples, Report, comparison_html, comparison_markdown};
use crate::results::evaluation::Evaluation;
use crate::results::names::names;
use crate::results::reporting::{complete, scatter};
use crate::results::run_options::RunOptions;
use crate::statistics::groups::Grouping;
use crate::statistics::sample::{Means, Sample};
use crate::tasks::classification::predictions::Predictions;
use crate::tasks::paraphrases::sample::{ParaphrasesSample, mined_clustering};

/// Result folders held against the first of them, item by item.
#[derive(Debug, Clone)]
pub struct Compare {
    /// Folders that an evaluation has written; the first is what the others are compared with.
    pub folders: Vec<PathBuf>,
    /// Columns of text in the tables of items that group them.
    pub group_by: Vec<String>,
    /// Items shown of each kind: gained and lost most.
    pub examples: usize,
    /// How to run.
    pub run_options: RunOptions,
}

const METHOD: &str = "\
    Differences have a bootstrap interval, drawing the items again, and where the metric is a mean \
    of items a paired randomisation test; p is corrected by Holm's method over the metrics of a \
    comparison.";

/// The task whose items are what each model has mined.
const PARAPHRASES: &str = "paraphrases";

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
    /// What the chief metric says of it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
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
        let Some(target) = &self.run_options.output else {
            return self.compare();
        };
        let settings = self.run_options.settings;
        let mut lineage = Lineage::new(
            "evaluate compare",
            &(&self.folders, &self.group_by, self.examples, settings),
            settings.seed,
        );
        for (number, folder) in self.folders.iter().enumerate() {
            lineage =
                lineage.with_input(&format!("results {number}"), &folder.display().to_string())?;
        }
        let (comparison, up_to_date) =
            kept_results(target, &lineage, self.run_options.force, |results| {
                let comparison = self.compare()?;
                let reports = comparison.comparisons.iter();
                let reports: Vec<Report> = reports
                    .map(|one| Report {
                        date: today(),
                        ..complete(one.evaluation.drawn.clone(), &one.evaluation, &method(one))
                    })
                    .collect();
                results.write(MARKDOWN_FILE, &comparison_markdown(&reports))?;
                results.write(PAGE_FILE, &comparison_html(&reports))?;
                Ok::<_, EvaluateError>(comparison)
            })?;
        Ok(Comparison {
            up_to_date,
            ..comparison
        })
    }

    fn compare(&self) -> Result<Comparison> {
        let reader = TableReader::new(self.run_options.threads)?;
        let (reference, others) =
            self.folders
                .split_first()
                .ok_or_else(|| EvaluateError::NoResult {
                    folder: PathBuf::new(),
                })?;
        let first = result(reference)?;
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
                    "{} and {} rest on other conventions ({:?} and {:?}); their figures may not be \
                     comparable",
                    reference.display(),
                    folder.display(),
                    first.conventions,
                    other.conventions
                );
            }
            let mut evaluation = self.pair(&first, &items, &ItemTable::read(&reader, folder)?)?;
            let [folder_name, reference_name] =
                [folder, reference].map(|path| path.display().to_string());
            let drawn = &mut evaluation.drawn;
            (drawn.model, drawn.baseline) = names(&folder_name, Some(&reference_name));
            comparisons.push(Contender {
                folder: folder.clone(),
                answer: evaluation.answer().map(|answer| answer.answer),
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
        let task = reference.task.as_str();
        let common = first.common(second)?;
        let (of_first, of_second): (Vec<usize>, Vec<usize>) = common.iter().copied().unzip();
        let only_first = first.len() - common.len();
        let only_second = second.len() - common.len();
        let samples = if task == PARAPHRASES {
            if !self.group_by.is_empty() {
                return Err(EvaluateError::NoGroups {
                    path: first.path().to_owned(),
                });
            }
            let rows = first.either(second);
            let [baseline, model] = ParaphrasesSample::of_items([first, second], &rows)?;
            Paired {
                model: Box::new(model) as Box<dyn Sample>,
                baseline: Some(Box::new(baseline) as Box<dyn Sample>),
            }
        } else {
            if only_first + only_second > 0 {
                tracing::warn!(
                    "{} in the reference alone and {only_second} in the other alone; {} compared",
                    counted(only_first, "item is", "items are"),
                    counted(common.len(), "is", "are")
                );
            }
            let metrics = common_metrics(reference, first, second);
            Paired {
                model: sample(task, second, &of_second, metrics.clone())?,
                baseline: Some(sample(task, first, &of_first, metrics)?),
            }
        };
        if samples.model.metrics().is_empty() {
            return Err(EvaluateError::NoCommonMetric {
                first: first.path().to_owned(),
                second: second.path().to_owned(),
            });
        }
        let why = reference.evidence.as_ref();
        let why = why.and_then(|evidence| evidence.clustered_by.as_deref());
        let clustering = match task {
            PARAPHRASES => mined_clustering([first, second], &first.either(second))?,
            _ => first.clustering(&of_first, why.unwrap_or("are alike")),
        };
        let counts = [
            ("items", samples.model.len()),
            ("items_of_the_reference_alone", only_first),
            ("items_of_the_other_alone", only_second),
        ];
        let settings = &self.run_options.settings;
        let clustering = clustering.as_ref();
        let mut evaluation = Evaluation::of(task, &samples, clustering, settings, counts);
        for column in &self.group_by {
            let grouping = Grouping {
                column: column.clone(),
                values: first.texts(column, &of_first)?,
            };
            let groups = grouping.figures(&samples, clustering, settings);
            evaluation.groups.extend(groups);
        }
        evaluation.drawn = Report {
            items: first.items().to_owned(),
            scatter: scatter(&samples, of_first.iter().map(|&row| first.label(row))),
            examples: self.changed(&samples, first, &of_first),
            ..Report::default()
        };
        Ok(evaluation)
    }

    /// The items whose chief figure changed most, where it is a mean of items.
    fn changed(
        &self,
        samples: &Paired<Box<dyn Sample>>,
        items: &ItemTable,
        rows: &[usize],
    ) -> Option<Examples> {
        let after = samples.model.values(0)?;
        let before = samples.baseline.as_ref()?.values(0)?;
        let example = |place: usize| Example {
            id: items.name(rows[place]),
            text: items.text(rows[place]),
            before: before[place],
            after: after[place],
            results_before: Vec::new(),
            results_after: Vec::new(),
        };
        let changed = most_changed(&after, &before, self.examples);
        let [gained, lost]: [Vec<Example>; 2] =
            changed.map(|places| places.into_iter().map(example).collect());
        let any = !(gained.is_empty() && lost.is_empty());
        any.then(|| Examples {
            metric: samples.model.metrics().swap_remove(0),
            gained,
            lost,
        })
    }
}

/// The metrics of the reference that both tables have a column of.
fn common_metrics(reference: &Evaluation, first: &ItemTable, second: &ItemTable) -> Vec<String> {
    let metrics = reference.model.iter().map(|(name, _)| name);
    let common = metrics.filter(|name| first.has(name) && second.has(name));
    common.map(str::to_owned).collect()
}

/// Some rows of a table of items, as the task has seen them.
fn sample(
    task: &str,
    table: &ItemTable,
    rows: &[usize],
    metrics: Vec<String>,
) -> Result<Box<dyn Sample>> {
    Ok(match task {
        "similarity" => Box::new(SimilaritySample::of_items(table, rows)?),
        "pairs" => Box::new(PairsSample::of_items(table, rows)?),
        "triplets" => Box::new(TripletsSample::of_items(table, rows)?),
        "classification" => Box::new(Predictions::of_items(table, rows)?),
        _ => Box::new(means(table, rows, metrics)?),
    })
}

/// How the figures are made.
fn method(contender: &Contender) -> String {
    let over = match contender.evaluation.task.as_str() {
        PARAPHRASES => {
            "Both are taken over the duplicates and the pairs that either has mined; a duplicate \
             that \
             one has not mined is missed by it."
        }
        _ => "Both are taken over the items that both have.",
    };
    format!("{over} {METHOD}")
}

/// Metrics that are means over items.
fn means(table: &ItemTable, rows: &[usize], metrics: Vec<String>) -> Result<Means> {
    let columns = metrics.iter().map(|metric| table.column(metric, rows));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let row = |row: usize| columns.iter().map(|values| values[row]).collect();
    Ok(Means {
        rows: (0..rows.len()).map(row).collect(),
        metrics,
    })
}

/// The figures of a folder.
fn result(folder: &Path) -> Result<Evaluation> {
    stored_figures(folder).ok_or_else(|| EvaluateError::NoResult {
        folder: folder.to_owned(),
    })
}

fn warn_of_other_judgements(first: &Path, second: &Path) {
    let [a, b] = [first, second].map(Lineage::of_folder);
    let (Some(a), Some(b)) = (a, b) else { return };
    for role in [
        "qrels",
        "corpus",
        "queries",
        "pairs",
        "triplets",
        "test",
        "sentences",
        "duplicates",
    ] {
        if let (Some(one), Some(other)) = (a.inputs.get(role), b.inputs.get(role))
            && one != other
        {
            tracing::warn!(
                "{} and {} rest on different content of `{role}`; their figures may not be \
                 comparable",
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
                "{}{} (model) against {} (baseline), {}",
                if i > 0 { "\n" } else { "" },
                contender.folder.display(),
                self.reference.display(),
                counted(contender.evaluation.counts["items"], "item", "items")
            );
            let header = std::iter::once(contender.evaluation.header());
            let rows: Vec<Vec<String>> = header.chain(contender.evaluation.cells()).collect();
            text.push_str(&aligned(&rows));
            let groups = contender.evaluation.group_rows();
            if groups.len() > 1 {
                text.push('\n');
                text.push_str(&aligned(&groups));
            }
            if let Some(answer) = &contender.answer {
                let _ = write!(text, "\n{answer}\n");
            }
        }
        out.write_all(text.as_bytes())
    }
}
