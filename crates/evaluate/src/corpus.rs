use std::sync::Arc;

use pairmill_tables::{ColumnNames, Table, string_column};

use crate::reader::Reader;
use crate::{EvaluateError, Result};

/// The ids of a corpus. A document's key is the place of its id in ascending order, so that
/// comparing keys compares ids.
pub(crate) struct CorpusIds {
    pub sorted: Arc<Vec<String>>,
    /// The key of each row.
    pub keys: Vec<u32>,
}

impl CorpusIds {
    pub fn read(reader: &Reader, input: &str, names: &ColumnNames) -> Result<Self> {
        let mut ids: Vec<(String, u32)> = Vec::new();
        reader.for_each(input, Table::Corpus, names, &["id"], |batch| {
            for id in string_column(batch, "id").iter().flatten() {
                ids.push((id.to_owned(), ids.len() as u32));
            }
            Ok(())
        })?;
        ids.sort_unstable();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(EvaluateError::DuplicateId {
                path: input.to_owned(),
                id: pair[0].0.clone(),
            });
        }
        let mut keys = vec![0; ids.len()];
        for (key, (_, row)) in ids.iter().enumerate() {
            keys[*row as usize] = key as u32;
        }
        Ok(Self {
            sorted: Arc::new(ids.into_iter().map(|(id, _)| id).collect()),
            keys,
        })
    }

    pub fn contains(&self, id: &str) -> bool {
        self.sorted
            .binary_search_by(|other| other.as_str().cmp(id))
            .is_ok()
    }
}
