//! The structure of the page and its numbers, for any data.

use pairmill_report::{Change, Distributions, Estimate, Scatter};
use serde_json::Value;

use super::sample::full;
use super::*;
use crate::parsed_page::ParsedPage;
use crate::statistics::verdict::Verdict;

fn parsed(report: &Report) -> ParsedPage {
    ParsedPage::read(&html(report))
}

const SECTIONS: [&str; 8] = [
    "summary",
    "groups",
    "scores",
    "size",
    "confusion",
    "examples",
    "training",
    "method",
];

#[test]
fn a_full_report_is_sound_and_has_every_part() {
    let page = parsed(&full());
    page.assert_sound();
    assert_eq!(page.sections(), SECTIONS);
    for text in [
        "nDCG@10 rose from 0.416 to 0.618 (+0.202, 95 % interval +0.150 to +0.254).",
        "Of 300 queries, 131 are better, 42 worse and 127 unchanged.",
        "runs/qa/model against all-MiniLM-L6-v2 on the test questions of a help desk",
        "Pairmill · retrieval · 30 November 2026",
        "nDCG@10: how far up the right answers stand among the first 10 results",
        "A right answer came first for 93, now for 153 of 300 queries.",
        "Deploy runs/qa/model.",
        "0.6180",
        "+0.2020",
        "p < 0.0001",
        "cards and payments",
        "relevant (612)",
        "before training",
        "98.5 %",
        "k nearest neighbours",
        "why was I charged twice this month",
        "judgements of unknown documents",
        "5,183",
    ] {
        assert!(page.text.contains(text), "{text}");
    }
}

#[test]
fn a_comparison_of_several_models_is_sound() {
    let page = ParsedPage::read(&comparison_html(&[full(), full()]));
    page.assert_sound();
    assert_eq!(
        page.sections(),
        ["overview", "model-1", "model-2", "method"]
    );
}

#[test]
fn a_part_without_data_leaves_no_trace() {
    let page = parsed(&Report::default());
    page.assert_sound();
    assert_eq!(page.sections(), [""; 0]);
    assert_eq!(
        page.count("svg") + page.count("table") + page.count("nav"),
        0
    );

    type Part = fn(&mut Report, Report);
    let parts: [(&str, Part); 13] = [
        ("summary", |to, from| to.summary = from.summary),
        ("groups", |to, from| to.groups = from.groups),
        ("summary", |to, from| to.scatter = from.scatter),
        ("scores", |to, from| to.distributions = from.distributions),
        ("scores", |to, from| {
            to.precision_recall = from.precision_recall
        }),
        ("training", |to, from| to.training = from.training),
        ("training", |to, from| {
            to.learning_curve = from.learning_curve
        }),
        ("size", |to, from| to.variants = from.variants),
        ("confusion", |to, from| to.confusion = from.confusion),
        ("examples", |to, from| to.examples = from.examples),
        ("method", |to, from| to.method = from.method),
        ("method", |to, from| to.evidence = from.evidence),
        ("method", |to, from| to.counts = from.counts),
    ];
    for (section, take) in parts {
        let mut alone = Report::default();
        take(&mut alone, full());
        let page = parsed(&alone);
        page.assert_sound();
        assert_eq!(page.sections(), [section]);
    }
}

#[test]
fn parts_that_are_there_but_empty_leave_no_heading() {
    let mut report = full();
    report.summary.clear();
    report
        .groups
        .iter_mut()
        .for_each(|table| table.rows.clear());
    report.scatter.as_mut().unwrap().points.clear();
    report.distributions.as_mut().unwrap().series.clear();
    report
        .precision_recall
        .iter_mut()
        .for_each(|curve| curve.points.clear());
    report
        .training
        .iter_mut()
        .for_each(|curve| curve.points.clear());
    report.learning_curve.as_mut().unwrap().points.clear();
    report.variants.as_mut().unwrap().rows.clear();
    report.confusion.as_mut().unwrap().cells.clear();
    report.examples = Some(Examples {
        metric: "ndcg@10".to_owned(),
        gained: vec![],
        lost: vec![],
    });
    let page = parsed(&report);
    page.assert_sound();
    assert_eq!(page.sections(), ["method"]);
    let text = markdown(&report);
    assert!(
        !text.contains("##") && !text.contains("<details>"),
        "{text}"
    );
}

/// Replaces parts of a report's JSON, and reads it back.
fn changed(report: &Report, change: &mut dyn FnMut(&str, &mut Value)) -> Report {
    fn visit(key: &str, value: &mut Value, change: &mut dyn FnMut(&str, &mut Value)) {
        match value {
            Value::Array(values) => values
                .iter_mut()
                .for_each(|value| visit(key, value, change)),
            Value::Object(values) => values
                .iter_mut()
                .for_each(|(key, value)| visit(key, value, change)),
            _ => change(key, value),
        }
    }
    let mut json = serde_json::to_value(report).unwrap();
    visit("", &mut json, change);
    serde_json::from_value(json).unwrap()
}

