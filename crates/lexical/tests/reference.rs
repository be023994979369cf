//! Scores and analysis against bm25s with exact lengths: figures by `tests/reference/bm25.py`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests do"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use datafusion::prelude::SessionContext;
use pairmill_lexical::{Analysis, Bm25, Fields, Index};
use pairmill_tables::{ColumnNames, Table, open, session, string_column};
use serde::Deserialize;

#[derive(Deserialize)]
struct Figures {
    sets: BTreeMap<String, Set>,
    multifield: BTreeMap<String, Setting>,
    analysis: Vec<(String, Vec<String>)>,
}

#[derive(Deserialize)]
struct Set {
    settings: Vec<Setting>,
}

#[derive(Deserialize)]
struct Setting {
    k1: f32,
    b: f32,
    /// Query → its ten best passages with their scores, which lack the factor k1 + 1.
    top: BTreeMap<String, Vec<(String, f64)>>,
}

fn figures() -> Figures {
    let file = "../../tests/reference/bm25.json";
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The folder of data sets.
fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("PAIRMILL_DATA").map(PathBuf::from);
    if folder.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "PAIRMILL_DATA is not set; it names the folder of the real data sets"
        );
        println!("skipped: PAIRMILL_DATA names no folder of data sets");
    }
    folder
}

async fn table(
    session: &SessionContext,
    path: PathBuf,
    table: Table,
) -> datafusion::prelude::DataFrame {
    let names = ColumnNames::default();
    open(session, &path.to_string_lossy(), table, &names, &[])
        .await
        .unwrap()
}

async fn assert_equal(set: PathBuf, queries: &str, setting: &Setting, fields: Fields) {
    let session = session(2).unwrap();
    let corpus = table(&session, set.join("corpus.parquet"), Table::Corpus).await;
    let bm25 = Bm25 {
        k1: setting.k1,
        b: setting.b,
        fields,
        ..Bm25::default()
    };
    let index = Index::open_or_build(None, "", &bm25, 2, corpus, |_| ())
        .await
        .unwrap();
    let queries = table(&session, set.join(queries), Table::Queries).await;
    let mut compared = 0;
    for batch in queries.collect().await.unwrap() {
        let (ids, texts) = (string_column(&batch, "id"), string_column(&batch, "text"));
        for (id, text) in ids.iter().flatten().zip(texts.iter().flatten()) {
            let Some(expected) = setting.top.get(id) else {
                continue;
            };
            let found = index.search(text, expected.len()).unwrap();
            for (hit, (corpus_id, score)) in found.iter().zip(expected) {
                let expected = score * f64::from(1.0 + setting.k1);
                let difference = (f64::from(hit.score) - expected).abs();
                assert!(
                    difference < 1e-5 * expected,
                    "{set:?} {id}: {} {expected}",
                    hit.score
                );
                assert_eq!(&hit.corpus_id, corpus_id, "{set:?} {id}");
            }
            assert_eq!(found.len(), expected.len());
            compared += 1;
        }
    }
    assert_eq!(compared, setting.top.len());
}

#[test]
fn terms_are_those_of_the_reference() {
    for (text, terms) in figures().analysis {
        assert_eq!(Analysis::ENGLISH.terms(&text), terms, "{text}");
    }
}

#[tokio::test]
async fn the_ten_best_are_those_of_the_reference_with_their_scores() {
    let Some(data) = data() else { return };
    for (name, set) in figures().sets {
        let queries = match &*name {
            "msdocs_raw" => "queries_silver.parquet",
            _ => "queries_test.parquet",
        };
        for setting in &set.settings {
            assert_equal(data.join(&name), queries, setting, Fields::Joined).await;
        }
    }
}

#[tokio::test]
async fn title_and_text_as_fields_of_their_own_score_the_sum() {
    let Some(data) = data() else { return };
    let both = Fields::Separate {
        title: 1.0,
        text: 1.0,
    };
    for (name, setting) in &figures().multifield {
        assert_equal(data.join(name), "queries_test.parquet", setting, both).await;
    }
}
