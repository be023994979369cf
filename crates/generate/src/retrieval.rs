use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use pairmill_schema::{Sameness, TextKey, counted};
use pairmill_tables::{KeptColumns, Table};
use rand::seq::index;
use tracing::info;

use crate::input::{Kept, warn_of_lost};
use crate::summary::SplitCounts;
use crate::write::{Tables, pairs_schema};
use crate::{Result, Split, TimeSplit, draw};

/// A document of the corpus.
#[derive(Debug)]
pub(crate) struct Passage {
    pub id: String,
    /// May be empty.
    pub title: String,
    pub text: String,
    /// What it was cut from, if it is a part of something: parts of one whole are never negatives
    /// of each other's queries.
    pub source: Option<Arc<str>>,
    pub split: Split,
}

impl Passage {
    /// Returns the passage as the later stages read it from the corpus: title, blank, text.
    pub fn whole(&self) -> Cow<'_, str> {
        match self.title.as_str() {
            "" => self.text.as_str().into(),
            title => format!("{title} {}", self.text).into(),
        }
    }
}

/// A query, one for all texts that are the same.
#[derive(Debug)]
pub(crate) struct Query {
    pub id: String,
    pub text: String,
    /// The earliest of its passages' splits.
    pub split: Split,
    /// Every relevant passage, in whichever split, in order.
    pub relevant: Vec<u32>,
    /// What is kept of the first row of each relevant passage, in the same order.
    kept: Vec<Kept>,
}

impl Query {
    /// Returns what is kept of the first row that calls this passage relevant.
    fn kept_of(&self, passage: u32) -> &[Option<String>] {
        let at = self.relevant.binary_search(&passage);
        at.map_or(&[], |at| &self.kept[at])
    }
}

/// A query text and the index of a passage that is relevant to it.
pub(crate) struct Relevance {
    pub query_id: String,
    pub query: String,
    pub passage: u32,
    pub kept: Kept,
}

/// Distinct queries and passages, each ordered by id.
#[derive(Debug)]
pub(crate) struct RetrievalSet {
    pub queries: Vec<Query>,
    pub passages: Vec<Passage>,
    /// Passages that the input calls irrelevant to a query, by the number of the query.
    hard_negatives: HashMap<u32, Vec<u32>>,
    /// Spellings of queries beside the first one of each.
    pub respelled: u64,
    negatives_per_query: usize,
    seed: u64,
    /// Columns of the input that go along to the pairs.
    pub kept: KeptColumns,
    /// Where the splits are parted in time, if they are.
    pub time: Option<TimeSplit>,
}

/// The passages of one split, from which its negatives are drawn.
pub(crate) struct SplitPassages<'a> {
    passages: Vec<u32>,
    by_source: HashMap<&'a str, Vec<u32>>,
}

impl RetrievalSet {
    /// Puts queries and passages together. Queries of the same text are one, with the id and the
    /// spelling of the first.
    pub fn new(
        passages: Vec<Passage>,
        relevances: impl IntoIterator<Item = Relevance>,
        negatives_per_query: usize,
        sameness: Sameness,
        seed: u64,
    ) -> Self {
        let mut queries: Vec<Query> = Vec::new();
        let mut known = HashMap::new();
        let mut spellings = HashSet::new();
        for relevance in relevances {
            spellings.insert(TextKey::identical(&relevance.query));
            let at = *known
                .entry(TextKey::new(&relevance.query, sameness))
                .or_insert_with(|| {
                    queries.push(Query {
                        id: relevance.query_id,
                        text: relevance.query,
                        split: Split::Test,
                        relevant: Vec::new(),
                        kept: Vec::new(),
                    });
                    queries.len() - 1
                });
            queries[at].relevant.push(relevance.passage);
            queries[at].kept.push(relevance.kept);
        }
        let mut set = Self {
            respelled: (spellings.len() - queries.len()) as u64,
            queries,
            passages,
            hard_negatives: HashMap::new(),
            negatives_per_query,
            seed,
            kept: KeptColumns::None,
            time: None,
        };
        set.order();
        for query in &mut set.queries {
            let splits = query.relevant.iter();
            let splits = splits.map(|&at| set.passages[at as usize].split);
            query.split = splits.min().unwrap_or(Split::Test);
        }
        set
    }

