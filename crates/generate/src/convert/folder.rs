use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;
use pairmill_cli::Progress;
use pairmill_schema::counted;
use pairmill_tables::{FolderOutput, Lineage, Lines, Table, string_column};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracing::{info, warn};

use super::rows::{Output, Rows, anchors, filtered, table};
use super::set::{DataSet, Form, Queries};
use super::{ConvertConfig, ConvertSummary, pairs};
use crate::{GenerateError, Result};

/// The split whose judgements make training pairs.
const TRAIN: &str = "train";

/// What a data set holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FolderSummary {
    /// Passages of the corpus.
    pub passages: u64,
    /// What each split holds.
    pub splits: BTreeMap<String, SplitSummary>,
    /// Training pairs made of the judgements of train.
    pub pairs: u64,
    /// Queries that no split converted judges; the tables have no place for them.
    pub queries_left_out: u64,
    /// Passages that the judgements name and the corpus lacks.
    pub judged_outside_corpus: u64,
    /// Queries that the judgements name and that have no text.
    pub judged_outside_queries: u64,
}

/// What a split holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitSummary {
    /// Queries.
    pub queries: u64,
    /// Relevance judgements.
    pub judgements: u64,
}

impl FolderSummary {
    fn log(&self, config: &ConvertConfig) {
        let input = &config.input;
        for (split, counts) in &self.splits {
            let SplitSummary {
                queries,
                judgements,
            } = counts;
            info!(
                "{split}: {}, {}",
                counted(*queries, "query", "queries"),
                counted(*judgements, "judgement", "judgements")
            );
        }
        if self.queries_left_out > 0 {
            info!(
                "{} judged in none of these splits and left out",
                counted(self.queries_left_out, "query is", "queries are")
            );
        }
        if self.judged_outside_corpus > 0 {
            warn!(
                "{} named in the judgements but not in the corpus of {input}",
                counted(self.judged_outside_corpus, "passage is", "passages are")
            );
        }
        if self.judged_outside_queries > 0 {
            warn!(
                "{} named in the judgements but without a text in {input}",
                counted(self.judged_outside_queries, "query is", "queries are")
            );
        }
        info!(
            "wrote {}: {}",
            config.output.display(),
            counted(self.passages, "passage", "passages")
        );
    }
}

/// Converts the data set in a folder into the other form.
pub(super) async fn convert(
    config: &ConvertConfig,
    session: &SessionContext,
) -> Result<Option<ConvertSummary>> {
    let set = DataSet::find(&config.input, &config.splits)?;
    let splits: Vec<&String> = set.splits.keys().collect();
    let lineage = Lineage::new("generate convert", &json!({ "splits": splits }), 0)
        .with_input("input", &config.input)?;
    if lineage.is_done(&config.output, config.force)? {
        return Ok(None);
    }
    let output = FolderOutput::create(&config.output)?;
    let conversion = Conversion {
        session,
        set: &set,
        folder: output.path(),
        lineage: &lineage,
        progress: Progress::new("converting", "rows", None),
        judged: BTreeMap::new(),
        passages: HashSet::new(),
        texts: HashMap::new(),
        summary: FolderSummary::default(),
    };
    let summary = conversion.run().await?;
    let summary = ConvertSummary::Folder(summary);
    output.commit_with(&lineage, &summary)?;
    if let ConvertSummary::Folder(summary) = &summary {
        summary.log(config);
    }
    Ok(Some(summary))
}

/// A data set on its way into the other form. What is held in memory grows with the judgements and
/// the queries, not with the corpus.
struct Conversion<'a> {
    session: &'a SessionContext,
    set: &'a DataSet,
    folder: &'a Path,
    lineage: &'a Lineage,
    progress: Progress,
    /// The queries that each split judges.
    judged: BTreeMap<&'a str, HashSet<String>>,
    /// Judged passages not yet seen in the corpus.
    passages: HashSet<String>,
    /// The texts of the queries seen, as hashes.
    texts: HashMap<String, blake3::Hash>,
    summary: FolderSummary,
}

