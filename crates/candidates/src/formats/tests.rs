use super::*;

use arrow::array::{ArrayRef, Float32Array, Int32Array, StringArray};
use arrow::util::pretty::pretty_format_batches;

use pairmill_tables::{Table, f32_column, string_column};

use crate::pairs_of;

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

fn format(name: &str) -> TrainingFormat {
    TrainingFormat::from_str(name, false).unwrap()
}

fn decided(negatives: usize) -> Decided {
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
    Decided { batch, pairs }
}

fn table(format: TrainingFormat, negatives: usize, columns: &[&str]) -> Vec<String> {
    let rows = TrainingRows::new(format, negatives);
    let batch = rows.rows(&decided(negatives)).unwrap();
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
            TrainingFormat::TRIPLET,
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
            TrainingFormat::N_TUPLE,
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
            TrainingFormat::LABELED_PAIR,
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
            TrainingFormat::LABELED_LIST,
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
            format("pairs"),
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
            format("teacher-margin"),
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
            format("teacher-list"),
            3,
            &["anchor_id", "positive", "negative_3_id", "scores"]
        ),
        ["q2 text p3 c [0.75, 0.5, 0.875, 0.75]"]
    );
    let at = |threshold| {
        let rows = TrainingRows {
            label_threshold: threshold,
            ..TrainingRows::new(TrainingFormat::TEACHER_PAIR, 0)
        };
        let rows = rows.rows(&decided(0)).unwrap();
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
        assert_eq!(rows.rows(&decided(2)).unwrap().schema(), schema);
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| &**field.name())
            .collect();
        names.join(" ")
    };
    let tuple = "anchor positive negative_1 negative_2";
    assert_eq!(left(TrainingFormat::TRIPLET), "anchor positive negative");
    assert_eq!(left(TrainingFormat::N_TUPLE), tuple);
    assert_eq!(
        left(TrainingFormat::LABELED_PAIR),
        "sentence1 sentence2 score"
    );
    assert_eq!(
        left(TrainingFormat::LABELED_LIST),
        "anchor documents labels"
    );
    assert_eq!(left(format("pairs")), "anchor positive");
    assert_eq!(
        left(format("teacher-margin")),
        "anchor positive negative score"
    );
    assert_eq!(left(format("teacher-list")), format!("{tuple} scores"));
    assert_eq!(
        left(TrainingFormat::TEACHER_PAIR),
        "sentence1 sentence2 score"
    );
    assert!(left(TrainingFormat::CANDIDATES).starts_with("query_id query positive_id"));
}
