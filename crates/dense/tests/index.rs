//! What an index of embeddings finds, and what it embeds anew.

#![allow(clippy::unwrap_used, reason = "helpers of tests do")]

#[path = "../../inference/tests/tiny_encoder/mod.rs"]
mod tiny_encoder;
#[path = "../../inference/tests/tiny_model/mod.rs"]
#[allow(dead_code, reason = "the cross-encoder in it is not used")]
mod tiny_model;

use std::cell::Cell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, RecordBatch, StringArray};
use arrow::datatypes::{Float32Type, Int32Type};
use datafusion::logical_expr::lit;
use datafusion::prelude::{SessionContext, ident};
use pairmill_dense::{
    Builder, DenseError, Hit, Index, Model, dense_passage_score, dense_score, dense_search,
    passage_text,
};
use pairmill_inference::{SentenceEncoder, SentenceEncoderOptions};
use tiny_encoder::TinyEncoder;
use tiny_model::WORDS;

/// id, text
type Row = (String, String);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

fn model(files: &[(&'static str, &'static str)], broken: bool) -> Model {
    let folder = tempfile::tempdir().unwrap();
    let tiny = TinyEncoder {
        files: files.to_vec(),
        broken,
        ..TinyEncoder::default()
    };
    tiny.write(folder.path());
    let encoder = SentenceEncoder::load(folder.path(), &SentenceEncoderOptions::default()).unwrap();
    Model {
        encoder: Arc::new(encoder),
        hash: format!("{files:?}"),
        query_prompt: String::new(),
        document_prompt: String::new(),
    }
}

fn batch(rows: &[Row]) -> RecordBatch {
    let column = |pick: fn(&Row) -> &str| {
        Arc::new(StringArray::from_iter_values(rows.iter().map(pick))) as ArrayRef
    };
    RecordBatch::try_from_iter([
        ("id", column(|row| &row.0)),
        ("title", column(|_| "")),
        ("text", column(|row| &row.1)),
    ])
    .unwrap()
}

fn open(folder: &Path, model: Model, rows: &[Row]) -> Result<Builder, DenseError> {
    let corpus = SessionContext::new().read_batch(batch(rows)).unwrap();
    block_on(Builder::open(folder, model, corpus))
}

fn index_in(folder: &Path, rows: &[Row]) -> Index {
    open(folder, model(&[], false), rows)
        .unwrap()
        .build(|_| ())
        .unwrap()
}

fn rows(texts: &[(&str, &str)]) -> Vec<Row> {
    let row = |&(id, text): &(&str, &str)| (id.to_owned(), text.to_owned());
    texts.iter().map(row).collect()
}

/// Texts of the words that the model knows, from a fixed seed, under ids in no order.
fn many(count: usize, words: usize) -> Vec<Row> {
    let mut state = 42_u64;
    let mut draw = move |most: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % most
    };
    (0..count)
        .map(|number| {
            let length = 1 + draw(words);
            let text: Vec<_> = (0..length).map(|_| WORDS[draw(WORDS.len())]).collect();
            (format!("d{}", number * 7_919 % count), text.join(" "))
        })
        .collect()
}

fn ids(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.corpus_id.as_str()).collect()
}

const QUERIES: [&str; 4] = [
    "reset the password",
    "late invoice paid",
    "red light the router blinks",
    "cable",
];

#[test]
fn the_best_passages_are_those_of_plain_cosines() {
    let dir = tempfile::tempdir().unwrap();
    let rows = many(3_000, 9);
    let index = index_in(dir.path(), &rows);
    let encoder = model(&[], false).encoder;
    let texts: Vec<&str> = rows.iter().map(|row| row.1.as_str()).collect();
    let cosine = |a: &[f32], b: &[f32]| {
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let documents = encoder.embed(&texts, "").unwrap();
    for query in QUERIES {
        let embedding = encoder.embed(&[query], "").unwrap();
        let expected = documents
            .chunks(WORDS.len())
            .map(|row| cosine(&embedding, row));
        let mut expected: Vec<(f64, &str)> = expected
            .zip(rows.iter().map(|row| row.0.as_str()))
            .collect();
        let hits = index.search(query, 100).unwrap();
        assert_eq!(hits.len(), 100);
        for hit in &hits {
            let (score, _) = expected
                .iter()
                .find(|(_, id)| *id == hit.corpus_id)
                .unwrap();
            assert!((f64::from(hit.score) - score).abs() < 1e-6);
        }
        expected.retain(|(_, id)| !ids(&hits).contains(id));
        let best_left = expected.iter().map(|(score, _)| *score).fold(0.0, f64::max);
        assert!(f64::from(hits[99].score) >= best_left - 1e-6);
        assert!(hits.is_sorted_by(
            |a, b| a.score > b.score || (a.score == b.score && a.corpus_id < b.corpus_id)
        ));
    }
}

#[test]
fn threads_and_blocks_of_queries_change_no_bit() {
    let dir = tempfile::tempdir().unwrap();
    let index = index_in(dir.path(), &many(2_500, 30));
    let queries: Vec<Row> = many(300, 12);
    let queries: Vec<&str> = queries.iter().map(|row| row.1.as_str()).collect();
    let whole = index.search_all(&queries, 20).unwrap();
    for (threads, block) in [(1, 300), (2, 300), (3, 7), (1, 1), (2, 64)] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let found = pool.install(|| {
            let blocks = queries.chunks(block);
            blocks
                .flat_map(|queries| index.search_all(queries, 20).unwrap())
                .collect::<Vec<_>>()
        });
        assert!(found == whole, "{threads} threads, blocks of {block}");
    }
}

