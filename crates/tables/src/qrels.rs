use std::collections::BTreeMap;

use datafusion::prelude::SessionContext;
use futures::StreamExt;

use crate::{ColumnNames, Result, Table, TableError, i32_column, open, string_column};

/// The most documents that are answers to a query rather than of a topic.
const ANSWERS: usize = 5;

/// Relevance judgements, query by query.
#[derive(Debug, Default)]
pub struct Qrels(BTreeMap<String, JudgedDocuments>);

/// The judged documents of a query with their grades, in ascending order of id.
#[derive(Debug, Default)]
pub struct JudgedDocuments(Vec<(Box<str>, i32)>);

impl JudgedDocuments {
    /// Returns the grade of a document, if it is judged.
    pub fn get(&self, document: &str) -> Option<i32> {
        let place = self.0.binary_search_by(|(id, _)| (**id).cmp(document));
        place.ok().map(|place| self.0[place].1)
    }

    /// Iterates over the documents with their grades.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i32)> {
        self.0.iter().map(|(id, grade)| (&**id, *grade))
    }

    /// Returns the grades of all documents.
    pub fn grades(&self) -> Vec<i32> {
        self.0.iter().map(|&(_, grade)| grade).collect()
    }

    /// Sorts the documents and leaves each once; two rows that contradict each other come back.
    fn settle(&mut self) -> Result<(), (Box<str>, [i32; 2])> {
        self.0.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.0.dedup();
        let contrary = self.0.windows(2).find(|pair| pair[0].0 == pair[1].0);
        match contrary {
            Some([(document, first), (_, second)]) => Err((document.clone(), [*first, *second])),
            _ => Ok(()),
        }
    }
}

impl Qrels {
    /// Reads a qrels table. A row that repeats another is harmless.
    ///
    /// # Errors
    /// If the input is no such table, or one row contradicts another.
    pub async fn read(session: &SessionContext, input: &str) -> Result<Self> {
        let scan_error = |error| TableError::of_scan(input, error);
        let frame = open(session, input, Table::Qrels, &ColumnNames::default(), &[]).await?;
        let mut batches = frame.execute_stream().await.map_err(scan_error)?;
        let mut qrels = Self::default();
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(scan_error)?;
            let [queries, documents] =
                ["query_id", "corpus_id"].map(|name| string_column(&batch, name));
            let grades = i32_column(&batch, "score");
            let mut row = 0;
            while row < batch.num_rows() {
                let query = queries.value(row);
                let judged = qrels.0.entry(query.to_owned()).or_default();
                while row < batch.num_rows() && queries.value(row) == query {
                    let document = documents.value(row).into();
                    judged.0.push((document, grades.value(row)));
                    row += 1;
                }
            }
        }
        qrels.settle(input)
    }

    /// Gathers rows of query, document and grade; `input` is what messages call them.
    ///
    /// # Errors
    /// If one row contradicts another.
    pub fn of_rows<'a>(
        input: &str,
        rows: impl IntoIterator<Item = (&'a str, &'a str, i32)>,
    ) -> Result<Self> {
        let mut qrels = Self::default();
        for (query, document, grade) in rows {
            let judged = qrels.0.entry(query.to_owned()).or_default();
            judged.0.push((document.into(), grade));
        }
        qrels.settle(input)
    }

    fn settle(mut self, input: &str) -> Result<Self> {
        for (query, judged) in &mut self.0 {
            judged.settle().map_err(|(document, [first, second])| {
                TableError::ConflictingJudgements {
                    path: input.to_owned(),
                    query: query.clone(),
                    document: document.into(),
                    first,
                    second,
                }
            })?;
        }
        Ok(self)
    }

    /// Returns the judgements of a query, if at least one document is relevant to it. A query
    /// without a relevant document says nothing about a ranking, so it is as good as not judged.
    pub fn of(&self, query: &str) -> Option<&JudgedDocuments> {
        self.0
            .get(query)
            .filter(|judged| judged.0.iter().any(|&(_, grade)| grade > 0))
    }

    /// Returns the documents that answer a query: those that are relevant to it. A query with more
    /// than five of them asks for a topic or a category, and not for an answer that it could share
    /// with others; it has none.
    pub fn answers(&self, query: &str) -> Vec<&str> {
        let judged = self.of(query).into_iter().flat_map(JudgedDocuments::iter);
        let relevant = judged.filter(|&(_, grade)| grade > 0);
        let answers: Vec<&str> = relevant.map(|(document, _)| document).collect();
        match answers.len() <= ANSWERS {
            true => answers,
            false => Vec::new(),
        }
    }

    /// Iterates over the queries to which at least one document is relevant, in order of id.
    pub fn judged_queries(&self) -> impl Iterator<Item = &str> {
        self.0
            .keys()
            .map(String::as_str)
            .filter(|query| self.of(query).is_some())
    }

    /// Iterates over query and document of each judgement.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(query, judged)| {
            judged
                .iter()
                .map(move |(document, _)| (query.as_str(), document))
        })
    }

    /// Iterates over query and document of each judgement that calls a document relevant.
    pub fn relevant(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(query, judged)| {
            let relevant = judged.iter().filter(|&(_, grade)| grade > 0);
            relevant.map(move |(document, _)| (query.as_str(), document))
        })
    }

    /// Returns the number of judgements.
    pub fn len(&self) -> usize {
        self.0.values().map(|judged| judged.0.len()).sum()
    }

    /// Returns whether there is no judgement.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_with_nothing_relevant_is_not_judged() {
        let rows = [("q1", "a", 0), ("q1", "b", -1), ("q2", "a", 2)];
        let qrels = Qrels::of_rows("f.csv", rows).unwrap();
        assert_eq!(qrels.judged_queries().collect::<Vec<_>>(), ["q2"]);
        assert_eq!(qrels.len(), 3);
        assert_eq!(qrels.pairs().count(), 3);
        assert_eq!(qrels.relevant().collect::<Vec<_>>(), [("q2", "a")]);
    }

    #[test]
    fn a_repeated_judgement_is_harmless_and_a_contradiction_is_not() {
        let rows = [("q", "d", 1), ("q", "a", 2), ("q", "d", 1)];
        let qrels = Qrels::of_rows("f.csv", rows).unwrap();
        let judged = qrels.of("q").unwrap();
        assert_eq!(judged.grades(), [2, 1]);
        assert_eq!((judged.get("d"), judged.get("b")), (Some(1), None));
        let contrary = Qrels::of_rows("f.csv", [("q", "d", 1), ("q", "d", 2)]);
        assert_eq!(
            contrary.unwrap_err().to_string(),
            "f.csv: document `d` is judged 1 and 2 for query `q`; keep one of the rows"
        );
    }
}
