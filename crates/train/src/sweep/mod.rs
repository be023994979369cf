//! `pairmill-train sweep`: which settings train best.

mod grid;
mod pages;
mod trials;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use pairmill_cli::{Common, Outcome, example};
use pairmill_modeling::SentenceEncoder;
use pairmill_tables::{Lineage, Results, Threads, kept_results, session};
use serde::{Deserialize, Serialize};

use self::grid::GridArgs;
use self::trials::{MODEL, Sweep, SweepTrial, gain};
use crate::encoder::Recipe;
use crate::error::{Context, Result};
use crate::evaluator::{RetrievalEvaluator, mean_ndcg};
use crate::run::prepare;
use crate::trial::check;

/// Train with several settings, compare nDCG@10 on dev, and measure the winner on test
///
/// Every combination of the values is tried, or some drawn at random. Each training is kept as it
/// ends: after a kill, the same command goes on with those that are left.
#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-train sweep --model sentence-transformers/all-MiniLM-L6-v2 \
     --train runs/try/data/pairs_train.parquet --eval runs/try/data \
     --learning-rates 2e-5,5e-5 --output runs/try/sweep"
))]
pub struct SweepArgs {
    /// Folder for sweep.html, sweep.md, trials.jsonl and the winner's model; it appears whole or
    /// not at all, and the trainings lie beside it until then
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Folder with corpus, queries_test and qrels_test (.parquet), to measure the winner on once
    /// [default: that of --eval, if it has them]
    #[arg(long, value_name = "DIR")]
    test: Option<PathBuf>,
    #[command(flatten)]
    recipe: Recipe,
    #[command(flatten)]
    grid: GridArgs,
}

/// What was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Found {
    /// Every training, the best on dev first.
    pub trials: Vec<SweepTrial>,
    /// The winner on test, where there is one.
    pub test: Option<OnTest>,
}

/// nDCG@10 of the winner on test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OnTest {
    pub queries: usize,
    pub before: f64,
    pub after: f64,
    /// The 95 % interval of the difference.
    pub interval: Option<(f64, f64)>,
}

/// Runs the command.
///
/// # Errors
/// As `encoder`; or if there is no dev split, or but one combination to try.
pub fn run(args: &SweepArgs, common: &Common) -> Result<Outcome> {
    let recipe = &args.recipe;
    check(recipe)?;
    recipe.check_whole("sweep")?;
    let points = args.grid.points(recipe, common.seed)?;
    let threads = prepare(common)?;
    let sweep = Sweep {
        recipe,
        losses: args.grid.losses(recipe),
        points,
        output: &args.output,
        threads: &threads,
        common,
    };
    let test = args.test_folder();
    let lineage = args.lineage(test, common)?;
    let write = |results: Results<'_>| -> Result<Found> {
        let trials = sweep.run()?;
        let model = results.folder.join(MODEL);
        copy(&sweep.winner(), &model)?;
        let test = match test {
            Some(folder) => Some(args.on_test(folder, &model, &threads, common)?),
            None => None,
        };
        let found = Found { trials, test };
        let lines = found.trials.iter().map(serde_json::to_string);
        let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
        results.write("trials.jsonl", &(lines.join("\n") + "\n"))?;
        results.write("sweep.md", &pages::markdown(&found))?;
        results.write(
            "sweep.html",
            &pages::page(&found, &recipe.model.to_string()),
        )?;
        Ok(found)
    };
    let (found, is_old) = kept_results(&args.output, &lineage, common.force, write)?;
    if !is_old {
        sweep.clear()?;
    }
    let text = match common.json {
        true => serde_json::to_string(&found)? + "\n",
        false => pages::markdown(&found),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(Outcome::Done)
}

impl SweepArgs {
    /// Returns the folder of the test split: the one that is named, or that of dev if it has one.
    fn test_folder(&self) -> Option<&Path> {
        if let Some(folder) = &self.test {
            return Some(folder);
        }
        let folder = self.recipe.data.eval.as_deref()?;
        let has = |name: &str| folder.join(format!("{name}.parquet")).is_file();
        let has_test = has("queries_test") && has("qrels_test");
        if !has_test {
            tracing::warn!(
                "{} has no queries_test and qrels_test: the winner is not measured on what nothing was chosen by",
                folder.display()
            );
        }
        has_test.then_some(folder)
    }

    fn lineage(&self, test: Option<&Path>, common: &Common) -> Result<Lineage> {
        let mut lineage = self.recipe.lineage("train sweep", common.seed)?;
        lineage.options["grid"] = serde_json::to_value(&self.grid)?;
        for name in ["queries_test", "qrels_test"] {
            if let Some(folder) = test {
                let file = folder.join(format!("{name}.parquet"));
                lineage = lineage.with_input(name, &file.display().to_string())?;
            }
        }
        if let Some(folder) = &self.test {
            let file = folder.join("corpus.parquet");
            lineage = lineage.with_input("test corpus", &file.display().to_string())?;
        }
        Ok(lineage)
    }

    fn on_test(
        &self,
        folder: &Path,
        model: &Path,
        threads: &Threads,
        common: &Common,
    ) -> Result<OnTest> {
        tracing::info!("measuring the winner on test");
        let device = self.recipe.training.device.resolve()?;
        let size = self.recipe.data.eval_corpus_size;
        let scores = |model: &Path| -> Result<_> {
            let mut encoder = SentenceEncoder::load(model, device)?;
            self.recipe.data.shape(&mut encoder)?;
            let evaluator = threads.block_on(async {
                let session = session(1)?;
                RetrievalEvaluator::read(&session, folder, "test", size, &encoder).await
            })?;
            Ok((evaluator.scores(&encoder)?, evaluator.clusters().clone()))
        };
        let (before, clusters) = scores(self.recipe.model.folder()?)?;
        let (after, _) = scores(model)?;
        let (_, interval) = gain(&before, &after, &clusters, common.seed);
        Ok(OnTest {
            queries: after.len(),
            before: mean_ndcg(&before),
            after: mean_ndcg(&after),
            interval,
        })
    }
}

/// Copies a model folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let cannot = || format!("cannot copy {}", from.display());
    fs::create_dir_all(to).with_context(cannot)?;
    for entry in fs::read_dir(from).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy(&path, &copied)?,
            false => fs::copy(&path, &copied).map(|_| ()).with_context(cannot)?,
        }
    }
    Ok(())
}
