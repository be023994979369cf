use std::path::PathBuf;

use pairmill_cli::{Common, example};
use pairmill_evaluate::{Compare, Regression};

use super::OutputArgs;

#[derive(Debug, clap::Args)]
#[command(before_help = example(
    "pairmill-evaluate compare runs/november/report runs/december/report --output runs/try/comparison"
))]
pub struct CompareArgs {
    /// Folders that `--output` of an evaluation has named; the others are compared with the first
    #[arg(value_name = "DIR", num_args = 2.., required = true)]
    folders: Vec<PathBuf>,
    /// Give figures for groups of items too: those of equal value in a column of text of their
    /// tables, such as `truth` of tickets or a column that queries were grouped by; may be repeated
    #[arg(long, value_name = "COLUMN")]
    group_by: Vec<String>,
    /// Items to show that gained most and that lost most
    #[arg(long, value_name = "N", default_value_t = 10)]
    examples: usize,
    #[command(flatten)]
    output: OutputArgs,
    /// Exit with code 3 if METRIC of any folder is below that of the first by more than BY
    /// [default: 0]; may be repeated
    #[arg(long, value_name = "METRIC[:BY]")]
    pub fail_on_regression: Vec<Regression>,
}

impl CompareArgs {
    pub fn compare(&self, common: &Common) -> Compare {
        Compare {
            folders: self.folders.clone(),
            group_by: self.group_by.clone(),
            examples: self.examples,
            run_options: self.output.run_options(common),
        }
    }
}