#[test]
fn equal_scores_are_ordered_by_id_also_where_the_list_is_cut() {
    let texts = ["reset the device", "the device reset"];
    let rows: Vec<Row> = (0..3_000)
        .rev()
        .map(|n| (format!("d{n}"), texts[n % 2].to_owned()))
        .collect();
    let mut expected: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    expected.sort_unstable();
    let dir = tempfile::tempdir().unwrap();
    let index = index_in(dir.path(), &rows);
    for top_k in [0, 1, 7, 1_000, 3_000, 5_000] {
        let hits = index.search("reset", top_k).unwrap();
        assert_eq!(ids(&hits), expected[..top_k.min(3_000)]);
    }
}

/// How many texts are embedded, by what the builder says and by what it does.
fn embedded(folder: &Path, rows: &[Row]) -> (usize, u64) {
    let builder = open(folder, model(&[], false), rows).unwrap();
    let missing = builder.missing();
    let done = Cell::new(0);
    builder.build(|texts| done.set(done.get() + texts)).unwrap();
    (missing, done.get())
}

#[test]
fn a_text_is_embedded_once_and_a_grown_corpus_costs_what_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = rows(&[("a", "reset"), ("b", "the cable"), ("c", "reset")]);
    assert_eq!(embedded(dir.path(), &rows), (2, 2));
    assert_eq!(embedded(dir.path(), &rows), (0, 0));
    rows[1].1 = "the red cable".to_owned();
    rows.push(("d".to_owned(), "the cable".to_owned()));
    assert_eq!(embedded(dir.path(), &rows), (1, 1));
    // What other corpora hold is not found.
    let index = index_in(dir.path(), &rows[..1]);
    assert_eq!(ids(&index.search("the cable", 10).unwrap()), ["a"]);
}

#[test]
fn embedding_goes_on_where_it_was_killed() {
    let (whole, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let rows = many(2_000, 20);
    let search = |index: &Index| QUERIES.map(|query| index.search(query, 50).unwrap());
    let expected = search(&index_in(whole.path(), &rows));
    index_in(killed.path(), &rows);
    let store = store_of(killed.path());
    let cut = |name: &str, bytes: u64| {
        let file = File::options().write(true).open(store.join(name)).unwrap();
        file.set_len(bytes).unwrap();
    };
    let row = WORDS.len() as u64 * 4;
    // In the middle of a key; then before the keys of embeddings that are there.
    cut("keys", 24 * 1_500 + 7);
    let (missing, done) = embedded(killed.path(), &rows);
    assert_eq!(missing as u64, done);
    cut("keys", 24 * 700);
    cut("embeddings.f32", row * 900 + 5);
    assert!(search(&index_in(killed.path(), &rows)) == expected);
    assert_eq!(embedded(killed.path(), &rows), (0, 0));
}

/// The folder of the only model's embeddings.
fn store_of(folder: &Path) -> PathBuf {
    let mut entries = fs::read_dir(folder).unwrap();
    let store = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    store
}

#[test]
fn each_model_and_prompt_has_embeddings_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let rows = rows(&[("a", "reset"), ("b", "the cable")]);
    let missing = |change: fn(&mut Model)| {
        let mut model = model(&[], false);
        change(&mut model);
        let builder = open(dir.path(), model, &rows).unwrap();
        let missing = builder.missing();
        builder.build(|_| ()).unwrap();
        missing
    };
    assert_eq!(missing(|_| ()), 2);
    assert_eq!(
        missing(|model| model.document_prompt = "red ".to_owned()),
        2
    );
    assert_eq!(missing(|model| model.hash = "other".to_owned()), 2);
    assert_eq!(missing(|model| model.query_prompt = "red ".to_owned()), 0);
}

