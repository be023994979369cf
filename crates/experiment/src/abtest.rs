use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pairmill_report::{MARKDOWN_FILE, PAGE_FILE};
use pairmill_schema::counted;
use pairmill_tables::{Lineage, kept_results};
use serde::Serialize;

use crate::arms::Arms;
use crate::error::{ExperimentError, Result};
use crate::log::{Log, LogColumns};
use crate::result::{AbTestResult, Lift};

/// Compares the arms of an A/B test by the log of its events.
#[derive(Debug, Clone)]
pub struct AbTest {
    /// The log: a path, folder or glob in any supported format, or `-` for an Arrow IPC stream on
    /// standard input.
    pub log: String,
    /// Columns of other names than expected.
    pub columns: LogColumns,
    /// Whether to keep users apart, where the log has them.
    pub by_user: bool,
    /// The arm that the others are compared with.
    pub control: String,
    /// The planned shares of the traffic; `None` for equal ones.
    pub weights: Option<Arms>,
    /// Share of the intervals that hold the truth, in 0..1.
    pub confidence: f64,
    /// Folder for the figures and a report.
    pub output: Option<PathBuf>,
    /// Seed, for the lineage: nothing here is drawn at random.
    pub seed: u64,
    /// Threads to use.
    pub threads: usize,
    /// Work even where the output is up to date.
    pub force: bool,
}

/// The options that shape the figures.
#[derive(Serialize)]
struct Options<'a> {
    columns: &'a LogColumns,
    by_user: bool,
    control: &'a str,
    weights: &'a Option<Arms>,
    confidence: f64,
}

impl AbTest {
    /// Compares, unless the output folder already holds the result.
    ///
    /// # Errors
    /// If the log cannot be read, lacks a column or holds a value that cannot be, has fewer arms
    /// than two or none that is the control, if no arm can be compared with that, or if the output
    /// cannot be written.
    pub fn run(&self) -> Result<AbTestResult> {
        let result = match &self.output {
            Some(target) => self.kept(target)?,
            None => self.compare()?,
        };
        for warning in &result.warnings {
            tracing::warn!("{warning}");
        }
        Ok(result)
    }

    fn kept(&self, target: &Path) -> Result<AbTestResult> {
        let options = Options {
            columns: &self.columns,
            by_user: self.by_user,
            control: &self.control,
            weights: &self.weights,
            confidence: self.confidence,
        };
        let lineage =
            Lineage::new("evaluate abtest", &options, self.seed).with_input("log", &self.log)?;
        let (result, up_to_date) = kept_results(target, &lineage, self.force, |results| {
            let result = self.compare()?;
            results.write(MARKDOWN_FILE, &result.markdown())?;
            results.write(PAGE_FILE, &result.html())?;
            Ok::<_, ExperimentError>(result)
        })?;
        Ok(AbTestResult {
            up_to_date,
            ..result
        })
    }

    fn compare(&self) -> Result<AbTestResult> {
        let log = Log::read(&self.log, &self.columns, self.by_user, self.threads)?;
        self.check(&log)?;
        let shares: BTreeMap<String, f64> = match &self.weights {
            Some(weights) => weights
                .iter()
                .map(|(arm, weight)| (arm.to_owned(), weight))
                .collect(),
            None => log.arms.keys().map(|arm| (arm.clone(), 1.0)).collect(),
        };
        let result = AbTestResult::of(&log, &self.control, &shares, self.confidence);
        match result.lifts.iter().all(Lift::is_empty) {
            true => Err(self.nothing_to_compare(&result)),
            false => Ok(result),
        }
    }

    fn nothing_to_compare(&self, result: &AbTestResult) -> ExperimentError {
        let arms = result.arms.iter().map(|arm| {
            let answers = arm
                .answers
                .map(|answers| counted(answers, "answer", "answers"));
            let answers = answers.map(|answers| format!(" and {answers}"));
            let impressions = counted(arm.impressions, "impression", "impressions");
            format!(
                "`{}` has {impressions}{}",
                arm.arm,
                answers.unwrap_or_default()
            )
        });
        ExperimentError::NothingToCompare {
            path: self.log.clone(),
            found: arms.collect::<Vec<_>>().join(", "),
        }
    }

    fn check(&self, log: &Log) -> Result<()> {
        let path = || self.log.clone();
        let names: Vec<&str> = log.arms.keys().map(String::as_str).collect();
        if names.len() < 2 {
            return Err(ExperimentError::TooFewArms {
                path: path(),
                found: match names.first() {
                    Some(arm) => format!("only the arm `{arm}`"),
                    None => "no rows".to_owned(),
                },
            });
        }
        if !log.arms.contains_key(&self.control) {
            return Err(ExperimentError::NoControl {
                path: path(),
                control: self.control.clone(),
                found: names.join(", "),
            });
        }
        for (name, arm) in &log.arms {
            if let Some(weights) = &self.weights
                && weights.weight(name).is_none()
            {
                let known: Vec<&str> = weights.iter().map(|(arm, _)| arm).collect();
                return Err(ExperimentError::UnknownArm {
                    path: path(),
                    known: known.join(", "),
                    arm: name.clone(),
                });
            }
            match arm.clicks {
                Some(clicks) if clicks > arm.impressions => {
                    return Err(ExperimentError::ClicksAboveImpressions {
                        path: path(),
                        arm: name.clone(),
                        clicks,
                        impressions: arm.impressions,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }
}
