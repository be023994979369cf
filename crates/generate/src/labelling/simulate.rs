use std::collections::HashSet;
use std::path::PathBuf;

use pairmill_active_learning::{Options, Strategy, choose, classifier, kappa, start};
use pairmill_classification::LogisticRegression;
use pairmill_cli::Progress;
use pairmill_metrics::{accuracy, macro_f1};
use pairmill_retrieval::Embeddings;
use pairmill_schema::{TextKey, agreeing};
use pairmill_tables::{Lineage, Results, kept_results, session};
use serde::Serialize;
use tracing::warn;

use super::curve;
use super::rows::{self, LabelledRow};
use super::simulation::{Simulated, Simulation};
use super::vectors::{LabellingModel, TextColumns};
use crate::{GenerateError, Result};

/// What to play through.
#[derive(Debug, Clone)]
pub struct SimulateConfig {
    /// Texts whose categories are known but taken as unknown until they are chosen.
    pub pool: String,
    /// Texts with categories to measure on.
    pub test: String,
    /// Columns of both.
    pub columns: TextColumns,
    /// The model of the embeddings.
    pub model: LabellingModel,
    /// Rows to choose in each round.
    pub number: usize,
    /// Rounds after the first choice.
    pub rounds: usize,
    /// What to compare. `random` is always among them.
    pub strategies: Vec<Strategy>,
    /// How often to play each through, with a seed of its own each time.
    pub runs: u64,
    /// No two texts chosen in one round have a cosine above this.
    pub max_similarity: f32,
    /// The folder to write.
    pub output: PathBuf,
    /// Seed of every random choice.
    pub seed: u64,
    /// Threads to use.
    pub threads: usize,
    /// Whether to do the work again when the folder is up to date.
    pub force: bool,
}

/// What was done.
#[derive(Debug, Clone, Serialize)]
pub struct SimulationReport {
    /// Whether there was nothing to do.
    pub up_to_date: bool,
    /// The folder.
    pub output: PathBuf,
    /// What was found.
    #[serde(flatten)]
    pub found: Simulated,
}

/// Plays choosing and labelling through with known categories and writes what each strategy
/// reaches, unless that is up to date.
///
/// # Errors
/// If an input or the model is unsound, or the folder cannot be written.
pub async fn simulate(config: &SimulateConfig) -> Result<SimulationReport> {
    let lineage = config.lineage()?;
    let session = session(1)?;
    let names = config.columns.names();
    let [pool, test] = [&config.pool, &config.test].map(std::slice::from_ref);
    let pool = rows::labelled(&session, pool, &names).await?;
    let test = rows::labelled(&session, test, &names).await?;
    let known = pool.iter().map(|row| TextKey::equivalent(&row.row.text));
    let known: HashSet<TextKey> = known.collect();
    let is_known = |row: &&LabelledRow| known.contains(&TextKey::equivalent(&row.row.text));
    let leaked = test.iter().filter(is_known).count();
    if leaked > 0 {
        warn!(
            "{leaked} of {} texts of {} {} in {} too, so the figures are too high for new ones; \
             leave them out of one of both",
            test.len(),
            config.test,
            agreeing(leaked as u64, "stands", "stand"),
            config.pool
        );
    }
    for (rows, input) in [(&pool, &config.pool), (&test, &config.test)] {
        if rows.is_empty() {
            return Err(GenerateError::EmptyPool {
                input: input.clone(),
                rows: 0,
                labelled: 0,
                empty: 0,
            });
        }
    }
    let (found, up_to_date) = kept_results(
        &config.output,
        &lineage,
        config.force,
        |results: Results<'_>| -> Result<Simulated> {
            let found = Rounds::embed(config, &lineage, &pool, &test)?.play(config);
            curve::write(&found, &results)?;
            Ok(found)
        },
    )?;
    curve::print(&found);
    Ok(SimulationReport {
        up_to_date,
        output: config.output.clone(),
        found,
    })
}

impl SimulateConfig {
    fn lineage(&self) -> Result<Lineage> {
        #[derive(Serialize)]
        struct Of<'a> {
            columns: &'a TextColumns,
            number: usize,
            rounds: usize,
            strategies: &'a [Strategy],
            runs: u64,
            max_similarity: f32,
            max_length: Option<usize>,
        }
        let of = Of {
            columns: &self.columns,
            number: self.number,
            rounds: self.rounds,
            strategies: &self.strategies,
            runs: self.runs,
            max_similarity: self.max_similarity,
            max_length: self.model.max_length,
        };
        let lineage = Lineage::new("generate simulate", &of, self.seed)
            .with_input("pool", &self.pool)?
            .with_input("test", &self.test)?;
        self.model.add_to(lineage)
    }
}

/// Everything in numbers.
struct Rounds {
    pool: Embeddings,
    classes: Vec<usize>,
    test: Embeddings,
    truth: Vec<usize>,
    categories: usize,
}

/// One run of one strategy after one round.
struct Step {
    labels: usize,
    accuracy: f64,
    macro_f1: f64,
    kappa: Option<f64>,
}

