mod duplicates;
mod mining;
pub(crate) mod sample;
mod sentence;

use std::collections::BTreeSet;

use arrow::array::Array;
use pairmill_modeling::Side;
use pairmill_schema::counted;
use pairmill_tables::{ColumnNames, Table, TableReader, f32_column, string_column};
use serde::Serialize;

use crate::duplicate_ids::DuplicateIds;
use crate::error::{EvaluateError, Result};
use crate::items::write::{PER_ITEM, write_items};
use crate::models::encoder::Encoder;
use crate::models::options::Models;
use crate::results::evaluation::Evaluation;
use crate::results::names::data_name;
use crate::results::reporting::of_models;
use crate::results::run_options::RunOptions;
use duplicates::Duplicates;
use mining::{MinedPair, mine, write_mined};
use sample::{METRICS, ParaphrasesSample, clustering, items, labels};
use sentence::Sentence;

/// The score from which on a pair of a table of duplicates is one.
const LEAST_SCORE: f32 = 0.5;

/// Paraphrases mined from a list of sentences, against pairs that are known to mean the same.
#[derive(Debug, Clone)]
pub struct Paraphrases {
    /// The models.
    pub models: Models,
    /// A table of `id` and `text`.
    pub sentences: String,
    /// A table of `sentence1_id` and `sentence2_id`. Where it has a `score`, rows of less than 0.5
    /// are no duplicates.
    pub duplicates: String,
    /// Whether what means the same as one sentence means the same as each other.
    pub add_transitive_closure: bool,
    /// Neighbours of each sentence that can be paired with it.
    pub top_k: usize,
    /// Pairs to mine.
    pub max_pairs: usize,
}

#[derive(Debug, Serialize)]
struct Options<T> {
    #[serde(flatten)]
    models: T,
    add_transitive_closure: bool,
    top_k: usize,
    max_pairs: usize,
}

impl Paraphrases {
    /// Evaluates. The output folder gets the mined pairs, best first, and an item for each pair
    /// that is mined or a duplicate.
    pub(crate) fn run(&self, run_options: &RunOptions) -> Result<Evaluation> {
        let options = Options {
            models: self.models.options(),
            add_transitive_closure: self.add_transitive_closure,
            top_k: self.top_k,
            max_pairs: self.max_pairs,
        };
        run_options.run(
            "paraphrases",
            &self.method(),
            &options,
            |lineage| {
                let sentences = lineage.with_input("sentences", &self.sentences)?;
                let tables = sentences.with_input("duplicates", &self.duplicates)?;
                self.models.add_to(tables)
            },
            |results| {
                let reader = TableReader::new(run_options.threads)?;
                let sentences = self.read_sentences(&reader)?;
                let (duplicates, unknown) = self.read_duplicates(&reader, &sentences)?;
                let encoders = self.models.load()?;
                let mined = encoders.try_map(|encoder| self.mine(&sentences, encoder))?;
                let items = items(&mined, &duplicates);
                let samples = mined.map(|pairs| ParaphrasesSample::of(&items, pairs, &duplicates));
                let clustering = clustering(&items, &duplicates);
                let clustering = clustering.as_ref();
                if let Some(results) = results {
                    let write = |name: &str, pairs: &[MinedPair]| {
                        let target = results.folder.join(name);
                        write_mined(&target, pairs, &sentences, &duplicates, results.lineage)
                    };
                    write("pairs.parquet", &mined.model)?;
                    if let Some(pairs) = &mined.baseline {
                        write("pairs_baseline.parquet", pairs)?;
                    }
                    let labels = labels(&items, &sentences);
                    let target = results.folder.join(PER_ITEM);
                    write_items(&target, &labels, &samples, clustering, results.lineage)?;
                }
                let counts = [
                    ("sentences", sentences.len()),
                    ("duplicates", duplicates.len()),
                    ("duplicates_of_unknown_sentences", unknown),
                    ("mined_pairs", mined.model.len()),
                ];
                let mut evaluation = Evaluation::of(
                    "paraphrases",
                    &samples,
                    clustering,
                    &run_options.settings,
                    counts,
                )
                .with_convention("top_k", self.top_k.to_string())
                .with_convention("max_pairs", self.max_pairs.to_string());
                evaluation.drawn = of_models(&self.models, "pairs")?;
                evaluation.drawn.data = data_name(&self.sentences);
                evaluation.warn(encoders.warnings());
                Ok(evaluation)
            },
        )
    }

