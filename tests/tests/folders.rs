//! Model folders as others write them, through every program that takes one.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use pairmill_tests::{EVALUATE, MINE, TRAIN, tables, write_tiny_model};
use serde_json::{Value, json};

/// Some texts of a corpus, queries and judgements; one judged document is not in the corpus, and
/// one query has nothing relevant.
fn workplace() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_tiny_model(&dir.path().join("tiny"));
    let eval = dir.path().join("eval");
    fs::create_dir(&eval).unwrap();
    let file = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let texts = [
        "The boiler needs more water",
        "Turn the valve to the left",
        "A filter lasts for a year",
        "The warranty ends after two years",
        "Call the service for a leaking pipe",
        "The display shows an error code",
    ];
    let corpus: String = (0..)
        .zip(texts)
        .map(|(n, text)| format!("d{n},,{text}\n"))
        .collect();
    file("corpus.csv", &format!("id,title,text\n{corpus}"));
    let queries = "q0,boiler water\nq1,which way does the valve turn\nq2,how long does a filter last\nq3,nothing\n";
    file("queries.csv", &format!("id,text\n{queries}"));
    let qrels = "q0,d0,1\nq1,d1,1\nq1,gone,1\nq2,d2,1\nq2,d3,0\nq3,d4,0\n";
    file("qrels.csv", &format!("query_id,corpus_id,score\n{qrels}"));
    let pairs: String = (0..)
        .zip(texts)
        .map(|(n, text)| format!("a{n},question {n},p{n},{text}\n"))
        .collect();
    file(
        "pairs.csv",
        &format!("anchor_id,anchor,positive_id,positive\n{pairs}"),
    );
    dir
}

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = match path.is_file() {
        true => serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap(),
        false => json!({}),
    };
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

/// The tables as Parquet where `train --eval` looks for them.
fn write_eval(dir: &Path) {
    for (name, columns) in [
        ("corpus", vec!["id", "title", "text"]),
        ("queries_dev", vec!["id", "text"]),
        ("qrels_dev", vec!["query_id", "corpus_id", "score"]),
    ] {
        let text = fs::read_to_string(dir.join(name.replace("_dev", "") + ".csv")).unwrap();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect())
            .collect();
        let column = |(n, name): (usize, &&str)| {
            let values = rows.iter().map(|row| row[n]);
            let array: ArrayRef = match *name {
                "score" => Arc::new(Int32Array::from_iter_values(
                    values.map(|value| value.parse::<i32>().unwrap()),
                )),
                _ => Arc::new(StringArray::from_iter_values(values)),
            };
            (name.to_string(), array)
        };
        let batch = RecordBatch::try_from_iter(columns.iter().enumerate().map(column)).unwrap();
        tables::write(&dir.join("eval").join(format!("{name}.parquet")), &batch);
    }
}

const SEARCH: &str = "retrieval --corpus corpus.csv --queries queries.csv --qrels qrels.csv --metrics ndcg@10 --resamples 0 --force";

#[test]
fn the_dev_score_of_training_is_the_figure_of_the_evaluator() {
    let dir = workplace();
    write_eval(dir.path());
    let settings = dir.path().join("tiny/config_sentence_transformers.json");
    for similarity in ["cosine", "dot", "euclidean"] {
        edit(&settings, |value| {
            value["similarity_fn_name"] = json!(similarity)
        });
        let found = EVALUATE.done(dir.path(), &format!("{SEARCH} --model tiny"));
        let train = "encoder --model tiny --train pairs.csv --eval eval --output tuned --max-steps 1 --batch-size 4 --save-steps 0 --force";
        let trained = TRAIN.done(dir.path(), train);
        let [before, figure] = [&trained["score_before"], &found["model"]["ndcg@10"]];
        let difference = before.as_f64().unwrap() - figure.as_f64().unwrap();
        assert!(difference.abs() < 1e-9, "{similarity}: {before}, {figure}");
        assert_eq!(found["counts"]["queries"], 3);
        let said = found["conventions"]["similarity"].as_str();
        assert_eq!(said, Some(similarity).filter(|name| *name != "cosine"));
    }
}

