use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::{GenerateError, Result};

/// The endings of JSON Lines, plain and compressed.
const JSON_LINES: [&str; 5] = ["jsonl", "jsonl.gz", "jsonl.bz2", "jsonl.xz", "jsonl.zst"];

/// How a data set for retrieval lies in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv`.
    Beir,
    /// `corpus.parquet`, `queries_SPLIT.parquet`, `qrels_SPLIT.parquet`; `pairs_SPLIT.parquet` may
    /// stand for the queries, as it does for training.
    Tables,
}

/// The files of a data set.
#[derive(Debug)]
pub(super) struct DataSet {
    pub form: Form,
    pub corpus: String,
    /// Those chosen, in order of name.
    pub splits: BTreeMap<String, SplitFiles>,
}

#[derive(Debug)]
pub(super) struct SplitFiles {
    pub qrels: String,
    pub queries: Queries,
}

/// Where the queries of a split are.
#[derive(Debug)]
pub(super) enum Queries {
    /// In a table of their own, or in one of all splits.
    Table(String),
    /// They are the anchors of training pairs.
    Pairs(String),
}

impl DataSet {
    /// Finds out what a folder holds. Of its splits, those that have judgements count.
    pub fn find(input: &str, wanted: &[String]) -> Result<Self> {
        let folder = Path::new(input);
        let missing = |part: &str| GenerateError::NoDataSet {
            input: input.to_owned(),
            part: part.to_owned(),
        };
        let beir = json_lines(folder, "corpus");
        let table = existing(folder, "corpus.parquet");
        let (form, corpus, mut qrels) = match (beir, table) {
            (Some(corpus), None) => (Form::Beir, corpus, split_files(folder, Form::Beir)),
            (None, Some(corpus)) => (Form::Tables, corpus, split_files(folder, Form::Tables)),
            (Some(_), Some(_)) => {
                return Err(GenerateError::TwoDataSets {
                    input: input.to_owned(),
                });
            }
            (None, None) => return Err(missing("corpus")),
        };
        if let Some(split) = wanted.iter().find(|split| !qrels.contains_key(*split)) {
            return Err(GenerateError::NoSuchSplit {
                input: input.to_owned(),
                split: split.clone(),
                found: match qrels.is_empty() {
                    true => "none".to_owned(),
                    false => qrels.into_keys().collect::<Vec<_>>().join(", "),
                },
            });
        }
        if qrels.is_empty() {
            return Err(missing("judgements"));
        }
        qrels.retain(|split, _| wanted.is_empty() || wanted.contains(split));
        let splits = qrels.into_iter().map(|(split, qrels)| {
            let queries = match form {
                Form::Beir => json_lines(folder, "queries").map(Queries::Table),
                Form::Tables => {
                    let table = existing(folder, &format!("queries_{split}.parquet"));
                    let pairs = existing(folder, &format!("pairs_{split}.parquet"));
                    table.map(Queries::Table).or(pairs.map(Queries::Pairs))
                }
            };
            let queries = queries.ok_or_else(|| missing(&format!("queries of {split}")))?;
            Ok((split, SplitFiles { qrels, queries }))
        });
        Ok(Self {
            form,
            corpus,
            splits: splits.collect::<Result<_>>()?,
        })
    }

    /// Returns the one file of queries that a data set in BEIR's form has.
    pub fn queries(&self) -> &str {
        let mut files = self.splits.values();
        let file = files.next().map(|split| match &split.queries {
            Queries::Table(file) | Queries::Pairs(file) => file.as_str(),
        });
        file.unwrap_or_default()
    }
}

fn existing(folder: &Path, name: &str) -> Option<String> {
    let path = folder.join(name);
    path.is_file().then(|| text(&path))
}

fn json_lines(folder: &Path, stem: &str) -> Option<String> {
    let mut names = JSON_LINES.iter().map(|ending| format!("{stem}.{ending}"));
    names.find_map(|name| existing(folder, &name))
}

/// Returns the judgements of each split.
fn split_files(folder: &Path, form: Form) -> BTreeMap<String, String> {
    let (place, before, after) = match form {
        Form::Beir => (folder.join("qrels"), "", ".tsv"),
        Form::Tables => (folder.to_owned(), "qrels_", ".parquet"),
    };
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let splits = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let split = name.strip_prefix(before)?.strip_suffix(after)?;
        let is_hidden = split.is_empty() || split.starts_with('.');
        (!is_hidden).then(|| (split.to_owned(), text(&entry.path())))
    });
    splits.collect()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
