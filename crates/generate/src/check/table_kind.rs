use pairmill_hygiene::TableKind;
use pairmill_tables::Table;

/// Names that columns have in tables of each kind, the contract's and others that are understood.
const QUERIES: [&str; 3] = ["query", "question", "questions"];
const ANSWERS: [&str; 6] = [
    "answer", "answers", "response", "positive", "document", "passage",
];
const TEXTS: [&str; 8] = [
    "text",
    "description",
    "body",
    "message",
    "passage",
    "contents",
    "content",
    "document",
];
const CATEGORIES: [&str; 5] = ["category", "label", "labels", "intent", "queue"];
const LABELS: [&str; 8] = [
    "score",
    "label",
    "labels",
    "relevance",
    "similarity_score",
    "similarity",
    "is_duplicate",
    "grade",
];
const PASSAGE_IDS: [&str; 6] = ["corpus_id", "corpus-id", "doc_id", "docid", "docno", "pid"];
const QUERY_IDS: [&str; 3] = ["query_id", "query-id", "qid"];

/// Finds the kind of this name.
pub fn named_kind(name: &str) -> Option<TableKind> {
    Some(match name {
        "tickets" => TableKind::Tickets,
        "qa" => TableKind::Qa,
        "pairs" => TableKind::Pairs,
        "labeled" => TableKind::Labeled,
        "triplets" => TableKind::Triplets,
        "corpus" => TableKind::Corpus,
        "queries" => TableKind::Queries,
        "qrels" => TableKind::Qrels,
        _ => return None,
    })
}

/// Tells from the names of its columns what a table is.
pub(super) fn told(names: &[String]) -> Option<TableKind> {
    let names: Vec<String> = names
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let any = |wanted: &[&str]| wanted.iter().any(|wanted| has(wanted));
    let is_anchored = has("anchor") && has("positive");
    let has_negative = names.iter().any(|name| {
        name.strip_prefix("negative").is_some_and(|rest| {
            rest.trim_start_matches('_').parse::<u32>().is_ok() || rest.is_empty()
        })
    });
    let is_two = has("sentence1") && has("sentence2") || has("text1") && has("text2");
    Some(match () {
        () if any(&QUERY_IDS) && any(&PASSAGE_IDS) && !any(&TEXTS) && !any(&QUERIES) => {
            // A run has ranks, and is no judgement.
            if has("rank") {
                return None;
            }
            TableKind::Qrels
        }
        () if is_anchored && has_negative => TableKind::Triplets,
        () if (is_two || is_anchored) && any(&LABELS) => TableKind::Labeled,
        () if any(&QUERIES) && any(&["document", "passage"]) && any(&LABELS) => TableKind::Labeled,
        () if is_anchored => TableKind::Pairs,
        () if any(&QUERIES) && any(&ANSWERS) => TableKind::Qa,
        () if any(&TEXTS) && any(&CATEGORIES) => TableKind::Tickets,
        () if any(&TEXTS) && (has("title") || any(&PASSAGE_IDS)) => TableKind::Corpus,
        () if has("text") || any(&QUERIES) => TableKind::Queries,
        () => return None,
    })
}

/// Returns the table of the contract; one with several negatives where the input has them.
pub(super) fn table_of(kind: TableKind, names: &[String]) -> Table {
    let negatives = |count: &usize| {
        let name = format!("negative_{count}");
        names.contains(&name)
    };
    match kind {
        TableKind::Tickets => Table::Tickets,
        TableKind::Qa => Table::Qa,
        TableKind::Pairs => Table::Pairs,
        TableKind::Labeled => Table::LabeledPairs,
        TableKind::Triplets => match (1..).take_while(negatives).count() {
            0 => Table::Triplets,
            count => Table::NTuples(count),
        },
        TableKind::Corpus => Table::Corpus,
        TableKind::Queries => Table::Queries,
        TableKind::Qrels => Table::Qrels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_tell_what_a_table_is() {
        use TableKind::*;
        for (columns, kind) in [
            ("id,text,category", Some(Tickets)),
            ("text,label", Some(Tickets)),
            ("id,question,answer", Some(Qa)),
            ("query,answer", Some(Qa)),
            ("anchor_id,anchor,positive_id,positive", Some(Pairs)),
            ("anchor,positive,negative", Some(Triplets)),
            ("anchor,positive,negative_1,negative_2", Some(Triplets)),
            ("sentence1,sentence2,score", Some(Labeled)),
            ("query,document,label", Some(Labeled)),
            ("id,title,text", Some(Corpus)),
            ("_id,text,Title", Some(Corpus)),
            ("id,text", Some(Queries)),
            ("query-id,corpus-id,score", Some(Qrels)),
            ("query_id,corpus_id,rank,score", None),
            ("a,b", None),
        ] {
            let names: Vec<String> = columns.split(',').map(str::to_owned).collect();
            assert_eq!(told(&names), kind, "{columns}");
        }
    }
}
