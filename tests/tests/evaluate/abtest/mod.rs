//! `pairmill-evaluate abtest`: what a log of events says about the arms of an experiment.

mod misleading_logs;
mod page;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use insta::assert_snapshot;
use pairmill_tests::tables::{stream, write};
use pairmill_tests::{EVALUATE, names, root};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::close;

fn reference(kind: &str) -> Vec<Value> {
    let text = fs::read_to_string(root().join("tests/reference/abtest.json")).unwrap();
    let mut figures: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(figures[kind].take()).unwrap()
}

/// A folder with a file `log.csv`.
fn log(text: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("log.csv"), text).unwrap();
    dir
}

fn figures(dir: &Path, options: &str) -> Value {
    EVALUATE.done(dir, &format!("abtest --log log.csv {options}"))
}

/// Numbers in 0..1 that are the same in every run (Knuth's linear congruential generator).
fn draws() -> impl FnMut() -> f64 {
    let mut state = 6u64;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Events of users who differ in how often they click; `lift` is added to the candidate's rate.
fn events(users: [usize; 2], lift: f64) -> String {
    let mut draw = draws();
    let mut log = "arm,user_id,clicked,satisfaction\n".to_owned();
    for (arm, (name, users)) in ["control", "candidate"].into_iter().zip(users).enumerate() {
        for user in 0..users {
            let rate = 0.5 * draw().powi(2) + lift * arm as f64;
            for _ in 0..1 + (8.0 * draw()) as usize {
                let clicked = draw() < rate;
                let answer = match draw() < 0.3 {
                    true => format!("{:.2}", 3.0 + draw() + f64::from(u8::from(clicked))),
                    false => String::new(),
                };
                writeln!(log, "{name},{name}-{user},{clicked},{answer}").unwrap();
            }
        }
    }
    log
}

#[track_caller]
fn at(interval: &Value, expected: &Value, shift: f64, tolerance: f64) {
    close(
        &interval["low"],
        expected[0].as_f64().unwrap() - shift,
        tolerance,
    );
    close(
        &interval["high"],
        expected[1].as_f64().unwrap() - shift,
        tolerance,
    );
}

#[test]
fn sums_of_events_have_the_figures_of_statsmodels_and_scipy() {
    let (proportions, means) = (reference("proportions"), reference("means"));
    let case = &proportions[0];
    let mean = &means[3];
    let mut text =
        "arm,queries,clicks,satisfaction,satisfaction_count,satisfaction_sd\n".to_owned();
    for (name, arm) in [("b", "treatment"), ("a", "control")] {
        let (clicks, answers) = (&case[arm], &mean[arm]);
        writeln!(
            text,
            "{name},{},{},{},{},{}",
            clicks[1], clicks[0], answers[1], answers[0], answers[2]
        )
        .unwrap();
    }
    let dir = log(&text);
    let found = figures(dir.path(), "--control a");
    assert_eq!(found["arms"][0]["arm"], "a");
    assert_eq!(found["arms"][1]["clicks"], 120);
    at(
        &found["arms"][1]["click_through"]["interval"],
        &case["wilson"],
        0.0,
        1e-9,
    );
    at(
        &found["arms"][1]["satisfaction"]["interval"],
        &mean["interval"],
        0.0,
        1e-8,
    );
    let lift = &found["lifts"][0]["click_through"]["independent"];
    assert_eq!(lift["test"], "two_proportion_z");
    close(&lift["absolute"], 0.02, 1e-12);
    at(&lift["absolute_interval"], &case["difference"], 0.0, 1e-9);
    close(&lift["relative"], 0.2, 1e-12);
    at(&lift["relative_interval"], &case["ratio"], 1.0, 1e-9);
    close(&lift["statistic"], case["z"].as_f64().unwrap(), 1e-9);
    close(&lift["p_value"], case["p_value"].as_f64().unwrap(), 1e-9);
    close(
        &lift["chance_better"],
        case["chance"].as_f64().unwrap(),
        1e-8,
    );
    let lift = &found["lifts"][0]["satisfaction"]["independent"];
    assert_eq!(lift["test"], "welch_t");
    close(&lift["statistic"], mean["t"].as_f64().unwrap(), 1e-9);
    close(&lift["p_value"], mean["p_value"].as_f64().unwrap(), 1e-8);
    at(&lift["absolute_interval"], &mean["difference"], 0.0, 1e-8);
    // The two-sided test and the chance look at the same tail.
    let chance = lift["chance_better"].as_f64().unwrap();
    close(&lift["p_value"], 2.0 * (1.0 - chance), 1e-9);
    assert!(found["warnings"][0].as_str().unwrap().contains("no users"));
}

#[test]
fn users_are_told_apart_whether_rows_are_events_or_sums_and_in_whatever_order() {
    let clusters = reference("clusters");
    let (mut sums, mut rows) = ("arm,user_id,impressions,clicks\n".to_owned(), vec![]);
    for (arm, case) in ["control", "b"].into_iter().zip(&clusters) {
        for (user, counts) in case["users"].as_array().unwrap().iter().enumerate() {
            let of = |place: usize| counts[place].as_u64().unwrap();
            writeln!(sums, "{arm},{arm}{user},{},{}", of(1), of(0)).unwrap();
            rows.extend(
                (0..of(1)).map(|event| format!("{arm},{arm}{user},{}", u8::from(event < of(0)))),
            );
        }
    }
    let found = figures(log(&sums).path(), "");
    for (arm, case) in found["arms"].as_array().unwrap().iter().zip(&clusters) {
        let (ratio, error) = (
            case["ratio"].as_f64().unwrap(),
            case["error"].as_f64().unwrap(),
        );
        close(&arm["click_through"]["value"], ratio, 1e-12);
        let z = 1.959963984540054;
        let expected = json!([ratio - z * error, ratio + z * error]);
        at(&arm["click_through"]["by_user"], &expected, 0.0, 1e-9);
        let count = case["users"].as_array().unwrap().len();
        assert_eq!(arm["users"], count);
    }
    let events = |rows: &[String]| format!("arm,user_id,clicked\n{}\n", rows.join("\n"));
    let by_event = figures(log(&events(&rows)).path(), "");
    rows.reverse();
    let reversed = figures(log(&events(&rows)).path(), "--threads 1");
    assert_eq!(by_event, reversed);
    assert_eq!(by_event["lifts"], found["lifts"]);
    assert_eq!(by_event["arms"], found["arms"]);
}

#[test]
fn a_lift_is_found_and_none_where_there_is_none() {
    let even = log(&events([1_500, 1_500], 0.0));
    let none = figures(even.path(), "");
    let lifted = figures(log(&events([1_500, 1_500], 0.08)).path(), "");
    for measure in ["click_through", "satisfaction"] {
        let p = |found: &Value| {
            found["lifts"][0][measure]["by_user"]["p_value"]
                .as_f64()
                .unwrap()
        };
        assert!(p(&none) > 0.05, "{measure}: {none}");
        assert!(p(&lifted) < 0.001, "{measure}: {lifted}");
    }
    let lift = &lifted["lifts"][0]["click_through"]["by_user"];
    assert!(lift["chance_better"].as_f64().unwrap() > 0.999);
    let interval = &lift["absolute_interval"];
    assert!(interval["low"].as_f64().unwrap() < 0.08 && interval["high"].as_f64().unwrap() > 0.08);
    assert_eq!(none["sample_ratio"]["mismatch"], false);
    assert_eq!(none["warnings"], json!([]));
    let arm = &none["arms"][0]["click_through"];
    assert!(
        arm["design_effect"].as_f64().unwrap() > 1.2,
        "clicks of a user are alike: {arm}"
    );
    let ignored = figures(even.path(), "--ignore-users");
    assert!(ignored["lifts"][0]["click_through"]["by_user"].is_null());
    assert_eq!(ignored["sample_ratio"]["of"], "impressions");
}

#[test]
fn a_split_that_is_not_as_planned_is_loud() {
    let dir = log(&events([1_500, 1_300], 0.0));
    let ended = EVALUATE.run(dir.path(), "abtest --log log.csv");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("SAMPLE RATIO MISMATCH: the users were not split as planned (candidate 1300 instead of 1400, control 1500 instead of 1400;"), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("SAMPLE RATIO MISMATCH"),
        "{}",
        ended.stdout
    );
    let planned = figures(dir.path(), "--weights control=15,candidate=13");
    assert_eq!(planned["sample_ratio"]["mismatch"], false);
    close(&planned["sample_ratio"]["p_value"], 1.0, 1e-9);
    let missing = figures(dir.path(), "--weights control=15,candidate=13,lost=1");
    assert_eq!(missing["sample_ratio"]["observed"]["lost"], 0);
    assert_eq!(missing["sample_ratio"]["mismatch"], true);
}

