//! Choosing what to label, filling it in, reading it back, and playing that through.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tests::tables::rows;
use pairmill_tests::{GENERATE, TRAIN, data, model, write_tiny_model};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{ticket_rows, write_csv};

const SELECT: &str = "select --pool pool.csv --model onnx --cache cache --output sheet.csv";
const COLLECT: &str = "collect --pool pool.csv --sheet sheet.csv --output labelled.parquet";

/// 300 texts without categories, and a tiny model.
fn workplace() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<String> = ticket_rows()
        .iter()
        .map(|row| row.rsplit_once(',').unwrap().0.to_owned())
        .collect();
    write_csv(&dir.path().join("pool.csv"), "id,text", &rows);
    write_tiny_model(&dir.path().join("tiny"));
    TRAIN.done(dir.path(), "export --model tiny --output onnx");
    dir
}

/// The rows of the sheet, and the sheet with the last digit of each id as its category.
fn fill(dir: &Path, sheet: &str, is_filled: impl Fn(usize) -> bool) -> Vec<String> {
    let text = fs::read_to_string(dir.join(sheet)).unwrap();
    let mut lines = text.lines();
    let mut filled = vec![lines.next().unwrap().to_owned()];
    let mut ids = Vec::new();
    for (number, line) in lines.enumerate() {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        ids.push(cells[0].clone());
        if is_filled(number) {
            cells[2] = format!("digit {}", &cells[0][3..]);
        }
        filled.push(cells.join(","));
    }
    // A spreadsheet may have sorted them.
    filled[1..].reverse();
    fs::write(dir.join(sheet), filled.join("\n")).unwrap();
    ids
}

#[test]
fn a_part_of_a_pool_can_be_chosen_from() {
    let dir = workplace();
    let line = format!("{SELECT} --number 5 --where id<>'t000'");
    let report = GENERATE.done(dir.path(), &line);
    assert_eq!(
        (&report["pool"]["rows"], &report["pool"]["left_out"]),
        (&json!(299), &json!(1))
    );
}

#[test]
fn a_sheet_goes_out_and_comes_back_for_the_next_round() {
    let dir = workplace();
    let path = dir.path();
    let first = GENERATE.done(path, &format!("{SELECT} --number 40 --max-similarity 1"));
    assert_eq!(
        (first["chosen"].as_u64(), first["round"].as_u64()),
        (Some(40), Some(1))
    );
    // Ten texts of the pool stand under two ids.
    let pool = json!({
        "rows": 300, "left_out": 0, "empty": 0, "repeated": 5, "labelled": 0, "left": 295
    });
    assert_eq!(first["pool"], pool);
    let chosen = fill(path, "sheet.csv", |row| row % 4 != 3);

    let collected = GENERATE.done(path, COLLECT);
    assert_eq!(collected["filled"], 30);
    assert_eq!(collected["blank"], 10);
    let labelled = rows(
        &path.join("labelled.parquet"),
        &["id", "text", "category", "round"],
    );
    assert_eq!(labelled.len(), 30);
    for row in &labelled {
        assert!(
            chosen.contains(&row[0]) && row[1].starts_with("the screen"),
            "{row:?}"
        );
        assert_eq!(
            (row[2].clone(), row[3].as_str()),
            (format!("digit {}", &row[0][3..]), "1")
        );
    }

    let line = SELECT.replace("sheet.csv", "second.csv");
    let second = GENERATE.done(
        path,
        &format!("{line} --labelled labelled.parquet --number 20 --max-similarity 1"),
    );
    assert_eq!(
        (second["chosen"].as_u64(), second["round"].as_u64()),
        (Some(20), Some(2))
    );
    assert_eq!(
        (second["labelled"].as_u64(), &second["stability"]),
        (Some(30), &Value::Null)
    );
    let sheet = fs::read_to_string(path.join("second.csv")).unwrap();
    let ids: BTreeSet<&str> = sheet.lines().skip(1).map(|line| &line[..4]).collect();
    assert!(labelled.iter().all(|row| !ids.contains(row[0].as_str())));
    assert!(
        sheet.lines().nth(1).unwrap().contains(",digit "),
        "a suggestion: {sheet}"
    );

    fill(path, "second.csv", |_| true);
    let line = format!("{COLLECT} --sheet second.csv").replace("labelled.p", "both.p");
    let both = GENERATE.done(path, &line);
    assert_eq!(
        (both["filled"].as_u64(), both["labelled"].as_u64()),
        (Some(50), Some(50))
    );
    let line = SELECT.replace("sheet.csv", "third.csv");
    let third = GENERATE.done(path, &format!("{line} --labelled both.parquet --number 5"));
    assert_eq!(
        (
            third["round"].as_u64(),
            third["stability"]["labels"].as_u64()
        ),
        (Some(3), Some(20))
    );
}

