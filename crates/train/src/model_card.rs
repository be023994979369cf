use std::fmt::Write as _;
use std::path::Path;

use pairmill_checkpoint::{CardFigure, CardHeader, CardResult, write};
use pairmill_hub::ModelSource;
use pairmill_modeling::ModelError;
use pairmill_report::format::{count, counted};
use pairmill_report::markdown::{code, plain};
use pairmill_tables::{Lineage, Threads, row_count, session};

use crate::error::Result;
use crate::options::Hyperparameters;
use crate::report::{Delivered, Report};

/// The card of a trained model, its `README.md`: for people, and with the header that the Hugging
/// Face Hub reads, in the form in which sentence-transformers writes it.
#[derive(Debug)]
pub(crate) struct ModelCard<'a> {
    pub kind: Kind,
    pub base: BaseModel,
    /// Names and classes of the losses.
    pub losses: Vec<(&'static str, &'static str)>,
    pub max_length: usize,
    /// More rows of the table of what the model is.
    pub facts: Vec<(&'static str, String)>,
    pub data: Vec<TrainingFile>,
    pub training: &'a Hyperparameters,
    pub report: &'a Report,
}

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By the name of the similarity that it is compared by.
    Encoder {
        similarity: &'static str,
    },
    CrossEncoder,
}

/// The model that training began with.
#[derive(Debug)]
pub(crate) struct BaseModel {
    name: String,
    id: Option<String>,
    header: CardHeader,
}

/// A table that was trained on.
#[derive(Debug)]
pub(crate) struct TrainingFile {
    name: String,
    /// `None` where they cannot be counted again.
    rows: Option<usize>,
    blake3: String,
}

impl BaseModel {
    /// Reads what a model's card says of it.
    pub fn of(source: &ModelSource) -> Self {
        Self {
            name: source.name(),
            id: source.id().map(str::to_owned),
            header: CardHeader::of(&source.card().unwrap_or_default()),
        }
    }
}

impl TrainingFile {
    /// Counts the rows of the tables, whose hashes are those of the lineage.
    pub fn all<'f>(
        threads: &Threads,
        files: impl IntoIterator<Item = &'f str>,
        lineage: &Lineage,
    ) -> Result<Vec<Self>> {
        let session = session(1)?;
        let files = (1..).zip(files).map(|(number, file)| {
            let hash = lineage.inputs.get(&format!("train {number}"));
            let name = Path::new(file).file_name();
            Self {
                name: name.map_or(file.into(), |name| name.to_string_lossy().into_owned()),
                rows: threads.block_on(row_count(&session, file)).ok(),
                blake3: hash.cloned().unwrap_or_default(),
            }
        });
        Ok(files.collect())
    }
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Self::Encoder { .. } => "SentenceTransformer",
            Self::CrossEncoder => "CrossEncoder",
        }
    }

    fn pipeline_tag(self) -> &'static str {
        match self {
            Self::Encoder { .. } => "sentence-similarity",
            Self::CrossEncoder => "text-ranking",
        }
    }

    fn tags(self) -> &'static [&'static str] {
        match self {
            Self::Encoder { .. } => &[
                "sentence-transformers",
                "sentence-similarity",
                "feature-extraction",
                "dense",
            ],
            Self::CrossEncoder => &["sentence-transformers", "cross-encoder", "reranker"],
        }
    }

    /// Key and name of the task of the dev split, as the library's evaluators have them.
    fn task(self) -> (&'static str, &'static str) {
        match self {
            Self::Encoder { .. } => ("information-retrieval", "Information Retrieval"),
            Self::CrossEncoder => (
                "cross-encoder-binary-classification",
                "Cross Encoder Binary Classification",
            ),
        }
    }

    /// A figure of dev as it is called there.
    fn figure(self, metric: &str, value: f64) -> CardFigure {
        match (self, metric) {
            (Self::Encoder { similarity }, metric) => {
                CardFigure::new(format!("{similarity}_{metric}"), value)
            }
            (Self::CrossEncoder, "ap") => CardFigure::new("average_precision", value),
            (Self::CrossEncoder, other) => CardFigure::new(other, value),
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Encoder { .. } => "A sentence-embedding model",
            Self::CrossEncoder => {
                "A cross-encoder, which scores how well a text answers a query (sigmoid of one \
                 logit)"
            }
        }
    }

    fn usage(self) -> &'static str {
        match self {
            Self::Encoder { .. } => {
                "from sentence_transformers import SentenceTransformer\n\n\
                 model = SentenceTransformer(\"path/to/this/folder\")\n\
                 queries = model.encode_query([\"a question\"])\n\
                 documents = model.encode_document([\"a text\"])\n\
                 print(model.similarity(queries, documents))\n"
            }
            Self::CrossEncoder => {
                "from sentence_transformers import CrossEncoder\n\n\
                 model = CrossEncoder(\"path/to/this/folder\")\n\
                 print(model.predict([(\"a question\", \"a text\")]))\n"
            }
        }
    }

    /// How figures of a test split are made.
    fn evaluation(self) -> &'static str {
        match self {
            Self::Encoder { .. } => {
                "pairmill-evaluate retrieval --model THIS_FOLDER --baseline BASE_MODEL \\\n    \
                 --corpus CORPUS --queries QUERIES --qrels QRELS --output report"
            }
            Self::CrossEncoder => {
                "pairmill-evaluate rerank --model THIS_FOLDER --run RUN \\\n    \
                 --corpus CORPUS --queries QUERIES --qrels QRELS --output report"
            }
        }
    }
}

