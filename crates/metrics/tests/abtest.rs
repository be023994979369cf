//! Figures of SciPy and statsmodels, see `tests/reference/abtest.py`.

#![allow(clippy::unwrap_used, reason = "helpers of tests do")]

use std::fs;

use pairmill_metrics::{Certainty, Interval, Moments, Proportion, chi_square, ratio_of_sums};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

fn reference(kind: &str) -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/reference/abtest.json"
    );
    let figures: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    figures[kind].as_array().unwrap().clone()
}

#[track_caller]
fn close(found: impl Into<Option<f64>>, expected: &Value, tolerance: f64) {
    match (found.into(), expected.as_f64()) {
        (None, None) => {}
        (Some(found), Some(expected)) => assert!(
            (found - expected).abs() <= tolerance * expected.abs().max(1e-3),
            "{found} is not {expected}"
        ),
        (found, expected) => panic!("{found:?} is not {expected:?}"),
    }
}

#[track_caller]
fn both_close(found: Option<Interval>, expected: &Value, tolerance: f64) {
    close(found.map(|found| found.low), &expected[0], tolerance);
    close(found.map(|found| found.high), &expected[1], tolerance);
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn proportions_have_the_figures_of_statsmodels() {
    for case in reference("proportions") {
        let of = |arm: &Value| {
            Proportion::new(arm[0].as_u64().unwrap(), arm[1].as_u64().unwrap()).unwrap()
        };
        let (treatment, control) = (of(&case["treatment"]), of(&case["control"]));
        let confidence = number(&case["confidence"]);
        both_close(
            Some(treatment.wilson_interval(confidence)),
            &case["wilson"],
            1e-9,
        );
        both_close(
            Some(treatment.difference_interval(control, confidence)),
            &case["difference"],
            1e-8,
        );
        let test = treatment.z_test(control);
        close(test.map(|test| test.z), &case["z"], 1e-9);
        close(test.map(|test| test.p_value), &case["p_value"], 1e-9);
        both_close(
            treatment.ratio_interval(control, confidence),
            &case["ratio"],
            1e-8,
        );
        close(treatment.chance_above(control), &case["chance"], 1e-8);
        close(treatment.fisher_exact(control), &case["fisher"], 1e-7);
    }
}

#[test]
fn means_have_the_figures_of_scipy() {
    for case in reference("means") {
        let of =
            |arm: &Value| Moments::of(arm[0].as_u64().unwrap(), number(&arm[1]), number(&arm[2]));
        let (treatment, control) = (of(&case["treatment"]), of(&case["control"]));
        let confidence = number(&case["confidence"]);
        both_close(treatment.interval(confidence), &case["interval"], 1e-8);
        let welch = treatment.welch(&control).unwrap();
        close(welch.t(), &case["t"], 1e-9);
        close(welch.degrees, &case["degrees"], 1e-9);
        close(welch.p_value(), &case["p_value"], 1e-6);
        both_close(welch.interval(confidence), &case["difference"], 1e-6);
    }
}

#[test]
fn counts_have_the_chi_square_of_scipy() {
    for case in reference("chi_square") {
        let observed: Vec<u64> = serde_json::from_value(case["observed"].clone()).unwrap();
        let shares: Vec<f64> = serde_json::from_value(case["shares"].clone()).unwrap();
        let test = chi_square(&observed, &shares).unwrap();
        close(test.statistic, &case["statistic"], 1e-10);
        close(test.p_value, &case["p_value"], 1e-10);
    }
}

#[test]
fn a_ratio_has_the_cluster_robust_error_of_least_squares() {
    for case in reference("clusters") {
        let users: Vec<(f64, f64)> = serde_json::from_value(case["users"].clone()).unwrap();
        let ratio = ratio_of_sums(&users).unwrap();
        close(ratio.value, &case["ratio"], 1e-10);
        close(ratio.standard_error, &case["error"], 1e-10);
    }
}

#[test]
fn sample_sizes_are_those_of_statsmodels() {
    let certainty = |case: &Value| Certainty {
        alpha: number(&case[2]),
        power: number(&case[3]),
    };
    for case in reference("trials") {
        let trials = certainty(&case).trials(number(&case[0]), number(&case[1]));
        close(trials, &case[4], 1e-9);
    }
    for case in reference("values") {
        let values = certainty(&case).values(number(&case[0]), number(&case[1]));
        let exact = number(&case[4]);
        assert!(
            (values.unwrap() - exact).abs() < 1.0,
            "{values:?} is not {exact}"
        );
    }
}

/// Arms that do not differ, of users who differ in how often they click and come back: 2,000 times.
#[test]
fn without_a_difference_one_test_in_twenty_sees_one() {
    const TESTS: usize = 2_000;
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let mut arm = || -> Vec<(f64, f64)> {
        (0..400)
            .map(|_| {
                let rate = rng.random::<f64>().powi(2);
                let impressions = rng.random_range(1..=10);
                let clicks = (0..impressions).filter(|_| rng.random_bool(rate)).count();
                (clicks as f64, f64::from(impressions))
            })
            .collect()
    };
    let (mut by_user, mut by_impression) = (0, 0);
    for _ in 0..TESTS {
        let (treatment, control) = (arm(), arm());
        let difference = ratio_of_sums(&treatment)
            .unwrap()
            .minus(ratio_of_sums(&control).unwrap());
        by_user += usize::from(difference.z_test().unwrap().p_value < 0.05);
        let whole = |users: &[(f64, f64)]| {
            let sum = |part: fn(&(f64, f64)) -> f64| users.iter().map(part).sum::<f64>() as u64;
            Proportion::new(sum(|user| user.0), sum(|user| user.1)).unwrap()
        };
        let test = whole(&treatment).z_test(whole(&control)).unwrap();
        by_impression += usize::from(test.p_value < 0.05);
    }
    // Four standard deviations of the count are 2 % of the tests.
    let share = |count: usize| count as f64 / TESTS as f64;
    assert!((share(by_user) - 0.05).abs() < 0.02, "{by_user}");
    assert!(share(by_impression) > 0.15, "{by_impression}");
}
