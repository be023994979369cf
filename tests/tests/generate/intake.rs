//! What becomes of rows before anything is made of them: which are used, several columns as one
//! text, what is taken out of texts, and splits by time.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tests::tables::{columns, rows};
use pairmill_tests::{Ended, GENERATE};
use serde_json::{Value, json};

use crate::harness::{tables, write_csv};

/// 200 mails in 4 queues, one a day from the first of January 2024; every tenth has no subject.
fn mails(dir: &Path) {
    let rows = (0..200).map(|n| {
        let subject = match n % 10 {
            3 => String::new(),
            _ => format!("Lamp {n}"),
        };
        let language = ["en", "de"][n % 2];
        let (month, day) = (1 + n / 28, 1 + n % 28);
        format!(
            "m{n:03},{subject},\"<p>Lamp {n} is &quot;on&quot;.</p>\n<p>Regards,<br>Ann</p>\",queue \
             {},{language},{n},2024-{month:02}-{day:02}",
            n % 4
        )
    });
    let header = "id,subject,body,queue,Language,priority,created";
    write_csv(&dir.join("mails.csv"), header, &rows.collect::<Vec<_>>());
}

/// Runs a line as a shell cuts it, of which double quotes hold words together.
fn run(dir: &Path, line: &str) -> Ended {
    let parts = line.split('"').enumerate();
    let words = parts.flat_map(|(number, part)| match number % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    let words: Vec<String> = words.collect();
    GENERATE
        .command(dir, "")
        .args(words)
        .output()
        .unwrap()
        .into()
}

fn report(dir: &Path, line: &str) -> Value {
    run(dir, &format!("{line} --json")).report()
}

const TICKETS: &str = "tickets --input mails.csv --category-column queue";

fn done(dir: &Path, options: &str) -> Value {
    report(dir, &format!("{TICKETS} --output out {options}"))
}

/// The texts of all tickets, with their ids.
fn texts(dir: &Path) -> Vec<[String; 2]> {
    let mut all = Vec::new();
    for split in ["train", "dev", "test"] {
        let file = dir.join(format!("out/tickets_{split}.parquet"));
        for row in rows(&file, &["id", "text"]) {
            all.push([row[0].clone(), row[1].clone()]);
        }
    }
    all.sort();
    all
}

#[test]
fn several_columns_are_one_text_without_those_that_are_blank() {
    let dir = tempfile::tempdir().unwrap();
    mails(dir.path());
    let report = done(
        dir.path(),
        "--text-column subject,body --strip html,signature",
    );
    let texts = texts(dir.path());
    assert_eq!(texts[0][1], "Lamp 0\n\nLamp 0 is \"on\".");
    assert_eq!(texts[3][1], "Lamp 3 is \"on\".");
    assert_eq!(report["rows"]["blank"], json!({"subject": 20}));
    let stripped = json!({"html_markup": 200, "mail_signature": 200});
    assert_eq!(report["rows"]["stripped"], stripped);

    let kept = "--text-column subject,body --keep-columns all --max-pairs 5 --force";
    done(dir.path(), kept);
    let pairs = columns(&dir.path().join("out/pairs_train.parquet"));
    assert!(!pairs.contains(&"body".to_owned()) && pairs.contains(&"Language".to_owned()));
}

#[test]
fn a_column_whose_name_has_a_comma_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let rows = (0..100).map(|n| format!("{n},subject {n},body {n},lamp {n},queue {}", n % 3));
    let header = "id,subject,body,\"subject,body\",category";
    write_csv(
        &dir.path().join("mails.csv"),
        header,
        &rows.collect::<Vec<_>>(),
    );
    GENERATE.done(
        dir.path(),
        "tickets --input mails.csv --output out --text-column subject,body",
    );
    assert!(
        texts(dir.path())
            .iter()
            .all(|[_, text]| text.starts_with("lamp "))
    );
    let error = GENERATE.refused(
        dir.path(),
        "tickets --input mails.csv --output no --text-column subject,boddy",
        1,
    );
    assert!(error.contains("no column `boddy`"), "{error}");
}