impl ModelCard<'_> {
    /// Writes `README.md` into a model folder.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let text = self.header().card(&self.body());
        Ok(write(&folder.join("README.md"), text).map_err(ModelError::from)?)
    }

    fn title(&self) -> String {
        format!("{} based on {}", self.kind.class(), self.base.name)
    }

    /// The YAML for the Hub.
    fn header(&self) -> CardHeader {
        let base = &self.base.header;
        let mut yaml = String::new();
        for field in ["language", "license", "license_name", "license_link"] {
            yaml += &base.field(field);
        }
        yaml += "library_name: sentence-transformers\n";
        let _ = writeln!(yaml, "pipeline_tag: {}", self.kind.pipeline_tag());
        match &self.base.id {
            Some(id) => _ = writeln!(yaml, "base_model: {id}"),
            // A folder has no id, but may say which model it was made from.
            None => yaml += &base.field("base_model"),
        }
        yaml += "tags:\n";
        let tags = self.kind.tags().iter().map(|&tag| tag.to_owned());
        let size = format!("dataset_size:{}", self.report.rows);
        let losses = self.losses.iter();
        let losses = losses.map(|(_, class)| format!("loss:{class}"));
        for tag in tags.chain(["pairmill".to_owned(), size]).chain(losses) {
            let _ = writeln!(yaml, "- {tag}");
        }
        let (Some(metric), Some(score)) = (&self.report.metric, self.report.best_score) else {
            return CardHeader::of_yaml(yaml);
        };
        let (task, task_name) = self.kind.task();
        let figure = self.kind.figure(metric, score);
        let _ = write!(yaml, "metrics:\n- {}\n", figure.key);
        let result = CardResult {
            task,
            task_name,
            dataset: "dev",
            figures: vec![figure],
        };
        CardHeader::of_yaml(yaml).with_result(&self.title(), &result)
    }

    fn body(&self) -> String {
        let mut body = format!("# {}\n\n{}\n", plain(&self.title()), self.opening());
        self.model(&mut body);
        self.data(&mut body);
        self.settings(&mut body);
        self.figures(&mut body);
        let _ = write!(
            body,
            "\n## How to use it\n\n```python\n{}```\n",
            self.kind.usage()
        );
        body
    }

    fn opening(&self) -> String {
        let base = code(&self.base.name);
        let version = env!("CARGO_PKG_VERSION");
        let rows = counted(self.report.rows as u64, "rows");
        match (self.report.delivered, self.report.weights_moved) {
            (Delivered::Start, _) => format!(
                "**This is {base} itself**: Pairmill {version} trained it on {rows}, and no step \
                 scored as high on the dev split as the start."
            ),
            (_, false) => format!(
                "**This is {base} itself**: Pairmill {version} trained it on {rows}, and no weight \
                 has changed."
            ),
            _ => format!(
                "{}: {base} fine-tuned by Pairmill {version} on {rows}.",
                self.kind.what()
            ),
        }
    }

    fn model(&self, body: &mut String) {
        let of_base = |field: &str| match self.base.header.values(field) {
            values if values.is_empty() => "not said by the base model's card".to_owned(),
            values => format!("{}, by the base model's card", plain(&values.join(", "))),
        };
        body.push_str("\n## The model\n\n| | |\n|---|---|\n");
        let rows = [
            ("base model", code(&self.base.name)),
            ("licence", of_base("license")),
            ("language", of_base("language")),
            ("longest text", counted(self.max_length as u64, "tokens")),
        ];
        for (name, value) in rows.iter().chain(&self.facts) {
            let _ = writeln!(body, "| {name} | {value} |");
        }
    }

    fn data(&self, body: &mut String) {
        body.push_str("\n## Training data\n\n| file | rows | BLAKE3 |\n|---|--:|---|\n");
        for file in &self.data {
            let rows = file.rows.map_or("–".to_owned(), |rows| count(rows as u64));
            let name = code(&file.name).replace('|', "\\|");
            let _ = writeln!(body, "| {name} | {rows} | `{}` |", file.blake3);
        }
        let _ = write!(
            body,
            "\nTrained on {}: rows of one pair are one, and rows of no use to the loss are left \
             out.\n",
            counted(self.report.rows as u64, "rows")
        );
    }

    fn settings(&self, body: &mut String) {
        let training = self.training;
        let losses = self.losses.iter().map(|(name, _)| *name);
        let rows = [
            ("loss", losses.collect::<Vec<_>>().join(", ")),
            ("epochs", training.num_train_epochs.to_string()),
            ("steps", count(self.report.steps)),
            ("batch size", training.batch_size.to_string()),
            (
                "rows of a batch, mean",
                format!("{:.1}", self.report.batch_rows),
            ),
            ("learning rate", training.learning_rate.to_string()),
            ("warm-up ratio", training.warmup_ratio.to_string()),
            ("weight decay", training.weight_decay.to_string()),
        ];
        body.push_str("\n## Training\n\n| setting | value |\n|---|---|\n");
        for (setting, value) in rows {
            let _ = writeln!(body, "| {setting} | {value} |");
        }
        body.push_str("\nAll options and the hashes of all inputs are in `lineage.json`.\n");
    }

    fn figures(&self, body: &mut String) {
        body.push_str("\n## How well it does\n");
        let report = self.report;
        if let (Some(metric), Some(before), Some(trained)) =
            (&report.metric, report.score_before, report.trained_score)
        {
            let steps = report.steps;
            let _ = match report.delivered {
                Delivered::Start => write!(
                    body,
                    "\nOn the dev split {metric} fell from {before:.4} to {trained:.4} at best in \
                     {steps} steps.\n",
                ),
                _ => write!(
                    body,
                    "\nOn the dev split {metric} {} from {before:.4} to {trained:.4} (step {} of \
                     {steps}). The best step was chosen by this figure, so it flatters.\n",
                    if trained < before { "fell" } else { "rose" },
                    report.best_step,
                ),
            };
        }
        let _ = write!(
            body,
            "\nFigures of questions that training has not seen, with intervals, are made by this{}:\n\
             \n```sh\n{}\n```\n",
            match self.kind {
                Kind::Encoder { .. } => {
                    "; `report/model_card.md` is then this card with those figures"
                }
                Kind::CrossEncoder => "",
            },
            self.kind.evaluation()
        );
    }
}
