//! What `pairmill-train` makes of tables as people have them: labels, contradictions, ids, and data
//! from which nothing can be learnt.

use std::fs;
use std::path::Path;

use pairmill_tests::{EVALUATE, Ended, TRAIN, names, write_tiny_model};
use serde_json::{Value, json};
use tempfile::TempDir;

const THINGS: [&str; 12] = [
    "kettle",
    "lift",
    "projector",
    "turnstile",
    "bicycle",
    "freezer",
    "scanner",
    "radio",
    "drill",
    "lantern",
    "compass",
    "barrow",
];

fn question(n: usize) -> String {
    format!(
        "why does the {} in room {n} not start",
        THINGS[n % THINGS.len()]
    )
}

fn answer(n: usize) -> String {
    format!(
        "change the fuse of the {} behind panel {n}",
        THINGS[n % THINGS.len()]
    )
}

fn workplace() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_tiny_model(&dir.path().join("tiny"));
    dir
}

/// Writes a table as JSON Lines.
fn table(dir: &Path, name: &str, rows: impl IntoIterator<Item = Value>) {
    let lines: String = rows.into_iter().map(|row| format!("{row}\n")).collect();
    fs::write(dir.join(name), lines).unwrap();
}

fn line(train: &str, options: &str) -> String {
    let mut line = format!(
        "encoder --model tiny --train {train} --output out --threads 1 --save-steps 0 --force {options}"
    );
    for (option, value) in [("--batch-size", "8"), ("--learning-rate", "1e-3")] {
        if !options.contains(option) {
            line.push_str(&format!(" {option} {value}"));
        }
    }
    line
}

/// A run that must succeed.
fn trained(dir: &Path, train: &str, options: &str) -> Ended {
    let ended = TRAIN.run(dir, &line(train, options));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended
}

/// The error of a run that must fail before its first step and leave nothing.
fn refused(dir: &Path, train: &str, options: &str) -> String {
    let before = names(dir);
    let error = TRAIN.run(dir, &line(train, options)).error(1);
    assert_eq!(names(dir), before, "a failed run leaves nothing");
    error
}

fn says(ended: &Ended, words: &str) {
    assert!(
        ended.stderr.contains(words),
        "no `{words}` in {}",
        ended.stderr
    );
}

fn warns(ended: &Ended, words: &str) {
    let mut lines = ended.stderr.lines();
    let found = lines.any(|line| line.contains("WARN") && line.contains(words));
    assert!(found, "no warning `{words}` in {}", ended.stderr);
}

fn weights(dir: &Path) -> Vec<u8> {
    fs::read(dir.join("out/model.safetensors")).unwrap()
}

fn pairs(number: usize) -> impl Iterator<Item = Value> {
    (0..number).map(|n| json!({"anchor": question(n), "positive": answer(n)}))
}

#[test]
fn one_answer_for_all_is_refused_before_the_first_step() {
    let dir = workplace();
    let rows = (0..30).map(|n| json!({"anchor": question(n), "positive": "ring the desk"}));
    table(dir.path(), "one.jsonl", rows);
    for sampler in ["", "--batch-sampler no-duplicates"] {
        let error = refused(dir.path(), "one.jsonl", sampler);
        assert!(
            error.contains("all 30 rows of the first epoch have no negative"),
            "{error}"
        );
        assert!(error.contains("--batch-size"), "{error}");
    }
}

#[test]
fn batches_of_one_pair_are_refused() {
    let dir = workplace();
    table(dir.path(), "pairs.jsonl", pairs(30));
    let error = refused(dir.path(), "pairs.jsonl", "--batch-size 1").to_string();
    assert!(error.contains("have no negative"), "{error}");
    // Its hard negative is one.
    let rows = (0..30)
        .map(|n| json!({"anchor": question(n), "positive": answer(n), "negative": answer(n + 1)}));
    table(dir.path(), "triplets.jsonl", rows);
    trained(dir.path(), "triplets.jsonl", "--batch-size 1 --max-steps 2");
}

#[test]
fn rows_without_a_negative_are_counted() {
    let dir = workplace();
    let rows = (0..40).map(|n| {
        let answer = if n < 36 {
            "ring the desk".to_owned()
        } else {
            answer(n)
        };
        json!({"anchor": question(n), "positive": answer})
    });
    table(dir.path(), "most.jsonl", rows);
    let ended = trained(dir.path(), "most.jsonl", "--max-steps 2");
    warns(&ended, "of 40 rows of the first epoch have no negative");
}

