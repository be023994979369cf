use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use clap::ValueEnum;
use serde::Serialize;

use crate::{Table, string_column, teacher_rows, training_rows};

/// What to make of the judged candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainingFormat {
    /// One row for each negative: anchor, positive, negative
    Triplet,
    /// One row for each pair that has all its negatives: anchor, positive, negative_1, negative_2 …
    NTuple,
    /// One row for each pair (score 1) and each negative (score 0): sentence1, sentence2, score
    LabeledPair,
    /// One row for each pair: anchor, documents (the positive first) and their labels (1 or 0)
    LabeledList,
    /// One row for each pair, promoted ones included: anchor, positive
    Pairs,
    /// For MarginMSE, whatever is decided: anchor, positive, negative (any candidate), score (the
    /// positive's less the candidate's)
    TeacherMargin,
    /// For a KL divergence, whatever is decided: anchor, positive, negative_1 … (the first candidates),
    /// scores of them all
    TeacherList,
    /// Each positive and candidate, whatever is decided: sentence1, sentence2, score (1 where the
    /// model's is at least --label-threshold, else 0)
    TeacherPair,
    /// All candidates with their scores, decisions and reasons
    Candidates,
}

/// A document beside a query, by its row of the candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// The positive of the row.
    Positive(usize),
    /// The candidate of the row.
    Candidate(usize),
}

impl Document {
    /// The row, whose query is the one beside the document.
    pub fn row(self) -> usize {
        match self {
            Self::Positive(row) | Self::Candidate(row) => row,
        }
    }
}

/// A positive of a query, given or promoted, with the candidates beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The positive.
    pub positive: Document,
    /// Whether it may be used.
    pub positive_is_sound: bool,
    /// The rows of the pair's candidates; of a promoted positive, its own row.
    pub rows: Range<usize>,
    /// The rows of its negatives, in order of rank.
    pub negatives: Vec<usize>,
    /// The rows of its distinct candidates that have a score, in order of rank.
    pub scored: Vec<usize>,
}

impl Pair {
    /// The pair whose candidates are in these rows, before anything is decided.
    pub fn given(rows: Range<usize>) -> Self {
        Self {
            positive: Document::Positive(rows.start),
            positive_is_sound: true,
            rows,
            negatives: Vec::new(),
            scored: Vec::new(),
        }
    }

    /// A candidate that becomes a positive of its query.
    pub fn promoted(row: usize, negatives: Vec<usize>) -> Self {
        Self {
            positive: Document::Candidate(row),
            negatives,
            ..Self::given(row..row + 1)
        }
    }

    /// Whether the positive was a candidate.
    pub fn is_promoted(&self) -> bool {
        matches!(self.positive, Document::Candidate(_))
    }
}

/// A batch of the candidates table with decision and reason filled in.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The candidates, sorted by `query_id`, `positive_id` and `rank`, no query of them cut.
    pub batch: RecordBatch,
    /// Its pairs, query by query.
    pub pairs: Vec<Pair>,
}

/// The rows of each (query, positive) pair of candidates that are sorted by them.
pub fn pairs_of(batch: &RecordBatch) -> Vec<Range<usize>> {
    let queries = string_column(batch, "query_id");
    let positives = string_column(batch, "positive_id");
    let pair = |row: usize| (queries.value(row), positives.value(row));
    let mut pairs = Vec::new();
    let mut start = 0;
    for end in 1..=batch.num_rows() {
        if end == batch.num_rows() || pair(end) != pair(start) {
            pairs.push(start..end);
            start = end;
        }
    }
    pairs
}

