use std::collections::{HashMap, HashSet};

use arrow::array::StringArray;
use pairmill_tables::{ColumnNames, Qrels, Table, TableReader, passage, string_column};

use crate::duplicate_ids::DuplicateIds;
use crate::error::{EvaluateError, Result};
use crate::ranked::conventions::of_unknown_documents;
use crate::ranked::judgements;
use crate::ranked::ranking::Ranking;

/// Where the texts of a run are.
pub(super) struct Sources<'a> {
    pub run: &'a str,
    pub queries: &'a str,
    pub corpus: &'a str,
}

/// By id.
pub(super) struct Texts {
    /// Of the queries that have results.
    pub queries: HashMap<String, String>,
    /// Of the results and of all judged documents.
    pub documents: HashMap<String, String>,
    /// Judgements of documents that the corpus lacks.
    pub unknown: usize,
}

impl Texts {
    /// Returns that of a query; empty where it has no results.
    pub fn query(&self, id: &str) -> &str {
        self.queries.get(id).map_or("", String::as_str)
    }
}

impl Sources<'_> {
    /// Reads the texts that a ranking and its judgements name.
    ///
    /// # Errors
    /// If a table lacks one that the ranking names, or an id stands for two texts.
    pub fn read(&self, reader: &TableReader, ranking: &Ranking, qrels: &Qrels) -> Result<Texts> {
        let asked = ranking.queries.iter().zip(&ranking.hits);
        let asked = asked.filter(|(_, hits)| !hits.is_empty());
        let asked: HashSet<&str> = asked.map(|(id, _)| id.as_str()).collect();
        let hits = ranking.hits.iter().flatten();
        let found = hits.map(|hit| ranking.documents[hit.key as usize].as_str());
        let found: HashSet<&str> = found.collect();
        let queries = self.read_some(
            reader,
            self.queries,
            Table::Queries,
            &["id", "text"],
            &asked,
            |id| asked.contains(id),
        )?;
        let judged = judgements::judged_documents(qrels);
        let documents = self.read_some(
            reader,
            self.corpus,
            Table::Corpus,
            &["id", "text", "title"],
            &found,
            |id| found.contains(id) || judged.contains(id),
        )?;
        let is_known = |id: &str| documents.contains_key(id);
        Ok(Texts {
            unknown: of_unknown_documents(qrels, self.corpus, is_known),
            queries,
            documents,
        })
    }

    /// The texts of the rows to keep, each behind its title if there is one; those that are needed
    /// have to be among them.
    fn read_some(
        &self,
        reader: &TableReader,
        input: &str,
        table: Table,
        columns: &[&str],
        needed: &HashSet<&str>,
        keep: impl Fn(&str) -> bool,
    ) -> Result<HashMap<String, String>> {
        let mut texts: HashMap<String, String> = HashMap::with_capacity(needed.len());
        let mut duplicate_ids = DuplicateIds::default();
        let names = ColumnNames::default();
        reader.for_each(input, table, &names, columns, |batch| -> Result<()> {
            let columns: Vec<&StringArray> = columns
                .iter()
                .map(|name| string_column(batch, name))
                .collect();
            for row in 0..batch.num_rows() {
                let id = columns[0].value(row);
                if !keep(id) {
                    continue;
                }
                let title = columns.get(2).map_or("", |titles| titles.value(row));
                let text = passage(title, columns[1].value(row)).into_owned();
                match texts.get(id) {
                    Some(first) => duplicate_ids.take(input, id, first, &text)?,
                    None => _ = texts.insert(id.to_owned(), text),
                }
            }
            Ok(())
        })?;
        duplicate_ids.warn(input);
        // The first in order of id, so that the message is always the same.
        let without = needed.iter().filter(|id| !texts.contains_key(**id));
        match without.min() {
            Some(id) => Err(EvaluateError::NoText {
                path: input.to_owned(),
                id: (*id).to_owned(),
                run: self.run.to_owned(),
            }),
            None => Ok(texts),
        }
    }
}