#[test]
fn batches_are_full_and_their_sizes_are_told() {
    let dir = workplace();
    let rows = (0..60).map(|n| json!({"anchor": question(n), "positive": answer(n % 3)}));
    table(dir.path(), "few.jsonl", rows);
    let ended = trained(dir.path(), "few.jsonl", "");
    says(&ended, "7 batches of 8 rows and one of 4 an epoch");
    let log = fs::read_to_string(dir.path().join("out/training_log.jsonl")).unwrap();
    let first: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(first["rows"], 8);
    let ended = trained(dir.path(), "few.jsonl", "--batch-sampler no-duplicates");
    warns(&ended, "on average where --batch-size is 8");
    let report = fs::read_to_string(dir.path().join("out/lineage.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(
        report["figures"]["batch_rows"].as_f64().unwrap() <= 3.0,
        "{report}"
    );
}

#[test]
fn a_negative_that_is_the_positive_or_the_anchor_is_left_out() {
    let dir = workplace();
    let rows = |negative: fn(usize) -> String| {
        (0..20).map(
            move |n| json!({"anchor": question(n), "positive": answer(n), "negative": negative(n)}),
        )
    };
    table(
        dir.path(),
        "positive.jsonl",
        rows(|n| format!(" {}", answer(n))),
    );
    table(dir.path(), "anchor.jsonl", rows(question));
    for (train, what) in [("positive.jsonl", "positive"), ("anchor.jsonl", "anchor")] {
        let error = refused(dir.path(), train, "--loss triplet");
        assert!(
            error.contains("no training row has a hard negative"),
            "{error}"
        );
        let ended = trained(dir.path(), train, "--max-steps 2");
        warns(
            &ended,
            &format!("20 negatives are the {what} of the same row"),
        );
        warns(&ended, &format!("{train} rows 1, 2, 3 and 17 more"));
    }
    // One that another row has for right.
    let mut rows: Vec<Value> = rows(|n| answer(n + 1)).collect();
    rows.push(
        json!({"anchor": question(0).to_uppercase(), "positive": answer(1), "negative": answer(7)}),
    );
    table(dir.path(), "known.jsonl", rows);
    let ended = trained(dir.path(), "known.jsonl", "--loss triplet --max-steps 2");
    warns(
        &ended,
        "1 negative is a positive of the same anchor in another row",
    );
}

#[test]
fn a_label_of_0_is_a_hard_negative_in_each_form_of_the_guides() {
    let dir = workplace();
    let triplets = (0..24)
        .map(|n| json!({"anchor": question(n), "positive": answer(n), "negative": answer(n + 30)}));
    table(dir.path(), "triplets.jsonl", triplets);
    let options = "--max-steps 3 --seed 3";
    let plain = trained(dir.path(), "triplets.jsonl", options);
    says(&plain, "24 pairs with 24 hard negatives");
    let expected = weights(dir.path());

    let forms = [
        ("sentence1", "sentence2", "label"),
        ("query", "document", "label"),
        ("anchor", "positive", "label"),
        ("sentence1", "sentence2", "score"),
    ];
    for (first, second, label) in forms {
        let row = |n: usize, text: String, is_right: u8| json!({first: question(n), second: text, label: is_right});
        let rows = (0..24).flat_map(|n| [row(n, answer(n), 1), row(n, answer(n + 30), 0)]);
        table(dir.path(), "labeled.jsonl", rows);
        let ended = trained(dir.path(), "labeled.jsonl", options);
        says(&ended, "24 pairs with 24 hard negatives");
        assert!(
            weights(dir.path()) == expected,
            "{first}, {second}, {label}"
        );
    }
    let rows = (0..24).map(|n| {
        json!({
            "query_id": n, "query": question(n), "positive_id": n, "positive": answer(n),
            "negative_id": n + 30, "negative": answer(n + 30)
        })
    });
    table(dir.path(), "with_ids.jsonl", rows);
    trained(dir.path(), "with_ids.jsonl", options);
    assert!(weights(dir.path()) == expected, "with ids");
}

#[test]
fn columns_of_any_name_are_read() {
    let dir = workplace();
    table(dir.path(), "pairs.jsonl", pairs(20));
    trained(dir.path(), "pairs.jsonl", "--max-steps 2");
    let expected = weights(dir.path());
    let rows = (0..20).map(|n| json!({"Frage": question(n), "Antwort": answer(n), "anchor": n}));
    table(dir.path(), "german.jsonl", rows);
    let named = "--anchor-column frage --positive-column Antwort --max-steps 2";
    trained(dir.path(), "german.jsonl", named);
    assert!(weights(dir.path()) == expected);
    let error = refused(dir.path(), "german.jsonl", "--anchor-column question");
    assert!(
        error.contains("german.jsonl: no column `question`; found"),
        "{error}"
    );
}

#[test]
fn label_0_alone_is_no_pair() {
    let dir = workplace();
    let rows =
        (0..20).map(|n| json!({"query": question(n), "document": answer(n + 1), "label": 0}));
    table(dir.path(), "wrong.jsonl", rows.clone());
    let error = refused(dir.path(), "wrong.jsonl", "");
    assert!(error.contains("no row of 20 has label 1"), "{error}");
    let right = (10..30).map(|n| json!({"query": question(n), "document": answer(n), "label": 1}));
    let both = [json!({"query": question(12), "document": answer(12), "label": 0})];
    table(dir.path(), "some.jsonl", rows.chain(right).chain(both));
    let ended = trained(dir.path(), "some.jsonl", "--max-steps 2");
    warns(
        &ended,
        "10 pairs of label 0 are left out, because no row of label 1 has the anchor",
    );
    warns(&ended, "1 pair is labelled 0 here and 1 in another row");
    says(&ended, "20 pairs with 10 hard negatives");
}

#[test]
fn labels_of_triplets_are_named_as_unread() {
    let dir = workplace();
    let rows = (0..20).map(|n| json!({"anchor": question(n), "positive": answer(n), "negative": answer(n + 1), "score": 3.5}));
    table(dir.path(), "margins.jsonl", rows);
    let ended = trained(dir.path(), "margins.jsonl", "--max-steps 2");
    warns(&ended, "margins.jsonl: the column `score` is not read");
}

#[test]
fn labels_out_of_range_are_refused_with_their_row() {
    let dir = workplace();
    let row = |n: usize, label: f64| json!({"sentence1": question(n), "sentence2": answer(n), "label": label});
    table(
        dir.path(),
        "scale.jsonl",
        (0..20).map(|n| row(n, [0.0, 1.0, 3.5, 5.0][n % 4])),
    );
    let error = refused(dir.path(), "scale.jsonl", "--loss cosine-similarity");
    assert!(
        error.contains("scale.jsonl row 3: `label` is 3.5; expected a similarity from -1 to 1"),
        "{error}"
    );
    assert!(error.contains("divided by 5"), "{error}");
    // Only their order counts.
    trained(dir.path(), "scale.jsonl", "--loss cosent --max-steps 2");

    table(
        dir.path(),
        "soft.jsonl",
        (0..20).map(|n| row(n, [0.0, 1.0, 0.5][n % 3])),
    );
    for loss in ["contrastive", "online-contrastive", "mnrl"] {
        let error = refused(dir.path(), "soft.jsonl", &format!("--loss {loss}"));
        assert!(
            error.contains("soft.jsonl row 3: `label` is 0.5; expected 0 or 1"),
            "{error}"
        );
    }
    trained(
        dir.path(),
        "soft.jsonl",
        "--loss cosine-similarity --max-steps 2",
    );
    trained(dir.path(), "soft.jsonl", "--label-column= --max-steps 2");
}

#[test]
fn one_label_for_all_is_refused() {
    let dir = workplace();
    let rows =
        (0..20).map(|n| json!({"sentence1": question(n), "sentence2": answer(n), "label": 1}));
    table(dir.path(), "same.jsonl", rows);
    for loss in [
        "cosine-similarity",
        "cosent",
        "angle",
        "contrastive",
        "online-contrastive",
    ] {
        let error = refused(dir.path(), "same.jsonl", &format!("--loss {loss}"));
        assert!(error.contains("every label of 20 is 1"), "{error}");
    }
    trained(dir.path(), "same.jsonl", "--max-steps 2");
    let judge = "cross-encoder --model tiny --train same.jsonl --loss mse --output judge";
    let error = TRAIN.refused(dir.path(), judge, 1);
    assert!(error.contains("every label of 20 is 1"), "{error}");
}

#[test]
fn a_pair_that_is_labelled_0_and_1_is_warned_of() {
    let dir = workplace();
    let row = |n: usize, label: u8| json!({"sentence1": question(n), "sentence2": answer(n), "label": label});
    table(
        dir.path(),
        "both.jsonl",
        (0..20).map(|n| row(n, 1)).chain([row(4, 0)]),
    );
    let ended = trained(dir.path(), "both.jsonl", "--loss contrastive --max-steps 2");
    warns(&ended, "1 pair is labelled 0 in one row and 1 in another");
    warns(&ended, "both.jsonl rows 5 and 21");
}

#[test]
fn an_id_that_stands_for_two_texts_is_named_with_both() {
    let dir = workplace();
    let rows = (0..20).map(|n| {
        json!({
            "anchor_id": format!("q{n}"), "anchor": question(n),
            "positive_id": format!("a{}", n % 10), "positive": answer(n)
        })
    });
    table(dir.path(), "ids.jsonl", rows);
    let ended = trained(dir.path(), "ids.jsonl", "--max-steps 2");
    warns(&ended, "10 ids stand for two documents each");
    warns(
        &ended,
        &format!("`a0`: \"{}\" and, in row 11, \"{}\"", answer(0), answer(10)),
    );
    // A question and an answer of one number are two things.
    let rows = (0..20).map(|n| {
        json!({
            "anchor_id": n, "anchor": question(n), "positive_id": n, "positive": answer(n)
        })
    });
    table(dir.path(), "numbers.jsonl", rows);
    let ended = trained(dir.path(), "numbers.jsonl", "--max-steps 2");
    assert!(!ended.stderr.contains("stand for two"), "{}", ended.stderr);
}

#[test]
fn a_single_step_trains() {
    let dir = workplace();
    table(dir.path(), "pairs.jsonl", pairs(20));
    let ended = TRAIN.done(
        dir.path(),
        "encoder --model tiny --train pairs.jsonl --output out",
    );
    assert_eq!(ended["steps"], 1);
    assert_eq!(ended["weights_moved"], true);
    assert_ne!(
        weights(dir.path()),
        fs::read(dir.path().join("tiny/model.safetensors")).unwrap()
    );
}

#[test]
fn a_run_whose_weights_stand_still_says_so() {
    let dir = workplace();
    table(dir.path(), "pairs.jsonl", pairs(20));
    let ended = trained(dir.path(), "pairs.jsonl", "--learning-rate 1e-30");
    warns(&ended, "no weight has changed in 3 steps");
    let card = fs::read_to_string(dir.path().join("out/README.md")).unwrap();
    assert!(card.contains("no weight has changed"), "{card}");
}

#[test]
fn texts_that_are_cut_are_counted() {
    let dir = workplace();
    let rows = (0..20).map(|n| {
        let long = format!("{} {}", answer(n), "and then the next one ".repeat(n));
        json!({"anchor": question(n), "positive": long})
    });
    table(dir.path(), "long.jsonl", rows);
    let ended = trained(dir.path(), "long.jsonl", "--max-length 24 --max-steps 2");
    warns(
        &ended,
        "of 20 documents are longer than the 24 tokens that the model reads and are cut; the model it starts from reads 128",
    );
    let ended = trained(
        dir.path(),
        "long.jsonl",
        "--document-max-length 128 --max-steps 2",
    );
    assert!(!ended.stderr.contains("are cut"), "{}", ended.stderr);
    let notice = "please read this notice before anything else and keep it ".repeat(3);
    let rows = (0..20)
        .map(|n| json!({"anchor": question(n), "positive": format!("{notice}{}", answer(n))}));
    table(dir.path(), "notice.jsonl", rows);
    let ended = trained(dir.path(), "notice.jsonl", "--max-length 24 --max-steps 2");
    warns(
        &ended,
        "20 of them are the same as another once they are cut",
    );
    let rows =
        (0..20).map(|n| json!({"sentence1": question(n), "sentence2": answer(n), "label": n % 2}));
    table(dir.path(), "labeled.jsonl", rows);
    let judge = "cross-encoder --model tiny --train labeled.jsonl --max-length 16 --max-steps 1 --output judge";
    let ended = TRAIN.run(dir.path(), judge);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    warns(
        &ended,
        "20 of 20 pairs of texts are longer than the 16 tokens",
    );
}

/// A dev split in which each query shares its words with its document.
fn write_dev(dir: &Path) {
    let write = |name: &str, columns: &[(&str, Vec<String>)]| {
        use arrow::array::{ArrayRef, StringArray};
        use std::sync::Arc;
        let columns = columns.iter().map(|(name, values)| {
            (
                *name,
                Arc::new(StringArray::from(values.clone())) as ArrayRef,
            )
        });
        let batch = arrow::array::RecordBatch::try_from_iter(columns).unwrap();
        pairmill_tests::tables::write(&dir.join(name), &batch);
    };
    fs::create_dir_all(dir).unwrap();
    let all = |of: fn(usize) -> String| (0..24).map(of).collect::<Vec<_>>();
    let document = |n: usize| format!("{} {}", answer(n), question(n));
    write(
        "corpus.parquet",
        &[
            ("id", all(|n| format!("a{n}"))),
            ("title", all(|_| String::new())),
            ("text", all(document)),
        ],
    );
    write(
        "queries_dev.parquet",
        &[("id", all(|n| format!("q{n}"))), ("text", all(question))],
    );
    write(
        "qrels_dev.parquet",
        &[
            ("query_id", all(|n| format!("q{n}"))),
            // One document is not in the corpus, and one query has nothing relevant.
            (
                "corpus_id",
                all(|n| {
                    if n == 3 {
                        "gone".to_owned()
                    } else {
                        format!("a{n}")
                    }
                }),
            ),
            ("score", all(|n| u8::from(n != 5).to_string())),
        ],
    );
}

#[test]
fn training_that_ends_below_its_start_delivers_the_start() {
    let dir = workplace();
    let rows =
        (0..40).map(|n| json!({"anchor": question(n), "positive": answer((n * 7 + 3) % 40)}));
    table(dir.path(), "wrong.jsonl", rows);
    write_dev(&dir.path().join("dev"));
    let options = "--eval dev --learning-rate 0.3 --epochs 3 --json";
    let ended = trained(dir.path(), "wrong.jsonl", options);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["delivered"], "start", "{report}");
    assert_eq!(report["best_step"], 0);
    assert_eq!(report["best_score"], report["score_before"]);
    assert!(report["trained_score"].as_f64() < report["score_before"].as_f64());
    warns(&ended, "training did not help");
    assert!(!ended.stderr.contains("best so far"), "{}", ended.stderr);
    says(&ended, "before training");
    let card = fs::read_to_string(dir.path().join("out/README.md")).unwrap();
    assert!(card.contains("**This is `tiny` itself**"), "{card}");
    let untouched = fs::read(dir.path().join("tiny/model.safetensors")).unwrap();
    let tensors = |bytes: &[u8]| {
        let read = safetensors::SafeTensors::deserialize(bytes).unwrap();
        let mut all: Vec<(String, Vec<u8>)> = read
            .iter()
            .map(|(name, tensor)| (name.to_owned(), tensor.data().to_vec()))
            .collect();
        all.sort();
        all
    };
    assert!(tensors(&weights(dir.path())) == tensors(&untouched));

    // The exit code says so where that is wished, also of a run that has nothing to do.
    let line = line("wrong.jsonl", &format!("{options} --fail-below-start"));
    assert_eq!(TRAIN.run(dir.path(), &line).code, 3);
    let again = TRAIN.run(dir.path(), &line.replace("--force", ""));
    assert_eq!(again.code, 3, "{}", again.stderr);
    let told: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(told["up_to_date"], true);
    assert_eq!(told["trained_score"], report["trained_score"]);
}

