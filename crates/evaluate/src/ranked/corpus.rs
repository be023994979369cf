use std::collections::{BTreeMap, HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use pairmill_tables::{ColumnNames, Table, TableReader, passage, string_column};

use crate::duplicate_ids::DuplicateIds;
use crate::error::{EvaluateError, Result};
use crate::ranked::equal_texts::EqualTexts;

/// Stands for the key of a row that is passed over.
const REPEAT: u32 = u32::MAX;

/// A corpus: its ids in memory, its texts where they are. A document's key is the place of its id
/// in ascending order, so that comparing keys compares ids.
pub(crate) struct Corpus<'a> {
    reader: &'a TableReader,
    input: &'a str,
    names: &'a ColumnNames,
    pub sorted: Arc<Vec<String>>,
    /// The key of each row; `REPEAT` where it duplicate_ids an earlier one.
    keys: Vec<u32>,
    pub equal_texts: EqualTexts,
}

impl<'a> Corpus<'a> {
    pub fn read(reader: &'a TableReader, input: &'a str, names: &'a ColumnNames) -> Result<Self> {
        let mut ids: Vec<(String, u32)> = Vec::new();
        let mut equal_texts = EqualTexts::default();
        let columns = ["id", "title", "text"];
        reader.for_each(
            input,
            Table::Corpus,
            names,
            &columns,
            |batch| -> Result<()> {
                let [own, titles, texts] = columns.map(|name| string_column(batch, name));
                for row in 0..batch.num_rows() {
                    ids.push((own.value(row).to_owned(), ids.len() as u32));
                    equal_texts.add(&passage(titles.value(row), texts.value(row)));
                }
                Ok(())
            },
        )?;
        ids.sort_unstable();
        let mut keys = vec![REPEAT; ids.len()];
        let mut again = HashSet::new();
        ids.dedup_by(|next, first| {
            let is_repeat = next.0 == first.0;
            if is_repeat {
                again.insert(next.0.clone());
            }
            is_repeat
        });
        if !again.is_empty() {
            refuse_other_texts(reader, input, names, &again)?;
        }
        for (key, (_, row)) in ids.iter().enumerate() {
            keys[*row as usize] = key as u32;
        }
        Ok(Self {
            reader,
            input,
            names,
            sorted: Arc::new(ids.into_iter().map(|(id, _)| id).collect()),
            keys,
            equal_texts: equal_texts.finish(),
        })
    }

    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    pub fn contains(&self, id: &str) -> bool {
        self.sorted
            .binary_search_by(|other| other.as_str().cmp(id))
            .is_ok()
    }

    /// Returns the keys of so many documents, or of all there are, drawn by the hashes of their
    /// ids: the same ones in whatever order the documents come. Ascending.
    pub fn drawn(&self, count: usize) -> Vec<u32> {
        let hash = |id: &String| *blake3::hash(id.as_bytes()).as_bytes();
        let mut keys: Vec<u32> = (0..self.len() as u32).collect();
        keys.sort_by_cached_key(|&key| hash(&self.sorted[key as usize]));
        keys.truncate(count);
        keys.sort_unstable();
        keys
    }

    /// Hands over title and text of every document with its key, at most `size` documents at a
    /// time: those of `first`, ascending keys, in their order, then the others as they come.
    pub fn for_each_block(
        &self,
        size: usize,
        first: &[u32],
        mut each: impl FnMut(&[&str], &[u32]) -> Result<()>,
    ) -> Result<()> {
        let mut give = |texts: &[String], keys: &[u32]| {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            each(&texts, keys)
        };
        let is_first = |key: u32| first.binary_search(&key).is_ok();
        if !first.is_empty() {
            let mut texts = BTreeMap::new();
            self.for_each(|key, text| {
                if is_first(key) {
                    texts.insert(key, text());
                }
                Ok(())
            })?;
            let texts: Vec<String> = texts.into_values().collect();
            for (texts, keys) in texts.chunks(size).zip(first.chunks(size)) {
                give(texts, keys)?;
            }
        }
        let (mut texts, mut keys) = (Vec::new(), Vec::new());
        self.for_each(|key, text| {
            if is_first(key) {
                return Ok(());
            }
            texts.push(text());
            keys.push(key);
            match texts.len() == size {
                true => give(&mem::take(&mut texts), &mem::take(&mut keys)),
                false => Ok(()),
            }
        })?;
        match texts.is_empty() {
            true => Ok(()),
            false => give(&texts, &keys),
        }
    }

