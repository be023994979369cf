//! Which settings are tried.

use clap::Args;
use pairmill_cli::UsageError;
use pairmill_cli::numbers::positive;
use pairmill_schema::draw::generator;
use rand::seq::index;
use serde::{Deserialize, Serialize};

use crate::encoder::Recipe;
use crate::losses::encoder::{Data, Loss};

/// Trainings from which on one should know what one is in for.
const MANY: usize = 100;

/// The values to try. What is not given stays as the option of the same name says.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "What to try")]
pub(super) struct GridArgs {
    /// Highest learning rates [default: 1e-5,2e-5,5e-5 if nothing else is to be tried, else that of
    /// --learning-rate]
    #[arg(long, value_name = "RATE,…", value_delimiter = ',', value_parser = positive::<f64>)]
    learning_rates: Vec<f64>,
    /// Numbers of epochs
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    epoch_counts: Vec<u32>,
    /// Rows in a batch
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    batch_sizes: Vec<u32>,
    /// Losses, for training tables that name none
    #[arg(
        long,
        value_enum,
        value_name = "LOSS,…",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    losses: Vec<Loss>,
    /// Hard negatives of each row, the first N of the table; 0 for none
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    negatives: Vec<usize>,
    /// Try N combinations drawn at random instead of all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    random: Option<u32>,
}

/// Settings that are tried together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Point {
    pub learning_rate: f64,
    pub epochs: u32,
    pub batch_size: u32,
    /// The loss of tables that name none.
    pub loss: String,
    /// Hard negatives of each row; all where it is not said.
    pub negatives: Option<usize>,
}

impl Point {
    /// Returns a name that a folder can have.
    pub fn name(&self) -> String {
        let negatives = self
            .negatives
            .map(|negatives| format!("_negatives-{negatives}"));
        format!(
            "{}_rate-{:e}_epochs-{}_batch-{}{}",
            self.loss,
            self.learning_rate,
            self.epochs,
            self.batch_size,
            negatives.unwrap_or_default()
        )
    }

    /// Returns whether both are of the same data and loss.
    pub fn shares_task(&self, other: &Self) -> bool {
        self.loss == other.loss && self.negatives == other.negatives
    }

    /// Returns the recipe with these settings.
    pub fn applied(&self, recipe: &Recipe, losses: &[Loss]) -> Recipe {
        let mut recipe = recipe.clone();
        recipe.training.learning_rate = self.learning_rate;
        recipe.training.num_train_epochs = self.epochs;
        recipe.training.batch_size = self.batch_size;
        if let Some(&loss) = losses.iter().find(|loss| loss.name == self.loss) {
            recipe.loss.loss = loss;
        }
        recipe
    }
}

impl GridArgs {
    /// Returns the losses to try.
    pub fn losses(&self, recipe: &Recipe) -> Vec<Loss> {
        match self.losses.as_slice() {
            [] => vec![recipe.loss.loss],
            losses => losses.to_vec(),
        }
    }

    /// Returns the combinations to try, those that share data and loss after one another.
    ///
    /// # Errors
    /// A [`UsageError`] if there is but one, or a value has no meaning for a loss.
    pub fn points(&self, recipe: &Recipe, seed: u64) -> Result<Vec<Point>, UsageError> {
        let losses = self.losses(recipe);
        self.check(recipe, &losses)?;
        let negatives: Vec<Option<usize>> = match self.negatives.as_slice() {
            [] => vec![None],
            counts => counts.iter().copied().map(Some).collect(),
        };
        let training = &recipe.training;
        let is_bare = self.epoch_counts.len() + self.batch_sizes.len() == 0
            && losses.len() == 1
            && negatives.len() == 1;
        let rates = match self.learning_rates.as_slice() {
            [] if is_bare => vec![1e-5, 2e-5, 5e-5],
            rates => or(rates, training.learning_rate),
        };
        let mut points: Vec<Point> = Vec::new();
        for loss in &losses {
            for &negatives in &negatives {
                for &batch_size in &or(&self.batch_sizes, training.batch_size) {
                    for &epochs in &or(&self.epoch_counts, training.num_train_epochs) {
                        let of_rate = rates.iter().map(|&learning_rate| Point {
                            learning_rate,
                            epochs,
                            batch_size,
                            loss: loss.name.to_owned(),
                            negatives,
                        });
                        points.extend(of_rate);
                    }
                }
            }
        }
        let all = points.clone();
        let mut number = 0;
        points.retain(|point| {
            number += 1;
            !all[..number - 1].contains(point)
        });
        if let Some(draws) = self.random.filter(|&draws| (draws as usize) < points.len()) {
            let mut rng = generator(seed, "sweep", &[]);
            let mut drawn = index::sample(&mut rng, points.len(), draws as usize).into_vec();
            drawn.sort_unstable();
            points = drawn
                .into_iter()
                .map(|number| points[number].clone())
                .collect();
        }
        if points.len() < 2 {
            let message = "sweep needs two combinations or more: give several values to --learning-rates, --epoch-counts, --batch-sizes, --losses or --negatives";
            return Err(UsageError(message.to_owned()));
        }
        if points.len() > MANY {
            tracing::warn!("{} trainings; --random N tries N of them", points.len());
        }
        Ok(points)
    }

