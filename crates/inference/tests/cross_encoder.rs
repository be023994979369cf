//! A whole cross-encoder through ONNX Runtime.

#![allow(clippy::unwrap_used, reason = "helpers of tests do")]

mod tiny_model;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, AsArray, Float32Array, RecordBatch, StringArray};
use arrow::datatypes::Float32Type;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::{SessionContext, ident, lit};
use pairmill_inference::{
    Activation, CrossEncoder, CrossEncoderOptions, CrossEncoderScore, InferenceError, Tally,
};
use tiny_model::{TinyModel, WORDS};

fn load_with(
    model: &TinyModel,
    options: CrossEncoderOptions,
) -> Result<CrossEncoder, InferenceError> {
    let folder = tempfile::tempdir().unwrap();
    model.write(folder.path());
    CrossEncoder::load(folder.path(), &options)
}

fn load(model: &TinyModel) -> CrossEncoder {
    load_with(model, CrossEncoderOptions::default()).unwrap()
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// Pairs of many lengths.
fn pairs() -> Vec<(String, String)> {
    (0..200)
        .map(|n| {
            let words = |start: usize, count: usize| {
                let words: Vec<_> = (0..count)
                    .map(|k| WORDS[(start + k * 5) % WORDS.len()])
                    .collect();
                words.join(" ")
            };
            (words(n, 1 + n % 4), words(n / 3, 1 + (n * 7) % 23))
        })
        .collect()
}

fn score_all(model: &CrossEncoder, pairs: &[(String, String)]) -> Vec<u32> {
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let scores = model.scores(&pairs).unwrap();
    scores.into_iter().map(f32::to_bits).collect()
}

#[test]
fn scores_come_in_the_order_of_the_pairs() {
    let model = load(&TinyModel::default());
    let scores = model
        .scores(&[
            (
                "reset the password",
                "The device: late, red light, late, late, red",
            ),
            ("router", "invoice"),
            ("Reset the password", "reset the password"),
        ])
        .unwrap();
    for (score, shared) in scores.into_iter().zip([1.0, 0.0, 3.0]) {
        assert!(
            (score - sigmoid(2.0 * shared - 3.0)).abs() < 1e-6,
            "{score}"
        );
    }
    assert!(model.scores(&[]).unwrap().is_empty());
}

#[test]
fn a_score_does_not_depend_on_company_batch_size_or_threads() {
    let pairs = pairs();
    let expected = score_all(&load(&TinyModel::default()), &pairs);
    for (threads, token_budget) in [(1, 1), (2, 100), (3, 4096)] {
        let options = CrossEncoderOptions {
            threads,
            token_budget,
            ..Default::default()
        };
        let model = load_with(&TinyModel::default(), options).unwrap();
        assert_eq!(score_all(&model, &pairs), expected);
        let backwards: Vec<_> = pairs.iter().rev().cloned().collect();
        let mut scores = score_all(&model, &backwards);
        scores.reverse();
        assert_eq!(scores, expected);
        assert_eq!(score_all(&model, &pairs[7..8]), expected[7..8]);
    }
}

#[test]
fn a_pair_too_long_is_cut_and_counted() {
    let options = CrossEncoderOptions {
        max_length: Some(8),
        ..Default::default()
    };
    let model = load_with(&TinyModel::default(), options).unwrap();
    // Five tokens have room: the question's two and the first three of the text.
    let text = "cable cable cable router light";
    let scores = model
        .scores(&[("router light", text), ("router", "router")])
        .unwrap();
    assert!((scores[0] - sigmoid(-3.0)).abs() < 1e-6);
    assert!((scores[1] - sigmoid(-1.0)).abs() < 1e-6);
    assert_eq!(
        model.tally(),
        Tally {
            scored: 2,
            cached: 0,
            truncated: 1
        }
    );
}

#[test]
fn two_logits_give_the_probability_of_the_second() {
    let model = load(&TinyModel {
        logits: 2,
        ..Default::default()
    });
    let score = model.scores(&[("paid late", "late, not paid")]).unwrap()[0];
    assert!((score - sigmoid(4.0)).abs() < 1e-6, "{score}");
}

#[test]
fn of_two_logits_the_config_says_which_stands_for_relevant() {
    let of = |config| {
        let model = TinyModel {
            logits: 2,
            config,
            ..Default::default()
        };
        let loaded = load_with(&model, CrossEncoderOptions::default());
        loaded.map(|model| model.scores(&[("paid late", "late, not paid")]).unwrap()[0])
    };
    let second = of(r#""id2label": {"0": "not_duplicate", "1": "duplicate"}"#).unwrap();
    assert!((second - sigmoid(4.0)).abs() < 1e-6, "{second}");
    let first = of(r#""id2label": {"0": "entailment", "1": "not_entailment"}"#).unwrap();
    assert!((first - sigmoid(-4.0)).abs() < 1e-6, "{first}");
    let error = of(r#""id2label": {"0": "left", "1": "right"}"#).unwrap_err();
    assert!(
        error.to_string().contains("(labels `left`, `right`)"),
        "{error}"
    );
}

#[test]
fn a_model_without_token_types_reads_a_pair_as_one_text() {
    let model = load(&TinyModel {
        segments: false,
        ..Default::default()
    });
    let score = model.scores(&[("red", "late")]).unwrap()[0];
    assert!((score - sigmoid(1.0)).abs() < 1e-6, "{score}");
}

#[test]
fn the_model_file_may_lie_in_a_folder_of_its_own() {
    let model = load(&TinyModel {
        file: "onnx/model.onnx",
        ..Default::default()
    });
    assert!((model.scores(&[("red", "red")]).unwrap()[0] - sigmoid(-1.0)).abs() < 1e-6);
}

#[test]
fn cached_scores_are_those_of_the_model_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = pairs();
    let load_cached = |hash: &str, options: CrossEncoderOptions| {
        let model = load_with(&TinyModel::default(), options).unwrap();
        model.with_cache(folder.path(), hash).unwrap()
    };
    let options = || CrossEncoderOptions {
        max_length: Some(24),
        ..Default::default()
    };
    for activation in [Activation::Sigmoid, Activation::Identity] {
        let options = CrossEncoderOptions {
            activation: Some(activation),
            ..options()
        };
        let plain = load_with(&TinyModel::default(), options.clone()).unwrap();
        let expected = score_all(&plain, &pairs);
        let model = load_cached("a", options);
        assert_eq!(score_all(&model, &pairs[..50])[..], expected[..50]);
        assert_eq!(score_all(&model, &pairs), expected);
        let tally = model.tally();
        match activation {
            Activation::Sigmoid => assert_eq!((tally.scored, tally.cached), (250, 0)),
            Activation::Identity => assert_eq!((tally.scored, tally.cached), (0, 250)),
        }
        let cut_before = plain.tally().truncated;
        score_all(&plain, &pairs[..50]);
        assert!(cut_before > 0);
        assert_eq!(tally.truncated, plain.tally().truncated);
    }
    let shorter = CrossEncoderOptions {
        max_length: Some(20),
        ..options()
    };
    for model in [load_cached("b", options()), load_cached("a", shorter)] {
        score_all(&model, &pairs[..9]);
        assert_eq!(model.tally().cached, 0, "another model or length");
    }
}

#[test]
fn the_activation_of_the_config_is_used_unless_another_is_chosen() {
    let identity = TinyModel {
        config: r#""sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}"#,
        ..Default::default()
    };
    let score = |model: CrossEncoder| model.scores(&[("cable", "cable")]).unwrap()[0];
    assert_eq!(score(load(&identity)), -1.0);
    let options = CrossEncoderOptions {
        activation: Some(Activation::Sigmoid),
        ..Default::default()
    };
    assert!((score(load_with(&identity, options).unwrap()) - sigmoid(-1.0)).abs() < 1e-6);
}

#[test]
fn a_score_that_is_not_a_number_names_its_pair() {
    let broken = load_with(
        &TinyModel {
            bias: f32::NAN,
            ..Default::default()
        },
        CrossEncoderOptions::default(),
    );
    let error = broken
        .unwrap()
        .scores(&[("red light", "late")])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(r#"not a number for the pair ("red light", "late")"#),
        "{error}"
    );
}

#[test]
fn the_same_pair_is_named_whichever_session_is_faster() {
    let model = TinyModel {
        bias: f32::NAN,
        ..Default::default()
    };
    let pairs = pairs();
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let broken = |threads: usize| {
        let options = CrossEncoderOptions {
            threads,
            token_budget: 8,
            ..Default::default()
        };
        load_with(&model, options).unwrap()
    };
    let error = |model: &CrossEncoder| model.scores(&pairs).unwrap_err().to_string();
    let pair = |error: String| error.split_once("the pair").unwrap().1.to_owned();
    let first = pair(error(&broken(1)));
    let crew = broken(4);
    for _ in 0..200 {
        assert_eq!(pair(error(&crew)), first);
    }
}

fn refusal(model: TinyModel, max_length: Option<usize>) -> String {
    let options = CrossEncoderOptions {
        max_length,
        ..Default::default()
    };
    load_with(&model, options).unwrap_err().to_string()
}

#[test]
fn a_model_that_does_not_fit_is_refused_when_it_is_loaded() {
    let entailment = refusal(
        TinyModel {
            logits: 3,
            ..Default::default()
        },
        None,
    );
    assert!(
        entailment.contains("config.json: a model with 3 logits for each pair is not supported"),
        "{entailment}"
    );

    let mismatch = refusal(
        TinyModel {
            vocab_size: 15,
            ..Default::default()
        },
        None,
    );
    assert!(
        mismatch.contains("has token 15, but config.json says vocab_size 15"),
        "{mismatch}"
    );

    for length in [4, 33] {
        let refused = refusal(TinyModel::default(), Some(length));
        assert!(refused.contains("choose 5 to 32"), "{refused}");
    }

    let unknown = refusal(
        TinyModel {
            vocab_size: 50,
            tokenizer: |text| text.replace("\"blinks\": 15", "\"blinks\": 15, \"new\": 49"),
            ..Default::default()
        },
        None,
    );
    assert!(
        unknown.contains("which fails on its last token, 49"),
        "{unknown}"
    );

    let tanh = refusal(
        TinyModel {
            config: r#""sentence_transformers": {"activation_fn": "torch.nn.Tanh"}"#,
            ..Default::default()
        },
        None,
    );
    assert!(tanh.contains("torch.nn.Tanh"), "{tanh}");
}

#[test]
fn a_damaged_file_is_named() {
    let damage = |file: &str| {
        let folder = tempfile::tempdir().unwrap();
        TinyModel::default().write(folder.path());
        let path = folder.path().join(file);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let options = CrossEncoderOptions::default();
        CrossEncoder::load(folder.path(), &options)
            .unwrap_err()
            .to_string()
    };
    for file in ["model.onnx", "tokenizer.json", "config.json"] {
        let error = damage(file);
        assert!(
            error.contains(file) && error.contains("it may be damaged"),
            "{error}"
        );
    }
    let nowhere = CrossEncoder::load(Path::new("nowhere"), &CrossEncoderOptions::default());
    assert!(
        nowhere
            .unwrap_err()
            .to_string()
            .starts_with("nowhere: not a folder")
    );
}

#[test]
fn the_function_scores_repeated_pairs_once_and_keeps_nulls() {
    let model = Arc::new(load(&TinyModel::default()));
    let rows_done = Arc::new(AtomicU64::new(0));
    let counter = rows_done.clone();
    let function = CrossEncoderScore::new(model.clone())
        .on_progress(move |rows| _ = counter.fetch_add(rows, Ordering::Relaxed));
    let texts: StringArray = [Some("cable"), None, Some("cable"), Some("light")]
        .into_iter()
        .collect();
    let batch = RecordBatch::try_from_iter([("text", Arc::new(texts) as ArrayRef)]).unwrap();
    let score = ScalarUDF::from(function).call(vec![lit("red cable"), ident("text")]);
    let plan = SessionContext::new()
        .read_batch(batch)
        .unwrap()
        .select(vec![score])
        .unwrap();
    let batches = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(plan.collect())
        .unwrap();
    let scores: &Float32Array = batches[0].column(0).as_primitive::<Float32Type>();
    let bits: Vec<Option<u32>> = scores.iter().map(|score| score.map(f32::to_bits)).collect();
    assert_eq!((bits[0], bits[1]), (bits[2], None));
    assert!((scores.value(0) - sigmoid(-1.0)).abs() < 1e-6);
    assert_eq!(model.tally().scored, 2);
    assert_eq!(rows_done.load(Ordering::Relaxed), 3);
}
