//! all-mpnet-base-v2, as somebody else has packed it: it has its published figures, it trains, and
//! its export has the same figures.

use std::fs;

use pairmill_tests::{EVALUATE, TRAIN, checkpoint, data};
use serde_json::Value;

fn assert_close(found: &Value, metric: &str, expected: f64) {
    let figure = found["model"][metric].as_f64().unwrap();
    assert!(
        (figure - expected).abs() <= 0.0005,
        "{metric}: {figure} is not {expected}"
    );
}

#[test]
#[ignore = "takes many minutes and needs a model that `make bench` brings"]
fn mpnet_of_others_has_its_published_figures_trains_and_is_exported() {
    let data = data().expect("PAIRMILL_DATA names the real data sets");
    let data = data.display();
    let model = checkpoint("all-mpnet-base-v2");
    let model = model.display();
    let dir = tempfile::tempdir().unwrap();
    let sts = |options: &str| {
        let line = format!("similarity --pairs {data}/stsb/sts_test.parquet {options}");
        EVALUATE.done(dir.path(), &line)
    };
    assert_close(&sts(&format!("--model {model}")), "spearman_cosine", 0.8342);
    let line = format!("export --model {model} --output exported");
    TRAIN.done(dir.path(), &line);
    let exported = sts("--model exported --backend onnx");
    assert_close(&exported, "spearman_cosine", 0.8342);

    let line = format!(
        "encoder --model {model} --train {data}/stsb/sts_train.parquet --loss cosine-similarity \
         --max-steps 20 --batch-size 16 --max-length 64 --learning-rate 2e-5 --output trained"
    );
    TRAIN.done(dir.path(), &line);
    let trained = sts("--model trained");
    let figure = trained["model"]["spearman_cosine"].as_f64().unwrap();
    assert!(figure > 0.82, "{figure} after a little training");
    let config = |folder: &str| {
        let text = fs::read_to_string(dir.path().join(folder).join("config.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["model_type"].clone()
    };
    assert_eq!(config("trained"), "mpnet");

    // Last, since it takes longest.
    let table = |name: &str| format!("--{name} {data}/scifact/{name}");
    let line = format!(
        "retrieval --model {model} {}.parquet {}_test.parquet {}_test.parquet --resamples 0",
        table("corpus"),
        table("queries"),
        table("qrels"),
    );
    assert_close(&EVALUATE.done(dir.path(), &line), "ndcg@10", 0.6557);
}
