//! How a run ends for its reader: the verdict, what came first, which model to deploy, and the page
//! that says the same.

use std::fs;
use std::path::Path;

use pairmill_tests::EVALUATE;
use serde_json::{Value, json};

use crate::harness::{RETRIEVAL, damaged, help_desk};

/// Texts so unlike each other that the base model finds each by itself.
const TEXTS: [&str; 16] = [
    "The printer jams",
    "Reset your password",
    "Parcels arrive on Monday",
    "The shop opens at nine",
    "Replace the ink cartridge",
    "The laptop screen stays black",
    "Invoices are sent by mail",
    "A dog runs on the beach",
    "Bread is baked daily",
    "It rains in Spain",
    "He plays the guitar",
    "The engine needs oil",
    "Vaccines are free for children",
    "The train was cancelled",
    "Water boils at a hundred degrees",
    "She reads a book about whales",
];

/// A folder in which each query is a document, with the base model and one that knows nothing.
fn workplace() -> tempfile::TempDir {
    let dir = help_desk();
    let path = dir.path();
    damaged(&path.join("model"), &path.join("blank"), 0.5, 0);
    let table = |name: &str, header: &str, row: &dyn Fn(usize, &str) -> String| {
        let rows = TEXTS.iter().enumerate().map(|(n, text)| row(n, text));
        let rows: String = rows.map(|row| row + "\n").collect();
        fs::write(path.join(name), format!("{header}\n{rows}")).unwrap();
    };
    table("corpus.csv", "id,text", &|n, text| {
        format!("d{n:02},{text}")
    });
    table("queries.csv", "id,text", &|n, text| {
        format!("q{n:02},{text}")
    });
    table("qrels.csv", "query_id,corpus_id,score", &|n, _| {
        format!("q{n:02},d{n:02},1")
    });
    dir
}

