use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::array::{LargeStringArray, LargeStringBuilder};
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use pairmill_tables::{TableError, passage, string_column};
use rayon::prelude::*;

use crate::file::SharedFile;
use crate::store::{Key, key};
use crate::{DenseError, Result};

/// The passages of a corpus, numbered from 0 by ascending id: so the lower number wins a tie. Ids
/// are in memory, texts in a nameless file.
pub(crate) struct Passages {
    ids: LargeStringArray,
    texts: SharedFile,
    /// Where in the file each text is: start and length.
    spans: Vec<(u64, u32)>,
    folder: PathBuf,
}

impl Passages {
    /// Reads a corpus (columns `id`, `title`, `text`); its texts go into a file in `folder`.
    /// Returns the key of each passage's text as well.
    pub async fn read(corpus: DataFrame, folder: &Path) -> Result<(Self, Vec<Key>)> {
        let unwritable = |source| TableError::Unwritable {
            path: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(unwritable)?;
        let file = tempfile::tempfile_in(folder).map_err(unwritable)?;
        let mut texts = BufWriter::new(file);
        let (mut ids, mut spans, mut keys) = (LargeStringBuilder::new(), Vec::new(), Vec::new());
        let mut start = 0;
        let mut stream = corpus.execute_stream().await.map_err(TableError::from)?;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(TableError::from)?;
            let [id, title, text] = ["id", "title", "text"].map(|name| string_column(&batch, name));
            for row in 0..batch.num_rows() {
                let text = passage(title.value(row), text.value(row));
                texts.write_all(text.as_bytes()).map_err(unwritable)?;
                // A text of an Arrow column is shorter than 2 GiB.
                spans.push((start, text.len() as u32));
                start += text.len() as u64;
                keys.push(key(&text));
                ids.append_value(id.value(row));
            }
        }
        let most = u32::MAX - 1;
        if keys.len() > most as usize {
            return Err(DenseError::TooLarge { most });
        }
        let file = texts
            .into_inner()
            .map_err(|error| unwritable(error.into_error()))?;
        let ids = ids.finish();
        let order = by_id(&ids)?;
        let sorted = order.iter().map(|&row| ids.value(row as usize));
        let passages = Self {
            ids: LargeStringArray::from_iter_values(sorted),
            texts: SharedFile::new(file),
            spans: order.iter().map(|&row| spans[row as usize]).collect(),
            folder: folder.to_owned(),
        };
        Ok((
            passages,
            order.iter().map(|&row| keys[row as usize]).collect(),
        ))
    }

    pub fn len(&self) -> usize {
        self.spans.len()
    }

    pub fn id(&self, number: u32) -> &str {
        self.ids.value(number as usize)
    }

    /// Returns the number of the passage with this id.
    pub fn number(&self, id: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.ids.value(middle).cmp(id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle as u32),
            }
        }
        None
    }

    /// Returns the bytes of a passage's text.
    pub fn text_bytes(&self, number: u32) -> usize {
        self.spans[number as usize].1 as usize
    }

    /// Returns the text of a passage.
    pub fn text(&self, number: u32) -> Result<String> {
        let (start, length) = self.spans[number as usize];
        let mut bytes = vec![0; length as usize];
        let read = self.texts.read_exact_at(start, &mut bytes);
        let text = read.and_then(|()| String::from_utf8(bytes).map_err(io::Error::other));
        text.map_err(|source| DenseError::Unreadable {
            path: self.folder.clone(),
            source,
        })
    }
}

/// Returns the rows by ascending id.
fn by_id(ids: &LargeStringArray) -> Result<Vec<u32>> {
    let id = |row: u32| ids.value(row as usize);
    let mut order: Vec<u32> = (0..ids.value_offsets().len() as u32 - 1).collect();
    order.par_sort_by(|&a, &b| id(a).cmp(id(b)));
    match order.windows(2).find(|pair| id(pair[0]) == id(pair[1])) {
        None => Ok(order),
        Some(pair) => Err(DenseError::DuplicateId {
            id: id(pair[0]).to_owned(),
        }),
    }
}
