use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::figure::{Figure, series_class};
use super::plot::{Axis, Plot, path};
use crate::format::{count, percent};

/// Histograms of scores over bins of equal width, the same for all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distributions {
    /// What the scores are, such as `cosine`.
    pub score: String,
    /// Lower end of the first bin.
    pub low: f64,
    /// Upper end of the last bin.
    pub high: f64,
    /// One for each model and kind.
    pub series: Vec<Distribution>,
}

/// The scores of one kind under one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// The model. Series of one model are drawn over each other.
    pub model: String,
    /// Such as `relevant` or `not relevant`.
    pub kind: String,
    /// Scores in each bin.
    pub counts: Vec<u64>,
}

impl Distributions {
    const BINS: usize = 40;

    /// Counts the finite ones of scores that are given as (model, kind, scores); `None` where
    /// there are none.
    pub fn of(score: &str, series: &[(&str, &str, &[f32])]) -> Option<Self> {
        let finite = |scores: &[f32]| -> Vec<f64> {
            let scores = scores.iter().filter(|score| score.is_finite());
            scores.map(|&score| f64::from(score)).collect()
        };
        let all = series.iter().flat_map(|(_, _, scores)| finite(scores));
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), score| {
            (low.min(score), high.max(score))
        });
        if low > high {
            return None;
        }
        let (low, high) = if low < high {
            (low, high)
        } else {
            (low - 0.5, high + 0.5)
        };
        let bin = |score: f64| {
            let bin = (score - low) / (high - low) * Self::BINS as f64;
            (bin as usize).min(Self::BINS - 1)
        };
        let series = series.iter().map(|&(model, kind, scores)| {
            let mut counts = vec![0; Self::BINS];
            for score in finite(scores) {
                counts[bin(score)] += 1;
            }
            Distribution {
                model: model.to_owned(),
                kind: kind.to_owned(),
                counts,
            }
        });
        Some(Self {
            score: score.to_owned(),
            low,
            high,
            series: series.collect(),
        })
    }
}

/// Draws one chart for each model, on the same axes.
pub fn histograms(distributions: &Distributions) -> Vec<Markup> {
    let (low, high) = (distributions.low, distributions.high);
    let shares = distributions.series.iter().flat_map(shares);
    let highest = shares.fold(0.0, f64::max);
    if !(low.is_finite() && high.is_finite() && low < high && highest > 0.0) {
        return Vec::new();
    }
    let mut models: Vec<&str> = Vec::new();
    for series in &distributions.series {
        if !models.contains(&series.model.as_str()) {
            models.push(&series.model);
        }
    }
    let panel = |model: &str| {
        let series: Vec<&Distribution> = distributions
            .series
            .iter()
            .filter(|series| series.model == model)
            .collect();
        let plot = Plot::wide(
            Axis::fixed(&distributions.score, low, high),
            Axis::spanning("share of the scores (%)", [0.0, highest * 100.0])?,
        );
        let marks = html! {
            @for (number, series) in series.iter().enumerate() {
                polyline.area.(series_class(number)) points=(path(outline(series, &plot))) {
                    title { (series.kind) ", " (count(total(series))) " scores" }
                }
            }
        };
        let title = format!(
            "{}: {model}",
            crate::format::sentence_case(&distributions.score)
        );
        let legend = series.iter().enumerate().map(|(number, series)| {
            let name = format!("{} ({})", series.kind, count(total(series)));
            (series_class(number), name)
        });
        let figure = Figure {
            title: &title,
            legend: legend.collect(),
            svg: plot.draw(&title, &marks),
            note: overlap(&series),
        };
        Some(figure.render())
    };
    models.into_iter().filter_map(panel).collect()
}

fn total(series: &Distribution) -> u64 {
    series.counts.iter().sum()
}

/// The share of the scores in each bin.
fn shares(series: &Distribution) -> impl Iterator<Item = f64> {
    let total = total(series).max(1) as f64;
    series.counts.iter().map(move |&count| count as f64 / total)
}

/// Along the tops of the bins and back to the axis.
fn outline(series: &Distribution, plot: &Plot) -> Vec<(f64, f64)> {
    let (low, high) = (plot.x.low(), plot.x.high());
    let width = (high - low) / series.counts.len().max(1) as f64;
    let mut outline = vec![(plot.across(low), plot.down(0.0))];
    for (bin, share) in shares(series).enumerate() {
        let left = low + bin as f64 * width;
        let top = plot.down(share * 100.0);
        outline.push((plot.across(left), top));
        outline.push((plot.across(left + width), top));
    }
    outline.push((plot.across(high), plot.down(0.0)));
    outline
}

fn overlap(series: &[&Distribution]) -> String {
    let [first, second] = series[..] else {
        return String::new();
    };
    if total(first) == 0 || total(second) == 0 {
        return String::new();
    }
    let common: f64 = shares(first)
        .zip(shares(second))
        .map(|(first, second)| first.min(second))
        .sum();
    format!(
        "The two overlap by {}; the less, the easier they are told apart.",
        percent(common, 0)
    )
}
