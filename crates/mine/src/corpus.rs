use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::prelude::{DataFrame, SessionContext};
use pairmill_cli::Progress;
use pairmill_lexical::{Bm25, Index, Origin, TermFinder};
use pairmill_tables::{ColumnNames, Lineage, Table, open};
use serde::Serialize;
use tracing::info;

use crate::{MineError, Result, Retrieval};

/// The passages to search.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Corpus {
    /// A path, folder or glob in any supported format.
    #[serde(skip)]
    pub path: String,
    /// Folder of the indexes; a temporary one if not given.
    #[serde(skip)]
    pub index: Option<PathBuf>,
    /// Column of the ids, if it is not `id`.
    pub id_column: Option<String>,
    /// Column of the titles, if it is not `title`. A corpus may do without.
    pub title_column: Option<String>,
    /// Column of the texts, if it is not `text`.
    pub text_column: Option<String>,
    /// How passages are found.
    pub retrieval: Retrieval,
    /// How BM25 analyses and scores them.
    pub bm25: Bm25,
}

impl Corpus {
    /// Looks whether a query can find anything; by embeddings any can.
    pub(crate) fn term_finder(&self) -> Option<TermFinder> {
        match self.retrieval {
            Retrieval::Bm25 => Some(self.bm25.analysis.term_finder()),
            _ => None,
        }
    }

    /// The corpus as a table, `extra` columns behind its own.
    pub(crate) async fn open(&self, session: &SessionContext, extra: &[&str]) -> Result<DataFrame> {
        let names = ColumnNames::new([
            ("id", self.id_column.as_deref()),
            ("title", self.title_column.as_deref()),
            ("text", self.text_column.as_deref()),
        ])
        .with_optional("title");
        Ok(open(session, &self.path, Table::Corpus, &names, extra).await?)
    }

    /// Adds the content of the corpus, and of the model that finds its passages, to a lineage.
    pub(crate) fn add_to(&self, lineage: Lineage) -> Result<Lineage> {
        let lineage = lineage.with_input("corpus", &self.path)?;
        match self.retrieval.encoder() {
            Some(encoder) => {
                let folder = encoder.model.folder()?.display().to_string();
                Ok(lineage.with_input("model", &folder)?)
            }
            None => Ok(lineage),
        }
    }

    /// The BM25 index of the corpus, built where it is not there yet.
    pub(crate) async fn index(
        &self,
        session: &SessionContext,
        lineage: &Lineage,
        threads: usize,
        beside: &Path,
    ) -> Result<Arc<Index>> {
        let hash = lineage.inputs.get("corpus").map_or("", String::as_str);
        let columns = [&self.id_column, &self.title_column, &self.text_column];
        let key = match columns {
            [None, None, None] => hash.to_owned(),
            named => format!("{hash} {named:?}"),
        };
        let progress = Progress::new("indexing", "passages", None);
        let folder = self.index.as_ref().map(|folder| folder.join("bm25"));
        let corpus = self.open(session, &[]).await?;
        let on_rows = |rows| progress.inc(rows);
        let index = match &folder {
            None => Index::build_beside(Some(beside), &self.bm25, threads, corpus, on_rows).await,
            folder => {
                let folder = folder.as_deref();
                Index::open_or_build(folder, &key, &self.bm25, threads, corpus, on_rows).await
            }
        };
        let index = index.map_err(|source| MineError::Index {
            corpus: self.path.clone(),
            source,
        })?;
        let (passages, seconds) = (index.len(), progress.elapsed().as_secs_f64());
        drop(progress);
        match index.origin() {
            Origin::Built => info!("indexed {passages} passages in {seconds:.1} s"),
            Origin::Reused => info!("reused the index of {passages} passages"),
        }
        Ok(Arc::new(index))
    }
}
