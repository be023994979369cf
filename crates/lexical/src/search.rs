use std::cmp::Ordering;
use std::collections::BTreeMap;

use rayon::prelude::*;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{BlockSegmentPostings, TermInfo};
use tantivy::query::{Bm25StatisticsProvider, Bm25Weight};
use tantivy::schema::{IndexRecordOption, Value};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{DocId, Score, SegmentReader, TantivyDocument, Term};

use crate::{Index, Result};

/// Documents scored at a time: their scores stay in the first-level cache.
const WINDOW: usize = 4_096;
/// Scores compared with the threshold at once.
const LANES: usize = 32;

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
    segment: u32,
    document: DocId,
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
                let text = stored.get_first(self.text).and_then(|value| value.as_str());
                texts.push(text.unwrap_or_default().to_owned());
            }
        }
        Ok(texts)
    }

    fn rank(&self, query: &str, top_k: usize, scratch: &mut Scratch) -> Result<Vec<Ranked>> {
        let terms = self.weigh(query, &mut scratch.analyzer)?;
        let mut top = Top::new(self, top_k);
        for (number, segment) in self.searcher.segment_readers().iter().enumerate() {
            let mut cursors = self.cursors(segment, number, &terms)?;
            let norms = segment
                .get_fieldnorms_reader(self.text)
                .map_err(|error| self.engine_error(error))?;
            top.segment = number as u32;
            while let Some(first) = cursors.iter().filter_map(Cursor::document).min() {
                for cursor in &mut cursors {
                    cursor.add_scores(first, &norms, &mut scratch.scores);
                }
                top.collect(first, &scratch.scores);
                scratch.scores.fill(0.0);
            }
        }
        Ok(top.finish())
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
        let passages = self.len();
        let tokens = self
            .searcher
            .total_num_tokens(self.text)
            .map_err(|error| self.engine_error(error))?;
        let mean_length = tokens as Score / passages as Score;
        let mut terms = Vec::with_capacity(counts.len());
        for (text, count) in counts {
            let term = Term::from_field_text(self.text, &text);
            let mut postings = Vec::new();
            for segment in self.searcher.segment_readers() {
                let info = segment
                    .inverted_index(self.text)
                    .and_then(|inverted| Ok(inverted.get_term_info(&term)?))
                    .map_err(|error| self.engine_error(error))?;
                postings.push(info);
            }
            let frequency: u64 = postings
                .iter()
                .flatten()
                .map(|info| u64::from(info.doc_freq))
                .sum();
            if frequency > 0 {
                let weight =
                    Bm25Weight::for_one_term_without_explain(frequency, passages, mean_length);
                terms.push(WeighedTerm {
                    weight: weight.boost_by(count as Score),
                    postings,
                });
            }
        }
        Ok(terms)
    }

    fn cursors(
        &self,
        segment: &SegmentReader,
        number: usize,
        terms: &[WeighedTerm],
    ) -> Result<Vec<Cursor>> {
        let inverted = segment
            .inverted_index(self.text)
            .map_err(|error| self.engine_error(error))?;
        let mut cursors = Vec::with_capacity(terms.len());
        for term in terms {
            let Some(info) = &term.postings[number] else {
                continue;
            };
            let postings = inverted
                .read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)
                .map_err(|error| self.engine_error(error))?;
            cursors.push(Cursor {
                weight: term.weight.clone(),
                postings,
                at: 0,
            });
        }
        Ok(cursors)
    }
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
struct Scratch {
    analyzer: TextAnalyzer,
    scores: Vec<Score>,
}

impl Scratch {
    fn new(index: &Index) -> Self {
        Self {
            analyzer: index.analyzer.clone(),
            scores: vec![0.0; WINDOW],
        }
    }
}

/// A query term with its weight and where each segment lists its documents.
struct WeighedTerm {
    weight: Bm25Weight,
    postings: Vec<Option<TermInfo>>,
}

/// How far the documents of one term have been scored.
struct Cursor {
    weight: Bm25Weight,
    postings: BlockSegmentPostings,
    at: usize,
}

impl Cursor {
    /// The next document, if there is one.
    fn document(&self) -> Option<DocId> {
        self.postings.docs().get(self.at).copied()
    }

    /// Adds the term's share to the scores of the window that begins at document `first`.
    fn add_scores(&mut self, first: DocId, norms: &FieldNormReader, scores: &mut [Score]) {
        loop {
            let (documents, counts) = (self.postings.docs(), self.postings.freqs());
            for (&document, &count) in documents.iter().zip(counts).skip(self.at) {
                // Documents before the window are behind every cursor.
                let Some(score) = scores.get_mut((document - first) as usize) else {
                    return;
                };
                *score += self.weight.score(norms.fieldnorm_id(document), count);
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

/// The best passages so far.
struct Top<'a> {
    index: &'a Index,
    segment: u32,
    k: usize,
    /// What a passage must score to be looked at.
    threshold: Score,
    kept: Vec<Ranked>,
}

impl<'a> Top<'a> {
    fn new(index: &'a Index, k: usize) -> Self {
        Self {
            index,
            segment: 0,
            k,
            threshold: Score::MIN_POSITIVE,
            kept: Vec::new(),
        }
    }

    fn collect(&mut self, first: DocId, scores: &[Score]) {
        for (lane, scores) in scores.chunks(LANES).enumerate() {
            // Without a branch per score the compiler compares them all at once.
            if !scores
                .iter()
                .fold(false, |any, &score| any | (score >= self.threshold))
            {
                continue;
            }
            for (offset, &score) in scores.iter().enumerate() {
                if score >= self.threshold {
                    self.kept.push(Ranked {
                        segment: self.segment,
                        document: first + (lane * LANES + offset) as DocId,
                        score,
                    });
                }
            }
            if self.kept.len() >= self.k.saturating_mul(2).max(256) {
                self.shrink();
            }
        }
    }

    fn shrink(&mut self) {
        if self.k == 0 {
            self.kept.clear();
        } else if self.kept.len() > self.k {
            let index = self.index;
            let (_, worst, _) = self
                .kept
                .select_nth_unstable_by(self.k - 1, |a, b| index.compare(a, b));
            self.threshold = worst.score;
            self.kept.truncate(self.k);
        }
    }

    fn finish(mut self) -> Vec<Ranked> {
        self.shrink();
        let index = self.index;
        self.kept.sort_unstable_by(|a, b| index.compare(a, b));
        self.kept
    }
}

impl Index {
    /// Higher scores first, equal ones by id.
    fn compare(&self, a: &Ranked, b: &Ranked) -> Ordering {
        let by_score = b.score.total_cmp(&a.score);
        by_score.then_with(|| self.id(a).cmp(self.id(b)))
    }
}