#[test]
fn the_models_similarity_is_used() {
    let rows = rows(&[("long", "cable cable red light"), ("short", "cable light")]);
    let file = |name: &'static str| ("config_sentence_transformers.json", name);
    let scores = |model: Model| {
        let dir = tempfile::tempdir().unwrap();
        let index = open(dir.path(), model, &rows)
            .unwrap()
            .build(|_| ())
            .unwrap();
        let hits = index.search("cable", 2).unwrap();
        hits.iter().map(|hit| hit.score).collect::<Vec<f32>>()
    };
    let near = |found: Vec<f32>, expected: [f32; 2]| {
        assert!(
            (found[0] - expected[0]).abs() < 1e-6 && (found[1] - expected[1]).abs() < 1e-6,
            "{found:?}"
        );
    };
    near(
        scores(model(&[], false)),
        [2.0 / 6f32.sqrt(), 1.0 / 2f32.sqrt()],
    );
    // The mean is over the marks at the ends too.
    let dot = r#"{"similarity_fn_name": "dot"}"#;
    near(
        scores(model(&[file(dot)], false)),
        [1.0 / 3.0 * 2.0 / 6.0, 1.0 / 3.0 / 4.0],
    );
    // Of distances the negative, so that the nearest comes first.
    let euclidean = r#"{"similarity_fn_name": "euclidean"}"#;
    let distances = scores(model(&[file(euclidean)], false));
    assert!(
        distances.is_sorted_by(|a, b| a >= b) && distances[0] < 0.0,
        "{distances:?}"
    );
}

#[test]
fn what_cannot_be_embedded_is_an_error_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("dense");
    let twice = rows(&[("a", "one"), ("b", "two"), ("a", "three")]);
    let error = open(&folder, model(&[], false), &twice).err().unwrap();
    assert!(matches!(error, DenseError::DuplicateId { id } if id == "a"));
    let late = rows(&[("a", "reset"), ("b", "late")]);
    let error = open(&folder, model(&[], true), &late)
        .unwrap()
        .build(|_| ())
        .unwrap_err();
    assert!(
        error.to_string().contains("the embedding is not finite"),
        "{error}"
    );
    assert!(!folder.exists());
}

/// A column of the functions over queries beside passages.
fn called(index: &Arc<Index>) -> RecordBatch {
    let table = RecordBatch::try_from_iter([
        (
            "query",
            Arc::new(StringArray::from(vec![
                Some("the cable"),
                None,
                Some("reset"),
            ])) as ArrayRef,
        ),
        ("id", Arc::new(StringArray::from(vec!["a", "b", "b"])) as _),
        (
            "text",
            Arc::new(StringArray::from(vec!["red cable", "reset", "unseen text"])) as _,
        ),
        (
            "known",
            Arc::new(Float32Array::from(vec![None, Some(7.0), Some(0.5)])) as _,
        ),
    ])
    .unwrap();
    let search = dense_search(index.clone());
    let score = dense_score(index.clone());
    let passage_score = dense_passage_score(index.clone());
    let text = passage_text(index.clone());
    let frame = SessionContext::new()
        .read_batch(table)
        .unwrap()
        .select(vec![
            search.call(vec![ident("query"), lit(2_i64)]).alias("hits"),
            score
                .call(vec![ident("query"), ident("text")])
                .alias("score"),
            passage_score
                .call(vec![ident("query"), ident("id"), ident("known")])
                .alias("filled"),
            text.call(vec![ident("id")]).alias("text"),
        ]);
    block_on(frame.unwrap().collect()).unwrap().remove(0)
}

#[test]
fn the_functions_agree_with_the_search() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = rows(&[("a", "red cable"), ("b", "reset the device"), ("c", "paid")]);
    let index = Arc::new(index_in(dir.path(), &corpus));
    let found = called(&index);
    let lists = found.column(0).as_list::<i32>();
    assert!(lists.is_null(1));
    let first = lists.value(0);
    let first = first.as_struct();
    let expected = index.search("the cable", 2).unwrap();
    let listed: Vec<&str> = first
        .column(0)
        .as_string::<i32>()
        .iter()
        .flatten()
        .collect();
    assert_eq!(listed, ids(&expected));
    assert_eq!(
        first.column(1).as_primitive::<Int32Type>().values(),
        &[1, 2]
    );
    let scores = first.column(2).as_primitive::<Float32Type>();
    let scores_of_search: Vec<f32> = expected.iter().map(|hit| hit.score).collect();
    assert_eq!(scores.values(), scores_of_search.as_slice());

    let column = |number: usize| found.column(number).as_primitive::<Float32Type>();
    let to_the_bit = |value: f32| value.to_bits();
    assert_eq!(to_the_bit(column(1).value(0)), to_the_bit(scores.value(0)));
    assert!(column(1).is_null(1) && column(1).value(2) == 0.0);
    assert_eq!(to_the_bit(column(2).value(0)), to_the_bit(scores.value(0)));
    assert_eq!(column(2).values()[1..], [7.0, 0.5]);
    let texts: Vec<_> = found
        .column(3)
        .as_string::<i32>()
        .iter()
        .flatten()
        .collect();
    assert_eq!(texts, ["red cable", "reset the device", "reset the device"]);
}
