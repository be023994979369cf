//! Options of `corpus`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use pairmill_cli::numbers::positive_whole;
use pairmill_cli::{UsageError, example};
use pairmill_generate::{
    CorpusOptions, DocumentFormat, DocumentTable, IntakeOptions, ModelQueryOptions, PassageTitles,
    QueryMaker,
};
use pairmill_language_model::{AskOptions, Endpoint, EndpointOptions, LanguageModelError};

use crate::input_args::{FilterArgs, OutArgs};

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-generate corpus --input data/docs --output runs/try/docs"
))]
pub struct CorpusArgs {
    /// Files and folders, searched to any depth, of Markdown (.md, .mdx), reStructuredText (.rst),
    /// HTML (.html, .htm) and plain text (.txt), in UTF-8 or as a page declares; or one table of
    /// documents: Parquet, CSV, JSON Lines or Arrow IPC, a file, folder or glob, `-` for a stream
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    pub input: Vec<String>,
    #[command(flatten)]
    pub out: OutArgs,
    /// Use only N documents, chosen by a hash of their paths or ids [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Most tokens of a passage, its title not counted; it ends with a paragraph, else with a
    /// sentence, else with a word
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: u32,
    /// Count tokens by a Hugging Face tokenizer.json [default: count words between white space]
    #[arg(long, value_name = "FILE")]
    tokenizer: Option<PathBuf>,
    /// What asks for passages, parted by commas; the column `maker` of the pairs says which did
    /// [default: headings,titles,sentences, and model with --endpoint]
    #[arg(long, value_enum, value_name = "MAKERS", value_delimiter = ',')]
    queries: Option<Vec<QueryMaker>>,
    /// What the title of a passage is
    #[arg(long, value_enum, value_name = "TITLES", default_value_t)]
    passage_titles: PassageTitles,
    /// A heading that more than N documents have says nothing alone, nor does one like `Overview`:
    /// it asks behind the document's title (`Title: Overview`), or not at all where there is none
    /// or only links follow (`See also`). A passage that more than N documents have below a heading
    /// answers none
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    max_documents_per_heading: u32,
    /// Random negatives for each anchor in the labelled pairs, from other documents
    #[arg(long, value_name = "N", default_value_t = 1)]
    negatives_per_anchor: u32,
    #[command(flatten)]
    table: DocumentTableArgs,
    #[command(flatten)]
    model: LanguageModelArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "A table of documents")]
struct DocumentTableArgs {
    /// Column of the ids [default: id; without one, ids are made from the content]
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// Column of the titles [default: title]
    #[arg(long, value_name = "NAME")]
    title_column: Option<String>,
    /// Column of the texts [default: text]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// What the texts are
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    text_format: DocumentFormat,
    #[command(flatten)]
    filter: FilterArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "A language model")]
struct LanguageModelArgs {
    /// Let a language model write queries: the address of an endpoint of OpenAI's chat form, such
    /// as http://localhost:8080/v1 (llama.cpp, Ollama, vLLM or a hosted one). Its key, if it wants
    /// one, is read from the variable OPENAI_API_KEY
    #[arg(long, value_name = "URL", requires = "model")]
    endpoint: Option<String>,
    /// The model's name, as the endpoint calls it
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    model: Option<String>,
    /// A file with the key, in place of the variable
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    api_key_file: Option<PathBuf>,
    /// Five to eight queries of real people to follow, one on each line of a file [default: full
    /// questions for one half of the passages, keywords for the other]
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    examples: Option<PathBuf>,
    /// Passages to ask about at most, one of each document in turn
    #[arg(long, value_name = "N", requires = "endpoint", default_value_t = 1_000, value_parser = positive_whole)]
    passages: usize,
    /// Queries to ask for about each
    #[arg(long, value_name = "N", requires = "endpoint", default_value_t = 3, value_parser = positive_whole)]
    queries_per_passage: usize,
    /// Send no more than N requests in this run, those that fail included; the same command then
    /// goes on with the passages that are left
    #[arg(long, value_name = "N", requires = "endpoint", value_parser = clap::value_parser!(u64).range(1..))]
    max_requests: Option<u64>,
    /// Requests to begin in a minute at most
    #[arg(long, value_name = "N", requires = "endpoint", value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_minute: Option<u32>,
    /// Requests at the same time
    #[arg(long, value_name = "N", requires = "endpoint", default_value_t = 4, value_parser = positive_whole)]
    concurrency: usize,
    /// Further tries of a request that fails in a way that may pass: no connection, status 429 or
    /// 5xx, no answer in time
    #[arg(long, value_name = "N", requires = "endpoint", default_value_t = 5)]
    retries: u32,
    /// Seconds to wait for an answer
    #[arg(long, value_name = "SECONDS", requires = "endpoint", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// How much chance there is in the answers, from 0 [default: as the endpoint has it]
    #[arg(long, value_name = "T", requires = "endpoint", value_parser = temperature)]
    temperature: Option<f64>,
    /// Tokens of an answer at most
    #[arg(long, value_name = "N", requires = "endpoint", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    max_answer_tokens: u32,
    /// The file that keeps the answers, so that none is asked for twice [default: the output with
    /// `-answers.jsonl` behind its name]
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    answers: Option<PathBuf>,
}

