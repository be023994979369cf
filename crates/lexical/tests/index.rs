//! What an index finds, and when it is built anew.

#![allow(clippy::unwrap_used, reason = "helpers of tests do")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Float32Type, Int32Type};
use datafusion::logical_expr::{ScalarUDF, lit};
use datafusion::prelude::{SessionContext, ident};
use pairmill_lexical::{
    Analysis, Bm25, Fields, Hit, Index, LexicalError, Origin, bm25_passages, bm25_search,
};

/// id, title, text
type Row = (String, String, String);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

fn index_in(
    folder: Option<&Path>,
    key: &str,
    threads: usize,
    rows: &[Row],
) -> Result<Index, LexicalError> {
    scored_index_in(folder, key, &Bm25::default(), threads, rows)
}

fn scored_index_in(
    folder: Option<&Path>,
    key: &str,
    bm25: &Bm25,
    threads: usize,
    rows: &[Row],
) -> Result<Index, LexicalError> {
    let column = |pick: fn(&Row) -> &String| {
        Arc::new(StringArray::from_iter_values(rows.iter().map(pick))) as _
    };
    let batch = RecordBatch::try_from_iter([
        ("id", column(|row| &row.0)),
        ("title", column(|row| &row.1)),
        ("text", column(|row| &row.2)),
    ])
    .unwrap();
    let corpus = SessionContext::new().read_batch(batch).unwrap();
    block_on(Index::open_or_build(
        folder,
        key,
        bm25,
        threads,
        corpus,
        |_| (),
    ))
}

fn index_of(rows: &[Row]) -> Index {
    index_in(None, "", 1, rows).unwrap()
}

fn row(id: &str, title: &str, text: &str) -> Row {
    (id.to_owned(), title.to_owned(), text.to_owned())
}

fn ids(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.corpus_id.as_str()).collect()
}

/// Passages of words that are the rarer the higher their number, from a fixed seed.
fn many_passages(count: usize) -> Vec<Row> {
    let mut state = 42_u64;
    let mut draw = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    (0..count)
        .map(|number| {
            let length = 3 + (draw() * 12.0) as usize;
            let words: Vec<_> = (0..length)
                .map(|_| format!("w{}", (draw().powi(4) * 900.0) as u32))
                .collect();
            row(&format!("d{number:05}"), "", &words.join(" "))
        })
        .collect()
}

const QUERIES: [&str; 5] = [
    "w0",
    "w0 w1 w2 w3 w50",
    "w700 w701 w3 w3 w3",
    "w899 unheard",
    "w1 w1 w5 w20 w60 w120 w300 w500 w610 w720 w880",
];

#[test]
fn title_and_text_are_searched_as_one_and_the_rarer_word_counts_more() {
    let index = index_of(&[
        row("a", "Printer jams", "Open the tray."),
        row("b", "", "The printer and the printer's tray."),
        row("c", "Scanner", "The scanner jams in the tray."),
    ]);
    let hits = index.search("jammed PRINTERS", 10).unwrap();
    assert_eq!(hits[0].corpus_id, "a");
    assert_eq!(hits.len(), 3);
    assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
    assert_eq!(ids(&index.search("scanner", 10).unwrap()), ["c"]);
}

#[test]
fn a_query_of_stop_words_or_unknown_words_finds_nothing() {
    let index = index_of(&[row("a", "", "the printer"), row("b", "", "")]);
    for query in ["the of and", "", "?!", "zebra"] {
        assert_eq!(index.search(query, 10).unwrap(), [], "{query:?}");
    }
    assert_eq!(index.search("printer", 0).unwrap(), []);
}

#[test]
fn a_term_said_twice_counts_twice() {
    let index = index_of(&[row("a", "", "printer tray"), row("b", "", "scanner")]);
    let once = index.search("printer", 1).unwrap()[0].score;
    let twice = index.search("printer Printers", 1).unwrap()[0].score;
    assert_eq!(twice, 2.0 * once);
}

