//! The page, and figures that stand beside others on it.

use super::*;

#[test]
fn the_queries_that_changed_most_are_shown_with_their_results() {
    let dir = with_a_worse_model();
    let path = dir.path();
    let examples = |options: &str| -> Value {
        EVALUATE.done(path, &format!("{RETRIEVAL} {options} --output out --force"));
        serde_json::from_slice(&fs::read(path.join("out/examples.json")).unwrap()).unwrap()
    };
    let found = examples("--baseline worse --examples 1");
    assert_eq!(found["metric"], "ndcg@10");
    assert_eq!(found.get("lost"), None, "nothing is worse than the worse");
    let gained = found["gained"].as_array().unwrap();
    assert_eq!(gained.len(), 1);
    assert!(gained[0]["model"].as_f64() > gained[0]["baseline"].as_f64());
    let first = &gained[0]["model_results"][0];
    assert_eq!(first["rank"], 1);
    assert!(!first["text"].as_str().unwrap().is_empty());
    assert_eq!(gained[0]["relevant"][0]["model_rank"], 1);

    let turned = RETRIEVAL.replace("--model model", "--model worse");
    EVALUATE.done(path, &format!("{turned} --output worst"));
    let worst = fs::read(path.join("worst/examples.json")).unwrap();
    let worst: Value = serde_json::from_slice(&worst).unwrap();
    assert!(!worst["lowest"].as_array().unwrap().is_empty());
}

#[test]
fn the_page_tells_the_story_and_loads_nothing() {
    let dir = with_a_worse_model();
    let path = dir.path();
    let query = "<script>alert(1)</script> paper stuck in the \"printer\"";
    let queries = QUERIES.replace("paper stuck in the printer", &query.replace('"', "\"\""));
    let queries = queries
        .replace("q1,<", "q1,\"<")
        .replace("\"\"\n", "\"\"\"\n");
    fs::write(path.join("queries.csv"), queries).unwrap();
    let line = format!("{RETRIEVAL} --baseline worse --group-by length --truncate-dim 64");
    EVALUATE.done(path, &format!("{line} --output out"));
    let page = fs::read_to_string(path.join("out/report.html")).unwrap();
    for part in [
        "4 queries are too few to tell",
        "Summary",
        "Groups",
        "Size and quality",
        "What changed",
        "Method and counts",
        "1 query has no relevant document and is left out",
        "Paired randomisation test: p",
        "95 % intervals are percentile intervals of 1,000 bootstrap samples of the queries (seed 42), \
         the same samples for both models; those of a group draw the queries of the group.",
        "p is of the two-sided paired randomisation test (every exchange",
        "corrected by Holm's method for",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)"), "texts are escaped");
    assert!(!page.contains("<script"));
    let addresses = page.match_indices("http").map(|(at, _)| &page[at..]);
    for address in addresses {
        assert!(
            address.starts_with("http://www.w3.org/") || address.starts_with("http-equiv"),
            "{}",
            &address[..40]
        );
    }
}

#[test]
fn a_comparison_has_a_page_too() {
    let dir = with_a_worse_model();
    let path = dir.path();
    let worse = RETRIEVAL.replace("--model model", "--model worse");
    EVALUATE.done(path, &format!("{worse} --output a"));
    EVALUATE.done(path, &format!("{RETRIEVAL} --output b"));
    let first = EVALUATE.done(path, "compare a b --output two");
    assert_eq!(first["up_to_date"], false);
    let again = EVALUATE.done(path, "compare a b --output two");
    assert_eq!(again["up_to_date"], true);
    assert_eq!(again["comparisons"], first["comparisons"]);
    let text = |file: &str| fs::read_to_string(path.join(file)).unwrap();
    let page = text("two/report.html");
    for part in [
        "4 queries are too few to tell",
        "before and after",
        "items of the other alone",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(text("two/report.md").contains("Model `b` against baseline `a`."));

    EVALUATE.done(path, "compare a b a --output three");
    let page = text("three/report.html");
    for part in [
        "2 models against a",
        "nDCG@10 less that of the baseline",
        "id=\"model-2\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script"));
    assert_eq!(
        text("three/report.md").matches("\n## Evaluation").count(),
        2
    );
    fs::write(path.join("b/metrics.json"), text("a/metrics.json")).unwrap();
    let changed = EVALUATE.done(path, "compare a b --output two");
    assert_eq!(changed["up_to_date"], false);
}

#[test]
fn texts_that_are_cut_and_a_shorter_model_are_told_beside_the_figures() {
    let dir = help_desk();
    let path = dir.path();
    damaged(&path.join("model"), &path.join("short"), 1.0, 0);
    let config = r#"{"max_seq_length": 8, "do_lower_case": false}"#;
    fs::write(path.join("short/sentence_bert_config.json"), config).unwrap();
    let line = RETRIEVAL.replace(
        "--model model",
        "--model short --baseline model --output out",
    );
    let said = EVALUATE.run(path, &line).stderr;
    let found = EVALUATE.done(path, &line);
    let cut = "texts were longer than the model reads (8 tokens) and were cut";
    let shorter = "the model reads 8 tokens of a text and the baseline 256";
    for part in [cut, shorter] {
        assert!(said.contains(part), "{said}");
        assert!(found["warnings"].to_string().contains(part), "{found}");
    }
    let page = fs::read_to_string(path.join("out/report.html")).unwrap();
    assert!(page.contains(cut) && page.contains("The model reads 8 tokens"));
    // The same where the embeddings are there already.
    let cached = |_| EVALUATE.done(path, &format!("{RETRIEVAL} --max-length 8 --cache kept"));
    let [first, second] = [0, 1].map(cached);
    assert!(first["warnings"].to_string().contains(cut), "{first}");
    assert_eq!(first["warnings"], second["warnings"]);
    assert!(EVALUATE.done(path, RETRIEVAL).get("warnings").is_none());
}
