use std::cmp::Ordering;
use std::collections::BTreeMap;

use tantivy::postings::TermInfo;
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{Score, Term};

use crate::{Index, Result};

/// A term in one of the fields.
pub(crate) struct FieldTerm {
    pub(crate) text: String,
    /// The number of the field among those that are scored.
    pub(crate) field: usize,
    /// Passages that have it there.
    pub(crate) frequency: u64,
    /// Its idf by the field's weight.
    pub(crate) weight: Score,
    /// Per segment, where its passages are listed.
    pub(crate) postings: Vec<Option<TermInfo>>,
}

/// Returns the terms of a text with the number of times it says each, in order.
pub(crate) fn count_terms(text: &str, analyzer: &mut TextAnalyzer) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    analyzer
        .token_stream(text)
        .process(&mut |token| match counts.get_mut(&token.text) {
            Some(count) => *count += 1,
            None => _ = counts.insert(token.text.clone(), 1),
        });
    counts
}

impl Index {
    /// Returns a term in each field that has it.
    pub(crate) fn find(&self, text: &str) -> Result<Vec<FieldTerm>> {
        let mut found = Vec::new();
        for (number, field) in self.fields.iter().enumerate() {
            let postings = self.postings(&Term::from_field_text(field.field, text))?;
            let frequencies = postings.iter().flatten();
            let frequency: u64 = frequencies.map(|info| u64::from(info.doc_freq)).sum();
            if frequency > 0 {
                found.push(FieldTerm {
                    text: text.to_owned(),
                    field: number,
                    frequency,
                    weight: self.bm25.weight(frequency, self.len()) * field.weight,
                    postings,
                });
            }
        }
        Ok(found)
    }

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

    /// Leaves no more terms of a query than are to count: those that occur in the fewest passages,
    /// in the order they are in; of equally rare ones the first.
    pub(crate) fn keep_rarest<T>(&self, terms: &mut Vec<T>, frequency: impl Fn(&T) -> u64) {
        let Some(most) = self.bm25.max_query_terms else {
            return;
        };
        let most = most as usize;
        let mut frequencies: Vec<u64> = terms.iter().map(&frequency).collect();
        frequencies.sort_unstable();
        let Some(&limit) = frequencies.get(most) else {
            return;
        };
        let mut at_limit = most - frequencies.partition_point(|&frequency| frequency < limit);
        terms.retain(|term| match frequency(term).cmp(&limit) {
            Ordering::Less => true,
            Ordering::Equal if at_limit > 0 => {
                at_limit -= 1;
                true
            }
            _ => false,
        });
    }
}
