//! `pairmill-train advise`: whether to fine-tune, before it is done.

mod advice;
mod command_line;
mod inputs;
mod need;
mod pages;
mod payback;
mod quality;
mod reasons;
mod settings;
mod small_trainings;
mod verdict;
mod vocabulary;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use pairmill_cli::{Common, Outcome, UsageError, example};
use pairmill_tables::{Lineage, Results, Threads, kept_results, session};

use self::advice::{Advice, LossAdvice};
use self::command_line::command_line;
use self::inputs::{Columns, Inputs, is_of_tickets, optional_files};
use self::need::Task as Need;
use self::payback::PaybackArgs;
use self::settings::{loss_of, settings};
use self::small_trainings::SmallTrainings;
use self::verdict::Judged;
use crate::encoder::Recipe;
use crate::error::Result;
use crate::losses::encoder::Data;
use crate::run::prepare;
use crate::task::Task;
use crate::trial::check;

/// Say whether fine-tuning will pay, before it is done: by the data, by the model as it is, and by
/// three small trainings
///
/// The options of the training are those of `encoder`, so that the training that is judged is the
/// one that will be run.
#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-train advise --model sentence-transformers/all-MiniLM-L6-v2 \
     --train runs/try/data/pairs_train.parquet --eval runs/try/data --output runs/try/advice"
))]
pub struct AdviseArgs {
    /// Folder for advice.html, advice.md and metrics.json; it appears whole or not at all
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Training rows of the small trainings [default: three, the largest a sixteenth of all, at
    /// least 512 or half of them, each twice the one before]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    sizes: Vec<u32>,
    /// End with exit code 3 if the advice is not to fine-tune
    #[arg(long)]
    fail_if_not_worth_it: bool,
    #[command(flatten)]
    recipe: Recipe,
    #[command(flatten)]
    payback: PaybackArgs,
}

/// Runs the command.
///
/// # Errors
/// As `encoder`; or if there is no dev split, or the output cannot be written.
pub fn run(args: &AdviseArgs, common: &Common) -> Result<Outcome> {
    let started = Instant::now();
    let recipe = &args.recipe;
    check(recipe)?;
    recipe.check_whole("advise")?;
    let Some(eval) = &recipe.data.eval else {
        return Ok(Outcome::Done);
    };
    let threads = prepare(common)?;
    refuse_tickets(recipe, &threads)?;
    let work = || args.advise(eval, &threads, started, common);
    let advice = match &args.output {
        None => work()?,
        Some(output) => {
            let lineage = args.lineage(eval, common)?;
            let write = |results: Results<'_>| -> Result<Advice> {
                let advice = work()?;
                results.write("advice.md", &pages::markdown(&advice))?;
                results.write("advice.html", &pages::page(&advice))?;
                Ok(advice)
            };
            kept_results(output, &lineage, common.force, write)?.0
        }
    };
    let text = match common.json {
        true => serde_json::to_string(&advice)? + "\n",
        false => pages::markdown(&advice),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(match args.fail_if_not_worth_it && advice.is_against() {
        true => Outcome::ThresholdMissed,
        false => Outcome::Done,
    })
}

/// Refuses tickets for a loss over pairs, with what reads them.
fn refuse_tickets(recipe: &Recipe, threads: &Threads) -> Result<()> {
    threads.block_on(async {
        let session = session(1)?;
        for (loss, file) in recipe.tables() {
            let is_for_texts = matches!(loss.data, Data::LabeledTexts(_));
            if !is_for_texts && is_of_tickets(&session, file).await? {
                let advice = "make pairs of it with `pairmill-generate tickets`, or give --loss batch-all-triplet";
                let message = format!("{file}: has texts with a category, which --loss {loss} does not read; {advice}");
                return Err(UsageError(message).into());
            }
        }
        Ok(())
    })
}

impl AdviseArgs {
    fn lineage(&self, eval: &Path, common: &Common) -> Result<Lineage> {
        let mut lineage = self.recipe.lineage("train advise", common.seed)?;
        lineage.options["sizes"] = self.sizes.as_slice().into();
        lineage.options["payback"] = serde_json::to_value(&self.payback)?;
        for (name, file) in optional_files(eval) {
            lineage = lineage.with_input(name, &file.display().to_string())?;
        }
        Ok(lineage)
    }

    fn advise(
        &self,
        eval: &Path,
        threads: &Threads,
        started: Instant,
        common: &Common,
    ) -> Result<Advice> {
        let recipe = &self.recipe;
        let mut task = recipe.task(threads, common, None)?;
        let inputs = threads.block_on(async {
            let session = session(1)?;
            Inputs::read(&session, recipe, eval).await
        })?;
        tracing::info!("looking through the data");
        let quality = quality::look_through(&inputs);
        let vocabulary = vocabulary::vocabulary(&inputs, task.encoder.tokenizer())?;
        let rows = task.rows();
        let (training, sizes) = (&recipe.training, &self.sizes);
        let small = SmallTrainings::run(&mut task, training, sizes, started, common)?;
        let (level, rows_reason) = Need::of(&inputs).judged();
        let losses: Vec<LossAdvice> = inputs.training.iter().map(loss_of).collect();
        let prediction = small.prediction();
        let judged = Judged {
            baseline: &small.baseline,
            prediction: prediction.as_ref(),
            level,
            rows: &rows_reason,
            quality: &quality,
            vocabulary: &vocabulary,
            has_test: inputs.has_test,
            has_hard_negatives: inputs
                .training
                .iter()
                .any(|table| table.columns != Columns::Pairs),
        };
        let verdict = judged.verdict();
        let settings = settings(rows, &losses);
        let time = small.time();
        let hours = (time.seconds + time.advice) / 3_600.0;
        let (failing, drop) = small.failures(|rank| self.payback.failure(rank));
        Ok(Advice {
            verdict,
            answer: judged.answer(verdict),
            model: recipe.model.to_string(),
            reasons: judged.reasons(),
            first: judged.first(),
            command: command_line(recipe, &losses, &settings, std::env::args_os()),
            payback: self.payback.payback(failing, drop.as_ref(), hours),
            baseline: small.baseline.clone(),
            prediction,
            losses,
            settings,
            time,
        })
    }
}