#[test]
fn texts_of_users_are_no_markup() {
    let evil =
        "</style></title>--><script>alert(\"it's\")</script><img src=x onerror='a'>&amp; `b` | @c";
    let report = changed(&full(), &mut |key, value| {
        if value.is_string() && !["better", "test", "verdict", "compared"].contains(&key) {
            *value = evil.into();
        }
    });
    let page = parsed(&report);
    page.assert_sound();
    assert!(
        page.text.matches(evil).count() > 20,
        "texts are shown as they are"
    );
    assert_eq!(page.values("onerror"), [""; 0]);
}

#[test]
fn any_figures_give_a_sound_page() {
    let figures = ["value", "before", "after", "x", "y", "share"];
    for extreme in [0.0, -1.0, 1e308, -1e308, 1e-308, 1e12] {
        let report = changed(&full(), &mut |_, value| {
            if value.is_f64() {
                *value = extreme.into();
            }
        });
        parsed(&report).assert_sound();
        assert!(!markdown(&report).contains("NaN"));
    }
    let undefined = changed(&full(), &mut |key, value| {
        if value.is_f64() && figures.contains(&key) {
            *value = Value::Null;
        }
    });
    let page = parsed(&undefined);
    page.assert_sound();
    assert!(!page.text.contains("NaN"));
    let mut odd = 0;
    let half = changed(&full(), &mut |key, value| {
        odd += 1;
        if value.is_f64() && figures.contains(&key) && odd % 2 == 0 {
            *value = Value::Null;
        }
    });
    parsed(&half).assert_sound();
    let nothing = changed(&full(), &mut |_, value| {
        if value.is_u64() {
            *value = 0.into();
        }
    });
    parsed(&nothing).assert_sound();
}

#[test]
fn infinite_figures_and_single_points_give_a_sound_page() {
    let mut report = full();
    let scatter = report.scatter.as_mut().unwrap();
    scatter.points.truncate(1);
    for curve in report
        .training
        .iter_mut()
        .chain(&mut report.precision_recall)
    {
        curve.points.truncate(1);
    }
    report.learning_curve.as_mut().unwrap().points.truncate(1);
    report.summary.truncate(1);
    parsed(&report).assert_sound();

    report.scatter.as_mut().unwrap().points[0].after = f64::INFINITY;
    report.training[0].points[0].y = f64::NEG_INFINITY;
    report.learning_curve.as_mut().unwrap().before = Some(f64::NAN);
    report.summary[0].model.interval = Some((f64::NEG_INFINITY, f64::INFINITY));
    report.summary[0]
        .difference
        .as_mut()
        .unwrap()
        .estimate
        .interval = Some((f64::NAN, 1.0));
    parsed(&report).assert_sound();
    assert_eq!(
        Distributions::of("cosine", &[("model", "relevant", &[f32::NAN])]),
        None
    );
    report.distributions =
        Distributions::of("cosine", &[("model", "relevant", &[0.5, f32::INFINITY])]);
    parsed(&report).assert_sound();
}

#[test]
fn many_items_share_dots() {
    let mut report = full();
    let points = (0..10_000).map(|number| Change {
        label: format!("q{number}"),
        before: f64::from(number * 7_919 % 10_007) / 10_007.0,
        after: f64::from(number * 104_729 % 10_009) / 10_009.0,
    });
    let points = points.collect();
    report.scatter = Some(Scatter {
        metric: "ndcg@10".to_owned(),
        points,
    });
    let page = parsed(&report);
    page.assert_sound();
    let dots = page
        .values("class")
        .iter()
        .filter(|class| class.starts_with("bubble"))
        .count();
    assert!((1_000..=51 * 51).contains(&dots), "{dots}");
    assert!(page.text.contains("10,000 queries; the larger a dot"));
    assert!(page.text.contains("within 0.020 of each other share a dot"));
}

#[test]
fn stored_as_json_it_gives_the_same_page() {
    let mut report = full();
    report.scatter.as_mut().unwrap().points[3].before = f64::NAN;
    let json = serde_json::to_string(&report).unwrap();
    let stored: Report = serde_json::from_str(&json).unwrap();
    assert_eq!(html(&stored), html(&report));
    assert_eq!(markdown(&stored), markdown(&report));
    assert_eq!(
        serde_json::from_str::<Report>("{}").unwrap(),
        Report::default()
    );
}

