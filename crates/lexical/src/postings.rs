use std::ops::Range;
use std::sync::Arc;

use arrow::array::Array;
use tantivy::postings::{BlockSegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, Score};

use crate::terms::FieldTerm;
use crate::unpacked::Unpacked;
use crate::{Index, Result};

/// Documents scored at a time, whose place among them is a `u16`. Their scores stay in the
/// second-level cache.
const WINDOW: usize = 1 << 16;

/// The scores of the documents of a window.
pub(crate) type Scores = [Score; WINDOW];

/// The ranks whose shares are known at once, a power of two.
const BEST: usize = 1_024;

/// The documents of a segment that have a term.
pub(crate) enum List {
    Unpacked(Arc<Unpacked>),
    Packed(TermInfo),
}

impl Index {
    /// Returns per segment the documents that have a term; unpacked while there is room for it.
    pub(crate) fn lists(&self, term: &FieldTerm) -> Result<Vec<Option<List>>> {
        let segments = term.postings.iter().enumerate();
        segments
            .map(|(segment, info)| match info {
                Some(info) => self.list(segment, term.field, info).map(Some),
                None => Ok(None),
            })
            .collect()
    }

    fn list(&self, segment: usize, field: usize, info: &TermInfo) -> Result<List> {
        let key = (segment, field, info.postings_range.start);
        let bytes = info.doc_freq as usize * (size_of::<u16>() + size_of::<Score>());
        {
            let kept = self
                .kept
                .lists
                .read()
                .unwrap_or_else(|error| error.into_inner());
            if let Some(list) = kept.lists.get(&key) {
                return Ok(List::Unpacked(list.clone()));
            }
            if kept.bytes + bytes > self.kept.most {
                return Ok(List::Packed(info.clone()));
            }
        }
        let list = Arc::new(self.unpack(segment, field, info)?);
        let mut kept = self
            .kept
            .lists
            .write()
            .unwrap_or_else(|error| error.into_inner());
        // Another thread may have taken the room meanwhile.
        let has_room = kept.bytes + bytes <= self.kept.most;
        if has_room && kept.lists.insert(key, list.clone()).is_none() {
            kept.bytes += bytes;
        }
        Ok(List::Unpacked(list))
    }

    fn unpack(&self, segment: usize, field: usize, info: &TermInfo) -> Result<Unpacked> {
        let norms = &self.fields[field].norms[segment];
        let mut postings = self.read(segment, field, info)?;
        let mut places = Vec::with_capacity(info.doc_freq as usize);
        let mut shares = Vec::with_capacity(info.doc_freq as usize);
        let mut windows = vec![0];
        while !postings.docs().is_empty() {
            for (&document, &count) in postings.docs().iter().zip(postings.freqs()) {
                let (window, place) = split(document);
                while windows.len() <= window {
                    windows.push(places.len() as u32);
                }
                places.push(place);
                shares.push(share(count, norms[document as usize]));
            }
            postings.advance();
        }
        windows.resize(norms.len().div_ceil(WINDOW) + 1, places.len() as u32);
        Ok(Unpacked {
            best: best(shares.clone()),
            places,
            shares,
            windows,
        })
    }

    fn read(&self, segment: usize, field: usize, info: &TermInfo) -> Result<BlockSegmentPostings> {
        let reader = self.searcher.segment_reader(segment as u32);
        reader
            .inverted_index(self.fields[field].field)
            .and_then(|inverted| {
                let option = IndexRecordOption::WithFreqs;
                Ok(inverted.read_block_postings_from_terminfo(info, option)?)
            })
            .map_err(|error| self.engine_error(error))
    }

    /// Returns the beginning of a list.
    pub(crate) fn cursor<'a>(
        &'a self,
        segment: usize,
        field: usize,
        list: &'a List,
        weight: Score,
    ) -> Result<Cursor<'a>> {
        let list = match list {
            List::Unpacked(list) => Walk::Unpacked(list),
            List::Packed(info) => Walk::Packed {
                postings: Box::new(self.read(segment, field, info)?),
                norms: &self.fields[field].norms[segment],
                at: 0,
            },
        };
        Ok(Cursor { weight, list })
    }

    /// Returns the documents of each window of a segment.
    pub(crate) fn windows(&self, segment: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let documents = self.ids[segment].len();
        let windows = (0..documents).step_by(WINDOW);
        windows.map(move |first| first..documents.min(first + WINDOW))
    }
}

/// Returns the scores of a window without any.
pub(crate) fn no_scores() -> Box<Scores> {
    match vec![0.0; WINDOW].into_boxed_slice().try_into() {
        Ok(scores) => scores,
        Err(_) => unreachable!("it has that length"),
    }
}

/// Returns the window of a document and its place there.
fn split(document: DocId) -> (usize, u16) {
    (document as usize / WINDOW, document as u16)
}

/// Returns what a term that occurs so often adds to a passage, as a share of its weight.
pub(crate) fn share(count: u32, norm: f32) -> Score {
    let count = count as Score;
    count / (count + norm)
}