/// The last lines that a run prints, after its tables.
fn ending(dir: &Path, line: &str) -> Vec<String> {
    let ended = EVALUATE.run(dir, line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let (_, ending) = ended.stdout.trim_end().rsplit_once("\n\n").unwrap();
    ending.lines().map(str::to_owned).collect()
}

fn deploy(found: &Value) -> [&str; 3] {
    ["which", "name", "loading"].map(|field| found["deploy"][field].as_str().unwrap())
}

#[test]
fn the_better_model_is_to_be_deployed_and_the_worse_one_is_not() {
    let dir = workplace();
    let path = dir.path();
    let line = format!("{RETRIEVAL} --baseline blank --output out");
    let found = EVALUATE.done(path, &line);
    assert_eq!(found["verdict"], "better");
    assert_eq!(
        deploy(&found),
        [
            "model",
            "model",
            "In Python: SentenceTransformer(\"model\")"
        ]
    );
    let words = "A right answer came first for 1, now for 16 of 16 queries.";
    let lines = ending(path, &line);
    assert!(
        lines[0].starts_with("Better. nDCG@10 rose from"),
        "{lines:?}"
    );
    assert_eq!(
        lines[1..],
        [
            words,
            "Deploy model.",
            "In Python: SentenceTransformer(\"model\")"
        ]
    );
    // One verdict in all places.
    let answer = found["answer"].as_str().unwrap();
    assert_eq!(lines[0], answer);
    let report = fs::read_to_string(path.join("out/report.md")).unwrap();
    let page = fs::read_to_string(path.join("out/report.html")).unwrap();
    let sentence = answer.strip_prefix("Better. ").unwrap();
    for text in [&report, &page] {
        for part in [sentence, words, "Deploy model."] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    // The model's own card with these figures; its folder is left alone.
    let own = fs::read_to_string(path.join("model/README.md")).unwrap();
    let card = fs::read_to_string(path.join("out/model_card.md")).unwrap();
    let figures = found["model"].as_object().unwrap();
    for (metric, value) in figures {
        let entry = format!("    - type: cosine_{metric}\n      value: {value}\n");
        assert!(card.contains(&entry), "{entry}: {card}");
    }
    let (_, text) = own.split_once("\n---\n").unwrap();
    let heading = "\n\n## On queries.csv, 14 November 2023\n\n▲ **Better.**";
    assert!(
        card.contains(&format!("{}{heading}", text.trim())),
        "{card}"
    );
    // An output that is up to date ends in the same words.
    assert_eq!(ending(path, &line), lines);

    let turned = RETRIEVAL.replace("--model model", "--model blank --baseline model");
    let lines = ending(path, &turned);
    assert!(lines[0].starts_with("Worse. "), "{lines:?}");
    assert_eq!(
        lines[2..],
        [
            "Keep model: blank does worse.",
            "In Python: SentenceTransformer(\"model\")"
        ]
    );
}

#[test]
fn what_is_not_shown_to_be_better_is_not_deployed() {
    let dir = workplace();
    let path = dir.path();
    std::os::unix::fs::symlink(path.join("model"), path.join("twin")).unwrap();
    let same = format!("{RETRIEVAL} --baseline twin");
    let found = EVALUATE.done(path, &same);
    assert_eq!(deploy(&found)[..2], ["baseline", "twin"]);
    let lines = ending(path, &same);
    assert_eq!(
        lines[..2],
        [
            "No clear difference. nDCG@10 is 1.000 with both models.",
            "A right answer comes first for 16 of 16 queries, as before."
        ]
    );
    assert_eq!(lines[2], "Keep twin: model is not shown to be better.");
    let itself = EVALUATE.done(path, &format!("{RETRIEVAL} --baseline model"));
    assert_eq!(itself.get("deploy"), None, "there is nothing to choose");
    let untested = EVALUATE.done(path, &format!("{same} --resamples 0"));
    assert_eq!(untested.get("deploy"), None);
    let alone = EVALUATE.done(path, RETRIEVAL);
    assert_eq!((alone.get("deploy"), alone.get("answer")), (None, None));
}

#[test]
fn a_page_is_called_by_what_was_compared_and_dated() {
    let dir = workplace();
    let path = dir.path();
    fs::create_dir_all(path.join("runs/faq/data")).unwrap();
    fs::rename(
        path.join("queries.csv"),
        path.join("runs/faq/data/queries_test.csv"),
    )
    .unwrap();
    std::os::unix::fs::symlink(path.join("blank"), path.join("runs/faq/model")).unwrap();
    let line = RETRIEVAL
        .replace("queries.csv", "runs/faq/data/queries_test.csv")
        .replace("--model model", "--model runs/faq/model --baseline model");
    let pages = |out: &str, day: Option<&str>| {
        let mut command = EVALUATE.command(path, &format!("{line} --output {out}"));
        if let Some(day) = day {
            command.env("SOURCE_DATE_EPOCH", day);
        }
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        let file = |name: &str| fs::read_to_string(path.join(out).join(name)).unwrap();
        (file("report.html"), file("report.md"), stderr)
    };
    let (page, report, _) = pages("one", None);
    let title = "faq/model against model on faq/data";
    assert!(page.contains(&format!("<title>{title}</title>")), "{page}");
    assert!(page.contains("14 November 2023"));
    assert!(
        report.starts_with(&format!("# Evaluation: {title}\n")),
        "{report}"
    );
    assert!(report.contains("against baseline `model`. Evaluated on 14 November 2023."));
    // Equal inputs and seeds give equal bytes, on the same day.
    let again = pages("two", None);
    assert!(again.0 == page && again.1 == report);
    // Another day is no other lineage.
    let later = pages("one", Some("1800000000"));
    assert!(
        later.0 == page && later.2.contains("is up to date"),
        "{}",
        later.2
    );
    let unsound = pages("three", Some("tomorrow"));
    let warning = "SOURCE_DATE_EPOCH is `tomorrow`, which is no number of seconds";
    assert!(unsound.2.contains(warning), "{}", unsound.2);
}

#[test]
fn the_categories_that_are_right_are_counted() {
    let dir = workplace();
    let path = dir.path();
    let rows = "id,text,category\n1,The printer jams,a\n2,Reset your password,b\n";
    fs::write(path.join("train.csv"), rows).unwrap();
    let rows = "id,text,category\n1,A printer that jams,a\n2,How to reset a password,b\n";
    fs::write(path.join("test.csv"), rows).unwrap();
    let line = "classification --model model --train train.csv --test test.csv --neighbours 1";
    let found = EVALUATE.done(path, &format!("{line} --baseline model"));
    assert_eq!(
        found["first_places"],
        json!("The category is right for 2 of 2 tickets, as before.")
    );
}
