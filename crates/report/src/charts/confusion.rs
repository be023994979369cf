use std::cmp::Reverse;
use std::collections::BTreeMap;

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::figure::Figure;
use super::plot::{WIDTH, px};
use crate::format::{count, cut, percent};

/// Classes that are drawn at most.
const CLASSES: usize = 12;
const LABELS: f64 = 128.0;
const TOP: f64 = 34.0;

/// How often each class was taken for each other one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfusionTable {
    /// What predicted, such as `k nearest neighbours`.
    pub classifier: String,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// (true class, predicted class, count) of the cells above 0; classes by their number.
    pub cells: Vec<(u32, u32, u64)>,
}

/// Draws the classes that are confused most, by true class (row) and predicted class (column).
/// `None` where fewer than two classes occur.
pub fn confusion_matrix(table: &ConfusionTable) -> Option<Markup> {
    let classes = most_confused(table);
    if classes.len() < 2 {
        return None;
    }
    let cells: BTreeMap<(u32, u32), u64> = table
        .cells
        .iter()
        .map(|&(truth, predicted, number)| ((truth, predicted), number))
        .collect();
    let mut totals: BTreeMap<u32, u64> = BTreeMap::new();
    for (&(truth, _), number) in &cells {
        *totals.entry(truth).or_default() += number;
    }
    let name = |class: u32| table.classes.get(class as usize).map_or("", String::as_str);
    let size = ((WIDTH - LABELS) / classes.len() as f64).min(36.0);
    let height = TOP + size * classes.len() as f64 + 4.0;
    let middle = |number: u32| size * (f64::from(number) + 0.5);
    let title = format!("Confusion matrix: {}", table.classifier);
    let svg = html! {
        svg viewBox={"0 0 " (WIDTH) " " (px(height))} role="img" aria-label=(title) {
            text.axis x="2" y=(px(TOP - 8.0)) { "true class" }
            text.axis x=(px(LABELS)) y="11" { "predicted class" }
            @for (row, &truth) in (0u32..).zip(&classes) {
                @let down = TOP + middle(row);
                text.row x="2" y=(px(down + 4.0))
                    { (row + 1) " " (cut(name(truth), 18).unwrap_or_else(|| name(truth).to_owned()))
                    }
                text.tick x=(px(LABELS + middle(row))) y=(px(TOP - 8.0)) text-anchor="middle"
                    { (row + 1) }
                @for (column, &predicted) in (0u32..).zip(&classes) {
                    @let number = cells.get(&(truth, predicted)).copied().unwrap_or(0);
                    @let share = number as f64 / totals.get(&truth).copied().unwrap_or(0).max(1) as
                        f64;
                    g.(if truth == predicted { "s0" } else { "s1" }) {
                        title { (name(truth)) " taken for " (name(predicted)) ": " (count(number))
                            " (" (percent(share, 1)) ")" }
                        rect.cell x=(px(LABELS + size * f64::from(column) + 1.0))
                            y=(px(TOP + size * f64::from(row) + 1.0))
                            width=(px(size - 2.0)) height=(px(size - 2.0))
                                fill-opacity=(format!("{:.2}", 0.06 + 0.7 * share.sqrt())) {}
                        @if number > 0 {
                            text.cell-count x=(px(LABELS + middle(column))) y=(px(down + 3.5))
                                text-anchor="middle" { (count(number)) }
                        }
                    }
                }
            }
        }
    };
    let note = if classes.len() < table.classes.len() {
        format!(
            "The {} of {} classes with the most errors. Columns are numbered as the rows; the \
             diagonal is right.",
            classes.len(),
            count(table.classes.len() as u64)
        )
    } else {
        "Columns are numbered as the rows; the diagonal is right.".to_owned()
    };
    let figure = Figure {
        title: &title,
        legend: Vec::new(),
        svg,
        note,
    };
    Some(figure.render())
}

/// The classes with most errors in ascending order, of those that occur.
fn most_confused(table: &ConfusionTable) -> Vec<u32> {
    let mut errors: BTreeMap<u32, u64> = BTreeMap::new();
    for &(truth, predicted, number) in &table.cells {
        let wrong = if truth == predicted { 0 } else { number };
        *errors.entry(truth).or_default() += wrong;
        *errors.entry(predicted).or_default() += wrong;
    }
    let mut classes: Vec<u32> = errors.keys().copied().collect();
    classes.sort_by_key(|class| Reverse(errors[class]));
    classes.truncate(CLASSES);
    classes.sort_unstable();
    classes
}
