//! Cross-fitting: every query is judged by a model that was trained without it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Float32Type;
use pairmill_tables::{Folds, string_column};
use pairmill_tests::tables::read;
use pairmill_tests::{FILTER, TRAIN, names, sample_with_tiny_model};
use serde_json::Value;

const TRAINING: &str =
    "cross-encoder --model tiny --train data/labeled_train.parquet --eval data --max-steps 2";

fn scores(dir: &Path, model: &str) -> HashMap<(String, String), f32> {
    FILTER.done(
        dir,
        &format!(
            "score --pairs data/pairs_train.parquet --model {model} --output scored.parquet --force"
        ),
    );
    let scored = read(&dir.join("scored.parquet"));
    let queries = string_column(&scored, "anchor");
    let texts = string_column(&scored, "positive");
    let values = scored.column_by_name("score").unwrap();
    let values = values.as_primitive::<Float32Type>().values();
    let pairs = queries.iter().zip(texts).map(|(query, text)| {
        let text = text.unwrap().to_owned();
        (query.unwrap().to_owned(), text)
    });
    pairs.zip(values.iter().copied()).collect()
}

#[test]
fn a_query_is_scored_by_the_model_that_has_not_seen_it() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let whole = TRAIN.done(dir, &format!("{TRAINING} --output whole"));
    let report = TRAIN.done(dir, &format!("{TRAINING} --folds 3 --output judge"));
    let rows = |report: &Value| report["rows"].as_u64().unwrap();
    let seen: u64 = report["folds"].as_array().unwrap().iter().map(rows).sum();
    assert_eq!(
        seen,
        2 * rows(&whole),
        "each row is left out of one of three folds"
    );
    let expected = ["fold-1", "fold-2", "fold-3", "folds.json", "lineage.json"];
    assert!(names(&dir.join("judge")).iter().eq(&expected));

    let folds = Folds::of_folder(&dir.join("judge")).unwrap().unwrap();
    let by_fold = [1, 2, 3].map(|fold| scores(dir, &format!("judge/fold-{fold}")));
    let by_judge = scores(dir, "judge");
    let mut judged = [0; 3];
    for ((query, text), score) in &by_judge {
        let fold = folds.of(query) as usize;
        let pair = (query.clone(), text.clone());
        assert_eq!(*score, by_fold[fold][&pair], "{query}");
        assert_ne!(*score, by_fold[(fold + 1) % 3][&pair], "{query}");
        judged[fold] += 1;
    }
    assert!(judged.iter().all(|pairs| *pairs > 100), "{judged:?}");
}

#[test]
fn a_killed_run_goes_on_after_the_last_whole_fold() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    TRAIN.done(dir, &format!("{TRAINING} --folds 2 --output judge"));
    // What a run that was killed in the second fold leaves.
    fs::create_dir(dir.join("killed.checkpoints")).unwrap();
    fs::rename(
        dir.join("judge/fold-1"),
        dir.join("killed.checkpoints/fold-1"),
    )
    .unwrap();
    let report = TRAIN.done(dir, &format!("{TRAINING} --folds 2 --output killed"));
    // What was of the killed run alone is not told of the fold that it has made.
    assert_eq!(report["folds"][0]["steps"], 2);
    assert_eq!(report["folds"][0]["seconds"], Value::Null);
    assert_eq!(report["folds"][1]["steps"], 2);
    assert!(!dir.join("killed.checkpoints").exists());
    let model = |folder: &str| fs::read(dir.join(folder).join("fold-2/model.onnx")).unwrap();
    assert!(model("judge") == model("killed"));
}

#[test]
fn a_fold_that_is_missing_and_a_loss_without_folds_are_named() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    TRAIN.done(dir, &format!("{TRAINING} --folds 2 --output judge"));
    fs::remove_dir_all(dir.join("judge/fold-2")).unwrap();
    let line = "score --pairs data/pairs_train.parquet --model judge --output scored.parquet";
    let error = FILTER.refused(dir, line, 1);
    assert!(error.contains("judge/fold-2"), "{error}");

    let line = "cross-encoder --model tiny --train data/pairs_train.parquet --loss mnrl --folds 2 --output judge";
    let error = TRAIN.refused(dir, line, 2);
    assert!(
        error.contains("--folds has a meaning for the losses bce and mse only"),
        "{error}"
    );
}
