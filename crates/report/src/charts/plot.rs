use maud::{Markup, PreEscaped, html};

/// Width of every chart in its own units: about that of a phone, so that text keeps its size there.
pub(super) const WIDTH: f64 = 360.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 40.0;
/// Parts that ticks divide an axis into, about.
const PARTS: f64 = 5.0;

/// The style of a chart that stands in no page.
const FILE_STYLE: &str = concat!(
    include_str!("../colours.css"),
    include_str!("charts.css"),
    "svg { font-family: system-ui, sans-serif; background: var(--page); }\n"
);

/// A coordinate in an attribute. Charts never hand over one that is not finite.
pub(super) fn px(coordinate: f64) -> String {
    debug_assert!(coordinate.is_finite());
    format!("{coordinate:.1}")
}

/// Whether a value has a place on an axis; beyond, spans overflow.
pub(super) fn drawable(value: f64) -> bool {
    value.is_finite() && value.abs() < 1e100
}

/// An axis from `low` to `high`, with ticks at round values.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    label: String,
    low: f64,
    high: f64,
    ticks: Vec<f64>,
    logarithmic: bool,
}

impl Axis {
    /// From the round value below all to the one above; `None` where no value is drawable.
    pub fn spanning(label: &str, values: impl IntoIterator<Item = f64>) -> Option<Self> {
        Self::spanning_in(PARTS, label, values)
    }

    /// Returns the same with about so many parts between ticks, for a short axis.
    pub fn spanning_in(
        parts: f64,
        label: &str,
        values: impl IntoIterator<Item = f64>,
    ) -> Option<Self> {
        let (low, high) = extremes(values)?;
        // A single value gets some room, and a span has to be more than rounding errors.
        let least = low.abs().max(high.abs()).max(1e-9) * 1e-6;
        let (low, high) = if high - low > least {
            (low, high)
        } else {
            let room = if low == 0.0 { 1.0 } else { low.abs() / 10.0 };
            (low - room, high + room)
        };
        let step = round_step((high - low) / parts);
        let low = (low / step + 1e-9).floor() * step;
        let high = (high / step - 1e-9).ceil() * step;
        Some(Self::with_step(step, label, low, high))
    }

    /// From `low` to `high`, which is greater.
    pub fn fixed(label: &str, low: f64, high: f64) -> Self {
        Self::with_step(round_step((high - low) / PARTS), label, low, high)
    }

    fn with_step(step: f64, label: &str, low: f64, high: f64) -> Self {
        let first = (low / step - 1e-9).ceil();
        let ticks = (0..12)
            .map(|number| (first + f64::from(number)) * step)
            .take_while(|&tick| tick <= high + step * 1e-9)
            .collect();
        Self {
            label: label.to_owned(),
            low,
            high,
            ticks,
            logarithmic: false,
        }
    }

    /// Logarithmic over the values above 0, with a tick at each of `values`, or at powers of ten
    /// where these are many; `None` where there is none.
    pub fn logarithmic(label: &str, values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut ticks: Vec<f64> = values
            .into_iter()
            .filter(|&value| drawable(value) && value > 0.0)
            .collect();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        let (low, high) = (*ticks.first()?, *ticks.last()?);
        let (low, high) = (low / 1.25, high * 1.25);
        if ticks.len() > 7 {
            let powers = low.log10().ceil() as i32..=high.log10().floor() as i32;
            ticks = powers.map(|power| 10f64.powi(power)).collect();
        }
        Some(Self {
            label: label.to_owned(),
            low,
            high,
            ticks,
            logarithmic: true,
        })
    }

    /// Where a value lies, 0 at the low end and 1 at the high end.
    fn place(&self, value: f64) -> f64 {
        if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    pub fn low(&self) -> f64 {
        self.low
    }

    pub fn high(&self) -> f64 {
        self.high
    }

    /// Whether a value can be drawn on this axis.
    pub fn holds(&self, value: f64) -> bool {
        drawable(value) && (self.low..=self.high).contains(&value)
    }

    /// Returns each tick with its text.
    pub fn labeled_ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let step = match self.ticks[..] {
            [first, second, ..] if !self.logarithmic => second - first,
            _ => 0.0,
        };
        self.ticks
            .iter()
            .map(move |&tick| (tick, tick_text(tick, step)))
    }
}

/// Two axes and the place between them.
#[derive(Debug)]
pub(super) struct Plot {
    pub x: Axis,
    pub y: Axis,
    /// Of the whole chart.
    height: f64,
    /// Between the frame and the ends of the axes, so that marks at an end hide no ticks.
    inset: f64,
}

impl Plot {
    /// Returns a plot whose area is a square, for two axes of the same kind.
    pub fn square(x: Axis, y: Axis, inset: f64) -> Self {
        let height = WIDTH - LEFT - RIGHT + TOP + BOTTOM;
        Self {
            x,
            y,
            height,
            inset,
        }
    }

    pub fn wide(x: Axis, y: Axis) -> Self {
        Self {
            x,
            y,
            height: 250.0,
            inset: 0.0,
        }
    }

    pub fn across(&self, x: f64) -> f64 {
        let (left, right) = (LEFT + self.inset, WIDTH - RIGHT - self.inset);
        left + self.x.place(x) * (right - left)
    }

    pub fn down(&self, y: f64) -> f64 {
        let (top, bottom) = (TOP + self.inset, self.height - BOTTOM - self.inset);
        bottom - self.y.place(y) * (bottom - top)
    }

    /// Returns left, right, top and bottom of the frame.
    pub fn frame(&self) -> [f64; 4] {
        [LEFT, WIDTH - RIGHT, TOP, self.height - BOTTOM]
    }

