use maud::{Markup, html};

use super::figure::Figure;
use super::plot::{Axis, WIDTH, drawable, px};
use crate::estimate::Estimate;
use crate::format::cut;

const ROW: f64 = 24.0;
const TOP: f64 = 8.0;
/// Characters of a label.
const LABEL: usize = 23;
const VALUES: f64 = 66.0;

/// A row of a forest plot.
#[derive(Debug)]
pub struct ForestRow {
    /// What stands before it.
    pub label: String,
    /// Where dot and bar are.
    pub estimate: Estimate,
    /// The class of its colour.
    pub class: &'static str,
    /// The figure as text.
    pub value: String,
    /// What the tooltip says.
    pub tooltip: String,
}

/// Draws one line for each row, with the interval as a bar. `zero` draws the line of no difference.
/// `None` where no row has a figure.
pub fn forest(
    title: &str,
    axis: &str,
    rows: &[ForestRow],
    zero: bool,
    note: String,
) -> Option<Markup> {
    let ends = rows.iter().flat_map(|row| {
        let (low, high) = row.estimate.interval.unwrap_or((f64::NAN, f64::NAN));
        [row.estimate.value, low, high]
    });
    let axis_label = axis;
    rows.iter().find(|row| drawable(row.estimate.value))?;
    let axis = Axis::spanning_in(3.0, axis, ends.chain(zero.then_some(0.0)))?;
    let bottom = TOP + ROW * rows.len() as f64;
    let height = bottom + 38.0;
    let longest = rows
        .iter()
        .map(|row| row.label.chars().count().min(LABEL))
        .max();
    let left = 20.0 + 6.0 * longest.unwrap_or(0) as f64;
    let right = WIDTH - VALUES;
    let across =
        |value: f64| left + (value - axis.low()) / (axis.high() - axis.low()) * (right - left);
    let svg = html! {
        svg viewBox={"0 0 " (WIDTH) " " (height)} role="img" aria-label=(title) {
            @for (tick, text) in axis.labeled_ticks() {
                line.grid x1=(px(across(tick))) x2=(px(across(tick))) y1=(px(TOP)) y2=(px(bottom))
                    {}
                text.tick x=(px(across(tick))) y=(px(bottom + 15.0)) text-anchor="middle" { (text) }
            }
            @if zero {
                line.zero x1=(px(across(0.0))) x2=(px(across(0.0))) y1=(px(TOP)) y2=(px(bottom)) {}
            }
            text.axis x=(px((left + right) / 2.0)) y=(px(height - 5.0)) text-anchor="middle"
                { (axis_label) }
            @for (number, row) in (0u32..).zip(rows) {
                @let down = TOP + ROW * (f64::from(number) + 0.5);
                g.(row.class) {
                    title { (row.tooltip) }
                    rect.hit x="0" y=(px(down - ROW / 2.0)) width=(px(WIDTH)) height=(px(ROW)) {}
                    text.row x="2" y=(px(down + 4.0))
                        { (cut(&row.label, LABEL).unwrap_or_else(|| row.label.clone())) }
                    @if let Some((low, high)) =
                        row.estimate.interval.filter(|&(low, high)| drawable(low) && drawable(high))
                        {
                        line.interval x1=(px(across(low))) x2=(px(across(high))) y1=(px(down))
                            y2=(px(down)) {}
                    }
                    @if drawable(row.estimate.value) {
                        circle.dot cx=(px(across(row.estimate.value))) cy=(px(down)) r="4.5" {}
                    }
                    text.value x=(px(WIDTH - 2.0)) y=(px(down + 4.0)) text-anchor="end"
                        { (row.value) }
                }
            }
        }
    };
    let figure = Figure {
        title,
        legend: Vec::new(),
        svg,
        note,
    };
    Some(figure.render())
}
