//! The selection against sentence-transformers' `mine_hard_negatives`, on fixed scores: figures
//! by `tests/reference/mine_hard_negatives.py`.

#![allow(clippy::unwrap_used, reason = "helpers of tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Float32Type};
use pairmill_candidates::{
    Candidate, Decided, Pair, Sampling, Selection, TrainingFormat, TrainingRows, pairs_of,
};
use pairmill_schema::Reason;
use pairmill_tables::Table;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Figures {
    scenarios: BTreeMap<String, Scenario>,
    cases: Vec<Case>,
    random: Vec<RandomCase>,
}

#[derive(Deserialize)]
struct Scenario {
    pairs: Vec<(String, String)>,
    queries: Vec<String>,
    documents: Vec<String>,
    scores: Vec<Vec<f32>>,
    rescored: Option<Vec<Vec<f32>>>,
}

#[derive(Deserialize)]
struct Case {
    scenario: String,
    corpus: bool,
    cross_encoder: bool,
    options: Options,
    range_max: usize,
    rows: Vec<Vec<Value>>,
}

#[derive(Deserialize)]
struct RandomCase {
    scenario: String,
    options: Options,
    range_max: usize,
    eligible: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(default)]
struct Options {
    range_min: usize,
    max_score: Option<f32>,
    min_score: Option<f32>,
    absolute_margin: Option<f32>,
    margin: Option<f32>,
    relative_margin: Option<f32>,
    num_negatives: usize,
    include_positives: bool,
    output_format: String,
    as_triplets: Option<bool>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            range_min: 0,
            max_score: None,
            min_score: None,
            absolute_margin: None,
            margin: None,
            relative_margin: None,
            num_negatives: 3,
            include_positives: false,
            output_format: "triplet".to_owned(),
            as_triplets: None,
        }
    }
}

impl Options {
    fn selection(&self, range_max: usize) -> Selection {
        Selection {
            range_min: self.range_min,
            range_max: Some(range_max),
            max_score: self.max_score,
            min_score: self.min_score,
            absolute_margin: self.margin.or(self.absolute_margin),
            relative_margin: self.relative_margin,
            num_negatives: Some(self.num_negatives),
            include_positives: self.include_positives,
            ..Default::default()
        }
    }

    fn format(&self) -> TrainingFormat {
        if self.include_positives {
            return TrainingFormat::N_TUPLE;
        }
        match (self.as_triplets, &*self.output_format) {
            (Some(true), _) | (None, "triplet") => TrainingFormat::TRIPLET,
            (Some(false), _) | (None, "n-tuple" | "n-tuple-scores") => TrainingFormat::N_TUPLE,
            (None, "labeled-pair") => TrainingFormat::LABELED_PAIR,
            (None, "labeled-list") => TrainingFormat::LABELED_LIST,
            (None, other) => panic!("no format {other}"),
        }
    }

    fn filters(&self) -> bool {
        let bounds = [self.max_score, self.min_score];
        let margins = [self.absolute_margin, self.margin, self.relative_margin];
        bounds.iter().chain(&margins).any(Option::is_some)
    }
}

fn figures() -> Figures {
    let file = "../../tests/reference/mine_hard_negatives.json";
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// A query with its positives and its candidates, best first, as (document, score).
struct Query {
    id: String,
    positives: Vec<String>,
    lowest: f32,
    candidates: Vec<(String, f32)>,
}

impl Scenario {
    /// What the retriever hands to the selection: `range_max` passages and as many more as a query
    /// has positives at most.
    fn queries(&self, range_max: usize, corpus: bool, rescored: bool) -> Vec<Query> {
        let of = |query: &str| {
            let own = self.pairs.iter().filter(|pair| pair.0 == query);
            own.map(|pair| pair.1.clone()).collect::<Vec<String>>()
        };
        let most = self.queries.iter().map(|query| of(query).len()).max();
        let positives: BTreeSet<&String> = self.pairs.iter().map(|pair| &pair.1).collect();
        let queries = self.queries.iter().zip(&self.scores).enumerate();
        queries
            .map(|(number, (id, scores))| {
                let mut ranked: Vec<usize> = (0..self.documents.len())
                    .filter(|&document| corpus || positives.contains(&self.documents[document]))
                    .collect();
                ranked.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
                ranked.truncate(range_max + most.unwrap_or(0));
                let scores = match &self.rescored {
                    Some(again) if rescored => &again[number],
                    _ => scores,
                };
                ranked.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
                let mut own = of(id);
                own.sort();
                own.dedup();
                let score = |document: &String| {
                    let place = self.documents.iter().position(|other| other == document);
                    scores[place.unwrap()]
                };
                Query {
                    id: id.clone(),
                    lowest: own.iter().map(score).fold(f32::INFINITY, f32::min),
                    positives: own,
                    candidates: ranked
                        .into_iter()
                        .map(|document| (self.documents[document].clone(), scores[document]))
                        .collect(),
                }
            })
            .collect()
    }
}

impl Query {
    fn reasons(&self, selection: &Selection, draw: u8) -> Vec<Reason> {
        let candidate = |(number, (id, score)): (usize, &(String, f32))| Candidate {
            rank: number + 1,
            score: *score,
            excluded: match self.positives.contains(id) {
                true => Reason::PositiveId,
                false => Reason::Negative,
            },
        };
        let candidates: Vec<_> = self.candidates.iter().enumerate().map(candidate).collect();
        selection.reasons(&candidates, self.lowest, [draw; 32])
    }
}

/// The candidates table of all queries, decided.
fn decided(queries: &[Query], selection: &Selection) -> Decided {
    let mut rows = Vec::new();
    for query in queries {
        let reasons = query.reasons(selection, 0);
        for positive in &query.positives {
            let candidates = query.candidates.iter().zip(&reasons);
            rows.extend(candidates.map(|((id, _), reason)| (&query.id, positive, id, *reason)));
        }
    }
    let taken = |reason: Reason| {
        reason == Reason::Negative || (selection.include_positives && reason == Reason::PositiveId)
    };
    let schema = Table::Candidates.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let texts = |values: Vec<&str>| Arc::new(StringArray::from(values));
        match (field.name().as_str(), field.data_type()) {
            ("query_id" | "query", _) => texts(rows.iter().map(|row| row.0.as_str()).collect()),
            ("positive_id" | "positive", _) => {
                texts(rows.iter().map(|row| row.1.as_str()).collect())
            }
            ("corpus_id" | "text", _) => texts(rows.iter().map(|row| row.2.as_str()).collect()),
            ("reason", _) => texts(rows.iter().map(|row| row.3.name()).collect()),
            ("decision", _) => texts(vec![""; rows.len()]),
            (_, DataType::Int32) => Arc::new(Int32Array::from(vec![1; rows.len()])),
            _ => Arc::new(Float32Array::from(vec![0.0; rows.len()])),
        }
    });
    let batch = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
    let pairs = pairs_of(&batch).into_iter().map(|of_pair| Pair {
        negatives: of_pair.clone().filter(|&row| taken(rows[row].3)).collect(),
        ..Pair::given(of_pair)
    });
    Decided {
        pairs: pairs.collect(),
        batch,
    }
}