#[test]
fn equal_scores_are_ordered_by_id_also_where_the_list_is_cut() {
    let rows: Vec<Row> = (0..3_000)
        .rev()
        .map(|n| row(&format!("d{n}"), "", "same words"))
        .collect();
    let mut expected: Vec<String> = (0..3_000).map(|n| format!("d{n}")).collect();
    expected.sort();
    let index = index_in(None, "", 2, &rows).unwrap();
    for top_k in [1, 7, 1_000, 3_000, 5_000] {
        let hits = index.search("word", top_k).unwrap();
        assert_eq!(ids(&hits), expected[..top_k.min(3_000)]);
    }
}

/// A field's weight, and its text.
type WeighedField = (f64, fn(&Row) -> String);

/// The formula word for word, over the `fields` of all rows with their weights.
fn reference(
    rows: &[Row],
    bm25: &Bm25,
    fields: &[WeighedField],
    query: &str,
) -> BTreeMap<String, f64> {
    let mut scores = BTreeMap::new();
    let (k1, b) = (f64::from(bm25.k1), f64::from(bm25.b));
    for (weight, field) in fields {
        let documents: Vec<_> = rows
            .iter()
            .map(|row| bm25.analysis.terms(&field(row)))
            .collect();
        let tokens: usize = documents.iter().map(Vec::len).sum();
        let mean = tokens as f64 / documents.len() as f64;
        for term in bm25.analysis.terms(query) {
            let count =
                |document: &[String]| document.iter().filter(|t| **t == term).count() as f64;
            let frequency = documents.iter().filter(|d| d.contains(&term)).count() as f64;
            let idf = (1.0 + (documents.len() as f64 - frequency + 0.5) / (frequency + 0.5)).ln();
            for (row, document) in rows.iter().zip(&documents) {
                let tf = count(document);
                if tf > 0.0 {
                    let length = document.len() as f64 / mean;
                    *scores.entry(row.0.clone()).or_default() +=
                        weight * idf * tf * (k1 + 1.0) / (tf + k1 * (1.0 - b + b * length));
                }
            }
        }
    }
    scores
}

#[track_caller]
fn assert_scores(found: &[Hit], expected: &BTreeMap<String, f64>) {
    let mut best: Vec<f64> = expected.values().copied().collect();
    best.sort_by(|a, b| b.total_cmp(a));
    assert_eq!(found.len(), best.len().min(100));
    for (hit, best) in found.iter().zip(best) {
        let score = f64::from(hit.score);
        assert!((score - best).abs() <= 1e-5 * best, "{score} {best}");
        assert!((score - expected[&hit.corpus_id]).abs() <= 1e-5 * best);
    }
}

#[test]
fn scores_are_those_of_the_formula_for_any_parameters() {
    let mut rows = many_passages(4_000);
    for (number, row) in rows
        .iter_mut()
        .enumerate()
        .filter(|(number, _)| number % 3 > 0)
    {
        row.1 = format!("w{} w{}", number % 7, number % 900);
    }
    for (k1, b) in [(1.2, 0.75), (0.9, 0.4), (0.0, 0.5), (2.0, 1.0)] {
        let joined = Bm25 {
            k1,
            b,
            ..Default::default()
        };
        let fields = Fields::Separate {
            title: 2.5,
            text: 1.0,
        };
        let separate = Bm25 { fields, ..joined };
        let joined_index = scored_index_in(None, "", &joined, 2, &rows).unwrap();
        let separate_index = scored_index_in(None, "", &separate, 2, &rows).unwrap();
        for query in QUERIES {
            assert_scores(
                &joined_index.search(query, 100).unwrap(),
                &reference(
                    &rows,
                    &joined,
                    &[(1.0, |row| format!("{} {}", row.1, row.2))],
                    query,
                ),
            );
            assert_scores(
                &separate_index.search(query, 100).unwrap(),
                &reference(
                    &rows,
                    &separate,
                    &[(2.5, |row| row.1.clone()), (1.0, |row| row.2.clone())],
                    query,
                ),
            );
        }
    }
}

