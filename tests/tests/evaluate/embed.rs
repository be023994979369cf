//! Texts to vectors: the figures are those of sentence-transformers, the files those of Parquet and
//! NumPy, and rows stay in the order of the table.

use std::fs;
use std::path::Path;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::Float32Type;
use insta::assert_snapshot;
use pairmill_tables::{Lineage, string_column};
use pairmill_tests::tables::{read, stream};
use pairmill_tests::{EVALUATE, Ended, TRAIN, model, root, write_tiny_model};
use serde_json::{Value, json};

/// As far as figures of the Python library may be off.
const TOLERANCE: f32 = 1e-5;

/// A folder with a tiny model and a table of texts.
fn workplace(texts: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_tiny_model(&dir.path().join("tiny"));
    write_texts(dir.path(), texts);
    dir
}

fn write_texts(dir: &Path, texts: &[&str]) {
    let row = |(n, text)| json!({ "id": format!("t{n}"), "text": text }).to_string() + "\n";
    let rows: String = texts.iter().enumerate().map(row).collect();
    fs::write(dir.join("texts.jsonl"), rows).unwrap();
}

/// The ids and vectors of a table.
fn table(file: &Path) -> (Vec<String>, Vec<Vec<f32>>) {
    let batch = read(file);
    let ids = string_column(&batch, "id").iter().flatten();
    let ids = ids.map(str::to_owned).collect();
    (ids, vectors(&batch))
}

fn vectors(batch: &RecordBatch) -> Vec<Vec<f32>> {
    let lists = batch.column_by_name("embedding").unwrap();
    let lists = lists.as_fixed_size_list().iter().flatten();
    let values =
        |list: arrow::array::ArrayRef| list.as_primitive::<Float32Type>().values().to_vec();
    lists.map(values).collect()
}

/// The shape and numbers of a file of NumPy, by what its format says.
fn array(file: &Path) -> (String, Vec<f32>) {
    let bytes = fs::read(file).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    assert!(header.contains("'descr': '<f4', 'fortran_order': False"));
    let shape = header.split_once('(').unwrap().1.split_once(')').unwrap().0;
    let (numbers, rest) = bytes[10 + length..].as_chunks::<4>();
    assert!(rest.is_empty());
    let numbers = numbers.iter().copied().map(f32::from_le_bytes);
    (shape.to_owned(), numbers.collect())
}

fn assert_close(found: &[Vec<f32>], expected: &Value) {
    let expected: Vec<Vec<f32>> = serde_json::from_value(expected.clone()).unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((found - expected).abs() < TOLERANCE, "{found} {expected}");
    }
}

#[test]
fn vectors_are_those_of_sentence_transformers_whatever_computes_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let text = fs::read_to_string(root().join("tests/reference/embeddings.json")).unwrap();
    let figures: Value = serde_json::from_str(&text).unwrap();
    let texts = figures["texts"].as_array().unwrap().iter();
    let texts: Vec<&str> = texts.filter_map(Value::as_str).collect();
    write_texts(path, &texts);
    let line = format!("embed --input texts.jsonl --model {}", model().display());
    let ended = EVALUATE.run(path, &format!("{line} --output torch.parquet --json"));
    let cut = "1 of 12 texts was longer than the model reads (256 tokens) and was cut";
    assert!(ended.stderr.contains(cut), "{}", ended.stderr);
    let report = ended.report();
    assert_eq!(
        (&report["texts"], &report["dimension"]),
        (&json!(12), &json!(384))
    );
    let (ids, found) = table(&path.join("torch.parquet"));
    assert_eq!(ids[..2], ["t0", "t1"]);
    assert_close(&found, &figures["embeddings"]);

    EVALUATE.done(path, &format!("{line} --output torch.npy"));
    let (shape, numbers) = array(&path.join("torch.npy"));
    assert_eq!(shape, "12, 384");
    assert!(numbers == found.concat(), "to the last bit");

    TRAIN.done(
        path,
        &format!("export --model {} --output exported", model().display()),
    );
    let line = "embed --input texts.jsonl --model exported --backend onnx";
    EVALUATE.done(path, &format!("{line} --output onnx.parquet"));
    assert_close(&table(&path.join("onnx.parquet")).1, &figures["embeddings"]);
}

