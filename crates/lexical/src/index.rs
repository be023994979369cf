use std::collections::HashSet;
use std::path::Path;
use std::sync::OnceLock;

use arrow::array::{Array, LargeStringArray, LargeStringBuilder};
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use pairmill_schema::hash_key;
use pairmill_tables::{
    FolderOutput, Lineage, Lock, TableError, TemporaryFolder, passage, sibling, string_column,
};
use rayon::prelude::*;
use tantivy::merge_policy::NoMergePolicy;
use tantivy::schema::{Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{RAW_TOKENIZER_NAME, TextAnalyzer, TokenizerManager};
use tantivy::{IndexWriter, ReloadPolicy, Searcher, SegmentReader, TantivyDocument, TantivyError};

use crate::field::ScoredField;
use crate::unpacked::Kept;
use crate::{Bm25, Fields, LexicalError, Result, Sample, TermFinder, Written};

/// Raised whenever an index written by an older version must not be reused.
const LAYOUT: u32 = 3;
const ID: &str = "id";
const TITLE: &str = "title";
const TEXT: &str = "text";
const TOKENIZER: &str = "pairmill";
/// Longest id in bytes; tantivy cuts longer ones without a word.
const MAX_ID_BYTES: usize = u16::MAX as usize;
/// Bytes of postings that each writing thread holds before it writes a segment.
const WRITER_BYTES: usize = 64 << 20;
/// Writing threads beyond this many wait for the one that reads.
const MAX_WRITERS: usize = 8;

/// A BM25 index of a corpus.
///
/// Opened from a folder, or built into a temporary one that goes away with the value. Holds ids
/// and lengths of the passages in memory; postings and texts are memory-mapped.
pub struct Index {
    pub(crate) searcher: Searcher,
    pub(crate) bm25: Bm25,
    pub(crate) analyzer: TextAnalyzer,
    pub(crate) title: Option<Field>,
    pub(crate) text: Field,
    pub(crate) fields: Vec<ScoredField>,
    /// Per segment, the id of each document.
    pub(crate) ids: Vec<LargeStringArray>,
    /// Per segment, its documents in order of their ids.
    pub(crate) by_id: OnceLock<Vec<Vec<u32>>>,
    pub(crate) kept: Kept,
    written: Option<Written>,
    origin: Origin,
    folder: Folder,
    /// Keeps others from replacing the folder.
    _lock: Option<Lock>,
}

/// Where an index comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Built now.
    Built,
    /// Found in its folder, made from the same corpus in the same way.
    Reused,
}

#[derive(Debug)]
enum Folder {
    Kept(std::path::PathBuf),
    /// Removed as soon as its files are open.
    Temporary(std::path::PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) | Self::Temporary(path) => path,
        }
    }
}

impl Index {
    /// Opens the index in `folder`, if it was made from a corpus with this `key` by the same
    /// analysis of the same fields; otherwise builds it there from `corpus` (columns `id`, `title`,
    /// `text`). Without a folder it is built as [`build_beside`](Self::build_beside). An index
    /// found damaged is built again.
    ///
    /// `key` stands for the corpus' content: a hash of the files and of how their columns are
    /// read. `on_rows` hears how many more passages were indexed.
    ///
    /// # Errors
    /// If two passages share an id, an id has more than 65,535 bytes, the corpus cannot be read to
    /// its end, or the folder cannot be written or holds files of others.
    pub async fn open_or_build(
        folder: Option<&Path>,
        key: &str,
        bm25: &Bm25,
        threads: usize,
        corpus: DataFrame,
        on_rows: impl FnMut(u64),
    ) -> Result<Self> {
        let Some(path) = folder else {
            return Self::build_beside(None, bm25, threads, corpus, on_rows).await;
        };
        let kept = || Folder::Kept(path.to_owned());
        let lock = || Lock::shared(&sibling(path, ".lock")?, path);
        let mut lineage = Lineage::new("index", &(LAYOUT, bm25.analysis, bm25.is_separate()), 0);
        lineage.inputs.insert("corpus".to_owned(), key.to_owned());
        // A layout of its own tells builds apart, and checksums of its own tell damage.
        let lineage = lineage.of_any_build();
        let is_there = || Lineage::of_folder(path).as_ref() == Some(&lineage);
        if is_there() {
            let lock = lock()?;
            match verify(path).and_then(|()| Self::open(kept(), lock, bm25, Origin::Reused)) {
                Ok(index) => return Ok(index),
                Err(error) => tracing::warn!("{error}; building it again"),
            }
        }
        // Refuses what no index is; what is damaged in one is nobody's work.
        lineage.is_done(path, true)?;
        let output = FolderOutput::create(path)?;
        let sample = build(output.path(), bm25, threads, corpus, on_rows).await?;
        output.commit(&lineage)?;
        let lock = lock()?;
        if !is_there() {
            let path = path.to_owned();
            return Err(TableError::Busy { path }.into());
        }
        Ok(Self::open(kept(), lock, bm25, Origin::Built)?.with(&sample))
    }

