use pairmill_report::format::{aligned, count, figure, percent};
use pairmill_report::{
    Curve, MARKDOWN_FILE, PAGE_FILE, Page, Point, figures, line_chart, markdown, scrolling, section,
};
use pairmill_tables::Results;
use tracing::info;

use super::select::STABLE;
use super::simulation::{Simulated, Simulation};
use crate::Result;

const TITLE: &str = "Which labels to get first";
const HEADER: [&str; 6] = [
    "strategy",
    "labels",
    "accuracy",
    "lowest to highest",
    "macro F1",
    "kappa",
];

/// Writes the curve as a page and as Markdown.
pub(super) fn write(found: &Simulated, results: &Results<'_>) -> Result<()> {
    let rows = rows(found);
    let curves = curves(found);
    let note = format!(
        "All {} labels: {}.",
        count(found.pool as u64),
        figure(found.accuracy_of_all, 4)
    );
    let chart = line_chart(
        "Accuracy by the number of labels",
        ["labels", "accuracy on the test texts"],
        &curves,
        &note,
    );
    let table = maud::html! {
        table {
            thead { tr { @for name in HEADER { th { (name) } } } }
            tbody { @for row in &rows { tr { @for cell in row { td { (cell) } } } } }
        }
    };
    let verdict = verdict(found);
    let created_by = concat!("pairmill-generate ", env!("CARGO_PKG_VERSION"));
    let page = Page {
        task: "generate simulate",
        title: TITLE,
        date: "",
        created_by,
        head: maud::html! { @for sentence in &verdict { p { (sentence) } } },
        sections: [
            section("curve", "The curve", figures(chart)),
            section(
                "rounds",
                "Round by round",
                scrolling("Round by round", &table),
            ),
        ]
        .into_iter()
        .flatten()
        .collect(),
    };
    let mut text = format!("# {TITLE}\n\n{}\n\n", verdict.join(" "));
    let mut lines = vec![HEADER.map(str::to_owned).to_vec()];
    lines.extend(rows);
    markdown::plain_table(&mut text, &lines);
    results.write(MARKDOWN_FILE, &text)?;
    results.write(PAGE_FILE, &page.html())?;
    Ok(())
}

/// Says what was found on the console.
pub(super) fn print(found: &Simulated) {
    let mut lines = vec![HEADER.map(str::to_owned).to_vec()];
    lines.extend(rows(found));
    for line in aligned(&lines).lines() {
        info!("{line}");
    }
    for sentence in verdict(found) {
        info!("{sentence}");
    }
}

fn rows(found: &Simulated) -> Vec<Vec<String>> {
    let row = |round: &Simulation| {
        let (low, high) = round.range;
        vec![
            round.strategy.clone(),
            count(round.labels as u64),
            figure(round.accuracy, 4),
            format!("{} to {}", figure(low, 4), figure(high, 4)),
            figure(round.macro_f1, 4),
            round
                .kappa
                .map_or_else(String::new, |kappa| figure(kappa, 3)),
        ]
    };
    found.rounds.iter().map(row).collect()
}

fn curves(found: &Simulated) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    for round in &found.rounds {
        let point = Point {
            x: round.labels as f64,
            y: round.accuracy,
        };
        match curves
            .last_mut()
            .filter(|curve| curve.name == round.strategy)
        {
            Some(curve) => curve.points.push(point),
            None => curves.push(Curve {
                name: round.strategy.clone(),
                points: vec![point],
            }),
        }
    }
    curves
}

/// For each strategy how far it came, and when one could have stopped.
fn verdict(found: &Simulated) -> Vec<String> {
    let random = curves(found)
        .into_iter()
        .find(|curve| curve.name == "random");
    let mut sentences = Vec::new();
    for curve in curves(found) {
        let Some(last) = curve.points.last() else {
            continue;
        };
        if curve.name == "random" {
            continue;
        }
        let mut sentence = format!(
            "{} labels chosen by {} give accuracy {}",
            count(last.x as u64),
            curve.name,
            figure(last.y, 4)
        );
        let same = random
            .iter()
            .flat_map(|random| &random.points)
            .find(|point| point.x == last.x);
        if let Some(same) = same {
            sentence += &format!(", as many at random {}", figure(same.y, 4));
        }
        sentence += &format!(
            ", all {} labels {} ({} of that).",
            count(found.pool as u64),
            figure(found.accuracy_of_all, 4),
            percent(last.y / found.accuracy_of_all, 1)
        );
        sentences.push(sentence);
        let stable = found.rounds.iter().find(|round| {
            round.strategy == curve.name && round.kappa.is_some_and(|kappa| kappa >= STABLE)
        });
        sentences.push(match stable {
            Some(round) => format!(
                "After {} labels one more round hardly changed the classifier (kappa {STABLE} or \
                 more), so one could have stopped there, at accuracy {}.",
                count(round.labels as u64),
                figure(round.accuracy, 4)
            ),
            None => format!(
                "The classifier still changed with each round (kappa below {STABLE}): more labels \
                 would help."
            ),
        });
    }
    sentences
}
