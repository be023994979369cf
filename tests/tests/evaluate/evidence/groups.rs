//! Queries that belong together are one piece of evidence.

use super::*;

#[test]
fn groups_of_queries_have_figures_of_their_own() {
    let dir = help_desk();
    let kinds = ["kind", "print", "account", "order", "order", "none"];
    let queries: Vec<String> = QUERIES
        .lines()
        .zip(kinds)
        .map(|(row, kind)| format!("{row},{kind}\n"))
        .collect();
    fs::write(dir.path().join("queries.csv"), queries.concat()).unwrap();
    let line = format!("{RETRIEVAL} --group-by kind --group-by length --output out");
    let found = EVALUATE.done(dir.path(), &line);
    let groups: Vec<Value> = found["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| json!([group["column"], group["value"], group["items"]]))
        .collect();
    let expected = json!([
        ["kind", "account", 1],
        ["kind", "order", 2],
        ["kind", "print", 1],
        ["length", "1 to 4 words", 2],
        ["length", "5 to 8 words", 2],
    ]);
    assert_eq!(json!(groups), expected);
    assert_eq!(found["groups"][2]["model"]["recall@1"], 0.5);
    let items = read(&dir.path().join("out/per_query.parquet"));
    assert_eq!(string_column(&items, "kind").value(0), "print");
    assert_eq!(
        string_column(&items, "query").value(0),
        "paper stuck in the printer"
    );
    let unknown = format!("{RETRIEVAL} --group-by team");
    assert_snapshot!(EVALUATE.refused(dir.path(), &unknown, 1), @"error: queries.csv: no column `team` (wanted beside those of a queries table); found id, text, kind");
}

/// Fifteen questions about five answers, of which the new run finds three at once.
fn paraphrases() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut qrels = "query_id,corpus_id,score\n".to_owned();
    let mut runs = ["query_id,corpus_id,rank,score\n".to_owned(), String::new()];
    runs[1] = runs[0].clone();
    for question in 0..15 {
        let answer = question % 5;
        qrels += &format!("q{question},a{answer},1\n");
        for (run, first) in runs
            .iter_mut()
            .zip([5, if answer < 3 { answer } else { 5 }])
        {
            *run += &format!(
                "q{question},a{first},1,0.9\nq{question},a{},2,0.1\n",
                6 + answer
            );
        }
    }
    for (name, text) in [
        ("qrels.csv", &qrels),
        ("old.csv", &runs[0]),
        ("new.csv", &runs[1]),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

#[test]
fn paraphrases_of_one_answer_are_no_evidence_of_their_own() {
    let dir = paraphrases();
    let line = "run --run new.csv --baseline old.csv --qrels qrels.csv --output out";
    let found = EVALUATE.done(dir.path(), line);
    let of = &found["evidence"];
    assert_eq!((&of["items"], &of["clusters"]), (&json!(15), &json!(5)));
    assert_eq!(of["correction"], "holm");
    let chief = &evidence(&found, "ndcg@10")["difference"];
    // Three of five answers are better: two of 2³ exchanges are as far.
    assert_eq!(chief["p"], 0.25);
    assert_eq!(
        (&chief["verdict"], &found["verdict"]),
        (&json!("too_few"), &json!("too_few"))
    );
    assert!(chief["needed"]["items"].as_u64().unwrap() > 15);
    let answer = found["answer"].as_str().unwrap();
    let why = "15 queries in 5 groups, each of queries that share a relevant document, are too few";
    assert!(
        answer.starts_with("Too few to tell. ") && answer.contains(why),
        "{answer}"
    );
    let printed = EVALUATE.run(dir.path(), line).stdout;
    assert!(
        printed.contains(answer) && printed.contains("p (Holm)"),
        "{printed}"
    );
    let page = fs::read_to_string(dir.path().join("out/report.html")).unwrap();
    assert!(page.contains("Too few to tell") && !page.contains("▲"));
    let report = fs::read_to_string(dir.path().join("out/report.md")).unwrap();
    assert!(
        report.contains("are too few to tell") && !report.contains("▲"),
        "{report}"
    );
    for metric in ["precision@1", "accuracy@1", "precision@10"] {
        assert!(
            evidence(&found, metric)["difference"]["same_as"].is_string(),
            "{metric}"
        );
    }

    // What was written says which questions belong together, so a later comparison knows it too.
    for run in ["old", "new"] {
        let line = format!("run --run {run}.csv --qrels qrels.csv --output {run}");
        EVALUATE.done(dir.path(), &line);
    }
    let compared = EVALUATE.done(dir.path(), "compare old new");
    assert_eq!(compared["comparisons"][0]["evidence"], found["evidence"]);
}

#[test]
fn a_column_says_which_queries_belong_together() {
    let dir = with_a_worse_model();
    let threads = ["thread", "t1", "t1", "t2", "t2", "t3"];
    let queries: Vec<String> = QUERIES
        .lines()
        .zip(threads)
        .map(|(row, thread)| format!("{row},{thread}\n"))
        .collect();
    fs::write(dir.path().join("queries.csv"), queries.concat()).unwrap();
    let line = format!("{RETRIEVAL} --baseline worse --thread-column thread");
    let of = EVALUATE.done(dir.path(), &line)["evidence"].clone();
    assert_eq!((&of["items"], &of["clusters"]), (&json!(4), &json!(2)));
    assert_eq!(of["clustered_by"], "have the same `thread`");
    let alone = EVALUATE.done(
        dir.path(),
        &line.replace("--thread-column thread", "--cluster-column id"),
    );
    assert!(alone["evidence"].get("clusters").is_none());
}
