use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, FixedSizeListArray, Float32Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use pairmill_checkpoint::Side;
use pairmill_cli::Progress;
use pairmill_report::format::counted;
use pairmill_schema::hash_key;
use pairmill_tables::{
    ColumnNames, Lineage, NpyOutput, OpenTable, Table, TableOutput, TableReader, is_stream,
    passage, string_column,
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::duplicate_ids::DuplicateIds;
use crate::error::{EvaluateError, Result};
use crate::items::write::batch;
use crate::models::options::Models;
use crate::ranked::equal_texts::{EmbedOnce, EqualTexts};
use pairmill_retrieval::Embeddings;

/// Texts embedded and written at a time: enough to sort by length, few enough to hold.
const BLOCK: usize = 8_192;

/// The texts of a table as vectors, a row for each row of the table, in its order.
#[derive(Debug, Clone)]
pub struct Embed {
    /// The model; a baseline is left alone.
    pub models: Models,
    /// What the texts are to a search, which decides the prompt before them.
    pub side: Side,
    /// The table of texts.
    pub input: String,
    /// Its columns under other names.
    pub names: ColumnNames,
    /// Whether to scale each vector to length 1.
    pub normalize: bool,
    /// How many components to keep; all where it is `None`.
    pub truncate_dim: Option<usize>,
    /// A table with `id` and `embedding`, or an array of NumPy.
    pub output: PathBuf,
    /// The seed, for the lineage: nothing is drawn.
    pub seed: u64,
    /// Threads to use.
    pub threads: usize,
    /// Work even where the output is up to date.
    pub force: bool,
}

/// What [`Embed`] came to.
#[derive(Debug, Clone, Serialize)]
pub struct EmbedReport {
    /// Whether the vectors were there already.
    pub up_to_date: bool,
    /// Where they are.
    pub output: PathBuf,
    #[serde(flatten)]
    vectors: Option<Vectors>,
}

/// What there is to say of the vectors.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Vectors {
    texts: u64,
    dimension: usize,
    /// Texts without a letter.
    empty: u64,
    warnings: Vec<String>,
}

/// What is known of a table before its texts are embedded.
#[derive(Default)]
struct Contents {
    rows: u64,
    empty: u64,
    equal_texts: EqualTexts,
}

impl Embed {
    /// Writes the vectors, unless they are there already.
    ///
    /// # Errors
    /// If the input or the model is at fault, or the output cannot be written.
    pub fn run(&self) -> Result<EmbedReport> {
        let options = (
            self.models.options(),
            &self.names,
            match self.side {
                Side::Query => "queries",
                Side::Document => "documents",
                Side::Text => "texts",
            },
            self.normalize,
            self.truncate_dim,
        );
        let lineage = Lineage::new("evaluate embed", &options, self.seed);
        let lineage = self
            .models
            .add_to(lineage.with_input("texts", &self.input)?)?;
        let up_to_date = lineage.is_done(&self.output, self.force)?;
        let vectors = match up_to_date {
            true => {
                let figures = Lineage::figures(&self.output);
                figures.and_then(|figures| serde_json::from_value::<Vectors>(figures).ok())
            }
            false => Some(self.write(&lineage)?),
        };
        let warnings = vectors.iter().flat_map(|vectors| &vectors.warnings);
        warnings.for_each(|warning| tracing::warn!("{warning}"));
        let output = self.output.display();
        match &vectors {
            _ if up_to_date => tracing::info!("{output} is up to date"),
            Some(vectors) if !is_stream(&self.output) => tracing::info!(
                "wrote {output}: {} of {} components, in the order of {}",
                counted(vectors.texts, "vectors"),
                vectors.dimension,
                self.input
            ),
            _ => {}
        }
        Ok(EmbedReport {
            up_to_date,
            output: self.output.clone(),
            vectors,
        })
    }

    fn write(&self, lineage: &Lineage) -> Result<Vectors> {
        let reader = TableReader::new(self.threads)?;
        let table = self.open(&reader)?;
        let contents = self.look_through(&table)?;
        let encoders = Models {
            baseline: None,
            ..self.models.clone()
        }
        .load()?;
        let encoder = &encoders.model;
        let dimension = match self.truncate_dim {
            Some(wanted) if wanted > encoder.dimension() => {
                return Err(EvaluateError::TooFewDimensions {
                    model: encoder.name().to_owned(),
                    wanted,
                    found: encoder.dimension(),
                });
            }
            kept => kept.unwrap_or(encoder.dimension()),
        };
        let mut output = Output::create(&self.output, contents.rows, dimension, lineage)?;
        let mut written = 0;
        let progress = Progress::new("embedding", "texts", Some(contents.rows));
        let mut once = EmbedOnce::new(&contents.equal_texts);
        self.for_each_block(&table, |ids, texts| {
            written += texts.len() as u64;
            if written > contents.rows {
                return Err(self.changed());
            }
            let found = once.embed(texts, |texts| {
                encoder.embed_raw(texts, self.side, &progress)
            })?;
            output.write(ids, self.shaped(found, dimension))
        })?;
        drop(progress);
        if written < contents.rows {
            return Err(self.changed());
        }
        let empty = (contents.empty > 0).then(|| {
            let texts = counted(contents.rows, "texts");
            match contents.empty {
                1 => format!("1 of {texts} is empty; its vector says nothing"),
                empty => format!("{empty} of {texts} are empty; their vectors say nothing"),
            }
        });
        let vectors = Vectors {
            texts: contents.rows,
            dimension,
            empty: contents.empty,
            warnings: encoders.warnings().into_iter().chain(empty).collect(),
        };
        output.finish(&vectors)?;
        Ok(vectors)
    }

