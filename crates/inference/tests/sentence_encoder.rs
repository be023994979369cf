//! A whole sentence encoder through ONNX Runtime.

#![allow(clippy::unwrap_used, reason = "helpers of tests do")]

mod tiny_encoder;
mod tiny_model;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::Float32Type;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::{SessionContext, ident};
use pairmill_inference::{
    Embed, InferenceError, SentenceEncoder, SentenceEncoderOptions, SentenceTally,
};
use tiny_encoder::TinyEncoder;
use tiny_model::{TinyModel, WORDS};

/// The usual modules.
const MODULES: &str = r#"[
    {"path": "", "type": "sentence_transformers.models.Transformer"},
    {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}
]"#;

fn load_with(
    model: &TinyEncoder,
    options: &SentenceEncoderOptions,
) -> Result<SentenceEncoder, InferenceError> {
    let folder = tempfile::tempdir().unwrap();
    model.write(folder.path());
    SentenceEncoder::load(folder.path(), options)
}

fn load(model: &TinyEncoder) -> SentenceEncoder {
    load_with(model, &SentenceEncoderOptions::default()).unwrap()
}

fn refusal(model: &TinyEncoder) -> String {
    let options = SentenceEncoderOptions::default();
    load_with(model, &options).unwrap_err().to_string()
}

fn with_files(files: &[(&'static str, &'static str)]) -> TinyEncoder {
    TinyEncoder {
        files: files.to_vec(),
        ..TinyEncoder::default()
    }
}

fn with_outputs(outputs: &'static [&'static str]) -> TinyEncoder {
    TinyEncoder {
        outputs,
        ..TinyEncoder::default()
    }
}

/// The embedding with these components, 0 in the others.
fn vector(components: &[(&str, f32)]) -> Vec<f32> {
    let value = |word: &&str| components.iter().find(|(name, _)| name == word);
    WORDS
        .iter()
        .map(|word| value(word).map_or(0.0, |found| found.1))
        .collect()
}

#[test]
fn without_a_list_of_modules_an_embedding_is_the_mean_over_all_tokens() {
    let encoder = load(&TinyEncoder::default());
    assert_eq!(encoder.dimension(), 12);
    let long = "cable cable cable cable cable cable red";
    let embeddings = encoder.embed(&["Red light", long, ""], "").unwrap();
    let expected = [
        vector(&[("red", 0.25), ("light", 0.25)]),
        vector(&[("cable", 6.0 / 9.0), ("red", 1.0 / 9.0)]),
        vector(&[]),
    ];
    assert_eq!(embeddings, expected.concat());
    assert!(encoder.embed(&[], "").unwrap().is_empty());
}

