//! What the program refuses, and how it says so.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use insta::assert_snapshot;
use pairmill_tests::tables::write;
use pairmill_tests::{Ended, FILTER, names};

use crate::harness::{CANDIDATES, LINE, candidates, rows, workplace};
use crate::tiny_model::TinyModel;

/// The candidates with one column exchanged.
fn with_column(name: &str, values: ArrayRef) -> RecordBatch {
    let batch = candidates(&CANDIDATES);
    let index = batch.schema().index_of(name).unwrap();
    let mut fields: Vec<Field> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    let mut columns = batch.columns().to_vec();
    fields[index] = Field::new(name, values.data_type().clone(), true);
    columns[index] = values;
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

#[test]
fn unsound_candidates_are_refused_and_leave_nothing() {
    let dir = workplace();
    let path = dir.path();
    let batch = candidates(&CANDIDATES);
    let texts = (0..8).map(|row| (row != 4).then_some("text"));
    let texts: ArrayRef = Arc::new(texts.collect::<StringArray>());
    write(&path.join("null.parquet"), &with_column("text", texts));
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true; 8]));
    write(&path.join("type.parquet"), &with_column("rank", flags));
    write(
        &path.join("absent.parquet"),
        &batch.project(&[0, 1, 2, 3, 4, 5]).unwrap(),
    );
    write(&path.join("empty.parquet"), &batch.slice(0, 0));
    let whole = fs::read(path.join("candidates.parquet")).unwrap();
    fs::write(path.join("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    let error = |name: &str| {
        let line =
            format!("--candidates {name} --model model --output new.parquet --audit a.parquet");
        FILTER.refused(path, &line, 1)
    };
    assert_snapshot!(error("nowhere.parquet"), @"error: nowhere.parquet: no such file or folder; check the path");
    assert_snapshot!(error("null.parquet"), @"error: null.parquet: column `text` is null in row 5 (counted from 1, header not counted); fill it or remove the row");
    assert_snapshot!(error("type.parquet"), @"error: type.parquet: column `rank` is Boolean; expected a whole number");
    assert_snapshot!(error("absent.parquet"), @"error: absent.parquet: no column `rank` (needed for a candidates table); found query_id, query, positive_id, positive, corpus_id, text");
    assert_snapshot!(error("empty.parquet"), @"error: empty.parquet: has no rows; expected a candidates table with at least one");
    assert_snapshot!(error("cut.parquet"), @"error: cut.parquet: not a sound Parquet file: it ends without its footer, so its writing was broken off or is not done; write it again");
}

fn refused_model(dir: &Path, change: impl Fn(&Path)) -> String {
    let model = dir.join("model");
    fs::remove_dir_all(&model).unwrap();
    TinyModel::default().write(&model);
    change(&model);
    FILTER.refused(dir, LINE, 1)
}

#[test]
fn a_folder_that_is_no_model_says_what_is_missing() {
    let dir = workplace();
    let without = |file: &str| {
        refused_model(dir.path(), |model| {
            fs::remove_file(model.join(file)).unwrap()
        })
    };
    let elsewhere = |model: &str| {
        let line = format!("--candidates candidates.parquet --model {model} --output out.parquet");
        FILTER.refused(dir.path(), &line, 1)
    };
    assert_snapshot!(elsewhere("./nowhere"), @"error: ./nowhere: no such model folder; check the path");
    assert_snapshot!(elsewhere("nowhere"), @"error: nowhere: no such folder, and HF_HUB_OFFLINE is set but nowhere/hub does not hold this model; fetch it once without HF_HUB_OFFLINE, or give a folder");
    assert_snapshot!(elsewhere("candidates.parquet"), @"error: candidates.parquet: not a folder; expected a model folder with model.onnx (or onnx/model.onnx), tokenizer.json and config.json");
    assert_snapshot!(without("model.onnx"), @"error: model: has no model.onnx; expected a model folder with model.onnx (or onnx/model.onnx), tokenizer.json and config.json, as `pairmill-train cross-encoder` or an ONNX export of a sequence classifier makes it");
    assert_snapshot!(without("tokenizer.json"), @"error: model: has no tokenizer.json; expected a model folder with model.onnx (or onnx/model.onnx), tokenizer.json and config.json, as `pairmill-train cross-encoder` or an ONNX export of a sequence classifier makes it");
    assert_snapshot!(without("config.json"), @"error: model: has no config.json; expected a model folder with model.onnx (or onnx/model.onnx), tokenizer.json and config.json, as `pairmill-train cross-encoder` or an ONNX export of a sequence classifier makes it");
}

#[test]
fn damaged_model_files_are_named() {
    let dir = workplace();
    let cut = |file: &str| {
        refused_model(dir.path(), |model| {
            let bytes = fs::read(model.join(file)).unwrap();
            fs::write(model.join(file), &bytes[..bytes.len() / 2]).unwrap();
        })
    };
    assert_snapshot!(cut("model.onnx"), @"error: model/model.onnx: cannot be used (Load model from model/model.onnx failed:Protobuf parsing failed.); it may be damaged, write or download the model again");
    assert_snapshot!(cut("tokenizer.json"), @"error: model/tokenizer.json: not sound JSON (EOF while parsing a string at line 6 column 347); it may be damaged, write or download the model again");
    assert_snapshot!(cut("config.json"), @"error: model/config.json: not sound JSON (EOF while parsing a string at line 1 column 45); it may be damaged, write or download the model again");
}

