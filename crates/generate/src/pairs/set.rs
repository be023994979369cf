//! From rows to a retrieval task.

use std::collections::{BTreeMap, HashMap, HashSet};

use datafusion::prelude::SessionContext;
use pairmill_schema::{TextKey, counted, excerpt};
use pairmill_tables::{KeptColumns, Table};
use tracing::{info, warn};

use super::options::PairsOptions;
use super::rows::{Read, Row};
use crate::input::{EXCERPT, warn_of_lost};
use crate::retrieval::{Passage, Relevance, RetrievalSet};
use crate::split::Group;
use crate::summary::{Facts, Rows};
use crate::write::Tables;
use crate::{GenerateError, Result, Split, draw};

/// What pairs make: a retrieval task with negatives of its own.
pub(crate) struct PairSet {
    set: RetrievalSet,
    rows: Rows,
    facts: Facts,
}

impl PairsOptions {
    /// Reads an input and sorts it out.
    pub(crate) async fn read(
        &self,
        session: &SessionContext,
        input: &str,
        seed: u64,
    ) -> Result<PairSet> {
        info!("reading {input}");
        let stripping = self.intake.stripping();
        let edit = self.intake.of_tables(&stripping).edit;
        let Read {
            mut rows,
            kept,
            read,
            taken,
        } = self.rows(session, input, edit).await?;
        let stripped = stripping.counts();
        let given = rows.len();
        rows.sort_unstable();
        let mut lost = 0;
        rows.dedup_by(|row, first| {
            let is_same = row.says(first);
            lost += u64::from(is_same && row.kept != first.kept);
            if is_same {
                first.time = first.time.max(row.time);
            }
            is_same
        });
        warn_of_lost(lost);
        let folded = (given - rows.len()) as u64;
        let distinct = rows.len();
        let is_whole = |row: &Row| {
            [&row.anchor, &row.second]
                .iter()
                .all(|text| !text.is_blank())
        };
        rows.retain(is_whole);
        let dropped = (distinct - rows.len()) as u64;
        if let Some(limit) = self.limit.filter(|limit| *limit < rows.len()) {
            rows.sort_by_cached_key(|row| {
                let texts = [&row.anchor.text, &row.second.text];
                draw::number(seed, "limit", &texts.map(|text| text.as_bytes()))
            });
            rows.truncate(limit);
            rows.sort_unstable();
        }
        let counts = Rows {
            read,
            left_out: taken.left_out,
            folded,
            dropped,
            used: rows.len() as u64,
            stripped,
            blank: taken.blank,
        };
        let mut pairs = self.sort_out(rows, counts, input, seed)?;
        pairs.set.kept = KeptColumns::Named(kept);
        Ok(pairs)
    }

