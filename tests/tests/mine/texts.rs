//! What ids, texts and labels mean to the program.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tests::MINE;
use pairmill_tests::tables::rows;
use tempfile::TempDir;

const LINE: &str = "--pairs pairs.csv --corpus corpus.csv --output out.parquet";

/// A workshop's pairs and corpus; each question shares words with every passage.
fn workshop(pairs: &str, corpus: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("pairs.csv"), pairs).unwrap();
    fs::write(dir.path().join("corpus.csv"), corpus).unwrap();
    dir
}

/// Query, passage and reason of each candidate.
fn reasons(dir: &Path) -> Vec<String> {
    let columns = ["query_id", "corpus_id", "reason"];
    let mut rows: Vec<_> = rows(&dir.join("out.parquet"), &columns)
        .into_iter()
        .map(|row| row.join(" "))
        .collect();
    rows.sort_unstable();
    rows
}

fn has(dir: &Path, candidate: &str) -> bool {
    reasons(dir).iter().any(|row| row == candidate)
}

/// The warnings of a run that must succeed.
fn warnings(dir: &Path, line: &str) -> String {
    let ended = MINE.run(dir, line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let lines = ended.stderr.lines().filter(|line| line.contains("WARN"));
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

const PAIRS: &str = "anchor_id,anchor,positive_id,positive\n\
     1,Which oil does the big saw need?,11,The big saw needs thin oil.\n\
     2,Where is the key of the big drill?,12,The key of the big drill hangs at the door.\n";
const CORPUS: &str = "id,title,text\n\
     11,,The big saw needs thin oil.\n\
     12,,The key of the big drill hangs at the door.\n\
     1,,The big drill is oiled on Mondays.\n\
     2,,Where is the key of the BIG drill? Ask at the desk.\n";

#[test]
fn pairs_or_corpus_may_come_through_standard_input() {
    let dir = workshop(PAIRS, CORPUS);
    let mined = |line: &str, stdin: &str| {
        let ended = MINE.run_with_stdin(dir.path(), &format!("{line} --force"), stdin.as_bytes());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        reasons(dir.path())
    };
    let of_files = mined(LINE, "");
    assert!(!of_files.is_empty());
    assert_eq!(mined(&LINE.replace("pairs.csv", "-"), PAIRS), of_files);
    assert_eq!(mined(&LINE.replace("corpus.csv", "-"), CORPUS), of_files);
}

#[test]
fn an_id_that_query_and_passage_share_says_nothing_where_their_texts_differ() {
    let dir = workshop(PAIRS, CORPUS);
    MINE.done(dir.path(), LINE);
    assert!(has(dir.path(), "1 1 negative"), "{:?}", reasons(dir.path()));
    assert!(has(dir.path(), "2 2 query_id"), "{:?}", reasons(dir.path()));
    MINE.done(dir.path(), &format!("{LINE} --ignore-identical-ids"));
    assert!(has(dir.path(), "1 1 query_id"), "{:?}", reasons(dir.path()));
}

#[test]
fn an_id_that_stands_for_two_texts_is_refused_with_both() {
    let pairs = PAIRS.replace("2,Where", "1,Where");
    let dir = workshop(&pairs, CORPUS);
    assert_snapshot!(MINE.refused(dir.path(), LINE, 1), @r#"error: pairs.csv: the `anchor_id` `1` stands for two texts ("Where is the key of the big drill?" and "Which oil does the big saw need?"); give each text its own id, or have ids made from the texts with --content-ids"#);
    let dir = workshop(&PAIRS.replace(",12,", ",11,"), CORPUS);
    let error = MINE.refused(dir.path(), LINE, 1);
    assert!(
        error.contains("the `positive_id` `11` stands for two texts"),
        "{error}"
    );
    assert_eq!(
        MINE.done(dir.path(), &format!("{LINE} --content-ids"))["pairs"],
        2
    );
    let respelled = format!(
        "{PAIRS}1,WHICH oil does the big saw need,12,The key of the big drill hangs at the door.\n"
    );
    let dir = workshop(&respelled, CORPUS);
    assert_eq!(
        MINE.done(dir.path(), LINE)["queries"],
        2,
        "another spelling is the same text"
    );
}

#[test]
fn spellings_of_a_question_share_their_answers() {
    let pairs = format!("{PAIRS}3,WHICH OIL DOES THE BIG SAW NEED,13,Look into the blue book.\n");
    let corpus = format!("{CORPUS}13,,Look into the blue book of the saw.\n");
    let corpus = corpus.replace("of the saw.", "for the big saw.");
    let dir = workshop(&pairs, &corpus);
    MINE.done(dir.path(), LINE);
    assert!(
        has(dir.path(), "1 13 positive_id"),
        "{:?}",
        reasons(dir.path())
    );
    MINE.done(dir.path(), &format!("{LINE} --same-text identical"));
    assert!(
        has(dir.path(), "1 13 negative"),
        "{:?}",
        reasons(dir.path())
    );
}

#[test]
fn labels_tell_which_pairs_are_positives() {
    let pairs = "anchor,positive,label\n\
         Which oil does the big saw need?,The big saw needs thin oil.,1\n\
         Which oil does the big saw need?,The big drill is oiled on Mondays.,0\n";
    for (pairs, option) in [
        (pairs.to_owned(), ""),
        (
            pairs.replace("label", "score").replace(",1\n", ",0.9\n"),
            "",
        ),
        (pairs.replace("label", "good"), "--label-column good"),
    ] {
        let dir = workshop(&pairs, CORPUS);
        let line = format!("{LINE} {option}");
        let report = MINE.done(dir.path(), &line);
        assert_eq!(
            (&report["pairs"], &report["pairs_labeled_negative"]),
            (&1.into(), &1.into())
        );
        let negatives = reasons(dir.path());
        assert!(
            negatives.iter().any(|row| row.ends_with(" 1 negative")),
            "{negatives:?}"
        );
        let warnings = warnings(dir.path(), &format!("{line} --force"));
        assert!(warnings.contains("1 of 2 pairs has a"), "{warnings}");
    }
    let dir = workshop(&pairs.replace(",1\n", ",4.5\n"), CORPUS);
    assert_snapshot!(MINE.refused(dir.path(), LINE, 1), @r#"error: pairs.csv: the `label` of the pair of the anchor "Which oil does the big saw need?" is `4.5`; expected a label or similarity from 0 to 1; name another column with --label-column, or none with --label-column none"#);
    assert_eq!(
        MINE.done(dir.path(), &format!("{LINE} --label-column none"))["pairs"],
        2
    );
    let dir = workshop(&pairs.replace(",1\n", ",0\n"), CORPUS);
    let error = MINE.refused(dir.path(), LINE, 1);
    assert!(
        error.contains("by the column `label` no pair of 2 is a positive"),
        "{error}"
    );
}

#[test]
fn pairs_need_neither_ids_nor_our_names_nor_a_corpus() {
    let pairs = PAIRS.replace(
        "anchor_id,anchor,positive_id,positive",
        "q_no,query,a_no,reply",
    );
    let dir = workshop(&pairs, CORPUS);
    let columns = "--anchor-column query --positive-column reply";
    let line = format!("--pairs pairs.csv --output out.parquet {columns}");
    let report = MINE.done(dir.path(), &line);
    assert_eq!(
        (&report["passages"], &report["pairs"]),
        (&2.into(), &2.into())
    );
    let rows = rows(
        &dir.path().join("out.parquet"),
        &["query", "text", "reason"],
    );
    let negatives: Vec<_> = rows.iter().filter(|row| row[2] == "negative").collect();
    assert_eq!(
        negatives.len(),
        2,
        "each question has the other one's answer: {rows:?}"
    );
    let ids = format!("{line} --anchor-id-column q_no --positive-id-column a_no");
    MINE.done(dir.path(), &ids);
    assert!(
        has(dir.path(), "1 12 negative"),
        "{:?}",
        reasons(dir.path())
    );
    let error = MINE.refused(dir.path(), &format!("{ids} --text-column reply"), 2);
    assert!(
        error.contains("--text-column is a column of the corpus"),
        "{error}"
    );
    let error = MINE.refused(dir.path(), &format!("{ids} --group-column topic"), 2);
    assert!(
        error.contains("--group-column is a column of the corpus"),
        "{error}"
    );
}

#[test]
fn positives_that_the_corpus_lacks_are_said() {
    let dir = workshop(PAIRS, "id,title,text\na,,The big saw.\nb,,The big drill.\n");
    let said = warnings(dir.path(), LINE);
    assert!(said.contains("no positive of 2 is in corpus.csv"), "{said}");
    let dir = workshop(
        PAIRS,
        "id,title,text\na,,The big saw needs thin oil.\nb,,The big drill.\n",
    );
    let said = warnings(dir.path(), LINE);
    assert!(
        said.contains("1 of 2 positives is not in corpus.csv"),
        "{said}"
    );
}

#[test]
fn positives_whose_id_is_another_text_in_the_corpus_are_said() {
    let dir = workshop(PAIRS, &CORPUS.replace("needs thin oil", "is blunt"));
    let said = warnings(dir.path(), LINE);
    assert!(
        said.contains(r#"1 of 2 positives has another text under the same id in corpus.csv, such as `11` ("The big saw needs thin oil." and "The big saw is blunt.")"#),
        "{said}"
    );
    let titled = CORPUS.replace("11,,", "11,Saws,");
    let dir = workshop(PAIRS, &titled);
    assert_eq!(warnings(dir.path(), LINE), "", "a title is no other text");
}

#[test]
fn a_positive_is_scored_by_title_and_text_as_candidates_are() {
    let corpus = CORPUS
        .replace("11,,", "11,Oil of the saw,")
        .replace("1,,The", "1,Drills,The");
    for positive in [
        "The big saw needs thin oil.",
        "Oil of the saw The big saw needs thin oil.",
    ] {
        let pairs = PAIRS.replace("The big saw needs thin oil.", positive);
        let dir = workshop(&pairs, &corpus);
        MINE.done(dir.path(), &format!("{LINE} --title-weight 2"));
        let columns = ["query_id", "corpus_id", "bm25", "positive_bm25"];
        let rows = rows(&dir.path().join("out.parquet"), &columns);
        let own = rows
            .iter()
            .find(|row| row[0] == "1" && row[1] == "11")
            .unwrap();
        assert_eq!(own[2], own[3], "{positive}");
    }
}
