//! Intervals, tests, groups, examples and comparisons: how sure the figures are.

mod groups;
mod page;

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tables::{f64_column, string_column};
use pairmill_tests::tables::read;
use pairmill_tests::{EVALUATE, TRAIN};
use serde_json::{Value, json};

use crate::harness::{QUERIES, RETRIEVAL, close, damaged, help_desk};

fn evidence<'a>(found: &'a Value, metric: &str) -> &'a Value {
    let metrics = found["evidence"]["metrics"].as_array().unwrap();
    metrics.iter().find(|one| one["metric"] == metric).unwrap()
}

fn interval(found: &Value) -> [f64; 2] {
    ["low", "high"].map(|end| found[end].as_f64().unwrap())
}

/// A help desk with a model that is worse than the base model.
fn with_a_worse_model() -> tempfile::TempDir {
    let dir = help_desk();
    damaged(&dir.path().join("model"), &dir.path().join("worse"), 0.5, 0);
    dir
}

#[test]
fn a_difference_has_an_interval_a_chance_and_an_effect() {
    let dir = with_a_worse_model();
    let line = format!("{RETRIEVAL} --baseline worse --output out");
    let found = EVALUATE.done(dir.path(), &line);
    assert_eq!(found["evidence"]["confidence"], 0.95);
    assert_eq!(found["evidence"]["resamples"], 1_000);
    let items = read(&dir.path().join("out/per_query.parquet"));
    for metric in ["ndcg@10", "mrr@10", "recall@1"] {
        let of = evidence(&found, metric);
        for (name, value) in [
            ("model", &of["model"]),
            ("baseline", &of["baseline"]),
            ("difference", &of["difference"]["interval"]),
        ] {
            let [low, high] = interval(value);
            let figure = found[name][metric].as_f64().unwrap();
            assert!(low <= figure && figure <= high, "{metric} {name}: {value}");
        }
        let model = f64_column(&items, metric).values();
        let baseline = f64_column(&items, &format!("baseline_{metric}")).values();
        let better = model.iter().zip(baseline).filter(|(a, b)| a > b).count();
        let worse = model.iter().zip(baseline).filter(|(a, b)| a < b).count();
        let paired = &of["difference"]["paired"];
        assert_eq!(paired["better"], better);
        assert_eq!(paired["worse"], worse);
        assert_eq!(paired["equal"], 4 - better - worse);
        // All 2^n exchanges of the places of values that differ one way.
        if worse == 0 {
            let exact = 2.0 / f64::from(1 << better);
            close(&paired["randomisation_p"], exact.min(1.0), 1e-12);
        }
        let (p, corrected) = (&of["difference"]["p"], &of["difference"]["p_corrected"]);
        assert_eq!(p, &paired["randomisation_p"]);
        assert!(corrected.as_f64() >= p.as_f64());
    }

    let bare = EVALUATE.done(dir.path(), &format!("{RETRIEVAL} --resamples 0"));
    assert_eq!(bare.get("evidence"), None);
    let error = EVALUATE.refused(dir.path(), &format!("{RETRIEVAL} --confidence 95"), 2);
    assert_snapshot!(error, @r"
    error: invalid value '95' for '--confidence <SHARE>': expected a share of at least 0.5 and below 1, such as 0.95

    For more information, try '--help'.
    ");
}

#[test]
fn threads_do_not_change_the_evidence_and_the_seed_does() {
    let dir = with_a_worse_model();
    let found = |options: &str| {
        let line = format!("{RETRIEVAL} --baseline worse {options}");
        EVALUATE.done(dir.path(), &line)["evidence"].clone()
    };
    let first = found("--threads 1");
    assert_eq!(first, found("--threads 3"));
    // Few draws, because many from four queries come to the same intervals.
    assert_ne!(found("--resamples 20"), found("--resamples 20 --seed 7"));
}

#[test]
fn comparing_results_gives_what_a_baseline_gives() {
    let dir = with_a_worse_model();
    let path = dir.path();
    let worse = RETRIEVAL.replace("--model model", "--model worse");
    EVALUATE.done(path, &format!("{worse} --output a"));
    EVALUATE.done(path, &format!("{RETRIEVAL} --output b"));
    let at_once = EVALUATE.done(path, &format!("{RETRIEVAL} --baseline worse"));
    let found = EVALUATE.done(path, "compare a b b");
    assert_eq!(found["comparisons"].as_array().unwrap().len(), 2);
    let compared = &found["comparisons"][0];
    for part in ["task", "model", "baseline", "difference", "evidence"] {
        assert_eq!(compared[part], at_once[part], "{part}");
    }
    assert_eq!(compared["counts"]["items"], 4);

    let fails = |line: &str| EVALUATE.run(path, line).code;
    assert_eq!(fails("compare a b --fail-on-regression ndcg@10"), 0);
    assert_eq!(fails("compare b a --fail-on-regression ndcg@10"), 3);
    let unknown = EVALUATE.refused(path, "compare b a --fail-on-regression ndgc@10", 2);
    assert_snapshot!(unknown, @"error: --fail-on-regression ndgc@10: no metric of these results that is the better the higher it is; they have ndcg@10, mrr@10, map@100, recall@1, recall@10, recall@100, precision@1, precision@10, accuracy@1");
    for (ties, out) in [("st", "st"), ("trec", "trec")] {
        let line =
            format!("run --run a/run.parquet --qrels qrels.csv --ties {ties} --output {out}");
        EVALUATE.done(path, &line);
    }
    let warned = EVALUATE.run(path, "compare st trec").stderr;
    assert!(warned.contains("rest on other conventions"), "{warned}");
    let table = EVALUATE.run(path, "compare a b").stdout;
    assert!(
        table.starts_with("b (model) against a (baseline), 4 items\n"),
        "{table}"
    );
}

#[test]
fn sentences_can_be_compared_later_too() {
    let dir = help_desk();
    let path = dir.path();
    // The same model, which sees only the beginning of a text.
    damaged(&path.join("model"), &path.join("worse"), 1.0, 0);
    let config = r#"{"max_seq_length": 5, "do_lower_case": false}"#;
    fs::write(path.join("worse/sentence_bert_config.json"), config).unwrap();
    let rows = [
        ("A cat sleeps.", "A cat is asleep.", 1.0, 1),
        ("A dog runs.", "The dog is running.", 0.9, 1),
        ("It rains in Spain.", "Bread is baked daily.", 0.1, 0),
        ("He plays the guitar.", "A man eats soup.", 0.2, 0),
        ("She reads a book.", "A woman is reading.", 0.8, 1),
    ];
    let file = |name: &str, header: &str, row: &dyn Fn(f64, i32) -> String| {
        let lines = rows.map(|(first, second, score, label)| {
            format!("{first},{second},{}\n", row(score, label))
        });
        fs::write(path.join(name), format!("{header}\n{}", lines.concat())).unwrap();
    };
    file("sts.csv", "sentence1,sentence2,score", &|score, _| {
        score.to_string()
    });
    file("pairs.csv", "sentence1,sentence2,label", &|_, label| {
        label.to_string()
    });
    for (task, table, metric) in [
        ("similarity", "sts.csv", "spearman_cosine"),
        ("pairs", "pairs.csv", "ap"),
    ] {
        for model in ["worse", "model"] {
            let line = format!("{task} --model {model} --pairs {table} --output {task}-{model}");
            EVALUATE.done(path, &line);
        }
        let line =
            format!("{task} --model model --baseline worse --pairs {table} --output {task}-both");
        let at_once = EVALUATE.done(path, &line);
        let line = format!("compare {task}-worse {task}-model");
        let compared = &EVALUATE.done(path, &line)["comparisons"][0];
        assert_eq!(compared["difference"], at_once["difference"], "{task}");
        assert_eq!(evidence(compared, metric), evidence(&at_once, metric));
        let report = fs::read_to_string(path.join(format!("{task}-both/report.md"))).unwrap();
        assert!(report.contains("Paired bootstrap: p"), "{report}");
        assert!(
            report
                .contains("p is of the two-sided paired bootstrap; corrected by Holm's method for"),
            "{report}"
        );
    }
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let dir = help_desk();
    let path = dir.path();
    EVALUATE.done(path, &format!("{RETRIEVAL} --output a"));
    fs::create_dir(path.join("empty")).unwrap();
    let pairs = "sentence1,sentence2,label\na cat,a cat,1\na cat,some bread,0\n";
    fs::write(path.join("pairs.csv"), pairs).unwrap();
    EVALUATE.done(path, "pairs --model model --pairs pairs.csv --output pairs");
    let renamed = |from: &str, to: &str, name: &str| {
        let text = fs::read_to_string(path.join(name)).unwrap();
        fs::write(path.join(name), text.replace(from, to)).unwrap();
    };
    renamed("q", "other", "queries.csv");
    renamed("q1", "other1", "qrels.csv");
    EVALUATE.done(path, &format!("{RETRIEVAL} --output others"));
    assert_snapshot!(EVALUATE.refused(path, "compare a empty", 1), @"error: empty: no result of an evaluation; expected a folder that `pairmill-evaluate … --output` has written");
    assert_snapshot!(EVALUATE.refused(path, "compare a pairs", 1), @"error: a is a result of `retrieval` and pairs of `pairs`; compare results of one task");
    assert_snapshot!(EVALUATE.refused(path, "compare a others", 1), @"error: a/per_query.parquet and others/per_query.parquet have no item in common; compare results on the same data");
    assert_snapshot!(EVALUATE.refused(path, "compare a others --output a", 1), @"error: a: writing it would replace the input a or a part of it; write elsewhere");
    let metrics = fs::read(path.join("a/per_query.parquet"));
    assert!(metrics.is_ok(), "what is compared is still there");
    let alone = EVALUATE.refused(path, "compare a", 2);
    assert!(
        alone.contains("2 more values required") || alone.contains("2 values required"),
        "{alone}"
    );
}

#[test]
fn embeddings_are_kept_and_found_again() {
    let dir = help_desk();
    let path = dir.path();
    let line = format!("{RETRIEVAL} --cache kept --force");
    let size = || {
        let folders = fs::read_dir(path.join("kept")).unwrap();
        let bytes = |folder: &Path| fs::metadata(folder.join("embeddings.f32")).unwrap().len();
        folders
            .map(|one| bytes(&one.unwrap().path()))
            .collect::<Vec<_>>()
    };
    let first = EVALUATE.done(path, &line);
    // Eight documents and four judged queries.
    assert_eq!(size(), [12 * 384 * 4]);
    assert_eq!(EVALUATE.done(path, &line)["model"], first["model"]);
    assert_eq!(size(), [12 * 384 * 4]);
    let corpus = fs::read_to_string(path.join("corpus.csv")).unwrap();
    fs::write(path.join("corpus.csv"), format!("{corpus}d9,,One more.\n")).unwrap();
    EVALUATE.done(path, &line);
    assert_eq!(size(), [13 * 384 * 4]);
    let both = EVALUATE.done(path, &format!("{line} --baseline model"));
    assert_eq!(both["baseline"], both["model"]);
    assert_eq!(size(), [13 * 384 * 4], "one model, one cache");
    EVALUATE.done(path, &format!("{line} --max-length 16"));
    assert_eq!(
        size().len(),
        2,
        "other embeddings have a folder of their own"
    );
}

#[test]
fn both_backends_give_the_same_figures_and_int8_its_own() {
    let dir = help_desk();
    let path = dir.path();
    TRAIN.done(
        path,
        "export --model model --output onnx --int8 --texts corpus.csv",
    );
    let cosines = |options: &str| {
        let line = RETRIEVAL.replace("--model model", options);
        EVALUATE.done(path, &format!("{line} --output out --force"));
        f64::from(
            pairmill_tables::f32_column(&read(&path.join("out/run.parquet")), "score").value(0),
        )
    };
    let torch = cosines("--model model");
    let onnx = cosines("--model onnx --backend onnx");
    assert!((torch - onnx).abs() < 1e-5, "{torch} {onnx}");
    let int8 = cosines("--model onnx --backend onnx --int8");
    assert!(
        (torch - int8).abs() < 0.1 && torch != int8,
        "{torch} {int8}"
    );
    for (options, code) in [("--int8", 2), ("--backend onnx --device cuda", 2)] {
        EVALUATE.refused(path, &format!("{RETRIEVAL} {options}"), code);
    }
    let error = EVALUATE.refused(path, &format!("{RETRIEVAL} --backend onnx"), 1);
    assert_snapshot!(error, @r"
    error: the model model cannot be used by ONNX Runtime
      because: model: has no model.onnx; expected a model folder with model.onnx (or onnx/model.onnx), tokenizer.json and config.json; `pairmill-train export --model DIR --output DIR` makes one of a sentence-transformers folder
    ");
}

#[test]
fn smaller_embeddings_stand_beside_the_full_ones() {
    let dir = with_a_worse_model();
    let line = format!(
        "{RETRIEVAL} --baseline worse --truncate-dim 256,64 --precision int8,binary --output out"
    );
    let found = EVALUATE.done(dir.path(), &line);
    let forms: Vec<Value> = found["variants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["dimension"], one["precision"], one["bytes"]]))
        .collect();
    let expected = json!([
        [256, "float32", 1024],
        [64, "float32", 256],
        [384, "int8", 384],
        [256, "int8", 256],
        [64, "int8", 64],
        [384, "binary", 48],
        [256, "binary", 32],
        [64, "binary", 8],
    ]);
    assert_eq!(json!(forms), expected);
    for variant in found["variants"].as_array().unwrap() {
        let figure = variant["model"]["ndcg@10"].as_f64().unwrap();
        assert!(figure > 0.5 && figure <= 1.0, "{variant}");
        assert!(variant["baseline"]["ndcg@10"].is_number());
    }
    close(&found["variants"][2]["model"]["ndcg@10"], 1.0, 1e-9);
    let too_many = format!("{RETRIEVAL} --truncate-dim 512");
    assert_snapshot!(EVALUATE.refused(dir.path(), &too_many, 1), @"error: the model model has 384 dimensions, so 512 cannot be kept; give --truncate-dim at most 384");
}