#[test]
fn the_language_and_the_fields_are_the_indexs_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let rows = [row("a", "Drucker", "Häuser"), row("b", "", "Haus")];
    let german = Bm25 {
        analysis: "german".parse().unwrap(),
        ..Default::default()
    };
    let none = Bm25 {
        analysis: Analysis::NONE,
        ..german
    };
    let separate = Bm25 {
        fields: Fields::Separate {
            title: 0.5,
            text: 2.0,
        },
        ..none
    };
    let steeper = Bm25 {
        k1: 0.5,
        b: 0.1,
        ..separate
    };
    let origin = |bm25: &Bm25, found: &[&str]| {
        let index = scored_index_in(Some(&path), "key", bm25, 1, &rows).unwrap();
        assert_eq!(ids(&index.search("haus", 9).unwrap()), found);
        index.origin()
    };
    assert_eq!(origin(&german, &["b", "a"]), Origin::Built);
    assert_eq!(origin(&none, &["b"]), Origin::Built);
    assert_eq!(origin(&separate, &["b"]), Origin::Built);
    assert_eq!(
        origin(&steeper, &["b"]),
        Origin::Reused,
        "only scored otherwise"
    );
    let index = scored_index_in(Some(&path), "key", &separate, 1, &rows).unwrap();
    let ranked = index.search_all(&["drucker"], 1).unwrap().concat();
    assert_eq!(
        index.texts(&ranked).unwrap().of(&ranked[0]),
        "Drucker Häuser"
    );
}

#[test]
fn of_a_long_query_the_rarest_terms_count() {
    let rows = [
        row("a", "", "common scarce"),
        row("b", "", "common middle"),
        row("c", "", "common middle"),
        row("d", "", "common other"),
    ];
    let found = |most: u32| {
        let bm25 = Bm25 {
            max_query_terms: Some(most),
            ..Default::default()
        };
        let index = scored_index_in(None, "", &bm25, 1, &rows).unwrap();
        let hits = index.search("common middle scarce", 9).unwrap();
        ids(&hits).concat()
    };
    assert_eq!((&*found(1), &*found(2), &*found(3)), ("a", "abc", "abcd"));
}

#[test]
fn results_do_not_depend_on_threads_or_on_the_order_of_the_corpus() {
    let rows = many_passages(20_000);
    let reversed: Vec<Row> = rows.iter().rev().cloned().collect();
    let one = index_in(None, "", 1, &rows).unwrap();
    let four = index_in(None, "", 4, &reversed).unwrap();
    for query in QUERIES {
        let expected = one.search(query, 500).unwrap();
        assert_eq!(four.search(query, 500).unwrap(), expected, "{query}");
        assert_eq!(
            one.search(query, 20).unwrap(),
            expected[..expected.len().min(20)]
        );
    }
}

