//! Every loss of `pairmill-train`, its options, and the experiments that compare them.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tests::{EVALUATE, FILTER, GENERATE, MINE, TRAIN, root, sample_with_tiny_model};
use serde_json::Value;
use tempfile::TempDir;

/// A training short enough for a test and steep enough to see the loss fall.
const SHORT: &str = "--model tiny --batch-size 16 --learning-rate 2e-3 --max-steps 24 --threads 1";

/// A folder with a table for every loss, of few rows, so that a short training comes by each often.
fn workplace() -> TempDir {
    let dir = sample_with_tiny_model();
    let path = dir.path();
    fs::remove_dir_all(path.join("data")).unwrap();
    GENERATE.done(path, "qa --input qa.jsonl --output data --limit 60");
    MINE.done(
        path,
        "--pairs data/pairs_train.parquet --corpus data/corpus.parquet --top-k 4 --output candidates.parquet",
    );
    TRAIN.done(
        path,
        &format!("cross-encoder {SHORT} --train data/labeled_train.parquet --output judge"),
    );
    let filter = "--candidates candidates.parquet --model judge --relative-margin 0";
    FILTER.done(path, &format!("{filter} --output triplets.parquet"));
    FILTER.done(
        path,
        &format!("{filter} --output scored.parquet --format candidates"),
    );
    let tickets = fs::read_to_string(root().join("data/tickets.jsonl")).unwrap();
    let few: Vec<&str> = tickets.lines().step_by(20).collect();
    fs::write(path.join("tickets.jsonl"), few.join("\n")).unwrap();
    dir
}

/// The values of a field of the log's steps.
fn of_steps(dir: &Path, output: &str, field: &str) -> Vec<f64> {
    let log = fs::read_to_string(dir.join(output).join("training_log.jsonl")).unwrap();
    log.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["event"] == "step")
        .map(|line| line[field].as_f64().unwrap())
        .collect()
}

fn assert_falls(losses: &[f64], of: &str) {
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&losses[..6]), mean(&losses[losses.len() - 6..]));
    assert!(last < first, "{of}: from {first} to {last}: {losses:?}");
}

#[test]
fn every_loss_of_an_encoder_falls() {
    let dir = workplace();
    for (loss, table) in [
        ("mnrl", "triplets.parquet"),
        ("mnrl --bidirectional", "data/pairs_train.parquet"),
        ("mnrl --matryoshka-dims 32,16,8", "triplets.parquet"),
        ("gist --guide tiny", "triplets.parquet"),
        ("triplet --margin 1", "triplets.parquet"),
        ("contrastive", "data/labeled_train.parquet"),
        ("online-contrastive", "data/labeled_train.parquet"),
        ("cosine-similarity", "data/labeled_train.parquet"),
        ("cosent", "data/labeled_train.parquet"),
        ("angle", "data/labeled_train.parquet"),
        ("batch-all-triplet --margin 0.5", "tickets.jsonl"),
        ("batch-hard-triplet --margin 0.5", "tickets.jsonl"),
        ("batch-hard-soft-margin-triplet", "tickets.jsonl"),
        ("batch-semi-hard-triplet --margin 0.5", "tickets.jsonl"),
        ("margin-mse", "scored.parquet"),
        ("distill-kl-div --num-negatives 2", "scored.parquet"),
    ] {
        let line = format!("encoder {SHORT} --train {table} --loss {loss} --output out --force");
        TRAIN.done(dir.path(), &line);
        assert_falls(&of_steps(dir.path(), "out", "loss"), loss);
    }
}

#[test]
fn every_loss_of_a_cross_encoder_falls() {
    let dir = workplace();
    // A judge that starts from noise learns more slowly.
    let long = SHORT.replace("2e-3 --max-steps 24", "5e-3 --max-steps 60");
    for (loss, table) in [
        ("bce --pos-weight 2", "data/labeled_train.parquet"),
        ("mse", "data/labeled_train.parquet"),
        ("margin-mse", "scored.parquet"),
        ("mnrl", "triplets.parquet"),
        ("lambda", "triplets.parquet"),
    ] {
        let line =
            format!("cross-encoder {long} --train {table} --loss {loss} --output out --force");
        TRAIN.done(dir.path(), &line);
        assert_falls(&of_steps(dir.path(), "out", "loss"), loss);
    }
}