#[test]
fn rows_are_left_out_by_a_condition_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    mails(dir.path());
    let english = "--text-column body --where";
    let line = format!("{english} \"Language = 'en' AND priority >= 100\"");
    let report = done(dir.path(), &line);
    assert_eq!(report["rows"]["read"], 200);
    assert_eq!(report["rows"]["left_out"], 150);
    assert_eq!(report["rows"]["used"], 50);
    let ids: Vec<String> = texts(dir.path()).into_iter().map(|[id, _]| id).collect();
    assert_eq!(ids.first().map(String::as_str), Some("m100"));
    assert!(
        ids.iter()
            .all(|id| id[1..].parse::<u32>().unwrap() % 2 == 0)
    );
    assert_eq!(done(dir.path(), &line)["up_to_date"], true);
    let all = done(dir.path(), &format!("{english} \"1 = 1\""));
    assert_eq!(
        (&all["up_to_date"], &all["rows"]["used"]),
        (&json!(false), &json!(200))
    );
    let with = tables(&dir.path().join("out"));
    done(dir.path(), "--text-column body --force");
    assert_eq!(with, tables(&dir.path().join("out")));
}

#[test]
fn a_condition_that_cannot_be_used_names_the_columns_or_the_row() {
    let dir = tempfile::tempdir().unwrap();
    mails(dir.path());
    let error = |condition: &str| {
        let line = format!("{TICKETS} --output no --text-column body --where \"{condition}\"");
        run(dir.path(), &line).error(1)
    };
    assert_snapshot!(error("lang = 'en'"), @"error: mails.csv: --where cannot be used: there is no column lang; it says `lang = 'en'`, and the columns are id, subject, body, queue, Language, priority, created (names with blanks or marks stand in double quotes, texts in single ones)");
    assert_snapshot!(error("Language > 3"), @"error: mails.csv: --where `Language > 3` cannot be told in line 2: Cannot cast string 'en' to value of Int64 type; TRY_CAST(… AS DOUBLE) makes nothing of what is no number, and leaves such rows out");
    assert_snapshot!(error("priority > 500"), @"error: mails.csv: --where leaves none of 200 rows; it says `priority > 500`");
    let line = "check --input mails.csv --output no --kind tickets --text-column body \
                --category-column queue --where \"id = \"";
    let error = run(dir.path(), line).error(1);
    assert!(error.contains("--where cannot be used"), "{error}");
}

#[test]
fn rows_of_pairs_answers_and_checks_are_chosen_too() {
    let dir = tempfile::tempdir().unwrap();
    let lines = (0..120).map(|n| {
        format!(
            "q{n},why {n},is lamp {n} on?,It is.,Lamp {n}.,{},{}",
            n % 3,
            1_700_000_000 + n
        )
    });
    let header = "id,title,question,answer,more,level,at";
    write_csv(
        &dir.path().join("qa.csv"),
        header,
        &lines.collect::<Vec<_>>(),
    );
    let input = "--input qa.csv --where \"level <> 1\"";
    let qa = format!(
        "qa {input} --output qa --question-column title,question --answer-column answer,more \
         --split-by-time at"
    );
    let of_qa = report(dir.path(), &qa);
    assert_eq!(of_qa["rows"]["left_out"], 40);
    let passages = rows(&dir.path().join("qa/corpus.parquet"), &["text"]);
    assert!(passages.iter().any(|row| row[0] == "It is.\n\nLamp 0."));
    let test = rows(&dir.path().join("qa/queries_test.parquet"), &["text"]);
    assert!(
        test.iter()
            .any(|row| row[0] == "why 119\n\nis lamp 119 on?")
    );
    assert_eq!(of_qa["time"]["test_from"], "2023-11-14T22:15:08Z");

    let pairs = format!(
        "pairs {input} --output pairs --anchor-column title,question --positive-column \
         answer,more --split-by-time at"
    );
    let of_pairs = report(dir.path(), &pairs);
    assert_eq!(of_pairs["rows"]["left_out"], 40);
    assert_eq!(of_pairs["time"], of_qa["time"]);
    let queries = rows(&dir.path().join("pairs/queries_test.parquet"), &["text"]);
    let sorted = |mut rows: Vec<Vec<String>>| {
        rows.sort();
        rows
    };
    assert_eq!(sorted(queries), sorted(test));

    let check = format!(
        "check {input} --output checked --question-column title,question --answer-column answer"
    );
    let checked = report(dir.path(), &check);
    assert_eq!(checked["rows"], json!({"qa.csv": 80}));
    let card = fs::read_to_string(dir.path().join("checked/card.md")).unwrap();
    assert!(card.contains("40 rows were left out by --where"), "{card}");
}