#[test]
fn several_arms_are_corrected_and_users_in_several_arms_told() {
    let dir = log("arm,impressions,clicks\ncontrol,1000,100\nb,1000,140\nc,1000,120\nd,1000,100\n");
    let found = figures(dir.path(), "");
    let lifts = found["lifts"].as_array().unwrap();
    let effect = |arm: usize, key: &str| {
        lifts[arm]["click_through"]["independent"][key]
            .as_f64()
            .unwrap()
    };
    let p: Vec<f64> = (0..3).map(|arm| effect(arm, "p_value")).collect();
    // Holm: the least p times three, the next times two, the greatest as it is.
    for (arm, factor) in [(0, 3.0), (1, 2.0), (2, 1.0)] {
        assert!((effect(arm, "p_corrected") - factor * p[arm]).abs() < 1e-12);
    }
    let dir = log("arm,user_id,clicks\ncontrol,u1,1\nb,u1,0\ncontrol,u2,0\nb,u3,1\n");
    let found = figures(dir.path(), "");
    assert_eq!(found["users_in_several_arms"], 1);
    assert!(
        found["warnings"][0]
            .as_str()
            .unwrap()
            .starts_with("1 user was seen in more than one arm")
    );
}

#[test]
fn a_log_comes_in_any_format_and_under_other_names() {
    let dir = tempfile::tempdir().unwrap();
    let columns: [(&str, ArrayRef); 4] = [
        ("variant", Arc::new(Int64Array::from(vec![0, 0, 1, 1, 1]))),
        (
            "uid",
            Arc::new(StringArray::from(vec!["a", "b", "c", "d", "c"])),
        ),
        (
            "hit",
            Arc::new(BooleanArray::from(vec![true, false, true, true, false])),
        ),
        (
            "stars",
            Arc::new(Float64Array::from(vec![
                Some(4.0),
                Some(3.0),
                None,
                Some(5.0),
                Some(4.5),
            ])),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    write(&dir.path().join("log.parquet"), &batch);
    fs::write(
        dir.path().join("log.jsonl"),
        "{\"variant\":0,\"uid\":\"a\",\"hit\":true,\"stars\":4}\n{\"variant\":0,\"uid\":\"b\",\"hit\":false,\"stars\":3}\n{\"variant\":1,\"uid\":\"c\",\"hit\":true}\n{\"variant\":1,\"uid\":\"d\",\"hit\":true,\"stars\":5}\n{\"variant\":1,\"uid\":\"c\",\"hit\":false,\"stars\":4.5}\n",
    )
    .unwrap();
    let options = "--control 0 --arm-column variant --user-column uid --clicks-column hit --satisfaction-column stars --json";
    let of = |log: &str| {
        EVALUATE
            .run(dir.path(), &format!("abtest --log {log} {options}"))
            .report()
    };
    let found = of("log.parquet");
    assert_eq!(found["arms"][1]["clicks"], 2);
    assert_eq!(found["arms"][1]["answers"], 2);
    close(&found["arms"][1]["satisfaction"]["value"], 4.75, 1e-12);
    assert_eq!(of("log.jsonl"), found);
    let line = format!("abtest --log - {options}");
    let piped = EVALUATE.run_with_stdin(
        dir.path(),
        &line,
        &stream(&[batch.slice(0, 2), batch.slice(2, 3)]),
    );
    assert_eq!(piped.report(), found);
}

#[test]
fn few_clicks_are_tested_exactly_and_told() {
    let case = &reference("proportions")[2];
    let text = format!(
        "arm,impressions,clicks\ncontrol,{},{}\nb,{},{}\nc,1000,150\n",
        case["control"][1], case["control"][0], case["treatment"][1], case["treatment"][0]
    );
    let dir = log(&text);
    let found = figures(dir.path(), "--weights control=25,b=20,c=1000");
    let lift = &found["lifts"][0]["click_through"]["independent"];
    assert_eq!(lift["test"], "fisher_exact");
    assert!(lift["statistic"].is_null());
    close(&lift["p_value"], case["fisher"].as_f64().unwrap(), 1e-12);
    at(&lift["absolute_interval"], &case["difference"], 0.0, 1e-9);
    assert_eq!(
        found["lifts"][1]["click_through"]["independent"]["test"],
        "fisher_exact"
    );
    assert_eq!(
        found["warnings"][1],
        "2 of 2 arms have so few clicks, or impressions without one, that fewer than 5 are to be expected there or in control if both are alike; Fisher's exact test stands for the z test there: b 1.8, c 3.8"
    );
    let dir = log(&events([20, 40], 0.0));
    let warnings = &figures(dir.path(), "")["warnings"];
    assert_eq!(
        warnings[0],
        "1 of 2 arms has fewer than 30 users with impressions, too few to rely on tests by user, which rest on the normal distribution: control 20"
    );
}

#[test]
fn arms_without_figures_are_named_and_counted() {
    let dir = log("arm,impressions,clicks,satisfaction\ncontrol,900,90,4\nb,0,0,\nc,1000,130,5\n");
    let found = figures(dir.path(), "--weights control=1,b=1,c=1,d=1");
    let warnings: Vec<&str> = found["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning.as_str().unwrap())
        .collect();
    assert!(warnings[0].starts_with("SAMPLE RATIO MISMATCH"));
    assert_eq!(
        warnings[2..],
        [
            "1 of 4 planned arms has no row in the log: d",
            "1 of 3 arms has no impressions, and so no click-through to compare: b",
            "1 of 3 arms has no answers, and so no satisfaction to compare: b",
        ]
    );
    assert!(found["lifts"][0]["click_through"].is_null());
    assert!(found["lifts"][1]["click_through"].is_object());
}

#[test]
fn a_plan_says_how_large_a_test_has_to_be() {
    let dir = tempfile::tempdir().unwrap();
    let plan = |options: &str| EVALUATE.done(dir.path(), &format!("abtest --plan {options}"));
    for case in reference("trials") {
        let [base, rate, alpha, power, expected] =
            serde_json::from_value::<[f64; 5]>(case).unwrap();
        let options = format!(
            "--baseline-rate {base} --effect {} --alpha {alpha} --power {power}",
            rate - base
        );
        assert_eq!(plan(&options)["per_arm"], expected.ceil() as u64);
    }
    let days = plan(
        "--baseline-rate 0.1 --relative-effect 0.1 --arms 3 --design-effect 2 --traffic-per-day 10000",
    );
    // As of one comparison at alpha 0.025.
    let expected = (17_863.41913064457f64 * 2.0).ceil() as u64;
    assert_eq!(
        days,
        json!({"of": "impressions", "effect": 0.010000000000000002, "alpha": 0.05, "power": 0.8, "arms": 3,
            "comparisons": 2, "alpha_each": 0.025, "per_arm": expected, "total": 3 * expected, "days": (3.0 * expected as f64 / 10_000.0).ceil() as u64})
    );
    let mean = plan("--sd 1.2 --baseline-mean 4 --relative-effect -0.025");
    assert_eq!(
        (&mean["of"], &mean["per_arm"]),
        (&json!("answers"), &json!(2_262))
    );
    let ended = EVALUATE.run(
        dir.path(),
        "abtest --plan --sd 1.2 --effect 0.1 --traffic-per-day 500",
    );
    assert_snapshot!(ended.stdout, @r"
    2262 answers in each of 2 arms, 4524 in all, to see a difference of 0.1 with power 0.8 at alpha 0.05
    10 days
    ");
    let ended = EVALUATE.run(
        dir.path(),
        "abtest --plan --baseline-rate 0.1 --effect 0.01 --arms 4",
    );
    assert_snapshot!(ended.stdout, @r"
    19676 impressions in each of 4 arms, 78704 in all, to see a difference of 0.01 with power 0.8 at alpha 0.05
    alpha is shared out among 3 comparisons with the control: 0.0167 for each (Bonferroni)
    ");
    let refused =
        |options: &str| EVALUATE.refused(dir.path(), &format!("abtest --plan {options}"), 2);
    assert_snapshot!(refused("--effect 0.1"), @"error: --plan needs --baseline-rate for click-through, or --sd for a mean");
    assert_snapshot!(refused("--baseline-rate 0.1"), @"error: --plan needs the difference to be seen: --effect or --relative-effect");
    assert_snapshot!(refused("--sd 1 --relative-effect 0.1"), @"error: --relative-effect of a mean needs --baseline-mean, which it is relative to");
    assert_snapshot!(refused("--baseline-rate 0.95 --relative-effect 0.1"), @"error: the wished effect would carry the rate below 0 or above 1; choose a smaller one");
    assert!(refused("--baseline-rate 1.5 --effect 0.1").contains("--baseline-rate"));
    assert!(refused("--baseline-rate 0.1 --effect 0").contains("--effect"));
}