    /// The key of each row with its title and text.
    fn for_each(&self, mut each: impl FnMut(u32, &dyn Fn() -> String) -> Result<()>) -> Result<()> {
        let columns = ["title", "text"];
        let mut keys = self.keys.iter();
        let changed = || EvaluateError::Changed {
            path: self.input.to_owned(),
        };
        self.reader.for_each(
            self.input,
            Table::Corpus,
            self.names,
            &columns,
            |batch| -> Result<()> {
                let [titles, texts] = columns.map(|name| string_column(batch, name));
                for row in 0..batch.num_rows() {
                    let text = || passage(titles.value(row), texts.value(row)).into_owned();
                    let key = *keys.next().ok_or_else(changed)?;
                    if key != REPEAT {
                        each(key, &text)?;
                    }
                }
                Ok(())
            },
        )?;
        match keys.next() {
            Some(_) => Err(changed()),
            None => Ok(()),
        }
    }
}

/// Reads the texts of ids that several rows have.
///
/// # Errors
/// If two texts of an id differ.
fn refuse_other_texts(
    reader: &TableReader,
    input: &str,
    names: &ColumnNames,
    repeated: &HashSet<String>,
) -> Result<()> {
    let mut duplicate_ids = DuplicateIds::default();
    let mut firsts: HashMap<String, String> = HashMap::new();
    let columns = ["id", "title", "text"];
    reader.for_each(
        input,
        Table::Corpus,
        names,
        &columns,
        |batch| -> Result<()> {
            let [ids, titles, texts] = columns.map(|name| string_column(batch, name));
            for row in 0..batch.num_rows() {
                let id = ids.value(row);
                if !repeated.contains(id) {
                    continue;
                }
                let text = passage(titles.value(row), texts.value(row));
                match firsts.get(id) {
                    Some(first) => duplicate_ids.take(input, id, first, &text)?,
                    None => _ = firsts.insert(id.to_owned(), text.into_owned()),
                }
            }
            Ok(())
        },
    )?;
    duplicate_ids.warn(input);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What a corpus of documents 0, 1, 2 … gives, written in this order.
    fn blocks(order: &[u32], size: usize, drawn: usize) -> Vec<Vec<(u32, String)>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("corpus.csv");
        let rows = order.iter().map(|id| format!("{id:03},,text {id}\n"));
        fs::write(
            &path,
            format!("id,title,text\n{}", rows.collect::<String>()),
        )
        .unwrap();
        let path = path.display().to_string();
        let (reader, names) = (TableReader::new(1).unwrap(), ColumnNames::default());
        let corpus = Corpus::read(&reader, &path, &names).unwrap();
        let mut blocks = Vec::new();
        let first = corpus.drawn(drawn);
        corpus
            .for_each_block(size, &first, |texts, keys| {
                let texts = texts.iter().map(|&text| text.to_owned());
                blocks.push(keys.iter().copied().zip(texts).collect());
                Ok(())
            })
            .unwrap();
        blocks
    }

    #[test]
    fn every_document_comes_once_with_its_own_key_whatever_the_blocks() {
        let order: Vec<u32> = (0..100).map(|row| row * 37 % 100).collect();
        for size in [1, 7, 50, 100, 101] {
            for drawn in [0, 10, 100, 1_000] {
                let blocks = blocks(&order, size, drawn);
                assert!(blocks.iter().all(|block| (1..=size).contains(&block.len())));
                let mut all = blocks.concat();
                all.sort_unstable();
                let expected: Vec<_> = (0..100).map(|key| (key, format!("text {key}"))).collect();
                assert_eq!(all, expected, "{size} {drawn}");
            }
        }
    }

    #[test]
    fn the_drawn_documents_come_first_whatever_the_order() {
        let forwards: Vec<u32> = (0..100).collect();
        let backwards: Vec<u32> = (0..100).rev().collect();
        let first = |order: &[u32]| blocks(order, 20, 20)[0].clone();
        assert_eq!(first(&forwards), first(&backwards));
        let keys = first(&forwards).into_iter().map(|(key, _)| key);
        assert!(keys.clone().is_sorted() && keys.max() > Some(50), "spread");
    }
}
