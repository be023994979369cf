//! `pairmill-generate corpus`: files of text in, folders of tables out.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;

use insta::assert_snapshot;
use pairmill_tables::Lineage;
use pairmill_tests::tables::{columns, rows};
use pairmill_tests::{GENERATE, MINE, names};
use tempfile::TempDir;

use crate::harness::{table, tables, write};
use crate::promises::check_corpus;

/// 60 guides, 20 pages, 10 notes and 2 answers, and what no document can be made of.
fn folder_with_documents() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for n in (0..60).rev() {
        let front_matter = match n % 2 {
            0 => format!(
                "---\ntitle: Pump {n}\ndescription: How to run pump {n}\ntags: [a, b]\n---\n"
            ),
            _ => format!("# Pump {n}\n\n"),
        };
        let text = format!(
            "{front_matter}Pump {n} moves water.\n\n## Overview\n\nIt has {n} valves. Use `pump-{n} --on`.\n\n\
             ```sh\nsecret_code {n}\n```\n\n## Bleed pump {n}\n\n### Tools for pump {n}\n\nTake wrench {n}.\n\n\
             ## Safety\n\nSwitch off the mains first.\n\n## See also\n\n- [Pumps](index.md), number {n}\n"
        );
        write(dir.path(), &format!("docs/guides/pump-{n:02}.md"), text);
    }
    for n in 0..20 {
        let text = format!(
            "<!doctype html><title>Valve {n} | Acme</title><style>p {{ top: secret_style }}</style>\
             <nav>secret_navigation</nav><h1>Valve {n}</h1><p>Valve {n} opens <code>left-{n}</code>.\
             <script>secret_script()</script><pre>secret_code</pre>\
             <h2>Clean valve {n}</h2><p>Brush &amp; rinse {n} times.<h2>Safety</h2>Wear gloves, pair {n}."
        );
        write(dir.path(), &format!("docs/site/valve-{n:02}.html"), text);
    }
    for n in 0..10 {
        let words: Vec<_> = (0..450).map(|word| format!("w{n}x{word}")).collect();
        write(
            dir.path(),
            &format!("docs/notes/{n}.txt"),
            format!("Note {n}\n\n{}\n", words.join(" ")),
        );
    }
    for weather in ["rain", "snow"] {
        let text = format!(
            "# Start in {weather}\n\nMind the {weather}.\n\n## When it {weather}s\n\nStay inside.\n"
        );
        write(dir.path(), &format!("docs/faq/{weather}.md"), text);
    }
    write(dir.path(), "docs/empty.md", " \n");
    write(dir.path(), "docs/only-code.md", "```\nx\n```\n");
    write(dir.path(), "docs/latin1.txt", b"caf\xe9");
    symlink("nowhere", dir.path().join("docs/broken.md")).unwrap();
    write(dir.path(), "docs/.drafts/hidden.md", "# Hidden\n\nnot read");
    write(dir.path(), "docs/picture.png", "x");
    dir
}

#[test]
fn files_become_the_tables_of_the_contract() {
    let dir = folder_with_documents();
    let ended = GENERATE.run(
        dir.path(),
        "corpus --input docs --output out --negatives-per-anchor 2 --json",
    );
    let summary = ended.report();
    let out = dir.path().join("out");
    let expected = "corpus.parquet labeled_dev.parquet labeled_test.parquet labeled_train.parquet lineage.json \
                    pairs_train.parquet qrels_dev.parquet qrels_test.parquet qrels_train.parquet \
                    queries_dev.parquet queries_test.parquet summary.json";
    assert_eq!(
        names(&out).into_iter().collect::<Vec<_>>(),
        expected.split_whitespace().collect::<Vec<_>>()
    );
    check_corpus(&out, 2);
    assert_eq!(summary["documents"], 92);
    assert_eq!(
        summary["skipped"],
        serde_json::json!({"empty": 2, "not_utf8": 1, "unreadable": 1})
    );
    assert_eq!(summary["other_files"], 1);
    // 60 times `Switch off the mains first.` is one passage, and so is `Stay inside.` twice.
    assert_eq!(summary["rows"]["folded"], 60);
    assert_eq!(summary["rows"]["used"], table(&out, "corpus").len());
    for warning in [
        "broken.md: cannot be read (No such file or directory (os error 2)); skipped",
        "empty.md: holds no text; skipped",
        "only-code.md: holds no text; skipped",
        "latin1.txt: not UTF-8 (first at byte 3); convert it; skipped",
    ] {
        assert!(
            ended.stderr.contains(warning),
            "{warning}: {}",
            ended.stderr
        );
    }
    for name in tables(&out).keys() {
        let lineage = Lineage::of_parquet(&out.join(name)).expect(name);
        assert_eq!(lineage.stage, "generate corpus");
    }
}

