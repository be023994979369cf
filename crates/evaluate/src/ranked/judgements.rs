use pairmill_tables::Qrels;
use rustc_hash::FxHashSet;

use crate::statistics::clusters::Clustering;

/// Which of these queries share an answer (see [`Qrels::answers`]).
pub(crate) fn clustering<'a>(
    qrels: &Qrels,
    queries: impl IntoIterator<Item = &'a str>,
) -> Option<Clustering> {
    let answers = queries.into_iter().map(|query| qrels.answers(query));
    Clustering::of_shared(answers, "share a relevant document")
}

/// The documents that are judged for any query.
pub(crate) fn judged_documents(qrels: &Qrels) -> FxHashSet<&str> {
    qrels.pairs().map(|(_, document)| document).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Judgements of query, document and grade.
    pub fn qrels<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str, i32)>) -> Qrels {
        Qrels::of_rows("qrels.csv", rows).unwrap()
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
        let qrels = qrels(rows.into_iter().chain(topics.concat()));
        let found = clustering(&qrels, ["q1", "q2", "q3", "t1", "t2"]).unwrap();
        assert_eq!(found.labels(), ["0", "0", "2", "3", "4"]);
    }
}
