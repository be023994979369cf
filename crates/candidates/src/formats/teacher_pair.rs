use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::Float32Array;
use arrow::datatypes::SchemaRef;
use pairmill_tables::Table;

use super::columns::{by_query, documents, id, queries};
use super::teacher::score;
use super::{Columns, Format, TrainingRows};
use crate::{Decided, Document, Pair};

/// Each positive and candidate, labelled by a teacher's score.
pub(super) struct TeacherPair;

impl Format for TeacherPair {
    fn name(&self) -> &'static str {
        "teacher-pair"
    }

    fn help(&self) -> &'static str {
        "Each positive and candidate, whatever is decided: sentence1, sentence2, score (1 where the model's is at least --label-threshold, else 0)"
    }

    fn row_names(&self) -> [&'static str; 2] {
        ["labeled pair", "labeled pairs"]
    }

    fn needs_scores(&self) -> bool {
        true
    }

    fn schema(&self, _: &TrainingRows) -> SchemaRef {
        Table::LabeledPairs.schema()
    }

    fn uses(&self, pair: &Pair, _: &TrainingRows) -> bool {
        !pair.is_promoted()
    }

    /// Per query each of its positives and scored candidates once.
    fn columns(&self, decided: &Decided, _: &[&Pair], options: &TrainingRows) -> Columns {
        let batch = &decided.batch;
        let mut sources: Vec<Document> = Vec::new();
        for pairs in by_query(decided) {
            let given = || pairs.iter().filter(|pair| !pair.is_promoted());
            let candidates = given().flat_map(|pair| &pair.scored);
            let candidates = candidates.map(|&row| Document::Candidate(row));
            let mut seen = HashSet::new();
            let documents = given().map(|pair| pair.positive).chain(candidates);
            sources.extend(documents.filter(|&document| seen.insert(id(batch, document))));
        }
        let mut columns = queries(batch, sources.iter().copied())?;
        columns.extend(documents(batch, sources.iter().copied())?);
        let labels = sources.iter().map(|&document| {
            let is_positive = f64::from(score(batch, document)) >= options.label_threshold;
            f32::from(is_positive)
        });
        columns.push(Arc::new(Float32Array::from_iter_values(labels)));
        Ok(columns)
    }
}
