use clap::Args;
use pairmill_cli::UsageError;
use serde::Serialize;

use super::data::{Data, Loss};
use super::multiple_negatives_ranking;
use super::options::LossOptions;
use crate::losses::registry::{check_options, describe};
use crate::sampler::{BatchSampler, Mixing};

/// The loss and its options.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "Loss options", mut_args(describe::<Data>))]
pub(crate) struct LossArgs {
    /// Loss to minimise for training tables that name none
    #[arg(long, value_enum, default_value_t = multiple_negatives_ranking::LOSS)]
    pub loss: Loss,
    #[command(flatten)]
    #[serde(flatten)]
    pub options: LossOptions,
    /// Train the first N dimensions to be embeddings too, for each N of the list
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub matryoshka_dims: Vec<u32>,
    /// Weight of the loss at each of these dimensions [default: 1 each]
    #[arg(long, value_name = "W,…", value_delimiter = ',', requires = "matryoshka_dims", value_parser = pairmill_cli::numbers::positive::<f64>)]
    pub matryoshka_weights: Vec<f64>,
    /// Compute a batch in parts of N texts, at the memory of one part and the same gradient
    /// (GradCache)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub mini_batch_size: Option<u32>,
    /// {losses}: which rows share a batch
    #[arg(long, value_enum, default_value_t = BatchSampler::BatchSampler, value_name = "SAMPLER")]
    pub batch_sampler: BatchSampler,
    /// How the batches of several losses take turns
    #[arg(long, value_enum, default_value_t = Mixing::Proportional)]
    pub multi_dataset_batch_sampler: Mixing,
}

impl LossArgs {
    /// Finds options that no loss in use reads, and ones that are missing.
    ///
    /// # Errors
    /// A [`UsageError`] that says which.
    pub fn check(&self, losses: &[Loss]) -> Result<(), UsageError> {
        let mut given = self.options.given().to_vec();
        let is_given = self.batch_sampler != BatchSampler::default();
        given.push(("batch-sampler", is_given));
        check_options(losses, &given)?;
        let (dims, weights) = (self.matryoshka_dims.len(), self.matryoshka_weights.len());
        if weights > 0 && weights != dims {
            return Err(UsageError(format!(
                "--matryoshka-weights has {weights} values for {dims} --matryoshka-dims"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::losses::registry::Family;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        loss: LossArgs,
    }

    #[test]
    fn each_option_of_a_loss_is_one_that_is_checked() {
        let args = Cli::parse_from(["train"]).loss;
        let mut known: Vec<&str> = args.options.given().iter().map(|(name, _)| *name).collect();
        known.push("batch-sampler");
        for loss in Data::LOSSES {
            for option in loss.options {
                assert!(known.contains(&option.name), "{loss}: {}", option.name);
            }
        }
        let command = Cli::command();
        for name in known {
            let found = command
                .get_arguments()
                .find(|arg| arg.get_long() == Some(name));
            assert!(found.is_some(), "--{name}");
        }
    }

    #[test]
    fn no_help_keeps_a_placeholder() {
        let mut command = Cli::command();
        let help = command.render_long_help().to_string();
        assert!(!help.contains(['{', '}']), "{help}");
    }

    #[test]
    fn a_loss_goes_by_the_name_of_its_class_too() {
        let args = Cli::parse_from(["train", "--loss", "CoSENTLoss"]);
        assert_eq!(args.loss.loss.name, "cosent");
    }
}