#[test]
fn the_modules_of_the_folder_are_followed() {
    let pooling = r#"{"pooling_mode_cls_token": false, "pooling_mode_max_tokens": true}"#;
    let encoder = load(&with_files(&[
        ("modules.json", MODULES),
        ("1_Pooling/config.json", pooling),
        ("tokenizer_config.json", r#"{"sep_token": "[SEP]"}"#),
    ]));
    let root = 0.5f32.sqrt();
    let embeddings = encoder.embed(&["red red light", "cable"], "").unwrap();
    let expected = [
        vector(&[("red", root), ("light", root)]),
        vector(&[("cable", 1.0)]),
    ];
    assert_eq!(embeddings, expected.concat());
}

#[test]
fn prompts_are_read_and_put_before_each_text() {
    let prompts = r#"{"prompts": {"query": "red ", "passage": "paid "}}"#;
    let encoder = load(&with_files(&[(
        "config_sentence_transformers.json",
        prompts,
    )]));
    let prompts = encoder.prompts();
    assert_eq!(
        (&*prompts.query, &*prompts.document, &*prompts.text),
        ("red ", "paid ", "")
    );
    let behind = encoder.embed(&["light", "cable"], &prompts.query).unwrap();
    assert_eq!(
        behind,
        encoder.embed(&["red light", "red cable"], "").unwrap()
    );
}

/// The modules without one that makes lengths equal.
const POOLED: &str = r#"[
    {"path": "", "type": "sentence_transformers.models.Transformer"},
    {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
]"#;

#[test]
fn a_prompt_can_be_left_out_of_the_pooling() {
    let pooling = r#"{"pooling_mode": "mean", "include_prompt": false}"#;
    let encoder = load(&with_files(&[
        ("modules.json", POOLED),
        ("1_Pooling/config.json", pooling),
    ]));
    // The state of each word is one component; those of the marks are 0.
    let of = |text: &str, prompt: &str| encoder.embed(&[text], prompt).unwrap();
    let sum = |vector: Vec<f32>| vector.iter().sum::<f32>();
    assert_eq!(sum(of("light", "")), 1.0 / 3.0);
    assert_eq!(sum(of("light", "red ")), 1.0 / 2.0);
    assert_eq!(sum(of("red light", "")), 2.0 / 4.0);
}

/// Texts of many lengths.
fn texts() -> Vec<String> {
    let words = |n: usize| {
        let words = (0..1 + n * 7 % 29).map(|k| WORDS[(n + k * 5) % WORDS.len()]);
        words.collect::<Vec<_>>().join(" ")
    };
    (0..200).map(words).collect()
}

#[test]
fn an_embedding_does_not_depend_on_company_batch_size_or_threads() {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let expected = load(&TinyEncoder::default()).embed(&texts, "").unwrap();
    for (threads, token_budget) in [(1, 1), (2, 100), (3, 4096)] {
        let options = SentenceEncoderOptions {
            threads,
            token_budget,
            ..Default::default()
        };
        let encoder = load_with(&TinyEncoder::default(), &options).unwrap();
        assert_eq!(encoder.embed(&texts, "").unwrap(), expected);
        let backwards: Vec<&str> = texts.iter().rev().copied().collect();
        let backwards = encoder.embed(&backwards, "").unwrap();
        let forwards: Vec<&[f32]> = backwards.chunks(12).rev().collect();
        assert_eq!(forwards.concat(), expected);
        assert_eq!(
            encoder.embed(&texts[7..8], "").unwrap(),
            expected[7 * 12..8 * 12]
        );
    }
}

#[test]
fn more_texts_than_a_window_stay_in_order() {
    let encoder = load(&TinyEncoder::default());
    let texts: Vec<&str> = (0..20_000).map(|n| WORDS[n % WORDS.len()]).collect();
    let seen = std::cell::RefCell::new(vec![false; texts.len()]);
    let embeddings = encoder
        .embed_with(&texts, "", |done| {
            done.iter().for_each(|&text| seen.borrow_mut()[text] = true);
        })
        .unwrap();
    for (text, embedding) in texts.iter().zip(embeddings.chunks(12)) {
        assert_eq!(embedding, vector(&[(text, 1.0 / 3.0)]));
    }
    assert!(seen.into_inner().into_iter().all(|done| done));
}

#[test]
fn a_text_too_long_is_cut_and_counted() {
    let settings = r#"{"max_seq_length": 5, "do_lower_case": false}"#;
    let model = with_files(&[
        ("modules.json", POOLED),
        ("1_Pooling/config.json", r#"{"pooling_mode": "mean"}"#),
        ("sentence_bert_config.json", settings),
    ]);
    let encoder = load(&model);
    assert_eq!(encoder.max_length(), 5);
    let embeddings = encoder.embed(&["light light cable red", "cable red light"], "");
    let expected = [
        vector(&[("light", 0.4), ("cable", 0.2)]),
        vector(&[("light", 0.2), ("cable", 0.2), ("red", 0.2)]),
    ];
    assert_eq!(embeddings.unwrap(), expected.concat());
    let tally = SentenceTally {
        texts: 2,
        truncated: 1,
    };
    assert_eq!(encoder.tally(), tally);

    let max_length_of = |max_length| {
        let options = SentenceEncoderOptions {
            max_length: Some(max_length),
            ..Default::default()
        };
        load_with(&model, &options).map(|encoder| encoder.max_length())
    };
    assert_eq!(max_length_of(20).unwrap(), 20);
    for length in [2, 33] {
        let error = max_length_of(length).unwrap_err().to_string();
        assert!(error.contains("choose 3 to 32"), "{error}");
    }
}

#[test]
fn texts_are_set_to_lower_case_where_the_folder_asks_for_it() {
    let settings = r#"{"max_seq_length": 5, "do_lower_case": true}"#;
    let encoder = load(&with_files(&[("sentence_bert_config.json", settings)]));
    let upper = encoder.embed(&["RED"], "").unwrap();
    assert_eq!(upper, vector(&[("red", 1.0 / 3.0)]));
}

#[test]
fn the_output_is_found_by_name_then_by_rank() {
    let mean = vector(&[("red", 1.0 / 3.0)]);
    for outputs in [
        &["sentence_embedding", "token_embeddings"][..],
        &["logits", "other"],
        &["other", "last_hidden_state"],
    ] {
        let encoder = load(&with_outputs(outputs));
        assert_eq!(encoder.embed(&["red"], "").unwrap(), mean, "{outputs:?}");
    }
    // Pooled by the model itself.
    let encoder = load(&with_outputs(&["sentence_embedding"]));
    assert_eq!(encoder.dimension(), 12);
    let embeddings = encoder.embed(&["red", "cable red cable"], "").unwrap();
    let expected = [
        vector(&[("red", 1.0)]),
        vector(&[("cable", 2.0), ("red", 1.0)]),
    ];
    assert_eq!(embeddings, expected.concat());
}

#[test]
fn a_model_that_is_no_sentence_encoder_is_refused_when_it_is_loaded() {
    let masks = refusal(&with_outputs(&["logits"]));
    assert!(
        masks.contains("not a sentence encoder: its outputs are logits"),
        "{masks}"
    );

    let folder = tempfile::tempdir().unwrap();
    TinyModel::default().write(folder.path());
    let options = SentenceEncoderOptions::default();
    let error = SentenceEncoder::load(folder.path(), &options)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("not a sentence encoder: its outputs are logits"),
        "{error}"
    );
    assert!(
        error.contains("a cross-encoder, which scores pairs,"),
        "{error}"
    );
}

#[test]
fn a_folder_that_lacks_a_file_says_what_makes_it() {
    let folder = tempfile::tempdir().unwrap();
    TinyEncoder::default().write(folder.path());
    std::fs::remove_file(folder.path().join("onnx/model.onnx")).unwrap();
    let options = SentenceEncoderOptions::default();
    let error = SentenceEncoder::load(folder.path(), &options)
        .unwrap_err()
        .to_string();
    assert!(error.contains("has no model.onnx;"), "{error}");
    assert!(
        error.contains("`pairmill-train export --model DIR --output DIR` makes"),
        "{error}"
    );

    let nowhere = SentenceEncoder::load(Path::new("nowhere"), &options).unwrap_err();
    assert!(nowhere.to_string().starts_with("nowhere: not a folder"));
}

#[test]
fn numbers_of_every_width_are_given_and_read() {
    // `TensorProto.DataType` of ONNX.
    let [int8, int32, int64] = [3, 6, 7];
    let [float, float16, double, bfloat16] = [1, 10, 11, 16];
    let of = |types: [i32; 2]| TinyEncoder {
        types,
        ..TinyEncoder::default()
    };
    let embed = |types| load(&of(types)).embed(&["paid late"], "").unwrap();
    let expected = embed([int64, float]);
    for types in [
        [int32, float],
        [int64, float16],
        [int32, double],
        [int64, bfloat16],
    ] {
        assert_eq!(embed(types), expected, "{types:?}");
    }
    let error = refusal(&of([int8, float]));
    assert!(
        error.contains("model.onnx: ") && error.contains("int8"),
        "{error}"
    );
    let error = refusal(&of([int64, int32]));
    assert!(
        error.contains("model.onnx: `last_hidden_state` is of type int32; expected float32"),
        "{error}"
    );
}

#[test]
fn a_text_without_a_token_is_named_with_its_number() {
    let mut tokenizer: serde_json::Value = serde_json::from_str(&tiny_model::tokenizer()).unwrap();
    tokenizer["post_processor"].take();
    let folder = tempfile::tempdir().unwrap();
    TinyEncoder::default().write(folder.path());
    std::fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let encoder = SentenceEncoder::load(folder.path(), &SentenceEncoderOptions::default()).unwrap();
    assert!(encoder.embed(&["red"], "").is_ok());
    let error = encoder.embed(&["red", ""], "").unwrap_err().to_string();
    assert!(error.contains("the text \"\" (number 2"), "{error}");
}

#[test]
fn equal_texts_are_computed_once() {
    let encoder = load(&TinyEncoder::default());
    let seen = std::cell::RefCell::new(Vec::<usize>::new());
    let texts = ["red", "paid late", "red", "red light"];
    let found = encoder
        .embed_with(&texts, "", |done| seen.borrow_mut().extend(done))
        .unwrap();
    let rows: Vec<&[f32]> = found.chunks(encoder.dimension()).collect();
    assert_eq!(rows[0], rows[2]);
    assert_eq!(rows[1], encoder.embed(&["paid late"], "").unwrap());
    let mut seen = seen.into_inner();
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3]);
    assert_eq!(encoder.tally().texts, 4);
}