impl Conversion<'_> {
    async fn run(mut self) -> Result<FolderSummary> {
        self.write_qrels().await?;
        self.write_corpus().await?;
        match self.set.form {
            Form::Beir => {
                self.write_query_tables().await?;
                self.write_pairs().await?;
            }
            Form::Tables => self.write_queries().await?,
        }
        let judged: HashSet<&String> = self.judged.values().flatten().collect();
        let unknown = judged
            .into_iter()
            .filter(|id| !self.texts.contains_key(*id));
        self.summary.judged_outside_queries = unknown.count() as u64;
        Ok(self.summary)
    }

    /// Starts a table for a data set in BEIR's form, and lines for one in tables.
    fn output(&self, table: Table, name: &str, lines: Lines, file: &str) -> Result<Output> {
        match self.set.form {
            Form::Beir => Output::table(&self.folder.join(name), table, self.lineage),
            Form::Tables => Output::lines(&self.folder.join(file), lines, None),
        }
    }

    async fn write_qrels(&mut self) -> Result<()> {
        let set = self.set;
        for (split, files) in &set.splits {
            let (name, file) = (
                format!("qrels_{split}.parquet"),
                format!("qrels/{split}.tsv"),
            );
            let mut output = self.output(Table::Qrels, &name, Lines::BeirQrels, &file)?;
            let mut judged = HashSet::new();
            let mut rows = Rows::open(self.session, &files.qrels, Table::Qrels).await?;
            while let Some(batch) = rows.next(&self.progress).await? {
                let [queries, passages] = ["query_id", "corpus_id"]
                    .map(|name| string_column(&batch, name).iter().flatten());
                judged.extend(queries.map(str::to_owned));
                self.passages.extend(passages.map(str::to_owned));
                output.write(&batch)?;
            }
            self.judged.insert(split, judged);
            let counts = self.summary.splits.entry(split.clone()).or_default();
            counts.judgements = output.finish()?;
        }
        Ok(())
    }

    async fn write_corpus(&mut self) -> Result<()> {
        let (name, file) = ("corpus.parquet", "corpus.jsonl");
        let mut output = self.output(Table::Corpus, name, Lines::BeirCorpus, file)?;
        let mut rows = Rows::open(self.session, &self.set.corpus, Table::Corpus).await?;
        while let Some(batch) = rows.next(&self.progress).await? {
            for id in string_column(&batch, "id").iter().flatten() {
                self.passages.remove(id);
            }
            output.write(&batch)?;
        }
        self.summary.passages = output.finish()?;
        self.summary.judged_outside_corpus = self.passages.len() as u64;
        Ok(())
    }

    /// Writes a table for each split from BEIR's one file of queries.
    async fn write_query_tables(&mut self) -> Result<()> {
        let set = self.set;
        let mut outputs = Vec::new();
        for split in set.splits.keys() {
            let path = self.folder.join(format!("queries_{split}.parquet"));
            let output = Output::table(&path, Table::Queries, self.lineage)?;
            outputs.push((split.as_str(), output));
        }
        let file = set.queries();
        let mut rows = Rows::open(self.session, file, Table::Queries).await?;
        while let Some(batch) = rows.next(&self.progress).await? {
            let new = self.new_queries(file, &batch)?;
            let mut left_out = new.clone();
            for (split, output) in &mut outputs {
                let judged = &self.judged[split];
                let ids = string_column(&batch, "id").iter();
                let is_judged = ids.map(|id| id.is_some_and(|id| judged.contains(id)));
                let wanted: Vec<bool> = is_judged.zip(&new).map(|(a, b)| a && *b).collect();
                for (left_out, wanted) in left_out.iter_mut().zip(&wanted) {
                    *left_out &= !wanted;
                }
                output.write(&filtered(&batch, wanted)?)?;
            }
            let left_out = left_out.into_iter().filter(|left_out| *left_out);
            self.summary.queries_left_out += left_out.count() as u64;
        }
        for (split, output) in outputs {
            let counts = self.summary.splits.entry(split.to_owned()).or_default();
            counts.queries = output.finish()?;
        }
        Ok(())
    }

    /// Writes the queries of all splits into one file.
    async fn write_queries(&mut self) -> Result<()> {
        let set = self.set;
        let path = self.folder.join("queries.jsonl");
        let mut output = Output::lines(&path, Lines::BeirQueries, None)?;
        for (split, files) in &set.splits {
            let (file, kind) = match &files.queries {
                Queries::Table(file) => (file, Table::Queries),
                Queries::Pairs(file) => (file, Table::Pairs),
            };
            let mut of_split = HashSet::new();
            let mut rows = Rows::open(self.session, file, kind).await?;
            while let Some(mut batch) = rows.next(&self.progress).await? {
                if kind == Table::Pairs {
                    batch = anchors(&batch)?;
                }
                let new = self.new_queries(file, &batch)?;
                let ids = string_column(&batch, "id").iter().flatten();
                of_split.extend(ids.map(str::to_owned));
                output.write(&filtered(&batch, new)?)?;
            }
            let counts = self.summary.splits.entry(split.clone()).or_default();
            counts.queries = of_split.len() as u64;
        }
        output.finish()?;
        Ok(())
    }

    /// Returns which rows are queries not seen before.
    fn new_queries(&mut self, file: &str, batch: &RecordBatch) -> Result<Vec<bool>> {
        let [ids, texts] = ["id", "text"].map(|name| string_column(batch, name).iter().flatten());
        ids.zip(texts)
            .map(|(id, text)| {
                let hash = blake3::hash(text.as_bytes());
                match self.texts.get(id) {
                    None => {
                        self.texts.insert(id.to_owned(), hash);
                        Ok(true)
                    }
                    Some(known) if *known == hash => Ok(false),
                    Some(_) => Err(GenerateError::TwoTexts {
                        input: file.to_owned(),
                        id: id.to_owned(),
                    }),
                }
            })
            .collect()
    }

    /// Writes what the judgements of train call relevant as training pairs.
    async fn write_pairs(&mut self) -> Result<()> {
        let Some(train) = self.set.splits.get(TRAIN) else {
            return Ok(());
        };
        let pairs = pairs::relevant(
            table(self.session, &train.qrels, Table::Qrels).await?,
            table(self.session, self.set.queries(), Table::Queries).await?,
            table(self.session, &self.set.corpus, Table::Corpus).await?,
        )?;
        let path = self.folder.join("pairs_train.parquet");
        let mut output = Output::table(&path, Table::Pairs, self.lineage)?;
        let mut rows = Rows::of(pairs, &self.set.corpus, Table::Pairs).await?;
        while let Some(batch) = rows.next(&self.progress).await? {
            output.write(&batch)?;
        }
        self.summary.pairs = output.finish()?;
        Ok(())
    }
}