impl TrainingFormat {
    /// What the rows are called in messages.
    pub fn rows_name(self) -> &'static str {
        match self {
            Self::Triplet => "triplets",
            Self::NTuple => "n-tuples",
            Self::LabeledPair | Self::TeacherPair => "labeled pairs",
            Self::LabeledList => "labeled lists",
            Self::Pairs => "pairs",
            Self::TeacherMargin => "margins",
            Self::TeacherList => "scored lists",
            Self::Candidates => "candidates",
        }
    }

    /// Whether the rows cannot be made before a model has scored the candidates.
    pub fn needs_scores(self) -> bool {
        use TrainingFormat::*;
        matches!(self, Pairs | TeacherMargin | TeacherList | TeacherPair)
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
        let own = self.own_schema();
        let kept = self.kept.iter().cloned().map(Arc::new);
        Arc::new(Schema::new(
            own.fields().iter().cloned().chain(kept).collect::<Vec<_>>(),
        ))
    }

    fn own_schema(&self) -> SchemaRef {
        use TrainingFormat::*;
        match self.format {
            Triplet => Table::Triplets.schema(),
            NTuple => Table::NTuples(self.negatives).schema(),
            LabeledPair | TeacherPair => Table::LabeledPairs.schema(),
            LabeledList => training_rows::labeled_lists(),
            Pairs => Table::Pairs.schema(),
            TeacherMargin => teacher_rows::margins(),
            TeacherList => teacher_rows::lists(self.negatives),
            Candidates => Table::Candidates.schema(),
        }
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        let schema = self.whole_schema();
        let columns = self.columns(&schema).into_iter();
        let fields = columns.map(|column| schema.field(column).clone());
        Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
    }

    /// The positions of the columns written.
    fn columns(&self, schema: &Schema) -> Vec<usize> {
        let is_id = |name: &str| name.ends_with("_id") || name.ends_with("_ids");
        let drop_ids = self.drop_ids && self.format != TrainingFormat::Candidates;
        let own = schema.fields().len() - self.kept.len();
        (0..schema.fields().len())
            .filter(|&at| !(drop_ids && at < own && is_id(schema.field(at).name())))
            .collect()
    }

    /// Whether a pair gives at least one row.
    pub fn uses(&self, pair: &Pair) -> bool {
        use TrainingFormat::*;
        match self.format {
            Triplet | LabeledList => pair.positive_is_sound && !pair.negatives.is_empty(),
            NTuple => pair.positive_is_sound && pair.negatives.len() == self.negatives,
            LabeledPair | Pairs => pair.positive_is_sound,
            TeacherMargin => pair.positive_is_sound && !pair.scored.is_empty(),
            TeacherList => pair.positive_is_sound && pair.scored.len() >= self.negatives,
            TeacherPair => !pair.is_promoted(),
            Candidates => true,
        }
    }

    /// The rows that a judged batch of whole queries gives.
    ///
    /// # Errors
    /// If the batch is no candidates table, or its texts exceed Arrow's 2 GiB.
    pub fn rows(&self, judged: &Judged) -> Result<RecordBatch, ArrowError> {
        use TrainingFormat::*;
        let batch = &judged.batch;
        let pairs = judged.pairs.iter();
        let pairs: Vec<&Pair> = pairs.filter(|pair| self.uses(pair)).collect();
        let mut columns = match self.format {
            Triplet => training_rows::triplets(batch, &pairs)?,
            NTuple => training_rows::n_tuples(batch, &pairs, self.negatives)?,
            LabeledPair => training_rows::labeled_pairs(judged)?,
            LabeledList => training_rows::labeled_list_columns(batch, &pairs)?,
            Pairs => training_rows::pairs(batch, &pairs)?,
            TeacherMargin => teacher_rows::margin_columns(batch, &pairs, self.negatives)?,
            TeacherList => teacher_rows::list_columns(batch, &pairs, self.negatives)?,
            TeacherPair => teacher_rows::labeled_pairs(judged, self.label_threshold)?,
            Candidates => batch.columns().to_vec(),
        };
        if self.format != Candidates {
            // Behind the ids and texts of the queries, whose rows they are of.
            let kept: Vec<_> = columns.drain(2..2 + self.kept.len()).collect();
            columns.extend(kept);
        }
        let schema = self.whole_schema();
        let columns_written = self.columns(&schema);
        RecordBatch::try_new(schema, columns)?.project(&columns_written)
    }
}

