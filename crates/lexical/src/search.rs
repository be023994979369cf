use std::cmp::Ordering;
use std::collections::BTreeMap;

use pairmill_tables::passage;
use rayon::prelude::*;
use tantivy::postings::{BlockSegmentPostings, TermInfo};
use tantivy::schema::{Field, IndexRecordOption, Value};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{DocId, Score, TantivyDocument, Term};

use crate::top::Top;
use crate::{Index, Result};

/// Documents scored at a time: their scores stay in the first-level cache.
const WINDOW: usize = 4_096;

/// A passage found for a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its id.
    pub corpus_id: String,
    /// Its BM25 score, above 0.
    pub score: f32,
}

/// A passage found for a query, by its place in the index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    pub(crate) segment: u32,
    pub(crate) document: DocId,
    /// Its BM25 score, above 0.
    pub score: Score,
}

impl Index {
    /// The `top_k` best passages for a query, best first, equal scores by ascending id. Fewer if
    /// fewer share a term with the query; none if the analysis leaves no term of it.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn search(&self, query: &str, top_k: usize) -> Result<Vec<Hit>> {
        let ranked = self.rank(query, top_k, &mut Scratch::new(self))?;
        let hits = ranked.iter().map(|ranked| Hit {
            corpus_id: self.id(ranked).to_owned(),
            score: ranked.score,
        });
        Ok(hits.collect())
    }

    /// [`search`](Self::search) for many queries, on all threads of the rayon pool.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn search_all(&self, queries: &[&str], top_k: usize) -> Result<Vec<Vec<Ranked>>> {
        queries
            .par_iter()
            .map_init(
                || Scratch::new(self),
                |scratch, query| self.rank(query, top_k, scratch),
            )
            .collect()
    }

    /// The id of a passage found.
    pub fn id(&self, ranked: &Ranked) -> &str {
        self.ids[ranked.segment as usize].value(ranked.document as usize)
    }

    /// The texts of passages found. Each passage is read once, in the order of the index, so that
    /// a block of the store is unpacked no more than once for all of them.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn texts(&self, ranked: &[Ranked]) -> Result<Texts> {
        let mut places: Vec<_> = ranked.iter().map(Ranked::place).collect();
        places.sort_unstable();
        places.dedup();
        let share = places.len().div_ceil(rayon::current_num_threads()).max(1);
        let shares = places
            .par_chunks(share)
            .map(|places| self.read_texts(places))
            .collect::<Result<Vec<_>>>()?;
        Ok(Texts {
            places,
            texts: shares.into_iter().flatten().collect(),
        })
    }

    fn read_texts(&self, places: &[(u32, DocId)]) -> Result<Vec<String>> {
        let mut texts = Vec::with_capacity(places.len());
        for of_segment in places.chunk_by(|a, b| a.0 == b.0) {
            let segment = self.searcher.segment_reader(of_segment[0].0);
            let store = segment
                .get_store_reader(1)
                .map_err(|error| self.engine_error(error))?;
            for &(_, document) in of_segment {
                let stored: TantivyDocument = store
                    .get(document)
                    .map_err(|error| self.engine_error(error))?;
                let value = |field| {
                    let value = stored.get_first(field).and_then(|value| value.as_str());
                    value.unwrap_or_default()
                };
                let title = self.title.map_or("", value);
                texts.push(passage(title, value(self.text)).into_owned());
            }
        }
        Ok(texts)
    }

    fn rank(&self, query: &str, top_k: usize, scratch: &mut Scratch) -> Result<Vec<Ranked>> {
        let terms = self.weigh(query, &mut scratch.analyzer)?;
        let mut top = Top::new(self, top_k);
        for number in 0..self.ids.len() {
            let mut cursors = self.cursors(number, &terms)?;
            top.segment = number as u32;
            while let Some(first) = cursors.iter().filter_map(Cursor::document).min() {
                for cursor in &mut cursors {
                    cursor.add_scores(first, &mut scratch.scores);
                }
                top.collect(first, &scratch.scores);
                scratch.scores.fill(0.0);
            }
        }
        Ok(top.finish())
    }

    /// What a text would score for a query if it were the text of a passage without a title.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub(crate) fn score(&self, query: &str, text: &str, scratch: &mut Scratch) -> Result<f32> {
        let terms = self.weigh(query, &mut scratch.analyzer)?;
        let last = self.fields.len() - 1;
        let mut length = 0;
        let mut counts = vec![0_u32; terms.len()];
        let mut stream = scratch.analyzer.token_stream(text);
        stream.process(&mut |token| {
            length += 1;
            let term = terms.binary_search_by(|term| {
                let by_text = term.text.as_str().cmp(&token.text);
                by_text.then_with(|| term.field.cmp(&last))
            });
            if let Ok(term) = term {
                counts[term] += 1;
            }
        });
        let norm = self.bm25.norm(length, self.fields[last].mean_length);
        let shares = terms.iter().zip(counts).filter(|(_, count)| *count > 0);
        Ok(shares.fold(0.0, |score, (term, count)| {
            let count = count as Score;
            score + term.weight * count / (count + norm)
        }))
    }

    /// The query's terms that the index knows, in their order, each with its weight.
    fn weigh(&self, query: &str, analyzer: &mut TextAnalyzer) -> Result<Vec<WeighedTerm>> {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        analyzer
            .token_stream(query)
            .process(&mut |token| match counts.get_mut(&token.text) {
                Some(count) => *count += 1,
                None => _ = counts.insert(token.text.clone(), 1),
            });
        let mut terms = Vec::with_capacity(counts.len());
        for (text, count) in counts {
            for (number, field) in self.fields.iter().enumerate() {
                let postings = self.postings(&Term::from_field_text(field.field, &text))?;
                let frequency: u64 = postings
                    .iter()
                    .flatten()
                    .map(|info| u64::from(info.doc_freq))
                    .sum();
                if frequency > 0 {
                    let weight = self.bm25.weight(frequency, self.len());
                    terms.push(WeighedTerm {
                        text: text.clone(),
                        field: number,
                        frequency,
                        weight: weight * field.weight * count as Score,
                        postings,
                    });
                }
            }
        }
        if let Some(most) = self.bm25.max_query_terms {
            keep_rarest(&mut terms, most as usize);
        }
        Ok(terms)
    }

    /// Where each segment lists the documents of a term.
    fn postings(&self, term: &Term) -> Result<Vec<Option<TermInfo>>> {
        let segments = self.searcher.segment_readers().iter();
        segments
            .map(|segment| {
                let inverted = segment.inverted_index(term.field())?;
                Ok(inverted.get_term_info(term)?)
            })
            .collect::<tantivy::Result<_>>()
            .map_err(|error| self.engine_error(error))
    }

    fn cursors(&self, segment: usize, terms: &[WeighedTerm]) -> Result<Vec<Cursor<'_>>> {
        let mut cursors = Vec::with_capacity(terms.len());
        for term in terms {
            let Some(info) = &term.postings[segment] else {
                continue;
            };
            let field = &self.fields[term.field];
            let postings = self
                .block_postings(segment, field.field, info)
                .map_err(|error| self.engine_error(error))?;
            cursors.push(Cursor {
                weight: term.weight,
                norms: &field.norms[segment],
                postings,
                at: 0,
            });
        }
        Ok(cursors)
    }

    fn block_postings(
        &self,
        segment: usize,
        field: Field,
        info: &TermInfo,
    ) -> tantivy::Result<BlockSegmentPostings> {
        let segment = self.searcher.segment_reader(segment as u32);
        let inverted = segment.inverted_index(field)?;
        Ok(inverted.read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?)
    }
}

