use pairmill_retrieval::TopK;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use tantivy::{DocId, Score};

use crate::postings::{Cursor, List, Scores, no_scores};
use crate::terms::{FieldTerm, count_terms};
use crate::{Index, Result};

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

/// A term that several queries may share, in one of the fields.
struct Shared {
    term: FieldTerm,
    /// Per segment, the documents that have it.
    lists: Vec<Option<List>>,
}

/// A term of a query with how often the query says it.
type Said<'a> = (&'a Shared, u32);

impl Index {
    /// Returns the `top_k` best passages for a query, best first, equal scores by ascending id.
    /// Fewer if fewer share a term with the query; none if the analysis leaves no term of it.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn search(&self, query: &str, top_k: usize) -> Result<Vec<Hit>> {
        let ranked = self.search_all(&[query], top_k)?.concat();
        let hits = ranked.iter().map(|ranked| Hit {
            corpus_id: self.id(ranked).to_owned(),
            score: ranked.score,
        });
        Ok(hits.collect())
    }

    /// Does the [`search`](Self::search) for many queries, on all threads of the rayon pool. Each
    /// term that they share is looked up once.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn search_all(&self, queries: &[&str], top_k: usize) -> Result<Vec<Vec<Ranked>>> {
        let queries: Vec<_> = queries
            .par_iter()
            .map_init(
                || self.analyzer.clone(),
                |analyzer, query| count_terms(query, analyzer),
            )
            .collect();
        let mut texts: Vec<&str> = queries
            .iter()
            .flat_map(|query| query.keys())
            .map(String::as_str)
            .collect();
        texts.sort_unstable();
        texts.dedup();
        let shared = texts
            .par_iter()
            .map(|text| self.share(text))
            .collect::<Result<Vec<_>>>()?;
        let shared: FxHashMap<&str, Vec<Shared>> = texts.into_iter().zip(shared).collect();
        queries
            .par_iter()
            .map_init(no_scores, |scores, query| {
                let said = |(text, &count): (&String, &u32)| {
                    shared[text.as_str()].iter().map(move |term| (term, count))
                };
                let mut terms: Vec<Said> = query.iter().flat_map(said).collect();
                self.keep_rarest(&mut terms, |(shared, _)| shared.term.frequency);
                self.rank(&terms, top_k, scores)
            })
            .collect()
    }

    /// Returns the id of a passage found.
    pub fn id(&self, ranked: &Ranked) -> &str {
        self.ids[ranked.segment as usize].value(ranked.document as usize)
    }

    /// Returns a term in each field that has it, with its documents.
    fn share(&self, text: &str) -> Result<Vec<Shared>> {
        let terms = self.find(text)?.into_iter();
        terms
            .map(|term| {
                let lists = self.lists(&term)?;
                Ok(Shared { term, lists })
            })
            .collect()
    }

    /// Returns the best passages for the terms of a query, which are in order: so the parts of a
    /// score are always added in the same order.
    fn rank(&self, terms: &[Said], top_k: usize, scores: &mut Scores) -> Result<Vec<Ranked>> {
        // Equal scores by id.
        let id = |&(segment, document): &(u32, DocId)| {
            self.ids[segment as usize].value(document as usize)
        };
        let mut top = TopK::new(top_k, Score::MIN_POSITIVE, |a, b| id(a).cmp(id(b)));
        for segment in 0..self.ids.len() {
            let mut cursors = self.cursors(segment, terms)?;
            let least = cursors.iter().map(|cursor| cursor.least(top_k));
            // As many passages, of any segment, are known to score so much.
            top.raise(least.fold(0.0, Score::max));
            for (window, documents) in self.windows(segment).enumerate() {
                // All cursors have to move.
                let mut any = false;
                for cursor in &mut cursors {
                    any |= cursor.add_scores(window, scores);
                }
                if any {
                    let scores = &mut scores[..documents.len()];
                    let first = documents.start as DocId;
                    top.take(scores, |place| {
                        Some((segment as u32, first + place as DocId))
                    });
                    scores.fill(0.0);
                }
            }
        }
        let best = top.finish().into_iter();
        Ok(best
            .map(|(score, (segment, document))| Ranked {
                segment,
                document,
                score,
            })
            .collect())
    }

    fn cursors<'a>(&'a self, segment: usize, terms: &[Said<'a>]) -> Result<Vec<Cursor<'a>>> {
        let mut cursors = Vec::with_capacity(terms.len());
        for &(Shared { term, lists }, count) in terms {
            if let Some(list) = &lists[segment] {
                let weight = term.weight * count as Score;
                cursors.push(self.cursor(segment, term.field, list, weight)?);
            }
        }
        Ok(cursors)
    }
}