#[test]
fn passages_hold_their_text_and_nothing_around_it() {
    let dir = folder_with_documents();
    GENERATE.done(dir.path(), "corpus --input docs --output out");
    let out = dir.path().join("out");
    let corpus = table(&out, "corpus");
    assert_eq!(
        columns(&out.join("corpus.parquet")),
        ["id", "title", "text", "source"]
    );
    let of = |source: &str| -> String {
        let rows = corpus.iter().filter(|row| row[3] == source);
        rows.map(|row| row.join(" | ") + "\n").collect()
    };
    assert_snapshot!(of("guides/pump-02.md"), @"
    guides/pump-02.md#1 | Pump 2 | Pump 2 moves water. | guides/pump-02.md
    guides/pump-02.md#2 | Pump 2 | It has 2 valves. Use pump-2 --on. | guides/pump-02.md
    guides/pump-02.md#3 | Pump 2 > Bleed pump 2 | Take wrench 2. | guides/pump-02.md
    guides/pump-02.md#5 | Pump 2 | Pumps, number 2 | guides/pump-02.md
    ");
    assert_snapshot!(of("site/valve-07.html"), @"
    site/valve-07.html#1 | Valve 7 | Valve 7 opens left-7. | site/valve-07.html
    site/valve-07.html#2 | Valve 7 | Brush & rinse 7 times. | site/valve-07.html
    site/valve-07.html#3 | Valve 7 | Wear gloves, pair 7. | site/valve-07.html
    ");
    let notes: Vec<_> = corpus
        .iter()
        .filter(|row| row[3] == "notes/3.txt")
        .collect();
    let words = notes.iter().map(|row| row[2].split_whitespace().count());
    assert_eq!(words.collect::<Vec<_>>(), [200, 200, 50]);
    assert!(
        corpus
            .iter()
            .all(|row| !row[2].contains("secret") && !row[2].contains("not read"))
    );
}

#[test]
fn headings_and_titles_ask_for_first_passages() {
    let dir = folder_with_documents();
    let summary = GENERATE.done(dir.path(), "corpus --input docs --output out");
    let out = dir.path().join("out");
    let asked = |id: &str| -> BTreeSet<String> {
        let splits = ["train", "dev", "test"].into_iter();
        let labeled = splits.flat_map(|split| table(&out, &format!("labeled_{split}")));
        let positives = labeled.filter(|row| row[4] == "1.0" && row[2] == id);
        positives.map(|row| row[1].clone()).collect()
    };
    let set = |texts: &[&str]| {
        texts
            .iter()
            .map(|&text| text.to_owned())
            .collect::<BTreeSet<_>>()
    };
    // The description comes before the title, which asks where there is none.
    assert_eq!(asked("guides/pump-02.md#1"), set(&["How to run pump 2"]));
    assert_eq!(asked("guides/pump-03.md#1"), set(&["Pump 3"]));
    assert_eq!(asked("guides/pump-02.md#2"), set(&["Pump 2: Overview"]));
    assert_eq!(asked("guides/pump-02.md#3"), set(&["Tools for pump 2"]));
    assert_eq!(
        asked("guides/pump-02.md#5"),
        set(&[]),
        "`See also` asks for nothing"
    );
    assert_eq!(asked("site/valve-07.html#3"), set(&["Valve 7: Safety"]));
    assert_eq!(asked("notes/3.txt#1"), set(&["Note 3"]));
    assert_eq!(asked("notes/3.txt#2"), set(&[]));
    // All guides say the same under `Safety`: it answers none of them.
    assert_eq!(asked("guides/pump-00.md#4"), set(&[]));
    // Of two equal passages the first is kept, with its own heading.
    assert_eq!(asked("faq/rain.md#2"), set(&["When it rains"]));
    assert_eq!(summary["headings_prefixed"], 60 + 20);
    assert_eq!(summary["headings_left_out"], 60 + 60 + 1);

    GENERATE.done(
        dir.path(),
        "corpus --input docs --output alone --max-documents-per-heading 80",
    );
    let pairs = tables(&dir.path().join("alone"));
    let alone = pairs.values().flatten().any(|row| row[1] == "Safety");
    assert!(
        alone,
        "a heading of 80 documents asks alone if the user says so"
    );
}

#[test]
fn neither_threads_nor_the_order_of_files_change_a_byte() {
    let dir = folder_with_documents();
    GENERATE.done(dir.path(), "corpus --input docs --output four --threads 4");
    GENERATE.done(dir.path(), "corpus --input docs --output one --threads 1");
    // The same files, found in another order.
    GENERATE.done(
        dir.path(),
        "corpus --input docs/site docs/notes --input docs/guides docs --output parts",
    );
    let copy = dir.path().join("copy");
    for folder in ["site", "notes", "guides", "faq"] {
        for name in names(&dir.path().join("docs").join(folder)) {
            let name = format!("{folder}/{name}");
            write(
                &copy,
                &name,
                fs::read(dir.path().join("docs").join(&name)).unwrap(),
            );
        }
    }
    GENERATE.done(dir.path(), "corpus --input copy --output copied");
    let four = dir.path().join("four");
    for name in names(&four) {
        let bytes = |folder: &str| fs::read(dir.path().join(folder).join(&name)).unwrap();
        assert!(bytes("four") == bytes("one"), "{name}");
        assert!(bytes("four") == bytes("parts"), "{name}");
    }
    assert_eq!(tables(&four), tables(&dir.path().join("copied")));
}

#[test]
fn an_output_is_left_alone_until_a_file_changes() {
    let dir = folder_with_documents();
    let line = "corpus --input docs --output out";
    let first = GENERATE.done(dir.path(), line);
    let mut again = GENERATE.done(dir.path(), line);
    assert_eq!(again["up_to_date"], true);
    again["up_to_date"] = false.into();
    assert_eq!(again, first);
    write(dir.path(), "docs/guides/new.md", "# New pump\n\nIt is new.");
    let changed = GENERATE.done(dir.path(), line);
    assert_eq!(changed["up_to_date"], false);
    assert_eq!(changed["documents"], 93);
}

#[test]
fn a_limit_takes_whole_documents_and_a_smaller_one_takes_fewer_of_the_same() {
    let dir = folder_with_documents();
    let sources = |limit: usize| -> BTreeSet<String> {
        GENERATE.done(
            dir.path(),
            &format!("corpus --input docs/guides --output out{limit} --limit {limit}"),
        );
        let corpus = table(&dir.path().join(format!("out{limit}")), "corpus");
        corpus.into_iter().map(|row| row[3].clone()).collect()
    };
    let [fewer, more] = [40, 50].map(sources);
    assert_eq!((fewer.len(), more.len()), (40, 50));
    assert!(fewer.is_subset(&more));
}

#[test]
fn a_tokenizer_counts_what_the_model_will_see() {
    let dir = folder_with_documents();
    let tokenizer = pairmill_tests::model().join("tokenizer.json");
    fs::copy(tokenizer, dir.path().join("tokenizer.json")).unwrap();
    let line = "corpus --input docs --output out --max-tokens 100 --tokenizer tokenizer.json";
    GENERATE.done(dir.path(), line);
    check_corpus(&dir.path().join("out"), 1);
    let corpus = table(&dir.path().join("out"), "corpus");
    let notes = corpus.iter().filter(|row| row[3] == "notes/3.txt");
    // Each of its words is four tokens or more.
    let words: Vec<_> = notes.map(|row| row[2].split_whitespace().count()).collect();
    assert!(
        words.len() > 9 && words.iter().all(|&words| words <= 25),
        "{words:?}"
    );
    assert_eq!(words.iter().sum::<usize>(), 450);
    // The tokenizer belongs to the lineage.
    assert_eq!(GENERATE.done(dir.path(), line)["up_to_date"], true);
    write(dir.path(), "tokenizer.json", "{}");
    let error = GENERATE.run(dir.path(), line).error(1);
    assert!(
        error.starts_with("error: tokenizer.json: not a sound tokenizer"),
        "{error}"
    );
}

#[test]
fn mining_leaves_out_passages_of_the_same_document() {
    let dir = folder_with_documents();
    GENERATE.done(dir.path(), "corpus --input docs --output out");
    MINE.done(
        dir.path(),
        "--pairs out/pairs_train.parquet --corpus out/corpus.parquet --qrels out/qrels_train.parquet \
         --group-column source --output candidates.parquet",
    );
    let reasons = rows(&dir.path().join("candidates.parquet"), &["reason"]);
    assert!(reasons.iter().any(|row| row[0] == "same_group"));
}

#[test]
fn files_that_make_no_data_set_are_refused() {
    let dir = folder_with_documents();
    let path = dir.path();
    write(path, "table/data.csv", "id,text\n");
    write(path, "other/picture.png", "");
    write(path, "bad/empty.md", "");
    write(path, "bad/latin1.txt", b"caf\xe9");
    write(path, "plain/a.txt", "Some text without a title.\n");
    let error =
        |input: &str| GENERATE.refused(path, &format!("corpus --input {input} --output new"), 1);
    assert_snapshot!(error("nowhere"), @"error: nowhere: no such file or folder; check the path");
    assert_snapshot!(error("table"), @"error: table: has no rows; expected a corpus table with at least one");
    assert_snapshot!(error("table/data.csv"), @"error: table/data.csv: has no rows; expected a corpus table with at least one");
    assert_snapshot!(error("other"), @"error: other: holds no document (files of other kinds: 1); expected .md, .mdx, .rst, .html or .txt, or a table of documents (.parquet, .csv, .jsonl …); check the path or convert them");
    assert_snapshot!(error("other/picture.png"), @"error: other/picture.png: cannot tell the kind of document from the name; expected .md, .mdx, .rst, .html or .txt, or a table (.parquet, .csv, .jsonl …); convert it or give the folder it lies in");
    assert_snapshot!(error("bad"), @"error: bad: no document can be used (1 without text, 1 not UTF-8, 0 unreadable); expected UTF-8 text outside code, navigation and front matter; see the warnings above for each file");
    assert_snapshot!(error("plain"), @"error: plain: no document of 1 has a title, a description or a heading of its own, or a passage of which one part shares a word with the rest, so there is no query; add headings or titles, or make queries by other means and use `generate qa`");
    assert_snapshot!(error("docs/guides/pump-01.md docs/guides/pump-02.md"), @"error: docs/guides/pump-01.md, docs/guides/pump-02.md: no query is left for test of 9 passages of 2 documents (split 0.8,0.1,0.1); bring more documents or give test more with --split");
    assert_snapshot!(error("docs --tokenizer docs/empty.md"), @"error: docs/empty.md: not a sound tokenizer (EOF while parsing a value at line 2 column 0); expected a Hugging Face tokenizer.json");
    let usage = GENERATE.refused(path, "corpus --input docs --output new --max-tokens 0", 2);
    assert!(usage.contains("--max-tokens"), "{usage}");
    let usage = GENERATE.refused(path, "corpus --output new", 2);
    assert!(usage.contains("--input"), "{usage}");
}
