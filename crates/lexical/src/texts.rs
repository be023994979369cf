use arrow::array::Array;
use pairmill_tables::passage;
use rayon::prelude::*;
use tantivy::schema::Value;
use tantivy::{DocId, TantivyDocument};

use crate::{Index, Ranked, Result};

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
    /// Returns the text of one of the passages asked for.
    ///
    /// # Panics
    /// If it was not asked for.
    pub fn of(&self, ranked: &Ranked) -> &str {
        let place = self.places.binary_search(&ranked.place());
        &self.texts[place.expect("one of the passages asked for")]
    }
}

impl Index {
    /// Returns the texts of passages found. Each passage is read once, in the order of the index,
    /// so that a block of the store is unpacked no more than once for all of them.
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

    /// Returns title and text of the passage with this id, if there is one; where they are one
    /// field, all of it is text.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub(crate) fn passage(&self, id: &str) -> Result<Option<(String, String)>> {
        let by_id = self.by_id.get_or_init(|| {
            let sorted = self.ids.par_iter().map(|ids| {
                let mut documents: Vec<u32> = (0..ids.len() as u32).collect();
                documents.sort_unstable_by_key(|&document| ids.value(document as usize));
                documents
            });
            sorted.collect()
        });
        for (segment, documents) in by_id.iter().enumerate() {
            let id_of = |&document: &u32| self.ids[segment].value(document as usize);
            let Ok(place) = documents.binary_search_by_key(&id, id_of) else {
                continue;
            };
            let read = || {
                let store = self
                    .searcher
                    .segment_reader(segment as u32)
                    .get_store_reader(1)?;
                store.get::<TantivyDocument>(documents[place])
            };
            let stored = read().map_err(|error| self.engine_error(error))?;
            let value = |field| {
                let value = stored.get_first(field).and_then(|value| value.as_str());
                value.unwrap_or_default().to_owned()
            };
            let title = self.title.map(value).unwrap_or_default();
            return Ok(Some((title, value(self.text))));
        }
        Ok(None)
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
}
