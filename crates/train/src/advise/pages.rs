//! The advice as Markdown and as a page.

use maud::{Markup, html};
use pairmill_report::format::{count, duration, figure, percent, signed};
use pairmill_report::{
    Estimate, LearningCurve, LearningPoint, Page, figures, learning_curve, markdown, scrolling,
    section,
};

use super::advice::{Advice, Payback, Prediction, Time, Verdict};

const TITLE: &str = "Should you fine-tune?";
const CREATED_BY: &str = concat!("pairmill-train ", env!("CARGO_PKG_VERSION"));

/// A table: its rows, the first of which is the header.
type Rows = Vec<Vec<String>>;

impl Verdict {
    /// Returns it in two or three words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Train => "Fine-tune",
            Self::Unclear => "Too close to call",
            Self::Keep => "Do not fine-tune",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Train => "answer better",
            Self::Unclear => "answer unclear",
            Self::Keep => "answer worse",
        }
    }
}

/// Writes the advice as Markdown, which is what is printed too.
pub(super) fn markdown(advice: &Advice) -> String {
    let mut text = format!(
        "# {TITLE}\n\n**{}.** {}\n",
        advice.verdict.words(),
        advice.answer
    );
    let mut table = |heading: &str, before: &[String], rows: &Rows| {
        text += &format!("\n## {heading}\n\n");
        let mut parts = Vec::new();
        if !before.is_empty() {
            parts.push(before.join("\n") + "\n");
        }
        if rows.len() > 1 {
            let mut table = String::new();
            markdown::table_of_ours(&mut table, rows);
            parts.push(table);
        }
        text += &parts.join("\n");
    };
    table("Reasons", &[], &reasons(advice));
    if let Some(prediction) = &advice.prediction {
        table(
            "The prediction",
            &method(prediction),
            &trainings(advice, prediction),
        );
    }
    let first = advice.first.iter().enumerate();
    let first: Vec<String> = first
        .map(|(number, text)| format!("{}. {text}", number + 1))
        .collect();
    if !first.is_empty() {
        table("What to change first", &first, &Vec::new());
    }
    table("The loss", &[], &losses(advice));
    table("The settings", &[], &settings(advice));
    text += &format!("\n```sh\n{}\n```\n", advice.command);
    text += &format!("\n## Time and cost\n\n{}\n", time(&advice.time).join(" "));
    if let Some(found) = &advice.payback {
        text += &format!("\n{}\n", payback(found).join(" "));
    }
    text
}

/// Writes the advice as a page that loads nothing.
pub(super) fn page(advice: &Advice) -> String {
    let prediction = advice.prediction.as_ref();
    let sections = [
        section("reasons", "Reasons", table("Reasons", &reasons(advice))),
        section(
            "prediction",
            "The prediction",
            html! {
                @if let Some(found) = prediction {
                    @for sentence in method(found) { p.plain { (sentence) } }
                    (figures(learning_curve(&curve(advice, found))))
                    (table("Small trainings", &trainings(advice, found)))
                }
            },
        ),
        section(
            "first",
            "What to change first",
            html! {
                @if !advice.first.is_empty() {
                    ol { @for text in &advice.first { li { (text) } } }
                }
            },
        ),
        section(
            "settings",
            "Loss and settings",
            html! {
                (table("The loss", &losses(advice)))
                p {}
                (table("The settings", &settings(advice)))
                pre { code { (advice.command) } }
            },
        ),
        section(
            "time",
            "Time and cost",
            html! {
                p.plain { (time(&advice.time).join(" ")) }
                @if let Some(found) = &advice.payback { p.plain { (payback(found).join(" ")) } }
            },
        ),
    ];
    Page {
        task: "train advise",
        title: TITLE,
        date: "",
        created_by: CREATED_BY,
        head: html! {
            p.models { span.model.s0 { (advice.model) } ", the model to start from" }
            div class=(advice.verdict.class()) {
                p.badge { (advice.verdict.words()) }
                p.sentence { (advice.answer) }
            }
        },
        sections: sections.into_iter().flatten().collect(),
    }
    .html()
}

fn table(label: &str, rows: &Rows) -> Markup {
    let Some((header, rows)) = rows.split_first() else {
        return html! {};
    };
    let table = html! {
        table {
            thead { tr { @for name in header { th { (name) } } } }
            tbody {
                @for row in rows {
                    tr { @for (place, cell) in row.iter().enumerate() {
                        @if place == 0 { th { (cell) } } @else { td { (cell) } }
                    } }
                }
            }
        }
    };
    scrolling(label, &table)
}

fn rows<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Rows {
    let header = header.map(str::to_owned).to_vec();
    std::iter::once(header)
        .chain(rows.map(|row| row.to_vec()))
        .collect()
}

fn reasons(advice: &Advice) -> Rows {
    let reasons = advice.reasons.iter().map(|reason| {
        [
            reason.about.clone(),
            reason.figure.clone(),
            reason.threshold.clone(),
            reason.speaks.word().to_owned(),
            reason.sentence.clone(),
        ]
    });
    rows(["", "figure", "held against", "speaks", ""], reasons)
}