#[test]
fn equal_texts_have_equal_vectors_however_far_apart() {
    // More than are embedded at a time, so that the last text is not in a block with the first.
    let mut texts: Vec<String> = (0..8_200).map(|n| format!("text {n}")).collect();
    texts[8_199] = texts[0].clone();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let dir = workplace(&texts);
    let line = "embed --input texts.jsonl --model tiny --output vectors.npy";
    assert_eq!(EVALUATE.done(dir.path(), line)["texts"], 8_200);
    let (shape, numbers) = array(&dir.path().join("vectors.npy"));
    assert_eq!(shape, "8200, 32");
    let rows: Vec<&[f32]> = numbers.chunks(32).collect();
    assert_eq!(rows[0], rows[8_199]);
    assert_ne!(rows[0], rows[1]);
}

#[test]
fn titles_prompts_and_names_of_columns_are_those_of_a_search() {
    let dir = workplace(&[]);
    let path = dir.path();
    let file = |name: &str, text: &str| fs::write(path.join(name), text).unwrap();
    file(
        "corpus.csv",
        "doc_id,headline,body\n7,Refunds,We pay back.\n8,,Reset it.\n",
    );
    file(
        "joined.csv",
        "id,text\n7,Refunds We pay back.\n8,Reset it.\n",
    );
    file("questions.csv", "id,question\n1,who pays\n");
    file("asked.csv", "id,text\n1,ask: who pays\n");
    let settings = json!({ "prompts": { "query": "ask: ", "document": "" } });
    file(
        "tiny/config_sentence_transformers.json",
        &settings.to_string(),
    );
    let of = |options: &str| {
        let line = format!("embed --model tiny --output v.parquet --force {options}");
        EVALUATE.done(path, &line);
        table(&path.join("v.parquet"))
    };
    let columns = "--title-column headline --text-column body";
    let corpus = of(&format!("--input corpus.csv {columns}"));
    assert_eq!(corpus, of("--input joined.csv"));
    assert_eq!(corpus.0, ["7", "8"]);
    let untitled = of("--input corpus.csv --text-column body");
    assert_ne!(untitled.1[0], corpus.1[0]);

    let queries = of("--input questions.csv --texts-are queries");
    assert_eq!(queries, of("--input asked.csv"));
    let line = "embed --model tiny --input asked.csv --output v.parquet --texts-are";
    for (kind, given, same) in [
        ("texts", "", true),
        ("queries", "", true),
        ("documents", "x ", false),
    ] {
        let mut command = EVALUATE.command(path, &format!("{line} {kind} --force"));
        let ended: Ended = command.args(["--prompt", given]).output().unwrap().into();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert_eq!(table(&path.join("v.parquet")) == queries, same, "{kind}");
    }
}

#[test]
fn vectors_are_cut_and_then_scaled_where_that_is_asked_for() {
    let dir = workplace(&["a cat sleeps", "a dog runs"]);
    let path = dir.path();
    let modules = fs::read_to_string(path.join("tiny/modules.json")).unwrap();
    let mut modules: Vec<Value> = serde_json::from_str(&modules).unwrap();
    modules.retain(|module| !module["type"].as_str().unwrap().ends_with("Normalize"));
    fs::write(path.join("tiny/modules.json"), json!(modules).to_string()).unwrap();
    let of = |options: &str| {
        let line = "embed --input texts.jsonl --model tiny --output v.parquet --force";
        EVALUATE.done(path, &format!("{line} {options}"));
        table(&path.join("v.parquet")).1
    };
    let length = |vector: &[f32]| vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    let whole = of("");
    assert!(
        (length(&whole[0]) - 1.0).abs() > 0.1,
        "the model does not scale"
    );
    let cut = of("--truncate-dim 8");
    assert_eq!(cut[0], whole[0][..8]);
    let scaled = of("--truncate-dim 8 --normalize");
    assert!((length(&scaled[1]) - 1.0).abs() < 1e-6);
    let ratio = cut[1][0] / scaled[1][0];
    assert!((ratio - length(&cut[1])).abs() < 1e-4);
}