    /// Takes in, by the texts of queries, the ids of passages that the input calls irrelevant to
    /// them. One that is relevant in another split than the query's is left out, so that it is seen
    /// in one.
    pub fn set_hard_negatives(
        &mut self,
        of_query: &HashMap<TextKey, Vec<String>>,
        sameness: Sameness,
    ) {
        let relevant = self.queries.iter().flat_map(|query| &query.relevant);
        let relevant: HashSet<u32> = relevant.copied().collect();
        for (query, number) in self.queries.iter().zip(0..) {
            let ids = of_query
                .get(&TextKey::new(&query.text, sameness))
                .into_iter()
                .flatten();
            let numbers = ids.filter_map(|id| {
                let at = self.passages.binary_search_by(|passage| passage.id.cmp(id));
                at.ok().map(|at| at as u32)
            });
            let is_open = |at: &u32| {
                let passage = &self.passages[*at as usize];
                passage.split == query.split || !relevant.contains(at)
            };
            let mut negatives: Vec<u32> = numbers.filter(is_open).collect();
            negatives.sort_unstable();
            negatives.dedup();
            if !negatives.is_empty() {
                self.hard_negatives.insert(number, negatives);
            }
        }
    }

    /// Returns how many hard negatives there are.
    pub fn hard_negatives(&self) -> u64 {
        self.hard_negatives
            .values()
            .map(|all| all.len() as u64)
            .sum()
    }

    /// Returns those of a query.
    pub fn hard_negatives_of(&self, query: &Query) -> &[u32] {
        let at = self
            .queries
            .binary_search_by(|other| other.id.cmp(&query.id));
        let negatives = at.ok().and_then(|at| self.hard_negatives.get(&(at as u32)));
        negatives.map_or(&[], Vec::as_slice)
    }

    /// Orders queries and passages by id, so that order of index is order of id from here on.
    fn order(&mut self) {
        let mut order: Vec<u32> = (0..self.passages.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| {
            let id = |at: u32| &self.passages[at as usize].id;
            id(a).cmp(id(b))
        });
        let mut rank = vec![0u32; order.len()];
        for (new, &old) in order.iter().enumerate() {
            rank[old as usize] = new as u32;
        }
        self.passages.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let mut lost = 0;
        for query in &mut self.queries {
            let passages = query.relevant.drain(..).map(|at| rank[at as usize]);
            let mut relevant: Vec<_> = passages.zip(query.kept.drain(..)).collect();
            relevant.sort_by_key(|(passage, _)| *passage);
            relevant.dedup_by(|row, first| {
                let is_same = row.0 == first.0;
                lost += u64::from(is_same && row.1 != first.1);
                is_same
            });
            (query.relevant, query.kept) = relevant.into_iter().unzip();
        }
        self.queries.sort_by(|a, b| a.id.cmp(&b.id));
        warn_of_lost(lost);
    }

    /// Returns the first split that has no query.
    pub fn split_without_query(&self) -> Option<Split> {
        Split::ALL
            .into_iter()
            .find(|&split| self.queries_of(split).next().is_none())
    }

    pub fn queries_of(&self, split: Split) -> impl Iterator<Item = &Query> {
        self.queries
            .iter()
            .filter(move |query| query.split == split)
    }

    /// Returns a query's passages of its own split: its positives.
    pub fn positives(&self, query: &Query) -> Vec<u32> {
        let own = |at: &u32| self.passages[*at as usize].split == query.split;
        query.relevant.iter().copied().filter(own).collect()
    }

