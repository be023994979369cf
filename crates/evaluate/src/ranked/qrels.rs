use std::collections::BTreeMap;

use pairmill_tables::{ColumnNames, Table, TableReader, i32_column, string_column};
use rustc_hash::FxHashSet;

use crate::error::{EvaluateError, Result};
use crate::statistics::clusters::Clustering;

/// A query with more relevant documents asks for a topic or a category, and not for an answer that it
/// could share with others.
const ANSWERS: usize = 5;

/// Relevance judgements, query by query.
#[derive(Debug, Default)]
pub(crate) struct Qrels(BTreeMap<String, Judged>);

/// The judged documents of a query with their grades, in ascending order of id.
#[derive(Debug, Default)]
pub(crate) struct Judged(Vec<(Box<str>, i32)>);

impl Judged {
    /// The grade of a document, if it is judged.
    pub fn get(&self, document: &str) -> Option<i32> {
        let place = self.0.binary_search_by(|(id, _)| (**id).cmp(document));
        place.ok().map(|place| self.0[place].1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, i32)> {
        self.0.iter().map(|(id, grade)| (&**id, *grade))
    }

    /// The grades of all documents.
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
    /// Reads a qrels table. A row that repeats another is harmless; one that contradicts it is an
    /// error.
    pub fn read(reader: &TableReader, input: &str) -> Result<Self> {
        let mut qrels = Self::default();
        let columns = ["query_id", "corpus_id", "score"];
        reader.for_each(
            input,
            Table::Qrels,
            &ColumnNames::default(),
            &columns,
            |batch| -> Result<()> {
                let queries = string_column(batch, "query_id");
                let documents = string_column(batch, "corpus_id");
                let grades = i32_column(batch, "score");
                let mut row = 0;
                while row < batch.num_rows() {
                    let query = queries.value(row);
                    let judged = qrels.0.entry(query.to_owned()).or_default();
                    while row < batch.num_rows() && queries.value(row) == query {
                        judged
                            .0
                            .push((documents.value(row).into(), grades.value(row)));
                        row += 1;
                    }
                }
                Ok(())
            },
        )?;
        qrels.settle(input)?;
        Ok(qrels)
    }

    fn settle(&mut self, input: &str) -> Result<()> {
        for (query, judged) in &mut self.0 {
            judged.settle().map_err(|(document, [first, second])| {
                EvaluateError::ConflictingJudgements {
                    path: input.to_owned(),
                    query: query.clone(),
                    document: document.into(),
                    first,
                    second,
                }
            })?;
        }
        Ok(())
    }

    /// The judgements of a query, if at least one document is relevant to it. A query without a
    /// relevant document says nothing about a ranking, so it is as good as not judged.
    pub fn of(&self, query: &str) -> Option<&Judged> {
        self.0
            .get(query)
            .filter(|judged| judged.0.iter().any(|&(_, grade)| grade > 0))
    }

    /// The queries to which at least one document is relevant, in order of id.
    pub fn judged_queries(&self) -> impl Iterator<Item = &str> {
        self.0
            .keys()
            .map(String::as_str)
            .filter(|query| self.of(query).is_some())
    }

    /// Which of these queries share an answer: a document that is relevant to both, where they have
    /// few of them.
    pub fn clustering<'a>(&self, queries: impl IntoIterator<Item = &'a str>) -> Option<Clustering> {
        let answers = queries.into_iter().map(|query| {
            let judged = self.0.get(query).into_iter().flat_map(Judged::iter);
            let relevant = judged.filter(|&(_, grade)| grade > 0);
            let answers: Vec<&str> = relevant.map(|(document, _)| document).collect();
            match answers.len() <= ANSWERS {
                true => answers,
                false => Vec::new(),
            }
        });
        Clustering::of_shared(answers, "share a relevant document")
    }

    /// Query and document of each judgement.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(query, judged)| {
            judged
                .iter()
                .map(move |(document, _)| (query.as_str(), document))
        })
    }

    /// The documents that are judged for any query.
    pub fn documents(&self) -> FxHashSet<&str> {
        self.pairs().map(|(_, document)| document).collect()
    }

    /// The number of judgements.
    pub fn len(&self) -> usize {
        self.0.values().map(|judged| judged.0.len()).sum()
    }
}

#[cfg(test)]
impl<'a> FromIterator<(&'a str, &'a str, i32)> for Qrels {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str, i32)>>(rows: I) -> Self {
        let mut qrels = Self::default();
        for (query, document, grade) in rows {
            let judged = qrels.0.entry(query.to_owned()).or_default();
            judged.0.push((document.into(), grade));
        }
        qrels.settle("qrels.csv").unwrap();
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
        assert_eq!(qrels.documents().len(), 2);
    }

    #[test]
    fn queries_that_share_an_answer_belong_together_and_those_of_a_topic_do_not() {
        let topic = ["a", "b", "c", "d", "e", "f"];
        let topics = ["t1", "t2"].map(|query| topic.map(|document| (query, document, 1)));
        let rows = [
            ("q1", "x", 1),
            ("q2", "y", 1),
            ("q2", "x", 2),
            ("q3", "x", 0),
        ];
        let qrels: Qrels = rows.into_iter().chain(topics.concat()).collect();
        let found = qrels.clustering(["q1", "q2", "q3", "t1", "t2"]).unwrap();
        assert_eq!(found.labels(), ["0", "0", "2", "3", "4"]);
    }

    #[test]
    fn a_repeated_judgement_is_harmless_and_a_contradiction_is_not() {
        let rows = [("q", "d", 1), ("q", "a", 2), ("q", "d", 1)];
        let mut qrels: Qrels = rows.into_iter().collect();
        let judged = qrels.of("q").unwrap();
        assert_eq!(judged.grades(), [2, 1]);
        assert_eq!((judged.get("d"), judged.get("b")), (Some(1), None));
        qrels.0.get_mut("q").unwrap().0.push(("d".into(), 2));
        assert_eq!(
            qrels.settle("f.csv").unwrap_err().to_string(),
            "f.csv: document `d` is judged 1 and 2 for query `q`; keep one of the rows"
        );
    }
}