    fn method(&self) -> String {
        format!(
            "Of each sentence the {} of highest cosine are paired with it, and the {} pairs of \
             highest cosine are kept. `f1` is the best that any threshold on the cosine reaches, \
             with its precision and recall; `ap` is the average precision over the kept pairs. \
             Recall counts the duplicates that are not among them.",
            self.top_k, self.max_pairs
        )
    }

    /// Ids and texts in ascending order of id, so that the order of the input changes nothing.
    fn read_sentences(&self, reader: &TableReader) -> Result<Vec<Sentence>> {
        let mut sentences = Vec::new();
        let names = ColumnNames::default();
        let columns = ["id", "text"];
        reader.for_each(
            &self.sentences,
            Table::Queries,
            &names,
            &columns,
            |batch| -> Result<()> {
                let columns = columns.map(|name| string_column(batch, name));
                for row in 0..batch.num_rows() {
                    let [id, text] = columns.map(|column| column.value(row).to_owned());
                    sentences.push(Sentence { id, text });
                }
                Ok(())
            },
        )?;
        sentences.sort_unstable_by(|a: &Sentence, b| (&a.id, &a.text).cmp(&(&b.id, &b.text)));
        let mut duplicate_ids = DuplicateIds::default();
        for pair in sentences.windows(2).filter(|pair| pair[0].id == pair[1].id) {
            duplicate_ids.take(&self.sentences, &pair[0].id, &pair[0].text, &pair[1].text)?;
        }
        duplicate_ids.warn(&self.sentences);
        sentences.dedup_by(|a, b| a.id == b.id);
        Ok(sentences)
    }

    /// The duplicates, and how many rows name a sentence that is not there.
    fn read_duplicates(
        &self,
        reader: &TableReader,
        sentences: &[Sentence],
    ) -> Result<(Duplicates, usize)> {
        let mut pairs = BTreeSet::new();
        let (mut rows, mut unknown) = (0, 0);
        let names = ["sentence1", "sentence2", "score"]
            .into_iter()
            .fold(ColumnNames::default(), ColumnNames::with_optional);
        let columns = ["sentence1_id", "sentence2_id", "score"];
        let place = |id: &str| {
            let place = sentences.binary_search_by(|sentence| sentence.id.as_str().cmp(id));
            place.ok().map(|place| place as u32)
        };
        reader.for_each(
            &self.duplicates,
            Table::LabeledPairs,
            &names,
            &columns,
            |batch| -> Result<()> {
                let first = string_column(batch, "sentence1_id");
                let second = string_column(batch, "sentence2_id");
                let scores = f32_column(batch, "score");
                for row in 0..batch.num_rows() {
                    rows += 1;
                    if scores.is_valid(row) {
                        let score = scores.value(row);
                        if !score.is_finite() {
                            return Err(EvaluateError::WrongScore {
                                path: self.duplicates.clone(),
                                row: rows,
                                found: score,
                            });
                        }
                        if score < LEAST_SCORE {
                            continue;
                        }
                    }
                    match (place(first.value(row)), place(second.value(row))) {
                        (Some(a), Some(b)) if a != b => _ = pairs.insert((a.min(b), a.max(b))),
                        (Some(_), Some(_)) => (),
                        _ => unknown += 1,
                    }
                }
                Ok(())
            },
        )?;
        if unknown > 0 {
            tracing::warn!(
                "{} left out for a sentence that {} does not hold",
                counted(unknown, "duplicate is", "duplicates are"),
                self.sentences
            );
        }
        if pairs.is_empty() {
            return Err(EvaluateError::NoDuplicates {
                path: self.duplicates.clone(),
                sentences: self.sentences.clone(),
            });
        }
        let duplicates = Duplicates::new(pairs);
        Ok(match self.add_transitive_closure {
            true => (duplicates.closed(), unknown),
            false => (duplicates, unknown),
        })
    }

    fn mine(&self, sentences: &[Sentence], encoder: &Encoder) -> Result<Vec<MinedPair>> {
        let texts: Vec<&str> = sentences
            .iter()
            .map(|sentence| sentence.text.as_str())
            .collect();
        let embeddings = encoder.embed_all(&texts, Side::Text)?;
        Ok(mine(&embeddings, self.top_k, self.max_pairs))
    }
}

/// The figures that are the better the higher they are, chief one first.
pub(super) fn metrics() -> Vec<String> {
    METRICS[..4].iter().map(|&name| name.to_owned()).collect()
}
