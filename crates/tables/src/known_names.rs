use crate::Table;

/// Names that a column of the contract has elsewhere: in BEIR's files, in the data sets that
/// training guides use, in exports of help desks. The first that is there is taken.
const OTHER_NAMES: [(&str, &[&str]); 15] = [
    ("query_id", &["query-id", "qid"]),
    (
        "corpus_id",
        &["corpus-id", "doc_id", "docid", "docno", "pid"],
    ),
    ("question", &["query", "anchor", "questions"]),
    ("answer", &["positive", "response", "document", "answers"]),
    ("anchor", &["query", "question", "sentence1", "text1"]),
    (
        "anchor_id",
        &["query_id", "query-id", "question_id", "sentence1_id"],
    ),
    (
        "positive",
        &[
            "answer",
            "document",
            "passage",
            "response",
            "sentence2",
            "text2",
        ],
    ),
    (
        "positive_id",
        &[
            "answer_id",
            "document_id",
            "doc_id",
            "corpus_id",
            "corpus-id",
            "sentence2_id",
        ],
    ),
    (
        "sentence1",
        &["text1", "anchor", "query", "question", "premise"],
    ),
    (
        "sentence2",
        &[
            "text2",
            "positive",
            "document",
            "passage",
            "answer",
            "hypothesis",
        ],
    ),
    ("sentence1_id", &["anchor_id", "query_id", "query-id"]),
    (
        "sentence2_id",
        &[
            "positive_id",
            "document_id",
            "doc_id",
            "corpus_id",
            "corpus-id",
        ],
    ),
    (
        "score",
        &[
            "label",
            "labels",
            "relevance",
            "similarity_score",
            "similarity",
        ],
    ),
    ("label", &["labels", "score", "is_duplicate"]),
    ("category", &["label", "labels", "intent", "queue"]),
];

/// Returns other names of the columns `id` and `text`, which depend on what the table is.
fn names_by_table(table: Table, column: &str) -> &'static [&'static str] {
    match (table, column) {
        (Table::Queries | Table::Qa, "id") => &["_id", "question_id", "query_id", "qid"],
        (Table::Corpus, "id") => &["_id", "doc_id", "docid", "docno", "passage_id", "pid"],
        (Table::Tickets, "id") => &["_id", "ticket_id"],
        (Table::Queries, "text") => &["query", "question"],
        (Table::Corpus, "text") => &["passage", "document", "contents", "content", "body"],
        (Table::Tickets, "text") => &["description", "body", "message", "query"],
        _ => &[],
    }
}

/// Returns the names that a column of a table has elsewhere, the likeliest first.
pub(crate) fn others(table: Table, column: &str) -> impl Iterator<Item = &'static str> {
    let listed = OTHER_NAMES.iter().filter(move |(ours, _)| *ours == column);
    let listed = listed.flat_map(|(_, theirs)| theirs.iter());
    names_by_table(table, column).iter().chain(listed).copied()
}