/// Returns the 1st, 2nd, 4th, 8th greatest and so on, of the greatest [`BEST`].
fn best(mut shares: Vec<Score>) -> Vec<Score> {
    let descending = |a: &Score, b: &Score| b.total_cmp(a);
    if shares.len() > BEST {
        shares.select_nth_unstable_by(BEST, descending);
        shares.truncate(BEST);
    }
    shares.sort_unstable_by(descending);
    let ranks = std::iter::successors(Some(1), |rank| Some(rank * 2));
    ranks
        .map_while(|rank| shares.get(rank - 1).copied())
        .collect()
}

/// How far the documents of one term have been scored.
pub(crate) struct Cursor<'a> {
    weight: Score,
    list: Walk<'a>,
}

enum Walk<'a> {
    Unpacked(&'a Unpacked),
    Packed {
        postings: Box<BlockSegmentPostings>,
        norms: &'a [f32],
        at: usize,
    },
}

impl Cursor<'_> {
    /// Returns what at least `k` passages score, as far as the list tells.
    pub(crate) fn least(&self, k: usize) -> Score {
        // The next power of two that is no less.
        let power = k.saturating_sub(1).checked_ilog2();
        let power = power.map_or(0, |power| power as usize + 1);
        let best = match &self.list {
            Walk::Unpacked(list) => list.best.get(power),
            Walk::Packed { .. } => None,
        };
        best.map_or(0.0, |share| self.weight * share)
    }

    /// Adds the term's part of the scores of a window's documents; whether there are any. Windows
    /// are to come in order.
    pub(crate) fn add_scores(&mut self, window: usize, scores: &mut Scores) -> bool {
        let weight = self.weight;
        let mut add = |place: u16, share: Score| scores[usize::from(place)] += weight * share;
        match &mut self.list {
            Walk::Unpacked(list) => {
                let rows = list.windows[window] as usize..list.windows[window + 1] as usize;
                let (places, shares) = (&list.places[rows.clone()], &list.shares[rows]);
                for (&place, &share) in places.iter().zip(shares) {
                    add(place, share);
                }
                !places.is_empty()
            }
            Walk::Packed {
                postings,
                norms,
                at,
            } => {
                let mut any = false;
                loop {
                    let rows = postings.docs().iter().zip(postings.freqs()).skip(*at);
                    for (&document, &count) in rows {
                        let (its_window, place) = split(document);
                        if its_window > window {
                            return any;
                        }
                        add(place, share(count, norms[document as usize]));
                        *at += 1;
                        any = true;
                    }
                    if postings.docs().is_empty() {
                        return any;
                    }
                    postings.advance();
                    *at = 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unpacked::Kept;

    use arrow::array::{RecordBatch, StringArray};
    use datafusion::prelude::SessionContext;

    use crate::Bm25;

    /// Indexes passages of a few words of which some are frequent and some rare, over several
    /// windows.
    fn index() -> Index {
        let count = 2 * WINDOW + WINDOW / 3;
        let text = |n: usize| format!("w{} w{} w{} w{}", n % 2, n % 7, n * n % 31, n / 1_000);
        let ids = (0..count).map(|n| format!("d{n:06}"));
        let texts = (0..count).map(text);
        let titles = (0..count).map(|_| "");
        let batch = RecordBatch::try_from_iter([
            ("id", Arc::new(StringArray::from_iter_values(ids)) as _),
            (
                "title",
                Arc::new(StringArray::from_iter_values(titles)) as _,
            ),
            ("text", Arc::new(StringArray::from_iter_values(texts)) as _),
        ]);
        let corpus = SessionContext::new().read_batch(batch.unwrap()).unwrap();
        let bm25 = Bm25::default();
        let index = Index::open_or_build(None, "", &bm25, 1, corpus, |_| ());
        tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(index)
            .unwrap()
    }

    #[test]
    fn lists_without_room_give_the_same_scores() {
        let mut index = index();
        let queries = ["w0 w3 w77", "w1 w1 w30", "w5", "w6 w2 w128 w139 unknown"];
        let unpacked = index.search_all(&queries, 100).unwrap();
        let bytes = index.kept.lists.read().unwrap().bytes;
        assert!(bytes > 0);
        for most in [0, bytes / 2] {
            index.kept = Kept {
                most,
                ..Kept::default()
            };
            assert_eq!(index.search_all(&queries, 100).unwrap(), unpacked);
            assert!(index.kept.lists.read().unwrap().bytes <= most);
        }
    }

    #[test]
    fn the_least_that_k_passages_score_is_no_more_than_they_do() {
        let index = index();
        for k in [1, 2, 3, 100, 128, 5_000] {
            for query in ["w0", "w77", "w5 w0", "w139"] {
                let found = index.search(query, usize::MAX).unwrap();
                let best = index.search(query, k).unwrap();
                assert_eq!(best, found[..k.min(found.len())], "{query}, {k}");
            }
        }
    }

    #[test]
    fn the_best_shares_are_those_at_powers_of_two() {
        let shares: Vec<Score> = (0..5_000).map(|n| (n * 7_919 % 5_000) as Score).collect();
        let expected: Vec<Score> = (0..=10)
            .map(|power| 5_000.0 - f32::from(1_u16 << power))
            .collect();
        assert_eq!(best(shares), expected);
        assert_eq!(best(vec![0.25, 0.5, 0.75]), [0.75, 0.5]);
        assert!(best(Vec::new()).is_empty());
    }
}