#[test]
fn a_sheet_that_was_filled_in_is_not_replaced() {
    let dir = workplace();
    let line = format!("{SELECT} --number 10");
    GENERATE.done(dir.path(), &line);
    assert_eq!(GENERATE.done(dir.path(), &line)["up_to_date"], true);
    fill(dir.path(), "sheet.csv", |_| true);
    let before = fs::read(dir.path().join("sheet.csv")).unwrap();
    GENERATE
        .run(dir.path(), &format!("{SELECT} --number 11"))
        .error(1);
    assert_eq!(fs::read(dir.path().join("sheet.csv")).unwrap(), before);
}

#[test]
fn what_does_not_fit_the_pool_or_itself_is_refused_and_a_slip_of_the_pen_is_named() {
    let dir = workplace();
    let path = dir.path();
    let collect = |sheet: &str| {
        fs::write(path.join("sheet.csv"), format!("id,text,category\n{sheet}")).unwrap();
        GENERATE.run(path, COLLECT)
    };
    assert_snapshot!(collect("t999,x,A\n").error(1), @"error: sheet.csv: the id `t999` is not in pool.csv; give the pool that the sheet was made of, or correct the id");
    assert_snapshot!(collect("t001,x,A\nt001,x,B\n").error(1), @"error: sheet.csv: the id `t001` has the category `B`, and `A` in another row or sheet; keep one");
    assert_snapshot!(collect("t001,x,\nt002,x, \n").error(1), @"error: sheet.csv: none of the 2 rows has a category; fill in the column `category` first");

    let earlier = ["t003,x,Billing".to_owned(), "t003,x,Fleet".to_owned()];
    write_csv(&path.join("earlier.csv"), "id,text,category", &earlier);
    let line = format!("{COLLECT} --labelled earlier.csv");
    assert_snapshot!(GENERATE.run(path, &line).error(1), @"error: earlier.csv: the id `t003` has the category `Fleet`, and `Billing` in another row or sheet; keep one");
    let earlier = ["t003,x,Billing".to_owned(), "t003,y,Billing".to_owned()];
    write_csv(&path.join("earlier.csv"), "id,text,category", &earlier);
    assert_snapshot!(GENERATE.run(path, &line).error(1), @r#"error: earlier.csv: the id `t003` stands for two rows that differ in `text` ("x" and "y"); give each row its own id"#);
    let earlier = ["t003,x,Billing".to_owned(), "t004,y,Fleet".to_owned()];
    write_csv(&path.join("earlier.csv"), "id,text,category", &earlier);
    fs::write(
        path.join("sheet.csv"),
        "id,text,category\nt001,x,billing\nt002,x,Bilding\nt003,x,Fleet\n",
    )
    .unwrap();
    let ended = GENERATE.run(path, &format!("{COLLECT} --labelled earlier.csv --json"));
    let report = ended.report();
    assert_eq!(report["new_categories"], json!({"Bilding": 1}));
    assert_eq!(
        (report["changed"].as_u64(), report["labelled"].as_u64()),
        (Some(1), Some(4))
    );
    assert!(
        ended.stderr.contains("no text had before: `Bilding` (1)"),
        "{}",
        ended.stderr
    );
}

#[test]
fn annotation_tools_get_their_form_and_give_it_back() {
    let dir = workplace();
    let path = dir.path();
    for form in ["label-studio", "argilla"] {
        let line = SELECT.replace("sheet.csv", &format!("{form}.json"));
        GENERATE.done(
            path,
            &format!("{line} --form {form} --number 5 --max-similarity 1"),
        );
        let text = fs::read_to_string(path.join(format!("{form}.json"))).unwrap();
        let mut tasks: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(tasks.len(), 5);
        for task in &mut tasks[..3] {
            let choice = json!([{"type": "choices", "value": {"choices": ["A"]}}]);
            task["annotations"] = json!([{"was_cancelled": false, "result": choice}]);
            task["responses"] = json!({"category": [{"value": "A", "user_id": "x"}]});
        }
        let export = format!("{form}-export.json");
        fs::write(path.join(&export), serde_json::to_string(&tasks).unwrap()).unwrap();
        let line = COLLECT.replace("sheet.csv", &export);
        let report = GENERATE.done(path, &line.replace("labelled", form));
        assert_eq!(
            (report["filled"].as_u64(), report["blank"].as_u64()),
            (Some(3), Some(2))
        );
    }
    let error = GENERATE.refused(path, &format!("{SELECT} --form argilla"), 2);
    assert_snapshot!(error, @"error: sheet.csv: --form argilla is a JSON file to import; give a name that ends in .json");
}

#[test]
fn a_pool_smaller_than_the_number_and_an_empty_one_are_told() {
    let dir = workplace();
    let path = dir.path();
    write_csv(
        &path.join("pool.csv"),
        "id,text",
        &["1,one".to_owned(), "2,two".to_owned()],
    );
    let ended = GENERATE.run(path, &format!("{SELECT} --json --max-similarity 1"));
    assert_eq!(ended.report()["chosen"], 2);
    assert!(
        ended.stderr.contains("2 texts are left to choose from"),
        "{}",
        ended.stderr
    );
    let known = ["7,ONE!,A".to_owned(), "8,two,B".to_owned()];
    write_csv(&path.join("known.csv"), "id,text,category", &known);
    let line = SELECT.replace("sheet.csv", "other.csv");
    let error = GENERATE.refused(path, &format!("{line} --labelled known.csv"), 1);
    assert_snapshot!(error, @"error: pool.csv: nothing is left to choose from: of 2 rows 2 are labelled already and 0 have no text; give more texts");
}

#[test]
fn threads_and_the_order_of_the_pool_do_not_change_the_choice() {
    let dir = workplace();
    let path = dir.path();
    let chosen = |line: &str| {
        GENERATE.done(path, line);
        fs::read_to_string(path.join(line.split(' ').next_back().unwrap())).unwrap()
    };
    let base = "select --model onnx --number 15 --pool pool.csv";
    let one = chosen(&format!("{base} --threads 1 --output a.csv"));
    assert_eq!(one, chosen(&format!("{base} --threads 3 --output b.csv")));
    let text = fs::read_to_string(path.join("pool.csv")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    fs::write(path.join("pool.csv"), lines.join("\n")).unwrap();
    assert_eq!(one, chosen(&format!("{base} --output c.csv")));
    assert_ne!(one, chosen(&format!("{base} --seed 7 --output d.csv")));
}

#[test]
fn a_simulation_compares_with_random_choices_and_draws_the_curve() {
    let dir = workplace();
    let path = dir.path();
    write_csv(&path.join("known.csv"), "id,text,category", &ticket_rows());
    let line = "simulate --pool known.csv --test known.csv --model onnx --number 20 --rounds 2 \
                --runs 2 --output out";
    let report = GENERATE.done(path, line);
    let rounds = report["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), 6);
    assert!(
        rounds
            .iter()
            .all(|round| round["accuracy"].as_f64().unwrap() > 0.0)
    );
    assert_eq!(
        rounds
            .iter()
            .filter(|round| round["strategy"] == "random")
            .count(),
        3
    );
    let page = fs::read_to_string(path.join("out/report.html")).unwrap();
    assert_eq!(page.matches("<polyline").count(), 2);
    assert_eq!(GENERATE.done(path, line)["up_to_date"], true);
}

#[test]
#[ignore = "embeds 13,000 texts, which takes more than a minute"]
fn choosing_beats_random_choices_on_banking77() {
    let data = data().expect("PAIRMILL_DATA names the real data sets");
    let dir = tempfile::tempdir().unwrap();
    let line = format!("export --model {} --output onnx", model().display());
    TRAIN.done(dir.path(), &line);
    let folder = data.join("banking77");
    let line = format!(
        "simulate --pool {0}/tickets_train.parquet --test {0}/tickets_test.parquet --model onnx \
         --number 500 --rounds 5 --runs 1 --output out",
        folder.display()
    );
    let report = GENERATE.done(dir.path(), &line);
    let accuracy = |strategy: &str| -> Vec<f64> {
        let rounds = report["rounds"].as_array().unwrap().iter();
        let of = rounds.filter(|round| round["strategy"] == strategy);
        of.map(|round| round["accuracy"].as_f64().unwrap())
            .collect()
    };
    let (chosen, random) = (accuracy("margin"), accuracy("random"));
    eprintln!(
        "chosen {chosen:?}, random {random:?}, all {}",
        report["accuracy_of_all"]
    );
    assert!(chosen[0] >= 0.83 && chosen[5] >= 0.92, "{chosen:?}");
    assert!(
        chosen
            .iter()
            .zip(&random)
            .all(|(chosen, random)| chosen > random)
    );
}
