use std::collections::HashMap;

use pairmill_schema::{Sameness, TextKey, counted};
use pairmill_tables::{ColumnNames, KeptColumns, Table};
use serde::Serialize;

use crate::input::{Input, Row};
use crate::retrieval::{Passage, Relevance, RetrievalSet};
use crate::split::Group;
use crate::summary::Facts;
use crate::{Fractions, GenerateError, IntakeOptions, Result, Split};

/// The options that shape what is made of question/answer pairs.
#[derive(Debug, Clone, Default, Serialize)]
pub struct QaOptions {
    /// Random negatives for each question in the labelled pairs.
    pub negatives_per_question: usize,
    /// Fractions of the distinct answers.
    pub split: Fractions,
    /// When two questions are one.
    pub same_text: Sameness,
    /// Rows to use at most.
    pub limit: Option<usize>,
    /// The input's column of ids, if not `id`.
    pub id_column: Option<String>,
    /// The input's column of questions, if not `question`.
    pub question_column: Option<String>,
    /// The input's column of answers, if not `answer`.
    pub answer_column: Option<String>,
    /// Other columns of the input that go along to the pairs.
    #[serde(skip_serializing_if = "KeptColumns::is_none")]
    pub kept: KeptColumns,
    /// Which rows are used, and what becomes of them first.
    #[serde(flatten)]
    pub intake: IntakeOptions,
}

impl QaOptions {
    pub(crate) fn input<'a>(&'a self, path: &'a str) -> Input<'a> {
        Input {
            path,
            table: Table::Qa,
            columns: ["question", "answer"],
            names: ColumnNames::new([
                ("id", self.id_column.as_deref()),
                ("question", self.question_column.as_deref()),
                ("answer", self.answer_column.as_deref()),
            ]),
            kept: &self.kept,
            intake: &self.intake,
        }
    }
}

/// Sorts out rows ordered by id: answers that are not identical are the passages, questions that
/// are not the same the queries. An answer's split is a hash of its text or its newest row's time,
/// a question's the earliest of its answers'.
pub(crate) fn retrieval_set(
    rows: Vec<Row>,
    options: &QaOptions,
    input: &str,
    seed: u64,
) -> Result<RetrievalSet> {
    let used = rows.len();
    let mut answers: Vec<Passage> = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut known = HashMap::new();
    let mut relevances = Vec::with_capacity(used);
    for Row {
        id,
        texts: [question, answer],
        kept,
        time,
    } in rows
    {
        let key = TextKey::identical(&answer);
        let passage = *known.entry(key).or_insert_with(|| {
            answers.push(Passage {
                id: key.id("a-"),
                title: String::new(),
                text: answer,
                source: None,
                split: Split::Train,
            });
            groups.push(Group { key, time });
            answers.len() as u32 - 1
        });
        groups[passage as usize].add(key, time);
        relevances.push(Relevance {
            query_id: id,
            query: question,
            passage,
            kept,
        });
    }
    let time_column = options.intake.split_by_time.as_deref();
    let (splits, time) = options.split.splits(seed, &groups, time_column);
    for (answer, split) in answers.iter_mut().zip(splits) {
        answer.split = split;
    }
    let mut set = RetrievalSet::new(
        answers,
        relevances,
        options.negatives_per_question,
        options.same_text,
        seed,
    );
    set.time = time;
    if let Some(split) = set.split_without_query() {
        return Err(GenerateError::EmptySplit {
            input: input.to_owned(),
            split,
            found: format!(
                "{} with {}",
                counted(used, "row", "rows"),
                counted(set.passages.len(), "distinct answer", "distinct answers")
            ),
            more: "rows",
            fractions: options.split,
        });
    }
    let is_answer = |id: &String| {
        let answers = &set.passages;
        answers.binary_search_by(|answer| answer.id.cmp(id)).is_ok()
    };
    match set.queries.iter().find(|question| is_answer(&question.id)) {
        Some(question) => Err(GenerateError::IdOfAnswer {
            input: input.to_owned(),
            id: question.id.clone(),
        }),
        None => Ok(set),
    }
}

/// Returns what there is to say about a set of questions and answers.
pub(crate) fn facts(set: &RetrievalSet) -> Facts {
    let (questions_across_splits, pairs_left_out) = set.across_splits();
    Facts::Qa {
        questions: set.queries.len() as u64,
        questions_respelled: set.respelled,
        answers: set.passages.len() as u64,
        questions_across_splits,
        pairs_left_out,
    }
}
