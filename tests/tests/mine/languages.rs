//! Searching in other languages than English.

use std::fs;
use std::path::Path;

use pairmill_tests::MINE;
use pairmill_tests::tables::rows;
use tempfile::TempDir;

const LINE: &str = "search --corpus corpus.jsonl --queries queries.jsonl --output run.parquet";

fn tables(corpus: &[(&str, &str)], queries: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, texts) in [("corpus", corpus), ("queries", queries)] {
        let lines = texts
            .iter()
            .map(|(id, text)| format!("{{\"id\": \"{id}\", \"text\": \"{text}\"}}\n"));
        let file = dir.path().join(format!("{name}.jsonl"));
        fs::write(file, lines.collect::<String>()).unwrap();
    }
    dir
}

/// What each query finds, as `query passage`.
fn found(dir: &Path, options: &str) -> (Vec<String>, String) {
    let ended = MINE.run(dir, &format!("{LINE} {options}"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let rows = rows(&dir.join("run.parquet"), &["query_id", "corpus_id"]);
    (rows.iter().map(|row| row.join(" ")).collect(), ended.stderr)
}

#[test]
fn words_with_combining_marks_are_whole() {
    let dir = tables(
        &[
            ("bn1", "গ্রন্থাগার সকালে খোলে"),
            ("bn2", "গ্রহ অনেক দূরে"),
            ("te1", "పుస్తకాలయం తెరిచి ఉంది"),
            ("te2", "పుస్తి లేదు"),
        ],
        &[("bn", "গ্রন্থাগার"), ("te", "పుస్తకాలయం")],
    );
    for language in ["none", "english"] {
        let (found, _) = found(dir.path(), &format!("--language {language}"));
        assert_eq!(found, ["bn bn1", "te te1"], "{language}");
    }
}

#[test]
fn scripts_without_blanks_are_searched_and_it_is_said_how() {
    let dir = tables(
        &[
            ("zh", "打印机卡纸时请打开后盖"),
            ("ja", "プリンターの紙詰まりを直す方法"),
            ("lo", "ເຄື່ອງພິມບໍ່ເຮັດວຽກ"),
            ("km", "ម៉ាស៊ីនបោះពុម្ពមិនដំណើរការ"),
            ("en", "The printer is jammed"),
        ],
        &[
            ("1", "卡纸"),
            ("2", "紙詰まり"),
            ("3", "ເຄື່ອງພິມ"),
            ("4", "ម៉ាស៊ីនបោះពុម្ព"),
        ],
    );
    let (hits, said) = found(dir.path(), "");
    assert_eq!(hits, ["1 zh", "2 ja", "3 lo", "4 km"]);
    assert!(
        said.contains("WARN 80 % of the passages hold a script without blanks"),
        "{said}"
    );
    assert!(said.contains("Chinese, Japanese, Khmer, Lao"), "{said}");
}

#[test]
fn letters_are_compared_in_every_form_they_are_written_in() {
    let dir = tables(
        &[
            ("1", "cafe\\u0301 of\\ufb01ce"),
            ("2", "ＷｉＦｉ"),
            ("3", "كِتَاب"),
        ],
        &[("a", "café"), ("b", "office"), ("c", "wifi"), ("d", "كتاب")],
    );
    let (hits, _) = found(dir.path(), "--language none");
    assert_eq!(hits, ["a 1", "b 1", "c 2", "d 3"]);
}

#[test]
fn turkish_capitals_are_lower_cased_as_turkish() {
    let dir = tables(&[("1", "ISIL IŞIK AÇIK"), ("2", "isil")], &[("q", "ısıl")]);
    assert_eq!(found(dir.path(), "--language turkish").0, ["q 1"]);
}

const GERMAN: [(&str, &str); 3] = [
    (
        "1",
        "Die Drucker im ersten Stock sind nicht an das Netz angeschlossen.",
    ),
    (
        "2",
        "Wenn der Bildschirm dunkel bleibt, ist das Kabel nicht fest in der Buchse.",
    ),
    (
        "3",
        "Das Passwort für die Konten wird von der Leitung und nicht von uns vergeben.",
    ),
];

#[test]
fn the_language_is_told_from_the_corpus_where_the_user_says_so() {
    let dir = tables(&GERMAN, &[("q", "Kabels")]);
    let (hits, said) = found(dir.path(), "--language auto");
    assert!(
        said.contains("language: german, of 100 % of the passages"),
        "{said}"
    );
    assert_eq!(hits, ["q 2"]);
    let dir = tables(&[("1", "ls -R"), ("2", "find . -name x")], &[("q", "find")]);
    let (hits, said) = found(dir.path(), "--language auto");
    assert!(said.contains("words are taken as they are"), "{said}");
    assert_eq!(hits, ["q 2"]);
}

#[test]
fn another_language_than_the_default_is_warned_of() {
    let dir = tables(&GERMAN, &[("q", "Kabel")]);
    let (_, said) = found(dir.path(), "");
    assert!(
        said.contains("WARN 100 % of the passages") && said.contains("--language german"),
        "{said}"
    );
    let (_, said) = found(dir.path(), "--language english --force");
    assert!(!said.contains("WARN"), "the user chose it: {said}");
}