    fn with(mut self, sample: &Sample) -> Self {
        self.written = Some(sample.written());
        self
    }

    /// Builds an index in a temporary folder, which lies in `folder` or where the system keeps
    /// temporary files and is gone when this returns: its files are open and need no name.
    ///
    /// # Errors
    /// As [`open_or_build`](Self::open_or_build).
    pub async fn build_beside(
        folder: Option<&Path>,
        bm25: &Bm25,
        threads: usize,
        corpus: DataFrame,
        on_rows: impl FnMut(u64),
    ) -> Result<Self> {
        let temporary = TemporaryFolder::create(folder).map_err(LexicalError::Temporary)?;
        let sample = build(temporary.path(), bm25, threads, corpus, on_rows).await?;
        let folder = Folder::Temporary(temporary.path().to_owned());
        Ok(Self::open(folder, None, bm25, Origin::Built)?.with(&sample))
    }

    fn open(folder: Folder, lock: Option<Lock>, bm25: &Bm25, origin: Origin) -> Result<Self> {
        let open = || {
            let index = tantivy::Index::open_in_dir(folder.path())?;
            let schema = index.schema();
            let reader = index
                .reader_builder()
                .reload_policy(ReloadPolicy::Manual)
                .try_into()?;
            let searcher = reader.searcher();
            let text = schema.get_field(TEXT)?;
            let (title, weighed) = match bm25.fields {
                Fields::Joined => (None, vec![(text, 1.0)]),
                Fields::Separate {
                    title: title_weight,
                    text: text_weight,
                } => {
                    let title = schema.get_field(TITLE)?;
                    (
                        Some(title),
                        vec![(title, title_weight), (text, text_weight)],
                    )
                }
            };
            let fields = weighed
                .into_iter()
                .map(|(field, weight)| ScoredField::read(&searcher, field, weight, bm25))
                .collect::<tantivy::Result<_>>()?;
            let ids = searcher
                .segment_readers()
                .par_iter()
                .map(document_ids)
                .collect::<tantivy::Result<_>>()?;
            Ok((searcher, title, text, fields, ids))
        };
        let (searcher, title, text, fields, ids) = open().map_err(engine_error(folder.path()))?;
        Ok(Self {
            searcher,
            bm25: *bm25,
            analyzer: bm25.analysis.analyzer(),
            title,
            text,
            fields,
            ids,
            by_id: OnceLock::new(),
            kept: Kept::default(),
            written: None,
            origin,
            folder,
            _lock: lock,
        })
    }

    /// Returns the number of passages.
    pub fn len(&self) -> u64 {
        self.searcher.num_docs()
    }

    /// Returns whether the index holds no passage.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether the index was built or reused.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Returns what the corpus is written in, if the index was built now.
    pub fn written(&self) -> Option<&Written> {
        self.written.as_ref()
    }

    /// Looks whether texts have terms.
    pub fn term_finder(&self) -> TermFinder {
        self.bm25.analysis.term_finder()
    }

    pub(crate) fn engine_error(&self, source: impl Into<TantivyError>) -> LexicalError {
        engine_error(self.folder.path())(source.into())
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index")
            .field("folder", &self.folder)
            .field("passages", &self.len())
            .finish_non_exhaustive()
    }
}

fn engine_error(path: &Path) -> impl Fn(TantivyError) -> LexicalError + '_ {
    move |source| LexicalError::Engine {
        path: path.to_owned(),
        source: Box::new(source),
    }
}

