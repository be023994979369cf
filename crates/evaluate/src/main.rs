//! `pairmill-evaluate`: figures of a model, beside those of a baseline.

mod args;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use pairmill_cli::Outcome;

fn main() -> ExitCode {
    let args = args::Args::parse();
    pairmill_cli::run(&args.common, || {
        let job = args.validate()?;
        let evaluation = job.task.run(&job.frame)?;
        evaluation.print(&mut io::stdout().lock(), args.common.json)?;
        let mut outcome = Outcome::Done;
        for miss in job
            .thresholds
            .iter()
            .filter_map(|t| t.missed_by(&evaluation))
        {
            tracing::error!("{miss}");
            outcome = Outcome::ThresholdMissed;
        }
        Ok(outcome)
    })
}