#[test]
fn a_batch_in_parts_has_the_gradient_of_the_whole() {
    let dir = workplace();
    let config = dir.path().join("tiny/config.json");
    let without_dropout = fs::read_to_string(&config)
        .unwrap()
        .replace("prob\":0.1", "prob\":0.0");
    fs::write(&config, without_dropout).unwrap();
    for loss in ["mnrl", "mnrl --matryoshka-dims 32,8", "triplet"] {
        let line = format!("encoder {SHORT} --train triplets.parquet --loss {loss} --force");
        TRAIN.done(dir.path(), &format!("{line} --output whole"));
        TRAIN.done(
            dir.path(),
            &format!("{line} --output parts --mini-batch-size 7"),
        );
        for field in ["loss", "grad_norm"] {
            let whole = of_steps(dir.path(), "whole", field);
            let parts = of_steps(dir.path(), "parts", field);
            // Later steps drift apart by the rounding of the earlier ones.
            for (whole, parts) in whole.iter().zip(&parts).take(4) {
                assert!(
                    (whole - parts).abs() <= 1e-5 * whole.abs(),
                    "{loss}: {field} {whole} {parts}"
                );
            }
        }
    }
}

#[test]
fn tables_with_losses_of_their_own_take_turns() {
    let dir = workplace();
    let line = format!(
        "encoder {SHORT} --train triplets.parquet --train cosent=data/labeled_train.parquet \
         --train batch-all-triplet=tickets.jsonl --multi-dataset-batch-sampler round-robin --output out"
    );
    let report = TRAIN.done(dir.path(), &line);
    assert_eq!(report["steps"], 24);
    let losses = of_steps(dir.path(), "out", "loss");
    let of_tickets: Vec<f64> = losses.iter().copied().skip(2).step_by(3).collect();
    assert!(
        of_tickets.iter().all(|&loss| (4.0..6.0).contains(&loss)),
        "{losses:?}"
    );
    let card = fs::read_to_string(dir.path().join("out/README.md")).unwrap();
    assert!(card.contains("mnrl, cosent, batch-all-triplet"), "{card}");
}

#[test]
fn options_without_meaning_are_refused() {
    let dir = sample_with_tiny_model();
    let error = |command: &str, options: &str| {
        let line = format!("{command} --model tiny --train data/pairs_train.parquet --output out");
        TRAIN.refused(dir.path(), &format!("{line} {options}"), 2)
    };
    assert_snapshot!(error("encoder", "--margin 1"), @"error: --margin has no meaning for --loss mnrl");
    assert_snapshot!(error("encoder", "--loss gist"), @"error: --loss gist needs --guide, the model that finds false negatives");
    assert_snapshot!(error("encoder", "--matryoshka-dims 64"), @"error: --matryoshka-dims 64: the model has 32 dimensions");
    assert_snapshot!(error("encoder", "--matryoshka-dims 8,4 --matryoshka-weights 1"), @"error: --matryoshka-weights has 1 values for 2 --matryoshka-dims");
    assert_snapshot!(error("cross-encoder", "--loss mse --pos-weight 2"), @"error: --pos-weight has no meaning for --loss mse");
    let line = "encoder --model tiny --train data/pairs_train.parquet --output out";
    let error = |options: &str| TRAIN.refused(dir.path(), &format!("{line} {options}"), 1);
    assert_snapshot!(error("--loss triplet"), @"error: no training row has a hard negative, which the triplet loss needs; give triplets or n-tuples, or use --loss mnrl");
    assert_snapshot!(error("--freeze-layers 3"), @"error: --freeze-layers 3: the model has 2 layers");
    assert_snapshot!(error("--loss cosent"), @"error: data/pairs_train.parquet: has no column `label` or `score`, and this loss needs one (found anchor_id, anchor, positive_id, positive); name the column with --label-column, or use --loss mnrl for pairs that belong together");
}

