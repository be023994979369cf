use std::collections::BTreeMap;

use maud::{Markup, html};
use pairmill_metrics::metric_title;
use serde::{Deserialize, Serialize};

use super::figure::Figure;
use super::plot::{Axis, Plot, drawable, path, px};
use crate::estimate::nan_if_null;
use crate::format::{self, count, figure};

/// More places than this are merged into the cells of a grid.
const PLACES: usize = 600;
const CELLS: f64 = 50.0;
/// Radius of the greatest dot.
const RADIUS: f64 = 14.0;

/// A metric of each item, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scatter {
    /// The key of the metric.
    pub metric: String,
    /// One for each item.
    pub points: Vec<Change>,
}

/// One item, with the baseline's and the model's figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Its id.
    pub label: String,
    /// The figure of the baseline.
    #[serde(deserialize_with = "nan_if_null")]
    pub before: f64,
    /// The figure of the model.
    #[serde(deserialize_with = "nan_if_null")]
    pub after: f64,
}

/// Items at one place.
#[derive(Debug, Default)]
struct Dot<'a> {
    before: f64,
    after: f64,
    items: Vec<&'a str>,
}

/// Draws each item's figure before and after, with the diagonal of no change.
pub fn before_after(scatter: &Scatter, items: &str) -> Option<Markup> {
    let drawn: Vec<&Change> = scatter
        .points
        .iter()
        .filter(|point| drawable(point.before) && drawable(point.after))
        .collect();
    let values = || drawn.iter().flat_map(|point| [point.before, point.after]);
    let metric = metric_title(&scatter.metric);
    let plot = Plot::square(
        Axis::spanning(&format!("{metric} before (baseline)"), values())?,
        Axis::spanning(&format!("{metric} after (model)"), values())?,
        RADIUS + 2.0,
    );
    let (dots, cell) = dots(&drawn, &plot.x);
    let most = dots.iter().map(|dot| dot.items.len()).max().unwrap_or(1);
    let unit = (RADIUS / (most as f64).sqrt()).min(3.0);
    let rose = drawn
        .iter()
        .filter(|point| point.after > point.before)
        .count();
    let fell = drawn
        .iter()
        .filter(|point| point.after < point.before)
        .count();
    let [left, right, top, bottom] = plot.frame();
    let diagonal = [(left, bottom), (right, top)];
    let marks = html! {
        polygon.half.s0 points=(path([diagonal[0], (left, top), diagonal[1]])) {}
        polygon.half.s1 points=(path([diagonal[0], (right, bottom), diagonal[1]])) {}
        polyline.zero points=(path(diagonal)) {}
        @for dot in &dots {
            @let class = if dot.after > dot.before { "s0" } else if dot.after < dot.before { "s1" }
                else { "same" };
            circle.bubble.(class) cx=(px(plot.across(dot.before))) cy=(px(plot.down(dot.after)))
                r=(px((unit * (dot.items.len() as f64).sqrt()).max(1.2))) {
                title { (tooltip(dot)) }
            }
        }
    };
    let mut note = format!(
        "{} {items}; the larger a dot, the more of them lie there.",
        count(drawn.len() as u64)
    );
    if let Some(cell) = cell {
        note += &format!(
            " So many would hide each other: those within {cell} of each other share a dot."
        );
    }
    let left_out = scatter.points.len() - drawn.len();
    if left_out > 0 {
        note += &format!(
            " Without a figure and left out: {}.",
            count(left_out as u64)
        );
    }
    let title = format!(
        "{} of the {items}, before and after",
        format::sentence_case(&metric)
    );
    let figure = Figure {
        title: &title,
        legend: [
            ("s0", rose, "rose"),
            ("s1", fell, "fell"),
            ("same", drawn.len() - rose - fell, "unchanged"),
        ]
        .map(|(class, number, name)| (class, format!("{} {name}", count(number as u64))))
        .into(),
        svg: plot.draw(&title, &marks),
        note,
    };
    Some(figure.render())
}

/// The items by place, the crowded places first so that none hides a smaller one; with the width
/// of a cell where places were merged.
fn dots<'a>(points: &[&'a Change], axis: &Axis) -> (Vec<Dot<'a>>, Option<String>) {
    let width = (axis.high() - axis.low()) / CELLS;
    let exact = merge(points, |value| value.to_bits());
    let (mut dots, cell) = if exact.len() > PLACES {
        let cell = |value: f64| ((value - axis.low()) / width).round() as u64;
        (merge(points, cell), Some(figure(width, 3)))
    } else {
        (exact, None)
    };
    dots.sort_by_key(|dot| std::cmp::Reverse(dot.items.len()));
    (dots, cell)
}

/// One dot for the items of equal keys, at their mean.
fn merge<'a>(points: &[&'a Change], key: impl Fn(f64) -> u64) -> Vec<Dot<'a>> {
    let mut dots: BTreeMap<(u64, u64), Dot> = BTreeMap::new();
    for point in points {
        let dot = dots
            .entry((key(point.before), key(point.after)))
            .or_default();
        dot.before += point.before;
        dot.after += point.after;
        dot.items.push(&point.label);
    }
    let mut dots: Vec<Dot> = dots.into_values().collect();
    for dot in &mut dots {
        let items = dot.items.len() as f64;
        dot.before /= items;
        dot.after /= items;
    }
    dots
}

fn tooltip(dot: &Dot) -> String {
    let named: Vec<&str> = dot.items.iter().take(3).copied().collect();
    let more = match dot.items.len() - named.len() {
        0 => String::new(),
        more => format!(" and {} more", count(more as u64)),
    };
    format!(
        "{}{more}: {} → {}",
        named.join(", "),
        figure(dot.before, 4),
        figure(dot.after, 4)
    )
}