    pub fn negative_pool(&self, split: Split) -> SplitPassages<'_> {
        let mut pool = SplitPassages {
            passages: Vec::new(),
            by_source: HashMap::new(),
        };
        for (passage, at) in self.passages.iter().zip(0..) {
            if passage.split == split {
                pool.passages.push(at);
                if let Some(source) = &passage.source {
                    pool.by_source.entry(source).or_default().push(at);
                }
            }
        }
        pool
    }

    /// Draws passages from `pool`, that of the query's split, without its known ones and without
    /// other parts of what these were cut from.
    pub fn negatives(&self, query: &Query, positives: &[u32], pool: &SplitPassages) -> Vec<u32> {
        let hard = self.hard_negatives_of(query);
        let mut barred = [positives, hard].concat();
        for &at in positives {
            let source = self.passages[at as usize].source.as_deref();
            let parts = source.and_then(|source| pool.by_source.get(source));
            barred.extend(parts.into_iter().flatten());
        }
        barred.sort_unstable();
        barred.dedup();
        // As many more are drawn as can turn out to be barred.
        let wanted = self.negatives_per_query;
        let size = pool.passages.len();
        let drawn = wanted.saturating_add(barred.len()).min(size);
        let mut chance = draw::generator(self.seed, "negatives", &[query.id.as_bytes()]);
        let random = index::sample(&mut chance, size, drawn)
            .into_iter()
            .map(|at| pool.passages[at])
            .filter(|passage| barred.binary_search(passage).is_err())
            .take(wanted);
        hard.iter().copied().chain(random).collect()
    }

    /// Returns how many queries have passages in several splits, and how many of their pairs are in
    /// no split for that.
    pub fn across_splits(&self) -> (u64, u64) {
        let left_out = |query: &Query| query.relevant.len() - self.positives(query).len();
        let counts = self.queries.iter().map(left_out).filter(|&pairs| pairs > 0);
        counts.fold((0, 0), |(queries, pairs), more| {
            (queries + 1, pairs + more as u64)
        })
    }

    /// Writes all tables.
    pub fn write(&self, tables: &Tables) -> Result<BTreeMap<Split, SplitCounts>> {
        info!(
            "writing {} and {}",
            counted(self.passages.len(), "passage", "passages"),
            counted(self.queries.len(), "query", "queries")
        );
        self.write_corpus(tables)?;
        Split::ALL
            .into_iter()
            .map(|split| Ok((split, self.write_split(tables, split)?)))
            .collect()
    }

    fn write_corpus(&self, tables: &Tables) -> Result<()> {
        let has_sources = self.passages.iter().any(|passage| passage.source.is_some());
        let schema = match has_sources {
            true => schema_with_source(),
            false => Table::Corpus.schema(),
        };
        let mut corpus = tables.create("corpus", schema)?;
        for passage in &self.passages {
            let mut row = vec![&*passage.id, &*passage.title, &*passage.text];
            if has_sources {
                row.push(passage.source.as_deref().unwrap_or_default());
            }
            corpus.push(&row)?;
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
            Split::Train => Some(tables.create("pairs_train", pairs_schema(&self.kept))?),
            _ => None,
        };
        let mut qrels = tables.create(&format!("qrels_{split}"), Table::Qrels.schema())?;
        let mut labeled =
            tables.create(&format!("labeled_{split}"), Table::LabeledPairs.schema())?;
        let pool = self.negative_pool(split);
        let mut counts = SplitCounts {
            texts: pool.passages.len() as u64,
            ..SplitCounts::default()
        };
        for query in self.queries_of(split) {
            if let Some(queries) = &mut queries {
                queries.push(&[&query.id, &query.text])?;
            }
            let passage = |at: u32| &self.passages[at as usize];
            for &at in &query.relevant {
                qrels.push_scored(&[&query.id, &passage(at).id], 1)?;
            }
            let positives = self.positives(query);
            let negatives = self.negatives(query, &positives, &pool);
            counts.queries += 1;
            counts.positives += positives.len() as u64;
            counts.negatives += negatives.len() as u64;
            let mut labels: Vec<(u32, u8)> = positives.into_iter().map(|at| (at, 1)).collect();
            labels.extend(negatives.into_iter().map(|at| (at, 0)));
            labels.sort_unstable();
            for (at, label) in labels {
                let (id, text) = (&passage(at).id, passage(at).whole());
                let row = [&query.id, &query.text, id, &*text];
                labeled.push_scored(&row, label)?;
                if let Some(pairs) = pairs.as_mut().filter(|_| label == 1) {
                    pairs.push_kept(&row, query.kept_of(at))?;
                }
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

/// Returns the schema of a corpus whose passages were cut from documents.
fn schema_with_source() -> SchemaRef {
    let mut fields = Table::Corpus.schema().fields().to_vec();
    fields.push(Arc::new(Field::new("source", DataType::Utf8, false)));
    Arc::new(Schema::new(fields))
}
