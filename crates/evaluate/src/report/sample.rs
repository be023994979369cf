//! A made-up report with every part, for tests and for looking at.

use pairmill_report::{
    Change, ConfusionTable, Curve, Distributions, Estimate, LearningCurve, LearningPoint, Point,
    Scatter,
};

use super::data::*;
use crate::statistics::verdict::Verdict;

/// Numbers in 0..1 that look random and are the same each time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal around 0 with standard deviation 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

fn estimate(value: f64, half: f64) -> Estimate {
    Estimate::new(value, Some((value - half, value + half)))
}

fn row(metric: &str, before: f64, after: f64, half: f64, p: f64) -> MetricRow {
    MetricRow {
        metric: metric.to_owned(),
        better: Better::Higher,
        model: estimate(after, 0.042),
        baseline: Some(estimate(before, 0.046)),
        difference: Some(Difference {
            estimate: estimate(after - before, half),
            verdict: Some(match ((after - before).abs() > half, after > before) {
                (true, true) => Verdict::Better,
                (true, false) => Verdict::Worse,
                (false, _) => Verdict::Unclear,
            }),
            needed: None,
            same_as: None,
            p_value: Some(p),
            test: PairedTest::Randomisation,
            corrected_p: Some((p * 6.0).min(1.0)),
            effect_size: Some((after - before) * 2.1),
            outcomes: Some(Outcomes {
                wins: 131,
                losses: 42,
                ties: 127,
            }),
        }),
    }
}

fn group(name: &str, items: u64, before: f64, after: f64) -> GroupRow {
    let half = 0.9 / (items as f64).sqrt();
    GroupRow {
        group: name.to_owned(),
        items,
        model: estimate(after, half),
        baseline: Some(estimate(before, half)),
        difference: Some(estimate(after - before, half)),
    }
}

fn found(rank: u32, id: &str, text: &str, grade: Option<i32>) -> FoundDocument {
    FoundDocument {
        rank: Some(rank),
        id: id.to_owned(),
        text: text.to_owned(),
        grade,
    }
}

const RESET: &str = "Reset your password. Open the sign-in page and choose “Forgot password”. We send a link to your address that works for one hour. Company accounts with single sign-on reset the password with their own identity provider, and the link says so. If no mail arrives, look into the spam folder or ask an administrator to send it again.";

fn example(id: &str, text: &str, before: f64, after: f64) -> Example {
    let mut results = [
        vec![
            found(
                1,
                "kb-204",
                "Change your e-mail address. Under Settings, Profile you can …",
                Some(0),
            ),
            found(
                2,
                "kb-117",
                "Sign-in sessions end after 30 days without use.",
                None,
            ),
            found(7, "kb-031", RESET, Some(2)),
        ],
        vec![
            found(1, "kb-031", RESET, Some(2)),
            found(
                2,
                "kb-032",
                "Locked out after five wrong passwords? Wait 15 minutes or ask an administrator.",
                Some(1),
            ),
            found(
                3,
                "kb-117",
                "Sign-in sessions end after 30 days without use.",
                None,
            ),
        ],
    ];
    if after < before {
        results.swap(0, 1);
    }
    let [results_before, results_after] = results;
    Example {
        id: id.to_owned(),
        text: text.to_owned(),
        before,
        after,
        results_before,
        results_after,
    }
}