#[test]
fn frozen_parts_stay_as_they_are() {
    let dir = sample_with_tiny_model();
    let line = format!("encoder {SHORT} --train data/pairs_train.parquet --output out");
    TRAIN.done(
        dir.path(),
        &format!("{line} --freeze-embeddings --freeze-layers 1 --weight-decay 0.1"),
    );
    let tensors =
        |folder: &str| fs::read(dir.path().join(folder).join("model.safetensors")).unwrap();
    let (before, after) = (tensors("tiny"), tensors("out"));
    let before = safetensors::SafeTensors::deserialize(&before).unwrap();
    let after = safetensors::SafeTensors::deserialize(&after).unwrap();
    for (name, tensor) in before.iter() {
        let frozen = name.starts_with("embeddings.") || name.contains("layer.0.");
        let same = tensor.data() == after.tensor(name).unwrap().data();
        // A key's bias moves all scores of a query alike, so its gradient is nothing but rounding.
        assert!(same == frozen || name.contains("key.bias"), "{name}");
    }
}

#[test]
fn adapters_are_trained_and_merged_into_the_weights() {
    let dir = sample_with_tiny_model();
    let line = "encoder --model tiny --batch-size 16 --epochs 2 --learning-rate 2e-2 --threads 1 \
        --train data/pairs_train.parquet --eval data --lora-rank 4 --output out";
    let report = TRAIN.done(dir.path(), line);
    assert_falls(&of_steps(dir.path(), "out", "loss"), "lora");
    let tensors =
        |folder: &str| fs::read(dir.path().join(folder).join("model.safetensors")).unwrap();
    let (before, after) = (tensors("tiny"), tensors("out"));
    let before = safetensors::SafeTensors::deserialize(&before).unwrap();
    let after = safetensors::SafeTensors::deserialize(&after).unwrap();
    assert_eq!(before.len(), after.len());
    for (name, tensor) in before.iter() {
        let is_norm = name.contains("LayerNorm");
        let adapted = name.contains(".attention.") && name.ends_with(".weight") && !is_norm;
        let same = tensor.data() == after.tensor(name).unwrap().data();
        assert_eq!(same, !adapted, "{name}");
    }
    // What was saved scores as what was trained.
    let line = "retrieval --model out --corpus data/corpus.parquet --threads 1 \
        --queries data/queries_dev.parquet --qrels data/qrels_dev.parquet";
    let scores = EVALUATE.done(dir.path(), line);
    let saved = scores["model"]["ndcg@10"].as_f64().unwrap();
    let best = report["best_score"].as_f64().unwrap();
    assert!((saved - best).abs() < 1e-6, "{saved} and {best}");
}

#[test]
fn mixed_precision_trains_about_as_single_precision_does() {
    let dir = sample_with_tiny_model();
    let line = format!("encoder {SHORT} --train data/pairs_train.parquet --output");
    TRAIN.done(dir.path(), &format!("{line} single"));
    TRAIN.done(dir.path(), &format!("{line} mixed --bf16"));
    let single = of_steps(dir.path(), "single", "loss");
    let mixed = of_steps(dir.path(), "mixed", "loss");
    assert_ne!(single, mixed);
    let apart = |(a, b): (&f64, &f64)| (a - b).abs();
    let most = single.iter().zip(&mixed).map(apart).fold(0.0, f64::max);
    assert!(most < 0.05, "{single:?} {mixed:?}");
}

#[test]
fn a_table_is_read_in_parts() {
    let dir = sample_with_tiny_model();
    let line = "encoder --model tiny --batch-size 8 --epochs 2 --learning-rate 2e-3 --threads 1 \
        --train data/pairs_train.parquet --output out";
    let report = TRAIN.done(dir.path(), &format!("{line} --shuffle-buffer 100"));
    let rows = report["rows"].as_u64().unwrap();
    let whole = TRAIN.done(dir.path(), &format!("{line} --force"));
    assert_eq!(whole["rows"], rows);
    let parts = rows.div_ceil(100);
    let steps = report["steps"].as_u64().unwrap();
    let least = whole["steps"].as_u64().unwrap();
    assert!(
        (least..=least + 4 * parts).contains(&steps),
        "{report} {whole}"
    );
    TRAIN.done(dir.path(), &format!("{line} --shuffle-buffer 100 --force"));
    assert_falls(&of_steps(dir.path(), "out", "loss"), "in parts");
    let line = line.replace("encoder", "learning-curve --eval data");
    let error = TRAIN
        .run(dir.path(), &format!("{line} --shuffle-buffer 100"))
        .error(2);
    assert_snapshot!(error, @"error: --shuffle-buffer has no meaning for learning-curve, which draws rows from the whole data");
}

