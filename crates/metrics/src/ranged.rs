use crate::bootstrap::Interval;

/// A figure and the ends of its own interval, which need not lie at the same distance.
///
/// Differences and ratios of two of them have intervals that agree with each other on whether both
/// figures may be the same: each end of the one comes from the same ends of the parts as that of
/// the other (MOVER, Zou and Donner, *Construction of confidence limits about effect measures*,
/// 2008; Donner and Zou, *Closed-form confidence intervals for functions of the normal mean and
/// standard deviation*, 2012). With normal intervals the difference has the normal interval and the
/// ratio that of Fieller (1954).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranged {
    /// The figure.
    pub value: f64,
    /// Where the truth lies, the figure among it.
    pub interval: Interval,
}

impl Ranged {
    fn below(self) -> f64 {
        self.value - self.interval.low
    }

    fn above(self) -> f64 {
        self.interval.high - self.value
    }

    /// Returns `self - control` with its interval.
    pub fn minus(self, control: Self) -> Self {
        let value = self.value - control.value;
        Self {
            value,
            interval: Interval {
                low: value - self.below().hypot(control.above()),
                high: value + self.above().hypot(control.below()),
            },
        }
    }

    /// Returns the distance from 0 in units of the distance to the interval's end on that side; 1
    /// or more where the interval leaves 0 out. `None` where there is no such distance.
    pub fn reach(self) -> Option<f64> {
        let distance = match self.value >= 0.0 {
            true => self.below(),
            false => self.above(),
        };
        (distance > 0.0).then(|| self.value / distance)
    }

    /// Returns the interval of `self / control`. `None` unless `control` is above 0 and `self` 0 or
    /// more, and where an end has no bound because `control` may be 0.
    pub fn over(self, control: Self) -> Option<Interval> {
        let (ours, theirs) = (self.value, control.value);
        let Interval { low, high } = self.interval;
        let (least, most) = (control.interval.low, control.interval.high);
        if ours < 0.0 || theirs <= 0.0 || least <= 0.0 {
            return None;
        }
        let product = ours * theirs;
        // What solves (ours - ratio · theirs)² = below² + ratio² · above².
        let ends = |end: f64, other: f64| {
            let inner =
                product * product - end * other * (2.0 * ours - end) * (2.0 * theirs - other);
            (inner >= 0.0).then(|| inner.sqrt())
        };
        let lower = match low == 0.0 {
            true => 0.0,
            false => low * (2.0 * ours - low) / (product + ends(low, most)?),
        };
        let upper = (product + ends(high, least)?) / (least * (2.0 * theirs - least));
        let is_known = lower.is_finite() && upper.is_finite() && lower < upper;
        is_known.then_some(Interval {
            low: lower,
            high: upper,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranged(value: f64, low: f64, high: f64) -> Ranged {
        Ranged {
            value,
            interval: Interval { low, high },
        }
    }

    fn normal(value: f64, margin: f64) -> Ranged {
        ranged(value, value - margin, value + margin)
    }

    #[test]
    fn of_normal_intervals_the_difference_is_normal_and_the_ratio_is_fiellers() {
        let (arm, control) = (normal(0.5, 0.03), normal(0.4, 0.04));
        let difference = arm.minus(control).interval;
        assert!((difference.low - 0.05).abs() < 1e-12);
        assert!((difference.high - 0.15).abs() < 1e-12);
        // Fieller: (a - θ b)² = A² + θ² B², solved for θ.
        let (a, b, c) = (0.16 - 0.0016, -2.0 * 0.2, 0.25 - 0.0009);
        let root: f64 = b * b - 4.0 * a * c;
        let ratio = arm.over(control).unwrap();
        assert!((ratio.low - (-b - root.sqrt()) / (2.0 * a)).abs() < 1e-12);
        assert!((ratio.high - (-b + root.sqrt()) / (2.0 * a)).abs() < 1e-12);
    }

    /// A value above 0 with its bounds.
    fn any_ranged() -> impl Strategy<Value = Ranged> {
        let value_and_margins = (0.1..0.5, 0.01..0.09, 0.01..0.2);
        value_and_margins
            .prop_map(|(value, below, above)| ranged(value, value - below, value + above))
    }

    proptest! {
        #[test]
        fn the_difference_and_the_ratio_agree_on_whether_there_is_one(
            arm in any_ranged(),
            control in any_ranged(),
        ) {
            let difference = arm.minus(control);
            let ratio = arm.over(control).unwrap();
            prop_assert_eq!(difference.interval.low > 0.0, ratio.low > 1.0);
            prop_assert_eq!(difference.interval.high < 0.0, ratio.high < 1.0);
            let reach = difference.reach().unwrap().abs();
            let leaves_out = difference.interval.low > 0.0 || difference.interval.high < 0.0;
            prop_assert_eq!(reach > 1.0, leaves_out);
        }
    }

    #[test]
    fn a_ratio_to_what_may_be_nothing_has_no_bounds() {
        assert_eq!(normal(0.5, 0.1).over(normal(0.1, 0.1)), None);
        assert_eq!(normal(-0.5, 0.1).over(normal(0.5, 0.1)), None);
        let none = ranged(0.0, 0.0, 0.2).over(normal(0.5, 0.1)).unwrap();
        assert!(none.low == 0.0 && none.high > 0.4, "{none:?}");
        let exact = ranged(0.5, 0.5, 0.5);
        assert_eq!(exact.over(exact), None, "nothing varies");
        assert_eq!(exact.minus(exact).reach(), None);
    }
}