/// The texts and labels of training rows, sorted.
fn written(rows: &RecordBatch) -> Vec<String> {
    let schema = rows.schema();
    let columns: Vec<&ArrayRef> = (0..schema.fields().len())
        .filter(|&column| !schema.field(column).name().contains("_id"))
        .map(|column| rows.column(column))
        .collect();
    let value = |column: &ArrayRef, row: usize| match column.data_type() {
        DataType::Float32 => column.as_primitive::<Float32Type>().value(row).to_string(),
        _ => column.as_string::<i32>().value(row).to_owned(),
    };
    let cell = |column: &ArrayRef, row: usize| match column.data_type() {
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            let items = (0..list.len()).map(|item| value(&list, item));
            items.collect::<Vec<_>>().join(" ")
        }
        _ => value(column, row),
    };
    let line = |row: usize| {
        let cells = columns.iter().map(|column| cell(column, row));
        cells.collect::<Vec<_>>().join(" ")
    };
    let mut written: Vec<String> = (0..rows.num_rows()).map(line).collect();
    written.sort();
    written
}

/// The rows of the reference in the same form, with labels in place of scores.
fn expected(case: &Case, queries: &[Query]) -> Vec<String> {
    let label = |query: &str, document: &str| {
        let query = queries.iter().find(|one| one.id == query).unwrap();
        u8::from(query.positives.iter().any(|positive| positive == document)).to_string()
    };
    let line = |row: &Vec<Value>| {
        let query = row[0].as_str().unwrap();
        let mut cells = vec![query.to_owned()];
        match &row[1] {
            Value::Array(documents) => {
                let documents = || documents.iter().map(|document| document.as_str().unwrap());
                cells.extend(documents().map(str::to_owned));
                cells.extend(documents().map(|document| label(query, document)));
            }
            document => {
                cells.push(document.as_str().unwrap().to_owned());
                cells.extend(row[2..].iter().filter_map(Value::as_str).map(str::to_owned));
                if case.options.format() == TrainingFormat::LABELED_PAIR {
                    cells.push(label(query, document.as_str().unwrap()));
                }
            }
        }
        cells.join(" ")
    };
    let mut rows: Vec<String> = case.rows.iter().map(line).collect();
    rows.sort();
    rows
}

#[test]
fn rows_are_those_of_mine_hard_negatives() {
    let figures = figures();
    let mut compared = 0;
    // Which of equal scores comes first is left open there.
    for case in figures.cases.iter().filter(|case| case.scenario != "tied") {
        let scenario = &figures.scenarios[&case.scenario];
        let rescored = case.cross_encoder && case.options.filters();
        let queries = scenario.queries(case.range_max, case.corpus, rescored);
        let decided = decided(&queries, &case.options.selection(case.range_max));
        let format = case.options.format();
        let rows = TrainingRows::new(format, case.options.num_negatives);
        let rows = rows.rows(&decided).unwrap();
        assert_eq!(
            written(&rows),
            expected(case, &queries),
            "case {compared}: {}, {format:?}, range_max {}",
            case.scenario,
            case.range_max
        );
        compared += 1;
    }
    assert!(compared > 70, "{compared} cases");
}

#[test]
fn random_negatives_are_eligible_and_every_eligible_one_turns_up() {
    let figures = figures();
    for case in &figures.random {
        let selection = Selection {
            sampling_strategy: Sampling::Random,
            ..case.options.selection(case.range_max)
        };
        for query in figures.scenarios[&case.scenario].queries(case.range_max, true, false) {
            let eligible = &case.eligible[&query.id];
            let mut seen = BTreeSet::new();
            for draw in 0..200 {
                let reasons = query.reasons(&selection, draw);
                let taken: Vec<&String> = query
                    .candidates
                    .iter()
                    .zip(&reasons)
                    .filter(|(_, reason)| **reason == Reason::Negative)
                    .map(|((id, _), _)| id)
                    .collect();
                assert_eq!(taken.len(), eligible.len().min(case.options.num_negatives));
                assert!(taken.iter().all(|id| eligible.contains(id)));
                seen.extend(taken.into_iter().cloned());
            }
            assert_eq!(seen.len(), eligible.len());
        }
    }
}
