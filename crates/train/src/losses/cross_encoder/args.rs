use clap::Args;
use pairmill_cli::UsageError;
use serde::Serialize;

use super::binary_cross_entropy;
use super::data::{Data, Loss};
use super::options::LossOptions;
use crate::losses::registry::{Family, check_options, describe, names};

/// The loss and its options.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "Loss options", mut_args(describe::<Data>))]
pub(crate) struct LossArgs {
    /// Loss to minimise
    #[arg(long, value_enum, default_value_t = binary_cross_entropy::LOSS)]
    pub loss: Loss,
    #[command(flatten)]
    #[serde(flatten)]
    pub options: LossOptions,
}

impl LossArgs {
    /// Finds options that the loss does not read, and ways of reading data that it cannot take.
    ///
    /// # Errors
    /// A [`UsageError`] that says which.
    pub fn check(&self, in_parts: bool, in_folds: bool) -> Result<(), UsageError> {
        check_options(&[self.loss], &self.options.given())?;
        let message = match self.loss.data {
            Data::ScoredCandidates { .. } if in_parts => {
                return Err(self.loss.needs_all_candidates());
            }
            Data::LabeledPairs(..) if in_folds && in_parts => {
                "--folds must know all queries, so it cannot be combined with --shuffle-buffer"
                    .to_owned()
            }
            Data::LabeledPairs(..) => return Ok(()),
            _ if in_folds => {
                let of_pairs = Data::LOSSES.iter();
                let of_pairs = of_pairs.filter(|loss| matches!(loss.data, Data::LabeledPairs(..)));
                let names = names(of_pairs).replace(", ", " and ");
                format!("--folds has a meaning for the losses {names} only")
            }
            _ => return Ok(()),
        };
        Err(UsageError(message))
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        loss: LossArgs,
    }

    #[test]
    fn each_option_of_a_loss_is_one_that_is_checked() {
        let args = Cli::parse_from(["train"]).loss;
        let known = args.options.given().map(|(name, _)| name);
        for loss in Data::LOSSES {
            for option in loss.options {
                assert!(known.contains(&option.name), "{loss}: {}", option.name);
            }
        }
        for name in known {
            let command = Cli::command();
            let found = command
                .get_arguments()
                .find(|arg| arg.get_long() == Some(name));
            assert!(found.is_some(), "--{name}");
        }
    }

    #[test]
    fn an_option_of_two_meanings_has_two_defaults() {
        let command = Cli::command();
        let arguments = command.get_arguments();
        let found = arguments.filter(|arg| arg.get_long() == Some("num-negatives"));
        let help: Vec<String> = found
            .map(|arg| arg.get_help().unwrap().to_string())
            .collect();
        assert_eq!(
            help,
            [
                "mnrl: negatives from the batch beside the hard ones [default: 4]; margin-mse: candidates of each pair [default: 1]"
            ]
        );
    }
}