#[test]
fn prompts_and_lengths_are_kept_with_the_model() {
    let dir = sample_with_tiny_model();
    let path = dir.path();
    fs::write(
        path.join("train.toml"),
        "train = 'data/pairs_train.parquet'\nquery_prompt = 'query:'\n[training]\nmax-steps = 2\n",
    )
    .unwrap();
    TRAIN.done(
        path,
        "encoder --model tiny --config train.toml --output out --query-max-length 12 \
        --document-max-length 40",
    );
    let config = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(path.join("out").join(name)).unwrap()).unwrap()
    };
    let prompts = config("config_sentence_transformers.json");
    assert_eq!(prompts["prompts"]["query"], "query:");
    assert_eq!(config("sentence_bert_config.json")["max_seq_length"], 40);
    assert_eq!(of_steps(path, "out", "loss").len(), 2);

    let figures = |options: &str| {
        let line = "retrieval --model out --corpus data/corpus.parquet \
            --queries data/queries_test.parquet --qrels data/qrels_test.parquet";
        EVALUATE.done(path, &format!("{line} {options}"))["model"].clone()
    };
    assert_eq!(figures(""), figures("--query-prompt query:"));
    assert_ne!(figures(""), figures("--query-prompt="));

    let error = TRAIN.refused(path, "encoder --config nowhere.toml --output out2", 1);
    assert!(
        error.starts_with("error: nowhere.toml: cannot be read"),
        "{error}"
    );
}

#[test]
fn losses_are_compared_at_the_same_number_of_steps() {
    let dir = workplace();
    let line = "compare-losses --model tiny --threads 1 --eval data --learning-rate 1e-3 \
        --train mnrl=triplets.parquet --train cosent=data/labeled_train.parquet";
    let trials = TRAIN.done(dir.path(), line);
    let trials = trials.as_array().unwrap();
    assert_eq!(trials.len(), 2);
    assert_eq!(trials[0]["steps"], trials[1]["steps"]);
    assert!(trials[0]["best_score"].as_f64() >= trials[1]["best_score"].as_f64());
    let ended = TRAIN.run(dir.path(), &line.replace(" --eval data", ""));
    assert_snapshot!(ended.error(2), @"error: --eval DIR is needed: without a dev split there is nothing to compare");
}

#[test]
fn a_learning_curve_is_drawn() {
    let dir = sample_with_tiny_model();
    let line = "learning-curve --model tiny --threads 1 --eval data --train data/pairs_train.parquet \
        --sizes 50,100 --output curve";
    let trials = TRAIN.done(dir.path(), line);
    let rows: Vec<u64> = trials
        .as_array()
        .unwrap()
        .iter()
        .map(|trial| trial["rows"].as_u64().unwrap())
        .collect();
    assert_eq!(rows, [50, 100]);
    assert_eq!(
        TRAIN.done(dir.path(), line),
        trials,
        "the figures of the run that was"
    );
    let svg = fs::read_to_string(dir.path().join("curve/learning_curve.svg")).unwrap();
    assert_eq!(svg.matches("<circle").count(), 2);
    assert!(!svg.contains("NaN"), "{svg}");

    let line = "retrieval --model tiny --corpus data/corpus.parquet --queries data/queries_dev.parquet \
        --qrels data/qrels_dev.parquet --learning-curve curve --output report --resamples 0";
    EVALUATE.done(dir.path(), line);
    let page = fs::read_to_string(dir.path().join("report/report.html")).unwrap();
    assert!(page.contains("Learning curve"), "the report shows it");
}
