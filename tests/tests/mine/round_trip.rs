//! Which pairs come back from a round trip.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tests::MINE;
use pairmill_tests::tables::rows;
use tempfile::TempDir;

/// Queries that were made of passages: of one, of the same under another id, of none.
fn written() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "pairs.csv",
        "anchor_id,anchor,positive_id,positive,maker\n\
         a,oil for the big saw,11,The big saw needs thin oil.,model\n\
         b,thin oil,99,The big saw needs thin oil.,model\n\
         c,where is the lamp,12,The key of the big drill hangs at the door.,heading\n\
         d,zebra,12,The key of the big drill hangs at the door.,heading\n\
         e,key of the door,12,The key of the big drill hangs at the door.,model\n",
    );
    write(
        "corpus.csv",
        "id,title,text\n\
         10,,Oil the lamp where it squeaks.\n\
         11,,The big saw needs thin oil.\n\
         12,,The key of the big drill hangs at the door.\n\
         13,,A spare key is at the desk.\n",
    );
    dir
}

const LINE: &str =
    "round-trip --pairs pairs.csv --corpus corpus.csv --language none --output out.parquet";

fn lines(file: &Path, columns: &[&str]) -> String {
    let rows = rows(file, columns);
    let rows: Vec<String> = rows.into_iter().map(|row| row.join(" | ")).collect();
    rows.join("\n")
}

#[test]
fn pairs_that_find_their_passage_are_kept_and_the_others_are_listed() {
    let dir = written();
    let line = format!("{LINE} --within 1 --keep-columns all --audit audit.parquet");
    let report = MINE.done(dir.path(), &line);
    let columns = ["anchor_id", "anchor", "positive_id", "maker"];
    // The positive of b has another id in the corpus.
    assert_snapshot!(lines(&dir.path().join("out.parquet"), &columns), @r"
    a | oil for the big saw | 11 | model
    b | thin oil | 99 | model
    e | key of the door | 12 | model
    ");
    let columns = ["anchor_id", "rank", "first_id", "reason"];
    assert_snapshot!(lines(&dir.path().join("audit.parquet"), &columns), @r"
    a | 1 | 11 | found
    b | 1 | 11 | found
    c | - | 10 | not_found
    d | - | - | not_found
    e | 1 | 12 | found
    ");
    let counts = ["pairs", "found", "found_first", "not_found"].map(|name| &report[name]);
    assert_eq!(counts, [5, 3, 3, 2]);
}

#[test]
fn more_passages_let_more_pairs_through_and_threads_do_not_matter() {
    let dir = written();
    let kept = |options: &str| {
        MINE.done(dir.path(), &format!("{LINE} {options} --force"));
        fs::read(dir.path().join("out.parquet")).unwrap()
    };
    let (one, two) = (
        kept("--within 3 --threads 1"),
        kept("--within 3 --threads 2"),
    );
    assert!(one == two);
    assert_eq!(
        rows(&dir.path().join("out.parquet"), &["anchor_id"]).len(),
        4
    );
    let again = MINE.run(dir.path(), &format!("{LINE} --within 3"));
    assert!(again.stderr.contains("is up to date"), "{}", again.stderr);
}

#[test]
fn a_foreign_corpus_and_a_bad_label_are_refused() {
    let dir = written();
    fs::write(
        dir.path().join("corpus.csv"),
        "id,text\nx,Stripes are black.\n",
    )
    .unwrap();
    assert_snapshot!(MINE.refused(dir.path(), LINE, 1), @"error: pairs.csv: the anchor of no pair of 5 finds its positive among the first 10 passages, so nothing is written; is it the corpus of these pairs? Otherwise raise --within");
    fs::write(
        dir.path().join("pairs.csv"),
        "anchor,positive,label\noil,Thin oil.,yes\n",
    )
    .unwrap();
    assert_snapshot!(MINE.refused(dir.path(), LINE, 1), @"error: pairs.csv: the `label` of the pair of the anchor \"oil\" is `yes`; expected a label or similarity from 0 to 1; name another column with --label-column, or none with --label-column none");
}