fn trainings(advice: &Advice, prediction: &Prediction) -> Rows {
    let before = advice.baseline.score;
    let row = |rows: usize, steps: String, score: f64, what: &str| {
        [
            count(rows as u64),
            steps,
            figure(score, 3),
            signed(score - before, 3),
            what.to_owned(),
        ]
    };
    let small = prediction.small_trainings.iter();
    let small = small.map(|one| row(one.rows, count(one.steps), one.score, "measured"));
    let whole = row(
        prediction.rows,
        count(advice.time.steps),
        before + prediction.gain,
        "predicted",
    );
    let header = ["training rows", "steps", "nDCG@10", "gain", ""];
    let none = row(0, "0".to_owned(), before, "measured");
    rows(header, std::iter::once(none).chain(small).chain([whole]))
}

fn method(prediction: &Prediction) -> Vec<String> {
    let twice = format!(
        "Twice the rows would bring {} on top.",
        signed(prediction.gain_of_twice_the_rows, 3)
    );
    let method = "The small trainings start from the same model, with the same options. A power law of 1 - nDCG@10 in the rows is fitted to them; the interval comes of resampling the dev queries, and of not knowing how soon the curve flattens. The prediction is of the options as given, not of the settings below.";
    vec![method.to_owned(), twice]
}

fn losses(advice: &Advice) -> Rows {
    let losses = advice.losses.iter().map(|loss| {
        [
            loss.file.clone(),
            loss.columns.clone(),
            loss.given.clone(),
            loss.fits.clone(),
            loss.why.clone(),
        ]
    });
    rows(["table", "columns", "as given", "fits", "why"], losses)
}

fn settings(advice: &Advice) -> Rows {
    let settings = advice.settings.iter();
    let settings = settings.map(|one| [one.option.clone(), one.value.clone(), one.why.clone()]);
    rows(["option", "value", "why"], settings)
}

fn time(time: &Time) -> Vec<String> {
    vec![
        format!(
            "The training as given takes about {} on this machine: {} steps of {} s and {} evaluations of {} s, by {} measured steps.",
            duration(time.seconds),
            count(time.steps),
            figure(time.step, 3),
            count(time.evaluations),
            figure(time.evaluation, 1),
            count(time.measured_steps as u64)
        ),
        format!("This advice took {}.", duration(time.advice)),
    ]
}

fn payback(found: &Payback) -> Vec<String> {
    let Payback {
        failure_depth,
        failing,
        avoided_a_day,
        saved_a_day,
        cost,
        days,
    } = found;
    let range = |(low, high): (f64, f64), decimals: usize| {
        format!("{} to {}", figure(low, decimals), figure(high, decimals))
    };
    let mut sentences = vec![
        format!(
            "A query fails if none of its first {failure_depth} results is relevant: {} of the dev queries do now.",
            percent(*failing, 1)
        ),
        format!(
            "Training is predicted to avoid {} failures a day, worth {} a day.",
            range(*avoided_a_day, 1),
            range(*saved_a_day, 2)
        ),
    ];
    sentences.push(match days {
        None => format!("It costs {} and is not predicted to pay that back.", figure(*cost, 2)),
        Some((_, Some(last))) if *last < 1.0 => {
            format!("It costs {} and has paid within a day.", figure(*cost, 2))
        }
        Some((first, Some(last))) => format!(
            "It costs {} and has paid after {} days.",
            figure(*cost, 2),
            range((*first, *last), 1)
        ),
        Some((first, None)) => format!(
            "It costs {} and has paid after {} days at the earliest, or never: the low end of the range saves nothing.",
            figure(*cost, 2),
            figure(*first, 1)
        ),
    });
    sentences
}

fn curve(advice: &Advice, prediction: &Prediction) -> LearningCurve {
    let point = |rows: usize, score: f64| LearningPoint {
        rows: rows as u64,
        score: Estimate::new(score, None),
    };
    let points = prediction.small_trainings.iter();
    LearningCurve {
        metric: "nDCG@10 on dev".to_owned(),
        before: Some(advice.baseline.score),
        points: points.map(|one| point(one.rows, one.score)).collect(),
        predicted: prediction.curve.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_return_is_said_as_a_range() {
        let found = Payback {
            failure_depth: 10,
            failing: 0.25,
            avoided_a_day: (10.0, 50.0),
            saved_a_day: (20.0, 100.0),
            cost: 100.0,
            days: Some((1.0, None)),
        };
        assert_eq!(
            payback(&found).join(" "),
            "A query fails if none of its first 10 results is relevant: 25.0 % of the dev queries do now. Training is predicted to avoid 10.0 to 50.0 failures a day, worth 20.00 to 100.00 a day. It costs 100.00 and has paid after 1.0 days at the earliest, or never: the low end of the range saves nothing."
        );
    }
}
