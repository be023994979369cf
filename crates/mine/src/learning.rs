use std::collections::HashSet;

use arrow::array::Array;
use datafusion::logical_expr::lit;
use datafusion::prelude::{DataFrame, SessionContext, ident};
use pairmill_candidates::{Absence, Evidence, Key, Known, Side, passage_key, question_key};
use pairmill_lexical::TermFinder;
use pairmill_schema::{Sameness, agreeing, counted, excerpt};
use pairmill_tables::{Qrels, passage, string_column};
use tracing::warn;

use crate::batches::for_each_batch;
use crate::labels::is_positive;
use crate::pairs::OpenPairs;
use crate::{Corpus, MineError, MineSummary, Result};

/// Letters of a text in a message.
const SHOWN: usize = 60;

/// Gathers the known positives from the pairs, the judgements and the corpus.
pub(crate) struct Learning<'a> {
    pub corpus: &'a Corpus,
    /// The pairs as the user gave them.
    pub path: &'a str,
    pub pairs: &'a OpenPairs,
    pub same_text: Sameness,
    pub summary: &'a mut MineSummary,
    pub evidence: Evidence,
}

impl Learning<'_> {
    /// Reads all three, and says what of them does not go together.
    pub async fn learn(
        mut self,
        session: &SessionContext,
        terms: Option<TermFinder>,
        qrels: Option<Qrels>,
        passages: DataFrame,
    ) -> Result<Known> {
        self.read_pairs(terms).await?;
        for (query_id, corpus_id) in qrels.iter().flat_map(Qrels::relevant) {
            self.evidence.add_judgement(query_id, corpus_id);
        }
        drop(qrels);
        self.read_passages(passages).await?;
        self.summary.judged_outside_corpus = self.evidence.judged_but_unseen() as u64;
        if self.summary.judged_outside_corpus > 0 {
            let (missing, corpus) = (self.summary.judged_outside_corpus, &self.corpus.path);
            let passages = counted(missing, "passage", "passages");
            let are = agreeing(missing, "is", "are");
            warn!("{passages} named in the judgements {are} not in {corpus}");
        }
        let absence = self.evidence.absence();
        self.summary.positives_outside_corpus = absence.absent;
        self.summary.positives_with_other_text = absence.differing;
        self.warn_of(session, &absence).await?;
        Ok(self.evidence.finish())
    }

    async fn read_pairs(&mut self, mut terms: Option<TermFinder>) -> Result<()> {
        let Self {
            path,
            pairs,
            same_text,
            summary,
            evidence,
            ..
        } = self;
        let same_text = *same_text;
        let path = || (*path).to_owned();
        let mut wrong = None;
        let mut ambiguous = None;
        let mut rows = 0;
        let mut negatives: HashSet<(Key, Key)> = HashSet::new();
        for_each_batch(pairs.all.clone(), |batch| {
            let [anchor_id, anchor, positive_id, positive] =
                ["anchor_id", "anchor", "positive_id", "positive"]
                    .map(|name| string_column(batch, name));
            let labels = pairs.label.as_ref().map(|_| string_column(batch, "label"));
            for row in 0..batch.num_rows() {
                let (anchor_id, anchor) = (anchor_id.value(row), anchor.value(row));
                let (positive_id, positive) = (positive_id.value(row), positive.value(row));
                rows += 1;
                if let Some(labels) = labels {
                    let label = if labels.is_null(row) {
                        ""
                    } else {
                        labels.value(row)
                    };
                    match is_positive(label) {
                        Some(true) => {}
                        Some(false) => {
                            summary.pairs_labeled_negative += 1;
                            let query = question_key(anchor, same_text);
                            negatives.insert((query, passage_key(positive)));
                            continue;
                        }
                        None => {
                            wrong.get_or_insert_with(|| (excerpt(anchor, SHOWN), label.to_owned()));
                            continue;
                        }
                    }
                }
                let new = evidence.add_pair(anchor_id, anchor, positive_id, positive);
                if let Some(side) = new.ambiguous {
                    let id = match side {
                        Side::Anchor => anchor_id,
                        Side::Positive => positive_id,
                    };
                    ambiguous.get_or_insert_with(|| (side, id.to_owned()));
                }
                summary.queries += u64::from(new.anchor);
                let is_empty = |terms: &mut TermFinder| !terms.finds(anchor);
                let is_empty = new.anchor && terms.as_mut().is_some_and(is_empty);
                summary.queries_without_terms += u64::from(is_empty);
                summary.pairs += u64::from(new.pair);
            }
        })
        .await?;
        let column = pairs.label.clone().unwrap_or_default();
        if let Some((anchor, found)) = wrong {
            return Err(MineError::BadLabel {
                path: path(),
                column,
                anchor,
                found,
            });
        }
        if let Some((side, id)) = ambiguous {
            return self.ambiguous(side, id).await;
        }
        if summary.pairs == 0 {
            let path = path();
            return Err(MineError::NoPositive { path, column, rows });
        }
        if summary.pairs_labeled_negative > 0 {
            warn!(
                "{} of {} {} a `{column}` below 0.5: no positives, and left out",
                summary.pairs_labeled_negative,
                counted(rows, "pair", "pairs"),
                agreeing(summary.pairs_labeled_negative, "has", "have")
            );
        }
        let both = negatives
            .iter()
            .filter(|&&(query, passage)| evidence.knows(query, passage));
        let both = both.count();
        if both > 0 {
            warn!(
                "{} labelled both a positive and none, in several rows; a positive is what counts",
                counted(both, "pair is", "pairs are")
            );
        }
        Ok(())
    }

    /// Says which two texts an id stands for.
    async fn ambiguous(&self, side: Side, id: String) -> Result<()> {
        let (column, text) = match side {
            Side::Anchor => ("anchor_id", "anchor"),
            Side::Positive => ("positive_id", "positive"),
        };
        let mut texts = Vec::new();
        let of_id = self
            .pairs
            .positives
            .clone()
            .filter(ident(column).eq(lit(&*id)))?;
        for_each_batch(of_id, |batch| {
            let of_batch = string_column(batch, text).iter().flatten();
            texts.extend(of_batch.map(str::to_owned));
        })
        .await?;
        texts.sort_unstable();
        texts.dedup();
        let form = |text: &str| match side {
            Side::Anchor => question_key(text, self.same_text),
            Side::Positive => passage_key(text),
        };
        let first = texts.first().cloned().unwrap_or_default();
        let second = texts.iter().find(|text| form(text) != form(&first));
        Err(MineError::AmbiguousId {
            path: self.path.to_owned(),
            column,
            id,
            second: second.map(|text| excerpt(text, SHOWN)).unwrap_or_default(),
            first: excerpt(&first, SHOWN),
        })
    }

    async fn read_passages(&mut self, passages: DataFrame) -> Result<()> {
        for_each_batch(passages, |batch| {
            let [id, title, text, group] =
                ["id", "title", "text", "group"].map(|name| string_column(batch, name));
            for row in 0..batch.num_rows() {
                let group = group.is_valid(row).then(|| group.value(row));
                let group = group.filter(|group| !group.is_empty());
                let title = if title.is_valid(row) {
                    title.value(row)
                } else {
                    ""
                };
                self.evidence
                    .add_passage(id.value(row), title, text.value(row), group);
            }
        })
        .await
    }

    async fn warn_of(&self, session: &SessionContext, absence: &Absence) -> Result<()> {
        let corpus = self.corpus;
        let (absent, all) = (absence.absent, absence.positives);
        if absent == all {
            warn!(
                "no positive of {all} is in {}, neither by id nor by text: is it the corpus of these pairs?",
                corpus.path
            );
        } else if absent > 0 {
            warn!(
                "{absent} of {} {} not in {}, neither by id nor by text",
                counted(all, "positive", "positives"),
                agreeing(absent, "is", "are"),
                corpus.path
            );
        }
        if absence.untitled * 2 > all {
            warn!(
                "{} of {} {} a positive without the title, and candidates are written with theirs: a model could learn that what has a title is wrong; give the positives their titles, or a corpus without titles",
                counted(absence.untitled, "passage", "passages"),
                corpus.path,
                agreeing(absence.untitled, "is", "are")
            );
        }
        let Some(id) = &absence.example else {
            return Ok(());
        };
        let (mut own, mut other) = (String::new(), String::new());
        let of_id = self
            .pairs
            .positives
            .clone()
            .filter(ident("positive_id").eq(lit(id.as_str())))?;
        for_each_batch(of_id.limit(0, Some(1))?, |batch| {
            own = string_column(batch, "positive")
                .iter()
                .flatten()
                .map(|text| excerpt(text, SHOWN))
                .collect();
        })
        .await?;
        let of_id = corpus
            .open(session, &[])
            .await?
            .filter(ident("id").eq(lit(id.as_str())))?;
        for_each_batch(of_id.limit(0, Some(1))?, |batch| {
            let [titles, texts] = ["title", "text"].map(|name| string_column(batch, name));
            let passages = titles.iter().zip(texts.iter());
            let passages =
                passages.filter_map(|(title, text)| Some(passage(title.unwrap_or(""), text?)));
            other = passages.map(|text| excerpt(&text, SHOWN)).collect();
        })
        .await?;
        warn!(
            "{} of {} {} another text under the same id in {}, such as `{id}` ({own:?} and {other:?}); passages are taken for the positive by id all the same; if ids were given anew in each table, use --content-ids",
            absence.differing,
            counted(all, "positive", "positives"),
            agreeing(absence.differing, "has", "have"),
            corpus.path
        );
        Ok(())
    }
}
