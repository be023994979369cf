use super::*;
use crate::Checkpoint;
use std::fs;
use tokenizers::utils::truncation::{TruncationParams, TruncationStrategy, truncate_encodings};

const WORDS: [&str; 16] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "reset", "Reset", "the", "router", "##s", "cafe",
    "café", "中", "文", "query", ":",
];

/// Returns a model folder with a tokenizer of these words whose own rules lower-case and add no
/// marks.
fn folder(tokenizer_config: &str, more: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let vocab: serde_json::Map<String, Value> = (0u32..)
        .zip(WORDS)
        .map(|(id, word)| (word.to_owned(), id.into()))
        .collect();
    let tokenizer = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab},
    });
    fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    fs::write(
        folder.path().join("tokenizer_config.json"),
        tokenizer_config,
    )
    .unwrap();
    fs::write(
        folder.path().join("config.json"),
        r#"{"model_type": "bert"}"#,
    )
    .unwrap();
    let modules = r#"[{"path": "", "type": "sentence_transformers.models.Transformer"}, {"path": "p", "type": "sentence_transformers.models.Pooling"}]"#;
    fs::write(folder.path().join("modules.json"), modules).unwrap();
    fs::create_dir(folder.path().join("p")).unwrap();
    fs::write(folder.path().join("p/config.json"), "{}").unwrap();
    for (name, text) in more {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn load(tokenizer_config: &str, more: &[(&str, &str)]) -> TextTokenizer {
    let folder = folder(tokenizer_config, more);
    let checkpoint = Checkpoint::of_encoder(folder.path()).unwrap();
    checkpoint.tokenizer().unwrap()
}

fn words(tokenizer: &TextTokenizer, text: &str) -> Vec<&'static str> {
    let ids = tokenizer.encode(text).unwrap().ids;
    ids.iter().map(|&id| WORDS[id as usize]).collect()
}

