use std::path::PathBuf;

use pairmill_cli::{Common, UsageError, example};
use pairmill_experiment::{Arms, Assign, Assigner};

use super::Job;

#[derive(Debug, clap::Args)]
#[command(before_help = example(
    "pairmill-evaluate assign --arms control=0.5,candidate=0.5 --experiment ranker-2 --id user-17"
))]
pub struct AssignArgs {
    /// Arms with their shares of the traffic, such as control=0.5,candidate=0.5; the weights are
    /// any numbers above 0. Raising a weight only moves users to its arm
    #[arg(long, value_name = "NAME=WEIGHT,…")]
    arms: Arms,
    /// Name of the experiment: another one deals users out independently
    #[arg(long, value_name = "NAME", value_parser =
        clap::builder::NonEmptyStringValueParser::new())]
    experiment: String,
    /// Print the arm of this user
    #[arg(long, value_name = "ID", required_unless_present = "input", value_parser =
        clap::builder::NonEmptyStringValueParser::new())]
    id: Option<String>,
    /// Table with a column of user ids; `-` reads an Arrow IPC stream from standard input
    #[arg(long, value_name = "FILE", conflicts_with = "id", requires = "output")]
    input: Option<String>,
    /// Table to write, as the name says (.parquet, .csv, .tsv, .jsonl or .arrow), with one column
    /// more; `-` writes an Arrow IPC stream to standard output
    #[arg(long, value_name = "FILE", conflicts_with = "id", value_parser =
        pairmill_tables::table_path)]
    output: Option<PathBuf>,
    /// Column of the stable user ids
    #[arg(long, value_name = "NAME", default_value = "user_id")]
    id_column: String,
    /// Name of the column to add
    #[arg(long, value_name = "NAME", default_value = "arm")]
    arm_column: String,
}

impl AssignArgs {
    pub fn job(&self, common: &Common) -> Result<Job, UsageError> {
        let assigner = Assigner::new(&self.experiment, self.arms.clone());
        if let Some(id) = &self.id {
            let arm = assigner.arm(id).to_owned();
            return Ok(Job::ArmOf { arm });
        }
        let (Some(input), Some(output)) = (&self.input, &self.output) else {
            return Err(UsageError("give --input and --output, or --id".to_owned()));
        };
        common.check_output(output)?;
        Ok(Job::Assign(Assign {
            input: input.clone(),
            output: output.clone(),
            experiment: self.experiment.clone(),
            assigner,
            id_column: self.id_column.clone(),
            arm_column: self.arm_column.clone(),
            seed: common.seed,
            threads: common.threads(),
            force: common.force,
        }))
    }
}