#[test]
fn the_dev_score_is_the_evaluators_figure() {
    let dir = workplace();
    table(dir.path(), "pairs.jsonl", pairs(20));
    write_dev(&dir.path().join("dev"));
    let ended = trained(dir.path(), "pairs.jsonl", "--eval dev --max-steps 1 --json");
    warns(
        &ended,
        "1 of 24 dev queries left out, without a relevant document",
    );
    warns(&ended, "1 judged document of dev is not in the corpus");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let line = "retrieval --model tiny --corpus dev/corpus.parquet --queries dev/queries_dev.parquet \
        --qrels dev/qrels_dev.parquet --resamples 0 --threads 1";
    let figures = EVALUATE.done(dir.path(), line);
    let of_evaluator = figures["model"]["ndcg@10"].as_f64().unwrap();
    let of_training = report["score_before"].as_f64().unwrap();
    assert!(
        (of_evaluator - of_training).abs() < 1e-6,
        "{of_evaluator} {of_training}"
    );
}

#[test]
fn a_dev_split_without_queries_is_refused() {
    let dir = workplace();
    table(dir.path(), "pairs.jsonl", pairs(20));
    let dev = dir.path().join("dev");
    write_dev(&dev);
    // Judgements of other queries.
    let ids: arrow::array::ArrayRef =
        std::sync::Arc::new(arrow::array::StringArray::from(vec!["x"]));
    let batch = arrow::array::RecordBatch::try_from_iter([("id", ids.clone()), ("text", ids)]);
    pairmill_tests::tables::write(&dev.join("queries_dev.parquet"), &batch.unwrap());
    let error = refused(dir.path(), "pairs.jsonl", "--eval dev");
    assert!(
        error.contains("no query of 1 has a relevant document"),
        "{error}"
    );
}
