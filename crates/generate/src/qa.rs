use std::collections::{BTreeMap, HashMap};

use pairmill_tables::{ColumnNames, Table};
use rand::seq::index;
use serde::Serialize;
use tracing::info;

use crate::input::{Input, Row};
use crate::summary::{Facts, Rows, SplitCounts, Summary};
use crate::text::TextKey;
use crate::write::Tables;
use crate::{Fractions, GenerateError, Result, Split, draw};

/// The options that shape what is made of question/answer pairs.
#[derive(Debug, Clone, Default, Serialize)]
pub struct QaOptions {
    /// Random negatives for each question in the labelled pairs.
    pub negatives_per_question: usize,
    /// Fractions of the distinct answers.
    pub split: Fractions,
    /// Rows to use at most.
    pub limit: Option<usize>,
    /// The input's column of ids, if not `id`.
    pub id_column: Option<String>,
    /// The input's column of questions, if not `question`.
    pub question_column: Option<String>,
    /// The input's column of answers, if not `answer`.
    pub answer_column: Option<String>,
}

impl QaOptions {
    pub(crate) fn input<'a>(&self, path: &'a str) -> Input<'a> {
        Input {
            path,
            table: Table::Qa,
            columns: ["question", "answer"],
            names: ColumnNames::new([
                ("id", self.id_column.as_deref()),
                ("question", self.question_column.as_deref()),
                ("answer", self.answer_column.as_deref()),
            ]),
        }
    }
}

/// A distinct answer text: a document of the corpus.
#[derive(Debug)]
pub(crate) struct Answer {
    pub id: String,
    pub text: String,
    pub split: Split,
}

/// A distinct question text: a query.
#[derive(Debug)]
pub(crate) struct Question {
    pub id: String,
    pub text: String,
    pub split: Split,
    /// Every known answer, in whichever split, in order.
    pub answers: Vec<u32>,
}

/// Distinct questions and answers, each ordered by id.
#[derive(Debug)]
pub(crate) struct QaSet {
    pub questions: Vec<Question>,
    pub answers: Vec<Answer>,
    negatives_per_question: usize,
    seed: u64,
}

impl QaSet {
    /// Sorts out rows ordered by id: an answer's split is a hash of its text, a question's the
    /// earliest of its answers'.
    pub fn new(rows: Vec<Row>, options: &QaOptions, input: &str, seed: u64) -> Result<Self> {
        let used = rows.len() as u64;
        let mut set = Self {
            questions: Vec::new(),
            answers: Vec::new(),
            negatives_per_question: options.negatives_per_question,
            seed,
        };
        let mut known_questions = HashMap::new();
        let mut known_answers = HashMap::new();
        for Row {
            id,
            texts: [question, answer],
        } in rows
        {
            let key = TextKey::of(&answer);
            let answer_at = *known_answers.entry(key).or_insert_with(|| {
                set.answers.push(Answer {
                    id: key.id("a-"),
                    text: answer,
                    split: options.split.split_of(seed, key),
                });
                set.answers.len() as u32 - 1
            });
            let question_at = *known_questions
                .entry(TextKey::of(&question))
                .or_insert_with(|| {
                    set.questions.push(Question {
                        id,
                        text: question,
                        split: Split::Test,
                        answers: Vec::new(),
                    });
                    set.questions.len() - 1
                });
            set.questions[question_at].answers.push(answer_at);
        }
        set.order_answers();
        for question in &mut set.questions {
            let splits = question
                .answers
                .iter()
                .map(|&at| set.answers[at as usize].split);
            question.split = splits.min().unwrap_or(Split::Test);
        }
        set.check(input, used, options.split)?;
        Ok(set)
    }

    /// Orders the answers by id, so that order of index is order of id from here on.
    fn order_answers(&mut self) {
        let mut order: Vec<u32> = (0..self.answers.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| {
            let id = |at: u32| &self.answers[at as usize].id;
            id(a).cmp(id(b))
        });
        let mut rank = vec![0u32; order.len()];
        for (new, &old) in order.iter().enumerate() {
            rank[old as usize] = new as u32;
        }
        self.answers.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        for question in &mut self.questions {
            for answer in &mut question.answers {
                *answer = rank[*answer as usize];
            }
            question.answers.sort_unstable();
            question.answers.dedup();
        }
    }

    fn check(&self, input: &str, rows: u64, fractions: Fractions) -> Result<()> {
        for split in Split::ALL {
            if !self
                .questions
                .iter()
                .any(|question| question.split == split)
            {
                return Err(GenerateError::EmptySplit {
                    input: input.to_owned(),
                    split,
                    rows,
                    distinct: self.answers.len(),
                    unit: "answers",
                    fractions,
                });
            }
        }
        let is_answer = |id: &String| {
            self.answers
                .binary_search_by(|answer| answer.id.cmp(id))
                .is_ok()
        };
        match self
            .questions
            .iter()
            .find(|question| is_answer(&question.id))
        {
            Some(question) => Err(GenerateError::IdOfAnswer {
                input: input.to_owned(),
                id: question.id.clone(),
            }),
            None => Ok(()),
        }
    }