#[test]
fn the_function_returns_ranks_scores_and_texts() {
    let index = Arc::new(index_of(&[
        row("a", "Printer", "jams"),
        row("b", "", "printer tray, printer paper"),
    ]));
    let queries = StringArray::from(vec![Some("printer"), None, Some("zebra"), Some("printer")]);
    let batch = RecordBatch::try_from_iter([("query", Arc::new(queries) as _)]).unwrap();
    let search = |function: ScalarUDF, arguments| {
        let call = function.call(arguments).alias("hits");
        let frame = SessionContext::new().read_batch(batch.clone()).unwrap();
        let batches = block_on(frame.select(vec![call]).unwrap().collect()).unwrap();
        batches[0].column(0).as_list::<i32>().clone()
    };
    let lists = search(bm25_search(index.clone()), vec![ident("query"), lit(1_i64)]);
    assert!(lists.is_null(1));
    assert_eq!(
        (
            lists.value_length(0),
            lists.value_length(2),
            lists.value_length(3)
        ),
        (1, 0, 1)
    );

    let lists = search(bm25_passages(index.clone()), vec![ident("query")]);
    assert_eq!(lists.value(0).as_struct(), lists.value(3).as_struct());
    let first = lists.value(0);
    let first = first.as_struct();
    let text = |name: &str| {
        let column = first.column_by_name(name).unwrap().as_string::<i32>();
        column
            .iter()
            .map(|value| value.unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let hits = index.search("printer", 50).unwrap();
    assert_eq!(text("corpus_id"), ids(&hits));
    assert_eq!(
        text("text"),
        ["printer tray, printer paper", "Printer jams"]
    );
    let ranks = first
        .column_by_name("rank")
        .unwrap()
        .as_primitive::<Int32Type>();
    assert_eq!(ranks.values(), &[1, 2]);
    let scores = first
        .column_by_name("bm25")
        .unwrap()
        .as_primitive::<Float32Type>();
    assert_eq!(scores.values()[..], [hits[0].score, hits[1].score]);
}

#[test]
fn an_index_is_reused_for_the_same_corpus_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let rows = [row("a", "", "printer")];
    let origin = |key: &str, rows: &[Row]| index_in(Some(&path), key, 1, rows).unwrap().origin();
    assert_eq!(origin("one", &rows), Origin::Built);
    assert_eq!(origin("one", &rows), Origin::Reused);
    let more = [row("a", "", "printer"), row("b", "", "printer")];
    assert_eq!(origin("two", &more), Origin::Built);
    let index = index_in(Some(&path), "two", 1, &rows).unwrap();
    assert_eq!(ids(&index.search("printer", 9).unwrap()), ["a", "b"]);
}

#[test]
fn a_damaged_index_is_built_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let rows = many_passages(500);
    let expected = index_in(Some(&path), "key", 1, &rows)
        .unwrap()
        .search("w1 w2", 50)
        .unwrap();
    let files = || {
        let entries = fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries
            .filter(|file| !file.ends_with("lineage.json"))
            .collect();
        files.sort();
        files
    };
    for number in 0..files().len() {
        for damage in [truncate as fn(&Path), remove, flip_a_bit] {
            let file = &files()[number];
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            // Hidden files are locks and lists of files to delete.
            if name.starts_with('.') {
                continue;
            }
            damage(file);
            let index = index_in(Some(&path), "key", 1, &rows).unwrap();
            assert_eq!(index.origin(), Origin::Built, "{name}");
            assert_eq!(index.search("w1 w2", 50).unwrap(), expected);
        }
    }
}

fn truncate(file: &Path) {
    let length = fs::metadata(file).unwrap().len();
    fs::File::options()
        .write(true)
        .open(file)
        .unwrap()
        .set_len(length / 2)
        .unwrap();
}

fn flip_a_bit(file: &Path) {
    if file
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        return truncate(file); // it carries no checksum, so one bit can stay unseen
    }
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(file, bytes).unwrap();
}

fn remove(file: &Path) {
    fs::remove_file(file).unwrap();
}

#[test]
fn a_duplicate_id_is_named_and_leaves_no_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let rows = [
        row("a", "", "one"),
        row("b", "", "two"),
        row("a", "", "three"),
    ];
    let error = index_in(Some(&path), "key", 1, &rows).unwrap_err();
    assert_eq!(
        error.to_string(),
        "id `a` occurs more than once; ids of a corpus must be unique"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_id_that_the_index_would_cut_is_refused() {
    let rows = |bytes: usize| [row(&"é".repeat(bytes / 2), "", "one")];
    let longest = rows(65_534);
    let found = index_of(&longest).search("one", 1).unwrap();
    assert_eq!(ids(&found), [&longest[0].0]);
    let error = index_in(None, "", 1, &rows(65_536)).unwrap_err();
    assert!(matches!(error, LexicalError::LongId { bytes: 65_536, .. }));
}

#[test]
fn files_of_others_are_not_replaced_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
    let error = index_in(Some(folder.path()), "key", 1, &[row("a", "", "one")]).unwrap_err();
    assert!(error.to_string().contains("thesis.tex"), "{error}");
}
