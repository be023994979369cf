use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::figure::{Figure, series_class};
use super::plot::{Axis, Plot, drawable, path, px};
use crate::estimate::Estimate;
use crate::estimate::nan_if_null;
use crate::format::{self, count, figure, of_any_size};

/// Points that a curve is drawn with at most.
const POINTS: usize = 240;
/// Up to this many points of a curve are marked.
const MARKED: usize = 40;

/// A named series of points in ascending x.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// What it is of.
    pub name: String,
    /// In ascending x.
    pub points: Vec<Point>,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Its place across.
    #[serde(deserialize_with = "nan_if_null")]
    pub x: f64,
    /// Its place upwards.
    #[serde(deserialize_with = "nan_if_null")]
    pub y: f64,
}

/// A metric against the number of training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningCurve {
    /// With the split it is measured on, such as `nDCG@10 on dev`.
    pub metric: String,
    /// Before training.
    pub before: Option<f64>,
    /// In ascending number of rows.
    pub points: Vec<LearningPoint>,
    /// What more rows are taken to bring, in ascending number of them.
    #[serde(default)]
    pub predicted: Vec<LearningPoint>,
}

/// One training of a learning curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningPoint {
    /// Training rows.
    pub rows: u64,
    /// What was reached.
    pub score: Estimate,
}

/// Draws precision against recall, one curve for each model; `note` says what a point is. `None`
/// where there is none.
pub fn precision_recall(curves: &[Curve], note: &str) -> Option<Markup> {
    let plot = Plot::wide(
        Axis::fixed("recall", 0.0, 1.0),
        Axis::fixed("precision", 0.0, 1.0),
    );
    let curves: Vec<(&str, Vec<Point>)> = curves
        .iter()
        .map(|curve| {
            let points = curve.points.iter().copied();
            let points = points.filter(|point| plot.x.holds(point.x) && plot.y.holds(point.y));
            (curve.name.as_str(), pick(&points.collect::<Vec<_>>()))
        })
        .filter(|(_, points)| !points.is_empty())
        .collect();
    if curves.is_empty() {
        return None;
    }
    let marks = html! {
        @for (number, (name, points)) in curves.iter().enumerate() {
            (line(&plot, series_class(number), name, points))
        }
    };
    let legend = curves.iter().enumerate();
    let figure = Figure {
        title: "Precision and recall",
        legend: legend
            .map(|(number, (name, _))| (series_class(number), (*name).to_owned()))
            .collect(),
        svg: plot.draw("Precision against recall", &marks),
        note: note.to_owned(),
    };
    Some(figure.render())
}

/// Draws curves that share both axes. `None` where there is no point.
pub fn line_chart(
    title: &str,
    [across, upwards]: [&str; 2],
    curves: &[Curve],
    note: &str,
) -> Option<Markup> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let plot = Plot::wide(
        Axis::spanning(across, points().map(|point| point.x))?,
        Axis::spanning(upwards, points().map(|point| point.y))?,
    );
    let marks = html! {
        @for (number, curve) in curves.iter().enumerate() {
            (line(&plot, series_class(number), &curve.name, &pick(&curve.points)))
        }
    };
    let legend = curves.iter().enumerate();
    let figure = Figure {
        title,
        legend: legend
            .map(|(number, curve)| (series_class(number), curve.name.clone()))
            .collect(),
        svg: plot.draw(title, &marks),
        note: note.to_owned(),
    };
    Some(figure.render())
}

/// Draws one chart for each quantity of the training log.
pub fn training_curves(curves: &[Curve]) -> Vec<Markup> {
    curves.iter().filter_map(training_curve).collect()
}

fn training_curve(curve: &Curve) -> Option<Markup> {
    let drawn: Vec<Point> = curve
        .points
        .iter()
        .copied()
        .filter(|point| drawable(point.x) && drawable(point.y))
        .collect();
    let (points, steps) = average(&drawn);
    let plot = Plot::wide(
        Axis::spanning("step", points.iter().map(|point| point.x))?,
        Axis::spanning(&curve.name, points.iter().map(|point| point.y))?,
    );
    let mut note = String::new();
    if steps > 1 {
        note = format!("Each point is the mean of {steps} logged steps.");
    }
    let left_out = curve.points.len() - drawn.len();
    if left_out > 0 {
        note += &format!(" Not finite and left out: {}.", count(left_out as u64));
    }
    let title = format::sentence_case(&curve.name);
    let figure = Figure {
        title: &title,
        legend: Vec::new(),
        svg: plot.draw(
            &format!("{title} by training step"),
            &line(&plot, series_class(0), &curve.name, &points),
        ),
        note: note.trim().to_owned(),
    };
    Some(figure.render())
}