#[test]
fn the_settings_beside_the_file_go_before_it() {
    for (config, expected) in [
        ("{}", vec!["[CLS]", "reset", "cafe", "中", "文", "[SEP]"]),
        (
            r#"{"do_lower_case": false}"#,
            vec!["[CLS]", "Reset", "café", "中", "文", "[SEP]"],
        ),
        (
            r#"{"strip_accents": false}"#,
            vec!["[CLS]", "reset", "café", "中", "文", "[SEP]"],
        ),
        (
            r#"{"tokenize_chinese_chars": false}"#,
            vec!["[CLS]", "reset", "cafe", "[UNK]", "[SEP]"],
        ),
        (
            r#"{"cls_token": "[MASK]", "sep_token": {"content": "[PAD]"}}"#,
            vec!["[MASK]", "reset", "cafe", "中", "文", "[PAD]"],
        ),
        (
            r#"{"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": false}"#,
            vec!["reset", "cafe", "中", "文"],
        ),
    ] {
        assert_eq!(
            words(&load(config, &[]), "Reset café 中文"),
            expected,
            "{config}"
        );
    }
    let older = ("special_tokens_map.json", r#"{"cls_token": "[MASK]"}"#);
    assert_eq!(words(&load("{}", &[older]), "reset")[0], "[MASK]");
    let newer = r#"{"added_tokens_decoder": {"2": {"content": "[CLS]", "special": true}}}"#;
    assert_eq!(words(&load(newer, &[older]), "reset")[0], "[CLS]");
}

#[test]
fn the_module_of_the_transformer_lower_cases_too() {
    let module = ("sentence_bert_config.json", r#"{"do_lower_case": true}"#);
    let tokenizer = load(r#"{"do_lower_case": false}"#, &[module]);
    assert_eq!(words(&tokenizer, "RESET"), ["[CLS]", "reset", "[SEP]"]);
}

#[test]
fn special_tokens_in_a_text_are_found_unless_the_settings_say_no() {
    let marked = words(&load("{}", &[]), "the [SEP] router");
    assert_eq!(marked, ["[CLS]", "the", "[SEP]", "router", "[SEP]"]);
    let split = load(r#"{"split_special_tokens": true}"#, &[]);
    assert!(words(&split, "the [SEP] router").contains(&"[UNK]"));
}

#[test]
fn a_text_is_cut_at_the_side_that_the_settings_name() {
    for (config, expected) in [
        ("{}", ["[CLS]", "reset", "the", "[SEP]"]),
        (
            r#"{"truncation_side": "left"}"#,
            ["[CLS]", "the", "router", "[SEP]"],
        ),
    ] {
        let mut tokenizer = load(config, &[]);
        tokenizer.set_max_length(4);
        assert_eq!(words(&tokenizer, "reset the router"), expected);
        assert!(tokenizer.encode("reset the router").unwrap().truncated);
        assert!(!tokenizer.encode("reset it").unwrap().truncated);
    }
}

#[test]
fn segments_are_told_where_the_model_takes_them() {
    let types = |config: &str| {
        load(config, &[])
            .encode_pair("the", "router")
            .unwrap()
            .types
    };
    assert_eq!(types("{}"), [0, 0, 0, 1, 1]);
    let without = r#"{"model_input_names": ["input_ids", "attention_mask"]}"#;
    assert_eq!(types(without), [0; 5]);
    assert_eq!(
        types(r#"{"tokenizer_class": "DistilBertTokenizer"}"#),
        [0; 5]
    );
}

#[test]
fn a_prompt_that_is_left_out_is_counted_without_the_mark_behind_it() {
    let tokenizer = load("{}", &[]);
    let behind = |is_pooled| {
        let ids = tokenizer.encode_behind("query: ", is_pooled, &["reset"]);
        ids.unwrap()[0].clone()
    };
    assert_eq!((behind(false).prompt, behind(true).prompt), (3, 0));
    assert_eq!(behind(true).ids, [2, 14, 15, 5, 3]);
}

#[test]
fn a_text_without_a_token_is_named_with_its_number() {
    let tokenizer = load(r#"{"tokenizer_class": "TokenizersBackend"}"#, &[]);
    let error = tokenizer
        .encode_all(&["reset", ""])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("tokenizer.json: makes no token of the text \"\" (number 2"),
        "{error}"
    );
    assert!(tokenizer.encode_pair("", "reset").is_ok());
}

#[test]
fn a_vocabulary_without_tokenizer_json_is_read() {
    let folder = folder("{}", &[("vocab.txt", &(WORDS.join("\n") + "\n"))]);
    fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    let tokenizer = Checkpoint::of_encoder(folder.path())
        .unwrap()
        .tokenizer()
        .unwrap();
    assert_eq!(
        words(&tokenizer, "Routers"),
        ["[CLS]", "router", "##s", "[SEP]"]
    );
    fs::remove_file(folder.path().join("vocab.txt")).unwrap();
    let error = Checkpoint::of_encoder(folder.path())
        .unwrap()
        .tokenizer()
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a folder without tokenizer.json is not"),
        "{error}"
    );
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let fails = |config: &str, more: &[(&str, &str)]| {
        let folder = folder(config, more);
        let checkpoint = Checkpoint::of_encoder(folder.path()).unwrap();
        checkpoint.tokenizer().unwrap_err().to_string()
    };
    let error = fails(r#"{"tokenizer_class": "XLMRobertaTokenizer"}"#, &[]);
    assert!(
        error.contains("a WordPiece vocabulary for tokenizer_class \"XLM"),
        "{error}"
    );
    let error = fails(r#"{"do_lower_case": "no"}"#, &[]);
    assert!(error.contains("`do_lower_case` is \"no\""), "{error}");
    let error = fails(r#"{"truncation_side": "middle"}"#, &[]);
    assert!(error.contains("`truncation_side` is \"middle\""), "{error}");
    let small = ("config.json", r#"{"model_type": "bert", "vocab_size": 15}"#);
    let error = fails("{}", &[small]);
    assert!(
        error.contains("has token 15, but config.json says vocab_size 15"),
        "{error}"
    );
}

fn encoding(length: usize) -> Encoding {
    let ids = vec![7; length];
    let tokens = vec![String::new(); length];
    Encoding::new(
        ids.clone(),
        ids.clone(),
        tokens,
        vec![None; length],
        vec![(0, 0); length],
        ids.clone(),
        ids,
        vec![],
        Default::default(),
    )
}

#[test]
fn pairs_are_cut_as_hugging_face_cuts_them() {
    for first in 0..14 {
        for second in 0..14 {
            for room in 1..14 {
                let params = TruncationParams {
                    max_length: room,
                    strategy: TruncationStrategy::LongestFirst,
                    ..Default::default()
                };
                let (a, b) =
                    truncate_encodings(encoding(first), Some(encoding(second)), &params).unwrap();
                assert_eq!(
                    longest_first((first, second), room),
                    (a.len(), b.unwrap().len()),
                    "{first} and {second} tokens in {room}"
                );
            }
        }
    }
}
