//! What is made of the candidates that were decided on: one file a format.

mod candidates;
mod columns;
mod labeled_list;
mod labeled_pair;
mod n_tuple;
mod pairs;
mod teacher;
mod teacher_list;
mod teacher_margin;
mod teacher_pair;
mod triplet;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use pairmill_schema::counted;
use serde::{Serialize, Serializer};

use crate::{Decided, Pair};

type Columns = Result<Vec<ArrayRef>, ArrowError>;

/// A format: what a row is, and which columns it has.
trait Format: Sync {
    /// Returns the name on the command line.
    fn name(&self) -> &'static str;

    /// Returns its line in the help.
    fn help(&self) -> &'static str;

    /// Returns what a row and several rows are called in messages.
    fn row_names(&self) -> [&'static str; 2];

    /// Whether the rows cannot be made before a model has scored the candidates.
    fn needs_scores(&self) -> bool {
        false
    }

    /// Whether the negatives stand in columns of their own, so that no positive may be among them.
    fn parts_negatives(&self) -> bool {
        false
    }

    /// Returns the columns.
    fn schema(&self, options: &TrainingRows) -> SchemaRef;

    /// Whether a pair gives at least one row.
    fn uses(&self, pair: &Pair, options: &TrainingRows) -> bool;

    /// Returns the columns of the rows that these pairs of the batch give, those that go along
    /// behind the ids and texts of the queries.
    fn columns(&self, decided: &Decided, pairs: &[&Pair], options: &TrainingRows) -> Columns;
}

/// What to make of the decided candidates.
#[derive(Clone, Copy)]
pub struct TrainingFormat(&'static dyn Format);

/// Every format, in the order of the help.
static FORMATS: [TrainingFormat; 9] = [
    TrainingFormat::TRIPLET,
    TrainingFormat::N_TUPLE,
    TrainingFormat::LABELED_PAIR,
    TrainingFormat::LABELED_LIST,
    TrainingFormat(&pairs::Pairs),
    TrainingFormat(&teacher_margin::TeacherMargin),
    TrainingFormat(&teacher_list::TeacherList),
    TrainingFormat::TEACHER_PAIR,
    TrainingFormat::CANDIDATES,
];

impl TrainingFormat {
    /// One row for each negative.
    pub const TRIPLET: Self = Self(&triplet::Triplet);
    /// One row for each pair that has all its negatives.
    pub const N_TUPLE: Self = Self(&n_tuple::NTuple);
    /// One row for each pair and each negative, with a label.
    pub const LABELED_PAIR: Self = Self(&labeled_pair::LabeledPair);
    /// One row for each pair, with the labels of its documents.
    pub const LABELED_LIST: Self = Self(&labeled_list::LabeledList);
    /// Each positive and candidate, labelled by the model's score.
    pub const TEACHER_PAIR: Self = Self(&teacher_pair::TeacherPair);
    /// All candidates with their scores, decisions and reasons.
    pub const CANDIDATES: Self = Self(&candidates::Candidates);

    /// Returns the name on the command line.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Returns what the rows are called in messages.
    pub fn rows_name(self) -> &'static str {
        self.0.row_names()[1]
    }

    /// Returns a number of rows with what they are called in messages.
    pub fn counted(self, rows: u64) -> String {
        let [one, many] = self.0.row_names();
        counted(rows, one, many)
    }

    /// Whether the rows cannot be made before a model has scored the candidates.
    pub fn needs_scores(self) -> bool {
        self.0.needs_scores()
    }

    /// Whether the negatives stand in columns of their own, so that no positive may be among them.
    pub fn parts_negatives(self) -> bool {
        self.0.parts_negatives()
    }
}

impl PartialEq for TrainingFormat {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for TrainingFormat {}

impl fmt::Debug for TrainingFormat {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for TrainingFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl ValueEnum for TrainingFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &FORMATS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.0.help()))
    }
}

/// What a table of training rows looks like.
#[derive(Debug, Clone)]
pub struct TrainingRows {
    /// What a row is.
    pub format: TrainingFormat,
    /// Negatives in an n-tuple, candidates in a list of scores and beside a pair of margins.
    pub negatives: usize,
    /// The score from which on a teacher's label is 1.
    pub label_threshold: f64,
    /// Whether the id columns are left out; those of candidates never are.
    pub drop_ids: bool,
    /// Columns that candidates have behind their own, and that every row takes along.
    pub kept: Vec<Field>,
}

/// The score from which on a teacher's label is 1 where nothing else is asked for.
pub const LABEL_THRESHOLD: f64 = 0.8;

impl TrainingRows {
    /// Rows with their ids.
    pub fn new(format: TrainingFormat, negatives: usize) -> Self {
        Self {
            format,
            negatives,
            label_threshold: LABEL_THRESHOLD,
            drop_ids: false,
            kept: Vec::new(),
        }
    }

    fn whole_schema(&self) -> SchemaRef {
        let own = self.format.0.schema(self);
        let kept = self.kept.iter().cloned().map(Arc::new);
        Arc::new(Schema::new(
            own.fields().iter().cloned().chain(kept).collect::<Vec<_>>(),
        ))
    }

    /// Returns the columns.
    pub fn schema(&self) -> SchemaRef {
        let schema = self.whole_schema();
        let columns = self.columns(&schema).into_iter();
        let fields = columns.map(|column| schema.field(column).clone());
        Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
    }

    /// Returns the positions of the columns written.
    fn columns(&self, schema: &Schema) -> Vec<usize> {
        let is_id = |name: &str| name.ends_with("_id") || name.ends_with("_ids");
        let drop_ids = self.drop_ids && self.format != TrainingFormat::CANDIDATES;
        let own = schema.fields().len() - self.kept.len();
        (0..schema.fields().len())
            .filter(|&at| !(drop_ids && at < own && is_id(schema.field(at).name())))
            .collect()
    }

    /// Whether a pair gives at least one row.
    pub fn uses(&self, pair: &Pair) -> bool {
        self.format.0.uses(pair, self)
    }

    /// Returns the rows that a decided batch of whole queries gives.
    ///
    /// # Errors
    /// If the batch is no candidates table, or its texts exceed Arrow's 2 GiB.
    pub fn rows(&self, decided: &Decided) -> Result<RecordBatch, ArrowError> {
        let pairs = decided.pairs.iter();
        let pairs: Vec<&Pair> = pairs.filter(|pair| self.uses(pair)).collect();
        let mut columns = self.format.0.columns(decided, &pairs, self)?;
        if self.format != TrainingFormat::CANDIDATES {
            // Behind the ids and texts of the queries, whose rows they are of.
            let kept: Vec<_> = columns.drain(2..2 + self.kept.len()).collect();
            columns.extend(kept);
        }
        let schema = self.whole_schema();
        let columns_written = self.columns(&schema);
        RecordBatch::try_new(schema, columns)?.project(&columns_written)
    }
}