const LEARNING: &str = "Learning curve: what more training data brings";

/// Draws quality against training rows on a logarithmic axis, with the level before training.
/// `None` where no training has a figure.
pub fn learning_curve(curve: &LearningCurve) -> Option<Markup> {
    let (plot, marks) = learning_plot(curve)?;
    let legend = match curve.predicted.is_empty() {
        true => Vec::new(),
        false => vec![
            (series_class(0), "measured".to_owned()),
            (series_class(1), "predicted".to_owned()),
        ],
    };
    let figure = Figure {
        title: LEARNING,
        legend,
        svg: plot.draw(LEARNING, &marks),
        note: String::new(),
    };
    Some(figure.render())
}

/// Draws the same as an SVG file of its own.
pub fn learning_curve_svg(curve: &LearningCurve) -> Option<String> {
    let (plot, marks) = learning_plot(curve)?;
    Some(plot.file(LEARNING, &marks))
}

fn learning_plot(curve: &LearningCurve) -> Option<(Plot, Markup)> {
    let drawn = |points: &[LearningPoint]| -> Vec<LearningPoint> {
        let points = points.iter();
        let points = points.filter(|point| point.rows > 0 && drawable(point.score.value));
        points.cloned().collect()
    };
    let (points, predicted) = (drawn(&curve.points), drawn(&curve.predicted));
    let before = curve.before.filter(|&before| drawable(before));
    let all = || points.iter().chain(&predicted);
    let scores = all().flat_map(|point| {
        let (low, high) = point.score.interval.unwrap_or((f64::NAN, f64::NAN));
        [point.score.value, low, high]
    });
    // Of what is predicted, the last point is the one that is asked for.
    let marked = points.iter().chain(predicted.last());
    let plot = Plot::wide(
        Axis::logarithmic(
            "training rows (logarithmic)",
            marked.clone().map(|point| point.rows as f64),
        )?,
        Axis::spanning(&curve.metric, scores.chain(before))?,
    );
    let ends = [plot.x.low(), plot.x.high()].map(|x| plot.across(x));
    let place =
        |point: &LearningPoint, score: f64| (plot.across(point.rows as f64), plot.down(score));
    let through = |points: &mut dyn Iterator<Item = &LearningPoint>| {
        path(points.map(|point| place(point, point.score.value)))
    };
    let marks = html! {
        @if let Some(before) = before {
            @let down = plot.down(before);
            line.zero x1=(px(ends[0])) x2=(px(ends[1])) y1=(px(down)) y2=(px(down)) {}
            text.corner x=(px(ends[1] - 4.0)) y=(px(down - 5.0)) text-anchor="end"
                { "before training" }
        }
        @if !predicted.is_empty() {
            polygon.area.s1 points=(path(band(&predicted).map(|(point, end)| place(point, end)))) {}
            polyline.line.s1 points=(through(&mut points.last().into_iter().chain(&predicted))) {}
        }
        polyline.line.s0 points=(through(&mut points.iter())) {}
        @for (number, point) in marked.enumerate() {
            @let across = plot.across(point.rows as f64);
            g.(series_class(usize::from(number >= points.len()))) {
                title { (count(point.rows)) " rows: " (figure(point.score.value, 4)) }
                @if let Some((low, high)) =
                    point.score.interval.filter(|&(low, high)| drawable(low) && drawable(high)) {
                    line.interval x1=(px(across)) x2=(px(across)) y1=(px(plot.down(low)))
                        y2=(px(plot.down(high))) {}
                }
                circle.dot cx=(px(across)) cy=(px(plot.down(point.score.value))) r="4" {}
            }
        }
    };
    Some((plot, marks))
}

