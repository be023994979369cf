use std::path::PathBuf;

use clap::{Parser, Subcommand};
use pairmill_cli::{Common, UsageError};
use pairmill_evaluate::{
    Classification, Device, Frame, Models, Pairs, RankedRun, Regression, Retrieval, Similarity,
    Task, Triplets,
};
use pairmill_hub::ModelSource;
use pairmill_tables::ColumnNames;

/// Evaluate sentence-embedding models: figures of a model, beside those of a baseline
#[derive(Debug, Parser)]
#[command(name = "pairmill-evaluate", version)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Exact search over a corpus, against judgements
    Retrieval {
        #[command(flatten)]
        models: ModelArgs,
        /// Documents: id, title, text
        #[arg(long, value_name = "FILE")]
        corpus: String,
        /// Queries: id, text
        #[arg(long, value_name = "FILE")]
        queries: String,
        /// Judgements: query_id, corpus_id, score
        #[arg(long, value_name = "FILE")]
        qrels: String,
        /// Column of the corpus that holds the id
        #[arg(long, value_name = "NAME")]
        id_column: Option<String>,
        /// Column of the corpus that holds the title
        #[arg(long, value_name = "NAME")]
        title_column: Option<String>,
        /// Column of the corpus that holds the text
        #[arg(long, value_name = "NAME")]
        text_column: Option<String>,
        /// Text put before each query, such as "query: " [default: what the model's folder says]
        #[arg(long, value_name = "TEXT")]
        query_prompt: Option<String>,
        /// Text put before each document [default: what the model's folder says]
        #[arg(long, value_name = "TEXT")]
        document_prompt: Option<String>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Similarity of sentences against human scores
    Similarity {
        #[command(flatten)]
        models: ModelArgs,
        /// Pairs: sentence1, sentence2, score (`-` reads an Arrow IPC stream from standard input)
        #[arg(long, value_name = "FILE")]
        pairs: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Pairs of sentences of the same or another meaning
    Pairs {
        #[command(flatten)]
        models: ModelArgs,
        /// Pairs: sentence1, sentence2, label, or a score of 0 or 1 in its place (`-` reads an
        /// Arrow IPC stream from standard input)
        #[arg(long, value_name = "FILE")]
        pairs: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// An anchor nearer to its positive than to its negative
    Triplets {
        #[command(flatten)]
        models: ModelArgs,
        /// Triplets: anchor, positive, negative (`-` reads an Arrow IPC stream from standard input)
        #[arg(long, value_name = "FILE")]
        triplets: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Categories of tickets, told from their embeddings
    Classification {
        #[command(flatten)]
        models: ModelArgs,
        /// Tickets whose categories are known: text, category
        #[arg(long, value_name = "FILE")]
        train: String,
        /// Tickets whose categories are to be told: text, category
        #[arg(long, value_name = "FILE")]
        test: String,
        /// Column that holds the text
        #[arg(long, value_name = "NAME")]
        text_column: Option<String>,
        /// Column that holds the category
        #[arg(long, value_name = "NAME")]
        category_column: Option<String>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// A ranked run, whoever made it; no model
    Run {
        /// Ranked run: query_id, corpus_id, rank, score
        #[arg(long, value_name = "FILE")]
        run: String,
        /// Judgements: query_id, corpus_id, score
        #[arg(long, value_name = "FILE")]
        qrels: String,
        #[command(flatten)]
        output: OutputArgs,
    },
}

#[derive(Debug, clap::Args)]
struct ModelArgs {
    /// Folder of the model, in the sentence-transformers format, or its id on the Hugging Face Hub
    #[arg(long, value_name = "DIR_OR_ID")]
    model: ModelSource,
    /// The model to compare it with
    #[arg(long, value_name = "DIR_OR_ID")]
    baseline: Option<ModelSource>,
    /// Where the models run
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
    /// Texts of full length in one forward pass; of shorter ones, as many as make up as many tokens
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = at_least_one)]
    batch_size: usize,
    /// Longest text in tokens, the rest is cut [default: what the model's folder says]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    max_length: Option<usize>,
    /// Exit with code 3 if METRIC is below that of the baseline by more than BY [default: 0]; may
    /// be repeated
    #[arg(long, value_name = "METRIC[:BY]", requires = "baseline")]
    fail_on_regression: Vec<Regression>,
}

#[derive(Debug, clap::Args)]
struct OutputArgs {
    /// Folder for the figures, a report and what they rest on
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// A validated command line.
pub struct Job {
    pub task: Task,
    pub frame: Frame,
    pub thresholds: Vec<Regression>,
}

impl Args {
    /// Checks what clap cannot.
    ///
    /// # Errors
    /// A [`UsageError`].
    pub fn validate(&self) -> Result<Job, UsageError> {
        let (task, output, thresholds) = self.command.task()?;
        let known = task.metrics();
        for threshold in &thresholds {
            if !known.contains(&threshold.metric) {
                return Err(UsageError(format!(
                    "--fail-on-regression {}: no such metric here; expected one of {}",
                    threshold.metric,
                    known.join(", ")
                )));
            }
        }
        Ok(Job {
            task,
            frame: Frame {
                output: output.output.clone(),
                seed: self.common.seed,
                threads: self.common.threads(),
                force: self.common.force,
            },
            thresholds,
        })
    }
}

impl Command {
    fn task(&self) -> Result<(Task, &OutputArgs, Vec<Regression>), UsageError> {
        Ok(match self {
            Self::Retrieval {
                models,
                corpus,
                queries,
                qrels,
                id_column,
                title_column,
                text_column,
                query_prompt,
                document_prompt,
                output,
            } => {
                refuse_stdin([("corpus", corpus), ("queries", queries), ("qrels", qrels)])?;
                let task = Task::Retrieval(Retrieval {
                    models: Models {
                        query_prompt: query_prompt.clone(),
                        document_prompt: document_prompt.clone(),
                        ..models.models()
                    },
                    corpus: corpus.clone(),
                    names: ColumnNames::new([
                        ("id", id_column.as_deref()),
                        ("title", title_column.as_deref()),
                        ("text", text_column.as_deref()),
                    ]),
                    queries: queries.clone(),
                    qrels: qrels.clone(),
                });
                (task, output, models.fail_on_regression.clone())
            }
            Self::Similarity {
                models,
                pairs,
                output,
            } => {
                let task = Task::Similarity(Similarity {
                    models: models.models(),
                    pairs: pairs.clone(),
                });
                (task, output, models.fail_on_regression.clone())
            }
            Self::Pairs {
                models,
                pairs,
                output,
            } => {
                let task = Task::Pairs(Pairs {
                    models: models.models(),
                    pairs: pairs.clone(),
                });
                (task, output, models.fail_on_regression.clone())
            }
            Self::Triplets {
                models,
                triplets,
                output,
            } => {
                let task = Task::Triplets(Triplets {
                    models: models.models(),
                    triplets: triplets.clone(),
                });
                (task, output, models.fail_on_regression.clone())
            }
            Self::Classification {
                models,
                train,
                test,
                text_column,
                category_column,
                output,
            } => {
                refuse_stdin([("train", train), ("test", test)])?;
                let task = Task::Classification(Classification {
                    models: models.models(),
                    train: train.clone(),
                    test: test.clone(),
                    names: ColumnNames::new([
                        ("text", text_column.as_deref()),
                        ("category", category_column.as_deref()),
                    ])
                    .with_optional("id"),
                });
                (task, output, models.fail_on_regression.clone())
            }
            Self::Run { run, qrels, output } => {
                refuse_stdin([("run", run), ("qrels", qrels)])?;
                let task = Task::RankedRun(RankedRun {
                    run: run.clone(),
                    qrels: qrels.clone(),
                });
                (task, output, Vec::new())
            }
        })
    }
}

impl ModelArgs {
    fn models(&self) -> Models {
        Models {
            model: self.model.clone(),
            baseline: self.baseline.clone(),
            device: self.device,
            batch_size: self.batch_size,
            max_length: self.max_length,
            query_prompt: None,
            document_prompt: None,
        }
    }
}

fn refuse_stdin<'a>(
    inputs: impl IntoIterator<Item = (&'a str, &'a String)>,
) -> Result<(), UsageError> {
    match inputs.into_iter().find(|(_, input)| *input == "-") {
        Some((flag, _)) => Err(UsageError(format!(
            "--{flag} -: this command has several inputs, so none is read from standard input; give a file"
        ))),
        None => Ok(()),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number from 1 up".to_owned()),
        Ok(number) => Ok(number),
    }
}
