//! The command line: a file for each command, with its flags and what it asks for.

mod abtest;
mod assign;
mod classification;
mod compare;
mod embed;
mod metrics;
mod models;
mod pairs;
mod paraphrases;
mod rerank;
mod retrieval;
mod run;
mod similarity;
mod triplets;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use pairmill_cli::numbers::read;
use pairmill_cli::{Common, UsageError, example};
use pairmill_evaluate::{Compare, Embed, Regression, RunOptions, Settings, Task};
use pairmill_experiment::{AbTest, Assign, PlanResult};
use pairmill_tables::ReadOptions;

use abtest::AbTestArgs;
use assign::AssignArgs;
use classification::ClassificationArgs;
use compare::CompareArgs;
use embed::EmbedArgs;
use models::ModelArgs;
use pairs::PairsArgs;
use paraphrases::ParaphrasesArgs;
use rerank::RerankArgs;
use retrieval::RetrievalArgs;
use run::RunArgs;
use similarity::SimilarityArgs;
use triplets::TripletsArgs;

/// Evaluate sentence-embedding models: figures of a model, beside those of a baseline
#[derive(Debug, Parser)]
#[command(name = "pairmill-evaluate", version, before_help = example(retrieval::EXAMPLE))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    pub reading: ReadOptions,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Exact search over a corpus, against judgements
    Retrieval(RetrievalArgs),
    /// Similarity of sentences against human scores
    Similarity(SimilarityArgs),
    /// Pairs of sentences of the same or another meaning
    Pairs(PairsArgs),
    /// An anchor nearer to its positive than to its negative
    Triplets(TripletsArgs),
    /// Categories of tickets, told from their embeddings
    Classification(ClassificationArgs),
    /// A ranked run, whoever made it; no model
    Run(RunArgs),
    /// Results of other evaluations, item by item, against the first of them
    Compare(CompareArgs),
    /// A ranked run that a cross-encoder ranks anew, beside the run as it is
    Rerank(RerankArgs),
    /// Paraphrases mined from a list of sentences, against known ones
    Paraphrases(ParaphrasesArgs),
    /// Texts as vectors, for an index or a notebook
    Embed(EmbedArgs),
    /// Arms of an A/B test for users, by a keyed hash of their ids
    Assign(AssignArgs),
    /// The arms of an A/B test, by the log of its events; or how large a test has to be
    #[command(name = "abtest")]
    AbTest(AbTestArgs),
}

#[derive(Debug, clap::Args)]
struct OutputArgs {
    /// Folder for the figures, a report and what they rest on
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Share of the intervals that hold the true figure
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = confidence)]
    confidence: f64,
    /// Times that the items are drawn again for the intervals; 0 leaves intervals and tests out
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    resamples: usize,
}

impl OutputArgs {
    fn run_options(&self, common: &Common) -> RunOptions {
        RunOptions {
            output: self.output.clone(),
            settings: Settings {
                confidence: self.confidence,
                resamples: self.resamples,
                seed: common.seed,
            },
            threads: common.threads(),
            force: common.force,
        }
    }
}

/// What a command asks for.
struct Request<'a> {
    task: Task,
    output: &'a OutputArgs,
    thresholds: &'a [Regression],
}

/// A validated command line.
pub enum Job {
    /// Evaluate, print the figures and hold them against the thresholds.
    Evaluate {
        task: Box<Task>,
        run_options: RunOptions,
        thresholds: Vec<Regression>,
    },
    /// Compare results that are there.
    Compare {
        compare: Compare,
        thresholds: Vec<Regression>,
    },
    /// Turn texts into vectors.
    Embed(Embed),
    /// Deal the users of a table out to arms.
    Assign(Assign),
    /// Print the arm of one user.
    ArmOf { arm: String },
    /// Compare the arms of a log.
    AbTest(AbTest),
    /// Print how large a test has to be.
    Plan(PlanResult),
}

impl Args {
    /// Checks what clap cannot.
    ///
    /// # Errors
    /// A [`UsageError`].
    pub fn validate(&self) -> Result<Job, UsageError> {
        match &self.command {
            Command::Retrieval(args) => self.evaluate(args.request(&self.common)?),
            Command::Similarity(args) => self.evaluate(args.request(&self.common)?),
            Command::Pairs(args) => self.evaluate(args.request(&self.common)?),
            Command::Triplets(args) => self.evaluate(args.request(&self.common)?),
            Command::Classification(args) => self.evaluate(args.request(&self.common)?),
            Command::Run(args) => self.evaluate(args.request()?),
            Command::Compare(args) => Ok(Job::Compare {
                compare: args.compare(&self.common),
                thresholds: args.fail_on_regression.clone(),
            }),
            Command::Rerank(args) => self.evaluate(args.request()?),
            Command::Paraphrases(args) => self.evaluate(args.request(&self.common)?),
            Command::Embed(args) => args.job(&self.common),
            Command::Assign(args) => args.job(&self.common),
            Command::AbTest(args) => args.job(&self.common),
        }
    }

    fn evaluate(&self, request: Request<'_>) -> Result<Job, UsageError> {
        let known = request.task.metrics();
        for threshold in request.thresholds {
            if !known.contains(&threshold.metric) {
                return Err(UsageError(format!(
                    "--fail-on-regression {}: no such metric here; expected one of {}",
                    threshold.metric,
                    known.join(", ")
                )));
            }
        }
        Ok(Job::Evaluate {
            task: Box::new(request.task),
            run_options: request.output.run_options(&self.common),
            thresholds: request.thresholds.to_vec(),
        })
    }
}

fn refuse_stdin<'a>(
    inputs: impl IntoIterator<Item = (&'a str, &'a String)>,
) -> Result<(), UsageError> {
    match inputs.into_iter().find(|(_, input)| *input == "-") {
        Some((flag, _)) => Err(UsageError(format!(
            "--{flag} -: this command has several inputs, so none is read from standard input; \
             give a file"
        ))),
        None => Ok(()),
    }
}

fn confidence(text: &str) -> Result<f64, String> {
    let holds = |share| (0.5..1.0).contains(&share);
    read(
        text,
        holds,
        "a share of at least 0.5 and below 1, such as 0.95",
    )
}
