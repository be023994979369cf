//! Texts that differ in letter case, punctuation or white space alone, and how much is judged.

use std::collections::{BTreeMap, BTreeSet};

use pairmill_tests::GENERATE;

use crate::harness::{table, write_csv};

/// Each question twice, in two spellings, with an answer each.
fn faq() -> Vec<String> {
    (0..120)
        .flat_map(|n| {
            let respelled = match n % 3 {
                0 => format!("WHERE DO I PARK THE E-BIKE {n}"),
                1 => format!("\" where do i park the e bike {n} ?!\""),
                _ => format!("\"Where do I park \"\"the e-bike\"\" {n}...\""),
            };
            [
                format!("a{n:03},Where do I park the e-bike {n}?,In yard {n}."),
                format!("b{n:03},{respelled},Ask the porter of gate {n}."),
            ]
        })
        .collect()
}

/// The number in a text.
fn number(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[test]
fn questions_in_other_spellings_are_one_question_with_all_answers() {
    let dir = tempfile::tempdir().unwrap();
    write_csv(&dir.path().join("faq.csv"), "id,question,answer", &faq());
    let line = "qa --input faq.csv --output out --split 0.4,0.3,0.3";
    let ended = GENERATE.run(dir.path(), line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let said =
        "120 spellings of questions differ from another one in letter case or punctuation alone";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    let out = dir.path().join("out");
    let trained: BTreeSet<String> = table(&out, "pairs_train")
        .iter()
        .map(|row| number(&row[1]))
        .collect();
    for split in ["dev", "test"] {
        let queries = table(&out, &format!("queries_{split}"));
        assert!(!queries.is_empty());
        for query in queries {
            assert!(!trained.contains(&number(&query[1])), "{query:?}");
        }
    }
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for split in ["train", "dev", "test"] {
        for judgement in table(&out, &format!("qrels_{split}")) {
            *answers.entry(judgement[0].clone()).or_default() += 1;
        }
    }
    assert_eq!(answers.len(), 120);
    assert!(
        answers
            .iter()
            .all(|(id, count)| id.starts_with('a') && *count == 2)
    );

    let apart = GENERATE.done(dir.path(), &format!("{line} --same-text identical"));
    assert_eq!(
        (&apart["questions"], &apart["questions_respelled"]),
        (&240.into(), &0.into())
    );
}

#[test]
fn questions_that_differ_in_what_they_name_are_not_one() {
    let dir = tempfile::tempdir().unwrap();
    let names = [
        "C", "C++", "C#", ".NET", "net", "R", "R&D", "👍", "👎", "1.5", "15",
    ];
    let mut rows: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(n, name)| format!("q{n:02},What is {name}?,Answer number {n}."))
        .collect();
    rows.extend((20..60).map(|n| format!("q{n},Where is room {n}?,On floor {n}.")));
    write_csv(&dir.path().join("faq.csv"), "id,question,answer", &rows);
    let report = GENERATE.done(dir.path(), "qa --input faq.csv --output out");
    assert_eq!(
        (&report["questions"], &report["questions_respelled"]),
        (&51.into(), &0.into())
    );
}

fn tickets() -> Vec<String> {
    let category = |n: usize| {
        [
            "Rental",
            "rental ",
            "RENTAL",
            "Lost & found",
            "lost & Found",
            "Fines",
        ][n % 6]
    };
    (0..240)
        .map(|n| format!("t{n:03},Ticket {n} is about a bike.,{}", category(n)))
        .collect()
}

#[test]
fn categories_in_other_spellings_are_one_and_named() {
    let dir = tempfile::tempdir().unwrap();
    write_csv(
        &dir.path().join("tickets.csv"),
        "id,text,category",
        &tickets(),
    );
    let line = "tickets --input tickets.csv --output out";
    let ended = GENERATE.run(dir.path(), line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for named in [
        "2 categories are spelled in several ways",
        "`RENTAL` (also `Rental`, `rental`)",
    ] {
        assert!(ended.stderr.contains(named), "{}", ended.stderr);
    }
    let out = dir.path().join("out");
    let categories: BTreeSet<String> = table(&out, "tickets_train")
        .iter()
        .map(|row| row[2].clone())
        .collect();
    assert_eq!(categories.len(), 3, "{categories:?}");
    let category: BTreeMap<String, String> = tickets()
        .iter()
        .map(|row| {
            let mut cells = row.splitn(3, ',');
            let id = cells.next().unwrap().to_owned();
            (id, cells.nth(1).unwrap().trim().to_lowercase())
        })
        .collect();
    for row in table(&out, "labeled_train") {
        let same = category[&row[0]] == category[&row[2]];
        assert_eq!(same, row[4] == "1.0", "{row:?}");
    }
    let apart = GENERATE.done(dir.path(), &format!("{line} --same-text identical"));
    assert_eq!(apart["categories"], 6, "blanks around never count");
}

#[test]
fn tickets_in_other_spellings_stand_in_one_split() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..200)
        .flat_map(|n| {
            [
                format!("a{n:03},The brake of bike {n} squeals,Rental{}", n % 3),
                format!("b{n:03},THE BRAKE OF BIKE {n} SQUEALS!!,Rental{}", n % 3),
            ]
        })
        .collect();
    write_csv(&dir.path().join("tickets.csv"), "id,text,category", &rows);
    let report = GENERATE.done(dir.path(), "tickets --input tickets.csv --output out");
    assert_eq!(report["texts"], 200);
    let out = dir.path().join("out");
    let of = |split: &str| -> BTreeSet<String> {
        table(&out, &format!("tickets_{split}"))
            .iter()
            .map(|row| number(&row[1]))
            .collect()
    };
    let (train, dev, test) = (of("train"), of("dev"), of("test"));
    assert!(train.is_disjoint(&dev) && train.is_disjoint(&test) && dev.is_disjoint(&test));
    assert_eq!(train.len() + dev.len() + test.len(), 200);
}

#[test]
fn judgements_by_category_are_bounded_and_whole() {
    let dir = tempfile::tempdir().unwrap();
    write_csv(
        &dir.path().join("tickets.csv"),
        "id,text,category",
        &tickets(),
    );
    let line = "tickets --input tickets.csv --output out";
    let all = GENERATE.done(dir.path(), line);
    assert_eq!(all["queries_not_judged"], 0);
    let ended = GENERATE.run(dir.path(), &format!("{line} --max-judgements 500 --json"));
    let bounded = ended.report();
    assert!(
        ended
            .stderr
            .contains("texts of dev are queries, drawn at random"),
        "{}",
        ended.stderr
    );
    let out = dir.path().join("out");
    for split in ["dev", "test"] {
        let counts = |report: &serde_json::Value, name: &str| {
            report["splits"][split][name].as_u64().unwrap()
        };
        assert!(counts(&bounded, "judgements") <= 500);
        assert!(counts(&bounded, "queries") < counts(&all, "queries"));
        let train = table(&out, "tickets_train");
        let category: BTreeMap<String, String> = table(&out, &format!("tickets_{split}"))
            .into_iter()
            .map(|row| (row[0].clone(), row[2].clone()))
            .collect();
        let judged = table(&out, &format!("qrels_{split}"));
        for query in table(&out, &format!("queries_{split}")) {
            let relevant = train
                .iter()
                .filter(|row| row[2] == category[&query[0]])
                .count();
            let of_query = judged.iter().filter(|row| row[0] == query[0]).count();
            assert_eq!(of_query, relevant, "every ticket of its category is judged");
        }
    }
}
