use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pairmill_schema::counted;
use pairmill_tables::TableError;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::left_out::{self, LeftOut, Piece};
use crate::model_facts::ModelFacts;
use crate::{Result, SkippedFiles, Split, TimeSplit};

/// Queries of test below which an evaluation tells little.
const FEW_QUERIES: u64 = 20;

/// The summary's file in the output folder.
const FILE: &str = "summary.json";

/// What was read and what was made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The input's rows.
    pub rows: Rows,
    /// What there is to say about this kind of input.
    #[serde(flatten)]
    pub facts: Facts,
    /// Where the splits are parted in time, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeSplit>,
    /// What each split holds.
    pub splits: BTreeMap<Split, SplitCounts>,
}

/// Numbers of rows of the input; of documents, their passages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// Rows in the input.
    pub read: u64,
    /// Rows left out by `--where`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
    /// Rows left out because another one is identical.
    pub folded: u64,
    /// Rows left out because a text is empty.
    pub dropped: u64,
    /// Rows worked on, after `--limit`.
    pub used: u64,
    /// Texts that something was taken out of by `--strip`, by what it was.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stripped: BTreeMap<String, u64>,
    /// Rows in which a column of several joined ones is blank, by column.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub blank: BTreeMap<String, u64>,
}

impl Rows {
    /// Says it for people, of what is called so.
    fn log(&self, rows: &str) {
        let Self {
            read,
            left_out,
            folded,
            dropped,
            used,
            ..
        } = self;
        let left_out = match left_out {
            0 => String::new(),
            rows => format!("{rows} left out by --where, "),
        };
        info!(
            "{rows}: {read} read, {left_out}{folded} identical folded, {dropped} with an empty text dropped, {used} used"
        );
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Facts of one kind of input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "lowercase")]
pub enum Facts {
    /// Question/answer pairs.
    Qa {
        /// Distinct question texts.
        questions: u64,
        /// Spellings of questions (letter case, punctuation) beside the first one of each.
        #[serde(default)]
        questions_respelled: u64,
        /// Distinct answer texts: the corpus.
        answers: u64,
        /// Questions with answers in several splits, kept in the earliest one.
        questions_across_splits: u64,
        /// Their question/answer pairs that are in no split.
        pairs_left_out: u64,
    },
    /// Labelled pairs, pairs or triplets.
    Pairs {
        /// Distinct anchors that have a positive.
        anchors: u64,
        /// Distinct texts that are positive or negative: the corpus.
        passages: u64,
        /// Pairs of an anchor and a text that the input calls negative.
        hard_negatives: u64,
        /// Rows whose pair another one calls positive.
        both_labels: u64,
        /// Rows whose anchors have no positive.
        without_positive: u64,
        /// Anchors with positives in several splits, kept in the earliest one.
        anchors_across_splits: u64,
        /// Their pairs that are in no split.
        pairs_left_out: u64,
    },
    /// Tickets.
    Tickets {
        /// Distinct texts.
        texts: u64,
        /// Distinct categories.
        categories: u64,
        /// Texts that stand under more than one category.
        ambiguous_texts: u64,
        /// Categories without a pair, because they have no two texts in train.
        categories_without_pair: u64,
        /// Texts of dev and test that are no query, because train has nothing of their category.
        texts_without_judgement: u64,
        /// Texts of dev and test that are no query, because all would make too many judgements.
        #[serde(default)]
        queries_not_judged: u64,
        /// Categories that are spelled in several ways.
        #[serde(default)]
        categories_respelled: u64,
    },
    /// Files of text.
    Corpus {
        /// The rows of the table that holds the documents, where one does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        table: Option<Rows>,
        /// Documents with a passage.
        documents: u64,
        /// Distinct headings, titles and descriptions that ask for a passage.
        queries: u64,
        /// Spellings of queries (letter case, punctuation) beside the first one of each.
        #[serde(default)]
        queries_respelled: u64,
        /// Headings that stand behind their document's title, because they say nothing alone.
        headings_prefixed: u64,
        /// Headings that are no query, because they or the passage below them say nothing of their
        /// own, or an earlier passage is equal.
        headings_left_out: u64,
        /// Sentences that ask for the passages that they were taken out of.
        #[serde(default)]
        sentences: u64,
        /// Queries with passages in several splits, kept in the earliest one.
        queries_across_splits: u64,
        /// Their pairs that are in no split.
        pairs_left_out: u64,
        /// Files that made no document.
        skipped: SkippedFiles,
        /// Files of other kinds.
        other_files: u64,
        /// What is no text of the documents, by kind.
        #[serde(default)]
        left_out: BTreeMap<Piece, LeftOut>,
        /// What a language model wrote, where one was asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<Box<ModelFacts>>,
    },
}

/// Numbers of one split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitCounts {
    /// Distinct texts that were split: answers, tickets or passages.
    pub texts: u64,
    /// Queries.
    pub queries: u64,
    /// Positive pairs; those of train are `pairs_train`.
    pub positives: u64,
    /// Labelled pairs with score 0.
    pub negatives: u64,
    /// Relevance judgements.
    pub judgements: u64,
}