#[test]
fn bad_news_is_not_hidden() {
    let mut report = full();
    let row = report
        .summary
        .iter_mut()
        .find(|row| row.metric == "ndcg@10")
        .unwrap();
    let difference = row.difference.as_mut().unwrap();
    difference.estimate = Estimate::new(0.011, Some((-0.02, 0.042)));
    difference.verdict = Some(Verdict::Unclear);
    let page = parsed(&report);
    assert!(page.text.contains("No clear difference"));
    assert!(
        page.text.contains(
            "95 % interval −0.020 to +0.042), no clear change: the 95 % interval covers 0."
        )
    );
    let row = report
        .summary
        .iter_mut()
        .find(|row| row.metric == "ndcg@10")
        .unwrap();
    let difference = row.difference.as_mut().unwrap();
    difference.estimate = Estimate::new(-0.1, Some((-0.15, -0.05)));
    difference.verdict = Some(Verdict::Worse);
    let page = parsed(&report);
    assert!(page.text.contains("▼ Worse") && page.text.contains("nDCG@10 fell from"));
}

#[test]
fn markdown_has_the_answer_the_tables_and_the_examples() {
    let mut report = full();
    report.summary.truncate(2);
    report.groups.truncate(1);
    report.groups[0].rows.truncate(2);
    report.groups[0].rows[1].group = "a|b `c` <d>".to_owned();
    report.variants.as_mut().unwrap().rows.truncate(1);
    let examples = report.examples.as_mut().unwrap();
    examples.gained.truncate(1);
    examples.gained[0].text = "``` @team #12\n<script>".to_owned();
    examples.gained[0].results_before.clear();
    examples.gained[0].results_after.truncate(1);
    examples.lost.clear();
    insta::assert_snapshot!(markdown(&report), @r##"
    # Evaluation: runs/qa/model against all-MiniLM-L6-v2 on the test questions of a help desk

    ▲ **Better.** **nDCG@10 rose from 0.416 to 0.618 (+0.202, 95 % interval +0.150 to +0.254).** A right answer came first for 93, now for 153 of 300 queries. Deploy runs/qa/model.

    What to do next:

    - The learning curve still rises (+0.022 from 2,000 to 5,000 rows): more labels would pay.

    Of 300 queries, 131 are better, 42 worse and 127 unchanged. Paired randomisation test: p < 0.0001 (< 0.0001 by Holm's correction for 6 tests). Of 2 metrics, 2 clearly improved, 0 clearly worsened and 0 did neither.

    Model `runs/qa/model` against baseline `all-MiniLM-L6-v2`. Evaluated on 30 November 2026.

    > **Note.** 4 of 304 queries have no relevant document and are left out.

    | metric | baseline | model | difference | p | p (Holm) | effect size | higher / lower / same |
    | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | accuracy@1 | 0.3100 [0.2640 to 0.3560] | 0.5100 [0.4680 to 0.5520] | ▲ +0.2000 [+0.1400 to +0.2600] | &lt; 0.0001 | 0.0001 | +0.42 | 131 / 42 / 127 |
    | ndcg@10 | 0.4160 [0.3700 to 0.4620] | 0.6180 [0.5760 to 0.6600] | ▲ +0.2020 [+0.1500 to +0.2540] | &lt; 0.0001 | &lt; 0.0001 | +0.42 | 131 / 42 / 127 |

    In brackets: the 95 % intervals.

    ## nDCG@10 by category

    | category | queries | baseline | model | difference |
    | --- | ---: | ---: | ---: | ---: |
    | `sign-in` | 84 | 0.3900 [0.2918 to 0.4882] | 0.6600 [0.5618 to 0.7582] | +0.2700 [+0.1718 to +0.3682] |
    | ``a\|b `c` <d>`` | 71 | 0.4400 [0.3332 to 0.5468] | 0.6500 [0.5432 to 0.7568] | +0.2100 [+0.1032 to +0.3168] |

    ## Size and quality

    | embedding | bytes a vector | ndcg@10 | of full quality |
    | --- | ---: | ---: | ---: |
    | 384 dimensions, float32 | 1,536 | 0.6180 [0.5760 to 0.6600] | 100.0 % |

    <details><summary>Queries whose nDCG@10 rose most (1)</summary>

    - **+0.920** (0.000 → 0.920) `q17`: ```` ``` @team #12 <script> ````
      - after 1. `kb-031`, grade 2: `Reset your password. Open the sign-in page and choose “Forgot password”. We send a link to your address that works for one hour. Company accounts with single…`

    </details>

    Exact cosine search over the whole corpus, 100 results a query. nDCG has linear gain.

    Intervals are 95 % percentile intervals of 10,000 bootstrap samples of the queries (seed 42).

    | counted | |
    | --- | ---: |
    | documents | 5183 |
    | judgements | 612 |
    | judgements of unknown documents | 0 |
    | queries | 300 |
    | queries without judgements | 4 |
    "##);
}
