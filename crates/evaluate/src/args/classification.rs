use pairmill_cli::numbers::positive_whole;
use pairmill_cli::{Common, UsageError, example};
use pairmill_evaluate::{Classification, Task};
use pairmill_tables::ColumnNames;

use super::{ModelArgs, OutputArgs, Request, refuse_stdin};

#[derive(Debug, clap::Args)]
#[command(before_help = example(
    "pairmill-evaluate classification --model runs/try/model \
     --train runs/try/tickets/tickets_train.parquet \
     --test runs/try/tickets/tickets_test.parquet"
))]
pub struct ClassificationArgs {
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
    /// Nearest training tickets that vote on a category
    #[arg(long, value_name = "K", default_value_t = 10, value_parser = positive_whole)]
    neighbours: usize,
    /// Training tickets to draw of each category, as MTEB does with 8 [default: all]
    #[arg(long, value_name = "N", value_parser = positive_whole)]
    samples_per_label: Option<usize>,
    /// How often to draw them; the figures are means
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = positive_whole, requires =
        "samples_per_label")]
    experiments: usize,
    /// Column of the test tickets of which equal values make them one unit of the intervals and
    /// tests, such as their thread [default: tickets of one text are one]
    #[arg(long, visible_alias = "thread-column", value_name = "NAME")]
    cluster_column: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

impl ClassificationArgs {
    pub fn request(&self, common: &Common) -> Result<Request<'_>, UsageError> {
        refuse_stdin([("train", &self.train), ("test", &self.test)])?;
        let task = Task::Classification(Classification {
            models: self.models.models(common)?,
            train: self.train.clone(),
            test: self.test.clone(),
            names: ColumnNames::new([
                ("text", self.text_column.as_deref()),
                ("category", self.category_column.as_deref()),
            ])
            .with_optional("id"),
            neighbours: self.neighbours,
            samples_per_label: self.samples_per_label,
            experiments: self.experiments,
            cluster_column: self.cluster_column.clone(),
        });
        Ok(Request {
            task,
            output: &self.output,
            thresholds: &self.models.fail_on_regression,
        })
    }
}