#[test]
fn every_stage_compares_embeddings_as_the_model_says() {
    let dir = workplace();
    let path = dir.path();
    edit(&path.join("tiny/modules.json"), |modules| {
        let modules = modules.as_array_mut().unwrap();
        modules.retain(|module| !module["type"].as_str().unwrap().ends_with("Normalize"));
    });
    for similarity in ["cosine", "dot", "euclidean", "manhattan"] {
        edit(
            &path.join("tiny/config_sentence_transformers.json"),
            |value| {
                value["similarity_fn_name"] = json!(similarity);
            },
        );
        EVALUATE.done(path, &format!("{SEARCH} --model tiny --output report"));
        TRAIN.done(path, "export --model tiny --output onnx --force");
        MINE.done(path, "search --corpus corpus.csv --queries queries.csv --output run.parquet --retriever dense --model onnx --top-k 6 --force");
        let columns = ["query_id", "corpus_id", "score"];
        let read = |file: &str| -> Vec<(String, f64)> {
            let mut rows = tables::rows(&path.join(file), &columns);
            rows.retain(|row| row[0] != "q3");
            rows.sort();
            let rows = rows.into_iter();
            rows.map(|row| (row[..2].join(" "), row[2].parse().unwrap()))
                .collect()
        };
        let (evaluated, mined) = (read("report/run.parquet"), read("run.parquet"));
        assert_eq!(evaluated.len(), 18);
        for (one, other) in evaluated.iter().zip(&mined) {
            assert_eq!(one.0, other.0);
            assert!(
                (one.1 - other.1).abs() < 1e-3 * one.1.abs().max(1.0),
                "{one:?} {other:?}"
            );
            let is_distance = similarity == "euclidean" || similarity == "manhattan";
            assert!(!is_distance || one.1 < 0.0, "{similarity}: {one:?}");
        }
    }
}

#[test]
fn a_trained_or_exported_folder_has_all_that_it_names() {
    let dir = workplace();
    let path = dir.path();
    fs::rename(path.join("tiny/1_Pooling"), path.join("tiny/pooling")).unwrap();
    edit(&path.join("tiny/modules.json"), |modules| {
        for (module, name) in modules.as_array_mut().unwrap()[1..]
            .iter_mut()
            .zip(["pooling", "unit"])
        {
            module["path"] = json!(name);
        }
    });
    TRAIN.done(path, "encoder --model tiny --train pairs.csv --output tuned --max-steps 1 --batch-size 4 --save-steps 0");
    TRAIN.done(path, "export --model tuned --output onnx");
    for folder in ["tuned", "onnx"] {
        assert!(
            path.join(folder).join("pooling/config.json").is_file(),
            "{folder}"
        );
    }
    let torch = EVALUATE.done(path, &format!("{SEARCH} --model tuned"));
    let onnx = EVALUATE.done(path, &format!("{SEARCH} --model onnx --backend onnx"));
    let figure = |report: &Value| report["model"]["ndcg@10"].as_f64().unwrap();
    assert!((figure(&torch) - figure(&onnx)).abs() < 1e-6);

    edit(&path.join("tiny/modules.json"), |modules| {
        modules[1]["path"] = json!("../pooling")
    });
    let error = EVALUATE.refused(path, &format!("{SEARCH} --model tiny"), 1);
    assert!(
        error.contains("modules.json: `../pooling` is not a folder inside"),
        "{error}"
    );
}

#[test]
fn tokenizer_config_goes_before_tokenizer_json() {
    let dir = workplace();
    let path = dir.path();
    fs::write(
        path.join("pairs.tsv"),
        "sentence1\tsentence2\tscore\nRESET the BOILER\treset the boiler\t1\na valve\ta pipe\t0\na filter\ta leak\t0.5\n",
    )
    .unwrap();
    let cosine = || {
        EVALUATE.done(
            path,
            "similarity --model tiny --pairs pairs.tsv --resamples 0 --output report --force",
        );
        let rows = tables::rows(
            &path.join("report/per_item.parquet"),
            &["sentence1", "cosine"],
        );
        let row = rows.iter().find(|row| row[0].starts_with("RESET")).unwrap();
        row[1].parse::<f64>().unwrap()
    };
    assert!(cosine() > 0.999_999);
    edit(&path.join("tiny/tokenizer_config.json"), |config| {
        config["do_lower_case"] = json!(false)
    });
    assert!(cosine() < 0.999);
}
