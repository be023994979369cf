use std::collections::BTreeMap;

use pairmill_tables::{ColumnNames, Table, i32_column, string_column};

use crate::reader::Reader;
use crate::{EvaluateError, Result};

/// Relevance judgements: query id → document id → grade.
#[derive(Debug, Default)]
pub(crate) struct Qrels(BTreeMap<String, BTreeMap<String, i32>>);

impl Qrels {
    /// Reads a qrels table. A row that repeats another is harmless; one that contradicts it is an
    /// error.
    pub fn read(reader: &Reader, input: &str) -> Result<Self> {
        let mut qrels = Self::default();
        let columns = ["query_id", "corpus_id", "score"];
        reader.for_each(
            input,
            Table::Qrels,
            &ColumnNames::default(),
            &columns,
            |batch| {
                let queries = string_column(batch, "query_id");
                let documents = string_column(batch, "corpus_id");
                let grades = i32_column(batch, "score");
                for row in 0..batch.num_rows() {
                    qrels.insert(
                        input,
                        queries.value(row),
                        documents.value(row),
                        grades.value(row),
                    )?;
                }
                Ok(())
            },
        )?;
        Ok(qrels)
    }

    fn insert(&mut self, input: &str, query: &str, document: &str, grade: i32) -> Result<()> {
        let judged = self.0.entry(query.to_owned()).or_default();
        match judged.insert(document.to_owned(), grade) {
            Some(first) if first != grade => Err(EvaluateError::ConflictingJudgements {
                path: input.to_owned(),
                query: query.to_owned(),
                document: document.to_owned(),
                first,
                second: grade,
            }),
            _ => Ok(()),
        }
    }

    /// The judgements of a query, if at least one document is relevant to it. A query without a
    /// relevant document says nothing about a ranking, so it is as good as not judged.
    pub fn of(&self, query: &str) -> Option<&BTreeMap<String, i32>> {
        self.0
            .get(query)
            .filter(|judged| judged.values().any(|&grade| grade > 0))
    }

    /// The queries to which at least one document is relevant, in order of id.
    pub fn judged_queries(&self) -> impl Iterator<Item = &str> {
        self.0
            .keys()
            .map(String::as_str)
            .filter(|query| self.of(query).is_some())
    }

    /// Query and document of each judgement.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(query, judged)| {
            judged
                .keys()
                .map(move |document| (query.as_str(), document.as_str()))
        })
    }

    /// The number of judgements.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }
}

#[cfg(test)]
impl<'a> FromIterator<(&'a str, &'a str, i32)> for Qrels {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str, i32)>>(rows: I) -> Self {
        let mut qrels = Self::default();
        for (query, document, grade) in rows {
            qrels.insert("qrels", query, document, grade).unwrap();
        }
        qrels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_with_nothing_relevant_is_not_judged() {
        let rows = [("q1", "a", 0), ("q1", "b", -1), ("q2", "a", 2)];
        let qrels: Qrels = rows.into_iter().collect();
        assert_eq!(qrels.judged_queries().collect::<Vec<_>>(), ["q2"]);
        assert_eq!(qrels.len(), 3);
    }

    #[test]
    fn a_repeated_judgement_is_harmless_and_a_contradiction_is_not() {
        let mut qrels = Qrels::default();
        qrels.insert("qrels", "q", "d", 1).unwrap();
        qrels.insert("qrels", "q", "d", 1).unwrap();
        let error = qrels.insert("f.csv", "q", "d", 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "f.csv: document `d` is judged 1 and 2 for query `q`; keep one of the rows"
        );
    }
}
