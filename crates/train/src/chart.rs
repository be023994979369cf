use std::fmt::Write;

use crate::experiments::Trial;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 56.0;

/// nDCG@10 on dev against the number of training rows on a logarithmic axis, with the score before
/// training as a dashed line. Colours follow the reader's light or dark scheme.
pub(crate) fn learning_curve_svg(trials: &[Trial]) -> String {
    let rows = |trial: &Trial| (trial.report.rows.max(1) as f64).ln();
    let before = trials.first().map_or(f64::NAN, |trial| trial.scores().0);
    let scores = || trials.iter().map(|trial| trial.scores().1).chain([before]);
    let (low, high) = bounds(scores(), 0.01);
    let (first, last) = bounds(trials.iter().map(rows), 0.5);
    let x = |rows: f64| LEFT + (rows - first) / (last - first) * (WIDTH - LEFT - RIGHT);
    let y = |score: f64| HEIGHT - BOTTOM - (score - low) / (high - low) * (HEIGHT - TOP - BOTTOM);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"system-ui, sans-serif\" font-size=\"13\" role=\"img\" aria-label=\"nDCG@10 on dev against training rows\">\n\
         <style>text{{fill:#333}}.grid{{stroke:#ddd}}.curve{{fill:none;stroke:#1f6feb;stroke-width:2}}.point{{fill:#1f6feb}}.before{{stroke:#888;stroke-dasharray:6 4}}@media (prefers-color-scheme:dark){{text{{fill:#ccc}}.grid{{stroke:#444}}}}</style>\n\
         <text x=\"{LEFT}\" y=\"22\" font-weight=\"600\">nDCG@10 on dev against training rows</text>\n"
    );
    for step in 0..=4 {
        let score = low + (high - low) * f64::from(step) / 4.0;
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{1:.1}\" y2=\"{1:.1}\"/><text x=\"{2:.1}\" y=\"{3:.1}\" text-anchor=\"end\">{score:.3}</text>",
            WIDTH - RIGHT,
            y(score),
            LEFT - 8.0,
            y(score) + 4.0
        );
    }
    let _ = writeln!(
        svg,
        "<line class=\"before\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{1:.1}\" y2=\"{1:.1}\"/><text x=\"{LEFT}\" y=\"{2:.1}\">before training</text>",
        WIDTH - RIGHT,
        y(before),
        y(before) - 6.0
    );
    let points: Vec<String> = trials
        .iter()
        .map(|trial| format!("{:.1},{:.1}", x(rows(trial)), y(trial.scores().1)))
        .collect();
    let _ = writeln!(
        svg,
        "<polyline class=\"curve\" points=\"{}\"/>",
        points.join(" ")
    );
    for trial in trials {
        let (across, down) = (x(rows(trial)), y(trial.scores().1));
        let _ = writeln!(
            svg,
            "<circle class=\"point\" cx=\"{across:.1}\" cy=\"{down:.1}\" r=\"4\"><title>{} rows: {:.4}</title></circle><text x=\"{across:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            trial.report.rows,
            trial.scores().1,
            HEIGHT - BOTTOM + 20.0,
            trial.report.rows
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">training rows (logarithmic)</text>\n</svg>\n",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 14.0
    );
    svg
}

/// Least and greatest value, with a tenth of the span beyond, which is at least `least_span`.
fn bounds(values: impl Iterator<Item = f64>, least_span: f64) -> (f64, f64) {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if low > high {
        return (0.0, 1.0);
    }
    let beyond = (high - low).max(least_span) / 10.0;
    (low - beyond, high + beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_one_value_have_a_span() {
        let (low, high) = bounds([0.5].into_iter(), 0.01);
        assert!(low < 0.5 && high > 0.5);
    }
}