impl Rounds {
    fn embed(
        config: &SimulateConfig,
        lineage: &Lineage,
        pool: &[LabelledRow],
        test: &[LabelledRow],
    ) -> Result<Self> {
        let rows: Vec<LabelledRow> = pool.iter().chain(test).cloned().collect();
        let texts: Vec<&str> = rows.iter().map(|row| row.row.text.as_str()).collect();
        let all = config.model.embed(&texts, lineage, config.threads)?;
        let (categories, numbers) = rows::numbered(&rows);
        let (classes, truth) = numbers.split_at(pool.len());
        let unknown = truth
            .iter()
            .filter(|class| !classes.contains(class))
            .count();
        if unknown > 0 {
            warn!(
                "{unknown} of {} texts of {} have a category that {} lacks; they count as wrong",
                test.len(),
                config.test,
                config.pool
            );
        }
        let rows = |rows: std::ops::Range<usize>| all.select(&rows.collect::<Vec<_>>());
        Ok(Self {
            pool: rows(0..pool.len()),
            classes: classes.to_vec(),
            test: rows(pool.len()..texts.len()),
            truth: truth.to_vec(),
            categories: categories.len(),
        })
    }

    fn play(&self, config: &SimulateConfig) -> Simulated {
        let mut strategies = config.strategies.clone();
        if !strategies.contains(&Strategy::Random) {
            strategies.push(Strategy::Random);
        }
        let steps = strategies.len() as u64 * config.runs * (config.rounds as u64 + 1);
        let progress = Progress::new("simulating", "rounds", Some(steps));
        let mut rounds = Vec::new();
        for strategy in strategies {
            let runs: Vec<Vec<Step>> = (0..config.runs)
                .map(|run| self.run(config, strategy, config.seed + run, &progress))
                .collect();
            let last = runs.iter().map(Vec::len).min().unwrap_or(0);
            rounds.extend((0..last).map(|round| {
                let steps: Vec<&Step> = runs.iter().map(|run| &run[round]).collect();
                summary(strategy, &steps)
            }));
        }
        let all: Vec<usize> = (0..self.pool.len()).collect();
        Simulated {
            pool: self.pool.len(),
            test: self.test.len(),
            accuracy_of_all: accuracy(self.beside(&self.fit(&all).predict(&self.test))),
            rounds,
        }
    }

    fn run(
        &self,
        config: &SimulateConfig,
        strategy: Strategy,
        seed: u64,
        progress: &Progress,
    ) -> Vec<Step> {
        let mut left: Vec<usize> = (0..self.pool.len()).collect();
        let mut known: Vec<usize> = Vec::new();
        let mut before: Option<LogisticRegression> = None;
        let mut steps = Vec::new();
        for round in 0..=config.rounds as u64 {
            let pool = self.pool.select(&left);
            let options = Options {
                number: config.number,
                strategy,
                max_similarity: config.max_similarity,
                // A draw of its own in each round.
                seed: seed.wrapping_add(round << 32),
            };
            let chosen = match known.is_empty() {
                true => start(&pool, &options),
                false => {
                    let classes: Vec<usize> = known.iter().map(|&row| self.classes[row]).collect();
                    choose(&pool, &self.pool.select(&known), &classes, &options)
                }
            };
            if chosen.is_empty() {
                break;
            }
            let mut is_chosen = vec![false; left.len()];
            for choice in &chosen {
                known.push(left[choice.row]);
                is_chosen[choice.row] = true;
            }
            let mut is_chosen = is_chosen.into_iter();
            left.retain(|_| is_chosen.next() == Some(false));
            let fitted = self.fit(&known);
            let predicted = fitted.predict(&self.test);
            let rest = self.pool.select(&left);
            let agreement = before.as_ref().filter(|_| !left.is_empty());
            steps.push(Step {
                labels: known.len(),
                accuracy: accuracy(self.beside(&predicted)),
                macro_f1: macro_f1(self.beside(&predicted), self.categories),
                kappa: agreement
                    .map(|before| kappa(&before.predict(&rest), &fitted.predict(&rest))),
            });
            before = Some(fitted);
            progress.inc(1);
        }
        steps
    }

    /// The true class of each test text and what it was taken for.
    fn beside(&self, predicted: &[usize]) -> impl Iterator<Item = (usize, usize)> {
        self.truth.iter().copied().zip(predicted.iter().copied())
    }

    fn fit(&self, rows: &[usize]) -> LogisticRegression {
        let classes: Vec<usize> = rows.iter().map(|&row| self.classes[row]).collect();
        classifier(&self.pool.select(rows), &classes)
    }
}

fn summary(strategy: Strategy, steps: &[&Step]) -> Simulation {
    let mean = |of: &dyn Fn(&Step) -> f64| {
        steps.iter().map(|step| of(step)).sum::<f64>() / steps.len() as f64
    };
    let accuracies = steps.iter().map(|step| step.accuracy);
    let has_kappa = steps.iter().all(|step| step.kappa.is_some());
    Simulation {
        strategy: strategy.to_string(),
        labels: steps.iter().map(|step| step.labels).min().unwrap_or(0),
        accuracy: mean(&|step| step.accuracy),
        range: (
            accuracies.clone().fold(f64::INFINITY, f64::min),
            accuracies.fold(f64::NEG_INFINITY, f64::max),
        ),
        macro_f1: mean(&|step| step.macro_f1),
        kappa: has_kappa.then(|| mean(&|step| step.kappa.unwrap_or(0.0))),
    }
}