/// The upper ends of the intervals, then the lower ones back.
fn band(points: &[LearningPoint]) -> impl Iterator<Item = (&LearningPoint, f64)> {
    let ends = points.iter().filter_map(|point| {
        let interval = point.score.interval;
        let interval = interval.filter(|&(low, high)| drawable(low) && drawable(high))?;
        Some((point, interval))
    });
    let upper = ends.clone().map(|(point, (_, high))| (point, high));
    upper.chain(ends.rev().map(|(point, (low, _))| (point, low)))
}

fn line(plot: &Plot, class: &str, name: &str, points: &[Point]) -> Markup {
    let places = points
        .iter()
        .map(|point| (plot.across(point.x), plot.down(point.y)));
    html! {
        polyline.line.(class) points=(path(places)) { title { (name) } }
        @if points.len() <= MARKED {
            @for point in points {
                circle.dot.(class) cx=(px(plot.across(point.x))) cy=(px(plot.down(point.y))) r="3" {
                    title { (name) ": " (of_any_size(point.y)) " at "
                        (figure(point.x, if point.x.fract() == 0.0 { 0 } else { 4 })) }
                }
            }
        }
    }
}

/// Evenly spread points, the first and the last among them.
fn pick(points: &[Point]) -> Vec<Point> {
    if points.len() <= POINTS {
        return points.to_vec();
    }
    (0..POINTS)
        .map(|number| points[number * (points.len() - 1) / (POINTS - 1)])
        .collect()
}

/// Means of so many points that follow each other that few enough are left.
fn average(points: &[Point]) -> (Vec<Point>, usize) {
    let steps = points.len().div_ceil(POINTS).max(1);
    let means = points.chunks(steps).map(|chunk| {
        let mean = |of: fn(&Point) -> f64| {
            chunk
                .iter()
                .map(|point| of(point) / chunk.len() as f64)
                .sum()
        };
        Point {
            x: mean(|point| point.x),
            y: mean(|point| point.y),
        }
    });
    (means.collect(), steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(number: usize) -> Vec<Point> {
        let points = (0..number).map(|x| x as f64);
        points.map(|x| Point { x, y: 2.0 * x }).collect()
    }

    #[test]
    fn long_curves_are_thinned() {
        let picked = pick(&points(10_000));
        assert_eq!(picked.len(), POINTS);
        assert_eq!((picked[0].x, picked[POINTS - 1].x), (0.0, 9_999.0));
        assert_eq!(pick(&points(7)).len(), 7);

        let (means, steps) = average(&points(480));
        assert_eq!((means.len(), steps), (240, 2));
        assert_eq!((means[0].x, means[0].y), (0.5, 1.0));
        assert_eq!(average(&[]).0, []);
    }

    #[test]
    fn a_learning_curve_of_its_own_brings_its_style() {
        let point = |rows, score| LearningPoint {
            rows,
            score: Estimate::new(score, None),
        };
        let mut curve = LearningCurve {
            metric: "nDCG@10 on dev".to_owned(),
            before: Some(f64::NAN),
            points: vec![point(100, 0.4), point(200, 0.5), point(500, f64::NAN)],
            predicted: Vec::new(),
        };
        let svg = learning_curve_svg(&curve).unwrap();
        assert!(svg.starts_with("<svg xmlns=") && svg.contains("prefers-color-scheme: dark"));
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(!svg.contains("NaN"), "{svg}");
        curve.points.clear();
        assert_eq!(learning_curve_svg(&curve), None);
    }

    #[test]
    fn what_is_predicted_has_a_band_and_one_dot() {
        let point = |rows, score, interval| LearningPoint {
            rows,
            score: Estimate::new(score, interval),
        };
        let curve = LearningCurve {
            metric: "nDCG@10 on dev".to_owned(),
            before: Some(0.3),
            points: vec![point(100, 0.4, None), point(200, 0.5, None)],
            predicted: vec![
                point(400, 0.55, Some((0.5, 0.6))),
                point(800, 0.6, Some((0.5, 0.7))),
            ],
        };
        let svg = learning_curve_svg(&curve).unwrap();
        assert_eq!(svg.matches("<circle").count(), 3);
        assert_eq!(svg.matches("<polygon").count(), 1);
        let page = learning_curve(&curve).unwrap().into_string();
        assert!(page.contains("predicted"), "{page}");
    }
}