fn schema(bm25: &Bm25) -> Schema {
    let mut schema = Schema::builder();
    schema.add_text_field(ID, TextOptions::default().set_fast(RAW_TOKENIZER_NAME));
    let terms = TextFieldIndexing::default()
        .set_tokenizer(TOKENIZER)
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::WithFreqs);
    let indexed = TextOptions::default().set_indexing_options(terms) | STORED;
    if bm25.is_separate() {
        schema.add_text_field(TITLE, indexed.clone());
    }
    schema.add_text_field(TEXT, indexed);
    schema.build()
}

/// Builds an index in an empty folder. Returns a sample of the passages.
async fn build(
    folder: &Path,
    bm25: &Bm25,
    threads: usize,
    corpus: DataFrame,
    mut on_rows: impl FnMut(u64),
) -> Result<Sample> {
    let failed = engine_error(folder);
    let tokenizers = TokenizerManager::default();
    tokenizers.register(TOKENIZER, bm25.analysis.analyzer());
    let index = tantivy::Index::builder()
        .schema(schema(bm25))
        .tokenizers(tokenizers)
        .create_in_dir(folder)
        .map_err(&failed)?;
    let schema = index.schema();
    let field = |name| schema.get_field(name).map_err(&failed);
    let (id_field, text_field) = (field(ID)?, field(TEXT)?);
    let title_field = match bm25.is_separate() {
        true => Some(field(TITLE)?),
        false => None,
    };
    let threads = threads.clamp(1, MAX_WRITERS);
    let mut writer: IndexWriter = index
        .writer_with_num_threads(threads, threads * WRITER_BYTES)
        .map_err(&failed)?;
    writer.set_merge_policy(Box::new(NoMergePolicy));

    let mut seen = HashSet::new();
    let mut sample = Sample::default();
    let mut stream = corpus.execute_stream().await.map_err(TableError::from)?;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(TableError::from)?;
        let (ids, titles, texts) = (
            string_column(&batch, "id"),
            string_column(&batch, "title"),
            string_column(&batch, "text"),
        );
        for row in 0..batch.num_rows() {
            let id = ids.value(row);
            if id.len() > MAX_ID_BYTES {
                return Err(LexicalError::LongId {
                    start: id.chars().take(40).collect(),
                    bytes: id.len(),
                    most: MAX_ID_BYTES,
                });
            }
            // Half a hash is plenty to tell ids apart, at half the memory.
            let half = hash_key(id.as_bytes());
            if !seen.insert(half) {
                return Err(LexicalError::DuplicateId { id: id.to_owned() });
            }
            let mut document = TantivyDocument::default();
            document.add_text(id_field, id);
            let (title, text) = (titles.value(row), texts.value(row));
            sample.add(half, text);
            match title_field {
                Some(title_field) => {
                    document.add_text(title_field, title);
                    document.add_text(text_field, text);
                }
                None => document.add_text(text_field, passage(title, text)),
            }
            writer.add_document(document).map_err(&failed)?;
        }
        on_rows(batch.num_rows() as u64);
    }
    writer.commit().map_err(&failed)?;
    writer.wait_merging_threads().map_err(&failed)?;
    Ok(sample)
}

/// Compares every file of the index with the checksum written at its end.
fn verify(folder: &Path) -> Result<()> {
    let damaged = tantivy::Index::open_in_dir(folder)
        .and_then(|index| index.validate_checksum())
        .map_err(engine_error(folder))?;
    match damaged.iter().min() {
        None => Ok(()),
        Some(file) => Err(LexicalError::Damaged {
            path: folder.to_owned(),
            file: file.display().to_string(),
        }),
    }
}

/// Returns the ids of a segment's documents, in the order of the documents.
fn document_ids(segment: &SegmentReader) -> tantivy::Result<LargeStringArray> {
    let no_ids = || TantivyError::SchemaError("a segment without corpus ids".to_owned());
    let column = segment.fast_fields().str(ID)?.ok_or_else(no_ids)?;
    let mut sorted = LargeStringBuilder::new();
    let mut terms = column.dictionary().stream()?;
    while terms.advance() {
        sorted.append_value(std::str::from_utf8(terms.key()).map_err(|_| no_ids())?);
    }
    let sorted = sorted.finish();
    let mut ids = LargeStringBuilder::with_capacity(sorted.len(), sorted.value_data().len());
    for document in 0..segment.max_doc() {
        let ordinal = column.ords().first(document).ok_or_else(no_ids)?;
        ids.append_value(sorted.value(ordinal as usize));
    }
    Ok(ids.finish())
}