/// Every part, with plausible figures.
pub(super) fn full() -> Report {
    let mut noise = Noise(7);
    let discounts = [0.0, 0.3562, 0.4307, 0.5, 0.6309, 1.0];
    let points = (0..300).map(|number| {
        let level = noise.next();
        let mut pick = |shift: f64| {
            let noisy = (level + shift + 0.22 * noise.normal()).clamp(0.0, 0.999);
            if noisy > 0.35 && noise.next() < 0.25 {
                (noisy * 1e4).round() / 1e4
            } else {
                discounts[(noisy * 6.0) as usize]
            }
        };
        Change {
            label: format!("q{number}"),
            before: pick(-0.12),
            after: pick(0.1),
        }
    });
    let points = points.collect();
    let mut scores = |number: usize, mean: f64, spread: f64| -> Vec<f32> {
        (0..number)
            .map(|_| (mean + spread * noise.normal()).clamp(-1.0, 1.0) as f32)
            .collect()
    };
    let series = [
        ("baseline", "relevant", scores(612, 0.55, 0.15)),
        ("baseline", "not relevant", scores(6_000, 0.34, 0.13)),
        ("model", "relevant", scores(612, 0.68, 0.12)),
        ("model", "not relevant", scores(6_000, 0.22, 0.12)),
    ];
    let series: Vec<(&str, &str, &[f32])> = series
        .iter()
        .map(|(model, kind, scores)| (*model, *kind, &scores[..]))
        .collect();
    let precision_recall = |name: &str, power: f64| Curve {
        name: name.to_owned(),
        points: (0..=500)
            .map(|step| {
                let x = f64::from(step) / 500.0;
                Point {
                    x,
                    y: (1.0 - x.powf(power)).max(0.02),
                }
            })
            .collect(),
    };
    let mut noise = Noise(11);
    let loss = (1..=4_000).map(|step| {
        let x = f64::from(step);
        Point {
            x,
            y: 0.35 + 2.1 * (-x / 600.0).exp() + 0.08 * noise.normal().abs(),
        }
    });
    let dev = (0..=8).map(|number| {
        let x = f64::from(number) * 500.0;
        Point {
            x,
            y: 0.62 - 0.2 * (-x / 900.0).exp(),
        }
    });
    let rate = (1..=4_000).map(|step| {
        let x = f64::from(step);
        Point {
            x,
            y: 2e-5 * (x / 400.0).min((4_000.0 - x) / 3_600.0),
        }
    });
    let curve = |name: &str, points: Vec<Point>| Curve {
        name: name.to_owned(),
        points,
    };
    let training = vec![
        curve("nDCG@10 on dev", dev.collect()),
        curve("training loss", loss.collect()),
        curve("learning rate", rate.collect()),
    ];
    let sizes = [
        ("384 dimensions, float32", 1_536, 0.618),
        ("256 dimensions, float32", 1_024, 0.609),
        ("128 dimensions, float32", 512, 0.588),
        ("384 dimensions, int8", 384, 0.615),
        ("384 dimensions, binary", 48, 0.571),
    ];
    let classes = [
        "card lost",
        "card arrival",
        "change PIN",
        "refund",
        "top-up failed",
        "transfer pending",
        "exchange rate",
        "verify identity",
        "cash withdrawal",
        "close account",
        "fee charged",
        "login",
        "limits",
        "other",
    ];
    let mut cells = Vec::new();
    for (truth, _) in (0u32..).zip(classes) {
        cells.push((truth, truth, 30 + u64::from(truth * 7 % 11)));
        cells.push((truth, (truth * 5 + 2) % 14, u64::from(1 + truth * 3 % 8)));
        cells.push((truth, (truth + 1) % 14, u64::from(2 + truth % 3)));
    }
    cells.retain(|&(truth, predicted, number)| truth != predicted || number > 20);
    let counts = [
        ("queries", 300),
        ("queries_without_judgements", 4),
        ("documents", 5_183),
        ("judgements", 612),
        ("judgements_of_unknown_documents", 0),
    ];
    Report {
        data: "the test questions of a help desk".to_owned(),
        date: "30 November 2026".to_owned(),
        compared: Compared::Models,
        task: "retrieval".to_owned(),
        created_by: "pairmill-evaluate 0.1.0".to_owned(),
        model: "runs/qa/model".to_owned(),
        baseline: Some("all-MiniLM-L6-v2".to_owned()),
        items: "queries".to_owned(),
        chief: "ndcg@10".to_owned(),
        items_drawn: 300,
        clusters: None,
        tests: 6,
        confidence: 0.95,
        method: "Exact cosine search over the whole corpus, 100 results a query. nDCG has linear gain.".to_owned(),
        evidence: "Intervals are 95 % percentile intervals of 10,000 bootstrap samples of the queries (seed 42).".to_owned(),
        counts: counts.map(|(name, count)| (name.to_owned(), count)).into(),
        warnings: vec!["4 of 304 queries have no relevant document and are left out.".to_owned()],
        summary: vec![
            row("accuracy@1", 0.31, 0.51, 0.06, 0.000_02),
            row("ndcg@10", 0.416, 0.618, 0.052, 0.000_01),
            row("mrr@10", 0.402, 0.589, 0.055, 0.000_01),
            row("map@100", 0.377, 0.561, 0.05, 0.000_01),
            row("recall@100", 0.912, 0.927, 0.024, 0.19),
            row("precision@10", 0.121, 0.113, 0.006, 0.012),
        ],
        groups: vec![
            GroupTable { column: "category".to_owned(), metric: "ndcg@10".to_owned(), rows: vec![group("sign-in", 84, 0.39, 0.66), group("billing", 71, 0.44, 0.65), group("cards and payments", 66, 0.47, 0.62), group("mobile app", 49, 0.4, 0.57), group("", 30, 0.35, 0.33)] },
            GroupTable { column: "length".to_owned(), metric: "ndcg@10".to_owned(), rows: vec![group("1 to 5 words", 102, 0.38, 0.61), group("6 to 12 words", 131, 0.43, 0.63), group("13 words and more", 67, 0.44, 0.6)] },
        ],
        scatter: Some(Scatter { metric: "ndcg@10".to_owned(), points }),
        distributions: Distributions::of("cosine", &series),
        precision_recall_note: "One point for each threshold.".to_owned(),
        precision_recall: vec![precision_recall("model", 2.4), precision_recall("baseline", 1.1)],
        training,
        learning_curve: Some(LearningCurve {
            metric: "nDCG@10 on dev".to_owned(),
            before: Some(0.42),
            points: [(100, 0.455), (200, 0.484), (500, 0.53), (1_000, 0.571), (2_000, 0.598), (5_000, 0.62)].map(|(rows, score)| LearningPoint { rows, score: estimate(score, 0.025) }).into(),
            predicted: Vec::new(),
        }),
        variants: Some(Variants {
            metric: "ndcg@10".to_owned(),
            rows: sizes.map(|(name, bytes_per_vector, score)| Variant { name: name.to_owned(), bytes_per_vector, score: estimate(score, 0.042), share: score / 0.618 }).into(),
        }),
        confusion: Some(ConfusionTable { classifier: "k nearest neighbours".to_owned(), classes: classes.map(str::to_owned).into(), cells }),
        examples: Some(Examples {
            metric: "ndcg@10".to_owned(),
            gained: vec![
                example("q17", "cant get in, it says wrong pw but i changed it yesterday", 0.0, 0.92),
                example("q203", "why was I charged twice this month", 0.31, 1.0),
                example("q88", "app closes itself when I open the camera to scan a receipt, on two phones, since the last update; reinstalling did not help and neither did clearing the cache, what else can I try before I send the log", 0.12, 0.63),
            ],
            lost: vec![example("q140", "export all invoices of 2023", 1.0, 0.43), example("q9", "delete my data", 0.63, 0.36)],
        }),
    }
}