impl Summary {
    /// Returns the summary that an earlier run left in its output folder.
    pub(crate) fn of_folder(folder: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(folder.join(FILE)).ok()?).ok()
    }

    /// Returns whether nothing was left for a further run of the same command.
    pub(crate) fn is_complete(&self) -> bool {
        match &self.facts {
            Facts::Corpus { model, .. } => model.as_ref().is_none_or(|model| model.is_complete()),
            _ => true,
        }
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        serde_json::to_vec_pretty(self)
            .map_err(std::io::Error::from)
            .and_then(|text| fs::write(&path, text))
            .map_err(|source| TableError::Unwritable { path, source }.into())
    }

    /// Says it for people, on the log.
    pub(crate) fn log(&self) {
        let rows = match &self.facts {
            Facts::Corpus { table, .. } => {
                if let Some(rows) = table {
                    rows.log("rows");
                }
                "passages"
            }
            _ => "rows",
        };
        self.rows.log(rows);
        match self.facts {
            Facts::Qa {
                questions,
                questions_respelled,
                answers,
                questions_across_splits,
                pairs_left_out,
            } => {
                info!(
                    "texts: {}, {}",
                    counted(questions, "distinct question", "distinct questions"),
                    counted(answers, "distinct answer", "distinct answers")
                );
                log_respelled("questions", questions_respelled);
                if questions_across_splits > 0 {
                    let questions = counted(questions_across_splits, "question", "questions");
                    log_split("answers of", &questions, pairs_left_out);
                }
            }
            Facts::Pairs {
                anchors,
                passages,
                hard_negatives,
                anchors_across_splits,
                pairs_left_out,
                ..
            } => {
                info!(
                    "texts: {}, {}, {} that the input calls negative",
                    counted(anchors, "distinct anchor", "distinct anchors"),
                    counted(passages, "distinct other text", "distinct other texts"),
                    counted(hard_negatives, "pair", "pairs")
                );
                if anchors_across_splits > 0 {
                    let anchors = counted(anchors_across_splits, "anchor", "anchors");
                    log_split("positives of", &anchors, pairs_left_out);
                }
            }
            Facts::Corpus {
                table: _,
                documents,
                queries,
                queries_respelled,
                headings_prefixed,
                headings_left_out,
                sentences,
                queries_across_splits,
                pairs_left_out,
                skipped,
                other_files,
                ref left_out,
                ref model,
            } => {
                left_out::log(left_out);
                info!(
                    "texts: {} from {} ({skipped}; {})",
                    counted(queries, "distinct query", "distinct queries"),
                    counted(documents, "document", "documents"),
                    counted(other_files, "file of another kind", "files of other kinds")
                );
                log_respelled("queries", queries_respelled);
                info!(
                    "headings: {headings_prefixed} behind their document's title, {headings_left_out} left out"
                );
                if sentences > 0 {
                    info!(
                        "sentences: {sentences} taken out of passages of documents without a heading or title of their own, to ask for the rest of them"
                    );
                }
                if let Some(model) = model {
                    model.log();
                }
                if queries_across_splits > 0 {
                    let queries = counted(queries_across_splits, "query", "queries");
                    log_split("passages of", &queries, pairs_left_out);
                }
            }
            Facts::Tickets {
                texts,
                categories,
                categories_without_pair,
                texts_without_judgement,
                ..
            } => {
                info!(
                    "texts: {} in {}",
                    counted(texts, "distinct text", "distinct texts"),
                    counted(categories, "category", "categories")
                );
                if categories_without_pair > 0 {
                    info!(
                        "{} no two texts in train: no pair of them",
                        counted(categories_without_pair, "category has", "categories have")
                    );
                }
                if texts_without_judgement > 0 {
                    info!(
                        "{} of dev and test without a query: train has nothing of their category",
                        counted(texts_without_judgement, "text", "texts")
                    );
                }
            }
        }
        if let Some(time) = &self.time {
            info!("{time}");
        }
        let texts = match self.facts {
            Facts::Qa { .. } => "answers",
            Facts::Corpus { .. } => "passages",
            _ => "texts",
        };
        info!("split  {texts:>9}   queries positives negatives judgements");
        for (split, counts) in &self.splits {
            info!(
                "{:<6} {:>9} {:>9} {:>9} {:>9} {:>10}",
                split.name(),
                counts.texts,
                counts.queries,
                counts.positives,
                counts.negatives,
                counts.judgements
            );
        }
        let queries_of = |split| self.splits.get(&split).map_or(0, |counts| counts.queries);
        let queries = queries_of(Split::Test);
        if queries < FEW_QUERIES {
            warn!(
                "test has {}, by which only a large difference is seen: bring more data, or give test more with --split",
                counted(queries, "query", "queries")
            );
        }
    }
}

/// Says of which texts there are some in several splits, and what became of them.
fn log_split(what: &str, texts: &str, pairs_left_out: u64) {
    let left_out = counted(pairs_left_out, "pair", "pairs");
    info!(
        "the {what} {texts} fall into several splits; the first of train, dev and test is kept: {left_out} left out"
    );
}

fn log_respelled(texts: &str, respelled: u64) {
    if respelled > 0 {
        info!(
            "{} from another one in letter case or punctuation alone, which counts as the same; --same-text identical keeps them apart",
            counted(
                respelled,
                &format!("spelling of {texts} differs"),
                &format!("spellings of {texts} differ")
            )
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_comes_back_from_its_folder() {
        let summary = Summary {
            rows: Rows {
                read: 9,
                folded: 1,
                dropped: 2,
                used: 6,
                ..Rows::default()
            },
            facts: Facts::Qa {
                questions: 5,
                questions_respelled: 2,
                answers: 4,
                questions_across_splits: 1,
                pairs_left_out: 1,
            },
            time: None,
            splits: BTreeMap::from([(
                Split::Dev,
                SplitCounts {
                    texts: 4,
                    ..Default::default()
                },
            )]),
        };
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Summary::of_folder(folder.path()), None);
        summary.write(folder.path()).unwrap();
        assert_eq!(Summary::of_folder(folder.path()), Some(summary));
    }
}