    fn open<'a>(&self, reader: &'a TableReader) -> Result<OpenTable<'a>> {
        let names = match is_npy(&self.output) {
            true => self.names.clone().with_optional("id"),
            false => self.names.clone(),
        };
        Ok(match self.side {
            // Only of queries is a column `question` the text.
            Side::Query => reader.open(&self.input, Table::Queries, &names, &["id", "text"])?,
            Side::Document | Side::Text => {
                let columns = ["id", "title", "text"];
                reader.open(&self.input, Table::Corpus, &names, &columns)?
            }
        })
    }

    /// Counts the rows, finds the texts that come more than once, and refuses an id that stands for
    /// two of them where ids are written.
    fn look_through(&self, table: &OpenTable<'_>) -> Result<Contents> {
        let mut contents = Contents::default();
        let mut text_of_id = FxHashMap::default();
        let mut conflict = None;
        let walked = self.for_each_row(table, |id, text| {
            contents.rows += 1;
            contents.empty += u64::from(text.trim().is_empty());
            contents.equal_texts.add(text);
            let Some(id) = id.filter(|_| !is_npy(&self.output)) else {
                return Ok(());
            };
            let key = hash_key(text.as_bytes());
            let first = *text_of_id.entry(hash_key(id.as_bytes())).or_insert(key);
            if first != key {
                conflict = Some((id.to_owned(), text.to_owned()));
                // What is wrong is said when the other text is found.
                return Err(self.changed());
            }
            Ok(())
        });
        if let Some((id, second)) = conflict {
            return Err(self.two_texts(table, &id, &second));
        }
        walked?;
        contents.equal_texts = contents.equal_texts.finish();
        Ok(contents)
    }

    /// What to say of an id that an earlier row has with another text.
    fn two_texts(&self, table: &OpenTable<'_>, id: &str, second: &str) -> EvaluateError {
        let found = self.for_each_row(table, |other, first| match other == Some(id) {
            true => DuplicateIds::default().take(&self.input, id, first, second),
            false => Ok(()),
        });
        found.err().unwrap_or_else(|| self.changed())
    }

    fn for_each_row(
        &self,
        table: &OpenTable<'_>,
        mut each: impl FnMut(Option<&str>, &str) -> Result<()>,
    ) -> Result<()> {
        table.for_each(|batch| {
            let (ids, texts) = (string_column(batch, "id"), string_column(batch, "text"));
            let has_titles = batch.column_by_name("title").is_some();
            let titles = has_titles.then(|| string_column(batch, "title"));
            for row in 0..batch.num_rows() {
                let title = titles.map_or("", |titles| titles.value(row));
                let id = ids.is_valid(row).then(|| ids.value(row));
                each(id, &passage(title, texts.value(row)))?;
            }
            Ok(())
        })
    }

    fn for_each_block(
        &self,
        table: &OpenTable<'_>,
        mut each: impl FnMut(&[String], &[&str]) -> Result<()>,
    ) -> Result<()> {
        let (mut ids, mut texts): (Vec<String>, Vec<String>) = Default::default();
        let mut give = |ids: &mut Vec<String>, texts: &mut Vec<String>| {
            let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
            each(ids, &borrowed)?;
            ids.clear();
            texts.clear();
            Ok::<_, EvaluateError>(())
        };
        self.for_each_row(table, |id, text| {
            ids.push(id.unwrap_or_default().to_owned());
            texts.push(text.to_owned());
            match texts.len() == BLOCK {
                true => give(&mut ids, &mut texts),
                false => Ok(()),
            }
        })?;
        match texts.is_empty() {
            true => Ok(()),
            false => give(&mut ids, &mut texts),
        }
    }

    /// Cuts and scales vectors as the options say.
    fn shaped(&self, found: Embeddings, dimension: usize) -> Embeddings {
        let kept = found.truncated(dimension, false);
        match self.normalize {
            true => kept.scaled(),
            false => kept,
        }
    }

    fn changed(&self) -> EvaluateError {
        EvaluateError::Changed {
            path: self.input.clone(),
        }
    }
}

fn is_npy(output: &Path) -> bool {
    output.extension().is_some_and(|ending| ending == "npy")
}

/// A file of vectors under way.
enum Output {
    Table(TableOutput, SchemaRef),
    Npy(NpyOutput),
}

impl Output {
    fn create(target: &Path, rows: u64, dimension: usize, lineage: &Lineage) -> Result<Self> {
        if is_npy(target) {
            return Ok(Self::Npy(NpyOutput::create(
                target, rows, dimension, lineage,
            )?));
        }
        let list = DataType::FixedSizeList(item(), dimension as i32);
        let schema = Arc::new(Schema::new(vec![
            Field::new("id", DataType::Utf8, false),
            Field::new("embedding", list, false),
        ]));
        let output = TableOutput::create(target, schema.clone(), lineage)?;
        Ok(Self::Table(output, schema))
    }

    fn write(&mut self, ids: &[String], vectors: Embeddings) -> Result<()> {
        let dimension = vectors.dimension();
        let values = vectors.into_values();
        match self {
            Self::Npy(output) => output.write(&values)?,
            Self::Table(output, schema) => {
                let ids: ArrayRef = Arc::new(StringArray::from_iter_values(ids));
                let values = Arc::new(Float32Array::from(values));
                let lists = FixedSizeListArray::new(item(), dimension as i32, values, None);
                output.write(&batch(schema, vec![ids, Arc::new(lists)])?)?;
            }
        }
        Ok(())
    }

    fn finish(self, vectors: &Vectors) -> Result<()> {
        match self {
            Self::Npy(output) => output.finish_with(vectors)?,
            Self::Table(output, _) => _ = output.finish_with(vectors)?,
        }
        Ok(())
    }
}

/// A component.
fn item() -> Arc<Field> {
    Arc::new(Field::new_list_field(DataType::Float32, false))
}