/// Leaves the terms that occur in the fewest passages, in the order they are in; of equally rare
/// ones the first.
fn keep_rarest(terms: &mut Vec<WeighedTerm>, most: usize) {
    let mut frequencies: Vec<u64> = terms.iter().map(|term| term.frequency).collect();
    frequencies.sort_unstable();
    let Some(&limit) = frequencies.get(most) else {
        return;
    };
    let mut at_limit = most - frequencies.partition_point(|&frequency| frequency < limit);
    terms.retain(|term| match term.frequency.cmp(&limit) {
        Ordering::Less => true,
        Ordering::Equal if at_limit > 0 => {
            at_limit -= 1;
            true
        }
        _ => false,
    });
}

impl Ranked {
    fn place(&self) -> (u32, DocId) {
        (self.segment, self.document)
    }
}

/// The texts of some passages, from [`Index::texts`].
#[derive(Debug)]
pub struct Texts {
    places: Vec<(u32, DocId)>,
    texts: Vec<String>,
}

impl Texts {
    /// The text of one of the passages asked for.
    ///
    /// # Panics
    /// If it was not asked for.
    pub fn of(&self, ranked: &Ranked) -> &str {
        let place = self.places.binary_search(&ranked.place());
        &self.texts[place.expect("one of the passages asked for")]
    }
}

/// What a thread keeps from one query to the next.
pub(crate) struct Scratch {
    analyzer: TextAnalyzer,
    scores: Vec<Score>,
}

impl Scratch {
    pub(crate) fn new(index: &Index) -> Self {
        Self {
            analyzer: index.analyzer.clone(),
            scores: vec![0.0; WINDOW],
        }
    }
}

/// A query term in a field with its weight and where each segment lists its documents.
struct WeighedTerm {
    text: String,
    field: usize,
    frequency: u64,
    weight: Score,
    postings: Vec<Option<TermInfo>>,
}

/// How far the documents of one term have been scored.
struct Cursor<'a> {
    weight: Score,
    norms: &'a [f32],
    postings: BlockSegmentPostings,
    at: usize,
}

impl Cursor<'_> {
    /// The next document, if there is one.
    fn document(&self) -> Option<DocId> {
        self.postings.docs().get(self.at).copied()
    }

    /// Adds the term's share to the scores of the window that begins at document `first`.
    fn add_scores(&mut self, first: DocId, scores: &mut [Score]) {
        loop {
            let (documents, counts) = (self.postings.docs(), self.postings.freqs());
            for (&document, &count) in documents.iter().zip(counts).skip(self.at) {
                // Documents before the window are behind every cursor.
                let Some(score) = scores.get_mut((document - first) as usize) else {
                    return;
                };
                let count = count as Score;
                *score += self.weight * count / (count + self.norms[document as usize]);
                self.at += 1;
            }
            if documents.is_empty() {
                return;
            }
            self.postings.advance();
            self.at = 0;
        }
    }
}