    fn check(&self, recipe: &Recipe, losses: &[Loss]) -> Result<(), UsageError> {
        let tables = recipe.tables();
        let takes_default = tables.iter().any(|(loss, _)| *loss == recipe.loss.loss);
        if !self.losses.is_empty() && !takes_default {
            let message =
                "--losses: each training table names a loss of its own; give one without LOSS=";
            return Err(UsageError(message.to_owned()));
        }
        for loss in losses {
            let message = match loss.data {
                Data::Pairs(_) => continue,
                Data::Triplets(_) if !self.negatives.contains(&0) => continue,
                Data::Triplets(_) => format!("--negatives 0 leaves nothing to --loss {loss}"),
                _ if self.negatives.is_empty() => continue,
                _ => format!("--negatives has no meaning for --loss {loss}"),
            };
            return Err(UsageError(message));
        }
        Ok(())
    }
}

/// The values that are given, else the one that holds.
fn or<T: Copy>(given: &[T], value: T) -> Vec<T> {
    match given {
        [] => vec![value],
        given => given.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        grid: GridArgs,
        #[command(flatten)]
        recipe: Recipe,
    }

    fn points(line: &str) -> Result<Vec<String>, String> {
        let line = format!("sweep --model m --train a.parquet {line}");
        let Cli { grid, recipe } = Cli::parse_from(line.split_whitespace());
        let points = grid
            .points(&recipe, 42)
            .map_err(|error| error.to_string())?;
        Ok(points.iter().map(Point::name).collect())
    }

    #[test]
    fn every_combination_is_tried_once() {
        assert_eq!(
            points("--learning-rates 1e-5,2e-5,1e-5 --losses mnrl,triplet --epochs 3").unwrap(),
            [
                "mnrl_rate-1e-5_epochs-3_batch-32",
                "mnrl_rate-2e-5_epochs-3_batch-32",
                "triplet_rate-1e-5_epochs-3_batch-32",
                "triplet_rate-2e-5_epochs-3_batch-32",
            ]
        );
        assert_eq!(
            points("--negatives 0,2").unwrap(),
            [
                "mnrl_rate-2e-5_epochs-1_batch-32_negatives-0",
                "mnrl_rate-2e-5_epochs-1_batch-32_negatives-2",
            ]
        );
        assert_eq!(points("").unwrap().len(), 3, "three rates");
    }

    #[test]
    fn draws_are_some_of_them() {
        let all = points("--batch-sizes 8,16,32 --epoch-counts 1,2,3").unwrap();
        let drawn = points("--batch-sizes 8,16,32 --epoch-counts 1,2,3 --random 4").unwrap();
        assert_eq!((all.len(), drawn.len()), (9, 4));
        assert!(drawn.iter().all(|name| all.contains(name)));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let error = |line: &str| points(line).unwrap_err();
        assert!(error("--batch-sizes 16").starts_with("sweep needs two combinations"));
        assert_eq!(
            error("--losses cosent,mnrl --negatives 1"),
            "--negatives has no meaning for --loss cosent"
        );
        assert_eq!(
            error("--losses triplet --negatives 0,1"),
            "--negatives 0 leaves nothing to --loss triplet"
        );
    }
}