#[test]
fn files_that_do_not_fit_are_named() {
    let vocabulary = r#"{"vocab_size": 15}"#;
    let error = refusal(&with_files(&[("config.json", vocabulary)]));
    assert!(
        error.contains(
            "has token 15, but config.json says vocab_size 15: the tokenizer does not fit"
        ),
        "{error}"
    );

    let modules = r#"[{"path": "", "type": "sentence_transformers.models.CLIPModel"}]"#;
    let error = refusal(&with_files(&[("modules.json", modules)]));
    assert!(
        error.contains("modules.json: the module `CLIPModel` at the start is not"),
        "{error}"
    );

    let error = refusal(&with_files(&[("modules.json", "[{]")]));
    assert!(error.contains("modules.json: not sound JSON"), "{error}");
}

#[test]
fn an_embedding_that_is_not_a_number_names_its_text() {
    let encoder = load(&TinyEncoder {
        broken: true,
        ..TinyEncoder::default()
    });
    let error = encoder
        .embed(&["red", "paid late"], "")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(r#"not finite for the text "paid late""#),
        "{error}"
    );
}

#[test]
fn the_function_embeds_repeated_texts_once_and_keeps_nulls() {
    let encoder = Arc::new(load(&TinyEncoder::default()));
    let rows_done = Arc::new(AtomicU64::new(0));
    let counter = rows_done.clone();
    let function = Embed::new(encoder.clone(), "red ")
        .on_progress(move |rows| _ = counter.fetch_add(rows, Ordering::Relaxed));
    let texts: StringArray = [Some("cable"), None, Some("cable"), Some("light")]
        .into_iter()
        .collect();
    let batch = RecordBatch::try_from_iter([("text", Arc::new(texts) as ArrayRef)]).unwrap();
    let embedding = ScalarUDF::from(function).call(vec![ident("text")]);
    let plan = SessionContext::new()
        .read_batch(batch)
        .unwrap()
        .select(vec![embedding])
        .unwrap();
    let batches = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(plan.collect())
        .unwrap();

    let lists = batches[0].column(0).as_fixed_size_list();
    assert_eq!(lists.value_length(), 12);
    let rows: Vec<Option<Vec<f32>>> = lists
        .iter()
        .map(|row| Some(row?.as_primitive::<Float32Type>().values().to_vec()))
        .collect();
    let cable = vector(&[("red", 0.25), ("cable", 0.25)]);
    let light = vector(&[("red", 0.25), ("light", 0.25)]);
    assert_eq!(rows, [Some(cable.clone()), None, Some(cable), Some(light)]);
    assert_eq!(encoder.tally().texts, 2);
    assert_eq!(rows_done.load(Ordering::Relaxed), 3);
}