fn temperature(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=2.0).contains(&number) => Ok(number),
        _ => Err("expected a number from 0 to 2".to_owned()),
    }
}

impl CorpusArgs {
    /// Returns what the library is to do.
    pub fn options(self) -> anyhow::Result<CorpusOptions> {
        let queries = self.makers()?;
        let language_model = self.model.options(&self.out.output)?;
        let limit = self
            .limit
            .map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
        Ok(CorpusOptions {
            max_tokens: self.max_tokens as usize,
            tokenizer: self.tokenizer,
            queries,
            language_model,
            passage_titles: self.passage_titles,
            max_documents_per_heading: self.max_documents_per_heading,
            negatives_per_anchor: self.negatives_per_anchor as usize,
            split: self.out.split,
            same_text: self.out.same_text,
            limit,
            table: DocumentTable {
                id_column: self.table.id_column,
                title_column: self.table.title_column,
                text_column: self.table.text_column,
                text_format: self.table.text_format,
                intake: IntakeOptions {
                    filter: self.table.filter.filter,
                    ..IntakeOptions::default()
                },
            },
        })
    }

    fn makers(&self) -> Result<Vec<QueryMaker>, UsageError> {
        let is_asked = self.model.endpoint.is_some();
        let usage = |message: &str| Err(UsageError(message.to_owned()));
        match &self.queries {
            None => {
                let model = is_asked.then_some(QueryMaker::Model);
                Ok(QueryMaker::WITHOUT_MODEL.into_iter().chain(model).collect())
            }
            Some(makers) => match (makers.contains(&QueryMaker::Model), is_asked) {
                (true, false) => usage("--queries model needs --endpoint and --model"),
                (false, true) => usage("--endpoint is of no use without `model` in --queries"),
                _ => Ok(makers.clone()),
            },
        }
    }
}

impl LanguageModelArgs {
    fn options(&self, output: &Path) -> anyhow::Result<Option<Box<ModelQueryOptions>>> {
        let (Some(url), Some(model)) = (&self.endpoint, &self.model) else {
            return Ok(None);
        };
        let endpoint = EndpointOptions {
            url: url.clone(),
            key: self.api_key_file.as_deref().map(key).transpose()?,
            timeout: Duration::from_secs(self.timeout),
        };
        // What is wrong with the address is said before documents are read.
        Endpoint::new(endpoint.clone())?;
        let mut beside = output.as_os_str().to_owned();
        beside.push("-answers.jsonl");
        Ok(Some(Box::new(ModelQueryOptions {
            model: model.clone(),
            passages: self.passages,
            queries_per_passage: self.queries_per_passage,
            examples: self.examples.as_deref().map_or(Ok(Vec::new()), examples)?,
            temperature: self.temperature,
            max_answer_tokens: self.max_answer_tokens,
            endpoint,
            ask: AskOptions {
                answers: self.answers.clone().unwrap_or_else(|| beside.into()),
                concurrency: self.concurrency,
                max_requests: self.max_requests,
                requests_per_minute: self.requests_per_minute,
                retries: self.retries,
            },
        })))
    }
}

/// Returns the lines of a file that are not blank.
fn examples(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("--examples {}: cannot be read", path.display()))?;
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    anyhow::ensure!(
        !lines.is_empty(),
        "--examples {}: it is empty; expected a query on each line",
        path.display()
    );
    Ok(lines)
}

fn key(path: &Path) -> Result<String, LanguageModelError> {
    let unusable = |detail: String| LanguageModelError::KeyFile {
        path: path.to_owned(),
        detail,
    };
    let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    match text.trim() {
        "" => Err(unusable("it is empty".to_owned())),
        key if key.contains(char::is_whitespace) => {
            Err(unusable("it has more than one word".to_owned()))
        }
        key => Ok(key.to_owned()),
    }
}