pub(crate) fn list_of(kind: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(kind, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    use arrow::array::{ArrayRef, Float32Array, Int32Array, StringArray};
    use arrow::util::pretty::pretty_format_batches;

    use crate::f32_column;

    /// Query, positive, candidate, what it is (kept, promoted or dropped), its score.
    type Row = (
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        Option<f32>,
    );

    /// q1 has three negatives beside each of its positives; q2 has one, and a candidate that is
    /// promoted; q3's positive is unsound.
    const ROWS: [Row; 9] = [
        ("q1", "p1", "a", "keep", Some(0.5)),
        ("q1", "p1", "b", "keep", Some(0.25)),
        ("q1", "p1", "c", "keep", None),
        ("q1", "p2", "a", "keep", Some(0.5)),
        ("q1", "p2", "b", "keep", Some(0.25)),
        ("q2", "p3", "a", "keep", Some(0.5)),
        ("q2", "p3", "b", "promote", Some(0.875)),
        ("q2", "p3", "c", "drop", Some(0.75)),
        ("q3", "p4", "a", "drop", Some(0.5)),
    ];

    fn judged(negatives: usize) -> Judged {
        let text = |value: fn(&Row) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(ROWS.iter().map(value)))
        };
        let nothing = || -> ArrayRef { Arc::new(Float32Array::new_null(ROWS.len())) };
        let no_rank = || -> ArrayRef { Arc::new(Int32Array::new_null(ROWS.len())) };
        let scores: Float32Array = ROWS.iter().map(|row| row.4).collect();
        let columns: Vec<ArrayRef> = vec![
            text(|row| row.0.to_owned()),
            text(|row| format!("query {}", row.0)),
            text(|row| row.1.to_owned()),
            text(|row| format!("text {}", row.1)),
            text(|row| row.2.to_owned()),
            text(|row| format!("text {}", row.2)),
            Arc::new(Int32Array::from_iter_values(1..=ROWS.len() as i32)),
            Arc::new(Float32Array::from(vec![1.0; ROWS.len()])),
            nothing(),
            nothing(),
            nothing(),
            no_rank(),
            no_rank(),
            Arc::new(scores),
            Arc::new(Float32Array::from(vec![0.75; ROWS.len()])),
            text(|row| row.3.to_owned()),
            text(|row| row.3.to_owned()),
        ];
        let batch = RecordBatch::try_new(Table::Candidates.schema(), columns).unwrap();
        let mut pairs = Vec::new();
        for rows in pairs_of(&batch) {
            let of_kind = |kind: &str| rows.clone().filter(|&row| ROWS[row].3 == kind).collect();
            let mut negatives_of_pair: Vec<usize> = of_kind("keep");
            negatives_of_pair.truncate(negatives);
            let promoted: Vec<usize> = of_kind("promote");
            pairs.push(Pair {
                positive_is_sound: ROWS[rows.start].0 != "q3",
                negatives: negatives_of_pair.clone(),
                scored: rows.clone().filter(|&row| ROWS[row].4.is_some()).collect(),
                ..Pair::given(rows)
            });
            let promoted = promoted.into_iter();
            pairs.extend(promoted.map(|row| Pair::promoted(row, negatives_of_pair.clone())));
        }
        Judged { batch, pairs }
    }

    fn table(format: TrainingFormat, negatives: usize, columns: &[&str]) -> Vec<String> {
        let rows = TrainingRows::new(format, negatives);
        let batch = rows.rows(&judged(negatives)).unwrap();
        assert_eq!(batch.schema(), rows.schema());
        let indices: Vec<usize> = columns
            .iter()
            .map(|name| batch.schema().index_of(name).unwrap())
            .collect();
        let text = pretty_format_batches(&[batch.project(&indices).unwrap()])
            .unwrap()
            .to_string();
        let lines = text.lines().skip(3).filter(|line| line.starts_with('|'));
        lines
            .map(|line| {
                line.split('|')
                    .map(str::trim)
                    .collect::<Vec<_>>()
                    .join(" ")
                    .trim()
                    .to_owned()
            })
            .collect()
    }

    #[test]
    fn triplets_are_the_kept_rows_beside_each_positive() {
        assert_eq!(
            table(
                TrainingFormat::Triplet,
                2,
                &["anchor_id", "positive_id", "negative_id", "negative"]
            ),
            [
                "q1 p1 a text a",
                "q1 p1 b text b",
                "q1 p2 a text a",
                "q1 p2 b text b",
                "q2 p3 a text a",
                "q2 b a text a",
            ]
        );
    }

    #[test]
    fn n_tuples_leave_out_pairs_with_too_few_negatives() {
        assert_eq!(
            table(
                TrainingFormat::NTuple,
                3,
                &["anchor_id", "positive", "negative_1_id", "negative_3"]
            ),
            ["q1 text p1 a text c"]
        );
    }

    #[test]
    fn labeled_pairs_hold_each_document_of_a_query_once() {
        assert_eq!(
            table(
                TrainingFormat::LabeledPair,
                3,
                &["sentence1_id", "sentence2", "score"]
            ),
            [
                "q1 text p1 1.0",
                "q1 text p2 1.0",
                "q1 text a 0.0",
                "q1 text b 0.0",
                "q1 text c 0.0",
                "q2 text p3 1.0",
                "q2 text b 1.0",
                "q2 text a 0.0",
            ]
        );
    }

    #[test]
    fn labeled_lists_begin_with_the_positive() {
        assert_eq!(
            table(
                TrainingFormat::LabeledList,
                2,
                &["anchor_id", "document_ids", "labels"]
            ),
            [
                "q1 [p1, a, b] [1.0, 0.0, 0.0]",
                "q1 [p2, a, b] [1.0, 0.0, 0.0]",
                "q2 [p3, a] [1.0, 0.0]",
                "q2 [b, a] [1.0, 0.0]",
            ]
        );
    }

    #[test]
    fn pairs_are_the_sound_ones_and_the_promoted_ones() {
        assert_eq!(
            table(
                TrainingFormat::Pairs,
                1,
                &["anchor_id", "anchor", "positive_id", "positive"]
            ),
            [
                "q1 query q1 p1 text p1",
                "q1 query q1 p2 text p2",
                "q2 query q2 p3 text p3",
                "q2 query q2 b text b",
            ]
        );
    }

    #[test]
    fn a_teachers_scores_count_whatever_was_decided() {
        assert_eq!(
            table(
                TrainingFormat::TeacherMargin,
                2,
                &["anchor_id", "positive_id", "negative_id", "score"]
            ),
            [
                "q1 p1 a 0.25",
                "q1 p1 b 0.5",
                "q1 p2 a 0.25",
                "q1 p2 b 0.5",
                "q2 p3 a 0.25",
                "q2 p3 b -0.125",
            ]
        );
        assert_eq!(
            table(
                TrainingFormat::TeacherList,
                3,
                &["anchor_id", "positive", "negative_3_id", "scores"]
            ),
            ["q2 text p3 c [0.75, 0.5, 0.875, 0.75]"]
        );
        let at = |threshold| {
            let rows = TrainingRows {
                label_threshold: threshold,
                ..TrainingRows::new(TrainingFormat::TeacherPair, 0)
            };
            let rows = rows.rows(&judged(0)).unwrap();
            let ids = string_column(&rows, "sentence2_id").iter().flatten();
            let labels = f32_column(&rows, "score").values().iter();
            let positive = ids.zip(labels).filter(|(_, label)| **label == 1.0);
            (
                rows.num_rows(),
                positive.map(|(id, _)| id.to_owned()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(at(0.8), (10, vec!["b".to_owned()]));
        assert_eq!(at(0.75).1, ["p1", "p2", "p3", "b", "c", "p4"]);
    }

    #[test]
    fn every_format_but_candidates_loses_its_ids_and_nothing_else() {
        let left = |format: TrainingFormat| {
            let rows = TrainingRows {
                drop_ids: true,
                ..TrainingRows::new(format, 2)
            };
            let schema = rows.schema();
            assert_eq!(rows.rows(&judged(2)).unwrap().schema(), schema);
            let names: Vec<&str> = schema
                .fields()
                .iter()
                .map(|field| &**field.name())
                .collect();
            names.join(" ")
        };
        let tuple = "anchor positive negative_1 negative_2";
        assert_eq!(left(TrainingFormat::Triplet), "anchor positive negative");
        assert_eq!(left(TrainingFormat::NTuple), tuple);
        assert_eq!(
            left(TrainingFormat::LabeledPair),
            "sentence1 sentence2 score"
        );
        assert_eq!(left(TrainingFormat::LabeledList), "anchor documents labels");
        assert_eq!(left(TrainingFormat::Pairs), "anchor positive");
        assert_eq!(
            left(TrainingFormat::TeacherMargin),
            "anchor positive negative score"
        );
        assert_eq!(left(TrainingFormat::TeacherList), format!("{tuple} scores"));
        assert_eq!(
            left(TrainingFormat::TeacherPair),
            "sentence1 sentence2 score"
        );
        assert!(left(TrainingFormat::Candidates).starts_with("query_id query positive_id"));
    }
}
