//! Models by Hugging Face Hub id, from a Hub on this machine.

use std::fs;
use std::path::Path;

use pairmill_tests::{EVALUATE, Ended, Hub, Program, TRAIN, names, sample_with_tiny_model};

const TRAINING: &str =
    "encoder --train data/pairs_train.parquet --max-steps 2 --batch-size 8 --threads 1";

fn run(hub: &Hub, program: Program, dir: &Path, line: &str) -> Ended {
    let mut command = program.command(dir, line);
    hub.is_used_by(dir, &mut command).output().unwrap().into()
}

fn offline(hub: &Hub, program: Program, dir: &Path, line: &str) -> Ended {
    let mut command = program.command(dir, line);
    let command = hub.is_used_by(dir, &mut command);
    command.env("HF_HUB_OFFLINE", "1").output().unwrap().into()
}

#[test]
fn a_model_is_fetched_once_and_trains_as_from_its_folder() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let base = "---\nlanguage: en\nlicense: apache-2.0\n---\n\n# tiny\n";
    fs::write(dir.join("tiny/README.md"), base).unwrap();
    let hub = Hub::serve("acme/tiny", &dir.join("tiny"));
    let line = format!("{TRAINING} --output");
    run(
        &hub,
        TRAIN,
        dir,
        &format!("{line} by_id --model acme/tiny --json"),
    )
    .report();
    let requests = hub.requests();
    let fetched = |name: &str| requests.iter().any(|path| path.ends_with(name));
    assert!(fetched("1_Pooling/config.json") && fetched("tokenizer.json"));
    assert!(fetched("README.md") && !fetched(".bin"), "{requests:?}");

    TRAIN.done(dir, &format!("{line} by_folder --model tiny"));
    let weights = |folder: &str| fs::read(dir.join(folder).join("model.safetensors")).unwrap();
    assert!(weights("by_id") == weights("by_folder"));
    let card = fs::read_to_string(dir.join("by_id/README.md")).unwrap();
    for field in ["base_model: acme/tiny\n", "license: apache-2.0\n"] {
        assert!(card.contains(field), "{card}");
    }

    // Known by now: the Hub is only asked whether the model has changed.
    run(
        &hub,
        TRAIN,
        dir,
        &format!("{line} again --model acme/tiny --json"),
    )
    .report();
    assert_eq!(hub.requests(), ["/api/models/acme/tiny/revision/main"]);
    let evaluation = "retrieval --model acme/tiny --corpus data/corpus.parquet \
                      --queries data/queries_test.parquet --qrels data/qrels_test.parquet --json";
    offline(&hub, EVALUATE, dir, evaluation).report();
    assert!(hub.requests().is_empty());
}

#[test]
fn a_fetched_model_is_used_where_the_hub_is_gone() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let hub = Hub::serve("acme/tiny", &dir.join("tiny"));
    run(
        &hub,
        TRAIN,
        dir,
        "export --model acme/tiny --output first --json",
    )
    .report();
    let mut command = TRAIN.command(dir, "export --model acme/tiny --output second");
    let command = hub.is_used_by(dir, &mut command);
    // Nobody listens on the discard port.
    let ended: Ended = command
        .env("HF_ENDPOINT", "http://127.0.0.1:9")
        .output()
        .unwrap()
        .into();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("using what was fetched before"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_model_that_cannot_be_had_is_an_error() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let hub = Hub::serve("acme/tiny", &dir.join("tiny"));
    let before = names(dir);
    let error = run(&hub, TRAIN, dir, "export --model acme/huge --output out").error(1);
    assert!(
        error.contains("no such model, or not for this HF_TOKEN (status 404)"),
        "{error}"
    );
    let error = offline(&hub, TRAIN, dir, "export --model acme/tiny --output out").error(1);
    assert!(error.contains("HF_HUB_OFFLINE is set but"), "{error}");
    let error = run(&hub, TRAIN, dir, "export --model ./acme/tiny --output out").error(1);
    assert!(
        error.contains("./acme/tiny: no such model folder"),
        "{error}"
    );
    assert_eq!(names(dir), before, "a failed run leaves nothing");
}

#[test]
fn a_model_that_is_checked_is_there_for_later_runs() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let hub = Hub::serve("acme/tiny", &dir.join("tiny"));
    let report = run(&hub, TRAIN, dir, "check-model --model acme/tiny --json").report();
    assert_eq!(report["kind"], "sentence encoder");
    assert!(!hub.requests().is_empty());
    let line = "export --model acme/tiny --output out --json";
    offline(&hub, TRAIN, dir, line).report();
    assert!(hub.requests().is_empty());
}