#[test]
fn the_newest_rows_are_test_and_a_text_stays_in_one_split() {
    let dir = tempfile::tempdir().unwrap();
    mails(dir.path());
    let mut table = fs::read_to_string(dir.path().join("mails.csv")).unwrap();
    // The text of the first mail comes again on the last day.
    table.push_str("again,,\"<p>Lamp 0 is &quot;on&quot;.</p>\n<p>Regards,<br>Ann</p>\",queue 0,en,1,2024-12-31\n");
    fs::write(dir.path().join("mails.csv"), table).unwrap();
    let report = done(dir.path(), "--text-column body --split-by-time created");
    let ids = |split: &str| -> Vec<String> {
        let file = dir.path().join(format!("out/tickets_{split}.parquet"));
        rows(&file, &["id"])
            .into_iter()
            .map(|row| row[0].clone())
            .collect()
    };
    let [train, dev, test] = ["train", "dev", "test"].map(ids);
    assert_eq!([train.len(), dev.len(), test.len()], [160, 20, 21]);
    assert!(test.contains(&"again".to_owned()) && test.contains(&"m000".to_owned()));
    assert!(train.iter().max() < dev.iter().min());
    assert_eq!(
        report["time"],
        json!({
            "column": "created",
            "train_until": "2024-06-21",
            "dev_from": "2024-06-22",
            "test_from": "2024-07-14",
        })
    );
}

#[test]
fn what_is_no_time_is_refused_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    mails(dir.path());
    let table = fs::read_to_string(dir.path().join("mails.csv")).unwrap();
    for (name, wrong) in [("words.csv", "yesterday"), ("blank.csv", "")] {
        fs::write(dir.path().join(name), table.replace("2024-01-05", wrong)).unwrap();
    }
    let error = |input: &str| {
        let columns = "--text-column body --category-column queue --split-by-time created";
        GENERATE.refused(
            dir.path(),
            &format!("tickets --input {input} --output no {columns}"),
            1,
        )
    };
    assert_snapshot!(error("words.csv"), @"error: words.csv: column `created` holds `yesterday` in line 10; expected a time: an ISO date such as 2024-05-03 or 2024-05-03T10:02:00Z, or seconds or milliseconds since 1970");
    assert_snapshot!(error("blank.csv"), @"error: blank.csv: column `created` holds `` in line 10; expected a time: an ISO date such as 2024-05-03 or 2024-05-03T10:02:00Z, or seconds or milliseconds since 1970");
}

#[test]
fn nothing_that_is_stripped_is_lost_without_a_word() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows: Vec<String> = (0..100)
        .map(|n| {
            format!(
                "{n},\"lamp {n}\n-----Original Message-----\nold\",queue {}",
                n % 3
            )
        })
        .collect();
    rows.push("quoted,\"-----Original Message-----\nold\",queue 1".to_owned());
    rows.push("broken,\"<p <b <a href=\"\"x>lamp</p></\",queue 1".to_owned());
    write_csv(&dir.path().join("t.csv"), "id,text,category", &rows);
    let line = "tickets --input t.csv --output out --strip quoted_mail,html_markup";
    let ended = GENERATE.run(dir.path(), line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let warning = "--strip leaves nothing of 1 text";
    assert!(ended.stderr.contains(warning), "{}", ended.stderr);
    let report = GENERATE.done(dir.path(), line);
    assert_eq!(report["rows"]["dropped"], 1);
    assert_eq!(report["rows"]["stripped"]["quoted_mail"], 101);
    assert!(
        texts(dir.path())
            .iter()
            .all(|[_, text]| !text.contains("old"))
    );
}
