use rayon::prelude::*;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, SegmentReader};

use crate::Bm25;

/// An indexed field as it is scored.
///
/// tantivy keeps the length of a field in one byte, which is off by up to an eighth, and bounds of
/// scores for k1 = 1.2 and b = 0.75 only. So lengths are counted from the postings.
pub(crate) struct ScoredField {
    pub(crate) field: Field,
    pub(crate) weight: f32,
    pub(crate) mean_length: f64,
    /// Per segment, k1 · (1 − b + b · |d| / avg|d|) of each document.
    pub(crate) norms: Vec<Vec<f32>>,
}

impl ScoredField {
    /// Reads the lengths of a field's documents.
    pub(crate) fn read(
        searcher: &Searcher,
        field: Field,
        weight: f32,
        bm25: &Bm25,
    ) -> tantivy::Result<Self> {
        let lengths = searcher
            .segment_readers()
            .par_iter()
            .map(|segment| lengths(segment, field))
            .collect::<tantivy::Result<Vec<_>>>()?;
        let tokens: u64 = lengths.iter().flatten().copied().map(u64::from).sum();
        let mean_length = tokens as f64 / searcher.num_docs() as f64;
        let norms = lengths.into_iter().map(|lengths| {
            let norms = lengths.into_iter();
            norms.map(|length| bm25.norm(length, mean_length)).collect()
        });
        Ok(Self {
            field,
            weight,
            mean_length,
            norms: norms.collect(),
        })
    }
}

/// Returns the number of terms in the field of each of a segment's documents.
fn lengths(segment: &SegmentReader, field: Field) -> tantivy::Result<Vec<u32>> {
    let mut lengths = vec![0; segment.max_doc() as usize];
    let inverted = segment.inverted_index(field)?;
    let mut terms = inverted.terms().stream()?;
    while terms.advance() {
        let mut postings = inverted
            .read_block_postings_from_terminfo(terms.value(), IndexRecordOption::WithFreqs)?;
        while !postings.docs().is_empty() {
            for (&document, &count) in postings.docs().iter().zip(postings.freqs()) {
                lengths[document as usize] += count;
            }
            postings.advance();
        }
    }
    Ok(lengths)
}
