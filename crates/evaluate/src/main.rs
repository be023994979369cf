//! `pairmill-evaluate`: figures of a model, beside those of a baseline.

mod args;

use std::io::{self, Write};
use std::process::ExitCode;

use pairmill_cli::{OtherName, Outcome, Program, UsageError};
use pairmill_evaluate::{Evaluation, Regression};
use pairmill_tables::program_build;

use args::Job;

const METRICS: &str = "use --metrics, such as --metrics ndcg@10,recall@100";

const PROGRAM: Program = Program {
    versions: || {
        let build = format!("build {}", program_build());
        let runtime = pairmill_inference::runtime::version();
        vec![build, pairmill_modeling::libtorch(), runtime]
    },
    other_names: &[
        OtherName::new("ndcg-at-k", "metrics", METRICS),
        OtherName::new("mrr-at-k", "metrics", METRICS),
        OtherName::new("map-at-k", "metrics", METRICS),
        OtherName::new("accuracy-at-k", "metrics", METRICS),
        OtherName::new("precision-recall-at-k", "metrics", METRICS),
        OtherName::new("k-values", "metrics", METRICS),
        OtherName::new("cutoff", "metrics", METRICS),
        OtherName::new(
            "no-cuda",
            "device",
            "use --device cpu, which is the default",
        ),
        OtherName::new("use-cuda", "device", "use --device cuda"),
        OtherName::new("gpu", "device", "use --device cuda"),
        OtherName::new(
            "fp16",
            "device",
            "leave it out: figures are of float32, or of int8 with --backend onnx --int8",
        ),
        OtherName::new(
            "corpus-chunk-size",
            "corpus",
            "leave it out: the search bounds its memory itself",
        ),
    ],
};

fn main() -> ExitCode {
    pairmill_cli::on_interrupt(pairmill_tables::abandon_outputs);
    let args: args::Args = pairmill_cli::parse(&PROGRAM);
    args.reading.clone().set();
    pairmill_cli::run(&args.common, || match args.validate()? {
        Job::Evaluate {
            task,
            run_options,
            thresholds,
        } => {
            let evaluation = task.run(&run_options)?;
            evaluation.print(&mut io::stdout().lock(), args.common.json)?;
            Ok(outcome(&thresholds, [&evaluation]))
        }
        Job::Compare {
            compare,
            thresholds,
        } => {
            let comparison = compare.run()?;
            for contender in &comparison.comparisons {
                if let Some(other) = thresholds
                    .iter()
                    .find(|one| !one.applies_to(&contender.evaluation))
                {
                    let names = contender.evaluation.model.iter().map(|(name, _)| name);
                    return Err(UsageError(format!(
                        "--fail-on-regression {}: no metric of these results that is the better \
                         the higher it is; they have {}",
                        other.metric,
                        names.collect::<Vec<_>>().join(", ")
                    ))
                    .into());
                }
            }
            comparison.print(&mut io::stdout().lock(), args.common.json)?;
            let evaluations = comparison.comparisons.iter().map(|one| &one.evaluation);
            Ok(outcome(&thresholds, evaluations))
        }
        Job::Embed(embed) => pairmill_cli::print(&args.common, &embed.run()?),
        Job::Assign(assign) => {
            let report = assign.run()?;
            if args.common.json {
                report.print_json(&mut io::stdout().lock())?;
            }
            Ok(Outcome::Done)
        }
        Job::AbTest(test) => {
            let result = test.run()?;
            result.print(&mut io::stdout().lock(), args.common.json)?;
            Ok(Outcome::Done)
        }
        Job::Plan(plan) => {
            plan.print(&mut io::stdout().lock(), args.common.json)?;
            Ok(Outcome::Done)
        }
        Job::ArmOf { arm } => {
            let line = match args.common.json {
                true => serde_json::json!({ "arm": arm }).to_string(),
                false => arm,
            };
            writeln!(io::stdout(), "{line}")?;
            Ok(Outcome::Done)
        }
    })
}

fn outcome<'a>(
    thresholds: &[Regression],
    evaluations: impl IntoIterator<Item = &'a Evaluation>,
) -> Outcome {
    let mut outcome = Outcome::Done;
    for evaluation in evaluations {
        for miss in thresholds.iter().filter_map(|t| t.missed_by(evaluation)) {
            tracing::error!("{miss}");
            outcome = Outcome::ThresholdMissed;
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_an_example_and_other_names_lead_somewhere() {
        assert_eq!(pairmill_cli::check::<args::Args>(&PROGRAM), Ok(()));
    }
}
