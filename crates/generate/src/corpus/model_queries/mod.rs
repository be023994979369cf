//! Queries that a language model writes for passages.

mod answer;
mod prompt;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use answer::{Defect, queries};
use arrow::datatypes::{DataType, Field, Schema};
use pairmill_language_model::{AskOptions, Endpoint, EndpointOptions, Prompt, ask};
use pairmill_schema::{Sameness, TextKey};
use prompt::{Style, messages};
use serde::Serialize;

use crate::model_facts::ModelFacts;
use crate::retrieval::Passage;
use crate::write::Tables;
use crate::{Result, draw};

/// How a language model is asked for queries.
#[derive(Debug, Clone, Serialize)]
pub struct ModelQueryOptions {
    /// The model's name, as the endpoint calls it.
    pub model: String,
    /// Passages to ask about at most.
    pub passages: usize,
    /// Queries to ask for about each.
    pub queries_per_passage: usize,
    /// Queries of real people to follow.
    pub examples: Vec<String>,
    /// How much chance there is in the answers; without one, as the endpoint has it.
    pub temperature: Option<f64>,
    /// Tokens of an answer at most.
    pub max_answer_tokens: u32,
    /// Where the model is.
    #[serde(skip)]
    pub endpoint: EndpointOptions,
    /// How it is asked.
    #[serde(skip)]
    pub ask: AskOptions,
}

/// A line of an answer.
pub(super) struct Written {
    pub passage: u32,
    corpus_id: String,
    pub query: String,
    defect: Option<Defect>,
}

/// All that a model wrote, with what there is to say about it.
pub(super) struct ModelQueries {
    pub written: Vec<Written>,
    pub facts: ModelFacts,
}

impl ModelQueryOptions {
    /// Asks a model for queries of some of these passages: in turn one of each document.
    pub(super) fn queries(
        &self,
        passages: &[Passage],
        of: &[u32],
        most_documents: u32,
        sameness: Sameness,
        seed: u64,
    ) -> Result<ModelQueries> {
        let drawn = self.drawn(passages, of, seed);
        let endpoint = Endpoint::new(self.endpoint.clone())?;
        let prompts: Vec<Prompt> = drawn
            .iter()
            .map(|&at| self.prompt(&passages[at as usize], seed))
            .collect();
        let answers = ask(&endpoint, &prompts, &self.ask)?;
        let keys = self.examples.iter().map(|one| TextKey::new(one, sameness));
        let examples: HashSet<TextKey> = keys.collect();
        let mut written = Vec::new();
        for (&passage, answer) in drawn.iter().zip(&answers.answers) {
            let text = passages[passage as usize].whole();
            let answer = answer.as_ref();
            let most = self.queries_per_passage;
            let lines = answer.map(|answer| queries(answer, &text, most, &examples, sameness));
            written.extend(lines.into_iter().flatten().map(|(query, defect)| Written {
                passage,
                corpus_id: passages[passage as usize].id.clone(),
                query,
                defect,
            }));
        }
        mark_common(&mut written, passages, most_documents, sameness);
        let mut facts = ModelFacts {
            passages: drawn.len() as u64,
            asked: answers.counts,
            ..ModelFacts::default()
        };
        for one in &written {
            match one.defect {
                None => facts.queries += 1,
                Some(defect) => {
                    let reason: &str = defect.into();
                    *facts.left_out.entry(reason.to_owned()).or_default() += 1;
                }
            }
        }
        Ok(ModelQueries { written, facts })
    }

    /// Chooses passages: one of each document in turn, documents and passages in an order that the
    /// seed decides, so that a greater number adds some and removes none.
    fn drawn(&self, passages: &[Passage], of: &[u32], seed: u64) -> Vec<u32> {
        let number = |text: &str| draw::number(seed, "asked", &[text.as_bytes()]);
        let mut drawn = of.to_vec();
        drawn.sort_by_cached_key(|&at| number(&passages[at as usize].id));
        let mut turns: HashMap<Option<&Arc<str>>, u32> = HashMap::new();
        let mut in_turn: Vec<(u32, u64, u32)> = drawn
            .into_iter()
            .map(|at| {
                let source = passages[at as usize].source.as_ref();
                let turn = turns.entry(source).or_default();
                *turn += 1;
                (*turn, number(source.map_or("", |source| source)), at)
            })
            .collect();
        in_turn.sort_unstable();
        in_turn.truncate(self.passages);
        in_turn.into_iter().map(|(_, _, at)| at).collect()
    }

    fn prompt(&self, passage: &Passage, seed: u64) -> Prompt {
        let style = match draw::number(seed, "style", &[passage.id.as_bytes()]) % 2 {
            0 => Style::Questions,
            _ => Style::Keywords,
        };
        Prompt {
            model: self.model.clone(),
            messages: messages(
                &passage.whole(),
                self.queries_per_passage,
                &self.examples,
                style,
            ),
            temperature: self.temperature,
            max_tokens: self.max_answer_tokens,
            seed,
        }
    }
}

/// Marks queries that ask for passages of more documents than that: they say nothing of one.
fn mark_common(
    written: &mut [Written],
    passages: &[Passage],
    most_documents: u32,
    sameness: Sameness,
) {
    let key = |one: &Written| TextKey::new(&one.query, sameness);
    let mut documents: HashMap<TextKey, HashSet<Option<&Arc<str>>>> = HashMap::new();
    for one in written.iter().filter(|one| one.defect.is_none()) {
        let source = passages[one.passage as usize].source.as_ref();
        documents.entry(key(one)).or_default().insert(source);
    }
    for one in written.iter_mut().filter(|one| one.defect.is_none()) {
        if documents[&key(one)].len() > most_documents as usize {
            one.defect = Some(Defect::Common);
        }
    }
}

impl Written {
    /// Returns whether the query asks for its passage.
    pub fn is_query(&self) -> bool {
        self.defect.is_none()
    }
}

impl ModelQueries {
    /// Writes all that the model wrote, with the reason where a line is no query.
    pub fn write(&self, tables: &Tables) -> Result<()> {
        let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
        let schema = Schema::new(vec![
            text("corpus_id", false),
            text("query", false),
            text("reason", true),
        ]);
        let mut table = tables.create(ModelFacts::TABLE, Arc::new(schema))?;
        for one in &self.written {
            let reason = one.defect.map(|defect| <&str>::from(defect).to_owned());
            table.push_kept(&[&one.corpus_id, &one.query], &[reason])?;
        }
        table.finish()?;
        Ok(())
    }
}