#[test]
fn an_output_that_is_up_to_date_is_left_alone() {
    let dir = workplace(&["one", "two", "", "  "]);
    let path = dir.path();
    for output in ["v.parquet", "v.npy", "v.jsonl", "v.arrow"] {
        let line = format!("embed --input texts.jsonl --model tiny --output {output}");
        let mut first = EVALUATE.done(path, &line);
        let bytes = fs::read(path.join(output)).unwrap();
        let ended = EVALUATE.run(path, &format!("{line} --json"));
        let warning = "2 of 4 texts are empty; their vectors say nothing";
        assert!(
            ended.stderr.contains(warning),
            "said again: {}",
            ended.stderr
        );
        let again = ended.report();
        assert_eq!(again["up_to_date"], true, "{output}");
        first["up_to_date"] = true.into();
        assert_eq!(again, first);
        for options in ["--normalize", "--force", "--texts-are queries"] {
            let other = EVALUATE.done(path, &format!("{line} {options}"));
            assert_eq!(other["up_to_date"], false, "{output} {options}");
        }
        EVALUATE.done(path, &format!("{line} --threads 1"));
        assert_eq!(fs::read(path.join(output)).unwrap(), bytes, "{output}");
    }
    let lineage = Lineage::of_parquet(&path.join("v.parquet")).unwrap();
    assert_eq!(lineage.stage, "evaluate embed");
    let roles: Vec<&String> = lineage.inputs.keys().collect();
    assert_eq!(roles, ["model", "texts"]);
}

#[test]
fn a_stream_goes_in_and_out() {
    let dir = workplace(&["one", "two"]);
    let line = "embed --model tiny --texts-are texts";
    EVALUATE.done(
        dir.path(),
        &format!("{line} --input texts.jsonl --output v.parquet"),
    );
    let texts = RecordBatch::try_from_iter([
        (
            "id",
            std::sync::Arc::new(StringArray::from(vec!["t0", "t1"])) as _,
        ),
        (
            "text",
            std::sync::Arc::new(StringArray::from(vec!["one", "two"])) as _,
        ),
    ]);
    let mut command = EVALUATE.command(dir.path(), &format!("{line} --input - --output -"));
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, &stream(&[texts.unwrap()])).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let reader = arrow::ipc::reader::StreamReader::try_new(&output.stdout[..], None).unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    assert_eq!(batches.len(), 1);
    assert_eq!(vectors(&batches[0]), table(&dir.path().join("v.parquet")).1);
}

#[test]
fn what_cannot_be_embedded_is_refused() {
    let dir = workplace(&["one"]);
    let path = dir.path();
    let error = |line: &str, code| {
        let line = format!("embed --model tiny --input texts.jsonl {line}");
        EVALUATE.refused(path, &line, code)
    };
    let of_csv = error("--output v.csv", 2);
    assert!(
        of_csv.contains("a cell of CSV or TSV holds no vector"),
        "{of_csv}"
    );
    assert_snapshot!(error("--output v.parquet --texts-are queries --title-column t", 2), @"error: --title-column t: queries have no titles; leave it out, or --texts-are queries");
    assert_snapshot!(error("--output v.parquet --truncate-dim 64", 1), @"error: the model tiny has 32 dimensions, so 64 cannot be kept; give --truncate-dim at most 32");
    assert_snapshot!(error("--output texts.jsonl", 1), @"error: texts.jsonl: writing it would replace the input texts.jsonl or a part of it; write elsewhere");
    fs::write(
        path.join("texts.jsonl"),
        "{\"id\":\"a\",\"text\":\"one\"}\n{\"id\":\"a\",\"text\":\"two\"}\n",
    )
    .unwrap();
    assert_snapshot!(error("--output v.parquet", 1), @"error: texts.jsonl: the id `a` stands for two texts, `one` and `two`; give each text an id of its own");
    fs::write(
        path.join("texts.jsonl"),
        "{\"text\":\"one\"}\n{\"text\":\"two\"}\n",
    )
    .unwrap();
    assert_snapshot!(error("--output v.parquet", 1), @"error: texts.jsonl: no column `id` (needed for a corpus table); found text; name another one with --id-column");
    // An array has no ids.
    let line = "embed --model tiny --input texts.jsonl --output v.npy";
    assert_eq!(EVALUATE.done(path, line)["texts"], 2);
}