#[test]
fn a_model_that_cannot_judge_pairs_is_refused() {
    let dir = workplace();
    let with = |model: TinyModel| refused_model(dir.path(), |folder| model.write(folder));
    assert_snapshot!(with(TinyModel { vocab_size: 12, ..Default::default() }), @"error: model/tokenizer.json: has token 15, but config.json says vocab_size 12: the tokenizer does not fit the model; put the tokenizer.json there that the model was trained with");
    assert_snapshot!(with(TinyModel { logits: 3, ..Default::default() }), @"error: model/config.json: a model with 3 logits for each pair is not supported; supported: one logit, or two of which one stands for relevant");
    assert_snapshot!(with(TinyModel { bias: f32::NAN, ..Default::default() }), @r#"error: model/model.onnx: the score is not a number for the pair ("reset the router", "the router blinks: reset"); the model's weights are broken (a diverged training?), use another model"#);
    TinyModel::default().write(&dir.path().join("model"));
    assert_snapshot!(FILTER.refused(dir.path(), &format!("{LINE} --max-length 64"), 1), @"error: model: a maximum length of 64 tokens does not fit this model; choose 5 to 32");
}

#[test]
fn a_missing_runtime_library_is_named_and_nothing_hangs() {
    let dir = workplace();
    let before = names(dir.path());
    let with = |library: &str| {
        let mut command = FILTER.command(dir.path(), LINE);
        let output = command.env("ORT_DYLIB_PATH", library).output().unwrap();
        Ended::from(output).error(1)
    };
    assert_snapshot!(with("/nowhere/libonnxruntime.so"), @r"
    error: ONNX Runtime cannot be loaded; run `make setup`, or set ORT_DYLIB_PATH to the file libonnxruntime.so of ONNX Runtime 1.17 or newer
      tried /nowhere/libonnxruntime.so: no such file
    ");
    let no_library = with("candidates.parquet");
    assert!(no_library.contains("/candidates.parquet: "), "{no_library}");
    assert_eq!(names(dir.path()), before);
}

#[test]
fn where_no_row_can_be_made_the_audit_says_why() {
    let dir = workplace();
    write(
        &dir.path().join("candidates.parquet"),
        &candidates(&CANDIDATES[7..]),
    );
    let ended = FILTER.run(dir.path(), &format!("{LINE} --audit audit.parquet"));
    assert_snapshot!(ended.error(1), @"error: out.parquet: not written, because candidates.parquet gives no triplets (pairs: 1; candidates: 1 relative_margin); mine more candidates with a higher --top-k, loosen --relative-margin or another rule, lower --num-negatives, or go on without any by --allow-empty");
    assert!(!dir.path().join("out.parquet").exists());
    let reasons = rows(&dir.path().join("audit.parquet"), &["corpus_id", "reason"]);
    assert_eq!(reasons, ["d7 relative_margin"]);

    let report = FILTER.done(dir.path(), &format!("{LINE} --allow-empty"));
    assert_eq!(report["rows"], 0);
    assert!(rows(&dir.path().join("out.parquet"), &["negative"]).is_empty());
}

#[test]
fn a_failed_run_leaves_the_earlier_output() {
    let dir = workplace();
    let output = dir.path().join("out.parquet");
    assert_eq!(FILTER.run(dir.path(), LINE).code, 0);
    let before = fs::read(&output).unwrap();
    refused_model(dir.path(), |model| {
        TinyModel {
            bias: f32::NAN,
            ..Default::default()
        }
        .write(model);
    });
    assert!(fs::read(&output).unwrap() == before);
}

#[test]
fn the_candidates_are_never_replaced() {
    let dir = workplace();
    let error = |options: &str| FILTER.refused(dir.path(), &format!("{LINE} {options}"), 1);
    assert_snapshot!(error("--audit candidates.parquet"), @"error: candidates.parquet: writing it would replace the input candidates.parquet or a part of it; write elsewhere");
    assert_snapshot!(error("--also pairs=./candidates.parquet"), @"error: ./candidates.parquet: writing it would replace the input candidates.parquet or a part of it; write elsewhere");
}

#[test]
fn wrong_options_are_wrong_usage() {
    let dir = workplace();
    let error = |options: &str| FILTER.refused(dir.path(), &format!("{LINE} {options}"), 2);
    assert_snapshot!(error("--drop-ids --format candidates"), @"error: --drop-ids cannot be combined with --format candidates, whose rows are known by their ids");
    assert_snapshot!(error("--audit ./out.parquet"), @"error: ./out.parquet is named for two outputs");
    assert!(error("--relative-margin 1.5").contains("a number from 0 to 1"));
    assert!(error("--num-negatives 0").contains("--num-negatives"));
    assert_snapshot!(error("--label-threshold 0.5"), @"error: --label-threshold has no meaning without the format teacher-pair");
    assert_snapshot!(error("--also pairs=a.parquet --also triplet=./a.parquet"), @"error: ./a.parquet is named for two outputs");
    assert!(error("--format pear").contains("labeled-pair"));
    assert!(error("--also pear=a.parquet").contains("expected FORMAT=FILE"));
    assert!(error("--max-promoted 2").contains("--promote-above"));
    assert!(error("--top-share 2").contains("a number from 0 to 1"));
    assert!(
        FILTER
            .refused(dir.path(), "--model model --output out.parquet", 2)
            .contains("--candidates")
    );
    let ended = FILTER.run(dir.path(), "--version");
    assert_eq!(
        (ended.code, ended.stdout.starts_with("pairmill-filter ")),
        (0, true)
    );
}

#[test]
fn candidates_without_similarities_cannot_be_held_against_them() {
    let dir = workplace();
    let line = format!("{LINE} --promote-above 0.5 --promote-dense-margin 0.1");
    assert_snapshot!(FILTER.refused(dir.path(), &line, 1), @"error: candidates.parquet: --promote-dense-margin and --min-positive-dense ask for the columns dense and positive_dense, which are empty for query q1; mine with --retriever dense or hybrid");
    assert!(!dir.path().join("out.parquet").exists());
}