    pub fn questions_of(&self, split: Split) -> impl Iterator<Item = &Question> {
        self.questions
            .iter()
            .filter(move |question| question.split == split)
    }

    pub fn answers_of(&self, split: Split) -> Vec<u32> {
        let of_split = |at: &u32| self.answers[*at as usize].split == split;
        (0..self.answers.len() as u32).filter(of_split).collect()
    }

    /// A question's answers of its own split: its positives.
    pub fn positives(&self, question: &Question) -> Vec<u32> {
        let own = |at: &u32| self.answers[*at as usize].split == question.split;
        question.answers.iter().copied().filter(own).collect()
    }

    /// Answers drawn from `pool`, those of the question's split, without its known ones.
    pub fn negatives(&self, question: &Question, positives: &[u32], pool: &[u32]) -> Vec<u32> {
        // As many more are drawn as can turn out to be positives.
        let wanted = self.negatives_per_question;
        let drawn = wanted.saturating_add(positives.len()).min(pool.len());
        let mut chance = draw::generator(self.seed, "negatives", &[question.id.as_bytes()]);
        index::sample(&mut chance, pool.len(), drawn)
            .into_iter()
            .map(|at| pool[at])
            .filter(|answer| positives.binary_search(answer).is_err())
            .take(wanted)
            .collect()
    }

    /// Writes all tables.
    pub fn write(&self, tables: &Tables, rows: Rows) -> Result<Summary> {
        info!(
            "writing {} answers and {} questions",
            self.answers.len(),
            self.questions.len()
        );
        self.write_corpus(tables)?;
        let mut splits = BTreeMap::new();
        for split in Split::ALL {
            splits.insert(split, self.write_split(tables, split)?);
        }
        let left_out =
            |question: &Question| question.answers.len() - self.positives(question).len();
        let (mut questions_across_splits, mut pairs_left_out) = (0, 0);
        for pairs in self
            .questions
            .iter()
            .map(left_out)
            .filter(|&pairs| pairs > 0)
        {
            questions_across_splits += 1;
            pairs_left_out += pairs as u64;
        }
        let facts = Facts::Qa {
            questions: self.questions.len() as u64,
            answers: self.answers.len() as u64,
            questions_across_splits,
            pairs_left_out,
        };
        Ok(Summary {
            rows,
            facts,
            splits,
        })
    }

    fn write_corpus(&self, tables: &Tables) -> Result<()> {
        let mut corpus = tables.create("corpus", Table::Corpus.schema())?;
        for answer in &self.answers {
            corpus.push(&[&answer.id, "", &answer.text])?;
        }
        corpus.finish()?;
        Ok(())
    }

    fn write_split(&self, tables: &Tables, split: Split) -> Result<SplitCounts> {
        let mut queries = match split {
            Split::Train => None,
            _ => Some(tables.create(&format!("queries_{split}"), Table::Queries.schema())?),
        };
        let mut pairs = match split {
            Split::Train => Some(tables.create("pairs_train", Table::Pairs.schema())?),
            _ => None,
        };
        let mut qrels = tables.create(&format!("qrels_{split}"), Table::Qrels.schema())?;
        let mut labeled =
            tables.create(&format!("labeled_{split}"), Table::LabeledPairs.schema())?;
        let pool = self.answers_of(split);
        let mut counts = SplitCounts {
            texts: pool.len() as u64,
            ..SplitCounts::default()
        };
        for question in self.questions_of(split) {
            if let Some(queries) = &mut queries {
                queries.push(&[&question.id, &question.text])?;
            }
            let answer = |at: u32| &self.answers[at as usize];
            for &at in &question.answers {
                qrels.push_scored(&[&question.id, &answer(at).id], 1)?;
            }
            let positives = self.positives(question);
            let negatives = self.negatives(question, &positives, &pool);
            counts.queries += 1;
            counts.positives += positives.len() as u64;
            counts.negatives += negatives.len() as u64;
            if let Some(pairs) = &mut pairs {
                for &at in &positives {
                    let Answer { id, text, .. } = answer(at);
                    pairs.push(&[&question.id, &question.text, id, text])?;
                }
            }
            let mut labels: Vec<(u32, u8)> = positives.into_iter().map(|at| (at, 1)).collect();
            labels.extend(negatives.into_iter().map(|at| (at, 0)));
            labels.sort_unstable();
            for (at, label) in labels {
                let Answer { id, text, .. } = answer(at);
                labeled.push_scored(&[&question.id, &question.text, id, text], label)?;
            }
        }
        for table in [queries, pairs].into_iter().flatten() {
            table.finish()?;
        }
        counts.judgements = qrels.finish()?;
        labeled.finish()?;
        Ok(counts)
    }
}