    /// Returns the chart: axes with ticks and labels below, the marks over them.
    pub fn draw(&self, label: &str, marks: &Markup) -> Markup {
        html! {
            svg viewBox={"0 0 " (WIDTH) " " (self.height)} role="img" aria-label=(label) {
                (self.inside(marks))
            }
        }
    }

    /// Returns the same as a file of its own, which brings its style along.
    pub fn file(&self, label: &str, marks: &Markup) -> String {
        let svg = html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox={"0 0 " (WIDTH) " " (self.height)}
                role="img" aria-label=(label) {
                style { (PreEscaped(FILE_STYLE)) }
                (self.inside(marks))
            }
        };
        svg.into_string() + "\n"
    }

    fn inside(&self, marks: &Markup) -> Markup {
        let [left, right, top, bottom] = self.frame();
        html! {
            text.axis x="2" y="13" { (self.y.label) }
            @for (y, text) in self.y.labeled_ticks() {
                @let down = self.down(y);
                line.grid x1=(px(left)) x2=(px(right)) y1=(px(down)) y2=(px(down)) {}
                text.tick x=(px(left - 6.0)) y=(px(down + 4.0)) text-anchor="end" { (text) }
            }
            @for (x, text) in self.x.labeled_ticks() {
                @let across = self.across(x);
                line.grid x1=(px(across)) x2=(px(across)) y1=(px(top)) y2=(px(bottom)) {}
                text.tick x=(px(across)) y=(px(bottom + 15.0)) text-anchor="middle" { (text) }
            }
            text.axis x=(px((left + right) / 2.0)) y=(px(self.height - 5.0)) text-anchor="middle"
                { (self.x.label) }
            (marks)
        }
    }
}

/// Points as the `points` of a polyline.
pub(super) fn path(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let points = points.into_iter();
    let points: Vec<String> = points
        .map(|(across, down)| format!("{},{}", px(across), px(down)))
        .collect();
    points.join(" ")
}

fn extremes(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let values = values.into_iter().filter(|&value| drawable(value));
    values.fold(None, |extremes, value| {
        let (low, high) = extremes.unwrap_or((value, value));
        Some((value.min(low), value.max(high)))
    })
}

/// The least of 1, 2 and 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let digit = step / power;
    let round = [1.0, 2.0, 5.0].into_iter().find(|&r| digit <= r + 1e-9);
    round.unwrap_or(10.0) * power
}

fn tick_text(tick: f64, step: f64) -> String {
    let largest = tick.abs().max(step);
    if tick.abs() < step / 1e6 {
        return "0".to_owned();
    }
    let sign = if tick < 0.0 { "−" } else { "" };
    let tick = tick.abs();
    let digits = if !(1e-3..1e6).contains(&largest) {
        format!("{tick:.1e}").replace(".0e", "e")
    } else if tick.fract() == 0.0 && step.fract() == 0.0 {
        crate::format::count(tick as u64)
    } else {
        // The step is 1, 2 or 5 times a power of ten, so this many decimals tell ticks apart.
        let decimals = if step > 0.0 {
            -step.log10().floor()
        } else {
            2.0
        };
        format!("{tick:.*}", decimals.clamp(0.0, 6.0) as usize)
    };
    format!("{sign}{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<String> {
        axis.labeled_ticks().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        let axis = Axis::spanning("", [0.013, 0.97]).unwrap();
        assert_eq!(texts(&axis), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        let axis = Axis::spanning("", [-0.031, 0.22]).unwrap();
        assert_eq!(texts(&axis), ["−0.1", "0", "0.1", "0.2", "0.3"]);
        let axis = Axis::spanning_in(3.0, "", [0.03, 0.97]).unwrap();
        assert_eq!(texts(&axis), ["0", "0.5", "1.0"]);
        let axis = Axis::spanning("", [0.0, 2e-5]).unwrap();
        assert_eq!(texts(&axis), ["0", "5e-6", "1e-5", "1.5e-5", "2e-5"]);
        let axis = Axis::spanning("", [0.0, 20_000.0]).unwrap();
        assert_eq!(texts(&axis), ["0", "5,000", "10,000", "15,000", "20,000"]);
        let axis = Axis::logarithmic("", [100.0, 1_000.0, 0.0]).unwrap();
        assert_eq!(texts(&axis), ["100", "1,000"]);
    }

    #[test]
    fn every_drawable_value_has_a_finite_place_and_the_others_none() {
        for values in [
            vec![0.0],
            vec![0.5],
            vec![-3.0, -3.0],
            vec![1e99, -1e99],
            vec![1e-300, 2e-300],
            vec![1.0, 1.0 + 1e-15],
            vec![1e12, 1e12 + 1.0],
            vec![f64::NAN, 7.0, f64::INFINITY],
        ] {
            let axis = Axis::spanning("", values.clone()).unwrap();
            assert!(axis.low < axis.high, "{values:?}");
            assert!((1..=12).contains(&axis.ticks.len()), "{values:?}: {axis:?}");
            for value in values.into_iter().filter(|&value| drawable(value)) {
                assert!(axis.holds(value), "{value} in {axis:?}");
                assert!((0.0..=1.0).contains(&axis.place(value)), "{value}");
            }
        }
        assert!(Axis::spanning("", []).is_none());
        assert!(Axis::spanning("", [f64::NAN, f64::INFINITY, 1e200]).is_none());
        assert!(Axis::logarithmic("", [0.0, -1.0, f64::NAN]).is_none());
    }
}
