use std::path::PathBuf;

use pairmill_cli::Common;
use pairmill_evaluate::{Compare, Regression};

use super::OutputArgs;

#[derive(Debug, clap::Args)]
pub struct CompareArgs {
    /// Folders that `--output` of an evaluation has named; the others are compared with the first
    #[arg(value_name = "DIR", num_args = 2.., required = true)]
    folders: Vec<PathBuf>,
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
            frame: self.output.frame(common),
        }
    }
}
