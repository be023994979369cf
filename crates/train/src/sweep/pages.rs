//! A sweep as Markdown and as a page.

use maud::html;
use pairmill_report::format::{count, counted, figure, signed};
use pairmill_report::{Estimate, ForestRow, Page, figures, forest, markdown, scrolling, section};

use super::trials::SweepTrial;
use super::{Found, OnTest};

const TITLE: &str = "Which settings train best";
const CREATED_BY: &str = concat!("pairmill-train ", env!("CARGO_PKG_VERSION"));
const HEADER: [&str; 11] = [
    "",
    "loss",
    "rate",
    "epochs",
    "batch",
    "negatives",
    "steps",
    "seconds",
    "nDCG@10 on dev",
    "gain",
    "95 % interval",
];
/// More rows of a chart are no longer read.
const DRAWN: usize = 24;

/// Writes what was found as Markdown, which is what is printed too.
pub(super) fn markdown(found: &Found) -> String {
    let mut text = format!("# {TITLE}\n\n{}\n\n", sentences(found).join(" "));
    let mut lines = vec![HEADER.map(str::to_owned).to_vec()];
    lines.extend(rows(found));
    markdown::table_of_ours(&mut text, &lines);
    text
}

/// Writes what was found as a page that loads nothing.
pub(super) fn page(found: &Found, model: &str) -> String {
    let table = html! {
        table {
            thead { tr { @for name in HEADER { th { (name) } } } }
            tbody { @for row in rows(found) { tr { @for cell in row { td { (cell) } } } } }
        }
    };
    let bars: Vec<ForestRow> = found.trials.iter().take(DRAWN).zip(1..).map(bar).collect();
    let note = match found.trials.len() > DRAWN {
        true => format!("The best {DRAWN} of {}.", found.trials.len()),
        false => String::new(),
    };
    let chart = forest(
        "Gain of each training",
        "gain in nDCG@10 on dev",
        &bars,
        true,
        note,
    );
    Page {
        task: "train sweep",
        title: TITLE,
        date: "",
        created_by: CREATED_BY,
        head: html! {
            p.models { span.model.s0 { (model) } ", the model to start from" }
            div.answer.better { @for text in sentences(found) { p.plain { (text) } } }
        },
        sections: [
            section("gains", "Gains", figures(chart)),
            section(
                "trainings",
                "All trainings",
                scrolling("All trainings", &table),
            ),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
    .html()
}

fn bar((trial, number): (&SweepTrial, usize)) -> ForestRow {
    let point = &trial.point;
    ForestRow {
        label: format!("{number}. {} {:e}", point.loss, point.learning_rate),
        estimate: Estimate::new(trial.gain, trial.interval),
        class: if number == 1 { "s0" } else { "same" },
        value: signed(trial.gain, 4),
        tooltip: point.name(),
    }
}

fn rows(found: &Found) -> Vec<Vec<String>> {
    let row = |(number, trial): (usize, &SweepTrial)| {
        let SweepTrial {
            point,
            report,
            gain,
            interval,
        } = trial;
        let interval =
            interval.map(|(low, high)| format!("{} to {}", signed(low, 4), signed(high, 4)));
        vec![
            number.to_string(),
            point.loss.clone(),
            format!("{:e}", point.learning_rate),
            point.epochs.to_string(),
            point.batch_size.to_string(),
            point
                .negatives
                .map_or_else(|| "all".to_owned(), |most| most.to_string()),
            count(report.steps),
            figure(report.seconds, 1),
            figure(trial.score(), 4),
            signed(*gain, 4),
            interval.unwrap_or_default(),
        ]
    };
    (1..).zip(&found.trials).map(row).collect()
}

/// The winner, how far it is ahead, and what it has on test.
fn sentences(found: &Found) -> Vec<String> {
    let Some(best) = found.trials.first() else {
        return Vec::new();
    };
    let point = &best.point;
    let mut sentences = vec![format!(
        "Of {} the best on dev has --loss {}, --learning-rate {:e}, --epochs {} and --batch-size {}{}: nDCG@10 {}.",
        counted(found.trials.len() as u64, "trainings"),
        point.loss,
        point.learning_rate,
        point.epochs,
        point.batch_size,
        point.negatives.map_or_else(String::new, |most| format!(
            ", with {most} hard negatives a row"
        )),
        figure(best.score(), 4),
    )];
    if best.report.is_below_start() {
        sentences.push(
            "That is below the model it started from, which is therefore the one in the folder."
                .to_owned(),
        );
    }
    let is_like = |other: &&SweepTrial| best.interval.is_some_and(|(low, _)| other.gain >= low);
    let alike = found.trials.iter().skip(1).filter(is_like).count();
    if alike > 0 {
        sentences.push(format!(
            "{} of the others {} within its interval: which of them is best, dev cannot tell.",
            alike,
            pairmill_schema::agreeing(alike, "is", "are")
        ));
    }
    sentences.push(match &found.test {
        Some(OnTest { queries, before, after, interval }) => {
            let interval = interval.map_or_else(String::new, |(low, high)| {
                format!(", 95 % interval {} to {}", signed(low, 4), signed(high, 4))
            });
            format!(
                "On {} of test it has {}, before {} ({}{interval}).",
                counted(*queries as u64, "queries"),
                figure(*after, 4),
                figure(*before, 4),
                signed(after - before, 4)
            )
        }
        None => "There is no test split, so its figure is that of the queries it was chosen by, and a little too good.".to_owned(),
    });
    sentences
}
