use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::prelude::{DataFrame, SessionContext};
use pairmill_cli::Progress;
use pairmill_lexical::{Analysis, Bm25, Index, Origin, Sample, Written};
use pairmill_schema::counted;
use pairmill_tables::{ColumnNames, Lineage, Table, open, string_column};
use serde::Serialize;
use tracing::{info, warn};

use crate::batches::for_each_batch;
use crate::{MineError, Pairs, Result, Retrieval};

/// The passages to search.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Corpus {
    /// A path, folder or glob in any supported format.
    #[serde(skip)]
    pub path: String,
    /// The pairs whose positives the passages are, where there is no table of passages; `path` is
    /// theirs.
    pub pairs: Option<Pairs>,
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
    /// Whether the user chose the analysis.
    #[serde(skip)]
    pub is_analysis_given: bool,
}

impl Corpus {
    /// Returns the corpus as a table, `extra` columns behind its own.
    pub(crate) async fn open(&self, session: &SessionContext, extra: &[&str]) -> Result<DataFrame> {
        if let Some(pairs) = &self.pairs {
            return pairs.as_corpus(session).await;
        }
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

    /// Returns the corpus with an analysis for the language that it is written in, if that is to be
    /// told.
    pub(crate) async fn resolved(&self, session: &SessionContext) -> Result<Self> {
        let mut resolved = self.clone();
        if self.bm25.analysis != Analysis::AUTO || !self.retrieval.has_bm25() {
            return Ok(resolved);
        }
        let mut sample = Sample::default();
        for_each_batch(self.open(session, &[]).await?, |batch| {
            let [ids, texts] = ["id", "text"].map(|name| string_column(batch, name));
            for (id, text) in ids.iter().flatten().zip(texts.iter().flatten()) {
                sample.add_passage(id, text);
            }
        })
        .await?;
        let written = sample.written();
        resolved.bm25.analysis = written.analysis();
        match written.language {
            Some((language, share)) => info!(
                "language: {language}, of {:.0} % of the passages whose language can be told",
                100.0 * share
            ),
            None => info!(
                "language: none that most passages are in, of those with a stemmer; words are taken as they are"
            ),
        }
        Ok(resolved)
    }

    /// Returns the BM25 index of the corpus, built where it is not there yet.
    pub(crate) async fn index(
        &self,
        session: &SessionContext,
        lineage: &Lineage,
        threads: usize,
        beside: &Path,
    ) -> Result<Arc<Index>> {
        let hash = lineage.inputs.get("corpus").map_or("", String::as_str);
        let columns = [&self.id_column, &self.title_column, &self.text_column];
        let key = match (columns, &self.pairs) {
            ([None, None, None], None) => hash.to_owned(),
            (named, None) => format!("{hash} {named:?}"),
            (_, Some(pairs)) => format!("{hash} {pairs:?}"),
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
        let passages = counted(index.len(), "passage", "passages");
        let seconds = progress.elapsed().as_secs_f64();
        drop(progress);
        match index.origin() {
            Origin::Built => info!("indexed {passages} in {seconds:.1} s"),
            Origin::Reused => info!("reused the index of {passages}"),
        }
        if let Some(written) = index.written() {
            self.warn_of(written);
        }
        Ok(Arc::new(index))
    }

    /// Says where the analysis does not fit what the corpus is written in.
    fn warn_of(&self, written: &Written) {
        let analysis = self.bm25.analysis;
        if let Some((language, share)) = written.language
            && !self.is_analysis_given
            && language != analysis.name()
        {
            warn!(
                "{:.0} % of the passages whose language can be told are in another language than {}, which words are analysed as: --language {language} has its stop words and stemmer",
                100.0 * share,
                analysis.name()
            );
        }
        if !written.unspaced.is_empty() {
            let languages = written.unspaced.join(", ");
            let share = (100.0 * written.unspaced_share).ceil();
            let text = format!(
                "{share} % of the passages hold a script without blanks between words ({languages}), which BM25 takes as overlapping pairs of letters instead of words"
            );
            match written.is_unspaced_sound() {
                true => info!("{text}"),
                false => warn!("{text}; --retriever dense reads it as a model does"),
            }
        }
    }
}
