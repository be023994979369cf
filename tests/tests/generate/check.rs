//! `check` as its users run it: what it finds, mends and writes.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tests::tables::rows;
use pairmill_tests::{GENERATE, TRAIN, model, names, write_tiny_model};
use serde_json::{Value, json};

use crate::harness::{folder_with_inputs, write_csv};

/// Rows of a table of findings: kind, id, id beside, reason.
fn findings(folder: &Path) -> Vec<Vec<String>> {
    let columns = ["kind", "id", "other_id", "detail"];
    rows(&folder.join("findings.parquet"), &columns)
}

fn lines(rows: &[Vec<String>]) -> String {
    let rows: Vec<String> = rows.iter().map(|row| row.join(" | ")).collect();
    rows.join("\n")
}

fn tickets(dir: &Path, rows: &[&str]) {
    let rows: Vec<String> = rows.iter().map(|&row| row.to_owned()).collect();
    write_csv(&dir.join("tickets.csv"), "id,text,category", &rows);
}

#[test]
fn each_finding_is_a_row_and_the_card_counts_them() {
    let dir = tempfile::tempdir().unwrap();
    tickets(
        dir.path(),
        &[
            "1,My card was declined at the shop this morning again,cards",
            "2,my card was declined at the shop this morning again!,Cards",
            "3,My card was declined at the till this morning again,cards",
            "4,My card was declined at the shop this morning again,billing",
            "5,MÃ¼ller wrote <b>this</b> from ann@example.org,billing",
            "6,the lamp is on,lamps",
        ],
    );
    let report = GENERATE.done(dir.path(), "check --input tickets.csv --output out");
    let out = dir.path().join("out");
    let files = "card.html card.json card.md croissant.json findings.parquet lineage.json";
    assert_eq!(names(&out).into_iter().collect::<Vec<_>>().join(" "), files);
    assert_snapshot!(lines(&findings(&out)), @r#"
    exact_duplicate | 2 | 1 | row 1 has the same text with the same category
    near_duplicate | 3 | 1 | 81 % of the words are those of row 1
    conflicting_label | 4 | 1 | labelled `billing` here and `cards` in row 1
    mojibake | 5 | - | `Ã¼` should be `ü`
    html_markup | 5 | - | a tag of HTML, and 1 more
    one_member_category | 2 | - | `Cards` has no other row
    one_member_category | 6 | - | `lamps` has no other row
    category_spelling | 2 | - | "Cards" is `cards` in 2 other rows
    email | 5 | - | an e-mail address
    "#);
    let counts = &report["counts"];
    assert_eq!(counts["exact_duplicate"], 1);
    assert_eq!(counts["phone"], 0, "what is not found is counted too");
    assert_eq!(counts["leakage"], Value::Null, "there are no splits");
    assert_eq!(report["findings"], findings(&out).len());
    assert_eq!(report["rows"], json!({"tickets.csv": 6}));

    let card: Value = serde_json::from_slice(&fs::read(out.join("card.json")).unwrap()).unwrap();
    for kind in card["kinds"].as_array().unwrap() {
        let name = kind["kind"].as_str().unwrap();
        assert_eq!(kind["findings"], counts[name], "{name}");
        if let Some(place) = kind["in_findings"].as_array() {
            let [first, last] = [0, 1].map(|at| place[at].as_u64().unwrap() as usize);
            let own = &findings(&out)[first - 1..last];
            assert_eq!(own.len() as u64, kind["findings"].as_u64().unwrap());
            assert!(own.iter().all(|row| row[0] == name), "{name}");
        }
    }
    let html = fs::read_to_string(out.join("card.html")).unwrap();
    assert!(html.contains("href=\"#exact_duplicate\""));
    assert!(
        !html.contains("ann@example.org"),
        "a card shows no personal data"
    );
    let croissant: Value =
        serde_json::from_slice(&fs::read(out.join("croissant.json")).unwrap()).unwrap();
    assert_eq!(croissant["distribution"][0]["encodingFormat"], "text/csv");
}

#[test]
fn tables_of_every_kind_are_told_by_their_columns() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, header: &str, rows: &[&str]| {
        let rows: Vec<String> = rows.iter().map(|&row| row.to_owned()).collect();
        write_csv(&dir.path().join(name), header, &rows);
    };
    write("qa.csv", "question,answer", &["why?,so", "why,so"]);
    write("pairs.csv", "anchor,positive", &["why?,so", "how?,thus"]);
    write(
        "labels.csv",
        "sentence1,sentence2,label",
        &["a,b,1", "a,b,0"],
    );
    write(
        "triplets.csv",
        "anchor,positive,negative",
        &["why?,so,thus", "why?,thus,never"],
    );
    write("corpus.csv", "id,title,text", &["1,,same", "2,,same"]);
    write("queries.csv", "id,text", &["1,why?", "1,how?"]);
    write(
        "qrels.csv",
        "query_id,corpus_id,score",
        &["1,1,1", "1,1,2", "9,1,1"],
    );
    for (file, kind, found) in [
        ("qa", "qa", "exact_duplicate"),
        ("labels", "labeled", "conflicting_label"),
        ("triplets", "triplets", "positive_as_negative"),
        ("corpus", "corpus", "two_ids"),
        ("queries", "queries", "reused_id"),
        ("qrels", "qrels", "conflicting_label"),
    ] {
        let line = format!("check --input {file}.csv --output {file}");
        let report = GENERATE.done(dir.path(), &line);
        assert_eq!(report["counts"][found], 1, "{file}: {report}");
        let card = fs::read(dir.path().join(file).join("card.json")).unwrap();
        let card: Value = serde_json::from_slice(&card).unwrap();
        assert_eq!(card["tables"][0]["kind"], kind);
    }
    let report = GENERATE.done(dir.path(), "check --input pairs.csv --output pairs");
    assert_eq!(report["counts"]["exact_duplicate"], 0);

    let line = "check --input qrels.csv --corpus corpus.csv --queries queries.csv --output judged";
    let counts = &GENERATE.done(dir.path(), line)["counts"];
    assert_eq!(
        (&counts["unknown_id"], &counts["unjudged_duplicate"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn a_text_of_two_splits_is_found_whichever_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    let rows = |rows: &[&str]| rows.iter().map(|&row| row.to_owned()).collect::<Vec<_>>();
    let path = |name: &str| dir.path().join(name);
    let header = "id,text,category";
    let train = rows(&["a,Cancel order,x", "b,Where is it?,x", "c,other,y"]);
    write_csv(&path("train.csv"), header, &train);
    let test = rows(&[
        "d,cancel  ORDER,x",
        "e,cancel order,x",
        "f,where is it,x",
        "g,new,y",
    ]);
    write_csv(&path("test.csv"), header, &test);
    for (input, against) in [("train", "test"), ("test", "train")] {
        let line = format!("check --input {input}.csv --against {against}.csv --output {input}");
        let report = GENERATE.done(dir.path(), &line);
        assert_eq!(report["counts"]["leakage"], 2, "{report}");
        assert_eq!(report["counts"]["near_leakage"], 1, "{report}");
        let found = findings(&path(input));
        let leaks: Vec<_> = found
            .iter()
            .filter(|row| row[0].ends_with("leakage"))
            .collect();
        let mut ids: Vec<_> = leaks.iter().map(|row| [&row[1], &row[2]]).collect();
        ids.sort_unstable();
        assert_eq!(ids, [["d", "a"], ["e", "a"], ["f", "b"]]);
    }
    let line = "check --input train.csv --against test.csv --output mended --fix leakage";
    let mended = &GENERATE.done(dir.path(), line)["mended"];
    assert_eq!(
        (&mended["rows"], &mended["dropped"]),
        (&json!(2), &json!(1))
    );
    let dropped = rows_of(&path("mended/dropped.parquet"));
    assert_eq!(dropped[0][..4], ["1", "a", "dropped", "leakage"]);
    assert!(
        dropped[0][6].contains("Cancel order"),
        "nothing is lost: {dropped:?}"
    );
}

fn rows_of(file: &Path) -> Vec<Vec<String>> {
    rows(file, &pairmill_tests::tables::columns(file))
}

#[test]
fn the_splits_that_generate_makes_share_no_text() {
    let dir = folder_with_inputs();
    for kind in ["qa", "tickets"] {
        GENERATE.done(
            dir.path(),
            &format!("{kind} --input {kind}.csv --output {kind}"),
        );
        let line = format!("check --input {kind} --output {kind}-check");
        let report = GENERATE.done(dir.path(), &line);
        assert_eq!(report["counts"]["leakage"], 0, "{report}");
        assert_eq!(
            report["rows"].as_object().unwrap().len(),
            if kind == "qa" { 7 } else { 3 }
        );
    }
    let line = "check --input qa --output x --fix";
    assert_snapshot!(GENERATE.refused(dir.path(), line, 1), @"error: qa: a folder of several splits cannot be mended at once; give one of its tables as --input and the others as --against");
}

#[test]
fn fixes_are_applied_by_name_and_nothing_is_lost_without_a_word() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [
        "1,MÃ¼ller &amp; Sons,Shop,x",
        "2,MÃ¼ller &amp; Sons,shop,",
        "3, ,shop,y",
        "4,a lamp,shop,z",
    ];
    let rows: Vec<String> = rows.iter().map(|&row| row.to_owned()).collect();
    write_csv(&dir.path().join("t.csv"), "id,text,category,agent", &rows);
    let report = GENERATE.done(dir.path(), "check --input t.csv --output safe --fix");
    let mended = rows_of(&dir.path().join("safe/mended.parquet"));
    assert_snapshot!(lines(&mended), @r#"
    1 | Müller &amp; Sons | shop | x
    4 | a lamp | shop | z
    "#);
    let audit = rows_of(&dir.path().join("safe/dropped.parquet"));
    assert_snapshot!(lines(&audit), @r#"
    1 | 1 | changed | mojibake | text |  | MÃ¼ller &amp; Sons | Müller &amp; Sons
    1 | 1 | changed | category_spelling | category |  | Shop | shop
    2 | 2 | dropped | exact_duplicate | - | row 1 has the same text with the same category | {"agent":"","category":"shop","text":"MÃ¼ller &amp; Sons"} | -
    3 | 3 | dropped | empty_text | - | nothing stands here | {"agent":"y","category":"shop","text":" "} | -
    "#);
    let counts = &report["mended"];
    let dropped = audit.iter().filter(|row| row[2] == "dropped").count();
    assert_eq!(counts["dropped"], dropped);
    assert_eq!(counts["changed"], audit.len() - dropped);
    assert_eq!(counts["rows"].as_u64().unwrap() as usize + dropped, 4);

    GENERATE.done(
        dir.path(),
        "check --input t.csv --output markup --fix html_markup --keep-columns agent",
    );
    let mended = rows_of(&dir.path().join("markup/mended.parquet"));
    assert_eq!(mended[0], ["1", "MÃ¼ller & Sons", "Shop", "x"]);
    assert_eq!(mended.len(), 4);
    assert_eq!(mended[1][3], "-", "a blank cell stays blank");
}

#[test]
fn personal_data_gets_placeholders_and_is_in_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [
        "1,I am Ann Example (ann@example.org),Ann Example",
        "2,Ann Example again: +49 30 1234567,ann example",
        "3,Ann@Example.org &amp; 4111 1111 1111 1111,",
    ];
    let rows: Vec<String> = rows.iter().map(|&row| row.to_owned()).collect();
    write_csv(&dir.path().join("t.csv"), "id,text,customer", &rows);
    let line = "check --input t.csv --output out --anonymise --personal-columns customer \
                --fix html_markup --table-format csv";
    GENERATE.done(dir.path(), line);
    let out = dir.path().join("out");
    let mended = fs::read_to_string(out.join("mended.csv")).unwrap();
    assert_snapshot!(mended, @r#"
    id,text,customer
    1,I am <CUSTOMER_1> (<EMAIL_1>),<CUSTOMER_1>
    2,<CUSTOMER_1> again: <PHONE_1>,<CUSTOMER_1>
    3,<EMAIL_1> & <CARD_1>,
    "#);
    for name in names(&out) {
        let file = fs::read(out.join(&name)).unwrap();
        let file = String::from_utf8_lossy(&file).to_lowercase();
        for personal in ["ann@example", "ann example", "1234567", "4111 1111"] {
            assert!(!file.contains(personal), "{name} holds {personal}");
        }
    }
}

#[test]
fn the_order_of_what_is_written_depends_on_no_thread() {
    let dir = folder_with_inputs();
    for threads in [1, 4] {
        let line = format!("check --input tickets.csv --output out{threads} --threads {threads}");
        GENERATE.done(dir.path(), &line);
    }
    let [one, four] = ["out1", "out4"].map(|out| dir.path().join(out));
    for name in names(&one) {
        let bytes = |folder: &Path| fs::read(folder.join(&name)).unwrap();
        assert!(bytes(&one) == bytes(&four), "{name}");
    }
    let line = "check --input tickets.csv --output out1";
    assert_eq!(GENERATE.done(dir.path(), line)["up_to_date"], true);
    let line = "check --input tickets.csv --output out1 --skip phone";
    assert_eq!(GENERATE.done(dir.path(), line)["up_to_date"], false);
}

#[test]
fn hostile_tables_are_looked_through() {
    let dir = tempfile::tempdir().unwrap();
    let same: Vec<String> = (0..5_000)
        .map(|n| format!("{n},always the same,a"))
        .collect();
    write_csv(&dir.path().join("same.csv"), "id,text,category", &same);
    let report = GENERATE.done(dir.path(), "check --input same.csv --output same --fix");
    assert_eq!(report["counts"]["exact_duplicate"], 4_999);
    assert_eq!(report["counts"]["near_duplicate"], 0);
    assert_eq!(report["mended"]["rows"], 1);

    let alone: Vec<String> = (0..50)
        .map(|n| format!("{n},text number {n},category {n}"))
        .collect();
    write_csv(&dir.path().join("alone.csv"), "id,text,category", &alone);
    let report = GENERATE.done(dir.path(), "check --input alone.csv --output alone");
    assert_eq!(report["counts"]["one_member_category"], 50);

    // One template, so that each is nearly each.
    let words = "the light of our device is blinking and does not stop since we";
    let alike: Vec<String> = (0..400)
        .map(|n| format!("{n},{words} moved it {n},a"))
        .collect();
    write_csv(&dir.path().join("alike.csv"), "id,text,category", &alike);
    let ended = GENERATE.run(dir.path(), "check --input alike.csv --output alike");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("have more than 100 near-duplicates"),
        "{}",
        ended.stderr
    );

    let html = "<div><p a='\"><script>x</p></table><!-- &#99999999999; &bogus; <<<>>> <b <i></";
    let rows = [json!({"id": "1", "text": html, "category": "a\u{0}"})];
    let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    fs::write(dir.path().join("html.jsonl"), rows.join("\n")).unwrap();
    GENERATE.done(
        dir.path(),
        "check --input html.jsonl --output html --fix html_markup,mail_signature,quoted_mail",
    );
    let mended = rows_of(&dir.path().join("html/mended.parquet"));
    assert!(mended[0][1].contains("<<<>>>"), "{mended:?}");
}

#[test]
fn what_cannot_be_checked_is_refused() {
    let dir = folder_with_inputs();
    fs::write(dir.path().join("empty.csv"), "id,text,category\n").unwrap();
    fs::write(dir.path().join("other.csv"), "a,b\n1,2\n").unwrap();
    let error = |line: &str, code| GENERATE.refused(dir.path(), &format!("check {line}"), code);
    assert_snapshot!(error("--input empty.csv --output out", 1), @"error: empty.csv: has no rows; expected a tickets table with at least one");
    assert_snapshot!(error("--input other.csv --output out", 1), @"error: other.csv: cannot tell from its columns what its rows say; found a, b; name it with --kind (tickets, qa, pairs, labeled, triplets, corpus, queries or qrels)");
    assert_snapshot!(error("--input - --output out", 1), @"error: standard input cannot be looked at before it is read; name what it holds with --kind");
    assert_snapshot!(error("--input tickets.csv --output out --personal-columns text", 1), @"error: tickets.csv: the column `text` is read as a text; --personal-columns takes columns beside those, such as a customer's name");
    assert_snapshot!(error("--input tickets.csv --output out --personal-columns name", 1), @"error: tickets.csv: no column `name` (wanted beside those of a tickets table); found id, text, category");
    assert_snapshot!(error("--input tickets.csv --output out --fix phone", 2), @r#"
    error: invalid value 'phone' for '--fix [<KINDS>]'
      [possible values: safe, relabel, exact_duplicate, near_duplicate, near_leakage, leakage, paraphrase_leakage, label_noise, positive_as_negative, unknown_id, empty_text, mojibake, control_character, html_markup, quoted_mail, mail_signature, boilerplate, other_language, one_member_category, category_spelling]
    
    For more information, try '--help'.
    "#);
    assert_snapshot!(error("--input tickets.csv --output out --near-duplicates 80", 2), @r#"
    error: invalid value '80' for '--near-duplicates <X>': expected a number above 0 and up to 1
    
    For more information, try '--help'.
    "#);
    assert_snapshot!(
        error("--input tickets.csv --output out --only email --skip email", 2),
        @"error: --only and --skip leave no kind to look for; skip fewer"
    );
}

/// 80 tickets about lamps and invoices, of which two are filed under the other queue.
fn mislabelled(dir: &Path) {
    let rows = (0..80).map(|n| {
        let (text, own, other) = match n % 2 {
            0 => ("the lamp of lorry is broken and dark", "lamps", "money"),
            _ => (
                "please send me another invoice for my order",
                "money",
                "lamps",
            ),
        };
        let queue = if [10, 33].contains(&n) { other } else { own };
        format!("t{n},{text} {n},{queue}")
    });
    let rows: Vec<String> = rows.collect();
    write_csv(&dir.join("tickets.csv"), "id,text,category", &rows);
    write_tiny_model(&dir.join("tiny"));
    TRAIN.done(dir, "export --model tiny --output onnx");
}

#[test]
fn categories_that_are_likely_wrong_are_found_dropped_and_changed() {
    let dir = tempfile::tempdir().unwrap();
    mislabelled(dir.path());
    let check = "check --input tickets.csv --model onnx --cache cache --only label_noise";
    let report = GENERATE.done(dir.path(), &format!("{check} --output out"));
    assert_eq!(report["counts"], json!({"label_noise": 2}));
    let columns = ["id", "suggestion"];
    let found = rows(&dir.path().join("out/findings.parquet"), &columns);
    assert_eq!(found, [["t10", "lamps"], ["t33", "money"]]);

    let dropped = GENERATE.done(
        dir.path(),
        &format!("{check} --output dropped --fix label_noise"),
    );
    assert_eq!(dropped["mended"]["dropped"], 2);
    let changed = GENERATE.done(
        dir.path(),
        &format!("{check} --output changed --fix relabel"),
    );
    assert_eq!(changed["mended"]["by_kind"], json!({"label_noise": 2}));
    let mended = rows(
        &dir.path().join("changed/mended.parquet"),
        &["id", "category"],
    );
    let queue = |id: &str| mended.iter().find(|row| row[0] == id).unwrap()[1].clone();
    assert_eq!(
        [queue("t10"), queue("t33"), queue("t11")],
        ["lamps", "money", "money"]
    );
}

#[test]
fn what_an_earlier_split_says_in_other_words_is_found_and_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let row = |id: &str, text: &str| format!("{id},{text},a");
    let train = [
        row("a1", "How do I reset my password?"),
        row("a2", "Where is the nearest cash machine?"),
        row("a3", "My card was stolen"),
    ];
    let test = [
        row("b1", "Where can I find the closest cash machine"),
        row("b2", "How can I reset the password I have"),
        row("b3", "my card was STOLEN"),
        row("b4", "Do you sell gift vouchers"),
    ];
    write_csv(&path.join("train.csv"), "id,text,category", &train);
    write_csv(&path.join("test.csv"), "id,text,category", &test);
    TRAIN.done(
        path,
        &format!("export --model {} --output onnx", model().display()),
    );
    let check = "check --input train.csv --against test.csv --model onnx --cache cache \
                 --only leakage,paraphrase_leakage --paraphrases 0.8";
    let report = GENERATE.done(
        path,
        &format!("{check} --output out --fix paraphrase_leakage"),
    );
    assert_eq!(
        report["counts"],
        json!({"leakage": 1, "paraphrase_leakage": 2})
    );
    let columns = ["kind", "id", "other_id"];
    let found = rows(&path.join("out/findings.parquet"), &columns);
    let expected = [
        ["leakage", "b3", "a3"],
        ["paraphrase_leakage", "b1", "a2"],
        ["paraphrase_leakage", "b2", "a1"],
    ];
    assert_eq!(found, expected);
    // Those of the table that is checked go, so that what is left can be learned from.
    let left = rows(&path.join("out/mended.parquet"), &["id"]);
    assert_eq!(left, [["a3"]]);

    let error = |line: &str| GENERATE.refused(path, &format!("check {line}"), 1);
    assert_snapshot!(error("--input train.csv --output no --only paraphrase_leakage --model onnx"), @"error: paraphrase_leakage: there is one split only; it takes two splits (--against names the other one) and a sentence encoder in ONNX: name one with --model (`pairmill-train export` makes it)");
}

#[test]
fn wrong_categories_need_a_model_in_onnx_and_categories() {
    let dir = tempfile::tempdir().unwrap();
    mislabelled(dir.path());
    let error = |line: &str, code| GENERATE.refused(dir.path(), &format!("check {line}"), code);
    assert_snapshot!(error("--input tickets.csv --output out --only label_noise", 1), @"error: label_noise: no model is given; wrong categories are told by a sentence encoder in ONNX over a table with categories: name one with --model (`pairmill-train export` makes it)");
    assert_snapshot!(error("--input tickets.csv --output out --fix relabel --model tiny", 1), @"error: label_noise: the model has no ONNX file; wrong categories are told by a sentence encoder in ONNX over a table with categories: name one with --model (`pairmill-train export` makes it)");
    assert_snapshot!(error("--input tickets.csv --output out --fix relabel,label_noise", 2), @"error: --fix label_noise drops the rows that --fix relabel keeps; name one");
    // Without its name a model without ONNX counts tokens.
    let line = "check --input tickets.csv --output out --model tiny --brief";
    let ended = GENERATE.run(dir.path(), line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("label_noise: not looked for"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("found: near_duplicate"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_threshold_ends_with_exit_code_3() {
    let dir = tempfile::tempdir().unwrap();
    tickets(dir.path(), &["1,mail ann@example.org,a", "2,other,a"]);
    let ended = |severity: &str| {
        let line = format!("check --input tickets.csv --output out --fail-on {severity}");
        GENERATE.run(dir.path(), &line).code
    };
    assert_eq!([ended("error"), ended("warning"), ended("note")], [0, 3, 3]);
}

#[test]
fn overlaps_of_public_data_sets_are_found_exactly() {
    let Some(data) = pairmill_tests::data() else {
        return;
    };
    let data = fs::canonicalize(data).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (set, overlap) in [("banking77", 7), ("hint3", 23)] {
        for (input, against) in [("train", "test"), ("test", "train")] {
            let path = |split: &str| data.join(set).join(format!("tickets_{split}.parquet"));
            let line = format!(
                "check --input {} --against {} --output {set}-{input}",
                path(input).display(),
                path(against).display()
            );
            let report = GENERATE.done(dir.path(), &line);
            assert_eq!(
                report["counts"]["leakage"], overlap,
                "{set} {input}: {report}"
            );
        }
    }
}