    /// Makes passages of the distinct second texts, and queries of the distinct anchors.
    fn sort_out(&self, rows: Vec<Row>, counts: Rows, input: &str, seed: u64) -> Result<PairSet> {
        let mut passages: Vec<Passage> = Vec::new();
        let mut known: HashMap<TextKey, u32> = HashMap::new();
        let mut groups: Vec<Group> = Vec::new();
        let mut passage = |text: &str, id: Option<&String>, time: i64| {
            let key = TextKey::identical(text);
            let at = *known.entry(key).or_insert_with(|| {
                passages.push(Passage {
                    id: id.cloned().unwrap_or_else(|| key.id("p-")),
                    title: String::new(),
                    text: text.to_owned(),
                    source: None,
                    split: Split::Train,
                });
                groups.push(Group { key, time });
                passages.len() as u32 - 1
            });
            groups[at as usize].add(key, time);
            at
        };
        let mut relevances = Vec::new();
        let mut positive: HashSet<(TextKey, u32)> = HashSet::new();
        let mut negative: Vec<(TextKey, u32)> = Vec::new();
        for row in &rows {
            let anchor = TextKey::new(&row.anchor.text, self.same_text);
            let second = passage(&row.second.text, row.second.id.as_ref(), row.time);
            match row.is_positive {
                true => {
                    positive.insert((anchor, second));
                    relevances.push(Relevance {
                        query_id: (row.anchor.id.clone()).unwrap_or_else(|| anchor.id("q-")),
                        query: row.anchor.text.clone(),
                        passage: second,
                        kept: row.kept.clone(),
                    });
                }
                false => negative.push((anchor, second)),
            }
            for text in &row.negatives {
                negative.push((anchor, passage(text, None, row.time)));
            }
        }
        let time_column = self.intake.split_by_time.as_deref();
        let (splits, time) = self.split.splits(seed, &groups, time_column);
        for (passage, split) in passages.iter_mut().zip(splits) {
            passage.split = split;
        }
        refuse_shared_ids(input, &passages)?;
        // By id, since putting the set together numbers passages and queries anew.
        let id = |at: u32| passages[at as usize].id.clone();
        let mut both_labels = 0u64;
        let mut of_anchor: HashMap<TextKey, Vec<String>> = HashMap::new();
        for (anchor, at) in &negative {
            match positive.contains(&(*anchor, *at)) {
                true => both_labels += 1,
                false => of_anchor.entry(*anchor).or_default().push(id(*at)),
            }
        }
        let anchors_with_positive: HashSet<TextKey> =
            positive.iter().map(|(anchor, _)| *anchor).collect();
        let without_positive = (rows.iter())
            .filter(|row| {
                !anchors_with_positive.contains(&TextKey::new(&row.anchor.text, self.same_text))
            })
            .count() as u64;
        if both_labels > 0 {
            let pairs = counted(both_labels, "pair is", "pairs are");
            warn!("{pairs} called positive and negative; positive is what counts");
        }
        if without_positive > 0 {
            let rows = counted(without_positive, "row is", "rows are");
            warn!("{rows} left out: no row has a positive of the anchor");
        }
        let mut set = RetrievalSet::new(
            passages,
            relevances,
            self.negatives_per_anchor,
            self.same_text,
            seed,
        );
        set.time = time;
        set.set_hard_negatives(&of_anchor, self.same_text);
        if let Some(split) = set.split_without_query() {
            return Err(GenerateError::EmptySplit {
                input: input.to_owned(),
                split,
                found: format!(
                    "{} with {}",
                    counted(rows.len(), "row", "rows"),
                    counted(
                        set.passages.len(),
                        "distinct second text",
                        "distinct second texts"
                    )
                ),
                more: "rows",
                fractions: self.split,
            });
        }
        let (anchors_across_splits, pairs_left_out) = set.across_splits();
        let facts = Facts::Pairs {
            anchors: set.queries.len() as u64,
            passages: set.passages.len() as u64,
            hard_negatives: set.hard_negatives(),
            both_labels,
            without_positive,
            anchors_across_splits,
            pairs_left_out,
        };
        Ok(PairSet {
            set,
            rows: counts,
            facts,
        })
    }
}

impl PairSet {
    /// Writes all tables, and triplets of the hard negatives of train.
    pub fn write(&self, tables: &Tables) -> Result<crate::Summary> {
        let splits = self.set.write(tables)?;
        let mut triplets = tables.create("triplets_train", Table::Triplets.schema())?;
        for query in self.set.queries_of(Split::Train) {
            let positives = self.set.positives(query);
            let negatives = self.set.hard_negatives_of(query);
            for (positive, negative) in positives.iter().cycle().zip(negatives) {
                let [positive, negative] =
                    [*positive, *negative].map(|at| &self.set.passages[at as usize]);
                triplets.push(&[
                    &query.id,
                    &query.text,
                    &positive.id,
                    &positive.text,
                    &negative.id,
                    &negative.text,
                ])?;
            }
        }
        triplets.finish()?;
        Ok(crate::Summary {
            rows: self.rows.clone(),
            facts: self.facts.clone(),
            time: self.set.time.clone(),
            splits,
        })
    }
}

fn refuse_shared_ids(input: &str, passages: &[Passage]) -> Result<()> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for passage in passages {
        if let Some(other) = known.insert(&passage.id, &passage.text) {
            return Err(GenerateError::DuplicateId {
                input: input.to_owned(),
                id: passage.id.clone(),
                column: "positive",
                first: excerpt(other, EXCERPT),
                second: excerpt(&passage.text, EXCERPT),
            });
        }
    }
    Ok(())
}
